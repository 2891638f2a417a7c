"""Compare what Pegbox reads from a GGUF file with what the Python package `gguf` does.

usage: check_weights.py MODEL.gguf FOLDER

FOLDER is what `cargo run --release -p pegbox-weights --example to_safetensors MODEL.gguf FOLDER` wrote. Every tensor
must be equal, bit for bit, under Transformers' name and in its order of rows.
"""

import sys
from pathlib import Path

import gguf
import numpy as np
from safetensors import safe_open
from transformers.modeling_gguf_pytorch_utils import LlamaTensorProcessor

NAMES = {
    "token_embd": "model.embed_tokens", "output_norm": "model.norm", "output": "lm_head",
    "attn_norm": "input_layernorm", "attn_q": "self_attn.q_proj", "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj", "attn_output": "self_attn.o_proj", "ffn_norm": "post_attention_layernorm",
    "ffn_gate": "mlp.gate_proj", "ffn_up": "mlp.up_proj", "ffn_down": "mlp.down_proj",
}


def name(theirs: str) -> str:
    match theirs.split("."):
        case ["blk", layer, module, suffix]:
            return f"model.layers.{layer}.{NAMES[module]}.{suffix}"
        case [module, suffix]:
            return f"{NAMES[module]}.{suffix}"
    raise ValueError(theirs)


def main(model: str, folder: str) -> None:
    reader = gguf.GGUFReader(model)
    number = lambda key: int(reader.fields[f"llama.attention.{key}"].contents())
    processor = LlamaTensorProcessor({"num_attention_heads": number("head_count"), "num_key_value_heads": number("head_count_kv")})
    ours = {}
    for file in sorted(Path(folder).glob("*.safetensors")):
        with safe_open(file, "np") as opened:
            ours |= {key: opened.get_tensor(key) for key in opened.keys()}
    kinds: dict[str, int] = {}
    for tensor in reader.tensors:
        theirs = gguf.quants.dequantize(tensor.data, tensor.tensor_type).reshape(tensor.shape[::-1])
        theirs = processor.process(theirs, tensor.name).weights
        mine = ours.pop(name(tensor.name))
        assert mine.shape == theirs.shape, (tensor.name, mine.shape, theirs.shape)
        assert np.array_equal(mine.view(np.uint32), np.ascontiguousarray(theirs).view(np.uint32)), tensor.name
        kinds[tensor.tensor_type.name] = kinds.get(tensor.tensor_type.name, 0) + 1
    assert not ours, sorted(ours)
    print("equal, bit for bit:", ", ".join(f"{count} tensors of {kind}" for kind, count in sorted(kinds.items())))


if __name__ == "__main__":
    main(*sys.argv[1:])
