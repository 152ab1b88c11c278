"""Inputs for the tests of the core: events on a coarse clock, so that edges are hit, and SLOs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hypothesis import strategies as st

import errorbudget as eb
from errorbudget import (
    SLO,
    AlertPolicy,
    BudgetReset,
    BurnAlert,
    Calendar,
    Events,
    Maintenance,
    RatioTimeslices,
    Rolling,
    TargetSchedule,
    Timeslices,
)
from errorbudget import predicates as p

MINUTE = 60 * 10**9
STEP = 15 * 10**9
BASE = 1_774_738_800 * 10**9 - 90 * MINUTE
"""22:30 UTC on 28 March 2026: Berlin's clocks change three hours and a half later."""

STATUSES = (200, 204, 301, 404, 429, 500, 503, None)
DURATIONS = (0.05, 0.1, 0.2, 0.25, 0.3, 1.0, None)
ROUTES = ("/a", "/b", "/api/x", None)


@st.composite
def event_dicts(
    draw: st.DrawFn, *, max_size: int = 40, steps: int = 240, step: int = STEP
) -> list[dict[str, Any]]:
    """Events in any order, several at one instant, some with holes."""
    offsets = draw(st.lists(st.integers(0, steps), max_size=max_size))
    return [
        {
            "time": BASE + offset * step,
            "status": draw(st.sampled_from(STATUSES)),
            "duration_s": draw(st.sampled_from(DURATIONS)),
            "good": draw(st.booleans()),
            "route": draw(st.sampled_from(ROUTES)),
            "connections": draw(st.sampled_from([0, 1, 5, 10, None])),
        }
        for offset in offsets
    ]


def to_events(rows: Sequence[Mapping[str, Any]]) -> Events:
    """The same events as columns."""
    return Events(
        time=[row["time"] for row in rows],
        status=[row["status"] for row in rows],
        duration_s=[row["duration_s"] for row in rows],
        good=[row["good"] for row in rows],
        labels={"route": [row["route"] for row in rows]},
        values={"connections": [row["connections"] for row in rows]},
    )


instants = st.integers(-10, 300).map(lambda offset: BASE + offset * STEP)
targets = st.sampled_from(["50%", "2/3", "90%", "99%", "99.9%", "100%"])
rolling = st.sampled_from([Rolling(text) for text in ("5m", "10m", "45m", "1h", "1d")])
ZONES = (
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",
    "Asia/Kathmandu",
    "America/St_Johns",
    "Australia/Adelaide",
)
calendars = st.builds(
    lambda unit, zone: Calendar(unit, zone=zone),
    st.sampled_from(["day", "week", "month"]),
    st.sampled_from(ZONES),
)
windows = st.one_of(rolling, calendars)

schedules = st.builds(
    TargetSchedule,
    st.dictionaries(instants, targets, min_size=1, max_size=3),
    st.sampled_from(["event", "now"]),
)

ratio_slis = st.sampled_from(
    [
        eb.Availability(),
        eb.Availability(good="2xx"),
        eb.ErrorRate(where={"route": "/api/.*"}),
        eb.Latency("200ms"),
        eb.Latency("250ms", valid="2xx"),
        eb.RatioSLI(),
        eb.RatioSLI(bad=p.status_in("5xx") | (p.duration > "250ms"), exclude="429"),
    ]
)
slices = st.sampled_from(["1m", "5m"])
no_data = st.sampled_from(["exclude", "good", "bad"])
timeslices = st.builds(
    Timeslices, slices, st.sampled_from(["50%", "2/3", "90%", "100%"]), no_data, st.booleans()
)
ratio_timeslices = st.builds(RatioTimeslices, slices, no_data)
methods = st.one_of(st.just("occurrences"), timeslices, ratio_timeslices)

