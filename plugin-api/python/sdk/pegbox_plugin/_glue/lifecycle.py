"""Exports `lifecycle`."""

import json

from wit_world.exports.lifecycle import Description
from wit_world.imports.plugin_types import Kind

from . import load, sandbox
from .faults import guarded


class Lifecycle:
    def describe(self) -> Description:
        sandbox.seal()
        found = load.loaded
        assert found is not None
        kinds = [Kind[kind.upper()] for kind in found.kinds]
        return Description(found.name, found.version, kinds, found.schema)

    @guarded
    def configure(self, text: str) -> None:
        sandbox.seal()
        assert load.loaded is not None
        for plugin in load.loaded.instances:
            plugin.configure(json.loads(text))
