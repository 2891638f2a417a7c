"""Makes data/tickets.jsonl.gz, a dirty version of a part of banking77, and data/truth.jsonl.gz, which says what was
done to each line; and data/test.jsonl.gz, the official test rows of the same intents, as they are.

    python3 make_dirty.py ../support-intents/data

Everything is drawn from one seed: the same lines each time (how gzip packs them depends on zlib). The standard library
is enough.
"""

import gzip
import hashlib
import html
import json
import random
import re
import sys
from pathlib import Path

SEED = 77
HERE = Path(__file__).parent / "data"
INTENTS = [
    "activate_my_card", "atm_support", "beneficiary_not_allowed", "cancel_transfer", "card_arrival",
    "card_payment_fee_charged", "card_payment_not_recognised", "cash_withdrawal_charge", "change_pin",
    "compromised_card", "contactless_not_working", "declined_card_payment", "edit_personal_details",
    "exchange_rate", "lost_or_stolen_phone", "passcode_forgotten", "pending_top_up", "request_refund",
    "terminate_account", "top_up_failed", "transaction_charged_twice", "transfer_timing", "verify_my_identity",
    "wrong_amount_of_cash_received",
]  # fmt: skip
# How many lines of each kind are planted.
EQUAL, NEAR, LOOKALIKES, LEAKED_EQUAL, LEAKED_INSIDE = 260, 240, 40, 20, 20
NOISE, NO_TEXT, NO_LABEL, MALFORMED = 60, 30, 25, 12
# The share of the other lines that each corruption hits.
FLIPPED, MOJIBAKE, MARKUP, PERSONAL, NO_CHANNEL = 0.05, 0.08, 0.10, 0.10, 0.06
MISSING = ["", "N/A", "null", "  ", "-"]


def main() -> None:
    source = Path(sys.argv[1])
    rng = random.Random(SEED)
    train = [row for row in read(source / "train.jsonl.gz") if row["label"] in INTENTS]
    test = [row for row in read(source / "test.jsonl.gz") if row["label"] in INTENTS]
    tickets = [ticket(rng, row["text"], row["label"]) for row in train]
    tickets += copies(rng, tickets) + leaks(rng, test)
    for made in tickets:
        corrupt(rng, made)
    tickets += rubbish(rng)
    rng.shuffle(tickets)
    number(tickets)
    lines = [spoil(rng, made) if made["truth"].get("malformed") else written(made) for made in tickets]
    write(HERE / "tickets.jsonl.gz", lines)
    write(HERE / "truth.jsonl.gz", [json.dumps(made["truth"], ensure_ascii=False) for made in tickets])
    write(HERE / "test.jsonl.gz", [json.dumps({**row, "channel": "test"}) for row in test])


def ticket(rng: random.Random, text: str, label: str) -> dict:
    channel = rng.choices(["app", "email", "web"], [5, 3, 2])[0]
    return {"text": text, "label": label, "channel": channel, "truth": {"label": label, "done": []}}


# Lines that say what another line says.


def copies(rng: random.Random, tickets: list[dict]) -> list[dict]:
    """Equal, near-equal and merely similar texts; `of` is the ticket itself until the lines are numbered."""
    made = []
    for kind, count in (("equal", EQUAL), ("near", NEAR), ("lookalike", LOOKALIKES)):
        while count:
            original = rng.choice(tickets)
            text = {"equal": in_other_case, "near": edited, "lookalike": reworded}[kind](rng, original["text"])
            alike = jaccard(original["text"], text)
            if {"equal": alike == 1, "near": 0.82 <= alike < 1, "lookalike": 0.4 < alike < 0.75}[kind]:
                copy = ticket(rng, text, original["label"])
                copy["truth"] |= {"done": [kind], "of": original, "jaccard": round(alike, 3)}
                original["copied"] = True
                made.append(copy)
                count -= 1
    return made


