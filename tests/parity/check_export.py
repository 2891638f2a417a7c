"""Open an exported folder in Hugging Face Transformers and compare its logits with Pegbox's.

usage: check_export.py PEGBOX FOLDER ROWS [COUNT]

PEGBOX is the program, FOLDER what an exporter wrote, ROWS a JSON Lines file (plain or .gz) whose rows
have a field `text`. Exits with 1 when any of COUNT (100) rows differs by more than 1e-4.
"""

import gzip
import json
import subprocess
import sys

import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer


def main(pegbox: str, folder: str, rows: str, count: int = 100) -> int:
    opener = gzip.open if rows.endswith(".gz") else open
    with opener(rows, "rt", encoding="utf-8") as lines:
        texts = [json.loads(line)["text"] for line, _ in zip(lines, range(count))]

    printed = subprocess.run(
        [pegbox, "--quiet", "predict", "--model", folder, "--logits", "--json"],
        input="\n".join(" ".join(text.split()) for text in texts),
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    ours = torch.tensor([json.loads(line)["logits"] for line in printed.splitlines()])

    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForSequenceClassification.from_pretrained(folder).eval()
    with torch.no_grad():
        theirs = torch.cat(
            [
                model(**tokenizer(" ".join(text.split()), return_tensors="pt", padding=False, truncation=True)).logits
                for text in texts
            ]
        )

    difference = (ours - theirs).abs().max().item()
    agree = (ours.argmax(-1) == theirs.argmax(-1)).float().mean().item()
    print(f"{len(texts)} rows, {theirs.shape[1]} labels: max abs difference {difference:.2e}, same label {agree:.1%}")
    return 0 if difference < 1e-4 and len(texts) == ours.shape[0] else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:4], *map(int, sys.argv[4:])))
