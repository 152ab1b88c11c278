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
from errorbudget.measuring import (
    bound_slices,
    exempt_time,
    last_whole,
    measure,
    samples,
    threshold_figures,
)
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


MINUTE = strategies.MINUTE


@pytest.mark.parametrize(("closed", "figures"), [("right", (3, 7)), ("left", (4, 6))])
def test_a_window_is_measured_with_its_end_and_perhaps_its_start(
    closed: Any, figures: tuple[int, int]
) -> None:
    """(10, 20] or [10, 20]: how many requests, and the highest and lowest gauge of an instant."""
    time = np.array([9, 10, 15, 15, 20, 21])
    values = np.array([100.0, 6.0, 3.0, 4.0, 9.0, 100.0])
    interval = Interval(10, 20, closed)
    (rate,) = measure(eb.Throughput(1), time, values, interval)
    assert rate.value == figures[0] * 10**8
    for statistic, value in (("max", 9), ("sustained", figures[1])):
        (found,) = measure(eb.Concurrency(5, statistic=statistic), time, values, interval)  # type: ignore[arg-type]
        assert found.value == value
    (mean,) = measure(eb.Concurrency(5, statistic="mean"), time, values, interval)
    assert mean.value == (8 if closed == "right" else 22 / 3)
    (slowest,) = measure(eb.LatencyQuantile({"p100": "1s"}), time, values, interval)
    assert slowest.value == 9
    (age,) = measure(eb.Freshness("1s"), time, values, interval)
    assert age.value == 0
    (before,) = measure(eb.Freshness("1s"), time, values, Interval(0, 8, closed))
    assert before.value is None
    (old,) = measure(eb.Freshness("1s"), time, values, Interval(0, 10**9 + 21, closed))
    assert old.value == 1


def test_nothing_inside_has_no_figure_but_a_rate() -> None:
    """A quantile of nothing is none, and so is a gauge; a rate over no time is none either."""
    time, values = np.array([1, 99]), np.array([1.0, 1.0])
    interval = Interval(10, 20, "right")
    found = measure(eb.LatencyQuantile({"p50": "1s", "p99": "2s"}), time, values, interval)
    assert [figure.value for figure in found] == [None, None]
    for statistic in ("max", "mean", "sustained"):
        (gauge,) = measure(eb.Concurrency(5, statistic=statistic), time, values, interval)  # type: ignore[arg-type]
        assert gauge.value is None
    assert measure(eb.Throughput(1), time, values, interval)[0].value == 0
    assert measure(eb.Throughput(1), time, values, Interval(10, 10, "right"))[0].value is None


@pytest.mark.parametrize(
    ("span", "closed", "observed"),
    [
        (None, "right", False),
        ((0, 9), "right", False),
        ((0, 10), "right", False),
        ((0, 10), "left", True),
        ((0, 11), "right", True),
        ((20, 30), "right", True),
        ((21, 30), "right", False),
        ((20, 30), "left", True),
    ],
)
def test_a_rate_of_nothing_is_a_figure_where_something_was_observed(
    span: Any, closed: Any, observed: bool
) -> None:
    """Observation touches the window at an instant of it, or there is no figure."""
    none = np.array([], dtype=np.int64)
    interval = Interval(10, 20, closed)
    (rate,) = threshold_figures(eb.Throughput(1), none, none.astype(float), span, interval)
    assert rate.value == (0 if observed else None)
    (age,) = threshold_figures(
        eb.Freshness("1s"), np.array([5]), none.astype(float), span, interval
    )
    assert age.value == 15e-9


@pytest.mark.parametrize(
    ("length_s", "rate"), [(59, None), (60, 3), (119, 3), (120, 2), (179, 2), (180, 1)]
)
def test_whole_slices_are_cut_from_the_end(length_s: int, rate: int | None) -> None:
    """As the plain twin does: an event at the start of a slice belongs to the one before."""
    times = np.array([10, 61, 120, 121, 150, 180]) * 10**9
    interval = Interval((180 - length_s) * 10**9, 180 * 10**9, "right")
    (found,) = measure(eb.Throughput("1/60", "1m"), times, np.zeros(6), interval)
    assert found.value == (None if rate is None else rate / 60)
    assert found.name == "lowest 1m rate"


