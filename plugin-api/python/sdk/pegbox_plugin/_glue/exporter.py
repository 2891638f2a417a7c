"""Exports `exporting`."""

from ..artifacts import Bundle, Exporter, Model
from . import load
from .faults import guarded


class Exporting:
    @guarded
    def export_model(self, model: Model, bundle: Bundle) -> None:
        plugin: Exporter = load.of_kind("exporter")
        plugin.export(model, bundle)
