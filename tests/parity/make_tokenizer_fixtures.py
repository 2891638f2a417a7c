"""Make the parity fixtures of tokenization from Hugging Face Transformers.

usage: make_tokenizer_fixtures.py [TOKENIZERS]

TOKENIZERS is a folder with the model folders minilm, gpt2, smollm2 (tokenizer.json) and llama2 (tokenizer.model);
what is not there is left out, and what an earlier run wrote about it is kept. Writes beside this script:
  tokenizers/strings.json.gz  1,000 strings of many scripts, code, emoji, control characters.
  tokenizers/ids.json.gz      for each tokenizer a hash of each string's ids (FNV-1a of 64 bits over the ids' bytes),
                              and the ids of every fiftieth string.
  tokenizers/small-*.model    small SentencePiece models, trained here: BPE with byte fallback, and Unigram with a table
                              of characters.
  tokenizers/stored.json.gz   small vocabularies as GGUF stores them, one for each way to split text.
"""

import gzip
import io
import json
import random
import sys
import tempfile
from pathlib import Path

import sentencepiece
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import LlamaTokenizer, PreTrainedTokenizerFast, T5Tokenizer
from transformers.convert_slow_tokenizer import SentencePieceExtractor
from transformers.integrations.gguf.gguf_tokenizer_mapping import GGUF_PRE_TOKENIZER_SPLITS
from transformers.tokenization_utils_base import generate_merges

HERE = Path(__file__).resolve().parent / "tokenizers"
SCRIPTS = {
    "english": "The quick brown fox jumps over the lazy dog, doesn't it? It's 1999 or 2,048; they'll see. I'd've gone!",
    "german": "Falsches Üben von Xylophonmusik quält jeden größeren Zwerg. Straßenbahnhaltestellenschild",
    "french": "Voix ambiguë d'un cœur qui, au zéphyr, préfère les jattes de kiwis. L'été à l'île",
    "turkish": "Pijamalı hasta yağız şoföre çabucak güvendi. İSTANBUL ıslak",
    "russian": "Съешь же ещё этих мягких французских булок, да выпей чаю.",
    "greek": "Ξεσκεπάζω την ψυχοφθόρα βδελυγμία. Ὀδυσσεύς",
    "arabic": "نص حكيم له سر قاطع وذو شأن عظيم مكتوب على ثوب أخضر ومغلف بجلد أزرق ١٢٣",
    "hebrew": "דג סקרן שט בים מאוכזב ולפתע מצא לו חברה",
    "hindi": "ऋषियों को सताने वाले दुष्ट राक्षसों के राजा रावण का सर्वनाश करने वाले १२३",
    "thai": "เป็นมนุษย์สุดประเสริฐเลิศคุณค่า กว่าบรรดาฝูงสัตว์เดรัจฉาน",
    "chinese": "我能吞下玻璃而不伤身体。天地玄黄，宇宙洪荒。",
    "japanese": "いろはにほへと ちりぬるを カタカナ ﾊﾝｶｸ 漢字かな交じり文１２３",
    "korean": "키스의 고유조건은 입술끼리 만나야 하고 특별한 기술은 필요치 않다",
    "vietnamese": "Do bạch kim rất quý nên sẽ dùng để lắp vô xương. Tiếng Việt",
    "code": "fn main() { let x: Vec<u32> = (0..10).map(|i| i << 2).collect(); }\n\tif (a != b && c >= 0x1F) return a->b[i++];",
    "python": "def f(x):\n    \"\"\"Doc.\"\"\"\n    return {k: v**2 for k, v in x.items() if k not in ('a', \"b\")}\n\n\n# end",
    "urls": "https://example.org/a/b?c=d&e=%20f#g user@example.org C:\\dir\\file.txt ../path ~/.config",
    "numbers": "0 00 007 3.14159 1e-10 1,234,567.89 ½ ² ٣ Ⅷ 10^6 −5 50% $9.99 €1.50",
    "emoji": "😀 👍🏽 👩‍👩‍👧‍👦 🇨🇭 ❤️ ✈️ 🏳️‍🌈 🧑🏿‍🚀 ☃ ⌘",
    "combining": "e\u0301 n\u0303 o\u0308\u0304 Z\u0351\u036b\u0343a\u0333 ﬁ ﬀ Å Å ḍ̇",
    "special": "<|endoftext|> <|im_start|>user <s> </s> <unk> [CLS] [SEP] [MASK] [PAD] <0x0A> ▁ ▁▁x Ġ ##ing <extra_id_0>",
    "punctuation": "…“quoted” ‘single’ – — ‑ « » ¿¡ ‰ § ¶ † !!! ??? ... ,;: ()[]{}<> ~`@#$%^&*_+=|\\/",
    "spaces": " \t  \n\n \r\n\u00a0\u2003\u3000\u200b\ufeff\u2028\u2029\u0085",
    "control": "\u0000\u0001\u0007\u0008\u000b\u000c\u001b[31m\u007f\u0080\u009f\ufffd\ue000\U0010fffd",
}


