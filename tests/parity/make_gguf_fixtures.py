"""Make the GGUF fixtures, and what the reference readers read from them.

usage: make_gguf_fixtures.py

Writes beside this script, in weights/:
  blocks.gguf, blocks.safetensors     a tensor of every quantised type, random blocks; what the Python package
                                      `gguf` (gguf.quants) turns them into
  MODEL.gguf, MODEL.safetensors       small random models with llama.cpp's names and order of rows; what
                                      Transformers reads from the file, under its own names
  MODEL.json                          the configuration that was written
"""

import json
from pathlib import Path

import gguf
import numpy as np
import torch
from gguf import GGMLQuantizationType as Type
from safetensors.numpy import save_file
from transformers import AutoModelForCausalLM, AutoModelForSeq2SeqLM, GPT2Config, LlamaConfig, Qwen3Config, T5Config

OUT = Path(__file__).resolve().parent / "weights"
TYPES = ["Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0", "Q2_K", "Q3_K", "Q4_K", "Q5_K", "Q6_K", "BF16", "F16"]
# Bytes of each block at which half precision numbers lie.
HALVES = {
    "Q4_0": [0], "Q4_1": [0, 2], "Q5_0": [0], "Q5_1": [0, 2], "Q8_0": [0], "Q2_K": [80, 82], "Q3_K": [108],
    "Q4_K": [0, 2], "Q5_K": [0, 2], "Q6_K": [208], "BF16": [], "F16": [0],
}


def blocks() -> None:
    random = np.random.default_rng(7)
    writer = gguf.GGUFWriter(OUT / "blocks.gguf", "llama")
    expected = {}
    for name in TYPES:
        kind = Type[name]
        elements, size = gguf.GGML_QUANT_SIZES[kind]
        count = 3 * 512 // elements
        raw = random.integers(0, 256, (count, size), dtype=np.uint8)
        for at in HALVES[name]:
            raw[:, at : at + 2] = random.normal(0, 0.1, (count, 1)).astype(np.float16).view(np.uint8)
        if name == "BF16":
            raw = (random.normal(0, 0.1, count).astype(np.float32).view(np.uint32) >> 16).astype(np.uint16).view(np.uint8)
        raw = raw.reshape(3, -1)
        writer.add_tensor(name, raw, raw_dtype=kind)
        expected[name] = gguf.quants.dequantize(raw, kind).reshape(3, 512)
    finish(writer)
    save_file(expected, OUT / "blocks.safetensors")


