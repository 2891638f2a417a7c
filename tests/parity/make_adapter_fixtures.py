"""Make the parity fixtures of adapters from PEFT, on the small models that the other scripts made.

usage: make_adapter_fixtures.py

Writes beside this script, into adapters/NAME/, for each of the CASES:
  adapter_config.json, adapter_model.safetensors
                        an adapter as PEFT saves it, with random numbers in B where training begins with zeros.
  expected.safetensors  what PEFT computes without dropout: `logits`, `loss`, and `grad.NAME` of everything that is
                        trained, under the names of adapter_model.safetensors.
"""

import json
import shutil
from pathlib import Path

import peft
import torch
from peft import LoraConfig, get_peft_model
from peft.utils import get_peft_model_state_dict
from safetensors.torch import load_file, save_file
from transformers import AutoConfig, AutoModelForCausalLM, AutoModelForSeq2SeqLM, AutoModelForSequenceClassification

HERE = Path(__file__).resolve().parent

CASES = {
    "bert-lora": dict(
        base="bert", task_type="SEQ_CLS", r=4, lora_alpha=8, lora_dropout=0.1, target_modules=["query", "value"]
    ),
    "bert-dora": dict(
        base="bert", task_type="SEQ_CLS", r=3, lora_alpha=5, use_dora=True,
        target_modules=["query", "key", "dense"], exclude_modules=["bert.pooler.dense"],
    ),
    "distilbert-lora": dict(
        base="encoders/distilbert-single-label", task_type="SEQ_CLS", r=2, target_modules=["v_lin", "lin1", "lin2"],
        modules_to_save=["pre_classifier"],
    ),
    "qwen2-lora": dict(
        base="decoders/qwen2", weights="qwen2", task_type="CAUSAL_LM", r=4, lora_alpha=6, use_rslora=True,
        target_modules=["q_proj", "k_proj", "o_proj", "gate_proj", "down_proj"],
    ),
    "llama2-dora": dict(
        base="decoders/llama2", weights="llama", task_type="CAUSAL_LM", r=2, use_dora=True,
        target_modules=["v_proj", "up_proj", "down_proj"],
    ),
    "gpt2-lora": dict(
        base="decoders/gpt2", weights="gpt2", task_type="CAUSAL_LM", r=4, fan_in_fan_out=True,
        target_modules=["c_attn", "c_proj"],
    ),
    "gpt2-dora": dict(
        base="decoders/gpt2", weights="gpt2", task_type="CAUSAL_LM", r=2, use_dora=True, fan_in_fan_out=True,
        target_modules=["c_attn", "c_fc"],
    ),
    "t5-lora": dict(
        base="t5/v1.1", task_type="SEQ_2_SEQ_LM", r=4, lora_alpha=4, target_modules=["q", "v", "wi_1", "wo"]
    ),
    "t5-dora": dict(base="t5/v1.0", task_type="SEQ_2_SEQ_LM", r=2, use_dora=True, target_modules=["k", "o", "wi"]),
}  # fmt: skip


def load(base: str, weights: str | None):
    """The model, and what its batch file holds."""
    if not weights:
        case = json.loads((HERE / base / "batch.json").read_text())
        kind = AutoModelForSeq2SeqLM if base.startswith("t5") else AutoModelForSequenceClassification
        return kind.from_pretrained(HERE / base, attn_implementation="eager").eval(), case
    case = json.loads((HERE / f"{base}.json").read_text())
    model = AutoModelForCausalLM.from_config(AutoConfig.for_model(**case["config"]), attn_implementation="eager")
    state = load_file(HERE / "decoders" / f"weights-{weights}.safetensors")
    missing, unexpected = model.load_state_dict(state, strict=False)
    assert set(missing) <= {"lm_head.weight"} and not unexpected, (missing, unexpected)
    model.tie_weights()
    return model.eval(), case


def padded(rows: list[list[int]], value: int) -> torch.Tensor:
    width = max(map(len, rows))
    return torch.tensor([row + [value] * (width - len(row)) for row in rows])


def compute(model, case: dict, task_type: str):
    ids = padded(case["ids"], case.get("padding", 0))
    mask = padded([[1] * len(row) for row in case["ids"]], 0)
    if task_type == "SEQ_CLS":
        types = {"token_type_ids": padded(case["types"], 0)} if case.get("types") else {}
        logits = model(input_ids=ids, attention_mask=mask, **types).logits
        return logits, torch.nn.functional.cross_entropy(logits, torch.tensor(case["labels"]))
    output = model(input_ids=ids, attention_mask=mask, labels=padded(case["labels"], -100))
    return output.logits, output.loss


def make(name: str, base: str, weights: str | None = None, **settings) -> None:
    torch.manual_seed(sum(name.encode()))
    model, case = load(base, weights)
    model = get_peft_model(model, LoraConfig(base_model_name_or_path=base, **settings)).eval()
    for key, parameter in model.named_parameters():
        if "lora_B" in key:
            torch.nn.init.normal_(parameter, std=0.1)
        if "magnitude" in key:
            with torch.no_grad():
                parameter.mul_(torch.rand_like(parameter) + 0.5)
        if "modules_to_save" in key:
            with torch.no_grad():
                parameter.add_(torch.randn_like(parameter) * 0.05)

    logits, loss = compute(model, case, settings["task_type"])
    loss.backward()
    expected = {"logits": logits, "loss": loss.reshape(1)}
    named = dict(model.named_parameters())
    gradients = {key: parameter.grad for key, parameter in named.items() if parameter.grad is not None}
    for key, gradient in get_peft_model_state_dict(model, gradients).items():
        expected[f"grad.{key}"] = gradient

    folder = HERE / "adapters" / name
    shutil.rmtree(folder, ignore_errors=True)
    model.save_pretrained(folder)
    (folder / "README.md").unlink(missing_ok=True)
    save_file({key: tensor.detach().contiguous() for key, tensor in expected.items()}, folder / "expected.safetensors")
    # Nothing of the machine that made it.
    path = folder / "adapter_config.json"
    config = json.loads(path.read_text()) | {"base_model_name_or_path": base}
    # Sets, whose order changes from run to run.
    config["target_modules"].sort()
    path.write_text(json.dumps(config, indent=2, sort_keys=True) + "\n")
    print(f"{name}: loss {loss.item():.4f}, {len(expected) - 2} gradients")


if __name__ == "__main__":
    print(f"PEFT {peft.__version__}")
    for name, settings in CASES.items():
        make(name, **settings)
