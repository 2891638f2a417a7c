"""Writes `reference.json`: agreement and aggregation as the usual Python libraries compute them.

    pip install krippendorff statsmodels scikit-learn crowd-kit
    python reference.py DATASETS > reference.json

DATASETS is a folder with `convabuse` (CC BY 4.0) and `asset` (CC BY-NC 4.0). Of ConvAbuse the ratings go into the
file, of ASSET nothing but the figures.
"""

import csv
import gzip
import json
import random
import sys
from itertools import combinations
from pathlib import Path

import krippendorff
import numpy as np
import pandas as pd
from crowdkit.aggregation import DawidSkene
from sklearn.metrics import cohen_kappa_score
from statsmodels.stats.inter_rater import aggregate_raters, fleiss_kappa


def alphas(rows, levels):
    """`rows`: one an item, one entry an annotator, None where missing."""
    data = np.array([[np.nan if v is None else v for v in row] for row in rows], dtype=float).T
    return {level: krippendorff.alpha(data, level_of_measurement=level) for level in levels}


def cohens(rows, annotators):
    values = sorted({v for row in rows for v in row if v is not None})
    pairs = []
    for a, b in combinations(range(len(annotators)), 2):
        # By place: scikit-learn takes no fractions, and weights by place anyway.
        common = [(values.index(row[a]), values.index(row[b])) for row in rows if row[a] is not None and row[b] is not None]
        if not common:
            continue
        first, second = zip(*common)
        entry = {"first": annotators[a], "second": annotators[b], "items": len(common)}
        for name, weights in [("unweighted", None), ("linear", "linear"), ("quadratic", "quadratic")]:
            kappa = cohen_kappa_score(first, second, labels=range(len(values)), weights=weights)
            entry[name] = None if np.isnan(kappa) else kappa
        pairs.append(entry)
    return pairs


def fleiss(rows, raters):
    """Of the items with exactly `raters` ratings."""
    lines = [[v for v in row if v is not None] for row in rows]
    lines = [line for line in lines if len(line) == raters]
    table, _ = aggregate_raters(np.array(lines))
    return {"raters": raters, "items": len(lines), "kappa": fleiss_kappa(table)}


def case(name, rows, annotators, raters, keep=True):
    result = {
        "name": name,
        "annotators": annotators,
        "alpha": alphas(rows, ["nominal", "ordinal", "interval"]),
        "cohen": cohens(rows, annotators),
        "fleiss": fleiss(rows, raters),
    }
    if keep:
        result["rows"] = rows
    return result


def generated(seed, items, annotators, values, missing):
    """Ratings around a hidden value, some missing, some items rated by one or by nobody."""
    draw = random.Random(seed)
    rows = []
    for _ in range(items):
        truth = draw.randrange(len(values))
        row = []
        for annotator in range(annotators):
            said = truth
            if draw.random() < 0.15 + 0.1 * annotator:
                said = min(len(values) - 1, max(0, truth + draw.choice([-2, -1, 1, 2])))
            row.append(None if draw.random() < missing else values[said])
        rows.append(row)
    return rows


def convabuse(folder):
    """One letter an annotator and row: `-` for none, else the severity's place among -3, -2, -1, 0, 1."""
    names = [f"A{n}" for n in range(1, 9)]
    rows = []
    for split in ["train", "validation", "test"]:
        with gzip.open(folder / "convabuse" / f"{split}.jsonl.gz", "rt") as lines:
            for line in lines:
                said = json.loads(line)["annotations"]
                rows.append([said.get(name) for name in names])
    return names, rows


def asset(folder, aspect):
    with open(folder / "asset" / "human_ratings.csv", newline="") as file:
        lines = [line for line in csv.DictReader(file) if line["aspect"] == aspect]
    items = list(dict.fromkeys((l["original"], l["simplification"]) for l in lines))
    names = sorted({line["worker_id"] for line in lines})
    said = {}
    for line in lines:
        key = (line["original"], line["simplification"]), line["worker_id"]
        said.setdefault(key, float(line["rating"]))
    return names, [[said.get((item, name)) for name in names] for item in items]


def dawid_skene(rows, annotators, iterations):
    frame = pd.DataFrame(
        [(i, a, v) for i, row in enumerate(rows) for a, v in zip(annotators, row) if v is not None],
        columns=["task", "worker", "label"],
    )
    model = DawidSkene(n_iter=iterations, tol=-np.inf).fit(frame)
    labels = sorted(frame["label"].unique())
    probabilities = model.probas_
    errors = model.errors_
    return {
        "iterations": iterations,
        "priors": [float(model.priors_[label]) for label in labels],
        "posterior": {int(i): [float(probabilities.loc[i, label]) for label in labels] for i in probabilities.index},
        # [annotator][truth][said]
        "confusion": [
            [[float(errors.loc[(a, said), truth]) if (a, said) in errors.index else 0.0 for said in labels] for truth in labels]
            for a in annotators
        ],
    }


def main():
    folder = Path(sys.argv[1])
    cases = []
    for name, seed, items, annotators, values, missing in [
        ("complete", 1, 60, 4, [1, 2, 3, 4, 5], 0.0),
        ("missing", 2, 80, 5, [1, 2, 3, 4], 0.35),
        ("uneven", 3, 70, 4, [-2.5, 0, 0.5, 4, 100], 0.2),
        ("binary", 4, 50, 3, [0, 1], 0.1),
    ]:
        rows = generated(seed, items, annotators, values, missing)
        raters = annotators if missing == 0 else 3
        cases.append(case(name, rows, [f"r{a}" for a in range(annotators)], raters))
    names, rows = convabuse(folder)
    five = case("convabuse", rows, names, 3, keep=False)
    two = case("convabuse binary", [[None if v is None else int(v < 0) for v in row] for row in rows], names, 3, keep=False)
    letters = ["".join("-" if v is None else str(v + 3) for v in row) for row in rows]
    assets = []
    for aspect in ["meaning", "fluency", "simplicity"]:
        workers, ratings = asset(folder, aspect)
        most = max(sum(v is not None for v in row) for row in ratings)
        assets.append(case(aspect, ratings, workers, most, keep=False))
        assets[-1]["cohen"] = assets[-1]["cohen"][:30]
    aggregated = generated(5, 60, 5, [0, 1, 2], 0.2)
    workers = [f"r{a}" for a in range(5)]
    result = {
        "cases": cases,
        "convabuse": {
            "source": "ConvAbuse, Cercas Curry et al. 2021, github.com/amandacurry/convabuse, CC BY 4.0: the ratings, without the texts",
            "annotators": names,
            "rows": letters,
            "five": five,
            "binary": two,
        },
        "asset": assets,
        "dawid_skene": {"annotators": workers, "rows": aggregated, **dawid_skene(aggregated, workers, 25)},
    }
    json.dump(result, sys.stdout, indent=None, separators=(",", ":"))
    print()


main()
