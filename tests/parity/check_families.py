"""Both ways between Pegbox and Transformers or PEFT, for each family: whole models and adapters, fine-tuned on either side.

usage: check_families.py PEGBOX LOGITS DATA PLUGINS [FAMILY...]

PEGBOX is the program, LOGITS what `cargo build --release --workspace --example logits` builds, DATA the folder
examples/pronunciation, PLUGINS the folder of built plugins. For each FAMILY (all) a small random checkpoint is
fine-tuned for some steps:

- whole by Transformers, saved by `save_pretrained`, opened here;
- with LoRA by PEFT, saved by `save_pretrained`, opened here;
- whole by `pegbox run`, exported by hf-folder, opened by Transformers;
- with LoRA by `pegbox run`, exported by peft-folder, opened by PEFT.

Prints the largest absolute difference of a logit each, and exits with 1 when one is above 1e-4.
"""

import gzip
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from transformers import (
    AutoModelForCausalLM,
    AutoModelForSeq2SeqLM,
    AutoModelForSequenceClassification,
    BertConfig,
    DistilBertConfig,
    GPT2Config,
    LlamaConfig,
    MistralConfig,
    Qwen2Config,
    Qwen3Config,
    RobertaConfig,
    T5Config,
)

TOKENS = 88
LLAMA = {
    "vocab_size": TOKENS, "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 4,
    "num_key_value_heads": 2, "max_position_embeddings": 128, "tie_word_embeddings": True, "bos_token_id": None,
    "eos_token_id": 1, "pad_token_id": 0,
}
BERT = {
    "vocab_size": TOKENS, "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 48,
    "max_position_embeddings": 130, "num_labels": 3, "pad_token_id": 0,
}
GPT2 = {"n_embd": 32, "n_layer": 2, "n_head": 4, "n_positions": 128, "bos_token_id": 1, "eos_token_id": 1}
T5 = {
    "vocab_size": TOKENS, "d_model": 32, "d_kv": 8, "d_ff": 48, "num_layers": 2, "num_heads": 4,
    "decoder_start_token_id": 0, "pad_token_id": 0, "eos_token_id": 1,
}
CAUSAL, PAIRS, CLASSES = AutoModelForCausalLM, AutoModelForSeq2SeqLM, AutoModelForSequenceClassification
FAMILIES = {
    "bert": (CLASSES, BertConfig(**BERT), ["query", "value"]),
    "roberta": (CLASSES, RobertaConfig(**BERT), ["query", "value"]),
    "distilbert": (
        CLASSES,
        DistilBertConfig(vocab_size=TOKENS, dim=32, n_layers=2, n_heads=4, hidden_dim=48, num_labels=3, pad_token_id=0),
        ["q_lin", "v_lin"],
    ),
    "gpt2": (CAUSAL, GPT2Config(vocab_size=TOKENS, **GPT2), ["c_attn"]),
    "llama": (CAUSAL, LlamaConfig(**LLAMA), ["q_proj", "v_proj", "down_proj"]),
    "mistral": (CAUSAL, MistralConfig(**LLAMA, sliding_window=8), ["q_proj", "v_proj"]),
    "qwen2": (CAUSAL, Qwen2Config(**LLAMA), ["q_proj", "o_proj"]),
    "qwen3": (CAUSAL, Qwen3Config(**LLAMA, head_dim=8), ["q_proj", "v_proj"]),
    "t5": (PAIRS, T5Config(**T5), ["q", "v"]),
    "t5 v1.1": (PAIRS, T5Config(**T5, feed_forward_proj="gated-gelu", tie_word_embeddings=False), ["q", "v"]),
}
TASK = {CAUSAL: "CAUSAL_LM", PAIRS: "SEQ_2_SEQ_LM", CLASSES: "SEQ_CLS"}


def main(pegbox: str, logits: str, data: str, plugins: str, *families: str) -> int:
    torch.manual_seed(1)
    worst = 0.0
    for family in families or FAMILIES:
        kind, config, targets = FAMILIES[family]
        rows = [row(kind, index) for index in range(6)]
        with tempfile.TemporaryDirectory() as folder:
            folder = Path(folder)
            found = checks(Path(pegbox), logits, Path(data), plugins, kind, config, targets, rows, folder)
            for what, difference in found.items():
                print(f"{family}: {what}: max abs difference {difference:.1e}", flush=True)
                worst = max(worst, difference)
    return 0 if worst < 1e-4 else 1


