"""Make the parity fixtures of generation from Hugging Face Transformers.

usage: make_generation_fixtures.py

Writes beside this script:
  generation/model.safetensors   a language model of two tables, `last` [V, V] and `previous` [V + 1, V]: the logits
                                 are `last[t] + previous[s]` for a text that ends with the tokens s t, and the last
                                 row of `previous` stands for no token before t.
  generation/cases.json          prompts, the fields of a generation_config.json, and what `generate` of
                                 Transformers makes of them: token ids (the prompt left out, the end of sequence in),
                                 and the score of each where it is a beam search.
  generation/distributions.json  the probabilities of the next token after Transformers' logits processors.
"""

import json
from pathlib import Path

import torch
from safetensors.torch import save_file
from transformers import GenerationConfig, GenerationMixin, PretrainedConfig, PreTrainedModel
from transformers.modeling_outputs import CausalLMOutput

HERE = Path(__file__).resolve().parent / "generation"
VOCABULARY, PAD, EOS, OTHER_EOS = 40, 0, 1, 2


class TablesConfig(PretrainedConfig):
    model_type = "tables"
    num_hidden_layers = 1


class Tables(PreTrainedModel, GenerationMixin):
    config_class = TablesConfig

    def __init__(self, config):
        super().__init__(config)
        self.last = torch.nn.Parameter(torch.zeros(VOCABULARY, VOCABULARY))
        self.previous = torch.nn.Parameter(torch.zeros(VOCABULARY + 1, VOCABULARY))
        self.post_init()

    def _init_weights(self, module):
        pass

    def forward(self, input_ids, attention_mask=None, **_):
        mask = torch.ones_like(input_ids) if attention_mask is None else attention_mask
        shifted = torch.nn.functional.pad(input_ids, (1, 0), value=VOCABULARY)[:, :-1]
        known = torch.nn.functional.pad(mask, (1, 0), value=0)[:, :-1].bool()
        before = torch.where(known, shifted, VOCABULARY)
        return CausalLMOutput(logits=self.last[input_ids] + self.previous[before])


def prompts(count: int) -> list[list[int]]:
    lengths = [1, 4, 2, 7, 3, 1, 5, 2]
    return [torch.randint(3, VOCABULARY, (lengths[i % len(lengths)],)).tolist() for i in range(count)]


def run(model, rows, **settings) -> dict:
    width = max(map(len, rows))
    ids = torch.tensor([[PAD] * (width - len(row)) + row for row in rows])
    mask = torch.tensor([[0] * (width - len(row)) + [1] * len(row) for row in rows])
    config = GenerationConfig(pad_token_id=PAD, use_cache=False, **settings)
    output = model.generate(
        ids, attention_mask=mask, generation_config=config, return_dict_in_generate=True, output_scores=True
    )
    ends = settings["eos_token_id"]
    ends = ends if isinstance(ends, list) else [ends]
    answers = []
    for row in output.sequences[:, width:].tolist():
        end = next((i for i, token in enumerate(row) if token in ends), None)
        answers.append(row if end is None else row[: end + 1])
    scores = getattr(output, "sequences_scores", None)
    return {
        "settings": settings,
        "prompts": rows,
        "answers": answers,
        "scores": None if scores is None else scores.tolist(),
    }


