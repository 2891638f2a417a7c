"""Handles of the host's objects, released at once and cheaply.

The runtime behind the bindings makes a `weakref.finalize` for each object that the host hands out. For a tensor that
takes longer than the whole operation whose result it is. It takes that class from the module when the build ends:
until then ours stands there.
"""

import weakref
from collections.abc import Callable
from typing import Any

_of_python = weakref.finalize


def install() -> None:
    """While the plugin is built."""
    setattr(weakref, "finalize", Handle)


def restore() -> None:
    """In the host, where the runtime has what it needs."""
    setattr(weakref, "finalize", _of_python)


class Handle:
    """Releases a handle when the object that holds it, alone, goes. Does what the runtime asks of a
    `weakref.finalize`."""

    __slots__ = ("index", "number", "release")

    def __init__(self, holder: object, release: Callable[[int, int], None], index: int, number: int) -> None:
        self.release: Callable[[int, int], None] | None = release
        self.index = index
        self.number = number

    def __del__(self) -> None:
        if self.release is not None:
            self.release(self.index, self.number)

    def detach(self) -> tuple[Any, ...]:
        """The handle goes elsewhere: it is not to be released here."""
        detached: tuple[Any, ...] = (None, self.release, (self.index, self.number), {})
        self.release = None
        return detached
