"""Time a decoder-only model in Transformers, as host/models/examples/decode.rs does.

usage: torch_decode.py FOLDER [PROMPT] [TOKENS] [THREADS]. Prints one JSON line: the time at which the first token was
there (after importing, loading and a short prompt), seconds of each long prompt and of each generated token.
"""

import json
import sys
import time

import torch
import transformers
from transformers import AutoModelForCausalLM, LogitsProcessor

SHORT = 16
PROMPTS = 3


class Clock(LogitsProcessor):
    """Notes when the scores of each token are there."""

    def __init__(self) -> None:
        self.times: list[float] = []

    def __call__(self, input_ids, scores):
        self.times.append(time.perf_counter())
        return scores


def main(folder: str, prompt: int, tokens: int, threads: int) -> None:
    torch.set_num_threads(threads)
    start = time.perf_counter()
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    model.generation_config.eos_token_id = None
    load = time.perf_counter() - start
    vocabulary = model.config.vocab_size

    def ids(length: int) -> torch.Tensor:
        return torch.tensor([[(i * 104_729 + 1013) % vocabulary for i in range(length)]])

    def generate(count: int, clock: Clock | None = None) -> list[int]:
        rows = ids(SHORT)
        output = model.generate(
            rows,
            attention_mask=torch.ones_like(rows),
            max_new_tokens=count,
            do_sample=False,
            pad_token_id=0,
            logits_processor=[clock] if clock else [],
        )
        return output[0, SHORT:].tolist()

    with torch.no_grad():
        generate(1)
        first_token_at = time.time()
        clock = Clock()
        generated = generate(tokens, clock)
        steps = [after - before for before, after in zip(clock.times, clock.times[1:])]
        prefill = []
        for _ in range(PROMPTS):
            start = time.perf_counter()
            model(ids(prompt), use_cache=True, logits_to_keep=1)
            prefill.append(time.perf_counter() - start)
    print(
        json.dumps(
            {
                "load": load,
                "first_token_at": first_token_at,
                "prompt": prompt,
                "prefill": prefill,
                "steps": steps,
                "tokens": generated,
                "peer": f"Transformers {transformers.__version__}, PyTorch {torch.__version__}",
            }
        )
    )


if __name__ == "__main__":
    given = sys.argv[2:]
    main(sys.argv[1], *([int(text) for text in given] + [512, 128, 2][len(given) :]))
