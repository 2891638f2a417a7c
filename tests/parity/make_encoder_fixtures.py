"""Make the parity fixtures of RoBERTa, XLM-R and DistilBERT, and of every head, from Hugging Face Transformers.

usage: make_encoder_fixtures.py

Writes beside this script, for each model and head, `encoders/MODEL-HEAD/`: a small random checkpoint (config.json,
model.safetensors), a padded batch with labels (batch.json), and what Transformers computes from it without dropout
(expected.safetensors): `logits`, `hidden_states.N`, `loss`, and `grad.NAME` for every parameter.

BERT with its single-label head is make_bert_fixtures.py's.
"""

import json
from pathlib import Path

import torch
import transformers
from safetensors.torch import save_file
from transformers import (
    AutoModel,
    AutoModelForMaskedLM,
    AutoModelForSequenceClassification,
    AutoModelForTokenClassification,
    BertConfig,
    DistilBertConfig,
    RobertaConfig,
    XLMRobertaConfig,
)

HERE = Path(__file__).resolve().parent
IGNORED = -100
CLASSES = 3
LENGTHS = (14, 9, 1)

COMMON = {"vocab_size": 40, "num_labels": CLASSES, "attn_implementation": "eager"}
USUAL = {
    "hidden_size": 24,
    "num_hidden_layers": 2,
    "num_attention_heads": 3,
    "intermediate_size": 32,
    "layer_norm_eps": 1e-5,
}
CONFIGS = {
    "bert": lambda **more: BertConfig(**COMMON, **USUAL, max_position_embeddings=14, **more),
    "roberta": lambda **more: RobertaConfig(
        **COMMON, **USUAL, max_position_embeddings=16, type_vocab_size=1, pad_token_id=1, **more
    ),
    "xlm-roberta": lambda **more: XLMRobertaConfig(
        **COMMON, **USUAL, max_position_embeddings=16, type_vocab_size=1, pad_token_id=1, **more
    ),
    "distilbert": lambda **more: DistilBertConfig(
        **COMMON, dim=24, n_layers=2, n_heads=3, hidden_dim=32, max_position_embeddings=14, **more
    ),
}
PROBLEMS = {
    "single-label": "single_label_classification",
    "multi-label": "multi_label_classification",
    "regression": "regression",
}
HEADS = {
    "bert": ["multi-label", "regression", "tokens", "masked-lm", "embedding"],
    "roberta": ["single-label", "tokens", "masked-lm"],
    "xlm-roberta": ["single-label"],
    "distilbert": ["single-label", "tokens", "masked-lm"],
}


def main() -> None:
    for model_type, heads in HEADS.items():
        for head in heads:
            fixture(model_type, head, HERE / "encoders" / f"{model_type}-{head}")


def fixture(model_type: str, head: str, folder: Path) -> None:
    torch.manual_seed(5)
    config = CONFIGS[model_type](**({"problem_type": PROBLEMS[head]} if head in PROBLEMS else {}))
    padding = config.pad_token_id
    model = build(head, config).eval()
    # The usual initialisation (0.02, unit norms, zero biases) would hide a wrong scale, a transposed weight or a
    # forgotten bias.
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.normal_(0.0, 0.2)
            if "norm.weight" in name.lower():
                parameter.add_(1.0)

    rows = [torch.randint(4, config.vocab_size, (length,)).tolist() for length in LENGTHS]
    width = max(LENGTHS)
    ids = torch.tensor([row + [padding] * (width - len(row)) for row in rows])
    mask = torch.tensor([[1] * len(row) + [0] * (width - len(row)) for row in rows])
    labels, target = make_labels(head, rows, width, config.vocab_size)

    output = model(input_ids=ids, attention_mask=mask, output_hidden_states=True, **target)
    if head == "embedding":
        weights = mask.unsqueeze(-1).float()
        mean = (output.last_hidden_state * weights).sum(1) / weights.sum(1)
        logits = torch.nn.functional.normalize(mean, dim=-1)
        highest = output.last_hidden_state.masked_fill(mask.unsqueeze(-1) == 0, -torch.inf).max(1).values
        # A sum of the squares would be 1 whatever the weights are.
        loss = (logits * torch.linspace(-1, 1, logits.shape[1])).sum(-1).mean()
        extra = {"max": highest, "cls": output.last_hidden_state[:, 0]}
    else:
        logits, loss, extra = output.logits, output.loss, {}
    loss.backward()

    expected = {"logits": logits, "loss": loss.reshape(1), **extra}
    for number, state in enumerate(output.hidden_states):
        expected[f"hidden_states.{number}"] = state
    for name, parameter in model.named_parameters():
        if parameter.grad is not None:
            expected[f"grad.{name}"] = parameter.grad

    folder.mkdir(parents=True, exist_ok=True)
    # As Transformers saves it: tied matrices once.
    model.save_pretrained(folder)
    for name in ("generation_config.json",):
        (folder / name).unlink(missing_ok=True)
    save_file({name: tensor.detach().contiguous().clone() for name, tensor in expected.items()}, folder / "expected.safetensors")
    batch = {"ids": rows, "padding": padding, "labels": labels, "transformers": transformers.__version__}
    (folder / "batch.json").write_text(json.dumps(batch, sort_keys=True) + "\n")
    print(folder.name, f"loss {loss.item():.4f}")


def build(head: str, config: object) -> torch.nn.Module:
    if head in PROBLEMS:
        return AutoModelForSequenceClassification.from_config(config)
    if head == "tokens":
        return AutoModelForTokenClassification.from_config(config)
    if head == "masked-lm":
        return AutoModelForMaskedLM.from_config(config)
    # Without a pooler, which no sentence vector goes through.
    return AutoModel.from_config(config, add_pooling_layer=False)


def make_labels(head: str, rows: list, width: int, vocabulary: int) -> tuple[list, dict]:
    """Labels as batch.json has them, flat numbers, and as the model takes them."""
    if head == "single-label":
        labels = [2, 0, 1]
        return labels, {"labels": torch.tensor(labels)}
    if head == "multi-label":
        labels = [[1, 0, 1], [0, 0, 0], [0, 1, 0]]
        return sum(labels, []), {"labels": torch.tensor(labels).float()}
    if head == "regression":
        labels = [[0.5, -1.0, 2.0], [0.0, 3.0, 1.5], [1.0, 1.0, -2.0]]
        return sum(labels, []), {"labels": torch.tensor(labels)}
    if head in ("tokens", "masked-lm"):
        count = CLASSES if head == "tokens" else vocabulary
        labels = [
            [(place * 7 + len(row)) % count if place < len(row) and place % 3 != 2 else IGNORED for place in range(width)]
            for row in rows
        ]
        return sum(labels, []), {"labels": torch.tensor(labels)}
    return [], {}


if __name__ == "__main__":
    main()
