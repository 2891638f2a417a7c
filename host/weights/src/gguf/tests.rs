//! Small files, made here, and what is wrong with damaged ones.

use super::*;
use crate::{Dtype, Weights};

/// A GGUF file as it is being made.
#[derive(Clone)]
pub(crate) struct File {
    version: u32,
    entries: Vec<Vec<u8>>,
    tensors: Vec<Vec<u8>>,
    data: Vec<u8>,
}

impl File {
    pub fn new() -> Self {
        Self { version: 3, entries: Vec::new(), tensors: Vec::new(), data: Vec::new() }
    }

    /// `value` with its type before it.
    pub fn entry(mut self, key: &str, kind: u32, value: &[u8]) -> Self {
        self.entries.push([&text(key)[..], &kind.to_le_bytes(), value].concat());
        self
    }

    pub fn text(self, key: &str, value: &str) -> Self {
        self.entry(key, 8, &text(value))
    }

    pub fn number(self, key: &str, value: u32) -> Self {
        self.entry(key, 4, &value.to_le_bytes())
    }

    pub fn float(self, key: &str, value: f32) -> Self {
        self.entry(key, 6, &value.to_le_bytes())
    }

    pub fn texts(self, key: &str, values: &[&str]) -> Self {
        let mut bytes = [&8u32.to_le_bytes()[..], &(values.len() as u64).to_le_bytes()].concat();
        values.iter().for_each(|value| bytes.extend(text(value)));
        self.entry(key, 9, &bytes)
    }

    /// `sizes` as the file has them: the shortest step first.
    pub fn tensor(self, name: &str, sizes: &[u64], kind: u32, data: &[u8]) -> Self {
        let offset = self.data.len() as u64;
        let mut file = self.tensor_at(name, sizes, kind, offset);
        file.data.extend_from_slice(data);
        file.data.resize(file.data.len().next_multiple_of(32), 0);
        file
    }

    pub fn tensor_at(mut self, name: &str, sizes: &[u64], kind: u32, offset: u64) -> Self {
        let mut bytes = text(name);
        bytes.extend((sizes.len() as u32).to_le_bytes());
        sizes.iter().for_each(|size| bytes.extend(size.to_le_bytes()));
        bytes.extend(kind.to_le_bytes());
        bytes.extend(offset.to_le_bytes());
        self.tensors.push(bytes);
        self
    }

    pub fn bytes(&self) -> Vec<u8> {
        let mut bytes = b"GGUF".to_vec();
        bytes.extend(self.version.to_le_bytes());
        bytes.extend((self.tensors.len() as u64).to_le_bytes());
        bytes.extend((self.entries.len() as u64).to_le_bytes());
        self.entries.iter().chain(&self.tensors).for_each(|part| bytes.extend(part));
        bytes.resize(bytes.len().next_multiple_of(32), 0);
        bytes.extend(&self.data);
        bytes
    }

    pub fn read(&self) -> Result<Gguf, WeightsError> {
        read(self.bytes())
    }
}

pub(crate) fn read(bytes: Vec<u8>) -> Result<Gguf, WeightsError> {
    Gguf::from_bytes(Path::new("model.gguf"), bytes)
}

fn text(value: &str) -> Vec<u8> {
    [&(value.len() as u64).to_le_bytes()[..], value.as_bytes()].concat()
}

fn error(file: File) -> String {
    file.read().unwrap_err().to_string()
}

fn small() -> File {
    File::new()
        .text("general.architecture", "llama")
        .number("llama.block_count", 2)
        .texts("tokenizer.ggml.tokens", &["<s>", "Ġthe", ""])
        .entry("flag", 7, &[1])
        .entry(
            "tokenizer.ggml.token_type",
            9,
            &[
                5u32.to_le_bytes().to_vec(),
                2u64.to_le_bytes().to_vec(),
                3i32.to_le_bytes().to_vec(),
                (-1i32).to_le_bytes().to_vec(),
            ]
            .concat(),
        )
        .float("general.epsilon", 0.5)
        .tensor("token_embd.weight", &[2, 3], 0, &[0; 24])
        .tensor("output_norm.weight", &[2], 1, &[0; 4])
}

