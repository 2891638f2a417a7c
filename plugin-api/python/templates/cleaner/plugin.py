"""Trims text, and makes one space of every run of white space in it."""

from typing import Any

from pegbox_plugin import KEEP, Batch, Cleaner, Drop, Outcome, Replace


class Plugin(Cleaner):
    schema = {
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "min-length": {
                "type": "integer",
                "minimum": 0,
                "default": 1,
                "description": "A record whose first field has fewer characters than this is dropped",
            }
        },
    }

    def configure(self, config: dict[str, Any]) -> None:
        self.min_length = config.get("min-length", 1)

    def clean(self, batch: Batch) -> list[Outcome]:
        return [self.outcome(row.values) for row in batch.rows]

    def outcome(self, values: list[str | None]) -> Outcome:
        cleaned = [None if value is None else tidy(value) for value in values]
        first = cleaned[0]
        if first is None or len(first) < self.min_length:
            return Drop("too-short")
        return KEEP if cleaned == values else Replace(cleaned)


def tidy(text: str) -> str:
    # Of bytes, `split` takes ASCII white space only; of text it would also take what keeps words together, such
    # as no-break spaces. It is the fastest way, too.
    return b" ".join(text.encode().split()).decode()
