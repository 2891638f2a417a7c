"""What every plugin has, whatever its kind."""

from typing import Any, ClassVar


class Refusal(Exception):
    """A failure that the plugin foresees; the instance stays usable.

    :param message: what went wrong, and where: one sentence, no full stop. The user sees it as it is.
    :param help: how to mend it, if the plugin knows.
    """

    def __init__(self, message: str, *, help: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.help = help


class Plugin:
    """The base of all kinds; subclass the kinds, not this.

    A class may be of several kinds, ``class Both(Cleaner, Validator)``, as long as no method of theirs has the
    same name; or write a class for each kind, then each is configured with the same configuration.
    """

    schema: ClassVar[dict[str, Any]] = {"type": "object", "additionalProperties": False}
    """JSON Schema (draft 2020-12) of the configuration, which is an object. The host validates a recipe against
    it before ``configure`` sees the recipe; give a ``description`` to each property. By default nothing can be
    configured."""

    def configure(self, config: dict[str, Any]) -> None:
        """Takes the recipe's configuration, ``{}`` where the recipe gives none. Called once, before any method
        of a kind. Defaults that the schema names are not filled in.

        Raise :class:`Refusal` to refuse the recipe.
        """
