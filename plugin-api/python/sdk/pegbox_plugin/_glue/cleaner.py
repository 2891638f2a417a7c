"""Exports `cleaning`."""

from typing import Any

from ..cleaning import Cleaner, Drop, Keep, Outcome, Replace, Split
from ..records import Batch
from . import load
from .faults import AuthorFault, guarded
from .values import check_texts


class Cleaning:
    @guarded
    def clean(self, batch: Batch) -> list[Outcome]:
        plugin: Cleaner = load.of_kind("cleaner")
        found: Any = plugin.clean(batch)
        try:
            outcomes: list[Any] = found if type(found) is list else list(found)
        except TypeError:
            raise AuthorFault(f"clean() returned {found!r}, not one outcome for each row") from None
        check_texts([text for text in _texts(outcomes) if text is not None], "clean()")
        return outcomes


def _texts(outcomes: list[Any]) -> list[Any]:
    """All values of all outcomes, which are lists after this."""
    texts: list[Any] = []
    for outcome in outcomes:
        kind = type(outcome)
        if kind is Replace:
            outcome.value = values = _listed(outcome.value)
            texts += values
        elif kind is Drop:
            texts.append(outcome.value)
        elif kind is Split:
            outcome.value = parts = [_listed(values) for values in _listed(outcome.value)]
            for values in parts:
                texts += values
        elif kind is not Keep:
            raise AuthorFault(f"clean() returned {outcome!r}, which is no outcome")
    return texts


def _listed(values: Any) -> list[Any]:
    if type(values) is list:
        return values
    if isinstance(values, str):
        raise AuthorFault(f"clean() returned the text {values!r} where a list of values should be")
    try:
        return list(values)
    except TypeError:
        raise AuthorFault(f"clean() returned {values!r} where a list of values should be") from None
