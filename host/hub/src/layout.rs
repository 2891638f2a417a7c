//! Which files make up a model: of a listing those to take, of a folder those that are missing.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

pub(crate) const CONFIG: &str = "config.json";
/// What says how texts become tokens; the first that is there is the tokenizer.
const TOKENIZERS: [&str; 6] = [
    "tokenizer.json",
    "vocab.txt",
    "vocab.json",
    "tokenizer.model",
    "spiece.model",
    "sentencepiece.bpe.model",
];
/// What else a model folder may hold that training, generation or export needs.
const COMPANIONS: [&str; 12] = [
    POOLING,
    "generation_config.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "merges.txt",
    "chat_template.jinja",
    "chat_template.json",
    "modules.json",
    "sentence_bert_config.json",
    "config_sentence_transformers.json",
    "README.md",
];
/// How a sentence-embedding model pools; the one file in a folder of its own.
pub(crate) const POOLING: &str = "1_Pooling/config.json";
/// Weights in the order in which they are preferred; an index names the shards.
const WEIGHTS: [&str; 4] = [
    "model.safetensors",
    "model.safetensors.index.json",
    "pytorch_model.bin",
    "pytorch_model.bin.index.json",
];

/// The files of a listing to take, never code: the config, the tokenizer, what goes with them, one set of weights;
/// or the one GGUF file that `gguf` names, or that there is.
///
/// # Errors
/// Why the listing is no model that Pegbox can use.
pub(crate) fn choose(names: &[String], gguf: Option<&str>) -> Result<Vec<String>, String> {
    let holds = |name: &str| names.iter().any(|found| found == name);
    let papers = || names.iter().filter(|name| is_paper(name)).cloned();
    if let Some(wanted) = gguf {
        if !holds(wanted) {
            return Err(format!("there is no {wanted}; {}", ggufs_there_are(names)));
        }
        return single(wanted).map(|file| papers().chain([file]).collect());
    }
    let Some(weights) = WEIGHTS.into_iter().find(|name| holds(name)).filter(|_| holds(CONFIG)) else {
        return match &ggufs(names)[..] {
            [one] => single(one).map(|file| papers().chain([file]).collect()),
            [] if holds(CONFIG) => {
                Err(format!("there are no weights that Pegbox reads: {}", WEIGHTS.join(", ")))
            }
            [] => Err(format!("there is no {CONFIG}, and no GGUF file")),
            _ => {
                Err(format!("it has several GGUF files, and one must be chosen; {}", ggufs_there_are(names)))
            }
        };
    };
    if !TOKENIZERS.into_iter().any(&holds) {
        return Err(format!("there is no tokenizer: none of {}", TOKENIZERS.join(", ")));
    }
    let small = [CONFIG].into_iter().chain(TOKENIZERS).chain(COMPANIONS).filter(|name| holds(name));
    let shards = names.iter().filter(|name| is_shard(name, weights)).cloned();
    let mut chosen: Vec<String> =
        small.map(str::to_string).chain(papers()).chain([weights.into()]).chain(shards).collect();
    chosen.sort();
    chosen.dedup();
    Ok(chosen)
}

fn single(gguf: &str) -> Result<String, String> {
    match is_part(gguf.strip_suffix(".gguf").unwrap_or(gguf)) {
        true => {
            Err(format!("{gguf} is a part of a split GGUF; `llama-gguf-split --merge` makes it one file"))
        }
        false => Ok(gguf.to_string()),
    }
}

fn ggufs(names: &[String]) -> Vec<&str> {
    names.iter().map(String::as_str).filter(|name| name.ends_with(".gguf")).collect()
}

fn ggufs_there_are(names: &[String]) -> String {
    match &ggufs(names)[..] {
        [] => "it has no GGUF file".to_string(),
        some => format!("it has {}", some.join(", ")),
    }
}