def leaks(rng: random.Random, test: list[dict]) -> list[dict]:
    """Test rows that got into the tickets: as they are, or inside a longer text."""
    equal = rng.sample(test, LEAKED_EQUAL)
    inside = rng.sample([row for row in test if len(row["text"].split()) >= 14], LEAKED_INSIDE)
    made = [ticket(rng, in_other_case(rng, row["text"]), row["label"]) for row in equal]
    made += [ticket(rng, f"Good morning, {row['text']} Please answer soon, thanks.", row["label"]) for row in inside]
    for number, leak in enumerate(made):
        leak["truth"]["done"] = ["leaked-equal" if number < LEAKED_EQUAL else "leaked-inside"]
    return made


def in_other_case(rng: random.Random, text: str) -> str:
    text = rng.choice([str.upper, str.lower, str.title, str])(text)
    return rng.choice([text, f"  {text} ", text.replace(" ", "  ", 2)])


def edited(rng: random.Random, text: str) -> str:
    """A typo, or a word more."""
    at = rng.randrange(1, len(text) - 1)
    swapped = text[: at - 1] + text[at] + text[at - 1] + text[at + 1 :]
    return rng.choice([swapped, text[:at] + text[at + 1 :], f"Hi, {text}", f"{text} Thanks"])


def reworded(rng: random.Random, text: str) -> str:
    words = text.split()
    kept = words[: max(3, len(words) * 2 // 3)]
    return " ".join([*kept, *rng.choice(["and nobody answers me", "since last week", "what now"]).split()])


def jaccard(one: str, other: str) -> float:
    """Of runs of five characters, as the recipe compares texts."""
    a, b = (shingles(" ".join(text.lower().split())) for text in (one, other))
    return len(a & b) / len(a | b)


def shingles(text: str) -> set[str]:
    return {text[at : at + 5] for at in range(max(1, len(text) - 4))}


# What happens to a line.


def corrupt(rng: random.Random, made: dict) -> None:
    truth = made["truth"]
    first_hand = not truth["done"]
    if first_hand and rng.random() < FLIPPED:
        made["label"] = rng.choice([label for label in INTENTS if label != made["label"]])
        truth["done"].append("flipped")
    if first_hand and "copied" not in made and rng.random() < PERSONAL:
        kind, value, sentence = personal(rng)
        made["text"] = f"{made['text']} {sentence}"
        truth["done"].append("personal")
        truth["personal"] = {"kind": kind, "value": value}
    clean = made["text"]
    if rng.random() < MARKUP:
        made["text"] = marked_up(rng, made["text"])
        truth["done"].append("markup")
    if rng.random() < MOJIBAKE and "'" in made["text"]:
        made["text"] = made["text"].replace("'", "’").encode().decode("windows-1252")
        clean = clean.replace("'", "’")
        truth["done"].append("mojibake")
    if made["text"] != clean:
        truth["clean"] = clean
    if rng.random() < NO_CHANNEL:
        made["channel"] = rng.choice(MISSING)
        truth["done"].append("no-channel")


def marked_up(rng: random.Random, text: str) -> str:
    escaped = html.escape(text, quote=False).replace("£", "&pound;")
    style = '<style>p { font-family: "Arial" }</style>'
    forms = [f"<p>{escaped}</p>", f"<div>{style}<p>{escaped}</p></div>", f"{escaped}<br><br>", f"<b>{escaped}</b>"]
    return rng.choice(forms)


def personal(rng: random.Random) -> tuple[str, str, str]:
    """None of it is anybody's: reserved domains, addresses and telephone numbers, made-up accounts."""
    kind = rng.choice(["email", "phone", "card", "iban", "ip"])
    digits = lambda count: "".join(rng.choice("0123456789") for _ in range(count))  # noqa: E731
    if kind == "email":
        value = f"{rng.choice(['jo', 'sam.lee', 'k_moore', 'ana+bank'])}{digits(2)}@example.{rng.choice(['com', 'org'])}"
        return kind, value, f"My email is {value}"
    if kind == "phone":
        value = rng.choice([f"+44 20 7946 0{digits(3)}", f"+44 7700 900{digits(3)}", f"(212) 555-01{digits(2)}"])
        return kind, value, f"Please call me on {value}"
    if kind == "card":
        number = f"4{digits(14)}"
        number += next(str(last) for last in range(10) if luhn(f"{number}{last}"))
        value = " ".join(re.findall("....", number)) if rng.random() < 0.7 else number
        return kind, value, f"The card number is {value}"
    if kind == "iban":
        bank = digits(18)
        check = 98 - int(f"{bank}131400") % 97  # DE00, letters as numbers
        value = f"DE{check:02}{bank}"
        return kind, value, f"It should go to {value}"
    value = f"203.0.113.{rng.randrange(1, 255)}"
    return kind, value, f"I was logged in from {value}"


def luhn(number: str) -> bool:
    doubled = [int(digit) * (2 if at % 2 else 1) for at, digit in enumerate(reversed(number))]
    return sum(digit - 9 if digit > 9 else digit for digit in doubled) % 10 == 0


# Lines that are of no use.


def rubbish(rng: random.Random) -> list[dict]:
    made = []
    for kind, count in (("noise", NOISE), ("no-text", NO_TEXT), ("no-label", NO_LABEL), ("malformed", MALFORMED)):
        for _ in range(count):
            text = noise(rng) if kind == "noise" else rng.choice(MISSING) if kind == "no-text" else sentence(rng)
            row = ticket(rng, text, rng.choice(INTENTS))
            row["truth"]["done"] = [kind]
            if kind == "no-label":
                row["label"] = rng.choice([*MISSING, None])
            if kind == "malformed":
                row["truth"]["malformed"] = True
            made.append(row)
    return made


def sentence(rng: random.Random) -> str:
    """A text of its own, so that it is gone for no other reason."""
    digits = rng.randrange(100_000, 999_999)
    return f"Ticket {digits}: {rng.choice(['see the attachment', 'as discussed', 'what about this one'])}?"


def noise(rng: random.Random) -> str:
    letters = lambda count: "".join(rng.choice("bcdfghjklmnpqrstvwxz") for _ in range(count))  # noqa: E731
    forms = [
        " ".join(letters(rng.randrange(4, 9)) for _ in range(5)),
        rng.choice("!?.") * rng.randrange(20, 60),
        "ha" * rng.randrange(12, 40),
        f"Vielen Dank für Ihre Nachricht, unser Büro ist bis zum {rng.randrange(1, 29)}. leider nicht besetzt.",
        f"Bonjour, je suis absent du bureau jusqu'au {rng.randrange(1, 29)} et je vous répondrai à mon retour.",
        "Здравствуйте, меня сейчас нет на месте " + "!" * rng.randrange(1, 9),
    ]
    return rng.choice(forms)


# Files.


def number(tickets: list[dict]) -> None:
    """Lines get their numbers, and originals are named by them."""
    for line, made in enumerate(tickets, 1):
        made["truth"] = {"line": line, **made["truth"]}
    for made in tickets:
        if "of" in made["truth"]:
            made["truth"]["of"] = made["truth"]["of"]["truth"]["line"]


def written(made: dict) -> str:
    return json.dumps({key: made[key] for key in ("text", "label", "channel")}, ensure_ascii=False)


def spoil(rng: random.Random, made: dict) -> str:
    line = written(made)
    cut = rng.randrange(len(line) // 3, len(line) - 3)
    return rng.choice([line[:cut], line.replace('"label"', "label", 1), f"[{line}", line[:-1]])


def read(path: Path) -> list[dict]:
    with gzip.open(path, "rt", encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def write(path: Path, lines: list[str]) -> None:
    text = "".join(f"{line}\n" for line in lines).encode()
    with open(path, "wb") as file, gzip.GzipFile("", "wb", 9, file, mtime=0) as packed:
        packed.write(text)
    print(f"{path.name}: {len(lines)} lines, sha256 of the lines {hashlib.sha256(text).hexdigest()}")


if __name__ == "__main__":
    main()
