"""Checks of what an author's method returned. The runtime behind the generated bindings would give up on a wrong
type without a word."""

from collections.abc import Iterable
from typing import Any

from .faults import AuthorFault


def all_of[T](kind: type[T], found: Any, method: str) -> list[T]:
    """`found` as a list, if it is of `kind` throughout."""
    if not isinstance(found, Iterable):
        raise AuthorFault(f"{method} returned {found!r}, not some {kind.__name__}s")
    values = found if type(found) is list else list(found)
    for value in values:
        if not isinstance(value, kind):
            raise AuthorFault(f"{method} returned {value!r} where a {kind.__name__} should be")
    return values


def check_texts(texts: list[Any], method: str) -> None:
    """Each is text that can cross the boundary."""
    try:
        "".join(texts).encode()
    except TypeError:
        wrong = next(text for text in texts if not isinstance(text, str))
        raise AuthorFault(f"{method} returned {wrong!r} where text should be") from None
    except UnicodeEncodeError:
        raise AuthorFault(f"{method} returned text with half of a surrogate pair, which is not UTF-8") from None


def as_bytes(found: Any, method: str) -> bytes:
    """`found`, if it is bytes or like them."""
    if isinstance(found, (bytes, bytearray, memoryview)):
        return bytes(found)
    raise AuthorFault(f"{method} returned {found!r}, not bytes")
