"""Makes bench/data/passages.txt.gz, the sentences that the dirty corpus puts beside the customers' questions.

    python3 bench/python/make_passages.py wiki_split/train.jsonl.gz bench/data/passages.txt.gz

The input is the split `tune` of WikiSplit as JSON Lines with a field `target`; bench/data/SOURCE.md says where it is from.
"""

import gzip
import json
import re
import sys
import unicodedata

SHORTEST, LONGEST = 40, 85
# What would be taken for markup, a placeholder or personal data is no passage.
UNFIT = re.compile(r"[^\w\s.,;:!?'\"()£$€%/’-]|\d{5}|\d[\d ./-]{6,}\d|_")


def detokenized(sentence: str) -> str:
    """WikiSplit sets a space around every sign of punctuation, and writes a quotation mark as two apostrophes."""
    sentence = re.sub(r"'' ?(.*?) ?''", r'"\1"', sentence)
    sentence = re.sub(r" (n't|'s|'m|'re|'ve|'ll|'d)\b", r"\1", sentence)
    sentence = re.sub(r"\( ", "(", re.sub(r" \)", ")", sentence))
    sentence = re.sub(r" - ", "-", sentence)
    return re.sub(r" ([.,;:!?%'])", r"\1", sentence)


def main(source: str, target: str) -> None:
    passages = {}
    with gzip.open(source, "rt", encoding="utf-8") as lines:
        for line in lines:
            for sentence in json.loads(line)["target"].split("<::::>"):
                passage = detokenized(" ".join(sentence.split()))
                fits = SHORTEST <= len(passage) <= LONGEST and passage[0].isupper() and passage.count('"') % 2 == 0
                if fits and "''" not in passage and not UNFIT.search(passage):
                    if unicodedata.is_normalized("NFKC", passage):
                        passages[passage] = None
    with open(target, "wb") as raw, gzip.GzipFile("", "wb", 9, raw, mtime=0) as out:
        out.write("".join(f"{passage}\n" for passage in passages).encode())
    print(len(passages), "passages")


if __name__ == "__main__":
    main(*sys.argv[1:])