def strings() -> list[str]:
    draw = random.Random(17)
    made = list(SCRIPTS.values()) + ["", " ", "  ", "\n", "a", " a", "a ", "\t", "ß", "😀", "\u0301"]
    pieces = [piece for text in SCRIPTS.values() for piece in text.split(" ")]
    while len(made) < 1000:
        kind = len(made) % 10
        if kind < 4:
            name = draw.choice(list(SCRIPTS))
            text = SCRIPTS[name]
            start = draw.randrange(len(text))
            text = text[start : start + draw.randrange(1, 40)]
        elif kind < 7:
            text = " ".join(draw.choice(pieces) for _ in range(draw.randrange(1, 9)))
        elif kind == 7:
            text = "".join(draw.choice(draw.choice(list(SCRIPTS.values()))) for _ in range(draw.randrange(1, 30)))
        elif kind == 8:
            text = draw.choice([draw.choice(pieces) * draw.randrange(1, 40), draw.choice("aAß0 \n\t.-漢") * draw.randrange(1, 150)])
        else:
            point = draw.choice([draw.randrange(0x20, 0x3000), draw.randrange(0x3000, 0xD800), draw.randrange(0xE000, 0x20000)])
            text = draw.choice(pieces) + chr(point) + draw.choice(pieces)
        text = " " * draw.choice([0, 0, 0, 1, 2, 5]) + text + " " * draw.choice([0, 0, 0, 1, 3])
        made.append(text)
    return made


def fnv(ids: list[int]) -> str:
    value = 0xCBF29CE484222325
    for token in ids:
        for byte in token.to_bytes(4, "little"):
            value = ((value ^ byte) * 0x100000001B3) & 0xFFFFFFFFFFFFFFFF
    return f"{value:016x}"


def rows(encode, texts: list[str]) -> dict:
    ids = [list(encode(text)) for text in texts]
    return {"hashes": [fnv(row) for row in ids], "rows": {i: ids[i] for i in range(0, len(ids), 50)}}


def reference(folder: Path, texts: list[str]) -> dict:
    if (folder / "tokenizer.json").is_file():
        # As the file has it: Transformers' own GPT2Tokenizer would not split SmolLM2's digits.
        tokenizer = PreTrainedTokenizerFast(tokenizer_file=str(folder / "tokenizer.json"))
    else:
        tokenizer = LlamaTokenizer.from_pretrained(folder)
    return rows(lambda text: tokenizer(text)["input_ids"], texts)


def corpus(texts: list[str]) -> list[str]:
    return list(SCRIPTS.values()) * 3 + texts


