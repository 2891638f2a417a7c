"""Focal loss (Lin et al. 2017, https://arxiv.org/abs/1708.02002): cross-entropy that looks away from what the
model knows already. With p the probability that the model gives to a label: (1 - p)^gamma * -log(p)."""

from typing import Any

from pegbox_plugin import Loss, Step, Tensor


class Plugin(Loss):
    schema = {
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "gamma": {
                "type": "number",
                "minimum": 0,
                "default": 2.0,
                "description": "How strongly the loss looks away from labels that the model is sure of; "
                "0 is cross-entropy",
            }
        },
    }

    def configure(self, config: dict[str, Any]) -> None:
        self.gamma = float(config.get("gamma", 2.0))

    def compute(self, step: Step) -> Tensor:
        labels = step.labels
        log_p = step.logits.log_softmax(-1).gather(-1, labels.reshape(*labels.shape, 1)).reshape(*labels.shape)
        # Where p rounds to 1, a power below 1 would have an infinite slope: 2^-24 is the least that is not 0.
        surprise = (1.0 - log_p.exp()).clamp(low=2.0**-24)
        return step.weighted_mean(surprise**self.gamma * -log_p)
