"""Adapters of the kinds in lists of `{id, kind, input, expect}`."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from itertools import chain, repeat
from typing import Any

import errorbudget as eb
from errorbudget.alerts import WORKBOOK, AlertPolicy, BurnAlert
from errorbudget.allowances import allowance
from errorbudget.budget import budget as budget_of
from errorbudget.burn import burn_rate_exact, traffic_weighted_spend
from errorbudget.counters import anchored_increase, resets
from errorbudget.durations import DAY_NS, HOUR_NS, MINUTE_NS, SECOND_NS, parse_duration
from errorbudget.methods import OCCURRENCES, Method, slice_counts
from errorbudget.series import CountSeries
from errorbudget.times import to_ns
from errorbudget.windows import slice_count
from tests.conformance.cases import Case
from tests.conformance.figures import (
    Figures,
    assessed,
    clamped,
    guarded,
    no_data,
    refusable_counts,
    refused_counts,
    refused_target,
    rounded,
    total_target,
)
from tests.conformance.reading import counts_of, find, length_ns, number, ratio_counts, target_of
from tests.conformance.spans import calendar_answers, rolling_answers
from tests.conformance.verdicts import Answers, Purpose, Refused, as_number, close, refusable

__all__ = ["ADAPTERS", "Adapter", "figure_answers", "note_digits"]

Adapter = Callable[[Case], Answers]


def note_digits(case: Case, default: int | None = None) -> tuple[Purpose, ...]:
    """Rounding that the case itself speaks of."""
    found = re.search(
        r"round\w* (?:to )?(\d+)|(\d+)[ -]?(?:dp\b|digits?|decimals?)", f"{case.note} {case.about}"
    )
    digits = int(found[1] or found[2]) if found else default
    return () if digits is None else (rounded(digits),)


def figure_answers(case: Case, figures: Figures, *more: Purpose) -> Answers:
    """Figures with every difference that may come up between counts and budget."""
    return Answers(
        figures,
        (
            no_data(figures),
            total_target(figures),
            refused_counts(case.inputs, figures),
            refused_target(case.inputs),
            clamped(figures),
            *more,
        ),
    )


def _target(case: Case) -> Any:
    return refusable(lambda: target_of(case.inputs))


def occurrences(case: Case) -> Answers:
    marker = case.inputs.get("no_data_marker")
    counts = refusable_counts(lambda: counts_of(case.inputs, marker=marker))
    threshold = find(case.inputs, "burn_rate_threshold", "alert_threshold", "threshold")
    window = length_ns(case.inputs, "window", "period")
    return figure_answers(
        case, Figures(counts, _target(case), window, threshold), *note_digits(case)
    )


# --------------------------------------------------------------------------------- time slices


def _slices(inputs: Mapping[str, Any]) -> list[eb.Counts]:
    """The slices of a case, an empty one where it has null for a count."""
    if isinstance(inputs.get("slices"), Sequence):
        return [counts_of(one) for one in inputs["slices"]]
    names = [name for name in ("good", "bad", "total") if isinstance(inputs.get(name), Sequence)]
    columns = zip(*(inputs[name] for name in names), strict=True)
    return [counts_of(dict(zip(names, row, strict=True))) for row in columns]


def _no_data(case: Case) -> Any:
    text = str(case.inputs.get("no_data", ""))
    if not text and (found := re.search(r"missing slices count (\w+)", case.note)):
        text = found[1]
    return text if text in ("good", "bad", "exclude") else "exclude"


def timeslices_of(case: Case) -> eb.Timeslices:
    """The method: how a slice is judged, and whether its target has to be exceeded."""
    rule = f"{case.inputs.get('op', '')} {case.note}"
    reached = ">=" in rule or re.search(r"\bgte\b", rule)
    strict = not reached and bool(re.search(r"\bgt\b|total > ", rule))
    share = find(case.inputs, "slice_target", "timeslice_target", "time_slice_target")
    length = length_ns(case.inputs, "slice", "timeslice", "slice_length") or MINUTE_NS
    if share is None:
        share = 1
    return eb.Timeslices(length, share, no_data=_no_data(case), strict=strict)


def _whole(counts: eb.Counts) -> bool:
    return isinstance(counts.good, int) and isinstance(counts.bad, int)


def evaluated(slices: Sequence[eb.Counts], target: eb.Target | None, method: Method) -> eb.Status:
    """The status at the end of these slices, from a count series through the front door."""
    step = MINUTE_NS if isinstance(method, eb.Occurrences) else method.slice
    ends = [(index + 1) * step for index in range(len(slices))]
    good, total = [int(c.good) for c in slices], [int(c.total) for c in slices]
    series = CountSeries(ends, good, total, step)
    window = eb.Rolling.from_ns(max(1, len(slices)) * step)
    slo = eb.SLO(
        "case",
        target=target or "50%",
        window=window,
        sli=eb.Availability(),
        method=method,
        min_coverage=0,
    )
    return slo.evaluate(series, at=len(slices) * step)


def _sliced(
    case: Case, method: Method, *, figures_of: Sequence[eb.Counts] | None = None
) -> Figures:
    slices = refusable(lambda: _slices(case.inputs) if figures_of is None else figures_of)
    target = _target(case)
    if isinstance(slices, Refused) or isinstance(target, Refused):
        return Figures(slices if isinstance(slices, Refused) else eb.Counts(), target)
    if all(map(_whole, slices)) and slices:
        status = evaluated(slices, target, method)
        if target is None:
            return Figures(status.counts)
        return Figures(status.counts, target, status.slo.period_ns, status=status)
    assert not isinstance(method, eb.Occurrences)
    return Figures(slice_counts(slices, method), target, len(slices) * method.slice)


def timeslices(case: Case) -> Answers:
    method = timeslices_of(case)
    figures = _sliced(case, method)
    extra: dict[str, Callable[[], Any]] = {
        "bad": lambda: _verdicts(case, method),
        "verdicts": lambda: [None if bad is None else not bad for bad in _verdicts(case, method)],
        "good_slices": lambda: figures("good"),
        "bad_slices": lambda: figures("bad"),
        "total_slices": lambda: figures("total"),
    }
    if not isinstance(case.expected.get("bad"), list):
        extra["bad"] = lambda: figures("bad")
    return figure_answers(case, _with(figures, extra), *note_digits(case))


def _verdicts(case: Case, method: eb.Timeslices) -> list[bool | None]:
    good = [method.judge(counts) for counts in _slices(case.inputs)]
    return [None if one is None else not one for one in good]


class _with(Figures):
    """Figures and some more names."""

    def __init__(self, figures: Figures, extra: Mapping[str, Callable[[], Any]]) -> None:
        super().__init__(
            figures.counts, figures.target, figures.window_ns, figures.threshold, figures.status
        )
        self.extra = extra

    def __call__(self, key: str) -> Any:
        return self.extra[key]() if key in self.extra else super().__call__(key)


def ratio_timeslices(case: Case) -> Answers:
    length = length_ns(case.inputs, "slice", "timeslice") or MINUTE_NS
    method = eb.RatioTimeslices(length, no_data=_no_data(case))
    return figure_answers(case, _sliced(case, method), *note_digits(case))


def timeslices_counts(case: Case) -> Answers:
    inputs = case.inputs
    total = find(inputs, "total_slices", "slices", "total")
    bad, good = find(inputs, "bad_slices", "bad"), find(inputs, "good_slices", "good")
    if bad is None and good is not None:
        bad = total - good
    if total is None:
        total = good + bad
    method = eb.Timeslices(MINUTE_NS, "100%", no_data="good")

    def count() -> eb.Counts:
        eb.Counts.from_total(good=bad, total=total)  # refuses what cannot be
        failed = repeat(eb.Counts(bad=1), int(bad))
        return slice_counts(chain(failed, repeat(eb.Counts(), int(total - bad))), method)

    figures = Figures(refusable_counts(count), _target(case), length_ns(inputs, "window", "period"))
    extra = {
        "bad_slices": lambda: figures("bad"),
        "good_slices": lambda: figures("good"),
        "total_slices": lambda: figures("total"),
    }
    return figure_answers(case, _with(figures, extra), *note_digits(case))


def slices_in_range(case: Case) -> Answers:
    inputs = case.inputs
    span = length_ns(inputs, "range", "window", "period")
    if span is None:
        start, end = find(inputs, "from", "start"), find(inputs, "to", "end")
        span = to_ns(end) - to_ns(start)
    name = next(key for key in inputs if key.startswith(("slice", "timeslice")))
    given = inputs[name]
    many = isinstance(given, list)
    lengths = (
        [length_ns({name: one}, name.rpartition("_")[0] or name) or 0 for one in given]
        if (many)
        else [length_ns({name: given}, name.rpartition("_")[0] or name) or 0]
    )
    found = [slice_count(span, length) for length in lengths]
    return Answers.of({"slices": found if many else found[0], "count": found if many else found[0]})


def event_vs_time(case: Case) -> Answers:
    slices = _slices(case.inputs)
    length = length_ns(case.inputs, "slice", "timeslice") or MINUTE_NS
    target = _target(case)
    methods: dict[str, Callable[[], Method]] = {
        "occurrences": lambda: OCCURRENCES,
        "ratio_timeslices": lambda: eb.RatioTimeslices(length, no_data=_no_data(case)),
        "timeslices": lambda: timeslices_of(case),
    }

    def figure(key: str) -> Any:
        for name, method in methods.items():
            if key == name or key.startswith(f"{name}_"):
                status = evaluated(slices, target, method())
                what = key.removeprefix(name).lstrip("_") or "sli"
                return Figures(
                    status.counts, target, status.slo.period_ns, status=status if target else None
                )(what)
        raise KeyError(key)

    return Answers(figure, note_digits(case))


def avg_of_ratios_bias(case: Case) -> Answers:
    slices, target = _slices(case.inputs), _target(case)

    def figure(key: str) -> Any:
        found = re.fullmatch(r"(occurrences|mean_of_ratios)_(error|sli)", key)
        if not found:
            raise KeyError(key)
        method: Method = OCCURRENCES if found[1] == "occurrences" else eb.RatioTimeslices("1m")
        counts = evaluated(slices, target, method).counts
        return Figures(counts)("error_rate" if found[2] == "error" else "sli")

    return Answers(figure, note_digits(case))


def outage_answers(
    target: eb.Target,
    window_ns: int,
    slice_ns: int,
    usual: Any,
    during: Any,
    method: eb.Timeslices | eb.RatioTimeslices,
) -> float:
    """How long an outage uses a window's budget up [s], on top of what usual slices spend."""
    slices = slice_count(window_ns, slice_ns)
    before = slice_counts(repeat(ratio_counts(usual), slices), method)
    ordinary = burn_rate_exact(slice_counts([ratio_counts(usual)], method), target)
    outage = burn_rate_exact(slice_counts([ratio_counts(during)], method), target)
    left = budget_of(before, target).remaining_exact
    assert ordinary is not None
    assert outage is not None
    assert left is not None
    # An outage replaces usual slices: only what it spends beyond them counts.
    return eb.time_to_exhaustion(Fraction(outage - ordinary), window_ns, Fraction(left))


