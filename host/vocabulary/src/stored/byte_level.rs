//! Byte-level BPE (Radford et al. 2019): every byte is a letter, so that every text has tokens. Models differ in how
//! they split a text before pairs are merged; GGUF names the way (`tokenizer.ggml.pre`).

use serde_json::{Value, json};

use super::{Parts, StoredVocabulary, sequence};

/// Llama 3's.
const LLAMA3: &str = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";

/// Qwen2's: digits stand alone.
const QWEN2: &str = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";

/// Mistral's Tekken: a capital begins a word.
const TEKKEN: &str = r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+";

/// How a text is split, by the names of llama.cpp.
enum Split {
    Gpt2,
    /// GPT-2's, and each digit alone.
    Digits,
    Pattern(&'static str),
}

const SPLITS: [(&[&str], Split); 5] = [
    (
        &[
            "default",
            "gpt-2",
            "gpt2",
            "mpt",
            "olmo",
            "phi-2",
            "jina-es",
            "jina-de",
            "jina-v2-code",
            "roberta-bpe",
        ],
        Split::Gpt2,
    ),
    (&["smollm", "starcoder", "refact", "command-r", "codeshell", "exaone", "minerva-7b"], Split::Digits),
    (
        &["llama3", "llama-v3", "llama-bpe", "falcon3", "smaug-bpe", "dbrx", "pixtral", "lfm2"],
        Split::Pattern(LLAMA3),
    ),
    (&["qwen2", "deepseek-r1-qwen", "megrez", "stablelm2"], Split::Pattern(QWEN2)),
    (&["tekken"], Split::Pattern(TEKKEN)),
];

pub(super) fn parts(stored: &StoredVocabulary, merges: &[String], name: &str) -> Result<Parts, String> {
    let split = SPLITS.iter().find(|(names, _)| names.contains(&name)).map(|(_, split)| split);
    let split = split.ok_or_else(|| {
        let known: Vec<&str> = SPLITS.iter().flat_map(|(names, _)| *names).copied().collect();
        format!("it splits text the way `{name}`, which is not known; known are {}", known.join(", "))
    })?;
    let letters = |use_regex: bool| json!({"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": use_regex});
    let pre_tokenizer = match split {
        Split::Gpt2 => letters(true),
        Split::Digits => {
            let digits = json!({"type": "Digits", "individual_digits": true});
            sequence("pretokenizers", vec![digits, letters(true)])
        }
        Split::Pattern(pattern) => {
            let split = json!({
                "type": "Split", "pattern": {"Regex": pattern}, "behavior": "Isolated", "invert": false
            });
            sequence("pretokenizers", vec![split, letters(false)])
        }
    };
    // Qwen's tokenizers compose characters first.
    let normalizer = match split {
        Split::Pattern(QWEN2) => json!({"type": "NFC"}),
        _ => Value::Null,
    };
    Ok(Parts {
        normalizer,
        pre_tokenizer,
        decoder: letters(true),
        model: json!({
            "type": "BPE",
            "dropout": null,
            "unk_token": null,
            "continuing_subword_prefix": null,
            "end_of_word_suffix": null,
            "fuse_unk": false,
            "byte_fallback": false,
            // A word that is a token is one, whatever its parts would merge to: so in Llama 3's.
            "ignore_merges": matches!(split, Split::Pattern(LLAMA3)),
            "vocab": stored.vocabulary(),
            "merges": pairs(merges)?,
        }),
    })
}

fn pairs(merges: &[String]) -> Result<Vec<Value>, String> {
    let pair = |merge: &String| {
        let (left, right) = merge.split_once(' ').ok_or_else(|| format!("the merge `{merge}` is no pair"))?;
        Ok(json!([left, right]))
    };
    merges.iter().map(pair).collect()
}
