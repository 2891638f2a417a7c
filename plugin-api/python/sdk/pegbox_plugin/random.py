"""Random numbers from the operating system. Needs ``random = true`` under [permissions]::

    from pegbox_plugin import random

    random.choice(["red", "green"])
    random.bytes(16)

Same input, same configuration, same output is what the host caches and resumes on: a plugin that keeps to it seeds
Python's ``random.Random`` with something of the record instead, for which no permission is needed.
"""

from random import Random as _Random
from typing import Any

from wit_world.imports import random as _wit

__all__ = ["HostRandom", "bytes", "choice", "randint", "random", "shuffle", "uniform"]


class HostRandom(_Random):
    """All that ``random.Random`` can do, with numbers from the host. It cannot be seeded."""

    def random(self) -> float:
        """From 0 up to but not including 1, in steps of 2 ** -53."""
        return (_wit.get_random_u64() >> 11) * 2.0**-53

    def getrandbits(self, k: int) -> int:
        """An int of ``k`` random bits."""
        if k < 0:
            raise ValueError("the number of bits is negative")
        whole = (k + 7) // 8
        return int.from_bytes(_wit.get_random_bytes(whole)) >> (whole * 8 - k)

    def seed(self, *arguments: Any, **keywords: Any) -> None:
        """Does nothing."""

    def getstate(self) -> Any:
        raise NotImplementedError("the host's random numbers have no state")

    def setstate(self, state: Any) -> None:
        raise NotImplementedError("the host's random numbers have no state")


_host = HostRandom()
random = _host.random
uniform = _host.uniform
randint = _host.randint
choice = _host.choice
shuffle = _host.shuffle
bytes = _host.randbytes
