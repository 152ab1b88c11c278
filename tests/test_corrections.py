"""Maintenance, once and again and again, and budgets that start over."""

from __future__ import annotations

import datetime as dt
import pickle
import sys
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from errorbudget.corrections import (
    BudgetReset,
    Correction,
    Maintenance,
    RecurringMaintenance,
    corrected_counts,
    corrected_intervals,
    parse_correction,
    since_reset,
)
from errorbudget.corrections.recurrence import _needed
from errorbudget.counts import Counts
from errorbudget.durations import DAY_NS, HOUR_NS
from errorbudget.errors import (
    InvalidInputError,
    InvalidSeriesError,
    InvalidTimeError,
    InvalidWindowError,
    MissingDependencyError,
    SpecError,
)
from errorbudget.times import to_ns
from errorbudget.windows import Interval, merge_intervals
from errorbudget.windows.localtime import first_instant, load_zone

sides = st.sampled_from(("left", "right"))
windows = st.builds(
    lambda start, length, closed: Interval(start, start + length, closed),
    st.integers(-20, 60),
    st.integers(0, 60),
    sides,
)
maintenances = st.builds(
    lambda start, length, treat: Maintenance(start, start + length, treat),
    st.integers(-30, 90),
    st.integers(1, 40),
    st.sampled_from(("exclude", "good")),
)
events = st.lists(st.tuples(st.integers(-30, 130), st.booleans()), max_size=30)
texts = st.text(max_size=10)
moments = st.integers(to_ns("1990-01-01T00:00:00Z"), to_ns("2060-01-01T00:00:00Z"))


def _split(found: list[tuple[int, bool]]) -> tuple[list[int], list[bool]]:
    return [at for at, _ in found], [good for _, good in found]


# Maintenance and events


@given(events, st.lists(maintenances, max_size=5), windows)
def test_an_event_is_judged_by_the_maintenance_it_lies_in(
    found: list[tuple[int, bool]], corrections: list[Maintenance], window: Interval
) -> None:
    """Excluded is not valid, good is good, and exclusion wins: event by event, word for word."""
    good = bad = 0
    for at, was_good in found:
        inside = {each.treat for each in corrections if each.interval.contains(at)}
        if not window.contains(at) or "exclude" in inside:
            continue
        if was_good or "good" in inside:
            good += 1
        else:
            bad += 1
    assert corrected_counts(*_split(found), corrections, window) == Counts(good, bad)


@given(events, st.lists(maintenances, max_size=5), windows)
def test_corrections_never_add_a_bad_event(
    found: list[tuple[int, bool]], corrections: list[Maintenance], window: Interval
) -> None:
    """Bad events only go; the order and the repetition of corrections do not matter."""
    times, good = _split(found)
    before = corrected_counts(times, good, [], window)
    after = corrected_counts(times, good, corrections, window)
    assert after.bad <= before.bad
    assert after.total <= before.total
    assert before.total == sum(window.contains(at) for at in times)
    again = [*reversed(corrections), *corrections]
    assert corrected_counts(times, good, again, window) == after


@given(st.lists(maintenances, max_size=6), windows)
def test_no_instant_is_both_excluded_and_good(
    corrections: list[Maintenance], window: Interval
) -> None:
    """Instant by instant within the window, and disjoint everywhere."""
    parts = corrected_intervals(corrections, window)
    for instant in range(-31, 132):
        inside = {name: any(p.contains(instant) for p in held) for name, held in parts.items()}
        assert not (inside["exclude"] and inside["good"])
        if window.contains(instant):
            treats = {each.treat for each in corrections if each.interval.contains(instant)}
            assert inside["exclude"] == ("exclude" in treats)
            assert inside["good"] == (treats == {"good"})


@given(maintenances, windows)
def test_a_maintenance_is_found_when_it_shares_an_instant(
    maintenance: Maintenance, window: Interval
) -> None:
    """And comes whole, so that the closed end of a rolling window is covered as well."""
    shares = any(
        window.contains(at) and maintenance.interval.contains(at) for at in range(-31, 131)
    )
    assert maintenance.intervals(window) == ([maintenance.interval] if shares else [])


def test_times_and_verdicts_must_be_as_many() -> None:
    """Mixed lengths are an error, not a shorter answer."""
    with pytest.raises(InvalidSeriesError, match="2 and 1"):
        corrected_counts([1, 2], [True], [], Interval(0, 9, "left"))


