"""Environment variables that plugin.toml names under [permissions] and the recipe grants::

    from pegbox_plugin import environment

    token = environment.get("REVIEW_TOKEN")
"""

from wit_world.imports import environment as _wit

__all__ = ["get", "variables"]


def variables() -> dict[str, str]:
    """Those that are granted and set."""
    return dict(_wit.get_environment())


def get(name: str, default: str | None = None) -> str | None:
    """The value of one, or ``default`` where it is not granted or not set."""
    return variables().get(name, default)
