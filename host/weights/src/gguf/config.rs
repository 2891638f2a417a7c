//! What config.json of Hugging Face would say, from a GGUF file's metadata and the shapes of its tensors.

use serde_json::{Map, Value, json};

use super::architecture::Architecture;
use super::{Gguf, Metadata};
use crate::error::{Fault, quoted};

/// Llama 3's rotary scaling, the same in all its models (`rope_scaling` in their config.json), which llama.cpp writes
/// as a factor for each frequency, in `rope_freqs`.
const LLAMA3: (f64, f64, f64) = (1.0, 4.0, 8192.0);

pub(super) fn config(file: &Gguf, architecture: Architecture) -> Result<Value, Fault> {
    let source = Source { file, metadata: &file.metadata, prefix: architecture.key() };
    let mut config = match architecture {
        Architecture::Llama | Architecture::Qwen2 | Architecture::Qwen3 => source.llama(architecture)?,
        Architecture::Gpt2 => source.gpt2()?,
        Architecture::Bert => source.bert()?,
        Architecture::T5 => source.t5()?,
    };
    for (name, key) in [("bos", "bos"), ("eos", "eos"), ("pad", "padding")] {
        if let Some(id) = file.metadata.u64(&format!("tokenizer.ggml.{key}_token_id")) {
            config.insert(format!("{name}_token_id"), id.into());
        }
    }
    Ok(Value::Object(config))
}

struct Source<'a> {
    file: &'a Gguf,
    metadata: &'a Metadata,
    /// What the keys begin with.
    prefix: &'static str,
}