@given(moments, st.integers(1, 10 * DAY_NS), st.sampled_from(("exclude", "good")), texts)
def test_a_maintenance_reads_back(start: int, length: int, treat: str, reason: str) -> None:
    """As plain data, as code, pickled."""
    maintenance = Maintenance(start, start + length, treat, reason)  # type: ignore[arg-type]
    assert parse_correction(maintenance.to_dict()) == maintenance
    assert eval(repr(maintenance)) == maintenance
    assert pickle.loads(pickle.dumps(maintenance)) == maintenance
    assert parse_correction(maintenance) is maintenance


@pytest.mark.parametrize(
    ("arguments", "cure"),
    [
        ({"start": 2, "end": 1}, "swapped"),
        ({"start": 1, "end": 1}, "end after it starts"),
        ({"start": 1, "end": 2, "treat": "god"}, 'did you mean "good"'),
        ({"start": 1, "end": 2, "reason": None}, "reason must be text"),
        ({"start": "2026-01-01T00:00", "end": 2}, "no time zone"),
    ],
)
def test_a_wrong_maintenance_says_why(arguments: dict[str, object], cure: str) -> None:
    """What came, what fits."""
    with pytest.raises(InvalidInputError, match=cure):
        Maintenance(**arguments)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("data", "cure"),
    [
        ({"start": 1}, 'needs "end"'),
        ({"start": 1, "end": 2, "treet": "good"}, 'did you mean "treat"'),
        ({"rule": "FREQ=DAILY", "start": "2026-01-01"}, 'needs "duration"'),
        ({"rule": "FREQ=DAILY", "end": 1}, 'no key "end"'),
        ("tomorrow", "give start and end"),
    ],
)
def test_wrong_plain_data_name_the_key(data: object, cure: str) -> None:
    """Missing and unknown keys, with a suggestion."""
    with pytest.raises(SpecError, match=cure):
        parse_correction(data)  # type: ignore[arg-type]


# Recurring maintenance

RULES = (
    "FREQ=DAILY",
    "FREQ=DAILY;INTERVAL=3",
    "FREQ=WEEKLY;BYDAY=SU",
    "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,TH",
    "FREQ=MONTHLY;BYDAY=-1SU",
    "FREQ=MONTHLY;BYDAY=2TU;COUNT=7",
    "FREQ=MONTHLY;BYMONTHDAY=31",
    "FREQ=YEARLY;BYMONTH=3,10;BYDAY=-1SU",
    "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29",
    "FREQ=DAILY;BYHOUR=2,3;BYMINUTE=0,30",
    "FREQ=HOURLY;INTERVAL=7",
    "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1",
)
ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "America/St_Johns")


@given(
    st.sampled_from(RULES),
    st.sampled_from(ZONES),
    st.datetimes(dt.datetime(2020, 1, 1), dt.datetime(2024, 1, 1)),
    st.integers(0, 900),
    sides,
)
def test_repeated_maintenance_starts_where_the_rule_says(
    rule: str, zone: str, start: dt.datetime, days: int, side: str
) -> None:
    """The same starts as dateutil names directly, in wall time, on clocks that change."""
    from dateutil.rrule import rrulestr

    start = start.replace(microsecond=0)
    maintenance = Maintenance.recurring(rule, start=start, duration="45m", zone=zone)
    tzinfo = load_zone(zone)[1]
    begin = first_instant(start, tzinfo) + days * DAY_NS
    within = Interval(begin, begin + 90 * DAY_NS, side)  # type: ignore[arg-type]
    until = start + dt.timedelta(days=days + 92)
    expected = set()
    for local in rrulestr(rule, dtstart=start).between(start, until, inc=True):
        interval = Interval.between(at := first_instant(local, tzinfo), at + 45 * 60 * 10**9)
        expected.update(Maintenance(interval.start_ns, interval.end_ns).intervals(within))
    assert maintenance.intervals(within) == merge_intervals(expected)


@given(st.sampled_from(ZONES), st.integers(0, 3_000))
def test_daily_maintenance_starts_at_the_same_wall_time(zone: str, day: int) -> None:
    """The window of one day holds one maintenance, at the hour that the wall shows."""
    maintenance = Maintenance.recurring(
        "FREQ=DAILY", start="2018-01-01 02:30", duration="1h", zone=zone
    )
    tzinfo = load_zone(zone)[1]
    midnight = dt.datetime(2018, 1, 1) + dt.timedelta(days=day)
    today = Interval(
        first_instant(midnight, tzinfo), first_instant(midnight + dt.timedelta(1), tzinfo), "left"
    )
    (found,) = maintenance.intervals(today)
    assert found.start_ns == first_instant(midnight.replace(hour=2, minute=30), tzinfo)
    assert found.length_ns == HOUR_NS


