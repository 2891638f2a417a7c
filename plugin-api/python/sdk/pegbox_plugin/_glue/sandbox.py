"""What a component does not have, said in Python's words.

The system calls behind Python's library are stubs that end the call without a word. While the plugin is built
they work; `seal` then puts an exception in front of those that are likely to be met.
"""

import builtins
import importlib.machinery
import io
import os
import random
import sys
import time
from collections.abc import Callable
from typing import Any

from . import handles

_sealed = False

_FILES = "there are no files here: ask for `read` under [permissions] in plugin.toml and use pegbox_plugin.files, or read the file at the top of plugin.py, which runs while the plugin is built"
_CLOCK = "there is no clock here: ask for `clock` under [permissions] in plugin.toml and use pegbox_plugin.clock"
_RANDOM = "there is no randomness here: ask for `random` under [permissions] in plugin.toml and use pegbox_plugin.random"

_REFUSED: list[tuple[Any, str, str]] = [
    (builtins, "open open", _FILES),
    (io, "open open_code", _FILES),
    (os, "open stat lstat listdir scandir mkdir makedirs remove unlink rename rmdir walk access getcwd", _FILES),
    (time, "time time_ns monotonic monotonic_ns perf_counter perf_counter_ns process_time process_time_ns sleep localtime gmtime ctime strftime", _CLOCK),
    (os, "urandom getrandom", _RANDOM),
    (random, "_urandom", _RANDOM),
]


def install() -> None:
    """Puts the exceptions in place, asleep, before anybody can take a function by name."""
    for module, names, why in _REFUSED:
        for name in names.split():
            real = getattr(module, name, None)
            if real is not None:
                setattr(module, name, _until_sealed(f"{module.__name__}.{name}", real, why))


def seal() -> None:
    """From here on this is the host: called before the first call does anything."""
    global _sealed
    if _sealed:
        return
    _sealed = True
    finders = [importlib.machinery.BuiltinImporter, importlib.machinery.FrozenImporter, _NotBuilt()]
    sys.meta_path[:] = finders  # type: ignore[assignment]
    sys.stdout = sys.stderr = _Lines()
    handles.restore()


def _until_sealed(name: str, real: Callable[..., Any], why: str) -> Callable[..., Any]:
    def refused(*arguments: Any, **keywords: Any) -> Any:
        if _sealed:
            raise PermissionError(f"{name.removeprefix('builtins.').removeprefix('_')}: {why}")
        return real(*arguments, **keywords)

    return refused


class _NotBuilt:
    """Instead of a search for files."""

    def find_spec(self, name: str, path: object = None, target: object = None) -> None:
        raise ModuleNotFoundError(
            f"the module `{name}` was not imported while the plugin was built: import it at the top of plugin.py",
            name=name,
        )


class _Lines(io.TextIOBase):
    """What `print` writes to: the log, line by line, if the plugin may log."""

    def __init__(self) -> None:
        self.pending = ""
        try:
            from .._log import Level, log
        except ImportError:
            self.write_line: Callable[[str], None] | None = None
        else:
            self.write_line = lambda line: log(line, Level.INFO)

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        if self.write_line is not None:
            *lines, self.pending = (self.pending + text).split("\n")
            for line in lines:
                self.write_line(line)
        return len(text)
