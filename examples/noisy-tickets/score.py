"""What `pegbox prepare` found, against what make_dirty.py planted.

    python3 score.py "$(pegbox prepare 2>&1 | sed -n 's|.*report is \\(.*\\)/report.*|\\1|p')"

It needs pyarrow, for the texts of the dataset.
"""

import gzip
import json
import sys
from pathlib import Path

import pyarrow.parquet as pq

HERE = Path(__file__).parent / "data"


def main() -> None:
    dataset = Path(sys.argv[1])
    with gzip.open(HERE / "truth.jsonl.gz", "rt", encoding="utf-8") as file:
        truth = {row["line"]: row for row in map(json.loads, file)}
    dropped = {line: row for row in lines(dataset / "dropped.jsonl") if (line := line_of(row["origin"]))}
    quarantined = {line_of(row["origin"]) for row in lines(dataset / "quarantined.jsonl")}
    suspects = {line_of(row["origin"]) for row in lines(dataset / "suspects.jsonl")}
    kept = {}
    for path in sorted([*dataset.glob("train-*.parquet"), *dataset.glob("validation-*.parquet")]):
        for row in pq.read_table(path, columns=["origin", "text", "label"]).to_pylist():
            kept[line_of(row["origin"])] = row

    def planted(kind: str) -> set[int]:
        return {line for line, row in truth.items() if kind in row["done"]}

    def by(stage: str, reason: str = "") -> set[int]:
        return {line for line, row in dropped.items() if stage in row["stage"] and reason in row["reason"]}

    tell("malformed lines", planted("malformed"), quarantined)
    tell("no text", planted("no-text"), by("missing-values", "text"))
    tell("no label", planted("no-label"), by("missing-values", "label"))
    tell("noise", planted("noise"), by("noise-filter"))
    gone = by("duplicates")
    for kind in ("equal", "near"):
        found = [line for line in planted(kind) if line in gone or truth[line]["of"] in gone]
        print(f"{kind + ' pairs':18} {len(planted(kind)):5} planted, of {len(found)} one row left as a duplicate")
    mistaken = [line for line in planted("lookalike") if as_duplicate(line, truth[line]["of"], dropped)]
    print(f"{'lookalike pairs':18} {len(planted('lookalike')):5} planted, of {len(mistaken)} one row left for the other")
    of_pairs = {line for row in truth.values() if "of" in row for line in (row["line"], row["of"])}
    own = gone - of_pairs - planted("leaked-equal") - planted("leaked-inside")
    print(f"{'':18} {len(own):5} rows more left as duplicates, which nobody planted")
    for kind in ("leaked-equal", "leaked-inside"):
        where = {stage: len(planted(kind) & by(stage)) for stage in ("duplicates", "leakage", "split")}
        print(f"{kind:18} {len(planted(kind)):5} planted, left: {where}, stayed: {len(planted(kind) & set(kept))}")
    judged = planted("flipped") - gone - by("split")
    tell("flipped labels", judged, suspects)
    texts = [row["text"] for row in kept.values()]
    private = planted("personal")
    values = [truth[line]["personal"]["value"] for line in private]
    print(f"{'personal data':18} {len(values):5} planted, {sum(any(v in t for t in texts) for v in values)} still there")
    marks = {"email": "[EMAIL]", "phone": "[PHONE]", "card": "[CARD]", "iban": "[IBAN]", "ip": "[IP]"}
    wrong = [line for line, row in kept.items() if line not in private and any(m in row["text"] for m in marks.values())]
    print(f"{'':18} {len(wrong):5} rows have a placeholder for what was none")
    mended = []
    for line in set(kept) & {line for line, row in truth.items() if "clean" in row}:
        clean = truth[line]["clean"]
        if "personal" in truth[line]:
            clean = clean.replace(truth[line]["personal"]["value"], marks[truth[line]["personal"]["kind"]])
        mended.append(" ".join(clean.split()) == kept[line]["text"])
        if not mended[-1]:
            print("  ", clean, "|", kept[line]["text"])
    print(f"{'markup, mojibake':18} {len(mended):5} rows in the dataset, {sum(mended)} exactly as they were before")


def as_duplicate(one: int, other: int, dropped: dict[int, dict]) -> bool:
    """Whether one of two lines left because the other is there."""
    of = {line: line_of(dropped[line].get("of") or "") for line in (one, other) if line in dropped}
    return of.get(one) == other or of.get(other) == one


def tell(what: str, planted: set[int], found: set[int]) -> None:
    hits = len(planted & found)
    shares = f"precision {hits / max(1, len(found)):.3f}, recall {hits / max(1, len(planted)):.3f}"
    print(f"{what:18} {len(planted):5} planted, {len(found)} found, {hits} of them right: {shares}")


def lines(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def line_of(origin: str) -> int:
    """`tickets.jsonl.gz:16` and `tickets.jsonl.gz:16:93` are line 16; rows of other files are line 0."""
    name, _, place = origin.partition(":")
    return int(place.split(":")[0]) if name == "tickets.jsonl.gz" else 0


if __name__ == "__main__":
    main()
