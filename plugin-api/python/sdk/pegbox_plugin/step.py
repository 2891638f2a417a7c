"""One forward pass, as a loss or a metric sees it."""

from functools import cached_property

from wit_world.imports import steps as _wit

from .tensor import SMALLEST, Tensor

_Step = _wit.Step


class Step(_Step):
    """The step that a call is about. In shapes, B is the number of rows, C the number of classes (vocabulary
    size for language modelling), T the padded length in tokens, H the hidden size.

    Each property is asked for once and then remembered. A step lives as long as its call.
    """

    @cached_property
    def number(self) -> int:  # type: ignore[override]
        """Number of this optimizer step, from 0; of this batch, for a metric."""
        return _Step.number(self)

    @cached_property
    def training(self) -> bool:  # type: ignore[override]
        """True while training, false while validating or testing."""
        return _Step.training(self)

    @cached_property
    def record_ids(self) -> list[int]:  # type: ignore[override]
        """Numbers of the records in this batch, length B."""
        return _Step.record_ids(self)

    @cached_property
    def classes(self) -> list[str]:  # type: ignore[override]
        """Class names, index = class id, length C; empty for language modelling."""
        return _Step.classes(self)

    @cached_property
    def logits(self) -> Tensor:  # type: ignore[override]
        """Float ``(B, C)`` for classification, ``(B, T, C)`` for tagging and language modelling.
        Differentiable."""
        return _Step.logits(self)  # type: ignore[return-value]

    @cached_property
    def labels(self) -> Tensor:  # type: ignore[override]
        """Int ``(B,)`` for classification, ``(B, T)`` otherwise: class ids in ``[0, C)``, also where the mask
        is false (there the value means nothing)."""
        return _Step.labels(self)  # type: ignore[return-value]

    @cached_property
    def mask(self) -> Tensor:  # type: ignore[override]
        """Bool of the shape of the labels: true where a label counts."""
        return _Step.mask(self)  # type: ignore[return-value]

    @cached_property
    def weights(self) -> Tensor:  # type: ignore[override]
        """Float of the shape of the labels: the weight of each example; 1 where the recipe gives none."""
        return _Step.weights(self)  # type: ignore[return-value]

    @cached_property
    def teacher_logits(self) -> Tensor | None:  # type: ignore[override]
        """Float of the shape of the logits, not differentiable; ``None`` without a teacher (distillation)."""
        return _Step.teacher_logits(self)  # type: ignore[return-value]

    @cached_property
    def hidden_state_count(self) -> int:  # type: ignore[override]
        """Number of hidden states at hand: layers + 1 (the first is the embeddings' output), or 0 when the
        recipe does not ask for them."""
        return _Step.hidden_state_count(self)

    def hidden_state(self, layer: int) -> Tensor:
        """Float ``(B, T, H)``, differentiable; a new handle each time.

        Raises ``IndexError`` unless ``0 <= layer < hidden_state_count``.
        """
        if not 0 <= layer < self.hidden_state_count:
            raise IndexError(f"there are {self.hidden_state_count} hidden states, not one with number {layer}")
        return super().hidden_state(layer)  # type: ignore[return-value]

    def weighted_mean(self, per_label: Tensor) -> Tensor:
        """What a loss returns, from one loss a label: ``sum(w * x) / sum(w)`` over the labels where the mask
        holds, w being :attr:`weights`. Float ``(1,)``; 0 when no label counts or all weights are 0, and then
        without a gradient.

        ``per_label`` is float of the shape of the labels. A NaN where the mask does not hold does not matter.
        """
        left_out = self.mask.logical_not()
        weights = self.weights.masked_fill(left_out, 0.0)
        kept = per_label.masked_fill(left_out, 0.0)
        return (kept * weights).sum() / weights.sum().clamp(low=SMALLEST)


# The runtime makes instances of what stands in the generated module when the build ends.
setattr(_wit, "Step", Step)