def test_a_sustained_rate_looks_at_slices_without_maintenance() -> None:
    """One nanosecond takes a slice out, and the one beside it stays; of none there is no rate."""
    times = np.array([30, 90, 100, 150, 160, 170]) * 10**9
    sli, interval = eb.Throughput("1/60", "1m"), Interval(0, 180 * 10**9, "right")
    slo = SLO("x", window="3m", sli=sli)
    for start, end, rate in (
        (0, 1, 1),  # the start is no instant of the first slice
        (1, 2, 2),
        (60 * 10**9, 60 * 10**9 + 1, 2),  # its last instant
        (60 * 10**9 + 1, 60 * 10**9 + 2, 1),  # the first of the second
        (1, 61 * 10**9, 3),
        (1, 180 * 10**9, None),
        (180 * 10**9, 180 * 10**9 + 1, 1),  # the last of the third
        (180 * 10**9 + 1, 180 * 10**9 + 2, 1),
    ):
        exempt = exempt_time(slo.replace(corrections=[Maintenance(start, end)]), 0, interval.end_ns)
        (found,) = measure(sli, times, np.zeros(6), interval, exempt)
        assert found.value == (None if rate is None else rate / 60), (start, end)


def test_maintenance_of_an_instant_and_of_none() -> None:
    """A stretch of one instant can be exempt; one that ends before it begins, or none, cannot."""
    slo = SLO("x", window="1h", sli=eb.Throughput(1), corrections=[Maintenance(5, 6)])
    found = exempt_time(slo, 5, 5)
    assert found is not None
    assert found.hold(np.array([4, 5, 6])).tolist() == [False, True, False]
    assert exempt_time(slo, 6, 5) is None
    assert exempt_time(slo.replace(corrections=()), 5, 5) is None


def test_the_last_instant_of_the_last_whole_slice() -> None:
    """Its end where that belongs to it, and else the instant before."""
    method = Timeslices("1m")
    rolling = SLO("x", target="90%", window="1h", sli=eb.RatioSLI(), method=method)
    calendar = rolling.replace(window=eb.Calendar("day"))
    for until, end in ((0, 0), (59, 0), (60, 60), (61, 60), (125, 120)):
        assert last_whole(rolling, until * 10**9) == end * 10**9
        assert last_whole(calendar, until * 10**9) == end * 10**9 - 1


GAUGES = [(10, 5), (60, 6), (61, 4), (90, 3), (90, 5), (150, 4), (160, 6), (300, 9)]
"""Seconds and samples; two of one instant are 8, and 60 s is the end of one minute."""


@pytest.mark.parametrize(
    ("statistic", "closed", "good", "total"),
    [
        ("max", "right", [1, 1, 1, 0, 1], [1, 1, 1, 0, 1]),
        ("sustained", "right", [0, 0, 0, 0, 1], [1, 1, 1, 0, 1]),
        ("mean", "right", [1, 1, 0, 0, 1], [1, 1, 1, 0, 1]),
        ("max", "left", [0, 1, 1, 0, 0, 1], [1, 1, 1, 0, 0, 1]),
        ("sustained", "left", [0, 0, 0, 0, 0, 1], [1, 1, 1, 0, 0, 1]),
        ("mean", "left", [0, 1, 0, 0, 0, 1], [1, 1, 1, 0, 0, 1]),
    ],
)
def test_slices_of_a_gauge(statistic: Any, closed: str, good: list[int], total: list[int]) -> None:
    """Above 5, strictly: at some sample, at all, or on average, of those of one slice."""
    sli, method = eb.Concurrency(5, statistic=statistic), Timeslices("1m")
    window = "1h" if closed == "right" else eb.Calendar("day")
    slo = SLO("x", target="90%", window=window, sli=sli, method=method)
    time = [second * 10**9 for second, _ in GAUGES]
    events = Events(time=time, values={"connections": [value for _, value in GAUGES]})
    found = bound_slices(slo, sli, method, events, 5 * MINUTE)
    assert (found.good.tolist(), found.total.tolist()) == (good, total)
    assert found.closed == closed
    assert found.label_ns[0] == (MINUTE if closed == "right" else 0)
    bad = Timeslices("1m", no_data="bad")
    longer = bound_slices(slo.replace(method=bad), sli, bad, events, 7 * MINUTE + 1)
    assert longer.total.tolist() == [1] * 7
    assert longer.good.tolist() == good + [0] * (7 - len(good))


