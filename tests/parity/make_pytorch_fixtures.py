"""Make the fixtures of PyTorch's format, and what PyTorch reads from them.

usage: make_pytorch_fixtures.py

Writes beside this script, in weights/:
  state_dict.bin, stream.bin     one state dict as `torch.save` writes it, and as it did before PyTorch 1.6
  state_dict.safetensors         its float tensors, row-major, in float32
  checkpoint.bin                 the same inside of a training loop's checkpoint
  linear.bin, linear.safetensors the `state_dict()` of a module, with its `_metadata`
"""

from collections import OrderedDict
from pathlib import Path

import torch
from safetensors.torch import save_file

OUT = Path(__file__).resolve().parent / "weights"


def main() -> None:
    OUT.mkdir(exist_ok=True)
    torch.manual_seed(3)
    base = torch.randn(6, 10)
    state = OrderedDict()
    state["whole"] = base
    state["transposed"] = base.t()
    state["tied"] = base
    state["rows"] = base[2:4]
    state["columns"] = base[:, 3:7]
    state["every.other"] = base[::2, 1::3]
    state["scalar"] = torch.tensor(2.5)
    state["empty"] = torch.zeros(0, 3)
    state["parameter"] = torch.nn.Parameter(torch.randn(3, 2))
    state["half"] = torch.randn(5).half()
    state["half.strided"] = torch.randn(4, 4).half().t()
    state["bfloat"] = torch.randn(5).bfloat16()
    state["double"] = torch.randn(5).double()
    state["four.dimensions"] = torch.randn(2, 3, 2, 2).permute(3, 1, 0, 2)
    state["embeddings.position_ids"] = torch.arange(8).unsqueeze(0)
    state["counter"] = torch.tensor(7)
    state["mask"] = torch.ones(2, 2).bool()

    torch.save(state, OUT / "state_dict.bin")
    torch.save(state, OUT / "stream.bin", _use_new_zipfile_serialization=False)
    torch.save({"epoch": 3, "loss": 0.5, "state_dict": state, "optimizer": {"step": 1}}, OUT / "checkpoint.bin")
    floats = {name: tensor.detach().float().contiguous().clone() for name, tensor in state.items() if tensor.is_floating_point()}
    save_file(floats, OUT / "state_dict.safetensors")

    linear = torch.nn.Linear(4, 3)
    torch.save(linear.state_dict(), OUT / "linear.bin")
    save_file(linear.state_dict(), OUT / "linear.safetensors")


if __name__ == "__main__":
    main()
