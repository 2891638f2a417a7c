#!/usr/bin/env python3
"""Writes reference.json: how far the label shares of scikit-multilearn's iterative stratification lie from what was
asked for, on generated sets of labels. `iterative.rs` holds ours against it.

    pip install numpy scipy scikit-learn scikit-multilearn==0.2.0
    python reference.py > reference.json
"""

import json

import numpy as np
from skmultilearn.model_selection import IterativeStratification

MASK = (1 << 64) - 1
SEEDS = 10
SHARES = [[0.7, 0.2, 0.1], [0.5, 0.25, 0.25]]
# Name, rows, labels.
SETS = [("falling", 1000, 12), ("rare", 2000, 40), ("dense", 500, 8), ("topics", 1500, 30), ("sparse", 300, 60)]


class SplitMix64:
    """As in host/random, so that both sides make the same sets."""

    def __init__(self, seed):
        self.state = seed

    def next(self):
        self.state = (self.state + 0x9E3779B97F4A7C15) & MASK
        z = self.state
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
        return z ^ (z >> 31)

    def below(self, bound):
        return (self.next() * bound) >> 64


def one_in(name, label, topic):
    """A row has the label once in so many times."""
    return {
        "falling": 3 + 4 * label,
        "rare": 5 + 10 * label,
        "dense": 2,
        "topics": 3 if label % 6 == topic else 60,
        "sparse": 50,
    }[name]


def generate(name, rows, labels):
    random = SplitMix64(rows)
    sets = np.zeros((rows, labels), dtype=int)
    for row in range(rows):
        topic = random.below(6)
        for label in range(labels):
            sets[row, label] = random.below(one_in(name, label, topic)) == 0
    return sets


def share_deviation(sets, folds, shares):
    """Mean over labels and parts of |the part's share of the label's rows - the part's share|."""
    totals = sets.sum(axis=0)
    present = totals > 0
    found = np.array([sets[fold].sum(axis=0)[present] / totals[present] for fold in folds])
    return float(np.abs(found - np.array(shares)[:, None]).mean())


def label_distribution(sets, folds):
    """The paper's LD: mean over labels and parts of the difference of the odds in the part and in the whole."""
    present = sets.sum(axis=0) > 0
    odds = lambda part: part.sum(axis=0)[present] / (len(part) - part.sum(axis=0)[present])
    return float(np.mean([np.abs(odds(sets[fold]) - odds(sets)).mean() for fold in folds]))


def main():
    figures = []
    for name, rows, labels in SETS:
        sets = generate(name, rows, labels)
        for shares in SHARES:
            deviations, distributions = [], []
            for seed in range(SEEDS):
                np.random.seed(seed)
                stratifier = IterativeStratification(n_splits=len(shares), order=1, sample_distribution_per_fold=shares)
                folds = list(stratifier._iter_test_indices(sets, sets))
                deviations.append(share_deviation(sets, folds, shares))
                distributions.append(label_distribution(sets, folds))
            figures.append(
                {
                    "set": name,
                    "rows": rows,
                    "labels": labels,
                    "shares": shares,
                    "occurrences": int(sets.sum()),
                    "share_deviation": float(np.mean(deviations)),
                    "label_distribution": float(np.mean(distributions)),
                }
            )
    print(json.dumps({"seeds": SEEDS, "figures": figures}, indent=2))


main()
