"""Adapters of `kibana/...`: Elastic rounds to 6 digits, and writes -1 for no data."""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping
from itertools import chain, repeat
from typing import Any

import errorbudget as eb
from errorbudget.durations import DAY_NS, MINUTE_NS
from errorbudget.errors import ErrorBudgetWarning
from errorbudget.methods import slice_counts
from errorbudget.windows import slice_count
from tests.conformance.answering import figure_answers
from tests.conformance.cases import Case
from tests.conformance.figures import Figures, assessed, no_data, refusable_counts, rounded
from tests.conformance.reading import counts_of, find, length_ns, target_of
from tests.conformance.spans import span_answers, window_of
from tests.conformance.verdicts import Answers, Purpose, Refused, as_number, refusable

__all__ = ["ADAPTERS"]

SIX_DIGITS = rounded(6)


def _slices(inputs: Mapping[str, Any]) -> int | None:
    """How many slices the range has, where slices are the unit; those without data are good."""
    named = [key for key in inputs if "slices" in key.lower() or key == "window_total"]
    total = inputs[named[0]] if named else None
    if total is None and _method(inputs) == "timeslices" and "window" in inputs:
        window, length = length_ns(inputs, "window"), _slice_ns(inputs)
        return None if window is None else slice_count(window, length or MINUTE_NS)
    return total if total is None else int(total)


def _method(inputs: Mapping[str, Any]) -> str:
    return str(
        find(inputs, "budgeting", "budgeting_method", "budgetingMethod", "method") or "occurrences"
    ).lower()


def _slice_ns(inputs: Mapping[str, Any]) -> int | None:
    return length_ns(inputs, "timeslice_window", "timesliceWindow", "slice")


def _counts(inputs: Mapping[str, Any]) -> eb.Counts:
    counts, slices = counts_of(inputs, marker=-1), _slices(inputs)
    if slices is None or not counts:
        return counts
    method = eb.Timeslices(MINUTE_NS, "100%", no_data="good")
    observed = chain(
        repeat(eb.Counts(good=1), int(counts.good)), repeat(eb.Counts(bad=1), int(counts.bad))
    )
    unseen = repeat(eb.Counts(), max(0, slices - int(counts.total)))
    return slice_counts(chain(observed, unseen), method)


def _figures(case: Case) -> Figures:
    inputs = case.inputs
    counts = refusable_counts(lambda: _counts(inputs))
    target = refusable(lambda: target_of(inputs))
    window = refusable(lambda: length_ns(inputs, "window", "period"))
    return Figures(counts, target, window if isinstance(window, int) else None)


def _estimated(case: Case, figures: Figures) -> Figures:
    """A calendar window of events, projected over its whole period as Elastic once did."""
    wanted = find(case.expected, "is_estimated", "isEstimated", "estimated")
    calendar = str(case.inputs.get("type", "")).lower().startswith("calendar") or bool(
        case.inputs.get("calendar")
    )
    now = find(case.inputs, "now", "at")
    counts, target = figures.counts, figures.target
    ready = isinstance(counts, eb.Counts) and isinstance(target, eb.Target)
    if not (calendar and now and wanted and ready):
        return figures
    assert isinstance(counts, eb.Counts)
    assert isinstance(target, eb.Target)
    status = assessed(counts, target, window_of({**case.inputs, "type": "calendar"}), at=now)
    if status.projected is None:
        return figures
    return Projected(status.projected, figures)


class Projected(Figures):
    """Figures whose budget is the projected one."""

    def __init__(self, budget: eb.Budget, figures: Figures) -> None:
        super().__init__(figures.counts, figures.target, figures.window_ns)
        self._budget = budget

    @property
    def budget(self) -> eb.Budget:
        """The budget over the whole period."""
        return self._budget


def sli(case: Case) -> Answers:
    return figure_answers(case, _figures(case), SIX_DIGITS)


def budget(case: Case) -> Answers:
    return figure_answers(case, _estimated(case, _figures(case)), SIX_DIGITS)


def _above_one(case: Case) -> Purpose:
    share = as_number(find(case.inputs, "sli", "sli_value", "sliValue"))
    return Purpose(
        "an SLI above 1 cannot be, and is refused",
        lambda key, expected, ours: (
            isinstance(ours, Refused) and share is not None and share > 1 and expected == 0
        ),
    )


def burn(case: Case) -> Answers:
    inputs = dict(case.inputs)
    if "sliValue" in inputs:
        inputs["sli"] = inputs.pop("sliValue")
    figures = Figures(
        refusable_counts(lambda: _counts(inputs)), refusable(lambda: target_of(inputs))
    )
    return figure_answers(case, figures, SIX_DIGITS, _above_one(case))


WORDS = {"met": "HEALTHY", "missed": "VIOLATED", "no_data": "NO_DATA"}


