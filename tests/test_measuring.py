"""Figures of thresholds over columns, twins of the plain measures."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import errorbudget as eb
from errorbudget import SLO, Events, Maintenance, Timeslices
from errorbudget.errors import InvalidSeriesError
from errorbudget.measuring import bound_slices, measure, samples
from errorbudget.sli import ThresholdSLI
from errorbudget.windows import Interval
from tests import oracles, strategies


@given(
    sli=strategies.threshold_slis,
    rows=strategies.event_dicts(max_size=30, steps=40),
    at=strategies.instants,
)
def test_columns_measure_as_the_plain_path(sli: Any, rows: list[dict[str, Any]], at: int) -> None:
    """`kernels` and plain Python give one figure, to the last bit but for means."""
    slo = SLO("x", window="5m", sli=sli)
    interval = Interval(at - 5 * strategies.MINUTE, at, "right")
    time, values = samples(slo, strategies.to_events(rows))
    found = measure(sli, time, values, interval)
    ever = isinstance(sli, eb.Freshness)  # data ages from its last update, whenever that was
    part = sorted(
        (
            r
            for r in rows
            if oracles.takes_part(slo, r)
            and (r["time"] <= at if ever else interval.contains(r["time"]))
        ),
        key=lambda r: r["time"],
    )
    column = getattr(sli, "column", None)
    plain = sli.measure(
        [r[column] for r in part] if column else [],
        [r["time"] for r in part],
        interval.start_ns,
        interval.end_ns,
    )
    for one, other in zip(found, plain, strict=True):
        assert one.value == (None if other.value is None else pytest.approx(other.value, rel=1e-12))
        assert (one.name, one.op, one.bound, one.unit) == (
            *(other.name, other.op, other.bound, other.unit),
        )


@given(st.integers(1, 200), st.integers(1, 999))
def test_ranks_are_whole_numbers(n: int, permille: int) -> None:
    """The p99.9 of a thousand values is the 999th, not the 1000th: no float comes near a rank."""
    name = f"p{permille / 10}"
    values = np.arange(1, n + 1, dtype=float)
    (figure,) = measure(
        eb.LatencyQuantile({name: "1s"}), np.arange(1, n + 1), values, Interval(0, n, "right")
    )
    assert figure.value == -(-n * permille // 1_000)


def test_the_guides_thresholds() -> None:
    """p95 < 200 ms is strict, a mean hides a dead minute, and sustained does not."""
    minute = strategies.MINUTE
    exact = Events(time=np.arange(1, 101), duration_s=np.full(100, 0.2))
    p95 = SLO("x", window="1h", sli=eb.LatencyQuantile({"p95": "200ms"})).evaluate(exact)
    assert (p95.state, p95.measurements[0].margin) == ("missed", 0)
    busy = np.concatenate([np.arange(1, 59 * 60 * 20) * 5 * 10**7, [60 * minute]])
    events = Events(time=busy)
    hour = 60 * minute
    mean = SLO("x", window="1h", sli=eb.Throughput(10)).evaluate(events, at=hour)
    sustained = SLO("x", window="1h", sli=eb.Throughput(10, "1m")).evaluate(events, at=hour)
    assert (mean.state, sustained.state) == ("met", "missed")
    short = SLO("x", window="30s", sli=eb.Throughput(10, "1m")).evaluate(events, at=hour)
    assert short.state == "no_data"
    day = SLO("x", window="day", sli=eb.Throughput(1)).evaluate(Events(time=[0]), at=0)
    assert day.state == "no_data"


def test_samples_that_lack_a_value_are_said() -> None:
    """A request without a duration has no quantile, and is reported."""
    events = Events(time=[1, 2], duration_s=[0.1, np.nan])
    status = SLO("x", window="1h", sli=eb.LatencyQuantile({"p50": "1s"})).evaluate(events)
    assert status.counts.total == 1
    assert status.left_out == 1
    assert "1 events without duration_s" in status.warnings[0]
    texts = Events(time=[1], labels={"connections": ["many"]})
    with pytest.raises(InvalidSeriesError, match="holds texts, not numbers"):
        SLO("x", window="1h", sli=eb.Concurrency(1)).evaluate(texts)


def test_a_single_event_is_data() -> None:
    """One request is a quantile, though no stretch of time was observed."""
    status = SLO("x", window="1h", sli=eb.LatencyQuantile({"p95": "1s"})).evaluate(
        Events(time=[5], duration_s=[0.1])
    )
    assert (status.state, status.coverage) == ("met", 0)


def test_strange_indicators_are_refused() -> None:
    """What nobody taught to be measured says so, over windows and slices."""

    class Strange(ThresholdSLI):
        kind = "strange"

    empty = np.array([], dtype=np.int64)
    with pytest.raises(InvalidSeriesError, match="no way to measure Strange"):
        measure(Strange(), empty, empty.astype(float), Interval(0, 1, "right"))
    slo = SLO("x", target="90%", window="1h", sli=Strange(), method=Timeslices())
    with pytest.raises(InvalidSeriesError, match="no time slices"):
        bound_slices(slo, slo.sli, slo.method, Events(time=[1]), 10**12)  # type: ignore[arg-type]
    assert not len(bound_slices(slo, slo.sli, slo.method, Events(time=[]), 0))  # type: ignore[arg-type]


HOUR = 60 * strategies.MINUTE
UPKEEP = (20 * strategies.MINUTE, 30 * strategies.MINUTE)
FULL = np.arange(1, 3_601) * 10**9
GAP = FULL[(UPKEEP[0] > FULL) | (UPKEEP[1] <= FULL)]
"""One event a second for an hour, and the same without ten minutes of maintenance."""


@pytest.mark.parametrize("treat", ["exclude", "good"])
@pytest.mark.parametrize("time", [FULL, GAP], ids=["full", "gap"])
@pytest.mark.parametrize("sustained", [None, "1m"])
def test_maintenance_leaves_the_time_of_a_rate(treat: Any, time: Any, sustained: Any) -> None:
    """A rate is over the time that is left, whether or not there were events in maintenance."""
    sli = eb.Throughput("9/10", sustained)
    slo = SLO("x", window="1h", sli=sli, corrections=[Maintenance(*UPKEEP, treat)])
    status = slo.evaluate(Events(time=time), at=HOUR)
    assert (status.state, status.measurements[0].value) == ("met", 1.0)
    all_of_it = slo.replace(corrections=[Maintenance(0, HOUR + 1, treat)])
    assert all_of_it.evaluate(Events(time=time), at=HOUR).state == "no_data"


def test_a_slice_that_maintenance_touches_is_not_a_whole_one() -> None:
    """The slowest minute is looked for among those that are all there."""
    time = FULL[(FULL <= 10 * 10**9) | (FULL > 60 * 10**9)]
    slo = SLO("x", window="1h", sli=eb.Throughput("9/10", "1m"))
    assert slo.evaluate(Events(time=time), at=HOUR).state == "missed"
    touched = slo.replace(corrections=[Maintenance(30 * 10**9, 31 * 10**9)])
    assert touched.evaluate(Events(time=time), at=HOUR).state == "met"


@pytest.mark.parametrize("time", [FULL, GAP], ids=["full", "gap"])
@pytest.mark.parametrize(("treat", "units"), [("exclude", 50), ("good", 60)])
def test_slices_of_a_rate_in_maintenance(time: Any, treat: Any, units: int) -> None:
    """Silence in excluded time is no slice, in forgiven time a good one."""
    slo = SLO(
        "x",
        target="100%",
        window="1h",
        sli=eb.Throughput("9/10"),
        method=Timeslices("1m"),
        corrections=[Maintenance(*UPKEEP, treat)],
        min_coverage=0,
    )
    status = slo.evaluate(Events(time=time), at=HOUR)
    assert (status.counts.good, status.counts.total) == (units, units)


def test_a_slice_in_part_in_maintenance_is_judged_on_the_rest() -> None:
    """Thirty events in the thirty seconds that are left are one a second, and one fewer are not."""
    late = FULL[(FULL <= 90 * 10**9) | (FULL > 120 * 10**9)]
    slo = SLO(
        "x",
        target="100%",
        window="1h",
        sli=eb.Throughput("29/30"),
        method=Timeslices("1m"),
        corrections=[Maintenance(90 * 10**9 + 1, 120 * 10**9 + 1)],
        min_coverage=0,
    )
    assert slo.evaluate(Events(time=late), at=HOUR).counts.bad == 0
    fewer = late[late != 75 * 10**9]
    assert slo.evaluate(Events(time=fewer), at=HOUR).counts.bad == 1


@pytest.mark.parametrize(("treat", "known_s"), [("exclude", 2_999), ("good", 3_599)])
def test_maintenance_of_fresh_time(treat: Any, known_s: int) -> None:
    """Excluded time is not known, forgiven time is fresh, and an update in either is one."""
    corrections = [Maintenance(*UPKEEP, treat)]
    slo = SLO("x", target="100%", window="1h", sli=eb.Freshness("1m"), corrections=corrections)
    for time in (FULL, GAP):
        counts = slo.evaluate(Events(time=time), at=HOUR).counts
        assert (counts.good, counts.total) == (known_s * 10**9, known_s * 10**9)
    inside = np.append(FULL[:1_200], UPKEEP[1] - 10**9)
    counts = slo.evaluate(Events(time=inside), at=UPKEEP[1] + 59 * 10**9).counts
    assert counts.bad == 0


def test_stale_data_has_its_true_age() -> None:
    """An update from before the window, or from maintenance, still tells how old data is."""
    slo = SLO("x", window="1h", sli=eb.Freshness("1m"))
    status = slo.evaluate(Events(time=[0]), at=5 * HOUR)
    assert (status.state, status.measurements[0].value) == ("missed", 5 * 3_600)
    assert (status.coverage, status.warnings) == (1, ())
    upkeep = slo.replace(corrections=[Maintenance(0, HOUR)])
    assert upkeep.evaluate(Events(time=[0]), at=5 * HOUR).measurements == status.measurements
    assert slo.evaluate(Events(time=[HOUR]), at=0).state == "no_data"
    assert slo.evaluate(Events(time=[]), at=0).state == "no_data"
    history = slo.history(Events(time=[0]), step="1h", start=0, end=3 * HOUR)
    assert history.measurements["age"].tolist() == [0, 3_600, 7_200, 10_800]


@pytest.mark.parametrize("treat", ["exclude", "good"])
def test_maintenance_takes_samples_out(treat: Any) -> None:
    """Slow requests and low gauges of maintenance are not measured, and not missed either."""
    columns: dict[str, Any] = {
        "duration_s": [0.1, 9.0, np.nan],
        "values": {"connections": [9.0, 1.0, np.nan]},
    }
    events = Events(time=[10, 20, 21], **columns)
    for sli in (eb.LatencyQuantile({"p99": "1s"}), eb.Concurrency(5, statistic="sustained")):
        slo = SLO("x", window="1h", sli=sli, corrections=[Maintenance(15, 30, treat)])
        status = slo.evaluate(events, at=40)
        assert (status.state, status.counts.total, status.left_out) == ("met", 1, 0)
