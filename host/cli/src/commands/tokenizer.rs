//! `pegbox tokenizer`: one file a command, its arguments beside it.

/// `pegbox tokenizer compare`
mod compare;
/// `pegbox tokenizer extend`
mod extend;
/// The texts that the commands work on.
mod texts;
/// `pegbox tokenizer train`
mod train;

use std::path::Path;

use clap::Subcommand;
use pegbox_hub::Request;
use pegbox_vocabulary::TokenizerFile;

use crate::report::Report;
use crate::session::Session;
use crate::stages::base;

#[derive(Debug, Subcommand)]
pub enum TokenizerCommand {
    /// Make a tokenizer from texts: BPE, WordPiece or Unigram
    Train(train::Train),
    /// Propose the words that a tokenizer splits and texts are full of as tokens of their own, and add them
    Extend(extend::Extend),
    /// Tokenizers side by side on the same texts
    Compare(compare::Compare),
}

pub fn run(session: &Session, command: TokenizerCommand) -> Result<(), Box<Report>> {
    match command {
        TokenizerCommand::Train(arguments) => train::run(session, &arguments),
        TokenizerCommand::Extend(arguments) => extend::run(session, &arguments),
        TokenizerCommand::Compare(arguments) => compare::run(session, &arguments),
    }
}

/// The tokenizer of a base model, in a folder, or a tokenizer.json itself.
fn open(session: &Session, source: &str) -> Result<TokenizerFile, Box<Report>> {
    let path = Path::new(source);
    if path.is_file() || path.join("tokenizer.json").is_file() {
        return Ok(TokenizerFile::open(path)?);
    }
    let model = base::fetch(session, source, Path::new("."), &Request::default())?;
    Ok(TokenizerFile::open(&model.folder)?)
}

/// `1234567` as `1,234,567`.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::grouped;

    #[test]
    fn thousands_are_grouped() {
        assert_eq!([0, 999, 1000, 1_234_567].map(grouped), ["0", "999", "1,000", "1,234,567"]);
    }
}