#[test]
fn metadata_is_read_by_type() {
    let file = small().read().unwrap();
    let metadata = file.metadata();
    assert_eq!(metadata.str("general.architecture"), Some("llama"));
    assert_eq!(metadata.u64("llama.block_count"), Some(2));
    assert_eq!(metadata.f64("llama.block_count"), Some(2.0));
    assert_eq!(metadata.strings("tokenizer.ggml.tokens").unwrap(), ["<s>", "Ġthe", ""]);
    assert_eq!(metadata.i64s("tokenizer.ggml.token_type").unwrap(), [3, -1]);
    assert_eq!(metadata.bool("flag"), Some(true));
    assert_eq!(metadata.f64("general.epsilon"), Some(0.5));
    assert_eq!(metadata.str("flag"), None);
    assert_eq!(metadata.iter().count(), 6);
    let nested: Vec<u8> = [
        9u32.to_le_bytes().to_vec(),
        1u64.to_le_bytes().to_vec(),
        0u32.to_le_bytes().to_vec(),
        2u64.to_le_bytes().to_vec(),
        vec![7, 8],
    ]
    .concat();
    let file = File::new().entry("nested", 9, &nested).read().unwrap();
    assert_eq!(file.metadata().get("nested"), Some(&Value::Array(Array::Array(vec![Array::U8(vec![7, 8])]))));
}

#[test]
fn tensors_are_found() {
    let file = small().read().unwrap();
    let [embedding, norm] = file.places() else { panic!("{:?}", file.places()) };
    assert_eq!(
        (embedding.name.as_str(), &embedding.shape[..], embedding.dtype),
        ("token_embd.weight", &[3, 2][..], Dtype::F32)
    );
    assert_eq!(
        (norm.name.as_str(), &norm.shape[..], norm.dtype),
        ("output_norm.weight", &[2][..], Dtype::F16)
    );
    assert_eq!(norm.range.start - embedding.range.start, 32);
}

#[test]
fn a_file_cut_anywhere_is_an_error() {
    let whole = small().bytes();
    // The last tensor ends before its padding does.
    for length in 0..whole.len() - 28 {
        assert!(read(whole[..length].to_vec()).is_err(), "cut after {length} bytes");
    }
    assert!(read(whole).is_ok());
}

#[test]
fn flipped_bits_never_panic() {
    let whole = small().bytes();
    for position in 0..whole.len() {
        for bit in 0..8 {
            let mut bytes = whole.clone();
            bytes[position] ^= 1 << bit;
            let _ = read(bytes);
        }
    }
}

#[test]
fn lies_about_counts_allocate_nothing() {
    let mut bytes = small().bytes();
    bytes[8..16].copy_from_slice(&u64::MAX.to_le_bytes());
    assert!(read(bytes).unwrap_err().to_string().contains("18446744073709551615 tensors are promised"));
    let mut bytes = small().bytes();
    bytes[16..24].copy_from_slice(&(1u64 << 40).to_le_bytes());
    assert!(read(bytes).unwrap_err().to_string().contains("entries of metadata are promised"));
    for kind in [0u32, 5, 8, 9, 12] {
        let array = [&kind.to_le_bytes()[..], &(1u64 << 60).to_le_bytes()].concat();
        assert!(
            error(File::new().entry("a", 9, &array)).contains("metadata `a`: 1152921504606846976 elements"),
            "{kind}"
        );
    }
    assert!(
        error(File::new().entry("a", 8, &(u64::MAX).to_le_bytes())).contains("bytes of text are promised")
    );
}

#[test]
fn metadata_that_nests_without_end_is_refused() {
    let level = [&9u32.to_le_bytes()[..], &1u64.to_le_bytes()].concat();
    let deep = level.repeat(100_000);
    assert!(error(File::new().entry("a", 9, &deep)).contains("`a`: arrays are nested deeper than 4"));
}

#[test]
fn what_is_there_twice_is_refused() {
    assert!(error(small().number("flag", 1)).contains("has `flag` twice"));
    assert!(
        error(small().tensor("output_norm.weight", &[2], 0, &[0; 8]))
            .contains("`output_norm.weight` is there twice")
    );
}