@given(st.sampled_from(RULES), moments, st.integers(1, 400), st.integers(1, 400))
def test_windows_side_by_side_see_all_of_a_repeated_maintenance(
    rule: str, start: int, first: int, second: int
) -> None:
    """What two neighbouring windows find is what one window over both finds."""
    start -= start % 10**9
    maintenance = Maintenance.recurring(rule, start=start, duration="2h")
    edges = [start, start + first * DAY_NS, start + (first + second) * DAY_NS]
    one, two, both = (
        maintenance.intervals(Interval(edges[a], edges[b], "left"))
        for a, b in ((0, 1), (1, 2), (0, 2))
    )
    assert merge_intervals([*one, *two]) == both


@pytest.mark.parametrize("side", ["left", "right"])
def test_an_empty_window_finds_no_repeated_maintenance(side: str) -> None:
    """Not even in the middle of one: without an instant there is none to share."""
    maintenance = Maintenance.recurring("FREQ=DAILY", start="2026-01-01", duration="2h")
    middle = to_ns("2026-01-03T01:00:00Z")
    assert maintenance.intervals(Interval(middle, middle, side)) == []  # type: ignore[arg-type]
    (found,) = maintenance.intervals(Interval(middle, middle + 1, side))  # type: ignore[arg-type]
    assert found == Interval.between("2026-01-03T00:00:00Z", "2026-01-03T02:00:00Z")


def test_before_its_first_start_a_rule_finds_nothing() -> None:
    """A window that ends at the start holds it only where its end belongs to it."""
    maintenance = Maintenance.recurring("FREQ=DAILY", start="2026-01-03", duration="1h")
    begin, start = to_ns("2025-12-01T00:00:00Z"), to_ns("2026-01-03T00:00:00Z")
    assert maintenance.intervals(Interval(begin, start, "left")) == []
    assert maintenance.intervals(Interval(begin, start - 1, "right")) == []
    first = [Interval.between("2026-01-03T00:00:00Z", "2026-01-03T01:00:00Z")]
    assert maintenance.intervals(Interval(begin, start, "right")) == first
    assert maintenance.intervals(Interval(begin, start + 1, "left")) == first


def test_the_night_of_a_change_still_has_its_maintenance() -> None:
    """Skipped 02:30 begins at the jump; the second 02:30 is not another one; 2 h are 2 h."""
    maintenance = Maintenance.recurring(
        "FREQ=WEEKLY;BYDAY=SU", start="2026-01-04 02:30", duration="2h", zone="Europe/Berlin"
    )
    spring = Interval.between("2026-03-29T00:00:00Z", "2026-03-30T00:00:00Z")
    autumn = Interval.between("2026-10-25T00:00:00Z", "2026-10-26T00:00:00Z")
    assert [str(part) for part in maintenance.intervals(spring)] == [
        "[2026-03-29T01:00:00Z, 2026-03-29T03:00:00Z)"
    ]
    assert [str(part) for part in maintenance.intervals(autumn)] == [
        "[2026-10-25T00:30:00Z, 2026-10-25T02:30:00Z)"
    ]


@pytest.mark.parametrize(
    ("until", "count"),
    [
        ("20260105T020000Z", 5),
        ("20260105T015959Z", 4),
        ("20260105T020000", 5),
        ("20260105", 5),
        ("20260104", 4),
        ("99991231", 9),
        ("99991231T235959Z", 9),
    ],
)
def test_until_is_inclusive(until: str, count: int) -> None:
    """An instant, a wall time, or a whole day."""
    maintenance = Maintenance.recurring(
        f"FREQ=DAILY;UNTIL={until}", start="2026-01-01 02:00", duration="1h"
    )
    within = Interval.between("2026-01-01T00:00:00Z", "2026-01-10T00:00:00Z")
    assert len(maintenance.intervals(within)) == count


def test_overlapping_repeats_are_one_stretch() -> None:
    """Daily for 36 hours is always."""
    maintenance = Maintenance.recurring("FREQ=DAILY", start="2026-01-01", duration="36h")
    within = Interval.between("2026-01-05T00:00:00Z", "2026-01-07T00:00:00Z")
    (found,) = maintenance.intervals(within)
    assert found == Interval.between("2026-01-04T00:00:00Z", "2026-01-07T12:00:00Z")


