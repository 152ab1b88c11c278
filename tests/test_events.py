"""Events come in as columns of many kinds, are checked at the door, and are never written to."""

from __future__ import annotations

import contextlib
import datetime as dt
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from errorbudget import SLO, Availability, Events, Labels, Latency, RatioSLI, Timeslices
from errorbudget.errors import ErrorBudgetError, InvalidSeriesError
from errorbudget.times import MAX_NS, MIN_NS
from tests import strategies
from tests.kernel_inputs import DISGUISES

DAY = 86_400 * 10**9


@given(strategies.event_dicts(max_size=25), st.randoms())
def test_the_order_does_not_matter(rows: list[dict[str, Any]], random: Any) -> None:
    """Sorted by time, stably, with all columns; how many stood out of order is known."""
    shuffled = list(rows)
    random.shuffle(shuffled)
    events = strategies.to_events(shuffled)
    want = sorted(shuffled, key=lambda row: row["time"])
    assert events.time.tolist() == [row["time"] for row in want]
    assert events.status is not None
    assert events.status.tolist() == [row["status"] or 0 for row in want]
    assert events.labels["route"].decode() == [row["route"] for row in want]
    seen = [row["time"] for row in shuffled]
    assert events.reordered == sum(
        time < max(seen[:index], default=time) for index, time in enumerate(seen)
    )


@pytest.mark.parametrize("disguise", DISGUISES)
def test_disguised_columns(disguise: str) -> None:
    """Columns in any disguise mean the same, and stay as they were."""
    time = np.array([5, 1, 9, 9, 2], dtype=np.int64) * 10**9
    columns = {
        "time": time,
        "status": np.array([200, 503, 404, 0, 500], dtype=np.int64),
        "duration_s": np.array([0.1, 0.2, 0.3, np.nan, 0.5]),
        "good": np.array([True, False, True, False, True]),
    }
    disguised = {name: DISGUISES[disguise](column) for name, column in columns.items()}
    before = {name: np.array(column, copy=True) for name, column in disguised.items()}
    events = Events(**disguised)
    plain = Events(**columns)
    for name in columns:
        np.testing.assert_array_equal(getattr(events, name), getattr(plain, name))
        np.testing.assert_array_equal(np.asarray(disguised[name]), before[name])
    for sli in (Availability(), Latency("250ms"), RatioSLI()):
        slo = SLO("x", target="90%", window="1h", sli=sli)
        assert slo.evaluate(events) == slo.evaluate(plain)
        history = slo.history(events, step="1s")
        np.testing.assert_array_equal(history.good, slo.history(plain, step="1s").good)
    for name, column in disguised.items():
        np.testing.assert_array_equal(np.asarray(column), before[name])


def test_sorted_columns_are_kept() -> None:
    """What is sorted and of the right type is not copied."""
    time = np.arange(5, dtype=np.int64)
    duration = np.linspace(0, 1, 5)
    events = Events(time=time, duration_s=duration)
    assert events.time is time
    assert events.duration_s is duration


STAMP = dt.datetime(2026, 3, 29, 1, 30, tzinfo=dt.timezone(dt.timedelta(hours=2)))
NS = 1_774_740_600 * 10**9


