//! llama.cpp's architectures, and what their tensors are called in Hugging Face's files. llama.cpp's names:
//! `gguf-py/gguf/tensor_mapping.py`; what its `convert_hf_to_gguf.py` changes is undone.

use super::Metadata;
use crate::error::{Fault, quoted};
use crate::tensor::Order;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Architecture {
    /// Llama, and Mistral and SmolLM2, which llama.cpp does not tell apart.
    Llama,
    Qwen2,
    Qwen3,
    Gpt2,
    Bert,
    T5,
}

impl Architecture {
    pub fn of(metadata: &Metadata) -> Result<Self, Fault> {
        let name = metadata
            .str("general.architecture")
            .ok_or_else(|| Fault::damaged("its metadata does not say which architecture it is"))?;
        match name {
            "llama" => Ok(Self::Llama),
            "qwen2" => Ok(Self::Qwen2),
            "qwen3" => Ok(Self::Qwen3),
            "gpt2" => Ok(Self::Gpt2),
            "bert" => Ok(Self::Bert),
            "t5" => Ok(Self::T5),
            other => Err(Fault::unsupported(format!(
                "the architecture {} is not read from GGUF; bert, gpt2, llama, qwen2, qwen3 and t5 are",
                quoted(other)
            ))),
        }
    }

    /// What the metadata's keys begin with.
    pub fn key(self) -> &'static str {
        match self {
            Self::Llama => "llama",
            Self::Qwen2 => "qwen2",
            Self::Qwen3 => "qwen3",
            Self::Gpt2 => "gpt2",
            Self::Bert => "bert",
            Self::T5 => "t5",
        }
    }

    /// Hugging Face's name; none for a tensor that its files do not have.
    pub fn name(self, name: &str) -> Option<String> {
        let (module, suffix) = name.rsplit_once('.')?;
        let renamed = match self {
            Self::Llama | Self::Qwen2 | Self::Qwen3 => llama(module),
            Self::Gpt2 => gpt2(module),
            Self::Bert => bert(module),
            Self::T5 => t5(module),
        }?;
        Some(format!("{renamed}.{suffix}"))
    }

    /// How the elements of a tensor with llama.cpp's `name` and `dimensions` stand, seen from Hugging Face's order.
    pub fn order(self, name: &str, dimensions: usize, metadata: &Metadata) -> Result<Order, Fault> {
        let module = name.strip_prefix("blk.").and_then(|rest| rest.split('.').nth(1)).unwrap_or_default();
        Ok(match (self, module) {
            (Self::Llama, "attn_q") => {
                Order::RotaryPairs { heads: self.heads(metadata, "attention.head_count")? }
            }
            (Self::Llama, "attn_k") => {
                let key = "attention.head_count_kv";
                let key = if self.has(metadata, key) { key } else { "attention.head_count" };
                Order::RotaryPairs { heads: self.heads(metadata, key)? }
            }
            // GPT-2's Conv1D has inputs by outputs.
            (Self::Gpt2, "attn_qkv" | "attn_output" | "ffn_up" | "ffn_down") if dimensions == 2 => {
                Order::Transposed
            }
            _ => Order::RowMajor,
        })
    }

    fn has(self, metadata: &Metadata, key: &str) -> bool {
        metadata.get(&format!("{}.{key}", self.key())).is_some()
    }

    fn heads(self, metadata: &Metadata, key: &str) -> Result<usize, Fault> {
        let key = format!("{}.{key}", self.key());
        let heads = metadata.u64(&key).and_then(|heads| usize::try_from(heads).ok());
        heads.ok_or_else(|| Fault::damaged(format!("its metadata needs a number as {}", quoted(&key))))
    }
}

/// The number of a block, and the module in it.
fn block(module: &str) -> Option<(&str, &str)> {
    let (number, rest) = module.strip_prefix("blk.")?.split_once('.')?;
    number.bytes().all(|byte| byte.is_ascii_digit()).then_some((number, rest))
}

fn llama(module: &str) -> Option<String> {
    if let Some((layer, module)) = block(module) {
        let module = match module {
            "attn_norm" => "input_layernorm",
            "attn_q" => "self_attn.q_proj",
            "attn_k" => "self_attn.k_proj",
            "attn_v" => "self_attn.v_proj",
            "attn_output" => "self_attn.o_proj",
            "attn_q_norm" => "self_attn.q_norm",
            "attn_k_norm" => "self_attn.k_norm",
            "ffn_norm" => "post_attention_layernorm",
            "ffn_gate" => "mlp.gate_proj",
            "ffn_up" => "mlp.up_proj",
            "ffn_down" => "mlp.down_proj",
            _ => return None,
        };
        return Some(format!("model.layers.{layer}.{module}"));
    }
    Some(match module {
        "token_embd" => "model.embed_tokens".to_owned(),
        "output_norm" => "model.norm".to_owned(),
        "output" => "lm_head".to_owned(),
        _ => return None,
    })
}

