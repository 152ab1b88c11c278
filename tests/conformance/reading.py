"""Targets, lengths and counts as files write them: in percent or not, in seconds, days or words."""

from __future__ import annotations

import math
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import errorbudget as eb
from errorbudget.durations import DAY_NS, HOUR_NS, MINUTE_NS, SECOND_NS, parse_duration
from tests.conformance.verdicts import as_number

__all__ = ["counts_of", "find", "length_ns", "number", "ratio_counts", "target_of"]

UNITS_NS = {
    "ns": 1,
    "ms": 1_000_000,
    "s": SECOND_NS,
    "sec": SECOND_NS,
    "seconds": SECOND_NS,
    "m": MINUTE_NS,
    "min": MINUTE_NS,
    "minutes": MINUTE_NS,
    "h": HOUR_NS,
    "hours": HOUR_NS,
    "d": DAY_NS,
    "days": DAY_NS,
    "w": 7 * DAY_NS,
    "weeks": 7 * DAY_NS,
}


def find(inputs: Mapping[str, Any], *names: str) -> Any:
    """The first of *names* that is given, or None."""
    return next((inputs[name] for name in names if name in inputs), None)


def number(value: Any) -> Fraction:
    """A number exactly as it was written, percent signs included."""
    if isinstance(value, Fraction):
        return value
    text = str(value).strip()
    return Fraction(text[:-1].strip()) / 100 if text.endswith("%") else Fraction(text)


def target_of(inputs: Mapping[str, Any]) -> eb.Target | None:
    """
    The target, or None where a case has none.

    Raises:
        InvalidTargetError: It lies outside (0, 1].
    """
    share = find(inputs, "target", "goal", "objective", "slo_target", "slo")
    if share is not None and not isinstance(share, Mapping):
        return eb.Target(share)
    if isinstance(share, Mapping):
        return target_of(share)
    percent = find(
        inputs, "target_pct", "objective_pct", "goal_pct", "target_percent", "objective_percent"
    )
    return None if percent is None else eb.Target(f"{str(percent).removesuffix('%').strip()}%")


def length_ns(inputs: Mapping[str, Any], *stems: str) -> int | None:
    """A length [ns], written `window: "30d"`, `window_s: 3600`, `period_d: 30` or in seconds."""
    for stem in stems:
        value = inputs.get(stem)
        if isinstance(value, str):
            return parse_duration(value)
        if as_number(value) is not None:
            return round(number(value) * SECOND_NS)
        for suffix, size in UNITS_NS.items():
            if (value := inputs.get(f"{stem}_{suffix}")) is not None:
                return round(number(value) * size)
    return None


def ratio_counts(share: Any) -> eb.Counts:
    """
    The smallest counts whose SLI is *share*.

    Raises:
        InvalidCountsError: The share lies outside [0, 1].
    """
    exact = number(share)
    return eb.Counts(good=exact.numerator, bad=exact.denominator - exact.numerator)


def _count(inputs: Mapping[str, Any], *names: str) -> tuple[bool, Any]:
    for name in names:
        for written in (name, f"{name}_events", f"{name}_count", f"{name}_event_count"):
            if written in inputs:
                value = inputs[written]
                text = as_number(value)
                return True, float(text) if text is not None and isinstance(value, str) else value
    return False, None


def counts_of(inputs: Mapping[str, Any], *, marker: int | None = None) -> eb.Counts:
    """
    Good and bad events of a case; empty where it has no data.

    Args:
        inputs: Any two of good, bad and total, or an SLI, or an error rate.
        marker: What stands for "no data" in a count, such as -1. One that is marked counts as 0;
            where all are, there is no data.

    Raises:
        InvalidCountsError: A count is NaN, negative, not a number, or good exceeds total.
        KeyError: There is nothing to count.
    """
    has_good, good = _count(inputs, "good", "success", "successes")
    has_bad, bad = _count(inputs, "bad", "errors", "failures", "failed")
    has_total, total = _count(inputs, "total", "valid", "events", "requests")
    if has_good + has_bad + has_total < 2:
        return _from_share(inputs, marker)
    given = [v for has, v in ((has_good, good), (has_bad, bad), (has_total, total)) if has]
    if any(value is None for value in given):
        return eb.Counts()
    if marker is not None and marker in given:
        if all(value == marker for value in given):
            return eb.Counts()
        good, bad, total = (0 if value == marker else value for value in (good, bad, total))
    if has_good and has_total:
        return eb.Counts.from_total(good=good, total=total)
    if has_bad and has_total:
        swapped = eb.Counts.from_total(good=bad, total=total)
        return eb.Counts(good=swapped.bad, bad=swapped.good)
    return eb.Counts(good=good, bad=bad)


def _from_share(inputs: Mapping[str, Any], marker: int | None) -> eb.Counts:
    for name in ("sli", "sli_value", "availability"):
        if name in inputs:
            share = inputs[name]
            nothing = share is None or (marker is not None and share == marker)
            return eb.Counts() if nothing else _shared(share)
    for name, scale in (
        ("error_rate", 1),
        ("error_ratio", 1),
        ("bad_ratio", 1),
        ("error_pct", 100),
        ("error_percent", 100),
    ):
        if name in inputs:
            if inputs[name] is None:
                return eb.Counts()
            return _shared(1 - number(inputs[name]) / scale)
    if "sli_pct" in inputs:
        return _shared(number(inputs["sli_pct"]) / 100)
    raise KeyError("counts")


def _shared(share: Any) -> eb.Counts:
    plain = as_number(share)
    if plain is not None and not math.isfinite(plain):
        return eb.Counts(good=plain)  # refused, with the library's own words
    return ratio_counts(share)
