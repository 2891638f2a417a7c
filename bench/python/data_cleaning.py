"""The cleaners of data_peer.py: what pegbox's do, written as one would in Python. Each looks first whether there is
anything to do, because most rows are clean."""

import html
import ipaddress
import re
import unicodedata
from collections import Counter

import ftfy
from ftfy.fixes import remove_control_chars

MISSING = {"", "n/a", "null", "none", "nan", "-"}

BLOCKS = re.compile(
    r"</?(?:p|div|br|hr|li|ul|ol|table|tr|td|h[1-6]|html|head|body|title|blockquote|pre)\b[^<>]*>", re.IGNORECASE
)
HIDDEN = re.compile(r"<!--.*?-->|<(script|style)\b.*?</\1\s*>", re.IGNORECASE | re.DOTALL)
TAGS = re.compile(r"</?[a-zA-Z][^<>]*>")

DIGITS = re.compile(r"\d")
WORDS = re.compile(r"[a-z]{3,}")
UNSPEAKABLE = re.compile(r"[bcdfghjklmnpqrstvwxz]{5,}|^[^aeiouy]+$")

EMAIL = re.compile(r"[A-Za-z0-9._%+'-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,24}\b")
IBAN = re.compile(r"\b([A-Z]{2})\d{2}(?=[ -]?[A-Z0-9])", re.IGNORECASE)
IBAN_LENGTHS = {
    "AD": 24, "AE": 23, "AT": 20, "BE": 16, "BG": 22, "CH": 21, "CY": 28, "CZ": 24, "DE": 22, "DK": 18, "EE": 20,
    "ES": 24, "FI": 18, "FR": 27, "GB": 22, "GR": 27, "HR": 21, "HU": 28, "IE": 22, "IS": 26, "IT": 27, "LI": 21,
    "LT": 20, "LU": 20, "LV": 21, "MC": 27, "MT": 31, "NL": 18, "NO": 15, "PL": 28, "PT": 25, "RO": 24, "SA": 24,
    "SE": 24, "SI": 19, "SK": 24, "SM": 27, "TR": 26,
}
CARD = re.compile(r"(?<![\w.-])\d(?:[ -]?\d){12,18}(?!\w)")
IPV4 = re.compile(r"(?<![\w.])(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(?:25[0-5]|2[0-4]\d|1?\d?\d)(?!\w|\.\d)")
IPV6 = re.compile(r"(?<![\w:.])[0-9A-F]{1,4}:[0-9A-F:]*:[0-9A-F]{1,4}(?!\w)", re.IGNORECASE)
PHONE = re.compile(
    r"(?<![\w+])\+\d{1,3}[ ./-]?(?:\(0?\d{1,4}\)[ .-]?)?\d(?:[ ./-]?\d){6,12}(?!\w)"
    r"|(?<![\w.-])(?:1[ .-])?(?:\(\d{3}\) ?|\d{3}([ .-]))\d{3}[ .-]\d{4}(?!\w)"
    r"|(?<![\w.-])0[1-9]\d{0,3}(?:[ /-]\d{2,8}){1,4}(?!\w)"
)
NAMED_PHONE = re.compile(
    r"(\b(?:call|phone|mobile|number|reach|ring|tel|text|fax)\b[^\d\n]{0,20})(\d{7,15})(?!\w)", re.IGNORECASE
)


def repair(text: str) -> str:
    return text if text.isascii() else remove_control_chars(ftfy.fix_encoding(text))


def strip_markup(text: str) -> str:
    if "<" in text:
        text = TAGS.sub("", BLOCKS.sub("\n", HIDDEN.sub("", text)))
    return html.unescape(text) if "&" in text else text


def normalize(text: str) -> str:
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text)
    return " ".join(text.split())


def is_missing(value: str | None) -> bool:
    return value is None or (len(value) < 8 and value.strip().lower() in MISSING)


def noise(text: str) -> str | None:
    """Why a text is none, or None."""
    characters = text.replace(" ", "")
    if len(characters) < 2:
        return "too-short"
    letters, digits = sum(map(str.isalpha, characters)), sum(map(str.isdigit, characters))
    if letters + digits < 0.5 * len(characters):
        return "symbols"
    if digits > 0.7 * len(characters):
        return "mostly-digits"
    text = text.lower()
    words = text.split()
    if len(words) >= 5 and Counter(words).most_common(1)[0][1] > 0.6 * len(words):
        return "repetition"
    if len(set(zip(characters, characters[1:], characters[2:]))) < 0.4 * len(characters):
        return "repetition"
    spoken = WORDS.findall(text)
    if spoken and sum(1 for word in spoken if UNSPEAKABLE.search(word)) > 0.25 * len(spoken):
        return "gibberish"
    return None


def luhn(number: str) -> bool:
    digits = [int(digit) for digit in number if digit.isdigit()]
    doubled = (2 * digit - 9 if digit > 4 else 2 * digit for digit in digits[-2::-2])
    return sum(digits[-1::-2]) % 10 == -sum(doubled) % 10


def replace_ibans(text: str) -> str:
    parts, done = [], 0
    for start in IBAN.finditer(text):
        length = IBAN_LENGTHS.get(start.group(1).upper())
        if length is None or start.start() < done:
            continue
        end, found = start.start(), []
        while end < len(text) and len(found) < length:
            if text[end].isalnum():
                found.append(text[end].upper())
            elif text[end] not in " -":
                break
            end += 1
        if len(found) < length or (end < len(text) and text[end].isalnum()):
            continue
        number = "".join(found)
        if int("".join(str(int(sign, 36)) for sign in number[4:] + number[:4])) % 97 == 1:
            parts += [text[done : start.start()], "[IBAN]"]
            done = end
    return "".join(parts) + text[done:] if parts else text


def replace_ipv6(found: re.Match) -> str:
    try:
        ipaddress.IPv6Address(found.group())
    except ValueError:
        return found.group()
    return "[IP]"


def scrub(text: str) -> str:
    if "@" in text:
        text = EMAIL.sub("[EMAIL]", text)
    if len(DIGITS.findall(text)) < 4:
        return text
    text = replace_ibans(text)
    text = CARD.sub(lambda found: "[CARD]" if luhn(found.group()) else found.group(), text)
    if "." in text:
        text = IPV4.sub("[IP]", text)
    if ":" in text:
        text = IPV6.sub(replace_ipv6, text)
    text = PHONE.sub("[PHONE]", text)
    return NAMED_PHONE.sub(r"\1[PHONE]", text)
