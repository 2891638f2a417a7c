"""Open an adapter that Pegbox wrote in PEFT and compare the numbers; then save it by PEFT and let Pegbox open that.

usage: check_adapter.py PEGBOX ADAPTER BASE ROWS [COUNT]

PEGBOX is the program, ADAPTER the folder that `peft-folder` wrote, BASE the folder of its base model, ROWS a JSON Lines
file whose rows have a field `text`. Compares the logits of COUNT (100) texts of Pegbox's adapter in PEFT, of PEFT's own
copy in Pegbox, and of the model that `pegbox merge` makes in Transformers. Exits with 1 when any differs by more than 1e-4.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import torch
from peft import PeftModel
from transformers import AutoConfig, AutoModelForSequenceClassification, AutoTokenizer


def main(pegbox: str, adapter: str, base: str, rows: str, count: int = 100) -> int:
    texts = [json.loads(line)["text"] for line, _ in zip(open(rows, encoding="utf-8"), range(count))]
    texts = [" ".join(text.split()) for text in texts]
    config = AutoConfig.from_pretrained(adapter)
    limit = json.loads((Path(adapter) / "config.json").read_text())["pegbox"]["max-length"]
    tokenizer = AutoTokenizer.from_pretrained(adapter)

    def in_pegbox(*options: str) -> torch.Tensor:
        command = [pegbox, "--quiet", "predict", *options, "--logits", "--json"]
        printed = subprocess.run(command, input="\n".join(texts), capture_output=True, text=True, check=True).stdout
        return torch.tensor([json.loads(line)["logits"] for line in printed.splitlines()])

    def in_python(model) -> torch.Tensor:
        rows = [tokenizer(text, return_tensors="pt", truncation=True, max_length=limit) for text in texts]
        with torch.no_grad():
            return torch.cat([model.eval()(**row).logits for row in rows])

    model = AutoModelForSequenceClassification.from_pretrained(base, config=config)
    model = PeftModel.from_pretrained(model, adapter)
    ours, theirs = in_pegbox("--model", adapter, "--base", base), in_python(model)
    worst = {"Pegbox's adapter in PEFT": (ours - theirs).abs().max().item()}
    with tempfile.TemporaryDirectory() as folder:
        model.save_pretrained(f"{folder}/peft")
        # What PEFT leaves to the base model.
        for name in ["config.json", "tokenizer.json"]:
            Path(f"{folder}/peft/{name}").write_bytes((Path(adapter) / name).read_bytes())
        again = in_pegbox("--model", f"{folder}/peft", "--base", base)
        worst["PEFT's adapter in Pegbox"] = (again - theirs).abs().max().item()
        merge = [pegbox, "--quiet", "merge", adapter, "--base", base, "--out", f"{folder}/merged"]
        subprocess.run(merge, check=True)
        merged = AutoModelForSequenceClassification.from_pretrained(f"{folder}/merged")
        worst["the merged model in Transformers"] = (in_python(merged) - theirs).abs().max().item()
    for what, difference in worst.items():
        print(f"{what}: {len(texts)} texts, max abs difference {difference:.2e}")
    return 0 if max(worst.values()) < 1e-4 else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:5], *map(int, sys.argv[5:])))
