"""Records as cleaners and validators see them: in batches, with the fields that plugin.toml names."""

from collections.abc import Iterator

from wit_world.imports import records as _wit


class Row(_wit.Row):
    """One record.

    ``id``: its number in this run, unique across all files; the host turns it into ``file:line`` in everything
    that a user sees. ``values``: one a field, in the order of :attr:`Batch.fields`; ``None`` where the record
    lacks the field.
    """


class Batch(_wit.Batch):
    """Some records, usually 64 to 256.

    ``fields``: the names of the fields, as plugin.toml lists them. ``rows``: the records. Iterating over a
    batch gives its rows.
    """

    def __iter__(self) -> Iterator[_wit.Row]:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)

    def index(self, field: str) -> int:
        """Where in ``row.values`` the field stands.

        Raises ``ValueError`` for a field that plugin.toml does not name.
        """
        try:
            return self.fields.index(field)
        except ValueError:
            raise ValueError(f"plugin.toml does not name the field {field!r} under [records]") from None

    def column(self, field: str) -> list[str | None]:
        """The field's value in each row. Raises as :meth:`index` does."""
        index = self.index(field)
        return [row.values[index] for row in self.rows]


# The runtime makes instances of what stands in the generated module when the build ends.
setattr(_wit, "Row", Row)
setattr(_wit, "Batch", Batch)
