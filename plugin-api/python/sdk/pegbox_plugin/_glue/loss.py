"""Exports `objective`."""

from ..loss import Loss
from ..step import Step
from ..tensor import Tensor
from . import load
from .faults import AuthorFault, guarded


class Objective:
    @guarded
    def compute(self, step: Step) -> Tensor:
        plugin: Loss = load.of_kind("loss")
        loss = plugin.compute(step)
        if type(loss) is not Tensor:
            raise AuthorFault(f"compute() returned {loss!r}, not a Tensor")
        return loss
