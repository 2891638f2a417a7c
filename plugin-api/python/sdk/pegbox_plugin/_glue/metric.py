"""Exports `measurement`."""

from ..metric import Detail, Metric, Report, Score
from ..step import Step
from . import load
from .faults import AuthorFault, guarded
from .values import all_of, as_bytes, check_texts


class Measurement:
    @guarded
    def update(self, step: Step) -> None:
        _plugin().update(step)

    @guarded
    def state(self) -> bytes:
        return as_bytes(_plugin().state(), "state()")

    @guarded
    def merge(self, state: bytes) -> None:
        _plugin().merge(state)

    @guarded
    def compute(self) -> Report:
        return _checked(_plugin().compute())

    def reset(self) -> None:
        # The contract gives `reset` no error: what went wrong is told by the next call.
        global _reset_fault
        try:
            _plugin().reset()
        except BaseException as fault:
            _reset_fault = fault


_reset_fault: BaseException | None = None


def _plugin() -> Metric:
    if _reset_fault is not None:
        raise _reset_fault
    plugin: Metric = load.of_kind("metric")
    return plugin


def _checked(report: Report) -> Report:
    if not isinstance(report, Report):
        raise AuthorFault(f"compute() returned {report!r}, not a Report")
    scores = all_of(Score, report.scores, "compute()")
    details = all_of(Detail, report.details, "compute()")
    texts: list[str] = [score.name for score in scores]
    for detail in details:
        texts += (detail.name, detail.media_type, detail.content)
    check_texts(texts, "compute()")
    return report
