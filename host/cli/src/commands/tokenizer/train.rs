//! `pegbox tokenizer train`: a tokenizer from texts.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use pegbox_vocabulary::check_target;
use pegbox_vocabulary::train::{self, TrainSettings};

use super::grouped;
use super::texts::Texts;
use crate::report::Report;
use crate::session::Session;

#[derive(Debug, Args)]
pub struct Train {
    #[command(flatten)]
    pub texts: Texts,
    /// What the vocabulary is made of
    #[arg(long, value_enum)]
    pub kind: Kind,
    /// Tokens, special ones included
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub size: u32,
    /// The folder to write the tokenizer into
    #[arg(long, value_name = "DIR")]
    pub to: PathBuf,
    /// How often a pair of pieces must occur to become one; for Unigram, how often a word must occur to be learned from
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u64).range(1..))]
    pub min_frequency: u64,
    /// A further special token, such as `<|user|>`; once for each
    #[arg(long, value_name = "TOKEN")]
    pub special: Vec<String>,
    /// Lower all letters first
    #[arg(long)]
    pub lowercase: bool,
    /// Keep the N most frequent characters; the others are unknown. BPE knows all bytes
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..))]
    pub alphabet: u32,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum Kind {
    /// Byte-level BPE, as GPT-2 has it
    Bpe,
    /// WordPiece, as BERT has it
    Wordpiece,
    /// Unigram, as T5 has it
    Unigram,
}

pub fn run(session: &Session, arguments: &Train) -> Result<(), Box<Report>> {
    check_target(&arguments.to)?;
    let kind = match arguments.kind {
        Kind::Bpe => train::Kind::Bpe,
        Kind::Wordpiece => train::Kind::WordPiece,
        Kind::Unigram => train::Kind::Unigram,
    };
    let settings = TrainSettings {
        min_frequency: arguments.min_frequency,
        special: arguments.special.clone(),
        lowercase: arguments.lowercase,
        alphabet: arguments.alphabet as usize,
        ..TrainSettings::new(kind, arguments.size as usize)
    };
    let stage = session.console.stage("tokenizer");
    let progress = |done| stage.progress("texts", done, None);
    let trained = train::train(&arguments.texts.corpus(&progress)?, &settings)?;
    trained.write(&arguments.to)?;
    if trained.too_long > 0 {
        stage.say(format!(
            "tokenizer: {} words of more than 256 characters were left out",
            grouped(trained.too_long)
        ));
    }
    if trained.size < settings.size {
        stage.say(format!(
            "tokenizer: the texts give {} tokens, and not the {} that were asked for",
            grouped(trained.size as u64),
            grouped(settings.size as u64)
        ));
    }
    stage.finish(&format!(
        "{} tokens from {} different words in {} texts, in {}",
        grouped(trained.size as u64),
        grouped(trained.words as u64),
        grouped(trained.texts),
        arguments.to.display()
    ));
    Ok(())
}
