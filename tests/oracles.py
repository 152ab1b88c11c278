"""
Slow, obvious answers: every figure of a status worked out from a list of dictionaries.

Nothing here looks at an array, a cumulative sum or a cache. An event is a dictionary with a
`time` in nanoseconds, a unit is judged one at a time, and every ratio is a `Fraction`.
"""

from __future__ import annotations

import datetime as dt
import zoneinfo
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from math import inf
from typing import Any

from errorbudget import SLO, Calendar, Concurrency, Freshness, LatencyQuantile, RatioSLI, Throughput
from errorbudget.methods import Occurrences, RatioTimeslices
from errorbudget.schedule import TargetSchedule

MINUTE = 60 * 10**9
Event = Mapping[str, Any]


@dataclass(frozen=True)
class Unit:
    """
    One unit of the budget: an event or a slice.

    `ends` is when it is known; `starts` is None for an event, which has no length.
    """

    ends: int
    good: Fraction
    total: int = 1
    starts: int | None = None

    def inside(self, start: int, end: int, *, open_start: bool) -> bool:
        if self.starts is None and not open_start:
            return start <= self.ends <= end
        return start < self.ends <= end


@dataclass(frozen=True)
class Expected:
    """What a status has to say."""

    start: int
    good: Fraction
    total: int
    allowed: Fraction
    burn: Mapping[int, Fraction | float | None]
    alerts: Mapping[str, str]
    silenced: frozenset[str]
    coverage: Fraction | None
    left_out: int

    @property
    def bad(self) -> Fraction:
        return self.total - self.good

    @property
    def sli(self) -> Fraction | None:
        return self.good / self.total if self.total else None

    @property
    def consumed(self) -> Fraction | float | None:
        return spent(self.bad, self.allowed, self.total)

    @property
    def remaining(self) -> Fraction | float | None:
        return None if self.consumed is None else 1 - self.consumed

    @property
    def state(self) -> str:
        if not self.total:
            return "no_data"
        return "met" if self.bad <= self.allowed else "missed"


def spent(bad: Fraction, allowed: Fraction, total: int) -> Fraction | float | None:
    """Share of the budget that is gone."""
    if not total:
        return None
    if not allowed:
        return inf if bad else Fraction(0)
    return bad / allowed


def tier(remaining: Fraction | float | None) -> str | None:
    """The guide's first table, written out."""
    if remaining is None:
        return None
    if remaining > Fraction(1, 2):
        return "healthy"
    if remaining >= Fraction(1, 5):
        return "consuming"
    return "low" if remaining > 0 else "exhausted"


def risk(remaining: Fraction | float | None) -> str | None:
    """The guide's second table, written out."""
    if remaining is None:
        return None
    if remaining > Fraction(3, 4):
        return "high"
    if remaining >= Fraction(1, 2):
        return "medium"
    return "low" if remaining >= Fraction(1, 4) else "critical"


# ---------------------------------------------------------------------------- windows


