"""Side by side: each way equals the objective judged that way, with true figures as reasons."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from errorbudget import (
    SLO,
    Availability,
    Calendar,
    Counts,
    CountSeries,
    Events,
    LatencyQuantile,
    Maintenance,
    Throughput,
    Timeslices,
)
from errorbudget.comparison import compare_corrections
from errorbudget.errors import InvalidInputError
from errorbudget.methods import RatioTimeslices, slice_counts

MINUTE = 60 * 10**9
API = SLO("api", target="99%", window="1d", sli=Availability())


def minutes(parts: list[tuple[int, int]]) -> Events:
    """Events of (good, bad) per minute, all inside (k, k + 1] minutes."""
    times, status = [], []
    for minute, (good, bad) in enumerate(parts):
        times += [minute * MINUTE + 1 + i for i in range(good + bad)]
        status += [200] * good + [503] * bad
    return Events(time=np.array(times, dtype=np.int64), status=np.array(status, dtype=np.int64))


@given(
    st.lists(st.tuples(st.integers(0, 6), st.integers(0, 3)), min_size=1, max_size=20),
    st.sampled_from(["exclude", "good", "bad"]),
)
def test_methods_equal_their_definition(parts: list[tuple[int, int]], no_data: str) -> None:
    """Each method's counts are those of the plain definition over the same minutes."""
    parts = [(1, 0), *parts, (1, 0)]  # the span of the data covers every minute
    end = len(parts) * MINUTE
    found = API.compare_methods(
        minutes(parts),
        slice="1m",
        slice_target="90%",
        no_data=no_data,
        at=end,  # type: ignore[arg-type]
    )
    slices = [Counts(good, bad) for good, bad in parts]
    assert found["occurrences"].counts == sum(slices, Counts())
    by_slice, by_ratio = Timeslices("1m", "90%", no_data), RatioTimeslices("1m", no_data)  # type: ignore[arg-type]
    assert found["timeslices"].counts == slice_counts(slices, by_slice)
    assert found["ratio_timeslices"].counts == slice_counts(slices, by_ratio)
    empty = sum(not counts for counts in slices)
    assert any(f"{empty:,} slices without events" in line for line in found.explanation) == bool(
        empty
    )


BUSY_OUTAGE = minutes([(90, 10), (10, 0), (10, 0), (10, 0)])
WHY = (
    "Occurrences weighs every event alike: 10 of 130 were bad.",
    "Time slices weigh every 1m alike and forget how bad it was: 1 of 4 with traffic missed 99%.",
    (
        "The missed slices are 25.00% of the slices and hold 76.92% of the events: busier than "
        "average, which slices do not see."
    ),
    (
        "Ratio time slices average the slices' own ratios (97.500000%): how bad counts, how busy "
        "does not; events give 92.307692%."
    ),
)


def test_reasons_name_what_differs() -> None:
    """A busy bad minute is cheap in slices, and the explanation says how much it held."""
    found = API.compare_methods(BUSY_OUTAGE, at=4 * MINUTE)
    assert found.explanation == WHY
    assert str(found).splitlines() == [
        *(f"{name}: {status}" for name, status in found.statuses.items()),
        *WHY,
    ]
    assert found.to_dict() == {
        "statuses": {name: status.to_dict() for name, status in found.statuses.items()},
        "explanation": list(WHY),
    }


def test_a_row_a_way() -> None:
    """Units, share, what is left and tier of each, as data and on a card."""
    found = API.compare_methods(BUSY_OUTAGE, at=4 * MINUTE)
    assert [list(row.values()) for row in found.rows()] == [
        ["occurrences", 120, 130, "events", 12 / 13, -87 / 13, "missed", "exhausted"],
        ["timeslices", 3, 4, "slices", 0.75, -24.0, "missed", "exhausted"],
        ["ratio_timeslices", 3.9, 4.0, "slices", 0.975, -1.5, "missed", "exhausted"],
    ]
    assert found._card().text().splitlines() == [
        "api: judged in 3 ways",
        "way                state       SLI               bad  budget left       tier",
        "occurrences       missed  92.3077%  10 of 130 events     -669.23%  exhausted",
        "timeslices        missed  75.0000%     1 of 4 slices   -2,400.00%  exhausted",
        "ratio timeslices  missed  97.5000%   0.1 of 4 slices     -150.00%  exhausted",
        *WHY,
    ]