@given(st.sampled_from(RULES), st.sampled_from((*ZONES, "+05:45")), moments, texts)
def test_a_recurring_maintenance_reads_back(rule: str, zone: str, start: int, reason: str) -> None:
    """As plain data, as code, pickled."""
    start -= start % 10**9
    maintenance = Maintenance.recurring(
        f"RRULE:{rule.lower()}", start=start, duration="90m", zone=zone, treat="good", reason=reason
    )
    assert maintenance.rule == rule
    assert parse_correction(maintenance.to_dict()) == maintenance
    assert eval(repr(maintenance)) == maintenance
    assert pickle.loads(pickle.dumps(maintenance)) == maintenance
    assert hash(maintenance) == hash(parse_correction(maintenance.to_dict()))
    assert isinstance(maintenance, RecurringMaintenance)


@pytest.mark.parametrize(
    ("rule", "needed"),
    [
        ("FREQ=SECONDLY", "315,532,801"),
        ("FREQ=DAILY;BYHOUR=0,12;BYMINUTE=0,1,2,3,4,5,6,7,8,9;BYSECOND=0,15,30,45", "292,240"),
    ],
)
def test_a_rule_that_would_explode_is_refused_with_its_number(rule: str, needed: str) -> None:
    """Ten years of it are counted, not worked out."""
    maintenance = Maintenance.recurring(rule, start="2026-01-01", duration="1s")
    begun = time.perf_counter()
    with pytest.raises(InvalidWindowError, match=f"need up to {needed} starts"):
        maintenance.intervals(Interval.between("2035-12-31T00:00:00Z", "2036-01-01T00:00:00Z"))
    assert time.perf_counter() - begun < 1
    day_one = Interval.between("2026-01-01T00:00:00Z", "2026-01-01T00:01:00Z")
    assert maintenance.intervals(day_one)


@pytest.mark.parametrize(
    "rule",
    [
        "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=SECONDLY;BYMONTH=2;BYMONTHDAY=30;BYHOUR=3",
        "FREQ=MINUTELY;BYMONTH=2;BYMONTHDAY=30;BYHOUR=23",
        "FREQ=DAILY;UNTIL=20251231",
    ],
)
def test_a_rule_that_never_happens_is_found_out_at_once(rule: str) -> None:
    """30 February, and an end before the beginning: seconds at most, not until the year 9999."""
    begun = time.process_time()
    with pytest.raises(InvalidWindowError, match="never happens"):
        Maintenance.recurring(rule, start="2026-01-01", duration="1h")
    assert time.process_time() - begun < 3


@pytest.mark.parametrize(
    ("rule", "cure"),
    [
        ("", "FREQ=WEEKLY"),
        ("every sunday", "FREQ=WEEKLY"),
        ("FREQ=WEEKLY;BYDAYS=SU", 'did you mean "BYDAY"'),
        ("BYDAY=SU", "needs FREQ"),
        ("FREQ=FORTNIGHTLY", "needs FREQ"),
        ("FREQ=WEEKLY;BYDAY=XX", "cannot be read"),
        ("FREQ=DAILY;BYHOUR=25", "cannot be read"),
        ("FREQ=DAILY;FREQ=DAILY", "twice"),
        ("FREQ=DAILY;INTERVAL=0", "whole number from 1"),
        ("FREQ=DAILY;COUNT=x", "whole number from 1"),
        ("FREQ=DAILY;COUNT=2;UNTIL=20270101", "both COUNT and UNTIL"),
        ("FREQ=DAILY;UNTIL=someday", "write 20260401"),
        ("FREQ=DAILY\nEXDATE:20260101T020000", "cannot be read at"),
        (5, "a rule is text"),
    ],
)
def test_a_wrong_rule_says_how_to_write_it(rule: str, cure: str) -> None:
    """When it is written down, not when it is first needed."""
    with pytest.raises(InvalidWindowError, match=cure):
        Maintenance.recurring(rule, start="2026-01-01", duration="1h")


def test_wrong_parts_of_a_recurring_maintenance_are_refused() -> None:
    """Its beginning, its length and its zone."""
    with pytest.raises(InvalidWindowError, match="whole second"):
        Maintenance.recurring("FREQ=DAILY", start="2026-01-01T00:00:00.5", duration="1h")
    with pytest.raises(InvalidTimeError, match="not a local time"):
        Maintenance.recurring("FREQ=DAILY", start="soon", duration="1h")
    with pytest.raises(InvalidInputError, match="not a duration"):
        Maintenance.recurring("FREQ=DAILY", start="2026-01-01", duration="long")
    with pytest.raises(InvalidWindowError, match="no time zone"):
        Maintenance.recurring("FREQ=DAILY", start="2026-01-01", duration="1h", zone="Mars/Base")


