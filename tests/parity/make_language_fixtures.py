"""Make a small chat model in both forms that it is exchanged in, and what Transformers says with it.

usage: make_language_fixtures.py

Writes beside this script, into language/:
  llama/           a random Llama with a byte-level BPE tokenizer and a chat template, as `save_pretrained` writes it
  llama.gguf       the same in llama.cpp's format: weights, tokenizer and template in one file
  bert.gguf        a random BERT with its vocabulary, that of the test project (tests/cli/fixture.rs)
  expected.json    greedy generation: of texts, and of the turns of a conversation, each with its prompt's token ids
"""

import json
import shutil
from pathlib import Path

import gguf
import numpy as np
import torch
import transformers
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    BertConfig,
    BertModel,
    LlamaConfig,
    PreTrainedTokenizerFast,
)

OUT = Path(__file__).resolve().parent / "language"
TEXTS = ["The river runs", "Seven cars", "Where is the old stone house by the river?"]
TURNS = ["Where is the river?", "And the old house?", "Thank you."]
SYSTEM = "You are brief."
NEW_TOKENS = 40
# The two likeliest tokens are at least so far apart in every step: what rounding does cannot change the choice.
GAP = 1e-3
CORPUS = [
    "The old stone house stands by the river. Where is the river? It runs below the house.",
    "You are brief. I am the system, you are the assistant, and that is the user.",
    "Seven red cars and a green tree. Thank you. And the cloud? The cloud is grey today.",
]
TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
SPECIAL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]


def tokenizer() -> PreTrainedTokenizerFast:
    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=340, special_tokens=SPECIAL, initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()), show_progress=False
    )
    made.train_from_iterator(CORPUS, trainer)
    fast = PreTrainedTokenizerFast(tokenizer_object=made, eos_token="<|im_end|>", unk_token="<|endoftext|>")
    fast.chat_template = TEMPLATE
    return fast


@torch.no_grad()
def greedy(model, ids: list[int]) -> list[int] | None:
    output = model.generate(
        torch.tensor([ids]),
        attention_mask=torch.ones(1, len(ids), dtype=torch.long),
        max_new_tokens=NEW_TOKENS,
        do_sample=False,
        pad_token_id=0,
        return_dict_in_generate=True,
        output_logits=True,
    )
    for scores in output.logits:
        first, second = scores[0].topk(2).values
        if first - second < GAP:
            return None
    return output.sequences[0, len(ids) :].tolist()


def make(seed: int, fast) -> tuple | None:
    torch.manual_seed(seed)
    config = LlamaConfig(
        vocab_size=len(fast), hidden_size=16, intermediate_size=24, num_hidden_layers=2, num_attention_heads=4,
        num_key_value_heads=2, max_position_embeddings=256, rms_norm_eps=1e-5, tie_word_embeddings=True,
        bos_token_id=None, eos_token_id=fast.eos_token_id, pad_token_id=None,
    )
    model = AutoModelForCausalLM.from_config(config).eval()
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.normal_(0.0, 0.5)
            if "norm" in name:
                parameter.add_(1.0)
        # Bytes that are no ASCII are unlikely: answers are texts.
        for token, number in fast.get_vocab().items():
            if not token.replace("\u0120", "").isascii():
                model.model.embed_tokens.weight[number] *= 0.05
        # So that answers end now and then.
        model.model.embed_tokens.weight[fast.eos_token_id] *= 1.6
    texts = []
    for text in TEXTS:
        ids = fast(text)["input_ids"]
        tokens = greedy(model, ids)
        if tokens is None:
            return None
        texts.append({"text": text, "ids": ids, "tokens": tokens, "decoded": fast.decode(tokens, skip_special_tokens=True)})
    messages, turns = [{"role": "system", "content": SYSTEM}], []
    for said in TURNS:
        messages.append({"role": "user", "content": said})
        text = fast.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
        ids = fast(text, add_special_tokens=False)["input_ids"]
        tokens = greedy(model, ids)
        if tokens is None:
            return None
        # What is no text comes back as replacement characters, and then the next prompt is another.
        answer = fast.decode(tokens, skip_special_tokens=True)
        messages.append({"role": "assistant", "content": answer})
        turns.append({"said": said, "ids": ids, "tokens": tokens, "decoded": answer})
    ends = [turn["tokens"][-1] == fast.eos_token_id for turn in turns]
    if "\ufffd" in json.dumps([texts, turns], ensure_ascii=False):
        return None
    if not any(ends) or all(ends) or any(len(turn["tokens"]) < 3 for turn in turns):
        return None
    return model, {"system": SYSTEM, "texts": texts, "turns": turns, "transformers": transformers.__version__}


