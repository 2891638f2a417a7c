"""Python's exceptions in the words of the contract, and of the builder."""

import sys
from collections.abc import Callable
from functools import wraps
from types import TracebackType

from componentize_py_types import Err
from wit_world.imports.plugin_types import Error

from .._plugin import Refusal


class AuthorFault(Exception):
    """A mistake of the plugin's author that this SDK has found; its text says it all. `cls` is where, if it is a
    class."""

    def __init__(self, message: str, cls: type | None = None) -> None:
        super().__init__(message)
        self.line = "" if cls is None else str(getattr(cls, "__firstlineno__", ""))


def guarded[**P, R](call: Callable[P, R]) -> Callable[P, R]:
    """`call`, with every exception turned into the contract's `error`. Any other would be a bare trap."""

    @wraps(call)
    def guarded_call(*arguments: P.args, **keywords: P.kwargs) -> R:
        try:
            return call(*arguments, **keywords)
        except Refusal as refusal:
            help = None if refusal.help is None else clean_text(refusal.help)
            raise Err(Error(clean_text(refusal.message), help)) from None
        except BaseException as fault:
            raise Err(Error(describe(fault), None)) from None

    return guarded_call


def describe(fault: BaseException) -> str:
    """`plugin.py:12 in clean: ZeroDivisionError: division by zero`"""
    if isinstance(fault, AuthorFault):
        return clean_text(fault)
    name = type(fault).__name__
    text = clean_text(fault)
    what = f"{name}: {text}" if text else name
    places = _places(fault.__traceback__)
    return f"{', '.join(places)}: {what}" if places else what


def clean_text(value: object) -> str:
    """As text that can cross the boundary: half of a surrogate pair cannot."""
    try:
        text = str(value)
    except Exception:
        text = f"a {type(value).__name__} that cannot be shown"
    return text.encode("utf-8", "replace").decode()


def tell_builder(fault: BaseException) -> None:
    """One line for `pegbox plugin build`: file, line, and what is wrong, with tabs between them."""
    file, line = "", ""
    text = describe(fault)
    if isinstance(fault, SyntaxError) and fault.filename is not None:
        file, line = _author_file(fault.filename) or "", str(fault.lineno or "")
        text = f"{type(fault).__name__}: {fault.msg}"
    elif isinstance(fault, AuthorFault):
        line = fault.line
    else:
        places = _places(fault.__traceback__)
        if places:
            file, _, line = places[-1].partition(" ")[0].rpartition(":")
        text = text.removeprefix(f"{', '.join(places)}: ")
    print("pegbox-fault", file, line, text.replace("\n", " "), sep="\t", file=sys.stderr, flush=True)


def _places(traceback: TracebackType | None) -> list[str]:
    """Where in the author's code, outermost first: the last three places. Without source lines: there are no
    files to read them from."""
    places = []
    while traceback is not None:
        code = traceback.tb_frame.f_code
        place = _author_file(code.co_filename)
        if place is not None:
            places.append(f"{place}:{traceback.tb_lineno} in {code.co_name}")
        traceback = traceback.tb_next
    return places[-3:]


def _author_file(path: str) -> str | None:
    # The builder mounts folders as /0, /1 and so on; the author's own is the first.
    return path.removeprefix("/0/") if path.startswith("/0/") else None
