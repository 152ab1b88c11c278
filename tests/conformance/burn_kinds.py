"""Adapters of burn arithmetic: thresholds, what is spent, how long until and after."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

import errorbudget as eb
from errorbudget.alerts import WORKBOOK, AlertPolicy, BurnAlert
from errorbudget.allowances import allowance
from errorbudget.burn import burn_rate_exact, traffic_weighted_spend
from errorbudget.durations import DAY_NS, HOUR_NS, SECOND_NS, parse_duration
from tests.conformance.answering import (
    Adapter,
    figure_answers,
    in_units,
    note_digits,
    target_or_refused,
)
from tests.conformance.cases import Case
from tests.conformance.figures import (
    Extended,
    Figures,
    assessed,
    refusable_counts,
    refused_target,
)
from tests.conformance.reading import counts_of, find, length_ns, number, target_of
from tests.conformance.spans import window_of
from tests.conformance.verdicts import Answers, Purpose, Refused, as_number, close, refusable

__all__ = ["ADAPTERS", "NEVER", "reached_not_exceeded"]


def time_budget(case: Case) -> Answers:
    inputs = case.inputs
    target = target_or_refused(case)
    if isinstance(target, Refused):
        return Answers(lambda key: target, (refused_target(case.inputs),))
    assert target is not None
    row = allowance(target, window=window_of(inputs), at=find(inputs, "now", "at")).per("window")
    seconds = float(row.downtime_s)
    names = {
        "budget_s": seconds,
        "budget_seconds": seconds,
        "budget_min": seconds / 60,
        "budget_minutes": seconds / 60,
        "budget_h": seconds / 3600,
        "budget_hours": seconds / 3600,
        "budget_fraction": target.error,
        **in_units(seconds),
    }
    return Answers.of(names, note_digits(case))


def burn_threshold(case: Case) -> Answers:
    inputs = case.inputs
    share = find(inputs, "budget_fraction", "fraction", "budget")
    if share is None:
        share = number(inputs["budget_pct"]) / 100
    window, period = length_ns(inputs, "window", "long"), length_ns(inputs, "period")
    assert window is not None
    assert period is not None
    names: dict[str, Any] = {
        name: lambda: eb.burn_threshold(share, window, period)
        for name in ("threshold", "burn_rate", "factor")
    }
    if target := target_of(inputs):
        # The rate of errors at which the burn rate is the threshold.
        names["error_rate"] = names["error_ratio"] = lambda: (
            eb.burn_threshold(share, window, period) * target.error
        )
        names["unreachable"] = names["reachable"] = lambda: None
        names["reachable"] = lambda: BurnAlert("a", "page", share, window).reachable(target, period)
        names["unreachable"] = lambda: not names["reachable"]()
    return Answers.of(names, note_digits(case))


def _burn(inputs: Mapping[str, Any]) -> Any:
    value = find(inputs, "burn_rate", "burn", "factor", "threshold", "burn_rate_threshold")
    return value if not isinstance(value, float) or math.isfinite(value) else str(value)


def budget_consumed(case: Case) -> Answers:
    window, period = length_ns(case.inputs, "window", "long"), length_ns(case.inputs, "period")
    assert window is not None
    assert period is not None
    share = refusable(lambda: eb.budget_spent(_burn(case.inputs), window, period))
    scaled = share if isinstance(share, Refused) else 100 * share
    names = dict.fromkeys(("fraction", "consumed", "budget_fraction"), share)
    names |= dict.fromkeys(("percent", "pct", "consumed_pct", "consumed_percent"), scaled)
    return Answers.of(names, note_digits(case))


def _never(key: str, expected: Any, ours: Any) -> bool:
    return expected is None and as_number(ours) == math.inf


NEVER = Purpose("a budget that does not burn lasts for ever, which is said as infinite", _never)


def time_to_exhaustion(case: Case) -> Answers:
    inputs = case.inputs
    left = find(inputs, "remaining", "budget_left", "remaining_fraction")
    period = length_ns(inputs, "period", "window")
    assert period is not None
    seconds = refusable(
        lambda: eb.time_to_exhaustion(_burn(inputs), period, 1 if left is None else left)
    )
    names = (
        dict.fromkeys(in_units(0), seconds) if isinstance(seconds, Refused) else in_units(seconds)
    )
    at_once = Purpose(
        "an infinite burn rate exhausts at once, which is said as 0",
        lambda key, expected, ours: expected is None and as_number(ours) == 0,
    )
    return Answers.of(names, (NEVER, at_once, *note_digits(case)))


def reached_not_exceeded(inputs: Mapping[str, Any], rate: Any, window: int) -> Purpose:
    """A burn rate that comes up to the threshold and stays there: a strict alert never fires."""
    target = target_of(inputs)
    assert target is not None

    def holds(key: str, expected: Any, ours: Any) -> bool:
        plain = as_number(expected)
        level = number(_burn(inputs)) * target.error == number(rate)
        return (
            ours is None
            and level
            and plain is not None
            and any(close(plain * unit, window / SECOND_NS) for unit in (1, 60, 3600))
        )

    return Purpose("alerts fire above their threshold, not at it", holds)


def _error_rate(inputs: Mapping[str, Any]) -> Any:
    rate = find(inputs, "error_rate", "error_ratio")
    return number(inputs["error_pct"]) / 100 if rate is None else rate


def detection_time(case: Case) -> Answers:
    inputs = case.inputs
    target, window = target_of(inputs), length_ns(inputs, "window", "long", "long_window")
    assert target is not None
    assert window is not None
    rate = _error_rate(inputs)

    def seconds() -> float | None:
        if not number(rate):
            return None  # nothing to detect
        return eb.detection_time(target, _burn(inputs), window, rate)

    return Answers.of(
        in_units(seconds()), (reached_not_exceeded(inputs, rate, window), *note_digits(case))
    )


def reset_time(case: Case) -> Answers:
    inputs = case.inputs
    target, window = target_of(inputs), length_ns(inputs, "window", "long", "long_window")
    assert target is not None
    assert window is not None
    rate, incident = _error_rate(inputs), length_ns(inputs, "incident", "outage")
    if incident is None:
        fired = eb.detection_time(target, _burn(inputs), window, rate)
        incident = None if fired is None else round(fired * SECOND_NS)
    seconds = (
        None if incident is None else eb.reset_time(target, _burn(inputs), window, rate, incident)
    )
    return Answers.of(in_units(seconds), note_digits(case))


def low_traffic(case: Case) -> Answers:
    inputs, target = case.inputs, target_of(case.inputs)
    name = next(key for key in inputs if key.startswith("rate"))
    unit = name.rpartition("_")[2] if "_per_" in name else "s"
    size = {"s": "s", "m": "min", "min": "min", "h": "h", "d": "day", "day": "day"}[unit]
    period = length_ns(inputs, "period", "window")
    assert target is not None
    assert period is not None
    table = allowance(target, window=eb.Rolling.from_ns(period), rate=f"{inputs[name]}/{size}")

    def over(length: str) -> Figures:
        total = table.per(length).total
        assert total is not None
        counts = refusable_counts(lambda: eb.Counts.from_total(good=total - bad, total=total))
        return Figures(counts, target, period if length == "window" else parse_duration(length))

    bad = number(inputs.get("bad", 0))

    def figure(key: str) -> Any:
        if found := re.fullmatch(r"(burn_rate|sli|consumed)_(\d+[smhdw])", key):
            return over(found[2])(found[1])
        return over("window")(key)

    def more_than_all(key: str, expected: Any, ours: Any) -> bool:
        total, plain = table.per("hour").total, as_number(expected)
        assert total is not None
        return (
            isinstance(ours, Refused)
            and bad > total
            and plain is not None
            and any(close(plain, float(bad / total / unit)) for unit in (1, target.error))
        )

    more = Purpose("more bad events than events are refused", more_than_all)
    return Answers(figure, (refused_target(case.inputs), more, *note_digits(case)))


def max_burn_rate(case: Case) -> Answers:
    target = target_or_refused(case)

    def figure(key: str) -> Any:
        if isinstance(target, Refused):
            return target
        if found := re.fullmatch(r"consumed_(\w+?)_outage_(\w+)", key):
            return eb.budget_spent(eb.max_burn_rate(target), found[1], found[2])
        if key in ("max", "max_burn_rate", "burn_rate"):
            return eb.max_burn_rate(target)
        raise KeyError(key)

    infinite = Purpose(
        "at a target of 100 % the greatest burn rate is infinite",
        lambda key, expected, ours: (
            isinstance(target, eb.Target) and not target.error and expected in (None, 0)
        ),
    )
    return Answers(figure, (refused_target(case.inputs), infinite, *note_digits(case)))


def table_of(factors: Sequence[Any]) -> AlertPolicy:
    """A table of one-hour alerts with these thresholds."""
    hours = max(1, *(math.ceil(number(factor)) for factor in factors))
    alerts = [
        BurnAlert(f"{position}: {factor}", "page", number(factor) / hours, HOUR_NS)
        for position, factor in enumerate(factors)
    ]
    return AlertPolicy("case", alerts, hours * HOUR_NS)


def unreachable(case: Case) -> Answers:
    factors = find(case.inputs, "factors", "thresholds", "burn_rates")
    factors = factors if isinstance(factors, list) else [factors]
    table, target = table_of(factors), target_of(case.inputs)
    assert target is not None
    found = table.unreachable(target, table.period)
    listed = [float(alert.threshold(table.period)) for alert in found]

    def figure(key: str) -> Any:
        if key in ("unreachable", "count"):
            shape = case.expected[key]
            return (
                listed
                if isinstance(shape, list)
                else (bool(found) if isinstance(shape, bool) else len(found))
            )
        if key == "reachable":
            return len(factors) - len(found)
        if key in ("max", "max_burn_rate"):
            return eb.max_burn_rate(target)
        raise KeyError(key)

    return Answers(figure)


def low_traffic_warn(case: Case) -> Answers:
    target = target_of(case.inputs)
    assert target is not None
    total = find(case.inputs, "total", "events", "total_events")
    counts = refusable_counts(
        lambda: (
            counts_of(case.inputs)
            if {"good", "bad"} & case.inputs.keys()
            else eb.Counts(good=total)
        )
    )
    figures = Figures(counts, target)

    def warned() -> bool:
        if isinstance(counts, Refused):
            return False
        status = assessed(counts, target, eb.Rolling("30d"))
        return any("too little traffic" in sentence for sentence in status.warnings)

    quiet = Purpose(
        "no events is no data, and not too little traffic",
        lambda key, expected, ours: figures.empty and ours is False and expected is True,
    )
    return figure_answers(case, Extended(figures, {"warn": warned, "warning": warned}), quiet)


def traffic_weighted(case: Case) -> Answers:
    inputs = case.inputs
    counts, target = counts_of(inputs), target_of(inputs)
    window, period = length_ns(inputs, "window"), length_ns(inputs, "period")
    mean = find(inputs, "mean_total_per_window", "mean_total")
    assert target is not None
    assert window is not None
    assert period is not None
    outage = eb.Counts(bad=counts.total)

    def spent(of: eb.Counts) -> Any:
        burn = burn_rate_exact(of, target)
        return None if burn is None else eb.budget_spent(Fraction(burn), window, period)

    def coefficient() -> Any:
        weighted = traffic_weighted_spend(outage, mean, target, window, period)
        return None if weighted is None else weighted / spent(outage)

    return Answers.of(
        {
            "raw_fraction": lambda: spent(counts),
            "weighted_fraction": lambda: traffic_weighted_spend(
                counts, mean, target, window, period
            ),
            "coefficient": coefficient,
            "burn_rate": lambda: eb.burn_rate(counts, target),
        },
        (
            Purpose(
                "no events is its own answer, never a silent 0 or 1",
                lambda key, expected, ours: ours is None and not counts and expected in (0, 1),
            ),
            *note_digits(case),
        ),
    )


def _whole_minutes(inputs: Mapping[str, Any], old: int, new: int) -> Purpose:
    """A source that leaves stretched windows as they come out."""

    def holds(key: str, expected: Any, ours: Any) -> bool:
        given = inputs.get(key, inputs.get(key.removesuffix("_s")))
        if not isinstance(given, list) or not isinstance(expected, list):
            return False
        return len(given) == len(expected) and all(
            close(float(theirs), float(number(one) * new / old))
            for one, theirs in zip(given, expected, strict=True)
        )

    return Purpose("stretched windows are whole minutes, at least one", holds)


def scale_windows(case: Case) -> Answers:
    inputs = case.inputs
    old, new = length_ns(inputs, "from"), length_ns(inputs, "to")
    longs = find(inputs, "long_s", "long")
    shorts = find(inputs, "short_s", "short") or [None] * len(longs)
    assert old is not None
    assert new is not None
    alerts = [
        BurnAlert(
            str(row),
            "page",
            Fraction(1, 10**9),
            length_ns({"x": long}, "x") or 0,
            None if short is None else length_ns({"x": short}, "x"),
        )
        for row, (long, short) in enumerate(zip(longs, shorts, strict=True))
    ]
    scaled = AlertPolicy("case", alerts, old).rescaled(new).alerts
    return Answers.of(
        {
            "long_s": [alert.long / SECOND_NS for alert in scaled],
            "short_s": [None if a.short is None else a.short / SECOND_NS for a in scaled],
        },
        (_whole_minutes(inputs, old, new),),
    )


def absent_for(case: Case) -> Answers:
    inputs = case.inputs
    target, long = target_of(inputs), length_ns(inputs, "long")
    period, hold = length_ns(inputs, "window", "period"), length_ns(inputs, "for") or 0
    assert target is not None
    assert long is not None
    assert period is not None
    # An absent metric is an outage that nobody counts: the alert waits as long as for an outage.
    alert = BurnAlert("absent", "page", number(_burn(inputs)) * long / period, long, hold=hold)
    seconds = alert.detection_time(target, period)
    to_minute = Purpose(
        "nothing is rounded; theirs is ours to the minute",
        lambda key, expected, ours: (
            as_number(ours) is not None
            and as_number(expected) is not None
            and (expected * _unit_s(key)) % 60 == 0
            and abs(expected - ours) * _unit_s(key) <= 30
        ),
    )
    share = number(_burn(inputs)) * target.error

    def unreachable_there(key: str, expected: Any, ours: Any) -> bool:
        theirs = float(share * long + hold) / SECOND_NS
        plain = as_number(expected)
        return (
            ours is None
            and share >= 1
            and plain is not None
            and abs(plain * _unit_s(key) - theirs) <= 30
        )

    never = Purpose(
        "no outage exceeds such a threshold: there is nothing to wait for", unreachable_there
    )
    return Answers.of(in_units(seconds), (to_minute, never))


def _unit_s(key: str) -> int:
    return {"seconds": 1, "minutes": 60, "hours": 3600, "days": 86_400}[key]


def mwmbr(case: Case) -> Answers:
    inputs = case.inputs
    rates = {
        parse_duration(window): None if rate is None else number(rate)
        for window, rate in inputs["burn_rates"].items()
    }
    policy, period = WORKBOOK, length_ns(inputs, "period", "window") or 30 * DAY_NS
    if rows := find(inputs, "alerts", "conditions"):
        policy = AlertPolicy("case", [_row(i, row, period) for i, row in enumerate(rows)], period)
    severity = policy.severity(rates, period)
    states = policy.states(rates, period)
    return Answers.of(
        {
            "severity": severity,
            "firing": severity is not None,
            "alert": severity is not None,
            "count": sum(state.state == "firing" for state in states),
        }
    )


def _row(position: int, row: Mapping[str, Any], period: int) -> BurnAlert:
    long = length_ns(row, "long", "long_window", "window")
    short = length_ns(row, "short", "short_window")
    assert long is not None
    factor = find(row, "threshold", "factor", "burn_rate")
    share = (
        number(factor) * long / period if factor is not None else number(row["budget_pct"]) / 100
    )
    return BurnAlert(str(position), row.get("severity", "page"), share, long, short)


ADAPTERS: dict[str, Adapter] = {
    "time_budget": time_budget,
    "burn_threshold": burn_threshold,
    "budget_consumed": budget_consumed,
    "time_to_exhaustion": time_to_exhaustion,
    "detection_time": detection_time,
    "reset_time": reset_time,
    "low_traffic": low_traffic,
    "max_burn_rate": max_burn_rate,
    "unreachable": unreachable,
    "low_traffic_warn": low_traffic_warn,
    "traffic_weighted": traffic_weighted,
    "scale_windows": scale_windows,
    "absent_for": absent_for,
    "mwmbr": mwmbr,
}
