"""Adapters of tables of burn alerts, of exhaustion and detection, and of the guide's budgets."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import errorbudget as eb
from errorbudget.alerts import AlertPolicy, BurnAlert
from errorbudget.allowances import PERIODS, allowance
from errorbudget.burn import burn_rate_exact
from errorbudget.durations import MINUTE_NS, SECOND_NS
from tests.conformance.answering import note_digits
from tests.conformance.burn_kinds import NEVER, reached_not_exceeded
from tests.conformance.cases import Case
from tests.conformance.reading import counts_of, find, length_ns, number, target_of
from tests.conformance.verdicts import ROUND_WORDS, Answers, Purpose, Spoken, agree

__all__ = ["ADAPTERS"]


def _alert(position: int, row: Mapping[str, Any]) -> BurnAlert:
    share = number(row["budget_pct"]) / 100 if "budget_pct" in row else row["budget_fraction"]
    long, short = (
        length_ns(row, "long", "long_window", "window"),
        length_ns(row, "short", "short_window"),
    )
    assert long is not None
    severity = str(row.get("severity", "page"))
    return BurnAlert(f"{position}", severity, share, long, short, hold=length_ns(row, "for") or 0)


def derived(case: Case) -> Answers:
    """Thresholds that follow from budget share, window and period."""
    inputs = case.inputs
    period, target = length_ns(inputs, "period", "window"), target_of(inputs)
    assert period is not None
    rows: Sequence[Mapping[str, Any]] = inputs["alerts"]
    policy = AlertPolicy("case", [_alert(i, row) for i, row in enumerate(rows)], period)

    def figure(key: str) -> Any:
        factors = [alert.threshold(period) for alert in policy.alerts]
        if key in ("factors", "burn_rates", "thresholds"):
            return factors
        if target is None:
            raise KeyError(key)
        if key in ("error_rates", "error_ratios", "error_ratio_thresholds"):
            return [factor * target.error for factor in factors]
        if key in ("error_budget_pct", "error_budget_percent"):
            return 100 * target.error
        if key in ("unreachable", "reachable"):
            unreachable = policy.unreachable(target, period)
            if isinstance(case.expected[key], list):
                return [(alert in unreachable) is (key == "unreachable") for alert in policy.alerts]
            found = len(unreachable)
            return found if key == "unreachable" else len(policy.alerts) - found
        raise KeyError(key)

    return Answers(figure, note_digits(case))


PYRRA = AlertPolicy(
    "pyrra",
    (
        BurnAlert("14", "critical", "1/48", "1h", "5m", hold="2m"),
        BurnAlert("7", "critical", "1/16", "6h", "30m", hold="15m"),
        BurnAlert("2", "warning", "1/14", "1d", "2h", hold="1h"),
        BurnAlert("1", "warning", "1/7", "4d", "6h", hold="3h"),
    ),
    period="28d",
    source="pyrra-dev/pyrra slo/rules.go: factors 14, 7, 2 and 1 over 28 days",
)
"""The source's own table, as data; every other period is the library's stretching of it."""


def _at_least_a_minute(expected: Any, ours: Any) -> bool:
    if not isinstance(expected, list) or not isinstance(ours, list) or len(expected) != len(ours):
        return False
    return all(
        agree(value, mine.get(key)) or (value == 0 and mine.get(key) in (1, None))
        for theirs, mine in zip(expected, ours, strict=True)
        for key, value in theirs.items()
    )


def pyrra(case: Case) -> Answers:
    """The source's windows at another period."""
    period = length_ns(case.inputs, "period", "window")
    assert period is not None
    policy = PYRRA.rescaled(period)

    def minutes(length: int | None) -> float | None:
        return None if length is None else length / MINUTE_NS

    windows = [
        {
            "severity": alert.severity,
            "factor": alert.threshold(period),
            "long_min": minutes(alert.long),
            "short_min": minutes(alert.short),
            "for_min": minutes(alert.hold),
            "long_s": alert.long / SECOND_NS,
            "short_s": None if alert.short is None else alert.short / SECOND_NS,
            "for_s": alert.hold / SECOND_NS,
            "budget_fraction": alert.budget,
            "budget_pct": 100 * alert.budget,
        }
        for alert in policy.alerts
    ]
    return Answers.of(
        {
            "windows": windows,
            "factors": [window["factor"] for window in windows],
            "long_min": [window["long_min"] for window in windows],
            "short_min": [window["short_min"] for window in windows],
            "for_min": [window["for_min"] for window in windows],
        },
        (
            Purpose(
                "a window of no length is no window: at least a minute",
                lambda key, expected, ours: _at_least_a_minute(expected, ours),
            ),
        ),
    )