def test_slices_of_quantiles() -> None:
    """Each by its own values: every quantile under its bound, strictly."""
    sli = eb.LatencyQuantile({"p50": "200ms", "p100": "1s"})
    method = Timeslices("1m")
    slo = SLO("x", target="90%", window="1h", sli=sli, method=method)
    parts = [
        [0.1, 0.9],  # good
        [0.2, 0.9],  # the first of two is the median, and not under its bound
        [],
        [0.1, 1.0],  # the slowest is not under its own
        [0.9, 0.1, 0.1],
        [0.999],
        [0.1],
    ]
    time, values = [], []
    for minute, part in enumerate(parts):
        time += [minute * MINUTE + 1 + place for place in range(len(part))]
        values += part
    events = Events(time=time, duration_s=values)
    found = bound_slices(slo, sli, method, events, 7 * MINUTE)
    assert found.good.tolist() == [1, 0, 0, 0, 1, 0, 1]
    assert found.total.tolist() == [1, 1, 0, 1, 1, 1, 1]


@pytest.mark.parametrize(("above", "least"), [(1, 61), ("99/100", 60), ("1/60", 2)])
def test_slices_of_a_rate(above: Any, least: int) -> None:
    """More events than the floor times a minute, strictly, also where that is no whole number."""
    sli, method = eb.Throughput(above), Timeslices("1m")
    slo = SLO("x", target="90%", window="1h", sli=sli, method=method)
    for count, good in ((least, 1), (least - 1, 0)):
        events = Events(time=[*range(1, 1 + count), 3 * MINUTE])
        found = bound_slices(slo, sli, method, events, 3 * MINUTE)
        assert found.good.tolist() == [good, 0, 0]
        assert found.total.tolist() == [1, 1, 1]


def test_samples_are_those_that_take_part_and_have_a_value() -> None:
    """By the indicator's conditions, without maintenance, which takes no update away."""
    events = Events(
        time=[1, 2, 3, 4],
        duration_s=[0.1, np.nan, 0.3, 0.4],
        values={"connections": [np.nan, 2, 3, 4]},
        labels={"route": ["/a", "/a", "/a", "/b"]},
    )
    where, upkeep = {"route": "/a"}, [Maintenance(3, 4)]
    for sli, times, values in (
        (eb.LatencyQuantile({"p50": "1s"}, where=where), [1], [0.1]),
        (eb.Concurrency(1, where=where), [2], [2.0]),
        (eb.Throughput(1, where=where), [1, 2], [0.0, 0.0]),
        (eb.Freshness("1s", where=where), [1, 2, 3], [0.0] * 3),
    ):
        slo = SLO("x", window="1h", sli=sli, corrections=upkeep)
        time, found = samples(slo, events)
        assert (time.tolist(), found.tolist()) == (times, values)


@pytest.mark.parametrize("first", [0, 1, 2])
@pytest.mark.parametrize("treat", ["exclude", "good"])
def test_maintenance_of_any_one_slice(first: int, treat: Any) -> None:
    """The first and the last are spared as the ones between."""
    upkeep = Maintenance(first * MINUTE, (first + 1) * MINUTE, treat)
    method = Timeslices("1m", no_data="bad")
    for sli in (eb.Throughput(1), eb.LatencyQuantile({"p50": "1s"})):
        slo = SLO("x", target="90%", window="1h", sli=sli, method=method, corrections=[upkeep])
        events = Events(time=[1, 3 * MINUTE - 1], duration_s=[9.0, 9.0])
        found = bound_slices(slo, sli, method, events, 3 * MINUTE)
        spared = int(treat == "good")
        assert found.good.tolist() == [spared * (minute == first) for minute in range(3)]
        assert found.total.tolist() == [int(minute != first or spared) for minute in range(3)]


@pytest.mark.parametrize("minute", [0, 1, 2])
def test_a_rate_over_what_is_left_of_any_slice(minute: int) -> None:
    """Forty events in the half minute that is left are more than one a second."""
    begin = minute * MINUTE
    upkeep = Maintenance(begin + MINUTE // 2 + 1, begin + MINUTE + 1)
    sli, method = eb.Throughput(1), Timeslices("1m")
    slo = SLO("x", target="90%", window="1h", sli=sli, method=method, corrections=[upkeep])
    time = np.concatenate(([1], begin + 2 + np.arange(40), [3 * MINUTE]))
    found = bound_slices(slo, sli, method, Events(time=np.sort(time)), 3 * MINUTE)
    assert found.good.tolist() == [int(one == minute) for one in range(3)]
