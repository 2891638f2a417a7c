"""Make the parity fixtures of T5 from Hugging Face Transformers.

usage: make_t5_fixtures.py

Writes beside this script two small random T5ForConditionalGeneration, t5/v1.0 (ReLU, head tied to the
embedding) and t5/v1.1 (gated GELU, a head of its own), each with
  config.json, model.safetensors   as Transformers 4 writes them
  batch.json                       a padded batch of pairs, and what Transformers generates after its inputs:
                                   greedily 200 tokens a row, and by beam search; the buckets of relative
                                   positions
  expected.safetensors             what Transformers computes of the batch without dropout: `logits`,
                                   `encoder_hidden_states.N`, `decoder_hidden_states.N`, `loss`, and
                                   `grad.NAME` of a cross-entropy step for every parameter
"""

import json
from pathlib import Path

import torch
import transformers
from safetensors.torch import save_file
from transformers import GenerationConfig, T5Config, T5ForConditionalGeneration
from transformers.models.t5.modeling_t5 import T5Attention

HERE = Path(__file__).resolve().parent
VOCABULARY = 48
IGNORED = -100
NEW_TOKENS = 200
# The two best tokens of every greedy step are at least so far apart: no rounding decides between them.
MARGIN = 2e-4

VERSIONS = {
    "v1.0": {"feed_forward_proj": "relu", "num_layers": 2, "tie_word_embeddings": True},
    "v1.1": {
        "feed_forward_proj": "gated-gelu",
        "num_layers": 2,
        "num_decoder_layers": 1,
        "tie_word_embeddings": False,
    },
}


def make(folder: Path, version: dict) -> None:
    """With the first seed whose model generates something worth comparing."""
    for seed in range(200):
        if attempt(folder, version, seed):
            print(f"{folder.name}: seed {seed}", flush=True)
            return
        print(f"{folder.name}: not seed {seed}", flush=True)
    raise SystemExit(f"{folder.name}: no seed will do")


def attempt(folder: Path, version: dict, seed: int) -> bool:
    torch.manual_seed(seed)
    source = {
        "model_type": "t5",
        "architectures": ["T5ForConditionalGeneration"],
        "vocab_size": VOCABULARY,
        "d_model": 24,
        # 3 heads of 6 are not d_model wide.
        "d_kv": 6,
        "num_heads": 3,
        "d_ff": 40,
        # Few buckets, so that a short batch has distances of every kind.
        "relative_attention_num_buckets": 8,
        "relative_attention_max_distance": 16,
        "layer_norm_epsilon": 1e-6,
        "pad_token_id": 0,
        "eos_token_id": 1,
        "decoder_start_token_id": 0,
        **version,
    }
    model = T5ForConditionalGeneration(T5Config(**source, attn_implementation="eager")).eval()
    if not version["tie_word_embeddings"]:
        model.lm_head.weight = torch.nn.Parameter(model.lm_head.weight.clone())
    # Its own initialisation has unit norms and scores near 0: that would hide a forgotten norm, a scale, a
    # transposed weight.
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            wide = "shared" in name or "lm_head" in name or "relative_attention_bias" in name
            # Scores are not scaled. Larger queries would make one probability of each nearly 1, and the gradients
            # behind it small differences that float32 does not hold to three digits.
            query = name.endswith(".q.weight")
            parameter.normal_(0.0, 1.0 if wide else 0.15 if query else 0.5)
            if name.endswith("layer_norm.weight"):
                parameter.add_(1.0)
        # Texts that end before the limit.
        (model.shared if version["tie_word_embeddings"] else model.lm_head).weight[1] *= 1.5

    rows = [torch.randint(2, VOCABULARY, (length,)).tolist() + [1] for length in (21, 16, 1)]
    labels = [torch.randint(2, VOCABULARY, (length,)).tolist() + [1] for length in (3, 17, 8)]
    labels[1][4] = IGNORED
    ids, mask = pad(rows, 0), pad([[1] * len(row) for row in rows], 0)
    written = greedy(model, ids, mask)
    if written is None or sum(len(set(row)) >= 4 for row in written) < 2:
        return False
    beams = [beam_search(model, ids, mask, **settings) for settings in BEAMS]

    output = model(
        input_ids=ids, attention_mask=mask, labels=pad(labels, IGNORED), output_hidden_states=True
    )
    output.loss.backward()

    expected = {"logits": output.logits, "loss": output.loss.reshape(1)}
    for stack in ("encoder", "decoder"):
        for number, state in enumerate(getattr(output, f"{stack}_hidden_states")):
            expected[f"{stack}_hidden_states.{number}"] = state
    for name, parameter in model.named_parameters():
        expected[f"grad.{name}"] = parameter.grad

    folder.mkdir(parents=True, exist_ok=True)
    # Of tied matrices only the first is written, as Transformers does.
    save({name: parameter for name, parameter in model.named_parameters()}, folder / "model.safetensors")
    save(expected, folder / "expected.safetensors")
    write_json(source, folder / "config.json")
    write_json(
        {
            "ids": rows,
            "labels": labels,
            "greedy": written,
            "beams": beams,
            "transformers": transformers.__version__,
        },
        folder / "batch.json",
    )
    return True


