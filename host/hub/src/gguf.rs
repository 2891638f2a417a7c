//! What a GGUF file says of itself.

use std::path::Path;

use pegbox_weights::Gguf;
use pegbox_weights::gguf::Metadata;

use crate::error::HubError;
use crate::facts::Facts;
use crate::licence::spdx;

/// `general.license`, as SPDX writes it. None where the file states none, or cannot be read; then reading its weights
/// says why.
pub(crate) fn licence(path: &Path) -> Option<String> {
    spdx(Gguf::open(path).ok()?.metadata().str("general.license")?)
}

/// # Errors
/// The file is damaged, or of an architecture that is not known.
pub(crate) fn facts(path: &Path) -> Result<Facts, HubError> {
    let file = Gguf::open(path)?;
    let mut facts = Facts::of_config(&file.config()?);
    let metadata = file.metadata();
    facts.tokenizer = metadata.str("tokenizer.ggml.model").map(kind);
    facts.vocabulary = vocabulary(metadata).or(facts.vocabulary);
    facts.chat_template = metadata.str("tokenizer.chat_template").is_some();
    Ok(facts)
}

fn vocabulary(metadata: &Metadata) -> Option<u64> {
    Some(metadata.strings("tokenizer.ggml.tokens")?.len() as u64)
}

/// Tokenizers are named there by the model that had them first.
fn kind(name: &str) -> String {
    match name {
        "gpt2" => "BPE".into(),
        "llama" => "SentencePiece BPE".into(),
        "bert" => "WordPiece".into(),
        "t5" => "Unigram".into(),
        other => other.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_says_what_it_is() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/parity");
        let path = folder.join("language/llama.gguf");
        let facts = Facts::of(&path).unwrap();
        assert_eq!(
            (facts.model_type.as_deref(), facts.layers, facts.context),
            (Some("llama"), Some(2), Some(256))
        );
        assert_eq!((facts.tokenizer.as_deref(), facts.chat_template), (Some("BPE"), true));
        assert_eq!(facts.key_value_heads, Some(2));
        assert_eq!(licence(&path).as_deref(), Some("Apache-2.0"));
        assert_eq!(licence(&folder.join("weights/gpt2.gguf")), None);
        let broken = tempfile::tempdir().unwrap();
        let broken = broken.path().join("m.gguf");
        std::fs::write(&broken, "GGUF").unwrap();
        assert!(Facts::of(&broken).unwrap_err().to_string().contains("m.gguf: "));
        assert_eq!(licence(&broken), None);
    }
}