@pytest.mark.parametrize(
    "time",
    [
        [NS],
        (NS,),
        np.array([NS]),
        np.array([NS], dtype=np.uint64),
        np.array([NS], dtype=">i8"),
        np.array([NS], dtype="M8[ns]"),
        np.array([NS // 10**9], dtype="M8[s]"),
        np.array([NS // 10**6], dtype=">M8[ms]"),
        [STAMP],
        ["2026-03-28T23:30:00Z"],
        np.array(["2026-03-29T01:30:00+02:00"]),
        [np.datetime64("2026-03-28T23:30")],
    ],
)
def test_times_of_many_kinds(time: Any) -> None:
    """Integers, numpy stamps, aware datetimes and texts with a zone mean one instant."""
    assert Events(time=time).time.tolist() == [NS]


def test_pandas_columns() -> None:
    """Zoned and naive stamps, nullable integers, categories and timedeltas are read as meant."""
    pd = pytest.importorskip("pandas")
    naive = pd.Series(pd.to_datetime(["2026-03-28T23:30", "2026-03-29T02:30"]))
    zoned = naive.dt.tz_localize("UTC").dt.tz_convert("Europe/Berlin")
    want = [NS, NS + 3 * 3_600 * 10**9]
    for time in (naive, zoned, pd.DatetimeIndex(zoned), list(zoned), zoned.dt.as_unit("s")):
        assert Events(time=time).time.tolist() == want
    events = Events(
        time=zoned,
        status=pd.Series([200, None], dtype="Int64"),
        duration_s=pd.Series([None, 0.5], dtype="Float64"),
        good=pd.Series([True, False], dtype="boolean"),
        labels={
            "kind": pd.Categorical(["a", None]),
            "text": pd.Series(["a", pd.NA], dtype="string"),
        },
        values={"wait_s": pd.Series(pd.to_timedelta(["1500ms", None]))},
    )
    assert events.status is not None
    assert events.status.tolist() == [200, 0]
    assert events.labels["kind"].decode() == events.labels["text"].decode() == ["a", None]
    np.testing.assert_array_equal(events.values["wait_s"], [1.5, np.nan])
    np.testing.assert_array_equal(events.column("duration_s"), [np.nan, 0.5])
    missing = pd.Series([pd.Timestamp(1, tz="UTC"), pd.NaT])
    with pytest.raises(InvalidSeriesError, match="must not be missing") as caught:
        Events(time=missing)
    assert caught.value.index == 1
    with pytest.raises(InvalidSeriesError, match="1678 to 2262"):
        Events(time=pd.Series(np.array(["3000-01-01"], "datetime64[s]")))


def test_no_events_are_events() -> None:
    """Empty lists are columns too."""
    events = Events(time=[], status=[], duration_s=[], good=[], labels={"a": []}, values={"b": []})
    assert len(events) == 0
    assert events.span is None
    assert repr(events) == "Events(0 events; time, status, duration_s, good, a, b)"
    assert Labels([], ()).decode() == []  # type: ignore[arg-type]


def test_statuses_as_files_have_them() -> None:
    """Texts and whole floats are read; nothing, None and NaN are missing."""
    given_ = ["200", 404.0, None, "", float("nan"), "500.0", b"503"]
    events = Events(time=range(7), status=given_)
    assert events.status is not None
    assert events.status.tolist() == [200, 404, 0, 0, 0, 500, 503]


def test_labels_are_texts() -> None:
    """Booleans become words, numbers their text, missing ones none."""
    labels = Labels.encode([True, np.False_, 5, "x", None, float("nan"), "x"])
    assert labels.decode() == ["true", "false", "5", "x", None, None, "x"]
    assert labels.values == ("true", "false", "5", "x")
    assert repr(labels) == "Labels(7 events, 4 values)"
    assert labels.take(np.array([3, 4])).decode() == ["x", None]


def test_parts_of_events() -> None:
    """By mask, slice and stretch of time, (start, end]."""
    rows = [
        {
            "time": t,
            "status": 200,
            "duration_s": t / 10,
            "good": True,
            "route": "/",
            "connections": t,
        }
        for t in range(6)
    ]
    events = strategies.to_events(rows)
    assert events.between(1, 4).time.tolist() == [2, 3, 4]
    part = events.take(events.time > 3)
    assert part.time.tolist() == [4, 5]
    assert part.column("connections").tolist() == [4, 5]
    assert part.column("time").tolist() == [4, 5]
    assert events.take(slice(0, 0)).span is None
    assert events.span == (0, 5)
    assert events.columns == ("status", "duration_s", "good", "route", "connections")


JUNK: list[Any] = [
    *(None, True, 5, 1.5, float("nan"), "abc", b"x", {}, {"a": 1}, object(), np.array(5)),
    *([None], [1.5], ["abc"], [[1], [2]], [[1], [2, 3]], [object()], [1j], [10**40], [-(10**40)]),
    *(np.zeros((2, 2)), np.array([1 + 2j]), [float("inf")], [-1.5], [b"x"], [{}]),
]


@pytest.mark.parametrize("column", ["time", "status", "duration_s", "good", "labels", "values"])
@pytest.mark.parametrize("junk", JUNK, ids=lambda junk: type(junk).__name__)
def test_junk_is_refused_by_name(column: str, junk: Any) -> None:
    """No junk comes out as a number or a traceback of numpy's."""
    columns: dict[str, Any] = {"time": [1]}
    given_ = [junk, {"a": junk}] if column in ("labels", "values") else [junk]
    for value in given_:
        with contextlib.suppress(ErrorBudgetError):
            assert len(Events(**{**columns, column: value})) <= 1


@pytest.mark.parametrize(
    ("columns", "message", "index"),
    [
        ({"time": [1.5]}, "got floats", None),
        ({"time": [True, False]}, "True is not a time", 0),
        ({"time": [dt.datetime(2026, 3, 1, tzinfo=dt.UTC), dt.datetime(2026, 3, 1)]}, "zone", 1),
        ({"time": ["2026-03-01T00:00Z", "2026-03-01"]}, "time at index 1", 1),
        ({"time": np.array(["2026-03-01", "NaT"], "M8[s]")}, "must not be missing", 1),
        ({"time": np.array(["2026-03-01", "5000-01-01"], "M8[s]")}, "1678 to 2262", 1),
        ({"time": np.array([1, 2**63], dtype=np.uint64)}, "1678 to 2262", 1),
        ({"time": np.array([1, -(2**63)])}, "1678 to 2262", 1),
        ({"time": [1, 2], "status": [200, 999]}, "got 999 at index 1", 1),
        ({"time": [1, 2], "status": [200, 200.5]}, "got 200.5 at index 1", 1),
        ({"time": [1, 2], "status": [200, -1]}, "got -1 at index 1", 1),
        ({"time": [1, 2], "status": [200, float("inf")]}, "got inf at index 1", 1),
        ({"time": [1, 2], "status": ["200", "ok"]}, "got 'ok' at index 1", 1),
        ({"time": [1], "status": [True]}, "got bool", None),
        ({"time": [1, 2], "duration_s": np.array([1, -1], "m8[s]")}, "got -1.0 at index 1", 1),
        ({"time": [1, 2], "duration_s": [0.5, -0.5]}, "got -0.5 at index 1", 1),
        ({"time": [1, 2], "duration_s": [0.5, float("inf")]}, "got inf at index 1", 1),
        ({"time": [1, 2], "duration_s": ["0.5", "1"]}, "must be numbers", None),
        ({"time": [1, 2], "duration_s": [None, "1"]}, "got '1' at index 1", 1),
        ({"time": [1, 2], "duration_s": [True, False]}, "must be numbers", None),
        ({"time": [1, 2], "good": [True, None]}, "got None at index 1", 1),
        ({"time": [1, 2], "good": [0, 2]}, "true or false", None),
        ({"time": [1, 2], "good": ["yes", "no"]}, "true or false", None),
        ({"time": [1, 2], "status": [200]}, "one length: time has 2 events, status has 1", None),
        ({"time": [1], "labels": {"a": ["x", "y"]}}, "one length", None),
        ({"time": [1], "labels": {"status": ["x"]}}, "a name of their own", None),
        ({"time": [1], "labels": {5: ["x"]}}, "a name of their own", None),
        ({"time": [1], "labels": ["x"]}, "columns by name", None),
        ({"time": [1], "values": {"good": [1]}}, "a name of their own", None),
        ({"time": [1], "labels": {"a": ["x"]}, "values": {"a": [1]}}, "both labels and", None),
    ],
)
def test_the_first_offender_is_named(
    columns: dict[str, Any], message: str, index: int | None
) -> None:
    """With its position, and with what fits."""
    with pytest.raises(InvalidSeriesError, match=message) as caught:
        Events(**columns)
    if index is not None:
        assert caught.value.index == index


def test_codes_without_a_text() -> None:
    """Label codes point at texts, or are -1."""
    with pytest.raises(InvalidSeriesError, match="label code 2 at index 1") as caught:
        Labels(np.array([0, 2]), ("a", "b"))
    assert caught.value.index == 1
    with pytest.raises(InvalidSeriesError, match="must be integers"):
        Labels(np.array([0.5]), ("a",))
    with pytest.raises(InvalidSeriesError, match="one dimension"):
        Labels.encode("abc")
    events = Events(time=[1])
    with pytest.raises(InvalidSeriesError, match='no column "status"'):
        events.column("status")
    with pytest.raises(InvalidSeriesError, match="a column has a name"):
        events.column(None)  # type: ignore[arg-type]


def test_the_ends_of_time() -> None:
    """The first and the last instant are instants."""
    events = Events(time=[MIN_NS, MAX_NS], good=[True, True])
    slo = SLO("x", target="90%", window="1h", sli=RatioSLI())
    assert slo.evaluate(events, at=MAX_NS).counts.total == 1
    assert slo.evaluate(events, at=MIN_NS).counts.total in (0, 1)


def test_what_is_masked_is_not_shown() -> None:
    """A masked array has values behind its mask, and none of them counts."""
    masked = np.ma.masked_array([200, 500], [False, True])
    for columns in ({"time": masked}, {"time": [1, 2], "status": masked}):
        with pytest.raises(InvalidSeriesError, match="is masked at index 1") as caught:
            Events(**columns)
        assert caught.value.index == 1
    assert Events(time=[1, 2], status=np.ma.masked_array([200, 500])).status.tolist() == [200, 500]


def test_columns_at_their_bounds() -> None:
    """The last instant, the first and last status, lengths of nothing, numbers below 0."""
    events = Events(
        time=np.array([1, 2, MAX_NS], dtype=np.uint64),
        status=[100, 599, 0],
        duration_s=np.array([None, 0.0, 0.5], dtype=object),
        values={"skew": [-1.5, np.nan, 2]},
    )
    assert (events.time.tolist(), events.time.dtype) == ([1, 2, MAX_NS], np.int64)
    assert events.status is not None
    assert events.status.tolist() == [100, 599, 0]
    np.testing.assert_array_equal(events.column("duration_s"), [np.nan, 0, 0.5])
    np.testing.assert_array_equal(events.values["skew"], [-1.5, np.nan, 2])
    assert Events(time=[STAMP]).time.dtype == np.int64
    for wrong in (99, 600, 100.5):
        with pytest.raises(InvalidSeriesError, match=f"got {wrong}"):
            Events(time=[1], status=[wrong])


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("duration_s", "duration_s must be finite and not negative (NaN where missing), got inf"),
        ("wait", "wait must be finite (NaN where missing), got inf"),
    ],
)
def test_what_fits_into_a_column_of_numbers(name: str, message: str) -> None:
    """Lengths of time are not negative; other numbers may be."""
    column = [1.0, float("inf")]
    columns: Any = {name: column} if name == "duration_s" else {"values": {name: column}}
    with pytest.raises(InvalidSeriesError) as caught:
        Events(time=[1, 2], **columns)
    assert str(caught.value) == f"{message} at index 1"


@pytest.mark.parametrize("good", [[0, 1], [1, 1], [0, 0], [1, 0]])
def test_verdicts_may_be_zeros_and_ones(good: list[int]) -> None:
    """Of any whole type, and nothing else."""
    for kind in (np.int64, np.uint8, np.bool_, object):
        column = np.array(good, dtype=kind) if kind is not object else [bool(one) for one in good]
        events = Events(time=[1, 2], good=column)
        assert events.good is not None
        assert (events.good.tolist(), events.good.dtype) == ([bool(x) for x in good], np.bool_)
    for wrong in ([0, 2], [-1, 0], [0.0, 1.0]):
        with pytest.raises(InvalidSeriesError, match="true or false for every event"):
            Events(time=[1, 2], good=wrong)


def test_codes_point_at_texts() -> None:
    """-1 at none of them; what lies beyond either end is named, and what is no list of texts."""
    labels = Labels(np.array([-1, 0, 1]), [5, "x"])  # type: ignore[arg-type]
    assert (labels.values, labels.codes.dtype) == (("5", "x"), np.int32)
    assert labels.decode() == [None, "5", "x"]
    for codes in ([0, -2, -2], [0, 2, -1], [-1, 2, 1]):
        with pytest.raises(InvalidSeriesError, match=f"label code {codes[1]} at index 1") as caught:
            Labels(np.array(codes), ("a", "b"))
        assert caught.value.index == 1
    for values in ("ab", 5):
        with pytest.raises(InvalidSeriesError, match="label values must be a list of texts, got"):
            Labels(np.array([0]), values)  # type: ignore[arg-type]


def test_order_is_made_only_where_there_is_none() -> None:
    """Equal times are in order; of those that are not, the sort keeps the order of equal ones."""
    ties = np.array([1, 1, 2])
    assert Events(time=ties).time is ties
    for time, reordered in (([2, 1], 1), ([1, 3, 2], 1), ([3, 1, 2], 2), ([1], 0)):
        events = Events(time=time)
        assert (events.time.tolist(), events.reordered) == (sorted(time), reordered)
    rows = np.arange(400)
    events = Events(time=rows % 2, values={"row": rows})
    assert events.values["row"].tolist() == [*range(0, 400, 2), *range(1, 400, 2)]


def test_parts_keep_every_column() -> None:
    """Those that there are, what the reader had to say, and none that there is not."""
    events = Events(
        time=[1, 2, 3],
        status=[200, 404, 503],
        duration_s=[0.1, 0.2, 0.3],
        good=[True, True, False],
        labels={"route": ["/a", None, "/b"]},
        values={"size": [1, 2, 3]},
        reading="read",
    )
    assert repr(events).startswith(
        "Events(3 events, 1970-01-01T00:00:00.000000001Z to 1970-01-01T00:00:00.000000003Z; time, "
    )
    part = events.take(slice(1, None))
    assert part.status is not None
    assert part.duration_s is not None
    assert part.good is not None
    assert part.status.tolist() == [404, 503]
    assert part.duration_s.tolist() == [0.2, 0.3]
    assert part.good.tolist() == [True, False]
    assert part.labels["route"].decode() == [None, "/b"]
    assert part.values["size"].tolist() == [2, 3]
    assert part.reading == "read"
    assert repr(part) == (
        "Events(2 events, 1970-01-01T00:00:00.000000002Z to 1970-01-01T00:00:00.000000003Z; "
        "time, status, duration_s, good, route, size)"
    )
    bare = Events(time=[1, 2, 3]).take(slice(0, 2))
    assert (bare.status, bare.duration_s, bare.good, bare.reading) == (None,) * 4
    assert repr(bare).endswith("; time)")
    with pytest.raises(InvalidSeriesError, match=r"have no durations \(duration_s\); name their"):
        bare.column("duration_s")


def test_events_are_asked_as_an_objective_asks_them() -> None:
    """Instants, steps and options are handed on."""
    minute = 60 * 10**9
    slo = SLO("x", target="90%", window="1h", sli=RatioSLI())
    events = Events(time=[1, 2 * minute, 2 * minute + 1], good=[True, True, False])
    assert events.evaluate(slo, at=minute).counts.total == 1
    assert events.evaluate(slo).counts.total == 3
    assert events.history(slo).time_ns.tolist() == [minute, 2 * minute, 3 * minute]
    history = events.history(slo, step="2m", start=0, end=4 * minute)
    assert history.total.tolist() == [0, 2, 3]
    assert events.count(slo).total.tolist() == [1, 1, 1]
    assert events.count(slo, step="2m").total.tolist() == [2, 1]
    found = events.compare_methods(
        slo, slice="2m", slice_target="60%", no_data="bad", at=6 * minute
    )
    assert found["timeslices"].slo.method == Timeslices("2m", "60%", "bad")
    assert (found["timeslices"].counts.good, found["timeslices"].counts.bad) == (1, 2)
    assert events.between(1, 2 * minute).time.tolist() == [2 * minute]


def test_lengths_that_no_number_of_seconds_tells() -> None:
    """Refused, whether numpy goes round or raises."""
    with pytest.raises(InvalidSeriesError, match="duration_s must be"):
        Events(time=[1], duration_s=np.array([10**15], "m8[D]"))