def _lasting(case: Case, burn: Any) -> Answers:
    inputs = case.inputs
    left = find(inputs, "budget_left", "remaining", "budget_remaining")
    period = length_ns(inputs, "period", "window")
    assert period is not None
    seconds = eb.time_to_exhaustion(burn, period, 1 if left is None else left)

    def figure(key: str) -> Any:
        if key == "burn_rate":
            return float(burn)
        if found := re.fullmatch(r"(seconds|minutes|hours|days)_to_exhaust(?:ion)?", key):
            return seconds / {"seconds": 1, "minutes": 60, "hours": 3600, "days": 86_400}[found[1]]
        if key.startswith("words"):
            return Spoken(seconds)
        if found := re.fullmatch(r"budget_spent_(\w+)", key):
            return eb.budget_spent(burn, found[1], period)
        raise KeyError(key)

    return Answers(figure, (NEVER, ROUND_WORDS, *note_digits(case)))


def exhaustion(case: Case) -> Answers:
    return _lasting(case, number(find(case.inputs, "burn_rate", "burn")))


def detection(case: Case) -> Answers:
    target = target_of(case.inputs)
    assert target is not None
    return _lasting(case, burn_rate_exact(counts_of(case.inputs), target))


def time_to_detect(case: Case) -> Answers:
    inputs = case.inputs
    target = target_of(inputs)
    threshold = find(inputs, "burn_rate_threshold", "threshold", "burn_rate", "factor")
    rate = find(inputs, "error_rate", "error_ratio")
    rate = number(inputs["error_pct"]) / 100 if rate is None else number(rate)
    before = str(inputs.get("before", "no errors"))
    if not re.search(r"\bno errors\b|\bnone\b|\bclean\b", before, re.IGNORECASE):
        raise KeyError(f"before: {before}")  # steady errors before are nobody's case yet
    long = length_ns(inputs, "long_window", "long", "window")
    short = length_ns(inputs, "short_window", "short")
    assert target is not None
    assert long is not None

    def seconds(window: int) -> float | None:
        return eb.detection_time(target, threshold, window, rate) if rate else None

    def figure(key: str) -> Any:
        found = re.fullmatch(
            r"(seconds|minutes|hours)_until_(long_window_exceeds|short_window_exceeds|alert|firing)",
            key,
        )
        if not found:
            raise KeyError(key)
        windows = {"long_window_exceeds": (long,), "short_window_exceeds": (short,)}.get(
            found[2], (long, short)
        )
        times = [seconds(window) for window in windows if window is not None]
        if not times:
            raise KeyError(key)
        if None in times:
            return None
        latest = max(time for time in times if time is not None)
        return latest / {"seconds": 1, "minutes": 60, "hours": 3600}[found[1]]

    return Answers(figure, (reached_not_exceeded(inputs, rate, long), *note_digits(case)))


def guide_budget(case: Case) -> Answers:
    target = target_of(case.inputs)
    assert target is not None
    rate = case.inputs.get("rate")
    table = allowance(target, rate=rate)

    def figure(key: str) -> Any:
        found = re.fullmatch(r"(seconds|minutes|hours|events)_per_(\w+)", key)
        if not found:
            if key in ("error_budget_pct", "allowed_pct"):
                return 100 * target.error
            raise KeyError(key)
        period = found[2] if found[2] in PERIODS else _length_word(found[2])
        row = table.per(period)
        if found[1] == "events":
            if row.events is None:
                raise KeyError(key)
            return row.events
        return row.downtime_s / {"seconds": 1, "minutes": 60, "hours": 3600}[found[1]]

    return Answers(figure, note_digits(case))


def _length_word(word: str) -> str:
    lengths = {"minute": "1m", "quarter": "90d", "year": "365d", "window": "30d"}
    return lengths.get(word, word)


ADAPTERS = {
    "sloth": derived,
    "sre-workbook": derived,
    "pyrra": pyrra,
    "exhaustion": exhaustion,
    "detection": detection,
    "time-to-detect": time_to_detect,
    "seed/budget": guide_budget,
}
