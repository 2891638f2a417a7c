"""Make the parity fixtures of the decoder-only models from Hugging Face Transformers.

usage: make_decoder_fixtures.py [SMOLLM2_FOLDER]

Writes beside this script, into decoders/:
  NAME.json         the configuration of a small random model, a batch of rows with the labels of a causal
                    language model (-100: no label), prompts, and the 200 tokens that greedy generation adds to
                    each of them.
  NAME.safetensors  what Transformers computes without dropout: `logits`, `hidden_states.N` (of the batch padded
                    on the right), `loss`, and `grad.NAME` of every parameter.
  WEIGHTS.safetensors  the weights: llama2, llama3, mistral, smollm2 share `llama`; qwen2 and qwen3 have biases and
                    norms of their own, gpt2 is another architecture.
  rope.json         the inverse frequencies and the attention factor of every kind of RoPE scaling.
  smollm2-135m.*    only with SMOLLM2_FOLDER, SmolLM2-135M as a folder that Transformers reads, in float32: token
                    ids, some of their logits and hidden states, the perplexity, a greedy continuation.
"""

import json
import math
import sys
from pathlib import Path

import torch
import transformers
from safetensors.torch import save_file
from transformers import (
    AutoModelForCausalLM,
    GPT2Config,
    LlamaConfig,
    MistralConfig,
    Qwen2Config,
    Qwen3Config,
)
from transformers.modeling_rope_utils import ROPE_INIT_FUNCTIONS

HERE = Path(__file__).resolve().parent / "decoders"
VOCABULARY = 64
POSITIONS = 256
NEW_TOKENS = 200
# The scores of the two likeliest tokens are at least so far apart in every step of the greedy generation: what
# rounding does cannot change the choice.
GAP = 5e-4

LLAMA = dict(
    vocab_size=VOCABULARY,
    hidden_size=24,
    intermediate_size=40,
    num_hidden_layers=2,
    num_attention_heads=4,
    num_key_value_heads=2,
    max_position_embeddings=POSITIONS,
    rms_norm_eps=1e-5,
    bos_token_id=None,
    eos_token_id=None,
    pad_token_id=None,
    tie_word_embeddings=False,
)
LLAMA3 = dict(
    rope_type="llama3",
    rope_theta=100.0,
    factor=8.0,
    low_freq_factor=1.0,
    high_freq_factor=4.0,
    original_max_position_embeddings=64,
)
MODELS = {
    "gpt2": (
        "gpt2",
        GPT2Config(
            vocab_size=VOCABULARY,
            n_embd=24,
            n_layer=2,
            n_head=4,
            n_positions=POSITIONS,
            bos_token_id=None,
            eos_token_id=None,
        ),
    ),
    "llama2": ("llama", LlamaConfig(**LLAMA)),
    "llama3": ("llama", LlamaConfig(**LLAMA | dict(rope_parameters=LLAMA3))),
    "mistral": ("llama", MistralConfig(**LLAMA | dict(sliding_window=7))),
    "smollm2": ("llama", LlamaConfig(**LLAMA | dict(tie_word_embeddings=True))),
    "qwen2": ("qwen2", Qwen2Config(**LLAMA)),
    "qwen3": ("qwen3", Qwen3Config(**LLAMA | dict(head_dim=10, tie_word_embeddings=True))),
}

# Lengths around the 16 lanes of a SIMD register, and one longer than the sliding window.
LENGTHS = (24, 17, 16, 3)
PROMPTS = (1, 5, 12)

SENTENCE = "The capital of France is Paris. It is the largest city in the country and lies on the river Seine."
# The tokenizer's answer to SENTENCE; no beginning-of-sequence token.
SENTENCE_TOKENS = 23


def main() -> None:
    HERE.mkdir(exist_ok=True)
    weights: dict[str, dict[str, torch.Tensor]] = {}
    for name, (shared, config) in MODELS.items():
        config._attn_implementation = "eager"
        for seed in range(1000):
            if make(name, config, weights.get(shared), seed):
                break
            if shared in weights:
                # Other prompts, the same weights.
                continue
        else:
            raise SystemExit(f"{name}: no seed without ties")
        weights.setdefault(shared, MADE[name])
    for name, tensors in weights.items():
        save(tensors, HERE / f"weights-{name}.safetensors")
    rope()
    if len(sys.argv) > 1:
        smollm2(sys.argv[1])


MADE: dict[str, dict[str, torch.Tensor]] = {}


