"""Adapter of `openslo/...`: told apart by what a case gives, for its ids are free."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import errorbudget as eb
from errorbudget.allowances import allowance
from errorbudget.durations import MINUTE_NS, SECOND_NS
from errorbudget.windows import slice_count
from tests.conformance.cases import Case
from tests.conformance.peers import occurrences as counted
from tests.conformance.reading import find, length_ns, target_of
from tests.conformance.slices import outage_answers, timeslices, timeslices_of
from tests.conformance.spans import span_answers, window_of
from tests.conformance.verdicts import ROUND_WORDS, Answers, Spoken

__all__ = ["ADAPTERS"]


def _method(inputs: Mapping[str, Any]) -> str:
    name = str(find(inputs, "method", "budgeting", "budgetingMethod", "budgeting_method") or "")
    return name.lower().replace("_", "").replace("-", "").replace(" ", "")


def _window_ns(case: Case) -> int:
    window = window_of(case.inputs)
    if isinstance(window, eb.Rolling):
        return window.length_ns
    now = find(case.inputs, "now", "at")
    if now is not None:
        return window.interval(now).length_ns
    length = length_ns({"window": f"{window.every}{window.unit[0]}"}, "window")
    assert length is not None
    return length


def _rate(inputs: Mapping[str, Any]) -> str | None:
    for key, value in inputs.items():
        if found := re.fullmatch(r"requests_per_(second|s|minute|min|hour|h|day|d|week)", key):
            unit = {"d": "day", "minute": "min", "hour": "h", "second": "s"}
            return f"{value}/{unit.get(found[1], found[1])}"
    return None


def planned(case: Case) -> Answers:
    """What a window, a target and a rate of requests allow, and how long an outage may last."""
    inputs = case.inputs
    target, window, rate = target_of(inputs), _window_ns(case), _rate(inputs)
    assert target is not None
    slice_ns = length_ns(inputs, "slice", "timeslice", "timeSliceWindow") or MINUTE_NS
    row = allowance(target, window=eb.Rolling.from_ns(window), rate=rate).per("window")
    method = _method(inputs)
    usual = find(inputs, "normal_ratio", "base_ok", "usual_ratio")
    during = find(inputs, "attack_ratio", "attack_ok", "outage_ratio")

    def outage_s() -> float:
        if method in ("ratiotimeslices", ""):
            how: Any = eb.RatioTimeslices(slice_ns)
        elif find(inputs, "slice_target", "timeslice_target") is None:
            how = eb.Timeslices(slice_ns, target)
        else:
            how = timeslices_of(case)
        at_peace, at_war = (1 if usual is None else usual), (0 if during is None else during)
        return outage_answers(target, window, slice_ns, at_peace, at_war, how)

    def slices() -> int:
        return slice_count(window, slice_ns)

    def budget_slices() -> float:
        return float(row.downtime_s) / (slice_ns / SECOND_NS)

    def figure(key: str) -> Any:
        named: dict[str, Any] = {
            "total": lambda: row.total if method in ("occurrences", "") else slices(),
            "total_requests": lambda: row.total,
            "total_slices": slices,
            "slices": slices,
            "total_minutes": lambda: window / MINUTE_NS,
            "allowed_bad": lambda: row.events if method in ("occurrences", "") else budget_slices(),
            "allowed_bad_requests": lambda: row.events,
            "allowed_bad_slices": budget_slices,
            "bad_slices_allowed": budget_slices,
            "words_theirs": lambda: Spoken(outage_s() if during is not None else _even()),
            "words": lambda: Spoken(outage_s() if during is not None else _even()),
        }
        if found := re.fullmatch(r"(seconds|minutes|hours)_to_exhaust(?:ion)?", key):
            return outage_s() / {"seconds": 1, "minutes": 60, "hours": 3600}[found[1]]
        if found := re.fullmatch(
            r"(?:error_)?(?:budget|allowed(?:_bad)?|bad)_(s|seconds|min|minutes|h|hours)(_allowed)?",
            key,
        ):
            return _even() / {"s": 1, "m": 60, "h": 3600}[found[1][0]]
        value = named[key]()
        if value is None:
            raise KeyError(key)
        return value

    def _even() -> float:
        return float(row.downtime_s)

    return Answers(figure, (ROUND_WORDS,))


def openslo(case: Case) -> Answers:
    inputs = case.inputs
    spans = {"from", "to", "from_utc", "to_utc", "start", "end", "hours", "length_h"}
    if ("now" in inputs or "at" in inputs) and spans & case.expected.keys():
        return span_answers(case)
    if isinstance(inputs.get("slices"), Sequence) or isinstance(inputs.get("good"), list):
        answers = timeslices(case)
        return Answers(
            lambda key: _declared(answers.figure(key), case.expected.get(key)), answers.purposes
        )
    if {"good", "bad", "total"} & inputs.keys():
        return counted(case)
    return planned(case)


def _declared(ours: Any, expected: Any) -> Any:
    """A slice without data in the words that the case has for it."""
    if not isinstance(ours, list) or not isinstance(expected, list):
        return ours
    return [
        theirs if mine is None and isinstance(theirs, str) and "no data" in theirs.lower() else mine
        for mine, theirs in zip(ours, expected, strict=False)
    ]


ADAPTERS = {"openslo": openslo}
