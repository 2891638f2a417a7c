"""The Python SDK for Pegbox plugins.

A plugin is one file, ``plugin.py``, with one class for each kind that ``plugin.toml`` names::

    from pegbox_plugin import Loss, Step, Tensor

    class CrossEntropy(Loss):
        def compute(self, step: Step) -> Tensor:
            labels = step.labels
            log_p = step.logits.log_softmax(-1).gather(-1, labels.reshape(*labels.shape, 1))
            return -step.weighted_mean(log_p.reshape(*labels.shape))

``pegbox plugin build`` makes a WebAssembly component of it. Name, version and kinds stand in ``plugin.toml``
and nowhere else.

What runs when
--------------
``plugin.py`` is imported, and its class created, **while it is built**: constants, compiled patterns and data
files that are read then become a part of the component. ``configure`` and everything after it runs in the
host, where there is no file, no clock, no network and no randomness, except what ``[permissions]`` asks for:
Python's own ``open``, ``time``, ``socket``, ``os.urandom`` raise ``PermissionError`` there, and an ``import``
of a module that was not imported while building raises ``ImportError``. (Functions written in C that ask the
system by themselves, such as ``datetime.now``, end the call without saying why.) ``random`` works, and gives
every instance the same numbers. ``print`` writes to Pegbox's log if the plugin may log, else nowhere.

When something goes wrong
-------------------------
An exception reaches the user as the plugin's error, with file and line. Raise :class:`Refusal` for what you
foresee. A wrong shape, a wrong dtype or a passed limit is another matter: the host **ends the call** there and
then and shows the operation, its operands and the plugin; there is nothing to catch. "Ends the call" in this
documentation means that.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from ._plugin import Plugin, Refusal

if TYPE_CHECKING:
    from ._log import Level, log
    from .artifacts import Bundle, Element, Exporter, Model, ModelFile, TensorInfo
    from .cleaning import KEEP, Cleaner, Drop, Keep, Outcome, Replace, Split
    from .loss import Loss
    from .metric import Detail, Metric, Report, Score
    from .records import Batch, Row
    from .step import Step
    from .tensor import DType, Tensor
    from .validation import Finding, Fix, Severity, Validator

__all__ = [
    "KEEP",
    "Batch",
    "Bundle",
    "Cleaner",
    "DType",
    "Detail",
    "Drop",
    "Element",
    "Exporter",
    "Finding",
    "Fix",
    "Keep",
    "Level",
    "Loss",
    "Metric",
    "Model",
    "ModelFile",
    "Outcome",
    "Plugin",
    "Refusal",
    "Replace",
    "Report",
    "Row",
    "Score",
    "Severity",
    "Split",
    "Step",
    "Tensor",
    "TensorInfo",
    "Validator",
    "log",
]

# A component has the bindings of its own kinds and permissions only, so each part is imported when it is asked
# for: the module that has a name, and what plugin.toml must say for that module to exist.
_RECORDS = 'kinds = ["cleaner"] or ["validator"]'
_TENSORS = 'kinds = ["loss"] or ["metric"]'
_HOMES = {
    ".cleaning": ('kinds = ["cleaner"]', "KEEP Cleaner Drop Keep Outcome Replace Split"),
    ".validation": ('kinds = ["validator"]', "Finding Fix Severity Validator"),
    ".records": (_RECORDS, "Batch Row"),
    ".loss": ('kinds = ["loss"]', "Loss"),
    ".metric": ('kinds = ["metric"]', "Detail Metric Report Score"),
    ".step": (_TENSORS, "Step"),
    ".tensor": (_TENSORS, "DType Tensor"),
    ".artifacts": ('kinds = ["exporter"]', "Bundle Element Exporter Model ModelFile TensorInfo"),
    "._log": ("log = true under [permissions]", "Level log"),
    ".clock": ("clock = true under [permissions]", "clock"),
    ".random": ("random = true under [permissions]", "random"),
    ".environment": ('environment = ["..."] under [permissions]', "environment"),
    ".files": ('read = ["..."] under [permissions]', "files"),
    ".network": ('network = ["..."] under [permissions]', "network"),
}


def __getattr__(name: str) -> Any:
    for home, (condition, names) in _HOMES.items():
        if name not in names.split():
            continue
        try:
            module = import_module(home, __name__)
        except ModuleNotFoundError as missing:
            if not (missing.name or "").startswith("wit_world"):
                raise
            raise ImportError(f"`{name}` needs {condition} in plugin.toml") from None
        value = module if home == f".{name}" else getattr(module, name)
        globals()[name] = value
        return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