def ratio_timeslices_outage(case: Case) -> Answers:
    inputs = case.inputs
    slice_ns = length_ns(inputs, "slice") or MINUTE_NS
    slices = inputs["slices"] if "slices" in inputs else inputs["total_slices"]
    seconds = outage_answers(
        eb.Target(inputs["target"]),
        slices * slice_ns,
        slice_ns,
        inputs["base_ok"],
        inputs["attack_ok"],
        eb.RatioTimeslices(slice_ns),
    )
    return Answers.of(_units(seconds), note_digits(case))


def _units(seconds: float | None) -> dict[str, Any]:
    """One length in every unit that a file may ask for."""
    if seconds is None:
        return dict.fromkeys(("seconds", "minutes", "hours", "days"))
    return {
        "seconds": seconds,
        "minutes": seconds / 60,
        "hours": seconds / 3600,
        "days": seconds / 86_400,
    }


# ------------------------------------------------------------------------------ burn arithmetic


def time_budget(case: Case) -> Answers:
    inputs = case.inputs
    target = _target(case)
    window = length_ns(inputs, "window", "period")
    if isinstance(target, Refused):
        return Answers(lambda key: target, (refused_target(case.inputs),))
    assert target is not None
    assert window is not None
    row = allowance(target, window=eb.Rolling.from_ns(window)).per("window")
    seconds = float(row.downtime_s)
    names = {
        "budget_s": seconds,
        "budget_seconds": seconds,
        "budget_min": seconds / 60,
        "budget_minutes": seconds / 60,
        "budget_h": seconds / 3600,
        "budget_hours": seconds / 3600,
        "budget_fraction": target.error,
        **_units(seconds),
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
    names = dict.fromkeys(_units(0), seconds) if isinstance(seconds, Refused) else _units(seconds)
    unburnt = Purpose(
        "an infinite burn rate is no pace to go on at: refused",
        lambda key, expected, ours: isinstance(ours, Refused) and expected in (None, 0),
    )
    return Answers.of(names, (NEVER, unburnt, *note_digits(case)))


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
        _units(seconds()), (reached_not_exceeded(inputs, rate, window), *note_digits(case))
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
    return Answers.of(_units(seconds), note_digits(case))


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

    return Answers(figure, (refused_target(case.inputs), *note_digits(case)))


def max_burn_rate(case: Case) -> Answers:
    target = _target(case)

    def figure(key: str) -> Any:
        if isinstance(target, Refused):
            return target
        if found := re.fullmatch(r"consumed_(\w+?)_outage_(\w+)", key):
            return eb.budget_spent(eb.max_burn_rate(target), found[1], found[2])
        if key in ("max", "max_burn_rate", "burn_rate"):
            return eb.max_burn_rate(target)
        raise KeyError(key)

    return Answers(figure, (refused_target(case.inputs), *note_digits(case)))


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

    return figure_answers(case, _with(figures, {"warn": warned, "warning": warned}))


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
        note_digits(case),
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
    return Answers.of(_units(seconds), (to_minute,))


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


# ------------------------------------------------------------------------ composites and counters


def composite(case: Case) -> Answers:
    inputs, rule = case.inputs, case.kind.removeprefix("composite_")
    members = find(inputs, "sli", "slis", "values", "members")
    weights = find(inputs, "w", "weights", "weight")
    if members and isinstance(members[0], Mapping):
        weights = [find(one, "w", "weight") or 1 for one in members]
        members = [find(one, "sli", "sli_value", "sliValue") for one in members]
    members = [None if one in (-1, "NO_DATA") else one for one in members]
    target = target_of(inputs)
    names = [str(position) for position in range(len(members))]

    def status() -> Any:
        made = eb.Composite(
            "case",
            target or "50%",
            dict(zip(names, weights or [1] * len(names), strict=True)),
            rule=rule,  # type: ignore[arg-type]
            k=inputs.get("k"),
            missing=inputs.get("missing", "exclude"),
        )
        return made.of(dict(zip(names, members, strict=True)))

    found = refusable(status)

    def figure(key: str) -> Any:
        if isinstance(found, Refused):
            return found
        if key in ("sli", "sli_value"):
            return found.sli
        if target is None:
            raise KeyError(key)
        figures: dict[str, Callable[[], Any]] = {
            "consumed": lambda: found.budget_consumed,
            "remaining": lambda: found.budget_remaining,
            "initial": lambda: found.composite.target.error,
            "status": lambda: {"met": "HEALTHY", "missed": "VIOLATED", "no_data": "NO_DATA"}[
                found.state
            ],
            "state": lambda: found.state,
            "breached": lambda: {"met": False, "missed": True}.get(found.state),
        }
        return figures[key]()

    return Answers(
        figure,
        (
            Purpose(
                "no data is its own answer, never a silent 0 or 1",
                lambda key, expected, ours: (
                    (ours is None or key == "initial")
                    and not isinstance(found, Refused)
                    and found.sli is None
                    and as_number(expected) in (-1, 0, 1)
                ),
            ),
            Purpose(
                "shares outside [0, 1], weights not above 0 and composites of nothing are refused",
                lambda key, expected, ours: (
                    isinstance(ours, Refused)
                    and guarded(key, expected)
                    and (
                        not members
                        or any(
                            plain is not None and not 0 <= plain <= 1
                            for plain in map(as_number, members)
                        )
                        or any(number(weight) <= 0 for weight in weights or ())
                    )
                ),
            ),
            Purpose(
                "at a target of 100 % any error is an infinite burn",
                lambda key, expected, ours: (
                    target is not None
                    and not target.error
                    and as_number(ours) in (math.inf, -math.inf)
                    and as_number(expected) in (0, 1, None)
                ),
            ),
            Purpose(
                "an overspent budget is negative, not clamped at 0",
                lambda key, expected, ours: (
                    key == "remaining"
                    and expected == 0
                    and target is not None
                    and not isinstance(found, Refused)
                    and found.sli is not None
                    and bool(target.error)
                    and close(ours, 1 - (1 - found.sli) / float(target.error))
                    and ours < 0
                ),
            ),
            *note_digits(case),
        ),
    )


def counter_increase(case: Case) -> Answers:
    inputs = case.inputs
    step = length_ns(inputs, "step", "interval") or 15 * SECOND_NS
    samples = inputs["samples"]
    if samples and isinstance(samples[0], list):
        pairs = [(round(at * 1000), value) for at, value in samples if value is not None]
    else:
        pairs = [
            (index * step // 1_000_000, value)
            for index, value in enumerate(samples)
            if value is not None
        ]
    times, values = [at for at, _ in pairs], [float(value) for _, value in pairs]
    span = times[-1] - times[0] if times else 0
    look_back = max(span, 1)

    def grown() -> float | None:
        if len(times) < 2:
            return anchored_increase(times, values, times[-1] if times else 0, 1, born="before")
        return anchored_increase(times, values, times[-1], span, lookback_ms=look_back)

    return Answers.of(
        {
            "increase": grown,
            "resets": lambda: resets(times, values, times[-1], span + 1),
        },
        (
            Purpose(
                "a window without growth that could be seen has no figure",
                lambda key, expected, ours: ours is None and expected in (0, 0.0),
            ),
        ),
    )


ADAPTERS: dict[str, Adapter] = {
    "occurrences": occurrences,
    "timeslices": timeslices,
    "ratio_timeslices": ratio_timeslices,
    "timeslices_counts": timeslices_counts,
    "slice_count": slices_in_range,
    "time_budget": time_budget,
    "event_vs_time": event_vs_time,
    "burn_threshold": burn_threshold,
    "budget_consumed": budget_consumed,
    "time_to_exhaustion": time_to_exhaustion,
    "detection_time": detection_time,
    "reset_time": reset_time,
    "low_traffic": low_traffic,
    "max_burn_rate": max_burn_rate,
    "unreachable": unreachable,
    "low_traffic_warn": low_traffic_warn,
    "composite_weighted": composite,
    "composite_serial": composite,
    "composite_parallel": composite,
    "composite_worst_of": composite,
    "composite_k_of_n": composite,
    "traffic_weighted": traffic_weighted,
    "scale_windows": scale_windows,
    "absent_for": absent_for,
    "mwmbr": mwmbr,
    "rolling_range": rolling_answers,
    "calendar_anchored": calendar_answers,
    "calendar_anchored_tz": calendar_answers,
    "counter_increase": counter_increase,
    "ratio_timeslices_outage": ratio_timeslices_outage,
    "avg_of_ratios_bias": avg_of_ratios_bias,
}