def test_without_dateutil_the_cure_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """One-off maintenance works without it."""
    monkeypatch.setitem(sys.modules, "dateutil.rrule", None)
    assert Maintenance(0, 1).intervals(Interval(0, 5, "left"))
    with pytest.raises(MissingDependencyError, match=r"pip install 'errorbudget\[calendar\]'"):
        Maintenance.recurring("FREQ=DAILY", start="2026-01-01", duration="1h")


def test_one_off_and_repeated_corrections_work_together() -> None:
    """Both kinds answer `intervals`, and exclusion wins across them."""
    corrections: list[Correction] = [
        Maintenance.recurring("FREQ=DAILY", start="2026-01-01T02:00", duration="2h", treat="good"),
        Maintenance("2026-01-02T03:00:00Z", "2026-01-02T05:00:00Z"),
    ]
    day = Interval.between("2026-01-02T00:00:00Z", "2026-01-03T00:00:00Z")
    parts = corrected_intervals(corrections, day)
    assert [str(part) for part in parts["good"]] == ["[2026-01-02T02:00:00Z, 2026-01-02T03:00:00Z)"]


# Resets


@given(windows, st.lists(st.integers(-40, 140), max_size=5))
def test_only_what_follows_the_last_reset_counts(window: Interval, resets: list[int]) -> None:
    """Instant by instant: in the window, and not before any reset that the window holds."""
    rest = since_reset(window, [BudgetReset(at, "agreed") for at in resets])
    inside = [at for at in resets if window.contains(at)]
    for instant in range(-41, 141):
        counts = window.contains(instant) and all(instant >= at for at in inside)
        assert rest.contains(instant) == counts


@given(moments, texts.filter(str.strip), texts)
def test_a_reset_reads_back(at: int, note: str, by: str) -> None:
    """As plain data, as code, pickled."""
    reset = BudgetReset(at, note, by)
    assert BudgetReset.from_dict(reset.to_dict()) == reset
    assert eval(repr(reset)) == reset
    assert pickle.loads(pickle.dumps(reset)) == reset


def test_a_reset_without_a_reason_is_refused() -> None:
    """The note is what makes it auditable."""
    with pytest.raises(InvalidInputError, match="says why"):
        BudgetReset(0, " ")
    with pytest.raises(InvalidInputError, match="by must be text"):
        BudgetReset(0, "agreed", by=None)  # type: ignore[arg-type]
    with pytest.raises(SpecError, match='needs "note"'):
        BudgetReset.from_dict({"at": 0})


def test_a_repeated_maintenance_is_as_it_was_asked_for() -> None:
    """With its reason and treatment; a wrong one is refused at once."""
    asked: dict[str, Any] = {"start": "2026-01-05 02:00", "duration": "1h"}
    found = Maintenance.recurring("FREQ=WEEKLY", reason="upgrade", treat="good", **asked)
    assert (found.reason, found.treat) == ("upgrade", "good")
    with pytest.raises(InvalidInputError, match="treat"):
        Maintenance.recurring("FREQ=WEEKLY", treat="ignore", **asked)  # type: ignore[arg-type]


def test_a_rule_may_end_in_the_last_year_there_is() -> None:
    """2261 is a year as any other; what ends later ends with time itself."""
    rule = Maintenance.recurring("FREQ=DAILY;UNTIL=22610102", start="2261-01-01", duration="1h")
    within = Interval.between("2261-01-01T00:00:00Z", "2261-02-01T00:00:00Z")
    assert len(rule.intervals(within)) == 2


def test_how_many_starts_a_rule_may_need() -> None:
    """A step of its frequency, a day where it names days, and more within each day."""
    week = 7 * 86_400
    for parts, needed in (
        ({"FREQ": "WEEKLY"}, 3),
        ({"FREQ": "WEEKLY", "INTERVAL": "2"}, 2),
        ({"FREQ": "WEEKLY", "BYDAY": "MO"}, 15),
        ({"FREQ": "DAILY", "BYHOUR": "1,2"}, 30),
        ({"FREQ": "DAILY", "COUNT": "4"}, 4),
    ):
        assert _needed(parts, 2 * week) == needed