/// `LICENSE`, `NOTICE` and their kin: what must travel with the weights.
fn is_paper(name: &str) -> bool {
    let upper = name.to_ascii_uppercase();
    let ending = upper.split_once('.').map_or("", |(_, ending)| ending);
    let begins = ["LICENSE", "LICENCE", "NOTICE"].iter().any(|word| upper.starts_with(word));
    begins && is_plain(name) && ["", "TXT", "MD"].contains(&ending) || name == "README.md"
}

/// Whether it is a file name that leads nowhere else.
fn is_plain(name: &str) -> bool {
    let plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.+=".contains(&byte));
    plain && !name.is_empty() && !name.starts_with('.')
}

/// Where a file of a listing lies in the model's folder. A GGUF file may lie deeper in the listing.
pub(crate) fn landing(name: &str) -> Option<&str> {
    if name == POOLING {
        return Some(name);
    }
    name.rsplit('/').next().filter(|file| is_plain(file))
}

/// Whether `name` is `model-00001-of-00002.safetensors`, where `index` is `model.safetensors.index.json`.
fn is_shard(name: &str, index: &str) -> bool {
    let Some((stem, ending)) = index.strip_suffix(".index.json").and_then(|file| file.split_once('.')) else {
        return false;
    };
    let inner = name.strip_suffix(ending).and_then(|rest| rest.strip_suffix('.'));
    inner.and_then(|inner| inner.strip_prefix(stem)).is_some_and(is_part)
}

/// Whether it ends in `-00001-of-00002`.
fn is_part(stem: &str) -> bool {
    let digits = |text: &str| text.len() == 5 && text.bytes().all(|byte| byte.is_ascii_digit());
    let Some((rest, of)) = stem.rsplit_once("-of-") else { return false };
    digits(of) && rest.rsplit_once('-').is_some_and(|(_, number)| digits(number))
}

/// What a folder holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Content {
    /// A config, a tokenizer and weights, in the form of Hugging Face Transformers.
    Transformers,
    /// One GGUF file, which holds everything.
    Gguf(PathBuf),
}

/// What the model in `folder` is.
///
/// # Errors
/// The files that it lacks.
pub(crate) fn content(folder: &Path) -> Result<Content, Vec<String>> {
    let names = files(folder);
    let holds = |name: &str| names.iter().any(|found| found == name);
    let weights = WEIGHTS.into_iter().find(|name| holds(name));
    if weights.is_none()
        && !holds(CONFIG)
        && let [one] = ggufs(&names)[..]
    {
        return Ok(Content::Gguf(folder.join(one)));
    }
    let mut missing = Vec::new();
    if !holds(CONFIG) {
        missing.push(CONFIG.to_string());
    }
    match weights {
        None => missing.push(WEIGHTS[0].to_string()),
        Some(name) if name.ends_with(".index.json") => {
            missing.extend(shards(&folder.join(name)).into_iter().filter(|shard| !holds(shard)));
        }
        Some(_) => {}
    }
    if !TOKENIZERS.into_iter().any(&holds) {
        missing.push(TOKENIZERS[0].to_string());
    }
    if missing.is_empty() { Ok(Content::Transformers) } else { Err(missing) }
}

/// Whether a folder that lacks these files lacks nothing but weights.
pub(crate) fn is_only_weights(missing: &[String]) -> bool {
    missing == [WEIGHTS[0]]
}

/// Whether `name`, a file directly in a model folder, goes into the model's digest.
pub(crate) fn is_part_of_model(name: &str) -> bool {
    let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending);
    ["json", "txt", "model", "jinja", "safetensors", "gguf"].contains(&ending) || is_pickled_weights(name)
}

fn is_pickled_weights(name: &str) -> bool {
    name == "pytorch_model.bin" || is_shard(name, "pytorch_model.bin.index.json")
}

/// The files that an index names; those with a path are left out, so that nothing outside the folder is meant.
fn shards(index: &Path) -> Vec<String> {
    let index: Option<Value> = crate::cache::read_json(index);
    let map = index.as_ref().and_then(|index| index.get("weight_map")).and_then(Value::as_object);
    let mut shards: Vec<String> = map
        .into_iter()
        .flat_map(|map| map.values())
        .filter_map(Value::as_str)
        .filter(|name| !name.contains(['/', '\\']))
        .map(str::to_string)
        .collect();
    shards.sort();
    shards.dedup();
    shards
}