@pytest.mark.parametrize(
    ("bad", "share", "left"), [(100_001, "98.99999%", "-0.001%"), (49_999, "99.5000%", "50.001%")]
)
def test_a_card_keeps_to_the_side_of_its_bounds(bad: int, share: str, left: str) -> None:
    """What misses the target by one event of ten million does not look as if it met it."""
    series = CountSeries([MINUTE], [10**7 - bad], [10**7], MINUTE)
    way = API.compare_methods(series)._card().rows[0]
    assert (way[2], way[4]) == (share, left)


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        ([(0, 1), (10, 0)], "50.00% of the slices and hold 9.09% of the events: quieter than"),
        ([(9, 1), (10, 0)], "50.00% of the slices and hold 50.00% of the events: as busy as"),
        ([(9, 2), (10, 0)], "50.00% of the slices and hold 52.38% of the events: busier than"),
        ([(0, 3), (0, 7)], "100.00% of the slices and hold 100.00% of the events: as busy as"),
    ],
)
def test_how_busy_missed_slices_are(parts: list[tuple[int, int]], said: str) -> None:
    """Busier or quieter than the average slice with traffic, or just as busy."""
    found = API.compare_methods(minutes(parts), at=len(parts) * MINUTE)
    assert found.explanation[2] == (
        f"The missed slices are {said} average, which slices do not see."
    )


@pytest.mark.parametrize(
    ("no_data", "said"),
    [("exclude", "are left out"), ("good", "count as good"), ("bad", "count as bad")],
)
def test_empty_slices_are_counted_up_to_the_instant(no_data: Any, said: str) -> None:
    """Those between the events and those behind them, as the statuses count them."""
    events = minutes([(1, 0), (0, 0), (1, 0)])
    found = API.compare_methods(events, no_data=no_data, at=5 * MINUTE)
    assert f"3 slices without events {said}." in found.explanation
    units = {"exclude": Counts(2, 0), "good": Counts(5, 0), "bad": Counts(2, 3)}
    assert found["timeslices"].counts == units[no_data]
    whole = API.compare_methods(events.between(0, MINUTE), no_data=no_data, at=MINUTE)
    assert not any("without events" in line for line in whole.explanation)


