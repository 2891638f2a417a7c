"""Exporters, and what they read and write. There is no file system."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from functools import cached_property
from math import prod

from wit_world.imports import artifacts as _wit
from wit_world.imports.artifacts import Element, ModelFile, TensorInfo

from ._plugin import Plugin

__all__ = ["Bundle", "Element", "Exporter", "Model", "ModelFile", "TensorInfo"]

_Model = _wit.Model
_Bundle = _wit.Bundle

_PIECE_BYTES = 4 << 20
_SIZES = {Element.FLOAT32: 4, Element.FLOAT16: 2, Element.BFLOAT16: 2}


class Model(_Model):
    """The trained model, read-only. What is JSON is text here; ``json.loads`` reads it."""

    @cached_property
    def configuration(self) -> str:  # type: ignore[override]
        """config.json of the trained model: the base model's, with its labels and architecture set."""
        return _Model.configuration(self)

    @cached_property
    def tokenizer_files(self) -> list[ModelFile]:  # type: ignore[override]
        """tokenizer.json, tokenizer_config.json, vocab.txt and so on, those that the base model has; each with
        ``path`` and ``content``."""
        return _Model.tokenizer_files(self)

    @cached_property
    def labels(self) -> list[str]:  # type: ignore[override]
        """Class names, index = class id."""
        return _Model.labels(self)

    @cached_property
    def metrics(self) -> str:  # type: ignore[override]
        """JSON object: scores of the evaluation by part and metric, ``{"test": {"accuracy": 0.93}}``."""
        return _Model.metrics(self)

    @cached_property
    def provenance(self) -> str:  # type: ignore[override]
        """JSON object: base model and its licence, dataset digests, plugins with versions and digests, recipe,
        seed, Pegbox's version."""
        return _Model.provenance(self)

    @cached_property
    def tensors(self) -> list[TensorInfo]:  # type: ignore[override]
        """Every tensor of the model, with ``name`` and ``shape``, in the order in which they are best
        written."""
        return _Model.tensors(self)

    def read(self, name: str, start: int, count: int, dtype: Element = Element.FLOAT32) -> bytes:
        """``count`` elements of the tensor ``name``, row-major from element ``start``, little-endian.

        Ends the call when the name is unknown or the range leaves the tensor, and above 16 MiB;
        :meth:`pieces` reads a whole tensor without thinking of that.
        """
        if start < 0 or count < 0:
            raise ValueError(f"there are no {count} elements from {start} on")
        return super().read(str(name), start, count, Element(dtype))

    def pieces(self, tensor: TensorInfo, dtype: Element = Element.FLOAT32) -> Iterator[bytes]:
        """The whole tensor as :meth:`read` gives it, in pieces of at most 4 MiB (1 Mi elements of float32), in
        order."""
        total = prod(tensor.shape)
        step = _PIECE_BYTES // _SIZES[dtype]
        for start in range(0, total, step):
            yield self.read(tensor.name, start, min(step, total - start), dtype)


class Bundle(_Bundle):
    """The artifact being written. It appears at the recipe's ``to`` when :meth:`Exporter.export` returns,
    whole; after an error nothing of it remains."""

    def create(self, path: str) -> None:
        """Starts an empty file. ``path`` is relative, with ``/`` between its parts.

        Ends the call for a path that could leave the bundle (``..``, an empty or ``.`` part, a leading ``/``, a
        backslash, a colon, a control character), one longer than 255 bytes, and one that was created before,
        whatever its case.
        """
        super().create(str(path))

    def append(self, path: str, content: bytes | bytearray | memoryview | str) -> None:
        """Adds to the end of a file that :meth:`create` started; text as UTF-8. Ends the call if it did not."""
        super().append(str(path), content.encode() if isinstance(content, str) else bytes(content))

    def write(self, path: str, content: bytes | bytearray | memoryview | str) -> None:
        """A file with this content, whole: :meth:`create`, then :meth:`append`."""
        self.create(path)
        self.append(path, content)


class Exporter(Plugin, ABC):
    """Writes a trained model as a deployable artifact."""

    @abstractmethod
    def export(self, model: Model, bundle: Bundle) -> None:
        """Writes ``model`` to ``bundle``. Read and append large tensors piece by piece: the plugin's memory is
        smaller than a model. An exception ends the export; nothing of the artifact remains."""


# The runtime makes instances of what stands in the generated module when the build ends.
setattr(_wit, "Model", Model)
setattr(_wit, "Bundle", Bundle)