def sentence_pieces(texts: list[str]) -> None:
    """BPE as Llama trains it, and Unigram with a few replacements of characters."""
    lines = [line for text in corpus(texts) for line in text.splitlines() if line.strip() and "\0" not in line]
    common = {"character_coverage": 0.98, "num_threads": 1, "minloglevel": 2, "hard_vocab_limit": False}
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(lines), model_writer=model, model_type="bpe", vocab_size=900, byte_fallback=True,
        normalization_rule_name="identity", remove_extra_whitespaces=False, split_digits=True, **common,
    )
    (HERE / "small-bpe.model").write_bytes(model.getvalue())
    with tempfile.NamedTemporaryFile("w", suffix=".tsv") as rules:
        rules.write("FB01\t66 69\nC5\tE5\n65 301\tE9\n3000\t20\nA0\t20\n9\t20\nA\t20\nD\t20\n")
        rules.flush()
        model = io.BytesIO()
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter(lines), model_writer=model, model_type="unigram", vocab_size=700,
            normalization_rule_tsv=rules.name, pad_id=0, eos_id=1, unk_id=2, bos_id=-1, **common,
        )
    (HERE / "small-unigram.model").write_bytes(model.getvalue())


def small(texts: list[str]) -> dict:
    made = {}
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "tokenizer.model").write_bytes((HERE / "small-bpe.model").read_bytes())
        made["small-bpe"] = reference(Path(folder), texts)
    extracted = SentencePieceExtractor(str(HERE / "small-unigram.model")).extract(models.Unigram)
    tokenizer = T5Tokenizer(vocab=extracted["vocab"], _spm_precompiled_charsmap=extracted["_spm_precompiled_charsmap"], extra_ids=0)
    made["small-unigram"] = rows(lambda text: tokenizer(text)["input_ids"], texts)
    return made


def byte_level(name: str, texts: list[str]) -> tuple[dict, dict]:
    tokenizer = Tokenizer(models.BPE(ignore_merges=name == "llama-bpe"))
    letters = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
    if name == "gpt-2":
        tokenizer.pre_tokenizer = letters
    elif name == "smollm":
        tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Digits(individual_digits=True), letters])
    else:
        split = pre_tokenizers.Split(Regex(GGUF_PRE_TOKENIZER_SPLITS[name]), behavior="isolated")
        letters = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
        tokenizer.pre_tokenizer = pre_tokenizers.Sequence([split, letters])
    if name == "qwen2":
        tokenizer.normalizer = normalizers.NFC()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    special = ["<|endoftext|>", "<|im_start|>", "<think>"]
    trainer = trainers.BpeTrainer(vocab_size=600, initial_alphabet=alphabet, special_tokens=special[:2], show_progress=False)
    tokenizer.train_from_iterator(corpus(texts), trainer)
    tokenizer.add_tokens([AddedToken(special[2], normalized=False)])
    vocabulary = sorted(tokenizer.get_vocab().items(), key=lambda item: item[1])
    merges = [" ".join(pair) for pair in json.loads(tokenizer.to_str())["model"]["merges"]]
    stored = {
        "tokenizer.ggml.model": "gpt2",
        "tokenizer.ggml.pre": name,
        "tokenizer.ggml.tokens": [token for token, _ in vocabulary],
        "tokenizer.ggml.token_type": [{special[0]: 3, special[1]: 3, special[2]: 4}.get(token, 1) for token, _ in vocabulary],
        "tokenizer.ggml.merges": merges,
        "tokenizer.ggml.bos_token_id": 1,
        "tokenizer.ggml.eos_token_id": 0,
        "tokenizer.ggml.add_bos_token": name == "llama-bpe",
    }
    begin = [1] if name == "llama-bpe" else []
    return stored, rows(lambda text: begin + tokenizer.encode(text).ids, texts)


def word_piece(texts: list[str]) -> tuple[dict, dict]:
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.train_from_iterator(corpus(texts), trainers.WordPieceTrainer(vocab_size=700, special_tokens=special, show_progress=False))
    tokenizer.post_processor = processors.TemplateProcessing(single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)])
    vocabulary = [token for token, _ in sorted(tokenizer.get_vocab().items(), key=lambda item: item[1])]
    # As llama.cpp's converter writes it.
    tokens = [token if token in special else token[2:] if token.startswith("##") else "\u2581" + token for token in vocabulary]
    stored = {
        "tokenizer.ggml.model": "bert",
        "tokenizer.ggml.tokens": tokens,
        "tokenizer.ggml.token_type": [3 if token in special else 1 for token in vocabulary],
        "tokenizer.ggml.unknown_token_id": 1,
        "tokenizer.ggml.cls_token_id": 2,
        "tokenizer.ggml.seperator_token_id": 3,
    }
    return stored, rows(lambda text: tokenizer.encode(text).ids, texts)