def calendar_start(window: Calendar, at: int) -> int:
    """The first instant of the period that holds *at*, looked for on the clock; no anchors."""
    zone = zoneinfo.ZoneInfo(window.zone)
    local = dt.datetime.fromtimestamp(at // 10**9, zone).date()
    first = {
        "day": local,
        "week": local - dt.timedelta(days=local.weekday()),
        "month": local.replace(day=1),
        "quarter": local.replace(day=1, month=(local.month - 1) // 3 * 3 + 1),
        "year": local.replace(day=1, month=1),
    }[window.unit]
    midnight = dt.datetime.combine(first, dt.time(0), tzinfo=dt.UTC)
    for quarters in range(-4 * 15, 4 * 15):
        instant = midnight + quarters * dt.timedelta(minutes=15)
        if instant.astimezone(zone).date() >= first:
            return int(instant.timestamp()) * 10**9
    raise AssertionError(f"{window} has no start at {at}")


def window_start(slo: SLO, at: int) -> tuple[int, bool]:
    """Where the window of *at* starts, and whether it is open there."""
    if isinstance(slo.window, Calendar):
        start, open_start = calendar_start(slo.window, at), False
    else:
        start, open_start = at - slo.window.length_ns, True
    for reset in slo.resets:
        if start < reset.at_ns <= at:
            start, open_start = reset.at_ns, False
    return start, open_start


# ---------------------------------------------------------------------------- units


def treatment(slo: SLO, time: int) -> str | None:
    """What maintenance makes of an event at *time*; exclusion wins."""
    found = {
        correction.treat
        for correction in slo.corrections
        if correction.interval.start_ns <= time < correction.interval.end_ns  # type: ignore[union-attr]
    }
    return "exclude" if "exclude" in found else "good" if found else None


def judged(slo: SLO, event: Event) -> bool | str | None:
    """Whether an event is good; None when it has no part, "unknown" when that cannot be told."""
    assert isinstance(slo.sli, RatioSLI)
    valid = slo.sli.valid_when.matches(event)
    treated = treatment(slo, event["time"])
    if valid is False or treated == "exclude":
        return None
    if valid is None:
        return "unknown"
    good = slo.sli.good_when.matches(event)
    if treated == "good":
        return True
    return "unknown" if good is None else good


def takes_part(slo: SLO, event: Event) -> bool | None:
    """Whether an event or sample is measured by a threshold; None when a value is missing."""
    valid = slo.sli.valid_when.matches(event)
    if valid is False:
        return False
    if treatment(slo, event["time"]) and not isinstance(slo.sli, Freshness):
        return False
    if isinstance(slo.sli, (LatencyQuantile, Concurrency)) and event.get(slo.sli.column) is None:
        return None
    return valid


def maintained(slo: SLO, start: int, end: int) -> dict[str | None, int]:
    """How long each treatment holds between two instants, piece by piece; None is as usual."""
    edges = {start, end}
    for correction in slo.corrections:
        edges |= {correction.interval.start_ns, correction.interval.end_ns}  # type: ignore[union-attr]
    found: dict[str | None, int] = {None: 0, "exclude": 0, "good": 0}
    for low, high in pairwise(sorted(edge for edge in edges if start <= edge <= end)):
        found[treatment(slo, low)] += high - low
    return found


def slices(slo: SLO, events: Sequence[Event], at: int) -> list[tuple[int, int]]:
    """Start and end of every slice from the first event to the last, or to *at*."""
    method = slo.method
    assert not isinstance(method, Occurrences)
    length = method.slice
    times = [event["time"] for event in events]
    if not times:
        return []
    first, last = min(times), max(times)
    if slo.window.closed == "right":  # (start, end]
        begin, finish = (first - 1) // length * length, -(-last // length) * length
    else:
        begin, finish = first // length * length, last // length * length + length
    finish = max(finish, at // length * length)
    return [(start, start + length) for start in range(begin, finish, length)]


def in_slice(slo: SLO, time: int, start: int, end: int) -> bool:
    return start < time <= end if slo.window.closed == "right" else start <= time < end


def slice_unit(slo: SLO, inside: Sequence[Event], start: int, end: int) -> Unit:
    """The verdict on one slice from the events in it."""
    method = slo.method
    assert not isinstance(method, Occurrences)
    time = maintained(slo, start, end)
    covered = (
        None if time[None] else Unit(end, Fraction(time["good"] > 0), bool(time["good"]), start)
    )
    if isinstance(slo.sli, Throughput):
        if covered is not None:
            return covered
        count = sum(takes_part(slo, event) is True for event in inside)
        return Unit(end, Fraction(Fraction(count * 10**9, time[None]) > slo.sli.above), 1, start)
    if isinstance(slo.sli, RatioSLI):
        verdicts = [judged(slo, event) for event in inside]
        good, total = verdicts.count(True), verdicts.count(True) + verdicts.count(False)
        share = Fraction(good, total) if total else None
    else:
        part = [event for event in inside if takes_part(slo, event)]
        total = len(part)
        kept = all(m.met for m in figures(slo, part, start, end)) if part else None
        share = None if kept is None else Fraction(kept)
    if share is None:
        if covered is not None:
            return covered
        empty = {"exclude": Unit(end, Fraction(0), 0, start)}
        empty |= {"good": Unit(end, Fraction(1), 1, start), "bad": Unit(end, Fraction(0), 1, start)}
        return empty[method.no_data]
    if isinstance(method, RatioTimeslices) or not isinstance(slo.sli, RatioSLI):
        return Unit(end, share, 1, start)
    wanted = method.slice_target.ratio
    return Unit(end, Fraction(share > wanted if method.strict else share >= wanted), 1, start)


def units(slo: SLO, events: Sequence[Event], at: int) -> list[Unit]:
    """The units of an SLO, in no order."""
    if isinstance(slo.method, Occurrences):
        verdicts = ((event["time"], judged(slo, event)) for event in events)
        return [Unit(time, Fraction(v)) for time, v in verdicts if isinstance(v, bool)]
    return [
        slice_unit(slo, [e for e in events if in_slice(slo, e["time"], start, end)], start, end)
        for start, end in slices(slo, events, at)
    ]


def fresh(slo: SLO, events: Sequence[Event], start: int, end: int) -> tuple[Fraction, int]:
    """Fresh and known time between two instants, piece by piece between updates and expiries."""
    assert isinstance(slo.sli, Freshness)
    updates = sorted(event["time"] for event in events if takes_part(slo, event))
    cuts = {start, end, *updates, *(update + slo.sli.within for update in updates)}
    for correction in slo.corrections:
        cuts |= {correction.interval.start_ns, correction.interval.end_ns}  # type: ignore[union-attr]
    cuts = sorted(cut for cut in cuts if start <= cut <= end)
    good = known = 0
    for low, high in pairwise(cuts):
        before = [update for update in updates if update <= low]
        treated = treatment(slo, low)
        if before and treated != "exclude":
            known += high - low
            keeps = treated == "good" or high - before[-1] <= slo.sli.within
            good += high - low if keeps else 0
    return Fraction(good), known


# ---------------------------------------------------------------------------- the status


def counted(
    slo: SLO, events: Sequence[Event], found: Sequence[Unit], start: int, at: int, open_start: bool
) -> tuple[Fraction, int, Fraction]:
    """Good and all units of a window, and how many of them the targets allow to be bad."""

    def error(time: int) -> Fraction:
        target = slo.target
        if isinstance(target, TargetSchedule):
            when = at if target.judge_by == "now" else time
            past = [change for change in target.targets if change <= when]
            target = target.targets[max(past, default=min(target.targets))]
        return target.error  # type: ignore[union-attr]

    if isinstance(slo.sli, Freshness):
        good, known = fresh(slo, events, start, at)
        return good, known, known * error(at)
    inside = [unit for unit in found if unit.inside(start, at, open_start=open_start)]
    allowed = sum(
        (
            # A slice that ends with a change was all under the old target.
            unit.total * error(unit.ends if unit.starts is None else unit.ends - 1)
            for unit in inside
        ),
        Fraction(0),
    )
    return sum((u.good for u in inside), Fraction(0)), sum(u.total for u in inside), allowed


def burn_rates(
    slo: SLO, events: Sequence[Event], found: Sequence[Unit], at: int
) -> dict[int, Fraction | float | None]:
    rates: dict[int, Fraction | float | None] = {}
    for window in slo.all_burn_windows:
        good, total, allowed = counted(slo, events, found, at - window, at, True)
        rates[window] = spent(total - good, allowed, total)
    return rates


def burns(alert: Any, rates: Mapping[int, Any], period: int) -> bool:
    threshold = alert.budget * period / alert.long
    windows = [alert.long] if alert.short is None else [alert.long, alert.short]
    return all(rates[window] is not None and rates[window] > threshold for window in windows)


def alert_states(
    slo: SLO, events: Sequence[Event], found: Sequence[Unit], at: int
) -> tuple[dict[str, str], frozenset[str]]:
    """Every alert's state, and which firing ones are silenced by a more urgent one."""
    order = ["critical", "page", "warning", "ticket", "info"]
    states, urgency = {}, {}
    rates = burn_rates(slo, events, found, at)
    for alert in slo.alerts.alerts:  # type: ignore[union-attr]
        state = "inactive"
        if burns(alert, rates, slo.period_ns):
            before = range(at - alert.hold, at, min(MINUTE, alert.hold)) if alert.hold else []
            held = all(
                burns(alert, burn_rates(slo, events, found, instant), slo.period_ns)
                for instant in before
            )
            state = "firing" if held else "pending"
        states[alert.name] = state
        if state == "firing":
            urgency[alert.name] = order.index(alert.severity)
    first = min(urgency.values(), default=0)
    silenced = frozenset(name for name, rank in urgency.items() if rank > first)
    return states, silenced if slo.alerts.inhibit else frozenset()  # type: ignore[union-attr]


def overlap(pieces: Sequence[tuple[int, int]], start: int, end: int) -> int:
    return sum(max(0, min(high, end) - max(low, start)) for low, high in pieces)


def coverage(
    slo: SLO, events: Sequence[Event], found: Sequence[Unit], start: int, at: int
) -> Fraction | None:
    """Share of the window that was observed."""
    if start == at:
        return None
    times = [event["time"] for event in events]
    if isinstance(slo.sli, Freshness):
        updates = [event["time"] for event in events if takes_part(slo, event)]
        pieces = [(min(updates), at)] if updates and min(updates) < at else []
    elif isinstance(slo.method, Occurrences):
        pieces = [(min(times), max(times))] if times else []
    else:
        pieces = [(unit.starts or 0, unit.ends) for unit in found if unit.total]
    return Fraction(overlap(pieces, start, at), at - start)


def expected(slo: SLO, events: Sequence[Event], at: int) -> Expected:
    """The status of *slo* at *at*, the slow way."""
    start, open_start = window_start(slo, at)
    found = [] if isinstance(slo.sli, Freshness) else units(slo, events, at)
    good, total, allowed = counted(slo, events, found, start, at, open_start)
    states, silenced = alert_states(slo, events, found, at)
    missing = [
        event
        for event in events
        if (
            judged(slo, event) == "unknown"
            if isinstance(slo.sli, RatioSLI)
            else takes_part(slo, event) is None
        )
        and Unit(event["time"], Fraction(0)).inside(start, at, open_start=open_start)
    ]
    return Expected(
        start,
        good,
        total,
        allowed,
        burn_rates(slo, events, found, at),
        states,
        silenced,
        coverage(slo, events, found, start, at),
        len(missing),
    )


# ---------------------------------------------------------------------------- thresholds


@dataclass(frozen=True)
class Figure:
    """A measured figure, exactly."""

    value: Fraction | None
    met: bool | None


def nearest_rank(values: Sequence[float], share: Fraction) -> float:
    """The smallest value that at least *share* of all values do not exceed."""
    return next(v for v in sorted(values) if sum(x <= v for x in values) >= share * len(values))


def figures(slo: SLO, events: Sequence[Event], start: int, end: int) -> list[Figure]:
    """The figures of a threshold over the events of one window, which are given."""
    sli = slo.sli
    if isinstance(sli, LatencyQuantile):
        values = [event[sli.column] for event in events]
        found: list[Figure] = []
        for name, bound in sli.bounds.items():
            share = Fraction(name.removeprefix("p")) / 100
            value = nearest_rank(values, share) if values else None
            met = None if value is None else value < float(bound)
            found.append(Figure(None if value is None else Fraction(value), met))
        return found
    if isinstance(sli, Throughput):
        counts = [(len(events), maintained(slo, start, end)[None])]
        if sli.sustained is not None:
            counts = [
                (
                    sum(high - sli.sustained < event["time"] <= high for event in events),
                    sli.sustained,
                )
                for high in range(end, start + sli.sustained - 1, -sli.sustained)
                if maintained(slo, high - sli.sustained + 1, high + 1)[None] == sli.sustained
            ]
        if not counts or not counts[0][1]:
            return [Figure(None, None)]
        rate = min(Fraction(count * 10**9, length) for count, length in counts)
        return [Figure(rate, rate > sli.above)]
    if isinstance(sli, Concurrency):
        sums: dict[int, Fraction] = {}
        for event in events:
            value = Fraction(event[sli.column])
            sums[event["time"]] = sums.get(event["time"], Fraction(0)) + value
        if not sums:
            return [Figure(None, None)]
        statistic = {
            "max": max(sums.values()),
            "sustained": min(sums.values()),
            "mean": sum(sums.values()) / len(sums),
        }[sli.statistic]
        return [Figure(statistic, statistic > sli.above)]
    assert isinstance(sli, Freshness)
    if not events:
        return [Figure(None, None)]
    age = end - max(event["time"] for event in events)
    return [Figure(Fraction(age, 10**9), age <= sli.within)]


def expected_figures(slo: SLO, events: Sequence[Event], at: int) -> list[Figure]:
    """The figures of a threshold objective at *at*; none where nothing was observed."""
    start, open_start = window_start(slo, at)
    times = [event["time"] for event in events]
    since = start + open_start
    observed = bool(times) and min(times) <= at and max(times) >= since
    if isinstance(slo.sli, Freshness):
        updates = [event for event in events if takes_part(slo, event) and event["time"] <= at]
        return figures(slo, updates, start, at)
    inside = [
        event
        for event in events
        if takes_part(slo, event)
        and Unit(event["time"], Fraction(0)).inside(start, at, open_start=open_start)
    ]
    found = figures(slo, inside, start, at)
    return found if observed else [Figure(None, None) for _ in found]


def kleene(answers: Sequence[bool | None], *, every: bool) -> bool | None:
    """Three-valued "and" (*every*) or "or", by its table: unknown is a half."""
    half = Fraction(1, 2)
    worth = [half if answer is None else Fraction(answer) for answer in answers]
    found = min(worth) if every else max(worth)
    return None if found == half else bool(found)


__all__ = [
    "MINUTE",
    "Expected",
    "Figure",
    "calendar_start",
    "expected",
    "expected_figures",
    "kleene",
    "nearest_rank",
    "risk",
    "spent",
    "tier",
]