/// The plain files directly in `folder`, links to files included.
pub(crate) fn files(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut names: Vec<String> = entries
        .filter(|entry| entry.path().is_file())
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    fn choose_of(names: &[&str], gguf: Option<&str>) -> Result<Vec<String>, String> {
        choose(&names.iter().map(|name| name.to_string()).collect::<Vec<_>>(), gguf)
    }

    #[test]
    fn only_what_is_needed_is_taken() {
        let names = [
            "config.json",
            "tokenizer.json",
            "vocab.txt",
            "README.md",
            "LICENSE",
            "NOTICE.txt",
            "license.py",
            "modeling.py",
            "model.safetensors",
            "pytorch_model.bin",
            "tf_model.h5",
            "onnx/model.onnx",
            "training_args.bin",
        ];
        let expected = [
            "LICENSE",
            "NOTICE.txt",
            "README.md",
            "config.json",
            "model.safetensors",
            "tokenizer.json",
            "vocab.txt",
        ];
        assert_eq!(choose_of(&names, None).unwrap(), expected);
        let sharded = [
            "config.json",
            "tokenizer.json",
            "model.safetensors.index.json",
            "model-00001-of-00002.safetensors",
            "model-00002-of-00002.safetensors",
            "consolidated-00001-of-00002.safetensors",
        ];
        assert_eq!(choose_of(&sharded, None).unwrap().len(), 5);
        let pickled = ["config.json", "vocab.txt", "pytorch_model.bin", "optimizer.bin"];
        assert_eq!(choose_of(&pickled, None).unwrap(), ["config.json", "pytorch_model.bin", "vocab.txt"]);
    }

    #[test]
    fn a_gguf_is_named_or_the_only_one() {
        assert_eq!(choose_of(&["a.gguf", "LICENSE"], None).unwrap(), ["LICENSE", "a.gguf"]);
        let several = choose_of(&["a-Q4_0.gguf", "a-Q8_0.gguf", "config.json"], None).unwrap_err();
        assert!(several.contains("one must be chosen; it has a-Q4_0.gguf, a-Q8_0.gguf"), "{several}");
        assert_eq!(choose_of(&["a.gguf", "b.gguf"], Some("b.gguf")).unwrap(), ["b.gguf"]);
        assert!(choose_of(&["a.gguf"], Some("c.gguf")).unwrap_err().contains("it has a.gguf"));
        assert!(choose_of(&["a-00001-of-00002.gguf"], None).unwrap_err().contains("split GGUF"));
        assert!(choose_of(&["config.json", "tokenizer.json"], None).unwrap_err().contains("no weights"));
        assert!(choose_of(&["config.json", "model.safetensors"], None).unwrap_err().contains("no tokenizer"));
        assert!(choose_of(&["README.md"], None).unwrap_err().contains("no config.json, and no GGUF"));
    }

    #[test]
    fn a_folder_says_what_it_lacks() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path();
        let write = |name: &str, text: &str| fs::write(path.join(name), text).unwrap();
        assert_eq!(content(path).unwrap_err(), ["config.json", "model.safetensors", "tokenizer.json"]);
        write("model.gguf", "");
        assert_eq!(content(path).unwrap(), Content::Gguf(path.join("model.gguf")));
        write("config.json", "{}");
        write("vocab.txt", "");
        write(
            "model.safetensors.index.json",
            r#"{"weight_map": {"a": "model-00001-of-00002.safetensors", "b": "model-00002-of-00002.safetensors"}}"#,
        );
        write("model-00001-of-00002.safetensors", "");
        assert_eq!(content(path).unwrap_err(), ["model-00002-of-00002.safetensors"]);
        write("model-00002-of-00002.safetensors", "");
        assert_eq!(content(path).unwrap(), Content::Transformers);
    }
}