resets = st.lists(
    instants.map(lambda at: BudgetReset(at, "agreed")), max_size=2, unique_by=lambda r: r.at_ns
)
maintenance = st.builds(
    lambda start, length, treat: Maintenance(start, start + length * STEP, treat),
    instants,
    st.integers(1, 40),
    st.sampled_from(["exclude", "good"]),
)
corrections = st.lists(maintenance, max_size=2)

QUICK = AlertPolicy(
    "quick",
    (
        BurnAlert("held", "critical", "10%", "10m", hold="2m"),
        BurnAlert("fast", "page", "5%", "10m", "1m"),
        BurnAlert("slow", "ticket", "20%", "45m", "5m", hold="1m"),
    ),
    period="1h",
)
alerts = st.sampled_from([None, QUICK])


@st.composite
def ratio_slos(draw: st.DrawFn, *, methods: Any = methods, windows: Any = windows) -> SLO:
    """Ratio objectives of every kind."""
    return SLO(
        "ratio",
        target=draw(st.one_of(targets, schedules)),
        window=draw(windows),
        sli=draw(ratio_slis),
        method=draw(methods),
        alerts=draw(alerts),
        burn_windows=draw(st.sampled_from([("5m", "1h"), ("1m",)])),
        corrections=draw(corrections),
        resets=draw(resets),
        min_coverage=0,
    )


threshold_slis = st.sampled_from(
    [
        eb.LatencyQuantile({"p50": "200ms", "p95": "300ms"}),
        eb.LatencyQuantile({"p99.9": "1s"}, where={"route": "/a"}),
        eb.Throughput(0.01),
        eb.Throughput("1/60", "1m", where="2xx"),
        eb.Concurrency(5),
        eb.Concurrency(4, statistic="sustained"),
        eb.Concurrency(3, statistic="mean", exclude="5xx"),
        eb.Freshness("2m"),
    ]
)


@st.composite
def threshold_slos(draw: st.DrawFn) -> SLO:
    """Plain thresholds, without a budget."""
    return SLO(
        "threshold",
        window=draw(windows),
        sli=draw(threshold_slis),
        corrections=draw(corrections),
        resets=draw(resets),
        min_coverage=0,
    )


@st.composite
def sliced_slos(draw: st.DrawFn) -> SLO:
    """Thresholds that have a budget: time slices that keep the bound, or fresh time."""
    sli = draw(threshold_slis)
    return SLO(
        "sliced",
        target=draw(targets),
        window=draw(windows),
        sli=sli,
        method="occurrences" if isinstance(sli, eb.Freshness) else draw(timeslices),
        alerts=draw(alerts),
        burn_windows=("5m",),
        corrections=draw(corrections),
        resets=draw(resets),
        min_coverage=0,
    )


# ---------------------------------------------------------------------------- predicates

_leaves = st.one_of(
    st.sampled_from(["2xx", "4xx|5xx", "429", "500-503", "301,404", "20x"]).map(p.status_in),
    st.lists(st.sampled_from(["/a", "/b", "", "z"]), min_size=1, max_size=2).map(
        lambda texts: p.label("route").isin(*texts)
    ),
    st.sampled_from([".*", "/api/.*", "/[ab]", "", "/a|/b"]).map(p.label("route").matches),
    st.builds(
        p.Number,
        st.sampled_from(["duration_s", "connections", "status"]),
        st.sampled_from(["<=", "<", ">=", ">"]),
        st.sampled_from(["200ms", "0.25", "1/3", "-1", "5", "1e-3", "200"]),
    ),
    st.just(p.Flag("good")),
    st.just(p.EVERYTHING),
    st.sampled_from(["true", "200", ""]).flatmap(
        lambda text: st.sampled_from(["good", "status", "duration_s", "connections"]).map(
            lambda name: p.label(name).equals(text)
        )
    ),
)
predicates = st.recursive(
    _leaves,
    lambda inner: st.one_of(
        st.builds(lambda a, b: a & b, inner, inner),
        st.builds(lambda a, b: a | b, inner, inner),
        inner.map(lambda a: ~a),
    ),
    max_leaves=6,
)
