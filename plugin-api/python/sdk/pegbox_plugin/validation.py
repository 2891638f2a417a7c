"""Validators: find faults in records, change nothing."""

from abc import ABC, abstractmethod
from collections.abc import Iterable

from wit_world.exports import validation as _wit
from wit_world.exports.validation import Fix, Severity

from ._plugin import Plugin
from .records import Batch

__all__ = ["Finding", "Fix", "Severity", "Validator"]


class Finding(_wit.Finding):
    """One fault found.

    :param level: ``Severity.INFO`` (worth knowing; never stops a run), ``WARNING`` (probably wrong) or
        ``ERROR`` (wrong; stops a run whose recipe says so).
    :param code: short, in kebab-case, such as ``unknown-label``; findings are counted by it.
    :param message: one sentence, no full stop.
    :param row: the id of the record that it is about; ``None`` for the dataset as a whole.
    :param field: the field that it is about, if one.
    :param fix: ``Fix(field, value)``: a new value that would mend it. The host applies it only where the recipe
        says so.
    """

    def __init__(
        self,
        level: Severity,
        code: str,
        message: str,
        *,
        row: int | None = None,
        field: str | None = None,
        fix: Fix | None = None,
    ) -> None:
        super().__init__(level, row, field, code, message, fix)


class Validator(Plugin, ABC):
    """Finds faults in records and annotations.

    The host runs several instances side by side, each on its share of the rows, then merges their states into
    one and calls ``finish`` on that one. An exception in any method ends the preparation.
    """

    @abstractmethod
    def validate(self, batch: Batch) -> Iterable[Finding]:
        """Findings that need no more than the row itself. Rows come in the order of their ids."""

    def state(self) -> bytes:
        """What was gathered from the rows for ``finish``, in an encoding of your own. By default nothing."""
        return b""

    def merge(self, state: bytes) -> None:
        """Takes in another instance's ``state``; states come in the order of their rows."""

    def finish(self) -> Iterable[Finding]:
        """Findings that need the whole set: conflicts, balance, agreement. Called once. By default none."""
        return ()