#[test]
fn tensors_outside_of_the_file_or_on_each_other_are_refused() {
    assert!(error(small().tensor_at("a", &[2], 0, 32)).contains("`output_norm.weight` and `a` overlap"));
    assert!(error(small().tensor_at("a", &[2], 0, 64)).contains("tensor `a`: it ends at byte"));
    assert!(error(small().tensor_at("a", &[2], 0, u64::MAX - 3)).contains("too large"));
    assert!(error(small().tensor_at("a", &[1 << 32, 1 << 32], 0, 0)).contains("too large"));
    assert!(error(small().tensor_at("a", &[0, 1 << 62, 1 << 62], 0, 0)).contains("too large"));
    assert!(error(small().tensor_at("a", &[1; 5], 0, 0)).contains("5 dimensions"));
    assert!(error(small().tensor_at("a", &[33], 2, 0)).contains("blocks of 32"));
    assert!(error(small().tensor_at("a", &[32], 99, 0)).contains("type 99"));
}

#[test]
fn other_files_and_versions_are_told_apart() {
    assert!(read(b"PK\x03\x04 and more".to_vec()).unwrap_err().to_string().ends_with("not a GGUF file"));
    let versions = [(1, "version 1"), (7, "version 7"), (3u32.swap_bytes(), "big-endian")];
    for (version, told) in versions {
        let file = File { version, ..small() };
        assert!(error(file).contains(told), "{version}");
    }
    assert!(File { version: 2, ..small() }.read().is_ok());
    assert!(error(small().number("general.alignment", 24)).contains("power of two"));
    assert!(error(small().entry("a", 13, &[])).contains("no type 13"));
    assert!(error(small().entry("a", 7, &[2])).contains("a truth value is 2"));
    assert!(error(small().entry("a", 8, &[1, 0, 0, 0, 0, 0, 0, 0, 0xff])).contains("not UTF-8"));
}

fn fixture(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/parity/weights").join(name)
}

#[test]
fn every_quantised_type_is_what_ggml_makes_of_it() {
    let file = Gguf::open(&fixture("blocks.gguf")).unwrap();
    let mut expected = Weights::read(&fixture("blocks.safetensors")).unwrap();
    assert_eq!(file.places().len(), 12);
    for place in file.places() {
        assert_eq!(place.name, place.dtype.name());
        let (shape, theirs) = expected.take(std::slice::from_ref(&place.name)).unwrap();
        assert_eq!(place.shape, shape);
        let ours = file.values(&place.name);
        assert_eq!(ours.len(), theirs.len());
        // Bit for bit.
        let wrong = ours.iter().zip(&theirs).position(|(ours, theirs)| ours.to_bits() != theirs.to_bits());
        assert_eq!(wrong, None, "{}", place.name);
    }
}

#[test]
fn models_are_read_as_transformers_reads_them() {
    for name in ["llama", "qwen3", "gpt2", "t5"] {
        let mut ours = Weights::read(&fixture(&format!("{name}.gguf"))).unwrap();
        let mut theirs = Weights::read(&fixture(&format!("{name}.safetensors"))).unwrap();
        for tensor in theirs.tensors() {
            let name = [tensor.name.clone()];
            assert_eq!(ours.shape(&name), Some(&tensor.shape[..]), "{}", tensor.name);
            assert!(ours.take(&name) == theirs.take(&name), "{}", tensor.name);
        }
        assert_eq!(ours.left_over(), [""; 0], "{name}");
        let written: serde_json::Value =
            serde_json::from_slice(&std::fs::read(fixture(&format!("{name}.json"))).unwrap()).unwrap();
        let config = ours.config().unwrap().as_object().unwrap();
        assert_eq!(config["model_type"], name);
        let compared = config.iter().filter(|(key, _)| written.get(*key).is_some());
        // T5 1.0's relative positions and the like are not in the metadata.
        let compared: Vec<_> = compared
            .map(|(key, value)| {
                assert_eq!(
                    value.as_f64().map_or(value.clone(), Into::into),
                    written[key].as_f64().map_or(written[key].clone(), Into::into),
                    "{key}"
                )
            })
            .collect();
        assert!(compared.len() >= 10, "{name}: {config:?}");
    }
    let config = Weights::read(&fixture("llama.gguf")).unwrap().config().unwrap().clone();
    for (key, value) in [
        ("rope_theta", serde_json::json!(50000.0)),
        ("rms_norm_eps", 1e-5.into()),
        ("tie_word_embeddings", true.into()),
        ("num_key_value_heads", 2.into()),
        ("bos_token_id", 1.into()),
    ] {
        assert_eq!(config[key], value, "{key}");
    }
}

