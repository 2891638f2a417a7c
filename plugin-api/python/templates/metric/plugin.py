"""How often the model is right, and how sure it is."""

import struct

from pegbox_plugin import Metric, Report, Score, Step


class Plugin(Metric):
    def __init__(self) -> None:
        self.reset()

    def update(self, step: Step) -> None:
        shape = step.labels.shape
        left_out = ~step.mask
        right = step.logits.argmax(-1).reshape(*shape) == step.labels
        confidence = step.logits.softmax(-1).max(-1).reshape(*shape)
        # Sums are taken on the device: three numbers cross the boundary, whatever the batch.
        self.correct += float(right.to_float().masked_fill(left_out, 0.0).sum())
        self.confidence += float(confidence.masked_fill(left_out, 0.0).sum())
        self.count += float(step.mask.to_float().sum())

    # The host runs several instances, each on its share of the batches, and merges their states into one.

    def state(self) -> bytes:
        return struct.pack("<3d", self.correct, self.confidence, self.count)

    def merge(self, state: bytes) -> None:
        correct, confidence, count = struct.unpack("<3d", state)
        self.correct += correct
        self.confidence += confidence
        self.count += count

    def compute(self) -> Report:
        count = max(self.count, 1.0)
        return Report([Score("accuracy", self.correct / count), Score("mean-confidence", self.confidence / count)])

    def reset(self) -> None:
        self.correct = self.confidence = self.count = 0.0
