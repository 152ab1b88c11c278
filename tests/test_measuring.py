"""Figures of thresholds over columns, twins of the plain measures."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import errorbudget as eb
from errorbudget import SLO, Events, Timeslices
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
    part = sorted(
        (r for r in rows if oracles.takes_part(slo, r) and interval.contains(r["time"])),
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
