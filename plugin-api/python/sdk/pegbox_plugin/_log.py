"""Lines for Pegbox's log. Needs ``log = true`` under [permissions]."""

from wit_world.imports import logging as _wit
from wit_world.imports.logging import Level

__all__ = ["Level", "log"]


def log(message: object, level: Level = Level.INFO) -> None:
    """Writes one line: ``Level.DEBUG`` is shown with ``-vv``, ``INFO`` with ``-v``, ``WARNING`` always.

    A line break becomes a space, and the line is cut after 4096 bytes. Ends the call above the plugin's limit of
    lines a second (100, unless plugin.toml or the recipe says otherwise).
    """
    _wit.log(level, str(message).encode("utf-8", "replace").decode())