/// A llama of one block, so small that its values can be written down.
fn llama() -> File {
    File::new()
        .text("general.architecture", "llama")
        .number("llama.block_count", 1)
        .number("llama.embedding_length", 2)
        .number("llama.feed_forward_length", 2)
        .number("llama.context_length", 8)
        .number("llama.attention.head_count", 1)
        .float("llama.attention.layer_norm_rms_epsilon", 1e-5)
        .tensor("token_embd.weight", &[2, 3], 0, &[0; 24])
        .tensor("blk.0.ffn_up.weight", &[2, 2], 0, &[0; 16])
}

fn weights(file: File) -> Result<Weights, WeightsError> {
    Weights::from_bytes(Path::new("model.gguf"), file.bytes())
}

#[test]
fn metadata_that_contradicts_the_tensors_is_refused() {
    assert_eq!(weights(llama()).unwrap().config().unwrap()["vocab_size"], 3);
    let changed = |key: &str, value: u32| {
        let mut file = llama();
        file.entries.retain(|entry| !entry[8..].starts_with(key.as_bytes()));
        weights(file.number(key, value)).unwrap_err().to_string()
    };
    assert!(changed("llama.embedding_length", u32::MAX).contains("but the tensor token_embd.weight has 2"));
    assert!(changed("llama.feed_forward_length", 3).contains("but the tensor blk.0.ffn_up.weight has 2"));
    assert!(changed("llama.block_count", u32::MAX).contains("more than it has tensors"));
    let without = File { entries: llama().entries[..3].to_vec(), ..llama() };
    assert!(weights(without).unwrap_err().to_string().contains("no number `llama."));
    assert!(weights(File::new()).unwrap_err().to_string().contains("which architecture"));
    let other = weights(File::new().text("general.architecture", "mamba")).unwrap_err().to_string();
    assert!(other.contains("`mamba` is not read from GGUF; bert, gpt2"), "{other}");
}

#[test]
fn tensors_that_cannot_be_read_are_named() {
    let error = |file: File| weights(file).unwrap_err().to_string();
    let iq = llama().tensor("blk.0.attn_v.weight", &[256, 1], 23, &[0; 136]);
    assert!(error(iq).contains("tensor `blk.0.attn_v.weight`: it is quantised as IQ4_XS, which is not read"));
    assert!(error(llama().number("split.count", 3)).contains("one of 3 parts"));
    assert!(
        error(llama().tensor("blk.0.attn_q.weight", &[2, 3], 0, &[0; 24])).contains("divided among 1 heads")
    );
    let renamed =
        llama().tensor("output.weight", &[2], 0, &[0; 8]).tensor("lm_head.weight", &[2], 0, &[0; 8]);
    assert!(error(renamed).contains("`lm_head.weight` is there twice"));
    let integers = weights(llama().tensor("ids", &[1], 26, &[0; 4])).unwrap();
    assert_eq!(
        integers.left_over(),
        ["ids", "model.embed_tokens.weight", "model.layers.0.mlp.up_proj.weight"]
    );
}

#[test]
fn rotary_scaling_is_told_from_its_factors() {
    let factors = |factors: &[f32]| {
        let bytes: Vec<u8> = factors.iter().flat_map(|factor| factor.to_le_bytes()).collect();
        weights(llama().float("llama.rope.freq_base", 500_000.0).tensor(
            "rope_freqs.weight",
            &[factors.len() as u64],
            0,
            &bytes,
        ))
    };
    // Llama 3.1's, a frequency in eight, by Transformers' formula with factor 8.
    let theirs = [1.0, 1.0, 1.0, 1.0, 2.694_529_7, 8.0, 8.0, 8.0];
    let scaling = factors(&theirs).unwrap().config().unwrap()["rope_scaling"].clone();
    assert_eq!(scaling["rope_type"], "llama3");
    assert_eq!(scaling["factor"], 8.0);
    assert!(
        factors(&[1.0, 2.0, 3.0, 4.0]).unwrap_err().to_string().contains("in another way than Llama 3's")
    );
    assert!(factors(&[f32::NAN; 4]).is_err());
    let linear = llama().text("llama.rope.scaling.type", "linear").float("llama.rope.scaling.factor", 4.0);
    assert_eq!(
        weights(linear).unwrap().config().unwrap()["rope_scaling"],
        serde_json::json!({ "rope_type": "linear", "factor": 4.0 })
    );
}