def finish(writer: gguf.GGUFWriter) -> None:
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def permute(weights: np.ndarray, heads: int) -> np.ndarray:
    """llama.cpp's order of rows (convert_hf_to_gguf.py)."""
    return weights.reshape(heads, 2, weights.shape[0] // heads // 2, *weights.shape[1:]).swapaxes(1, 2).reshape(weights.shape)


def model(name: str, architecture: str, config, auto, quantised: dict[str, Type]) -> None:
    torch.manual_seed(11)
    reference = auto.from_config(config).eval()
    with torch.no_grad():
        for parameter in reference.parameters():
            parameter.normal_(0.0, 0.2)
    layers = config.num_hidden_layers
    names = gguf.get_tensor_name_map({v: k for k, v in gguf.MODEL_ARCH_NAMES.items()}[architecture], layers)
    path = OUT / f"{name}.gguf"
    writer = gguf.GGUFWriter(path, architecture)
    metadata(writer, architecture, config)
    tied = {"lm_head.weight"} if config.tie_word_embeddings else set()
    tied |= {"encoder.embed_tokens.weight", "decoder.embed_tokens.weight"}
    for theirs, tensor in reference.state_dict().items():
        if theirs in tied:
            continue
        module, suffix = theirs.rsplit(".", 1)
        ours = f"{names.get_name(module)}.{suffix}"
        values = tensor.numpy()
        if architecture == "llama" and ".attn_q." in ours:
            values = permute(values, config.num_attention_heads)
        if architecture == "llama" and ".attn_k." in ours:
            values = permute(values, config.num_key_value_heads)
        if architecture == "gpt2" and any(part in ours for part in ("qkv.weight", "output.weight", "up.weight", "down.weight")):
            if ours != "output.weight":
                values = values.T
        kind = next((kind for part, kind in quantised.items() if part in ours), Type.F32)
        values = np.ascontiguousarray(values)
        writer.add_tensor(ours, gguf.quants.quantize(values, kind), raw_dtype=kind)
    finish(writer)
    # Of Qwen3 it would not take the size of the heads from the file.
    read = auto.from_pretrained(OUT, gguf_file=path.name, config=config, dtype=torch.float32)
    state = {key: value.numpy().copy() for key, value in read.state_dict().items() if key not in tied}
    save_file(state, OUT / f"{name}.safetensors")
    kept = {key: value for key, value in config.to_dict().items() if isinstance(value, (int, float, str, bool))}
    (OUT / f"{name}.json").write_text(json.dumps(kept, indent=1, sort_keys=True) + "\n")


def metadata(writer: gguf.GGUFWriter, architecture: str, config) -> None:
    writer.add_block_count(config.num_hidden_layers)
    writer.add_embedding_length(config.hidden_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_token_list([f"t{i}" for i in range(config.vocab_size)])
    writer.add_tokenizer_model("gpt2")
    writer.add_eos_token_id(config.eos_token_id)
    if architecture == "t5":
        writer.add_context_length(64)
        writer.add_feed_forward_length(config.d_ff)
        writer.add_key_length(config.d_kv)
        writer.add_layer_norm_eps(config.layer_norm_epsilon)
        writer.add_layer_norm_rms_eps(config.layer_norm_epsilon)
        writer.add_relative_attn_buckets_count(config.relative_attention_num_buckets)
        writer.add_decoder_start_token_id(0)
        writer.add_vocab_size(config.vocab_size)
        return
    writer.add_bos_token_id(config.bos_token_id)
    writer.add_context_length(config.max_position_embeddings)
    if architecture == "gpt2":
        writer.add_feed_forward_length(4 * config.n_embd)
        writer.add_layer_norm_eps(config.layer_norm_epsilon)
        return
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    writer.add_rope_freq_base(config.rope_parameters["rope_theta"])
    writer.add_vocab_size(config.vocab_size)
    if architecture == "qwen3":
        writer.add_key_length(config.head_dim)
        writer.add_value_length(config.head_dim)
    else:
        writer.add_rope_dimension_count(config.head_dim)


def main() -> None:
    OUT.mkdir(exist_ok=True)
    blocks()
    common = dict(
        vocab_size=40, hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=4,
        num_key_value_heads=2, max_position_embeddings=48, bos_token_id=1, eos_token_id=2,
    )
    rope = {"rope_type": "default", "rope_theta": 50000.0}
    model(
        "llama", "llama", LlamaConfig(**common, rms_norm_eps=1e-5, rope_parameters=rope, tie_word_embeddings=True),
        AutoModelForCausalLM, {"attn_q.": Type.Q8_0, "attn_k.": Type.Q4_0, "ffn_up": Type.Q5_1, "attn_v": Type.F16},
    )
    model(
        "qwen3", "qwen3",
        Qwen3Config(**common | {"num_hidden_layers": 1}, head_dim=16, rms_norm_eps=1e-6, rope_parameters=rope, tie_word_embeddings=False),
        AutoModelForCausalLM, {"ffn_down": Type.Q8_0},
    )
    model(
        "gpt2", "gpt2",
        GPT2Config(vocab_size=40, n_embd=32, n_layer=1, n_head=4, n_positions=48, bos_token_id=1, eos_token_id=2),
        AutoModelForCausalLM, {"ffn_up.weight": Type.Q8_0},
    )
    model(
        "t5", "t5",
        T5Config(
            vocab_size=40, d_model=32, d_kv=8, d_ff=64, num_layers=1, num_heads=4, feed_forward_proj="gated-gelu",
            relative_attention_num_buckets=8, tie_word_embeddings=False, decoder_start_token_id=0,
        ),
        AutoModelForSeq2SeqLM, {"attn_q.": Type.Q8_0},
    )


if __name__ == "__main__":
    main()
