"""Checks that every record has a label that is allowed, and that no label is rare."""

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

from pegbox_plugin import Batch, Finding, Severity, Validator


class Plugin(Validator):
    schema = {
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "labels": {
                "type": "array",
                "items": {"type": "string"},
                "default": [],
                "description": "The labels that are allowed; empty: any",
            },
            "min-count": {
                "type": "integer",
                "minimum": 0,
                "default": 1,
                "description": "A label with fewer records than this is rare",
            },
        },
    }

    def configure(self, config: dict[str, Any]) -> None:
        self.allowed = frozenset(config.get("labels", []))
        self.min_count = int(config.get("min-count", 1))
        self.counts: Counter[str] = Counter()

    def validate(self, batch: Batch) -> Iterator[Finding]:
        label_at = batch.index("label")
        for row in batch.rows:
            label = row.values[label_at]
            if label is not None:
                self.counts[label] += 1
            message = self.fault(label)
            if message is not None:
                yield Finding(Severity.ERROR, "unknown-label", message, row=row.id, field="label")

    def fault(self, label: str | None) -> str | None:
        if label is None:
            return "there is no label"
        if self.allowed and label not in self.allowed:
            return f'the label "{label}" is not one of the {len(self.allowed)} that are allowed'
        return None

    # The host runs several instances, each on its share of the rows; `finish` is called on the one into which the
    # states of all others were merged.

    def state(self) -> bytes:
        return json.dumps(self.counts, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()

    def merge(self, state: bytes) -> None:
        self.counts.update(json.loads(state))

    def finish(self) -> Iterator[Finding]:
        for label, count in sorted(self.counts.items()):
            if count < self.min_count:
                message = f'the label "{label}" has {count} records, fewer than {self.min_count}'
                yield Finding(Severity.WARNING, "rare-label", message)