@pytest.mark.parametrize(("slice_", "units"), [("7m", 9), ("1m", 60)])
def test_the_slices_told_of_are_those_that_were_judged(slice_: str, units: int) -> None:
    """A slice belongs to the window that it ends in, also where a day cuts through it."""
    day, hour = 1_440 * MINUTE, 60 * MINUTE
    for window in (Calendar("day"), "1h"):
        slo = API.replace(window=window)
        time = np.arange(0, 2 * day, MINUTE // 2) + 5
        status = np.where(np.arange(len(time)) % 50 == 0, 503, 200)
        found = slo.compare_methods(Events(time=time, status=status), slice=slice_, at=day + hour)
        judged = found["timeslices"].counts
        said = f"{judged.bad:,} of {judged.total:,} with traffic missed 99%"
        assert judged.total == units
        assert said in found.explanation[1]


def test_what_a_slice_has_to_reach() -> None:
    """A share for slices alone, or by default the objective's own at that instant."""
    events = minutes([(95, 5), (90, 10)])
    for wanted, missed in ((None, 2), ("95%", 1), ("90%", 0), ("91%", 1)):
        found = API.compare_methods(events, slice_target=wanted, at=2 * MINUTE)
        said = f"{missed} of 2 with traffic missed {wanted or '99%'}."
        assert found.explanation[1].endswith(said)
        assert found["timeslices"].counts == Counts(2 - missed, missed)


def test_no_slice_has_ended_yet() -> None:
    """Within the first slice there are events and no ratio of slices."""
    found = API.compare_methods(minutes([(1, 0)]), slice="1h", at=MINUTE)
    assert found["ratio_timeslices"].sli is None
    assert len(found.explanation) == 2


def test_forgiven_in_good_slices() -> None:
    """Bad events inside slices that reach their target cost events and no slice."""
    found = API.compare_methods(minutes([(99, 1), (100, 0)]), at=2 * MINUTE)
    assert found["timeslices"].counts == Counts(good=2)
    assert any(line.startswith("1 bad events lie in slices") for line in found.explanation)


def test_counts_and_events_agree() -> None:
    """Counts per minute give the same comparison as the events that they count."""
    events = minutes([(9, 1), (0, 0), (5, 5), (7, 0)])
    from_events = API.compare_methods(events, slice="2m", at=4 * MINUTE)
    from_counts = API.compare_methods(API.count(events), slice="2m", at=4 * MINUTE)
    assert from_events.rows() == from_counts.rows()
    assert from_events.explanation == from_counts.explanation


def test_nothing_to_compare() -> None:
    """Without events no method has an answer, and a threshold has no occurrences."""
    empty = API.compare_methods(minutes([]), at=MINUTE)
    assert {status.state for status in empty.statuses.values()} == {"no_data"}
    why = "There are no events in the window, so no method has an answer."
    assert empty.explanation == (why,)
    assert empty._card().text().splitlines()[1:] == [
        "way                 state  SLI            bad  budget left  tier",
        "occurrences       no data    -  0 of 0 events            -     -",
        "timeslices        no data    -  0 of 0 slices            -     -",
        "ratio timeslices  no data    -  0 of 0 slices            -     -",
        why,
    ]
    with pytest.raises(InvalidInputError, match='"rps" is a threshold; only ratios have three'):
        SLO("rps", window="1h", sli=Throughput(1)).compare_methods(minutes([(1, 0)]))


def test_corrections_before_and_after() -> None:
    """A maintenance announced later takes its own events out and nothing else."""
    events = minutes([(9, 1), (0, 10), (10, 0)])
    pause = Maintenance("1970-01-01T00:01:00Z", "1970-01-01T00:02:00Z", reason="moved the database")
    found = compare_corrections(API, events, [pause], at=3 * MINUTE)
    assert found["before"].counts == Counts(good=19, bad=11)
    assert found["after"].counts == Counts(good=19, bad=1)
    assert found.explanation == (
        f"{pause}",
        "10 events are left out, and 10 fewer are bad.",
        (
            "The budget left moves from -3566.6667% to -400.0000%; the tier from exhausted to "
            "exhausted."
        ),
    )
    forgiven = Maintenance("1970-01-01T00:01:00Z", "1970-01-01T00:02:00Z", treat="good")
    mended = compare_corrections(API, events, [forgiven], at=3 * MINUTE)
    assert mended["after"].counts == Counts(29, 1)
    assert mended.explanation[1] == "0 events are left out, and 10 fewer are bad."


def test_corrections_are_added_to_the_objectives_own() -> None:
    """What was agreed on before stays; both are judged at the end of the data."""
    events = minutes([(9, 1), (0, 10), (10, 0)])
    first = Maintenance(0, MINUTE)
    slo = API.replace(corrections=[first])
    found = compare_corrections(slo, events, [Maintenance(MINUTE, 2 * MINUTE)])
    assert found["before"].counts == Counts(10, 10)
    assert found["after"].counts == Counts(10, 0)
    assert {status.at_ns for status in found.statuses.values()} == {int(events.time[-1])}
    assert found["after"].slo.corrections == (first, Maintenance(MINUTE, 2 * MINUTE))
    nothing = compare_corrections(slo, events, [Maintenance(MINUTE, 4 * MINUTE)])
    assert nothing["after"].state == "no_data"
    assert nothing.explanation[1:] == ("20 events are left out, and 10 fewer are bad.",)


def test_corrections_of_a_threshold() -> None:
    """There is no budget to move, on the card neither."""
    slo = SLO("p95", window="1h", sli=LatencyQuantile({"p95": "1s"}))
    events = Events(time=[1, MINUTE + 1], duration_s=[9.0, 0.5])
    found = compare_corrections(slo, events, [Maintenance(0, MINUTE)])
    assert found.explanation[1:] == ("1 events are left out, and 0 fewer are bad.",)
    assert [row[1:] for row in found._card().rows] == [
        ("missed", "-", "0 of 2 events", "-", "-"),
        ("met", "-", "0 of 1 events", "-", "-"),
    ]
    assert [row["remaining_ratio"] for row in found.rows()] == [None, None]


def test_the_objectives_own_method_does_not_matter() -> None:
    """Whatever it is, each way is as it is said; and the instant is the one that was asked for."""
    events = minutes([(9, 1), (0, 10), (10, 0)])
    sliced = API.replace(method=Timeslices("1m", "90%"))
    for slo in (API, sliced):
        found = slo.compare_methods(events, slice_target="90%", at=2 * MINUTE)
        assert found["occurrences"].counts == Counts(9, 11)
        assert found["timeslices"].counts == Counts(1, 1)
    pause = Maintenance(MINUTE, 2 * MINUTE)
    found = compare_corrections(API, events, [pause], at=2 * MINUTE)
    assert [found[way].counts for way in ("before", "after")] == [Counts(9, 11), Counts(9, 1)]
    assert {status.at_ns for status in found.statuses.values()} == {2 * MINUTE}