def llama(texts: list[str]) -> tuple[dict, dict]:
    """The small BPE, with merges by score as for GGUF."""
    proto = SentencePieceExtractor(str(HERE / "small-bpe.model")).proto
    tokens = [piece.piece for piece in proto.pieces]
    scores = [piece.score for piece in proto.pieces]
    vocabulary = {token: index for index, token in enumerate(tokens)}
    tokenizer = LlamaTokenizer(vocab=vocabulary, merges=generate_merges(vocabulary, dict(zip(tokens, scores))))
    stored = {
        "tokenizer.ggml.model": "llama",
        "tokenizer.ggml.tokens": tokens,
        "tokenizer.ggml.scores": scores,
        "tokenizer.ggml.token_type": [piece.type for piece in proto.pieces],
        "tokenizer.ggml.bos_token_id": 1,
        "tokenizer.ggml.eos_token_id": 2,
        "tokenizer.ggml.unknown_token_id": 0,
    }
    return stored, rows(lambda text: tokenizer(text)["input_ids"], texts)


def t5(texts: list[str]) -> tuple[dict, dict]:
    proto = SentencePieceExtractor(str(HERE / "small-unigram.model")).proto
    blanks = [f"[PAD{len(proto.pieces) + i}]" for i in range(100)]
    charsmap = proto.normalizer_spec.precompiled_charsmap
    stored = {
        "tokenizer.ggml.model": "t5",
        "tokenizer.ggml.tokens": [piece.piece for piece in proto.pieces] + blanks,
        "tokenizer.ggml.scores": [piece.score for piece in proto.pieces] + [-1000.0] * 100,
        "tokenizer.ggml.token_type": [piece.type for piece in proto.pieces] + [4] * 100,
        "tokenizer.ggml.eos_token_id": 1,
        "tokenizer.ggml.unknown_token_id": 2,
        "tokenizer.ggml.padding_token_id": 0,
        "tokenizer.ggml.precompiled_charsmap": list(charsmap),
    }
    vocabulary = [(piece.piece, piece.score) for piece in proto.pieces] + [(f"<extra_id_{99 - i}>", -1000.0) for i in range(100)]
    tokenizer = T5Tokenizer(vocab=vocabulary, _spm_precompiled_charsmap=charsmap, extra_ids=100)
    return stored, rows(lambda text: tokenizer(text)["input_ids"], texts)


def write(name: str, value) -> None:
    (HERE / name).write_bytes(gzip.compress(json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass"), 9, mtime=0))


def main() -> None:
    HERE.mkdir(exist_ok=True)
    texts = strings()
    sentence_pieces(texts)
    stored, ids = {}, {}
    if (HERE / "ids.json.gz").is_file():
        ids = json.loads(gzip.decompress((HERE / "ids.json.gz").read_bytes()))
    ids.update(small(texts))
    for name in ("gpt-2", "smollm", "llama-bpe", "qwen2", "tekken"):
        stored[name], ids[f"stored-{name}"] = byte_level(name, texts)
    stored["bert"], ids["stored-bert"] = word_piece(texts)
    stored["llama"], ids["stored-llama"] = llama(texts)
    stored["t5"], ids["stored-t5"] = t5(texts)
    if len(sys.argv) > 1:
        for name in ("minilm", "gpt2", "smollm2", "llama2"):
            folder = Path(sys.argv[1]) / name
            if folder.is_dir():
                ids[name] = reference(folder, texts)
    write("strings.json.gz", texts)
    write("ids.json.gz", ids)
    write("stored.json.gz", stored)
    print({name: len(row["hashes"]) for name, row in ids.items()})


if __name__ == "__main__":
    main()
