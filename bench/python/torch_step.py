"""Time training steps of a MiniLM-shaped BERT in PyTorch: the twin of host/models/examples/step.rs.

usage: torch_step.py [ROWS] [TOKENS] [STEPS] [THREADS] [DEVICE] [PRECISION]. Prints one JSON line: seconds of
each phase. DEVICE is cpu or cuda:N. PRECISION says how float32 matrices are multiplied on a GPU: `highest` in
float32, PyTorch's default; `high` in TF32, as the tensor cores do and as Burn's CUDA backend chooses to.
"""

import json
import sys
import time

import torch
from transformers import BertConfig, BertForSequenceClassification


def main(rows: int, tokens: int, steps: int, threads: int, device_name: str, precision: str) -> None:
    torch.set_num_threads(threads)
    torch.set_float32_matmul_precision(precision)
    torch.manual_seed(1)
    device = torch.device(device_name)
    model = (
        BertForSequenceClassification(
            BertConfig(
                vocab_size=30522,
                hidden_size=384,
                num_hidden_layers=6,
                num_attention_heads=12,
                intermediate_size=1536,
                max_position_embeddings=512,
                num_labels=77,
            )
        )
        .to(device)
        .train()
    )
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-4, weight_decay=0.01)
    row, token = torch.meshgrid(torch.arange(rows), torch.arange(tokens), indexing="ij")
    ids = (1000 + (row * 7919 + token * 104_729) % 29_000).to(device)
    mask = torch.ones_like(ids)
    labels = (torch.arange(rows) * 5 % 77).to(device)

    def now() -> float:
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        return time.perf_counter()

    phases: dict[str, list[float]] = {"forward": [], "backward": [], "optimizer": []}
    for _ in range(steps):
        start = now()
        logits = model(input_ids=ids, attention_mask=mask).logits
        loss = torch.nn.functional.cross_entropy(logits, labels)
        after_forward = now()
        optimizer.zero_grad()
        loss.backward()
        after_backward = now()
        optimizer.step()
        after_step = now()
        phases["forward"].append(after_forward - start)
        phases["backward"].append(after_backward - after_forward)
        phases["optimizer"].append(after_step - after_backward)
    about = {
        "loss": loss.item(),
        "torch": torch.__version__,
        "device": device_name,
        "precision": precision,
        "rows": rows,
        "tokens": tokens,
    }
    print(json.dumps({**phases, **about}))


if __name__ == "__main__":
    given = sys.argv[1:]
    numbers = [int(text) for text in given[:4]] + [16, 64, 12, 2][len(given) :]
    texts = given[4:] + ["cpu", "highest"][max(0, len(given) - 4) :]
    main(*numbers, *texts)