fn gpt2(module: &str) -> Option<String> {
    if let Some((layer, module)) = block(module) {
        let module = match module {
            "attn_norm" => "ln_1",
            "attn_qkv" => "attn.c_attn",
            "attn_output" => "attn.c_proj",
            "ffn_norm" => "ln_2",
            "ffn_up" => "mlp.c_fc",
            "ffn_down" => "mlp.c_proj",
            _ => return None,
        };
        return Some(format!("transformer.h.{layer}.{module}"));
    }
    Some(match module {
        "token_embd" => "transformer.wte".to_owned(),
        "position_embd" => "transformer.wpe".to_owned(),
        "output_norm" => "transformer.ln_f".to_owned(),
        "output" => "lm_head".to_owned(),
        _ => return None,
    })
}

fn bert(module: &str) -> Option<String> {
    if let Some((layer, module)) = block(module) {
        let module = match module {
            "attn_q" => "attention.self.query",
            "attn_k" => "attention.self.key",
            "attn_v" => "attention.self.value",
            "attn_output" => "attention.output.dense",
            "attn_output_norm" => "attention.output.LayerNorm",
            "ffn_up" => "intermediate.dense",
            "ffn_down" => "output.dense",
            "layer_output_norm" => "output.LayerNorm",
            _ => return None,
        };
        return Some(format!("bert.encoder.layer.{layer}.{module}"));
    }
    let module = match module {
        "token_embd" => "word_embeddings",
        "position_embd" => "position_embeddings",
        "token_types" => "token_type_embeddings",
        "token_embd_norm" => "LayerNorm",
        _ => return None,
    };
    Some(format!("bert.embeddings.{module}"))
}

fn t5(module: &str) -> Option<String> {
    let (side, stack, rest) = match (module.strip_prefix("enc."), module.strip_prefix("dec.")) {
        (Some(rest), _) => ("encoder", 1, rest),
        (_, Some(rest)) => ("decoder", 2, rest),
        _ => {
            return Some(match module {
                "token_embd" => "shared".to_owned(),
                "output" => "lm_head".to_owned(),
                _ => return None,
            });
        }
    };
    let Some((layer, module)) = block(rest) else {
        return (rest == "output_norm").then(|| format!("{side}.final_layer_norm"));
    };
    let (sublayer, module) = match module {
        "attn_norm" => (0, "layer_norm"),
        "attn_q" => (0, "SelfAttention.q"),
        "attn_k" => (0, "SelfAttention.k"),
        "attn_v" => (0, "SelfAttention.v"),
        "attn_o" => (0, "SelfAttention.o"),
        "attn_rel_b" => (0, "SelfAttention.relative_attention_bias"),
        "cross_attn_norm" => (1, "layer_norm"),
        "cross_attn_q" => (1, "EncDecAttention.q"),
        "cross_attn_k" => (1, "EncDecAttention.k"),
        "cross_attn_v" => (1, "EncDecAttention.v"),
        "cross_attn_o" => (1, "EncDecAttention.o"),
        "ffn_norm" => (stack, "layer_norm"),
        "ffn_gate" => (stack, "DenseReluDense.wi_0"),
        // T5 1.0, without a gate, calls it `wi`; the caller knows.
        "ffn_up" => (stack, "DenseReluDense.wi_1"),
        "ffn_down" => (stack, "DenseReluDense.wo"),
        _ => return None,
    };
    Some(format!("{side}.block.{layer}.layer.{sublayer}.{module}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_hugging_faces() {
        for (architecture, ours, theirs) in [
            (Architecture::Llama, "blk.11.ffn_gate.weight", "model.layers.11.mlp.gate_proj.weight"),
            (Architecture::Qwen3, "blk.0.attn_q_norm.weight", "model.layers.0.self_attn.q_norm.weight"),
            (Architecture::Gpt2, "blk.3.attn_qkv.bias", "transformer.h.3.attn.c_attn.bias"),
            (
                Architecture::Bert,
                "blk.2.layer_output_norm.weight",
                "bert.encoder.layer.2.output.LayerNorm.weight",
            ),
            (
                Architecture::T5,
                "enc.blk.0.attn_rel_b.weight",
                "encoder.block.0.layer.0.SelfAttention.relative_attention_bias.weight",
            ),
            (
                Architecture::T5,
                "dec.blk.4.ffn_down.weight",
                "decoder.block.4.layer.2.DenseReluDense.wo.weight",
            ),
            (Architecture::T5, "dec.output_norm.weight", "decoder.final_layer_norm.weight"),
        ] {
            assert_eq!(architecture.name(ours).as_deref(), Some(theirs));
        }
        for name in ["rope_freqs.weight", "blk.x.attn_q.weight", "blk.0.attn_q", "blk.0.weight", "weight", ""]
        {
            assert_eq!(Architecture::Llama.name(name), None, "{name}");
        }
    }
}
