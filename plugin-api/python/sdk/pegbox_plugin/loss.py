"""Losses: what training minimises."""

from abc import ABC, abstractmethod

from ._plugin import Plugin
from .step import Step
from .tensor import Tensor


class Loss(Plugin, ABC):
    """Computes the training objective from handles to the host's tensors; the host differentiates it."""

    @abstractmethod
    def compute(self, step: Step) -> Tensor:
        """The loss to be minimised: float, shape ``(1,)``, the weighted mean over the labels where
        ``step.mask`` holds (:meth:`Step.weighted_mean` makes it).

        The host weighs the batches of one optimizer step by their sums of weights. A loss that is NaN or
        infinite, of another shape, or not connected to the logits is an error. An exception ends the training;
        the last checkpoint stays. Remember nothing from step to step: it would be lost when a run is resumed.
        """
