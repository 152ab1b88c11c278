"""Side by side: each way equals the objective judged that way, with true figures as reasons."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from errorbudget import SLO, Availability, Counts, Events, Maintenance, Throughput, Timeslices
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


def test_reasons_name_what_differs() -> None:
    """A busy bad minute is cheap in slices, and the explanation says how much it held."""
    found = API.compare_methods(minutes([(90, 10), (10, 0), (10, 0), (10, 0)]), at=4 * MINUTE)
    assert [row["good"] for row in found.rows()][:2] == [120, 3]
    text = str(found)
    assert "10 of 130 were bad" in text
    assert "1 of 4 with traffic missed 99%" in text
    assert "25.00% of the slices and hold 76.92% of the events: busier" in text


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
    assert "no method has an answer" in empty.explanation[0]
    with pytest.raises(InvalidInputError, match="is a threshold"):
        SLO("rps", window="1h", sli=Throughput(1)).compare_methods(minutes([(1, 0)]))


def test_corrections_before_and_after() -> None:
    """A maintenance announced later takes its own events out and nothing else."""
    events = minutes([(9, 1), (0, 10), (10, 0)])
    pause = Maintenance("1970-01-01T00:01:00Z", "1970-01-01T00:02:00Z", reason="moved the database")
    found = compare_corrections(API, events, [pause], at=3 * MINUTE)
    assert found["before"].counts == Counts(good=19, bad=11)
    assert found["after"].counts == Counts(good=19, bad=1)
    assert "10 events are left out, and 10 fewer are bad" in " ".join(found.explanation)
    forgiven = Maintenance("1970-01-01T00:01:00Z", "1970-01-01T00:02:00Z", treat="good")
    assert compare_corrections(API, events, [forgiven], at=3 * MINUTE)["after"].counts == Counts(
        29, 1
    )
