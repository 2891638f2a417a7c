"""Metrics: quality, streaming and mergeable."""

from abc import ABC, abstractmethod
from collections.abc import Iterable

from wit_world.exports import measurement as _wit

from ._plugin import Plugin
from .step import Step

__all__ = ["Detail", "Metric", "Report", "Score"]


class Score(_wit.Score):
    """One number.

    :param name: in kebab-case, each once, such as ``macro-f1``; a recipe's ``select-by`` names it.
    :param value: the number.
    :param higher_is_better: whether more is better.
    """

    def __init__(self, name: str, value: float, *, higher_is_better: bool = True) -> None:
        super().__init__(name, float(value), higher_is_better)


class Detail(_wit.Detail):
    """Something for the report that is not one number, such as a confusion matrix.

    :param name: a file name without folders, of letters, digits, ``.``, ``-`` and ``_``.
    :param media_type: such as ``text/csv`` or ``application/json``.
    :param content: the file, as text.
    """


class Report(_wit.Report):
    """What a metric found."""

    def __init__(self, scores: Iterable[Score], details: Iterable[Detail] = ()) -> None:
        super().__init__(list(scores), list(details))


class Metric(Plugin, ABC):
    """Measures quality, batch by batch; the host never keeps the logits of a whole set.

    An exception in any method ends the evaluation.
    """

    @abstractmethod
    def update(self, step: Step) -> None:
        """Takes in one batch. Gradients are off."""

    @abstractmethod
    def state(self) -> bytes:
        """Everything gathered so far, in an encoding of your own (``struct``, ``json``)."""

    @abstractmethod
    def merge(self, state: bytes) -> None:
        """Takes in another instance's ``state``. Must give the scores that one instance would have given for
        all batches."""

    @abstractmethod
    def compute(self) -> Report:
        """The scores of what was gathered; does not change it."""

    @abstractmethod
    def reset(self) -> None:
        """Forgets what was gathered; the configuration stays."""
