"""The time of day and a steady clock. Needs ``clock = true`` under [permissions]::

    from pegbox_plugin import clock

    started = clock.monotonic()
    today = clock.now().date()
"""

from datetime import UTC, datetime

from wit_world.imports import monotonic_clock as _monotonic, wall_clock as _wall

__all__ = ["monotonic", "now", "time"]


def now() -> datetime:
    """Date and time, in UTC."""
    at = _wall.now()
    return datetime.fromtimestamp(at.seconds, UTC).replace(microsecond=at.nanoseconds // 1000)


def time() -> float:
    """Seconds since 1970-01-01T00:00:00Z."""
    at = _wall.now()
    return at.seconds + at.nanoseconds / 1e9


def monotonic() -> float:
    """Seconds since some moment, never going back: what durations are measured with."""
    return _monotonic.now() / 1e9