BEAMS = [
    {"num_beams": 4, "max_new_tokens": 24, "length_penalty": 1.0},
    {"num_beams": 3, "max_new_tokens": 12, "length_penalty": 0.6},
]


def greedy(model, ids: torch.Tensor, mask: torch.Tensor) -> list[list[int]] | None:
    """Without an end, so that every row has all tokens; None where two tokens are too close to tell."""
    config = GenerationConfig(
        max_new_tokens=NEW_TOKENS, eos_token_id=None, pad_token_id=0, decoder_start_token_id=0,
        output_logits=True, return_dict_in_generate=True,
    )
    model.generation_config.eos_token_id = None
    output = model.generate(input_ids=ids, attention_mask=mask, generation_config=config)
    tokens = output.sequences[:, 1:]
    assert tokens.shape[1] == NEW_TOKENS, tokens.shape
    best = torch.stack(output.logits).topk(2).values
    return tokens.tolist() if (best[..., 0] - best[..., 1]).min() > MARGIN else None


def beam_search(model, ids: torch.Tensor, mask: torch.Tensor, **settings) -> dict:
    config = GenerationConfig(
        eos_token_id=1, pad_token_id=0, decoder_start_token_id=0, do_sample=False, early_stopping=False,
        output_scores=True, return_dict_in_generate=True, **settings,
    )
    output = model.generate(input_ids=ids, attention_mask=mask, generation_config=config)
    rows = [row[: row.index(1) + 1] if 1 in row else row for row in output.sequences[:, 1:].tolist()]
    scores = [round(score, 5) for score in output.sequences_scores.tolist()]
    return {**settings, "tokens": rows, "scores": scores}


def pad(rows: list[list[int]], padding: int) -> torch.Tensor:
    width = max(map(len, rows))
    return torch.tensor([row + [padding] * (width - len(row)) for row in rows])


def buckets() -> dict:
    """Of T5's own sizes, for relative positions from -300 to 300."""
    relative = torch.arange(-300, 301)
    of = lambda both: T5Attention._relative_position_bucket(relative, both, 32, 128).tolist()
    return {"first": -300, "bidirectional": of(True), "unidirectional": of(False)}


def save(tensors: dict, path: Path) -> None:
    save_file({name: tensor.detach().contiguous() for name, tensor in tensors.items()}, path)


def write_json(value: dict, path: Path) -> None:
    path.write_text(json.dumps(value, sort_keys=True) + "\n")


if __name__ == "__main__":
    torch.set_num_threads(1)
    for name, version in VERSIONS.items():
        make(HERE / "t5" / name, version)
    write_json(buckets(), HERE / "t5" / "buckets.json")
