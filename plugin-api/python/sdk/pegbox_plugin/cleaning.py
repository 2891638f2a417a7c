"""Cleaners: rewrite, drop or split records before training."""

from abc import ABC, abstractmethod
from collections.abc import Iterable

from wit_world.exports.cleaning import (
    Outcome,
    Outcome_Drop as Drop,
    Outcome_Keep as Keep,
    Outcome_Replace as Replace,
    Outcome_Split as Split,
)

from ._plugin import Plugin
from .records import Batch

__all__ = ["KEEP", "Cleaner", "Drop", "Keep", "Outcome", "Replace", "Split"]

KEEP = Keep()
"""The outcome of a record that stays as it is."""


class Cleaner(Plugin, ABC):
    """Rewrites, drops or splits records. Says for each record what becomes of it:

    - ``KEEP``: it stays as it is.
    - ``Replace(values)``: its fields get these values, in the order of ``batch.fields``, as many as there are.
    - ``Drop(reason)``: it leaves the dataset. Reasons are counted: use few, short, in kebab-case, such as
      ``too-short``.
    - ``Split([values, ...])``: it becomes several records, each given as in ``Replace``; at least one.
    """

    @abstractmethod
    def clean(self, batch: Batch) -> Iterable[Outcome]:
        """One outcome for each row, in the same order. A list, or yield them.

        Called on several instances at once: a row's outcome may depend on that row alone. An exception ends the
        preparation.
        """
