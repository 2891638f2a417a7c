"""Open an exported folder in Hugging Face Transformers and compare its numbers with Pegbox's.

usage: check_export.py PEGBOX FOLDER ROWS [COUNT]

PEGBOX is the program, FOLDER what an exporter wrote, ROWS a JSON Lines file (plain or .gz) whose rows have a field
`text`, or `tokens` (a list of words) for a tagger. The class that config.json names decides what is compared: the logits
of texts, those of each word's first piece, or the vectors of texts. Exits with 1 when any of COUNT (100) rows differs by
more than 1e-4.
"""

import gzip
import json
import subprocess
import sys

import torch
from transformers import (
    AutoConfig,
    AutoModel,
    AutoModelForSequenceClassification,
    AutoModelForTokenClassification,
    AutoTokenizer,
)


def main(pegbox: str, folder: str, rows: str, count: int = 100) -> int:
    opener = gzip.open if rows.endswith(".gz") else open
    with opener(rows, "rt", encoding="utf-8") as lines:
        records = [json.loads(line) for line, _ in zip(lines, range(count))]
    config = AutoConfig.from_pretrained(folder)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    limit = json.load(open(f"{folder}/config.json")).get("pegbox", {}).get("max-length", 128)
    kind = config.architectures[0]

    texts = [" ".join(record["tokens"]) if "tokens" in record else record["text"] for record in records]
    texts = [" ".join(text.split()) for text in texts]
    printed = subprocess.run(
        [pegbox, "--quiet", "predict", "--model", folder, "--logits", "--json"],
        input="\n".join(texts),
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    ours = [json.loads(line) for line in printed.splitlines()]

    compare = of_words if kind.endswith("ForTokenClassification") else of_texts
    with torch.no_grad():
        pairs = compare(kind, folder, tokenizer, texts, ours, limit)
    difference = max((a - b).abs().max().item() for a, b in pairs)
    numbers = sum(a.numel() for a, _ in pairs)
    print(f"{kind}: {len(texts)} rows, {numbers} numbers, max abs difference {difference:.2e}")
    return 0 if difference < 1e-4 and len(ours) == len(texts) and pairs else 1


def of_texts(kind: str, folder: str, tokenizer, texts: list, ours: list, limit: int) -> list:
    classifies = kind.endswith("ForSequenceClassification")
    model = (AutoModelForSequenceClassification if classifies else AutoModel).from_pretrained(folder).eval()
    pairs = []
    for text, found in zip(texts, ours):
        output = model(**tokenizer(text, return_tensors="pt", truncation=True, max_length=limit))
        if classifies:
            theirs = output.logits[0]
            mine = found["logits"] if "logits" in found else found["value"]
        else:
            theirs = torch.nn.functional.normalize(output.last_hidden_state.mean(1), dim=-1)[0]
            mine = found["vector"]
        pairs.append((torch.tensor(mine).reshape(-1), theirs))
    return pairs


def of_words(_: str, folder: str, tokenizer, texts: list, ours: list, limit: int) -> list:
    model = AutoModelForTokenClassification.from_pretrained(folder).eval()
    pairs = []
    for text, found in zip(texts, ours):
        encoded = tokenizer(
            text.split(), is_split_into_words=True, return_tensors="pt", truncation=True, max_length=limit
        )
        logits = model(**encoded).logits[0]
        first = {}
        for token, word in enumerate(encoded.word_ids()):
            if word is not None:
                first.setdefault(word, token)
        for word, mine in enumerate(found["logits"]):
            if (mine is None) != (word not in first):
                return []
            if mine is not None:
                pairs.append((torch.tensor(mine), logits[first[word]]))
    return pairs


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:4], *map(int, sys.argv[4:])))