impl Source<'_> {
    fn llama(&self, architecture: Architecture) -> Result<Map<String, Value>, Fault> {
        let heads = self.number("attention.head_count")?;
        let (vocabulary, hidden) = self.embedding()?;
        let window = self.optional("attention.sliding_window");
        let (model_type, class) = match architecture {
            Architecture::Qwen2 => ("qwen2", "Qwen2ForCausalLM"),
            Architecture::Qwen3 => ("qwen3", "Qwen3ForCausalLM"),
            _ if window.is_some() => ("mistral", "MistralForCausalLM"),
            _ => ("llama", "LlamaForCausalLM"),
        };
        let head = self.optional("attention.key_length").or(match architecture {
            Architecture::Llama => self.optional("rope.dimension_count"),
            _ => None,
        });
        let mut config = object(json!({
            "model_type": model_type,
            "architectures": [class],
            "vocab_size": vocabulary,
            "hidden_size": hidden,
            "intermediate_size": self.like("feed_forward_length", "blk.0.ffn_up.weight", 0)?,
            "num_hidden_layers": self.blocks("block_count")?,
            "num_attention_heads": heads,
            "num_key_value_heads": self.optional("attention.head_count_kv").unwrap_or(heads),
            "max_position_embeddings": self.number("context_length")?,
            "rms_norm_eps": self.float("attention.layer_norm_rms_epsilon")?,
            "rope_theta": self.float("rope.freq_base").unwrap_or(10_000.0),
            "hidden_act": "silu",
            "tie_word_embeddings": self.shape("output.weight").is_none(),
            "attention_bias": architecture == Architecture::Llama && self.shape("blk.0.attn_q.bias").is_some(),
            "mlp_bias": self.shape("blk.0.ffn_up.bias").is_some(),
        }));
        if let Some(head) = head.or(hidden.checked_div(heads)) {
            config.insert("head_dim".into(), head.into());
        }
        if let Some(window) = window {
            config.insert("sliding_window".into(), window.into());
        }
        if let Some(scaling) = self.rope_scaling()? {
            config.insert("rope_scaling".into(), scaling);
        }
        Ok(config)
    }

    fn gpt2(&self) -> Result<Map<String, Value>, Fault> {
        let (vocabulary, hidden) = self.embedding()?;
        let positions = self.like("context_length", "position_embd.weight", 0)?;
        Ok(object(json!({
            "model_type": "gpt2",
            "architectures": ["GPT2LMHeadModel"],
            "vocab_size": vocabulary,
            "n_embd": hidden,
            "n_inner": self.like("feed_forward_length", "blk.0.ffn_up.weight", 0)?,
            "n_layer": self.blocks("block_count")?,
            "n_head": self.number("attention.head_count")?,
            "n_positions": positions,
            "n_ctx": positions,
            "layer_norm_epsilon": self.float("attention.layer_norm_epsilon")?,
            "activation_function": "gelu_new",
            "tie_word_embeddings": self.shape("output.weight").is_none(),
        })))
    }

    fn bert(&self) -> Result<Map<String, Value>, Fault> {
        let (vocabulary, hidden) = self.embedding()?;
        Ok(object(json!({
            "model_type": "bert",
            "architectures": ["BertModel"],
            "vocab_size": vocabulary,
            "hidden_size": hidden,
            "intermediate_size": self.like("feed_forward_length", "blk.0.ffn_up.weight", 0)?,
            "num_hidden_layers": self.blocks("block_count")?,
            "num_attention_heads": self.number("attention.head_count")?,
            "max_position_embeddings": self.like("context_length", "position_embd.weight", 0)?,
            "type_vocab_size": self.shape("token_types.weight").and_then(|shape| shape.first().copied()).unwrap_or(0),
            "layer_norm_eps": self.float("attention.layer_norm_epsilon")?,
            "hidden_act": "gelu",
        })))
    }

    fn t5(&self) -> Result<Map<String, Value>, Fault> {
        let (vocabulary, hidden) = self.embedding()?;
        let layers = self.blocks("block_count")?;
        let decoder = self
            .optional("decoder_block_count")
            .map_or(Ok(layers), |_| self.blocks("decoder_block_count"))?;
        let gated = self.gated();
        let mut config = object(json!({
            "model_type": "t5",
            "architectures": ["T5ForConditionalGeneration"],
            "vocab_size": vocabulary,
            "d_model": hidden,
            "d_ff": self.like("feed_forward_length", "enc.blk.0.ffn_up.weight", 0)?,
            "d_kv": self.number("attention.key_length")?,
            "num_layers": layers,
            "num_decoder_layers": decoder,
            "num_heads": self.number("attention.head_count")?,
            "relative_attention_num_buckets": self.number("attention.relative_buckets_count")?,
            "layer_norm_epsilon": self.float("attention.layer_norm_rms_epsilon")
                .or_else(|_| self.float("attention.layer_norm_epsilon"))?,
            "feed_forward_proj": if gated { "gated-gelu" } else { "relu" },
            "is_encoder_decoder": true,
            "tie_word_embeddings": self.shape("output.weight").is_none(),
        }));
        if let Some(start) = self.optional("decoder_start_token_id") {
            config.insert("decoder_start_token_id".into(), start.into());
        }
        Ok(config)
    }

    fn gated(&self) -> bool {
        self.shape("enc.blk.0.ffn_gate.weight").is_some()
    }

    /// How rotary frequencies are scaled beyond the length that a model was trained with.
    fn rope_scaling(&self) -> Result<Option<Value>, Fault> {
        if self.shape("rope_freqs.weight").is_some() {
            return self.llama3_scaling().map(Some);
        }
        let kind = self.metadata.str(&self.key("rope.scaling.type")).unwrap_or("none");
        if !matches!(kind, "linear" | "yarn") {
            return Ok(None);
        }
        let mut scaling = object(json!({ "rope_type": kind, "factor": self.float("rope.scaling.factor")? }));
        if let Some(length) = self.optional("rope.scaling.original_context_length") {
            scaling.insert("original_max_position_embeddings".into(), length.into());
        }
        Ok(Some(Value::Object(scaling)))
    }

    /// The parameters from which Llama 3's factors come: long wavelengths are stretched, short ones are not, and
    /// between them it goes smoothly (`_compute_llama3_parameters` in Transformers).
    fn llama3_scaling(&self) -> Result<Value, Fault> {
        let factors: Vec<f64> = self.file.values("rope_freqs.weight").into_iter().map(f64::from).collect();
        let factor = factors.iter().copied().fold(1.0, f64::max);
        let (low, high, original) = LLAMA3;
        let base = self.float("rope.freq_base").unwrap_or(10_000.0);
        let expected = |i: usize| {
            let wavelength = 2.0 * std::f64::consts::PI * base.powf(i as f64 / factors.len() as f64);
            let smooth = ((original / wavelength - low) / (high - low)).clamp(0.0, 1.0);
            1.0 / ((1.0 - smooth) / factor + smooth)
        };
        let near = |(i, value): (usize, &f64)| (value - expected(i)).abs() <= 1e-3 * value.abs();
        if !factors.iter().enumerate().all(near) {
            return Err(Fault::unsupported(
                "its rotary frequencies are scaled in another way than Llama 3's",
            ));
        }
        Ok(json!({
            "rope_type": "llama3",
            "factor": factor,
            "low_freq_factor": low,
            "high_freq_factor": high,
            "original_max_position_embeddings": original as u64,
        }))
    }

    fn key(&self, key: &str) -> String {
        format!("{}.{key}", self.prefix)
    }

    fn optional(&self, key: &str) -> Option<usize> {
        self.metadata.u64(&self.key(key)).and_then(|value| usize::try_from(value).ok())
    }

    fn number(&self, key: &str) -> Result<usize, Fault> {
        self.optional(key).ok_or_else(|| missing(&self.key(key)))
    }

    /// As it was written: the shortest decimal number of that single precision.
    fn float(&self, key: &str) -> Result<f64, Fault> {
        let value = self.metadata.f64(&self.key(key)).filter(|value| value.is_finite());
        let value = value.ok_or_else(|| missing(&self.key(key)))?;
        Ok((value as f32).to_string().parse().unwrap_or(value))
    }

    /// A number of blocks, of which there cannot be more than tensors.
    fn blocks(&self, key: &str) -> Result<usize, Fault> {
        let blocks = self.number(key)?;
        match blocks <= self.file.places.len() {
            true => Ok(blocks),
            false => {
                Err(Fault::damaged(format!("its metadata claims {blocks} blocks, more than it has tensors")))
            }
        }
    }

    /// A number that is also a size of `tensor`, where there is such a tensor.
    fn like(&self, key: &str, tensor: &str, dimension: usize) -> Result<usize, Fault> {
        let number = self.number(key)?;
        match self.shape(tensor).and_then(|shape| shape.get(dimension)) {
            Some(size) if *size != number => Err(Fault::damaged(format!(
                "its metadata says {} is {number}, but the tensor {tensor} has {size}",
                quoted(&self.key(key))
            ))),
            _ => Ok(number),
        }
    }

    /// Vocabulary and width.
    fn embedding(&self) -> Result<(usize, usize), Fault> {
        let hidden = self.like("embedding_length", "token_embd.weight", 1)?;
        match self.shape("token_embd.weight") {
            Some([vocabulary, _]) => Ok((*vocabulary, hidden)),
            _ => Err(Fault::damaged("it has no matrix token_embd.weight")),
        }
    }

    fn shape(&self, tensor: &str) -> Option<&[usize]> {
        self.file.places.iter().find(|place| place.name == tensor).map(|place| &place.shape[..])
    }
}

fn missing(key: &str) -> Fault {
    Fault::damaged(format!("its metadata has no number {}", quoted(key)))
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}
