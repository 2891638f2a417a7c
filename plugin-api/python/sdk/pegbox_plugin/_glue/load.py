"""The author's classes: found, checked and created while the plugin is built."""

import gc
import json
from importlib import import_module
from inspect import getattr_static, isabstract
from types import ModuleType
from typing import Any

from .._plugin import Plugin
from . import handles, sandbox
from .faults import AuthorFault, tell_builder

# Where the base class of each kind is.
_BASES = {
    "cleaner": ("cleaning", "Cleaner"),
    "validator": ("validation", "Validator"),
    "loss": ("loss", "Loss"),
    "metric": ("metric", "Metric"),
    "exporter": ("artifacts", "Exporter"),
}


class Loaded:
    """What was found."""

    def __init__(self, name: str, version: str, kinds: dict[str, Plugin], schema: str) -> None:
        self.name = name
        self.version = version
        self.kinds = kinds
        self.schema = schema
        self.instances = list({id(plugin): plugin for plugin in kinds.values()}.values())


loaded: Loaded | None = None


def plugin(module: str, name: str, version: str, kinds: list[str]) -> None:
    """Imports `module` and creates its class of each kind."""
    global loaded
    sandbox.install()
    try:
        loaded = _load(module, name, version, kinds)
    except BaseException as fault:
        tell_builder(fault)
        raise
    handles.install()
    # What is there now stays: the collector need not look at it again.
    gc.collect()
    gc.freeze()


def of_kind(kind: str) -> Any:
    """The author's plugin of this kind."""
    assert loaded is not None
    return loaded.kinds[kind]


def _load(module: str, name: str, version: str, kinds: list[str]) -> Loaded:
    source = import_module(module)
    classes = {kind: _class_of(kind, source) for kind in kinds}
    _check_names(classes)
    instances = {cls: cls() for cls in dict.fromkeys(classes.values())}
    schema = _schema(list(instances))
    return Loaded(name, version, {kind: instances[cls] for kind, cls in classes.items()}, schema)


def _base(kind: str) -> type[Plugin]:
    home, name = _BASES[kind]
    base: type[Plugin] = getattr(import_module(f"..{home}", __package__), name)
    return base


def _class_of(kind: str, source: ModuleType) -> type[Plugin]:
    base = _base(kind)
    found = [
        value
        for value in vars(source).values()
        if isinstance(value, type) and issubclass(value, base) and value is not base
    ]
    # A class that others of the file derive from is not the plugin.
    found = [cls for cls in found if not any(other is not cls and issubclass(other, cls) for other in found)]
    match found:
        case [cls]:
            missing = sorted(getattr(cls, "__abstractmethods__", ()))
            if isabstract(cls) and missing:
                raise AuthorFault(f"class {cls.__name__} has no method `{missing[0]}`, which a {kind} needs", cls)
            return cls
        case []:
            raise AuthorFault(f"no class derives from {base.__name__}, but plugin.toml names the kind {kind}")
        case _:
            names = ", ".join(cls.__name__ for cls in found)
            raise AuthorFault(f"several classes derive from {base.__name__}: {names}", found[1])


def _check_names(classes: dict[str, type[Plugin]]) -> None:
    """One class cannot be of two kinds that call different things by one name."""
    common = set(vars(Plugin))
    seen: dict[tuple[type[Plugin], str], str] = {}
    for kind, cls in classes.items():
        for method in vars(_base(kind)):
            if method.startswith("_") or method in common:
                continue
            other = seen.setdefault((cls, method), kind)
            if other != kind:
                raise AuthorFault(
                    f"class {cls.__name__} is a {other} and a {kind}, which both have a method `{method}`: "
                    "write a class for each",
                    cls,
                )


def _schema(classes: list[type[Plugin]]) -> str:
    """The one schema of them all, as JSON."""
    own = [cls for cls in classes if getattr_static(cls, "schema") is not Plugin.schema]
    schemas = [cls.schema for cls in own] or [Plugin.schema]
    if any(schema != schemas[0] for schema in schemas):
        names = " and ".join(cls.__name__ for cls in own)
        raise AuthorFault(f"{names} have different schemas, but a plugin has one configuration", own[1])
    if not isinstance(schemas[0], dict):
        raise AuthorFault("`schema` is not a dict", own[0])
    try:
        return json.dumps(schemas[0], ensure_ascii=False)
    except (TypeError, ValueError) as fault:
        raise AuthorFault(f"`schema` is not JSON: {fault}", own[0]) from None