def status(case: Case) -> Answers:
    inputs = dict(case.inputs)
    for name in ("sliValue", "sli_value"):
        if name in inputs:
            inputs["sli"] = inputs.pop(name)
    counts = refusable_counts(lambda: counts_of(inputs, marker=-1))
    target = refusable(lambda: target_of(inputs))
    figures = Figures(counts, target)

    def word() -> Any:
        if figures.status is None:
            return figures.refused
        return WORDS[figures.status.state]

    degraded = Purpose(
        "whoever misses the target has spent the whole budget: there is no state between",
        lambda key, expected, ours: (
            key in ("status", "state")
            and expected in ("DEGRADING", "DEGRADED")
            and ours == "VIOLATED"
            and figures.budget.exhausted is True
        ),
    )
    above = Purpose(
        "an SLI above 1 cannot be, and is refused",
        lambda key, expected, ours: isinstance(ours, Refused) and expected == "HEALTHY",
    )
    return Answers(
        lambda key: {"status": word, "state": word}[key](), (degraded, above, no_data(figures))
    )


def window(case: Case) -> Answers:
    return span_answers(case)


# --------------------------------------------------------------------------------- validation


def _objective(inputs: Mapping[str, Any], name: str) -> Any:
    inner = inputs.get("objective")
    given = inputs if not isinstance(inner, Mapping) else {**inputs, **inner}
    camel = re.sub(r"_(\w)", lambda found: found[1].upper(), name)
    return find(given, name, camel)


def _built(inputs: Mapping[str, Any]) -> eb.SLO:
    """The SLO of these fields; whatever is not given is as in the source's own fixture."""
    share, length = _objective(inputs, "timeslice_target"), _objective(inputs, "timeslice_window")
    method: Any = _method(inputs)
    if method == "timeslices" and share is not None and length is not None:
        method = eb.Timeslices(length, share)
    given = {
        key: inputs[key]
        for key in ("window", "type", "window_type", "unit", "days", "every", "duration")
        if key in inputs
    }
    given = given or {"window": inputs.get("time_window", inputs.get("timeWindow", "7d"))}
    span: Any = window_of(given)
    target = _objective(inputs, "target")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ErrorBudgetWarning)
        return eb.SLO(
            "case",
            target=0.999 if target is None else target,
            window=span,
            sli=eb.Availability(),
            method=method,
        )


ABOUT = {
    "Invalid objective.timeslice_target": r"target",
    "Invalid objective.timeslice_window": r"slice|duration|window",
    "Invalid objective.target": r"target",
    "Invalid time_window.duration": r"window|period|duration",
    "Invalid time_window": r"window|period|duration",
    "Invalid settings.frequency": r"$never",
    "Invalid settings.sync_delay": r"$never",
}
"""Their messages, and what one of ours about the same field speaks of."""


def _names_it(message: str, error: Exception) -> bool:
    """Whether our refusal is about the field that the source's message names."""
    return message in ABOUT and re.search(ABOUT[message], str(error)) is not None


def _only_theirs(inputs: Mapping[str, Any], slo: eb.SLO) -> bool:
    """Whether a legal SLO breaks one of the source's own limits."""
    target, length = _objective(inputs, "target"), _slice_length(slo)
    span = slo.window
    usual = (
        span.length_ns in (7 * DAY_NS, 30 * DAY_NS, 90 * DAY_NS)
        and not str(inputs.get("window", "")).endswith(("w", "M"))
        if isinstance(span, eb.Rolling)
        else span.every == 1 and span.unit in ("week", "month")
    )
    settings = {"settings", "frequency", "sync_delay", "syncDelay"} & inputs.keys()
    return bool(
        target == 1
        or not usual
        or settings
        or (length is not None and (length >= DAY_NS or length < MINUTE_NS))
    )


def _slice_length(slo: eb.SLO) -> int | None:
    return slo.method.slice if isinstance(slo.method, (eb.Timeslices, eb.RatioTimeslices)) else None


def validate(case: Case) -> Answers:
    inputs = case.inputs
    slo = refusable(lambda: _built(inputs))
    share = as_number(_objective(inputs, "timeslice_target"))
    unit = str(_objective(inputs, "timeslice_window") or "")

    def message(key: str) -> Any:
        expected = str(case.expected[key])
        if not isinstance(slo, Refused):
            return None
        return expected if _names_it(expected, slo.error) else str(slo.error)

    looser = Purpose(
        "their limit (target under 1, windows of 7, 30 or 90 days, slices of minutes or hours, "
        "settings) is not ours",
        lambda key, expected, ours: (
            not isinstance(slo, Refused)
            and (ours is True or ours is None)
            and (expected is False if key == "valid" else expected in ABOUT)
            and _only_theirs(inputs, slo)
        ),
    )
    calendar_slice = Purpose(
        "slices have a fixed length, and months have none",
        lambda key, expected, ours: (
            isinstance(slo, Refused)
            and unit.endswith(("M", "Q", "Y"))
            and (expected is False if key == "valid" else expected in ABOUT)
        ),
    )
    stricter = Purpose(
        "a slice target of 0 would call every slice good, and is refused",
        lambda key, expected, ours: (
            isinstance(slo, Refused) and share == 0 and expected is True and ours is False
        ),
    )

    def figure(key: str) -> Any:
        if key == "valid":
            return not isinstance(slo, Refused)
        if key in ("peer_message", "message", "error"):
            return message(key)
        raise KeyError(key)

    return Answers(figure, (looser, calendar_slice, stricter))


ADAPTERS = {
    "kibana/sli": sli,
    "kibana/budget": budget,
    "kibana/burn": burn,
    "kibana/status": status,
    "kibana/window": window,
    "kibana/validate": validate,
}
