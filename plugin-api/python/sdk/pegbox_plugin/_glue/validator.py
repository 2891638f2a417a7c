"""Exports `validation`."""

from typing import Any

from ..records import Batch
from ..validation import Finding, Fix, Severity, Validator
from . import load
from .faults import AuthorFault, guarded
from .values import all_of, as_bytes, check_texts


class Validation:
    @guarded
    def validate(self, batch: Batch) -> list[Finding]:
        return _checked(_plugin().validate(batch), "validate()")

    @guarded
    def state(self) -> bytes:
        return as_bytes(_plugin().state(), "state()")

    @guarded
    def merge(self, state: bytes) -> None:
        _plugin().merge(state)

    @guarded
    def finish(self) -> list[Finding]:
        return _checked(_plugin().finish(), "finish()")


def _plugin() -> Validator:
    plugin: Validator = load.of_kind("validator")
    return plugin


def _checked(found: Any, method: str) -> list[Finding]:
    findings = all_of(Finding, found, method)
    texts: list[Any] = []
    for finding in findings:
        texts += (finding.code, finding.message)
        if finding.field is not None:
            texts.append(finding.field)
        fix = finding.proposed_fix
        if isinstance(fix, Fix):
            texts += (fix.field, fix.value)
        elif fix is not None:
            raise AuthorFault(f"{method} returned a finding whose fix is {fix!r}, not a Fix")
        if not isinstance(finding.level, Severity):
            raise AuthorFault(f"{method} returned a finding whose level is {finding.level!r}, not a Severity")
        if finding.row is not None and not (isinstance(finding.row, int) and finding.row >= 0):
            raise AuthorFault(f"{method} returned a finding whose row is {finding.row!r}, not the id of a record")
    check_texts(texts, method)
    return findings