def checks(pegbox, logits, data, plugins, kind, config, targets, rows, folder: Path) -> dict:
    def ours(*arguments) -> torch.Tensor:
        text = "".join(json.dumps(row) + "\n" for row in rows)
        printed = subprocess.run([logits, *map(str, arguments)], input=text, capture_output=True, text=True)
        assert printed.returncode == 0, printed.stderr
        return torch.tensor([number for line in printed.stdout.splitlines() for number in json.loads(line)])

    def theirs(model) -> torch.Tensor:
        with torch.no_grad():
            return torch.cat([model.eval()(**tensors(row)).logits.flatten() for row in rows])

    def difference(a, b) -> float:
        assert a.shape == b.shape, (a.shape, b.shape)
        return (a - b).abs().max().item()

    found = {}
    base = kind.from_config(config)
    base.save_pretrained(folder / "base")
    whole = train(kind.from_pretrained(folder / "base"), kind)
    whole.save_pretrained(folder / "whole")
    found["whole, trained by Transformers, opened here"] = difference(theirs(whole), ours(folder / "whole"))
    # PEFT takes the base's class and the classifier from the adapter's folder, and so does Pegbox.
    lora = LoraConfig(r=4, lora_alpha=8, target_modules=targets, task_type=TASK[kind])
    adapted = train(get_peft_model(kind.from_pretrained(folder / "base"), lora), kind)
    adapted.save_pretrained(folder / "adapted")
    found["LoRA, trained by PEFT, opened here"] = difference(theirs(adapted), ours(folder / "base", folder / "adapted"))
    (folder / "base" / "tokenizer.json").write_bytes((data / "model" / "tokenizer.json").read_bytes())
    for name, adapter, export in [
        ("ours", "", 'plugin = "pegbox/hf-folder@^0.1"'),
        ("ours-adapted", f"[model.adapter]\nrank = 4\ntargets = {json.dumps(targets)}\n", 'builtin = "peft-folder"'),
    ]:
        recipe = folder / name
        recipe.mkdir()
        with gzip.open(data / "data" / "train.jsonl.gz", "rt", encoding="utf-8") as lines:
            texts = [line for line, _ in zip(lines, range(300))]
        if kind is CLASSES:
            texts = [json.loads(line)["source"] for line in texts]
            texts = [json.dumps({"source": text, "target": f"class {len(text) % 3}"}) + "\n" for text in texts]
        (recipe / "train.jsonl").write_text("".join(texts), encoding="utf-8")
        task, fields = {
            CLASSES: ("classification", 'text = "source", label = "target"'),
            CAUSAL: ("generation", 'prompt = "source", completion = "target"'),
            PAIRS: ("seq2seq", 'source = "source", target = "target"'),
        }[kind]
        (recipe / "pegbox.toml").write_text(f"""
[model]
source = "{folder}/base"
task = "{task}"
max-length = 64
{adapter}
[data]
train = "train.jsonl"
fields = {{ {fields} }}
split = {{ validation = 0.1, test = 0.1 }}

[train]
epochs = 1
batch = {{ rows = 32 }}
learning-rate = 3e-3
seed = 1

[[export]]
{export}
to = "out"
""")
        environment = {**os.environ, "PEGBOX_CACHE": str(folder / "cache"), "PEGBOX_PLUGINS": plugins}
        done = subprocess.run([pegbox, "run"], cwd=recipe, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
    model = kind.from_pretrained(folder / "ours" / "out")
    found["whole, trained here, opened by Transformers"] = difference(theirs(model), ours(folder / "ours" / "out"))
    adapted = PeftModel.from_pretrained(kind.from_pretrained(folder / "base"), folder / "ours-adapted" / "out")
    found["LoRA, trained here, opened by PEFT"] = difference(
        theirs(adapted), ours(folder / "base", folder / "ours-adapted" / "out")
    )
    changed = difference(theirs(adapted), theirs(kind.from_pretrained(folder / "base")))
    assert changed > 1e-3, "the adapter does nothing"
    return found


def row(kind, index: int) -> dict:
    """Ids, and for pairs also labels, of no padding."""
    numbers = torch.randint(2, TOKENS, (5 + 3 * index,)).tolist()
    return {"ids": numbers, **({"labels": numbers[::-2]} if kind is PAIRS else {})}


def tensors(row: dict) -> dict:
    return {{"ids": "input_ids"}.get(name, name): torch.tensor([numbers]) for name, numbers in row.items()}


def train(model, kind):
    optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=1e-2)
    model.train()
    for index in range(5):
        batch = tensors(row(kind, index))
        if kind is CAUSAL:
            batch["labels"] = batch["input_ids"]
        elif kind is CLASSES:
            batch["labels"] = torch.tensor([index % 3])
        model(**batch).loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    return model


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