def make(name: str, config, weights, seed: int) -> bool:
    """False where the greedy generation comes near a tie or runs into a short circle."""
    torch.manual_seed(seed)
    model = AutoModelForCausalLM.from_config(config, attn_implementation="eager").eval()
    # The usual initialisation (0.02, unit norms, zero biases) leaves attention nearly uniform and would hide a
    # wrong scale, a transposed weight or a forgotten bias.
    with torch.no_grad():
        for parameter_name, parameter in model.named_parameters():
            parameter.normal_(0.0, 0.4)
            if "norm" in parameter_name or ".ln_" in parameter_name:
                if parameter_name.endswith("weight"):
                    parameter.add_(1.0)
    if weights is not None:
        # The head of a tied model is its embeddings: another's would overwrite them.
        tied = config.tie_word_embeddings
        own = {key: value for key, value in weights.items() if not (tied and key == "lm_head.weight")}
        model.load_state_dict(own, strict=not tied)

    prompts = [torch.randint(0, VOCABULARY, (length,)).tolist() for length in PROMPTS]
    continuations = []
    for prompt in prompts:
        tokens = greedy(model, prompt)
        if tokens is None or len(set(tokens[-100:])) < 12:
            return False
        continuations.append(tokens)

    rows = [torch.randint(0, VOCABULARY, (length,)).tolist() for length in LENGTHS]
    # No label for the first third of a row, as for a prompt.
    labels = [[-100] * (len(row) // 3) + row[len(row) // 3 :] for row in rows]
    width = max(map(len, rows))
    padded = lambda lists, padding: torch.tensor([x + [padding] * (width - len(x)) for x in lists])
    mask = padded([[1] * len(row) for row in rows], 0)
    output = model(
        input_ids=padded(rows, 0),
        attention_mask=mask,
        labels=padded(labels, -100),
        output_hidden_states=True,
    )
    output.loss.backward()

    expected = {"logits": output.logits, "loss": output.loss.reshape(1)}
    for number, state in enumerate(output.hidden_states):
        expected[f"hidden_states.{number}"] = state
    for parameter_name, parameter in model.named_parameters():
        expected[f"grad.{parameter_name}"] = parameter.grad
    save(expected, HERE / f"{name}.safetensors")
    about = {
        "config": json.loads(config.to_json_string(use_diff=False)),
        "ids": rows,
        "labels": labels,
        "prompts": prompts,
        "greedy": continuations,
        "transformers": transformers.__version__,
    }
    (HERE / f"{name}.json").write_text(json.dumps(about, sort_keys=True) + "\n")
    MADE[name] = {key: value for key, value in model.state_dict().items()}
    if config.tie_word_embeddings:
        del MADE[name]["lm_head.weight"]
    print(f"{name}: seed {seed}, loss {output.loss.item():.4f}, logits to {output.logits.abs().max():.1f}")
    return True


@torch.no_grad()
def greedy(model, prompt: list[int]) -> list[int] | None:
    generated = model.generate(
        torch.tensor([prompt]),
        attention_mask=torch.ones(1, len(prompt), dtype=torch.long),
        max_new_tokens=NEW_TOKENS,
        do_sample=False,
        pad_token_id=0,
        return_dict_in_generate=True,
        output_logits=True,
    )
    for scores in generated.logits:
        first, second = scores[0].topk(2).values
        if first - second < GAP:
            return None
    return generated.sequences[0, len(prompt) :].tolist()


def rope() -> None:
    """Frequencies of one head of 16 dimensions for every kind of scaling."""
    yarn = dict(rope_type="yarn", rope_theta=10_000.0, factor=4.0, original_max_position_embeddings=64)
    kinds = [
        dict(rope_type="linear", rope_theta=10_000.0, factor=3.0),
        LLAMA3 | dict(rope_theta=500_000.0),
        yarn,
        yarn | dict(attention_factor=1.25, beta_fast=16.0, beta_slow=2.0),
    ]
    cases = []
    for parameters in kinds:
        config = LlamaConfig(**LLAMA | dict(head_dim=16, rope_parameters=dict(parameters)))
        frequencies, factor = ROPE_INIT_FUNCTIONS[parameters["rope_type"]](config)
        cases.append(
            {"parameters": parameters, "inverse_frequencies": frequencies.tolist(), "attention_factor": factor}
        )
    text = json.dumps({"head_dim": 16, "max_position_embeddings": POSITIONS, "cases": cases})
    (HERE / "rope.json").write_text(text + "\n")


@torch.no_grad()
def smollm2(folder: str) -> None:
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager").eval()
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    ids = tokenizer(SENTENCE, add_special_tokens=False)["input_ids"]
    assert len(ids) == SENTENCE_TOKENS, len(ids)
    # 200 tokens, whatever ends a text.
    model.generation_config.eos_token_id = None
    output = model(torch.tensor([ids]), labels=torch.tensor([ids]), output_hidden_states=True)
    perplexity = math.exp(output.loss.item())
    print(f"SmolLM2-135M: perplexity {perplexity:.3f}")
    prompt = ids[:7]
    every = 997
    about = {
        "sentence": SENTENCE,
        "ids": ids,
        "perplexity": perplexity,
        "logits_every": every,
        "prompt": prompt,
        "greedy": greedy(model, prompt),
        "transformers": transformers.__version__,
    }
    assert about["greedy"] is not None, "a tie: choose another prompt"
    (HERE / "smollm2-135m.json").write_text(json.dumps(about, sort_keys=True) + "\n")
    expected = {
        # Every 997th score of each token, and the first 24 numbers of the last token's hidden states.
        "logits": output.logits[0, :, ::every],
        "hidden_states": torch.stack([state[0, -1, :24] for state in output.hidden_states]),
    }
    save(expected, HERE / "smollm2-135m.safetensors")


def save(tensors: dict, path: Path) -> None:
    save_file({name: tensor.detach().clone().contiguous() for name, tensor in tensors.items()}, path)


if __name__ == "__main__":
    main()