def cases(model) -> list[dict]:
    made = []
    for eos in (EOS, [EOS, OTHER_EOS]):
        base = {"eos_token_id": eos}
        made.append(run(model, prompts(8), max_new_tokens=200, **base))
        made.append(run(model, prompts(4), max_new_tokens=30, repetition_penalty=1.3, **base))
        made.append(run(model, prompts(4), max_new_tokens=30, repetition_penalty=0.8, **base))
        made.append(run(model, prompts(4), max_new_tokens=60, no_repeat_ngram_size=2, **base))
        made.append(run(model, prompts(4), max_new_tokens=60, no_repeat_ngram_size=3, min_new_tokens=25, **base))
        made.append(run(model, [[5, 9]], max_length=12, min_length=9, **base))
        for beams in (2, 4):
            for penalty in (0.0, 0.6, 1.0, 2.0, -1.0):
                for early in (False, True, "never"):
                    made.append(
                        run(
                            model,
                            prompts(4),
                            max_new_tokens=24,
                            num_beams=beams,
                            length_penalty=penalty,
                            early_stopping=early,
                            num_return_sequences=1 if early else beams,
                            **base,
                        )
                    )
        made.append(run(model, prompts(4), max_new_tokens=24, num_beams=4, repetition_penalty=1.5, **base))
        made.append(
            run(model, prompts(3), max_new_tokens=24, num_beams=4, no_repeat_ngram_size=2, min_new_tokens=6, **base)
        )
    return made


def distributions(model) -> list[dict]:
    """One case for each processor, and for them together, in Transformers' order."""
    settings = [
        {},
        {"repetition_penalty": 1.3},
        {"repetition_penalty": 0.7},
        {"no_repeat_ngram_size": 2},
        {"no_repeat_ngram_size": 1},
        {"min_new_tokens": 4},
        {"temperature": 0.7},
        {"temperature": 1.9},
        {"top_k": 5},
        {"top_k": 1},
        {"top_k": 400},
        {"top_p": 0.9},
        {"top_p": 0.3},
        {"top_p": 0.999},
        {"min_p": 0.05},
        {"min_p": 0.5},
        {"repetition_penalty": 1.2, "no_repeat_ngram_size": 3, "min_new_tokens": 9, "temperature": 0.8, "top_k": 20,
         "top_p": 0.8, "min_p": 0.02},
    ]
    made = []
    for chosen in settings:
        # Every processor sees two histories: one short, one in which tokens and pairs come again.
        for history, new in (([7, 11, 3], 0), ([9, 4, 9, 12, 9, 4, 5, 9, 4], 5)):
            # Transformers' own top_k is 50 where none is given, which is more than this model has tokens.
            config = GenerationConfig(do_sample=True, eos_token_id=[EOS, OTHER_EOS], **chosen)
            model._prepare_special_tokens(config, device="cpu")
            for name, value in model.generation_config._get_default_generation_params().items():
                if getattr(config, name, None) is None:
                    setattr(config, name, value)
            ids = torch.tensor([history])
            processors = model._get_logits_processor(
                config, input_ids_seq_length=len(history) - new, device="cpu", model_kwargs={}
            )
            logits = model(ids).logits[:, -1].detach()
            scores = processors(ids, logits.clone())
            made.append(
                {
                    "settings": {"do_sample": True, "eos_token_id": [EOS, OTHER_EOS], **chosen},
                    "history": history,
                    "new": new,
                    "processors": [type(processor).__name__ for processor in processors],
                    "probabilities": torch.softmax(scores, -1)[0].tolist(),
                }
            )
    return made


def main() -> None:
    HERE.mkdir(exist_ok=True)
    torch.manual_seed(11)
    model = Tables(TablesConfig(vocab_size=VOCABULARY)).eval()
    with torch.no_grad():
        model.last.normal_(0.0, 1.4)
        model.previous.normal_(0.0, 1.4)
        # So that texts end, some sooner than others.
        model.last[:, EOS].add_(0.4)
        # Padding and what only stands for the end never come in between.
        model.last[:, PAD] = -20.0
        save_file({"last": model.last.data, "previous": model.previous.data}, HERE / "model.safetensors")
        (HERE / "cases.json").write_text(compact(cases(model)))
        (HERE / "distributions.json").write_text(compact(distributions(model)))


def compact(rows: list) -> str:
    """One case a line."""
    return "[\n" + ",\n".join(json.dumps(row) for row in rows) + "\n]\n"


if __name__ == "__main__":
    main()