def permute(weights: np.ndarray, heads: int) -> np.ndarray:
    """llama.cpp's order of rows (convert_hf_to_gguf.py)."""
    return weights.reshape(heads, 2, weights.shape[0] // heads // 2, weights.shape[1]).swapaxes(1, 2).reshape(weights.shape)


def write_gguf(model, fast, path: Path) -> None:
    config = model.config
    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.LLAMA, config.num_hidden_layers)
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_name("a small chat model")
    writer.add_license("apache-2.0")
    writer.add_block_count(config.num_hidden_layers)
    writer.add_embedding_length(config.hidden_size)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_context_length(config.max_position_embeddings)
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    writer.add_rope_freq_base(config.rope_parameters["rope_theta"])
    writer.add_rope_dimension_count(config.head_dim)
    writer.add_vocab_size(config.vocab_size)
    state = json.loads(fast.backend_tokenizer.to_str())
    vocabulary = sorted(fast.get_vocab().items(), key=lambda item: item[1])
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list([token for token, _ in vocabulary])
    kinds = [gguf.TokenType.CONTROL if token in SPECIAL else gguf.TokenType.NORMAL for token, _ in vocabulary]
    writer.add_token_types(kinds)
    writer.add_token_merges([merge if isinstance(merge, str) else " ".join(merge) for merge in state["model"]["merges"]])
    writer.add_eos_token_id(fast.eos_token_id)
    writer.add_chat_template(TEMPLATE)
    for theirs, tensor in model.state_dict().items():
        if theirs == "lm_head.weight":
            continue
        module, suffix = theirs.rsplit(".", 1)
        values = tensor.numpy()
        if ".q_proj." in theirs:
            values = permute(values, config.num_attention_heads)
        if ".k_proj." in theirs:
            values = permute(values, config.num_key_value_heads)
        writer.add_tensor(f"{names.get_name(module)}.{suffix}", np.ascontiguousarray(values), raw_dtype=gguf.GGMLQuantizationType.F32)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def write_bert(path: Path) -> None:
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    words = "red green blue grey car house tree river stone cloud the a is very today not old new".split()
    digits = [piece for digit in "0123456789" for piece in ("\u2581" + digit, digit)]
    tokens = special + ["\u2581" + word for word in words] + digits
    config = BertConfig(
        vocab_size=len(tokens), hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=24,
        max_position_embeddings=48, type_vocab_size=2,
    )
    torch.manual_seed(3)
    model = BertModel(config, add_pooling_layer=False).eval()
    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.BERT, config.num_hidden_layers)
    writer = gguf.GGUFWriter(path, "bert")
    writer.add_license("mit")
    writer.add_block_count(config.num_hidden_layers)
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_layer_norm_eps(config.layer_norm_eps)
    writer.add_causal_attention(False)
    writer.add_tokenizer_model("bert")
    writer.add_token_list(tokens)
    writer.add_token_type_count(2)
    writer.add_unk_token_id(1)
    writer.add_bos_token_id(2)
    writer.add_sep_token_id(3)
    writer.add_pad_token_id(0)
    for theirs, tensor in model.state_dict().items():
        if "position_ids" in theirs or "token_type_ids" in theirs:
            continue
        module, suffix = theirs.rsplit(".", 1)
        writer.add_tensor(f"{names.get_name(module)}.{suffix}", tensor.numpy(), raw_dtype=gguf.GGMLQuantizationType.F32)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def main() -> None:
    shutil.rmtree(OUT, ignore_errors=True)
    OUT.mkdir()
    fast = tokenizer()
    for seed in range(10_000):
        made = make(seed, fast)
        if made is not None:
            break
    else:
        raise SystemExit("no seed gives answers that end, and others that do not")
    model, expected = made
    model.generation_config.do_sample = False
    model.save_pretrained(OUT / "llama")
    fast.save_pretrained(OUT / "llama")
    write_gguf(model, fast, OUT / "llama.gguf")
    write_bert(OUT / "bert.gguf")
    (OUT / "expected.json").write_text(json.dumps(expected, sort_keys=True, indent=1) + "\n")
    # Both forms are the same model.
    again = AutoModelForCausalLM.from_pretrained(OUT / "llama").eval()
    assert greedy(again, expected["texts"][0]["ids"]) == expected["texts"][0]["tokens"]
    read = AutoModelForCausalLM.from_pretrained(OUT, gguf_file="llama.gguf").eval()
    assert greedy(read, expected["texts"][0]["ids"]) == expected["texts"][0]["tokens"]
    assert AutoTokenizer.from_pretrained(OUT / "llama")(TEXTS[0])["input_ids"] == expected["texts"][0]["ids"]
    print(f"seed {seed}, {len(fast)} tokens, turns of {[len(turn['tokens']) for turn in expected['turns']]} tokens")


if __name__ == "__main__":
    main()
