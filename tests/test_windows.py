"""Rolling windows, calendar windows over changing clocks, and slices of either."""

from __future__ import annotations

import datetime as dt
import pickle
import time
import zoneinfo
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from errorbudget.durations import DAY_NS, HOUR_NS, MINUTE_NS
from errorbudget.errors import InvalidInputError, InvalidWindowError, MissingDependencyError
from errorbudget.times import to_ns
from errorbudget.windows import (
    Calendar,
    Closed,
    Interval,
    Rolling,
    Window,
    merge_intervals,
    parse_window,
    slice_count,
    slices,
    subtract_intervals,
)
from errorbudget.windows.localtime import first_instant, load_zone, wall_time

ZONES = (
    "UTC",
    "Africa/Casablanca",
    "America/Havana",
    "America/New_York",
    "America/Sao_Paulo",
    "America/St_Johns",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",
    "Europe/Berlin",
    "Europe/Dublin",
    "Pacific/Apia",
    "Pacific/Chatham",
    "-05:00",
    "+05:45",
)
UNITS = ("day", "week", "month", "quarter", "year")

instants = st.integers(to_ns("1975-01-01T00:00:00Z"), to_ns("2060-01-01T00:00:00Z"))
anchors = st.none() | st.datetimes(
    dt.datetime.fromisoformat("1980-01-01"), dt.datetime.fromisoformat("2040-12-31")
)
intervals = st.builds(
    lambda start, length, closed: Interval(start, start + length, closed),
    st.integers(-(10**6), 10**6),
    st.integers(0, 500),
    st.sampled_from(("left", "right")),
)


@st.composite
def calendars(draw: st.DrawFn) -> Calendar:
    """Any calendar window: every unit, zone and anchor, of one unit or several."""
    anchor = draw(anchors)
    every = draw(st.just(1) | st.integers(2, 5)) if anchor is not None else 1
    zone = draw(st.sampled_from(ZONES))
    return Calendar(draw(st.sampled_from(UNITS)), zone=zone, anchor=anchor, every=every)


rollings = st.integers(1, 400 * DAY_NS).map(Rolling.from_ns)
windows = calendars() | rollings


# Calendar windows


@given(calendars(), instants)
def test_every_instant_lies_in_exactly_one_period(window: Calendar, at: int) -> None:
    """The period found holds the instant; the ones beside it touch it, and do not."""
    period = window.interval(at)
    before, after = window.previous(period), window.next(period)
    assert [part.contains(at) for part in (before, period, after)] == [False, True, False]
    assert before.end_ns == period.start_ns
    assert period.end_ns == after.start_ns
    assert window.next(before) == period == window.previous(after)


@given(calendars(), instants, st.data())
def test_all_instants_of_a_period_find_the_same_one(
    window: Calendar, at: int, data: st.DataObject
) -> None:
    """A period is one thing, whichever of its instants asks for it."""
    period = window.interval(at)
    other = data.draw(st.integers(period.start_ns, period.end_ns - 1))
    assert window.interval(other) == period


@pytest.mark.parametrize("zone", ZONES)
def test_days_start_when_the_date_on_the_wall_first_changes(zone: str) -> None:
    """Years of days in each zone agree with looking at the clock every minute."""
    tzinfo = load_zone(zone)[1]
    years = {"Pacific/Apia": (2010, 2012), "America/St_Johns": (2009, 2012)}
    first, last = years.get(zone, (2024, 2026))
    at = first_instant(dt.datetime.fromisoformat(f"{first}-01-01"), tzinfo)
    end = first_instant(dt.datetime.fromisoformat(f"{last}-01-01"), tzinfo)
    window = Calendar("day", zone=zone)
    while at < end:
        period = window.interval(at)
        assert period.start_ns == at
        today = wall_time(at, tzinfo).date()
        # Only the last minutes before the end can be wrong: the clock is read from there on.
        minute = period.end_ns - 90 * MINUTE_NS
        while wall_time(minute, tzinfo).date() <= today:
            minute += MINUTE_NS
        assert period.end_ns == minute
        at = period.end_ns


@pytest.mark.parametrize("zone", [zone for zone in ZONES if "/" in zone])
def test_dateutil_finds_the_same_periods(zone: str) -> None:
    """Months and weeks from an anchor agree with dateutil's own arithmetic and zones."""
    relativedelta = pytest.importorskip("dateutil.relativedelta").relativedelta
    tz = pytest.importorskip("dateutil.tz")
    theirs = tz.gettz(zone)
    anchor = dt.datetime.fromisoformat("2010-01-31 12:15")  # noon: never skipped, never twice
    for unit, every, step in (
        ("month", 1, {"months": 1}),
        ("quarter", 1, {"months": 3}),
        ("year", 1, {"years": 1}),
        ("week", 2, {"weeks": 2}),
    ):
        window = Calendar(unit, zone=zone, anchor=anchor, every=every)  # type: ignore[arg-type]
        for count in range(-5, 30):
            wall = anchor + relativedelta(**{key: n * count for key, n in step.items()})
            if not tz.datetime_exists(wall, theirs):
                continue  # Samoa's 30 December 2011
            start = to_ns(wall.replace(tzinfo=theirs))
            assert window.interval(start).start_ns == start
            assert window.interval(start - 1).end_ns == start


@given(st.sampled_from(ZONES), st.datetimes(dt.datetime(1975, 1, 1), dt.datetime(2060, 1, 1)))
@example("Europe/Berlin", dt.datetime(2026, 3, 29, 2, 30))
@example("Australia/Lord_Howe", dt.datetime(2025, 10, 5, 2, 15))
@example("Pacific/Apia", dt.datetime(2011, 12, 30, 12))
@example("Europe/Berlin", dt.datetime(2026, 10, 25, 2, 30))
def test_a_local_time_is_the_first_instant_that_shows_it_or_later(
    zone: str, local: dt.datetime
) -> None:
    """At the instant the wall shows that time or later; just before, earlier."""
    tzinfo = load_zone(zone)[1]
    instant = first_instant(local, tzinfo)
    assert wall_time(instant, tzinfo) >= local
    assert wall_time(instant - 1_000, tzinfo) < local
    for hours in range(1, 30):
        assert wall_time(instant - hours * HOUR_NS, tzinfo) < local


@given(calendars())
def test_a_period_starts_at_the_anchor(window: Calendar) -> None:
    """Where the anchor is a time that the clocks showed, a period starts there."""
    if window.anchor is None:
        return
    tzinfo = load_zone(window.zone)[1]
    start = first_instant(dt.datetime.fromisoformat(window.anchor), tzinfo)
    assert window.interval(start).start_ns == start


@given(calendars(), instants)
def test_periods_within_a_stretch_tile_it(window: Calendar, at: int) -> None:
    """The periods listed for a stretch cover it, in order and without a gap."""
    stretch = Interval(at, at + 900 * DAY_NS, "left")
    found = list(window.intervals(stretch))
    assert found[0].contains(stretch.start_ns)
    assert found[-1].contains(stretch.end_ns - 1)
    assert all(one.end_ns == two.start_ns for one, two in pairwise(found))


@pytest.mark.parametrize(
    ("window", "at", "start", "end"),
    [
        # Elastic Kibana, date_range.test.ts (2022 version); a 2-week window moves by 2 weeks.
        (
            Calendar("week", anchor="2022-07-05T08:00:00Z"),
            "2022-08-11T08:31:00Z",
            "2022-08-09T08:00:00Z",
            "2022-08-16T08:00:00Z",
        ),
        (
            Calendar("week", anchor="2022-07-05T08:00:00Z", every=2),
            "2022-08-11T08:31:00Z",
            "2022-08-02T08:00:00Z",
            "2022-08-16T08:00:00Z",
        ),
        (
            Calendar("month", anchor="2022-09-01T08:00:00", zone="-05:00"),
            "2022-10-12T12:00:00Z",
            "2022-10-01T13:00:00Z",
            "2022-11-01T13:00:00Z",
        ),
        # The same in a zone that changes its clocks: an hour earlier on both days.
        (
            Calendar("month", anchor="2022-09-01T08:00:00", zone="America/New_York"),
            "2022-10-12T12:00:00Z",
            "2022-10-01T12:00:00Z",
            "2022-11-01T12:00:00Z",
        ),
        # OpenSLO's example: a week of 167 hours.
        (
            Calendar.from_openslo("1w", start_time="2022-01-01 12:00:00", zone="America/New_York"),
            "2022-03-14T00:00:00Z",
            "2022-03-12T17:00:00Z",
            "2022-03-19T16:00:00Z",
        ),
        # A fiscal year, across 29 February.
        (
            Calendar("year", anchor="2026-04-01"),
            "2028-03-31T23:59:59.999999999Z",
            "2027-04-01T00:00:00Z",
            "2028-04-01T00:00:00Z",
        ),
        # The 31st of a month that has none is its last day, also on 29 February.
        (
            Calendar("month", anchor="2026-01-31"),
            "2028-02-29T00:00:00Z",
            "2028-02-29T00:00:00Z",
            "2028-03-31T00:00:00Z",
        ),
        (
            Calendar("year", anchor="2024-02-29"),
            "2026-01-01T00:00:00Z",
            "2025-02-28T00:00:00Z",
            "2026-02-28T00:00:00Z",
        ),
        (
            Calendar("quarter"),
            "2026-11-23T00:00:00Z",
            "2026-10-01T00:00:00Z",
            "2027-01-01T00:00:00Z",
        ),
        # ISO weeks start on Monday.
        (
            Calendar("week"),
            "2026-01-01T00:00:00Z",
            "2025-12-29T00:00:00Z",
            "2026-01-05T00:00:00Z",
        ),
        # Samoa had no 30 December 2011.
        (
            Calendar("day", zone="Pacific/Apia"),
            "2011-12-30T10:00:00Z",
            "2011-12-30T10:00:00Z",
            "2011-12-31T10:00:00Z",
        ),
    ],
)
def test_known_periods(window: Calendar, at: str, start: str, end: str) -> None:
    """Boundaries that others publish, or that a wall calendar shows."""
    assert window.interval(at) == Interval.between(start, end)


@pytest.mark.parametrize(
    ("unit", "zone", "at", "hours"),
    [
        ("day", "Europe/Berlin", "2026-03-29T12:00:00Z", 23),
        ("day", "Europe/Berlin", "2026-10-25T12:00:00Z", 25),
        ("day", "America/New_York", "2026-03-08T12:00:00Z", 23),
        ("day", "America/New_York", "2026-11-01T12:00:00Z", 25),
        ("day", "America/St_Johns", "2026-03-08T12:00:00Z", 23),
        ("day", "America/Havana", "2026-03-08T12:00:00Z", 23),
        ("day", "Africa/Casablanca", "2026-02-15T12:00:00Z", 25),  # Ramadan, and its end
        ("day", "Africa/Casablanca", "2026-03-22T12:00:00Z", 23),
        ("day", "Asia/Kathmandu", "2026-03-29T12:00:00Z", 24),
        ("day", "Australia/Lord_Howe", "2025-10-05T00:00:00Z", 23.5),
        ("day", "Australia/Lord_Howe", "2026-04-05T00:00:00Z", 24.5),
        ("month", "America/New_York", "2026-03-15T12:00:00Z", 743),
        ("month", "America/New_York", "2026-11-15T12:00:00Z", 721),
        ("year", "UTC", "2028-06-01T00:00:00Z", 366 * 24),
    ],
)
def test_known_lengths(unit: str, zone: str, at: str, hours: float) -> None:
    """Days of 23 to 25 hours, half-hour changes, and the March of 743 hours."""
    length = Calendar(unit, zone=zone).interval(at).length_ns  # type: ignore[arg-type]
    assert length == hours * HOUR_NS


@pytest.mark.parametrize(
    ("duration", "window"),
    [
        ("1d", Calendar("day")),
        ("1w", Calendar("week")),
        ("1M", Calendar("month")),
        ("3M", Calendar("month", every=3)),
        ("1Q", Calendar("quarter")),
        ("1Y", Calendar("year")),
    ],
)
def test_openslo_durations_are_calendar_units(duration: str, window: Calendar) -> None:
    """Each unit of OpenSLO has its period; a month is M, and m would be minutes."""
    assert Calendar.from_openslo(duration) == window
    assert parse_window(f"calendar {duration}") == window
    with pytest.raises(InvalidWindowError, match="d w M Q Y"):
        Calendar.from_openslo("1m")


def test_an_anchor_reads_the_same_from_any_type() -> None:
    """Text, date, datetime, instant: one wall time."""
    noon = dt.datetime.fromisoformat("2026-04-01T12:00")
    berlin = zoneinfo.ZoneInfo("Europe/Berlin")
    expected = Calendar("week", zone="Europe/Berlin", anchor="2026-04-01 12:00:00")
    same = [noon, noon.replace(tzinfo=berlin), "2026-04-01T10:00:00Z", to_ns("2026-04-01T10:00Z")]
    assert [Calendar("week", zone="Europe/Berlin", anchor=anchor) for anchor in same] == [
        expected
    ] * len(same)
    assert Calendar("year", anchor=noon.date()) == Calendar("year", anchor="2026-04-01")


def test_a_machine_without_zone_data_names_the_cure(monkeypatch: pytest.MonkeyPatch) -> None:
    """UTC and offsets work without zone data; names ask for it."""
    monkeypatch.setattr(zoneinfo, "available_timezones", set)

    def absent(key: str) -> zoneinfo.ZoneInfo:
        raise zoneinfo.ZoneInfoNotFoundError(key)

    monkeypatch.setattr(zoneinfo, "ZoneInfo", absent)
    assert Calendar("day", zone="-05:00").interval(0).start_ns == -19 * HOUR_NS
    assert Calendar("day").interval(0).start_ns == 0
    with pytest.raises(MissingDependencyError, match=r"pip install 'errorbudget\[calendar\]'"):
        Calendar("day", zone="Europe/Berlin")


# Rolling windows


@given(rollings, instants, st.integers(-DAY_NS, DAY_NS))
def test_rolling_windows_move_with_the_clock(window: Rolling, at: int, shift: int) -> None:
    """The window ends now, holds now, and lets go of what is exactly its length old."""
    interval = window.interval(at)
    assert interval.length_ns == window.length_ns
    assert interval.contains(at)
    assert not interval.contains(at - window.length_ns)
    moved = window.interval(at + shift)
    assert moved.start_ns - interval.start_ns == shift
    assert window.next(window.previous(interval)) == interval
    assert window.previous(interval).end_ns == interval.start_ns


# Windows as text


@given(windows)
def test_text_and_repr_paste_back(window: Window) -> None:
    """What a window writes is the window again: as text, as code, and pickled."""
    assert parse_window(window.to_text()) == window
    assert parse_window(str(window)) == window
    assert eval(repr(window)) == window
    assert pickle.loads(pickle.dumps(window)) == window
    assert parse_window(window) is window
    assert hash(window) == hash(parse_window(window.to_text()))


@pytest.mark.parametrize(
    ("text", "window"),
    [
        ("30d", Rolling("30d")),
        ("30 days", Rolling("30d")),
        ("rolling 4w", Rolling("28d")),
        ("28d rolling", Rolling("28d")),
        ("1 week", Rolling("7d")),
        ("month", Calendar("month")),
        (" calendar  month ", Calendar("month")),
        ("monthly", Calendar("month")),
        ("week Europe/Berlin", Calendar("week", zone="Europe/Berlin")),
        ("week in Europe/Berlin", Calendar("week", zone="Europe/Berlin")),
        ("quarter from 2026-02-01", Calendar("quarter", anchor="2026-02-01")),
        (
            "every 2 weeks from 2026-01-05 09:00 -05:00",
            Calendar("week", zone="-05:00", anchor="2026-01-05 09:00", every=2),
        ),
        ("2 weeks from 2026-01-05", Calendar("week", anchor="2026-01-05", every=2)),
        (
            "calendar 2w from 2022-01-01 12:00:00 America/New_York",
            Calendar("week", zone="America/New_York", anchor="2022-01-01 12:00", every=2),
        ),
        (
            "day America/New_York from 2022-01-01T06:00",
            Calendar("day", zone="America/New_York", anchor="2022-01-01T06:00"),
        ),
    ],
)
def test_windows_as_people_write_them(text: str, window: Window) -> None:
    """A number is rolling, a bare unit is a calendar period."""
    assert parse_window(text) == window


def test_a_timedelta_is_a_rolling_window() -> None:
    """The standard library's own span."""
    assert parse_window(dt.timedelta(days=30)) == Rolling("30d")


@pytest.mark.parametrize(
    ("value", "cure"),
    [
        ("30 dayz", 'did you mean "day"'),
        ("mnth", 'did you mean "month"'),
        ("week Europe/Berln", 'did you mean "Europe/Berlin"'),
        ("week europe/berlin", 'did you mean "Europe/Berlin"'),
        ("1 month", 'a calendar window, such as "month"'),
        ("", "write a length"),
        ("calendar", "write a length"),
        ("30", "write a number and a unit"),
        ("0d", "longer than 0"),
        ("calendar 1h", "d w M Q Y"),
        ("calendar fortnight", "units are day, week"),
        ("every 2 weeks", 'anchor="2026-01-05"'),
        ("week from", 'write it as "2026-04-01"'),
        ("month from foo", 'write it as "2026-04-01"'),
        ("week -05:00 foo", "is not one time zone"),
        ("month UTC+25", "less than 24 hours"),
        ("every 101 years from 2026-01-01", "longer than 100 years"),
        (None, "write a length"),
        (30, "write a length"),
    ],
)
def test_a_wrong_window_says_how_to_write_it(value: object, cure: str) -> None:
    """One line: what came, and the cure."""
    with pytest.raises(InvalidWindowError, match=cure) as caught:
        parse_window(value)  # type: ignore[arg-type]
    assert "\n" not in str(caught.value)


@given(st.text(max_size=20) | st.sampled_from(("week ../x", "day America", "week \0", "day .")))
def test_any_text_is_a_window_or_a_named_error(text: str) -> None:
    """Nothing but the family's own errors comes out."""
    try:
        window = parse_window(text)
    except InvalidInputError:
        return
    assert parse_window(window.to_text()) == window


@pytest.mark.parametrize(
    ("arguments", "cure"),
    [
        ({"unit": "hour"}, "one of day, week"),
        ({"unit": "day", "every": 0}, "from 1"),
        ({"unit": "day", "every": True}, "from 1"),
        ({"unit": "day", "zone": 5}, "Europe/Berlin"),
        ({"unit": "day", "anchor": 1}, "finer than a microsecond"),
        ({"unit": "day", "anchor": "0001-01-01"}, "1678 to 2261"),
        ({"unit": "day", "anchor": 1.5}, "not an anchor"),
        ({"unit": "day", "every": 2}, "give anchor"),
        ({"unit": "month", "every": 5}, "give anchor"),
    ],
)
def test_wrong_parts_are_refused(arguments: dict[str, object], cure: str) -> None:
    """The constructor is the door."""
    with pytest.raises(InvalidWindowError, match=cure):
        Calendar(**arguments)  # type: ignore[arg-type]


def test_windows_are_frozen() -> None:
    """Values do not change."""
    with pytest.raises(AttributeError):
        Rolling("30d").length_ns = 1  # type: ignore[misc]
    with pytest.raises(AttributeError):
        Calendar("day").every = 2  # type: ignore[misc]


# Intervals and slices


@given(intervals, st.integers(1, 200), st.none() | st.integers(-50, 50))
def test_slices_tile_their_interval(interval: Interval, length: int, origin: int | None) -> None:
    """Every instant of the interval is in exactly one slice; inner edges lie where asked."""
    parts = list(slices(interval, length, origin_ns=origin))
    for instant in range(interval.start_ns - 1, interval.end_ns + 2):
        assert sum(part.contains(instant) for part in parts) == interval.contains(instant)
    edges = [part.end_ns for part in parts[:-1]]
    first = interval.start_ns if origin is None else origin
    assert all((edge - first) % length == 0 for edge in edges)
    if origin is None:
        assert len(parts) == slice_count(interval.length_ns, length)
    assert all(part.length_ns <= length for part in parts)


@given(intervals, intervals)
def test_an_intersection_holds_what_both_hold(one: Interval, other: Interval) -> None:
    """Between intervals closed alike, and None stands for no instant."""
    other = Interval(one.start_ns + other.start_ns % 600, one.start_ns + 900, one.closed)
    common = one.intersection(other)
    for instant in range(one.start_ns - 1, one.start_ns + 902):
        both = one.contains(instant) and other.contains(instant)
        assert both == (common is not None and common.contains(instant))


@given(
    st.lists(intervals, max_size=8),
    st.lists(intervals, max_size=8),
    st.sampled_from(("left", "right")),
)
def test_unions_and_differences_hold_the_right_instants(
    some: list[Interval], holes: list[Interval], closed: Closed
) -> None:
    """Instant by instant; what comes out is in order, apart and not empty."""
    some = [
        Interval(part.start_ns % 900, part.start_ns % 900 + part.length_ns, closed) for part in some
    ]
    holes = [
        Interval(part.start_ns % 900, part.start_ns % 900 + part.length_ns, closed)
        for part in holes
    ]
    union, rest = merge_intervals(some), subtract_intervals(some, holes)
    for instant in range(-1, 1_402):
        held = any(part.contains(instant) for part in some)
        assert held == any(part.contains(instant) for part in union)
        left = held and not any(hole.contains(instant) for hole in holes)
        assert left == any(part.contains(instant) for part in rest)
    for parts in (union, rest):
        assert all(part.length_ns for part in parts)
        assert all(one.end_ns <= two.start_ns for one, two in pairwise(parts))
    assert all(one.end_ns < two.start_ns for one, two in pairwise(union))


def test_intervals_closed_on_different_sides_do_not_mix() -> None:
    """Their union would need an interval closed on both sides."""
    left, right = Interval(0, 2, "left"), Interval(1, 3, "right")
    with pytest.raises(InvalidWindowError, match="same side"):
        merge_intervals([left, right])
    with pytest.raises(InvalidWindowError, match="same side"):
        subtract_intervals([left], [right])


def test_slices_are_counted_up() -> None:
    """An hour has 60, 30, 9 and 1 slices of 1, 2, 7 and 120 minutes (Kibana's own vectors)."""
    assert [slice_count(3_600, each) for each in (60, 120, 420, 7_200)] == [60, 30, 9, 1]
    assert slice_count(0, 60) == 0


def test_wrong_intervals_are_refused() -> None:
    """The message says what came and the cure."""
    with pytest.raises(InvalidWindowError, match="swapped"):
        Interval(2, 1, "left")
    with pytest.raises(InvalidWindowError, match='"left" or on the "right"'):
        Interval(1, 2, "both")  # type: ignore[arg-type]
    with pytest.raises(InvalidWindowError, match=r"Interval\.between"):
        Interval("2026-01-01", 2, "left")  # type: ignore[arg-type]
    with pytest.raises(InvalidWindowError, match="longer than 0"):
        slice_count(10, 0)
    with pytest.raises(InvalidWindowError, match="longer than 0"):
        list(slices(Interval(0, 10, "left"), -1))
    with pytest.raises(InvalidWindowError, match="negative"):
        slice_count(-1, 1)
    with pytest.raises(InvalidWindowError, match="longer than 0"):
        Rolling.from_ns(0)


def test_intervals_print_their_open_end() -> None:
    """Round brackets leave the end out."""
    assert str(Interval(0, 10**9, "right")) == "(1970-01-01T00:00:00Z, 1970-01-01T00:00:01Z]"
    assert str(Interval(0, 10**9, "left")) == "[1970-01-01T00:00:00Z, 1970-01-01T00:00:01Z)"


def test_a_day_begins_when_its_midnight_first_shows() -> None:
    """In St John's the clock fell back from 00:01 to 23:01: the day before does not come again."""
    day = Calendar("day", zone="America/St_Johns")
    again = day.interval("2010-11-07T03:00:00Z")  # 23:30 on the wall, for the second time
    assert again == Interval.between("2010-11-07T02:30:00Z", "2010-11-08T03:30:00Z", closed="left")
    assert day.previous(again).end_ns == again.start_ns


def test_nothing_shares_time_with_no_time() -> None:
    """An interval of length 0 meets no period."""
    assert list(Calendar("month").intervals(Interval(5, 5, "left"))) == []


def test_bounds_may_be_any_integers() -> None:
    """Those of numpy become Python's, so that sums of them never wrap around."""
    numpy = pytest.importorskip("numpy")
    interval = Interval(numpy.int64(1), numpy.int64(2**62), "right")
    assert type(interval.start_ns) is type(interval.end_ns) is int
    assert interval.end_ns * 4 == 2**64


@pytest.mark.parametrize("text", ["UTC+0", "+00:00", "-0000"])
def test_an_offset_of_nothing_is_utc(text: str) -> None:
    """However it is written."""
    assert load_zone(text) == ("UTC", dt.UTC)


def test_rolling_windows_touch() -> None:
    """The one before ends where this one starts, closed as it is; one of no length is refused."""
    hour = Rolling("1h")
    now = hour.interval(5 * HOUR_NS)
    assert now == Interval(4 * HOUR_NS, 5 * HOUR_NS, "right")
    assert hour.previous(now) == Interval(3 * HOUR_NS, 4 * HOUR_NS, "right")
    assert hour.next(now) == Interval(5 * HOUR_NS, 6 * HOUR_NS, "right")
    assert Rolling.from_ns(1) == Rolling("1ns")
    for nothing in (0, -1):
        with pytest.raises(InvalidWindowError, match="longer than 0 ns"):
            Rolling.from_ns(nothing)
    with pytest.raises(InvalidWindowError, match=r"^not a rolling window: "):
        Rolling("1 month")
    with pytest.raises(InvalidWindowError, match=r"^not a window: "):
        parse_window("5 parsecs")


def test_intervals_that_touch_are_one_and_share_nothing() -> None:
    """No instant lies between them, and none lies in both."""
    one, other = Interval(0, 3, "left"), Interval(3, 6, "left")
    assert merge_intervals([one, other]) == [Interval(0, 6, "left")]
    assert one.intersection(other) is None
    assert subtract_intervals([one], [other]) == [one]


def test_an_anchor_may_have_a_time() -> None:
    """Of two words, before the zone or at the end."""
    window = Calendar("week", every=2, anchor="2026-01-05 12:00", zone="Europe/Berlin")
    assert parse_window("2 weeks from 2026-01-05 12:00 Europe/Berlin") == window
    window = Calendar("week", every=2, anchor="2026-01-05 12:00")
    assert parse_window("2 weeks from 2026-01-05 12:00") == window
    for unknown in ("calendar x", "calendar 2 parsecs", "calendar d"):
        with pytest.raises(InvalidWindowError, match=r"is not a calendar unit|is not known"):
            parse_window(unknown)


def test_offsets_and_names_of_zones() -> None:
    """Offsets of less than a day, each to its side of UTC; a name that is none is refused."""
    for text, minutes in (("-05:30", -330), ("+0530", 330), ("UTC+1", 60), ("+23:59", 1_439)):
        assert load_zone(text)[1].utcoffset(None) == dt.timedelta(minutes=minutes)
    assert load_zone("-5")[0] == "-05:00"
    for text in ("+24:00", "-24:00", "+24:30"):
        with pytest.raises(InvalidWindowError, match="less than 24 hours"):
            load_zone(text)
    for text, meant in (("europe/berlin", "Europe/Berlin"), ("Europe/Berln", "Europe/Berlin")):
        with pytest.raises(InvalidWindowError, match=f'did you mean "{meant}"'):
            load_zone(text)
    with pytest.raises(InvalidWindowError, match='did you mean "GB-Eire"'):
        load_zone("gb-eire")
    with pytest.raises(InvalidWindowError, match='there is no time zone "Nowhere/At All"; write'):
        load_zone("Nowhere/At All")


def test_anchors_and_periods_at_their_bounds() -> None:
    """Years that nanoseconds reach, and periods of up to a hundred years."""
    for anchor in ("1678-01-01", "2261-12-31"):
        assert Calendar("day", anchor=anchor).anchor == anchor
    for anchor in ("1677-12-31", "2262-01-01"):
        with pytest.raises(InvalidWindowError, match="1678 to 2261"):
            Calendar("day", anchor=anchor)
    for unit, longest in (("day", 36_525), ("week", 5_217), ("month", 1_200), ("year", 100)):
        assert Calendar(unit, anchor="2026-01-01", every=longest).every == longest
        with pytest.raises(InvalidWindowError, match="longer than 100 years"):
            Calendar(unit, anchor="2026-01-01", every=longest + 1)


def test_calendars_are_written_to_the_letter() -> None:
    """What is as usual is left out."""
    for window, text, code in (
        (Calendar("week"), "week", 'Calendar("week")'),
        (
            Calendar("week", zone="Europe/Berlin", anchor="2026-01-05", every=2),
            "every 2 weeks from 2026-01-05 Europe/Berlin",
            'Calendar("week", zone="Europe/Berlin", anchor="2026-01-05", every=2)',
        ),
        (Calendar("month", every=3), "every 3 months", 'Calendar("month", every=3)'),
    ):
        assert (str(window), repr(window)) == (text, code)


def test_a_day_that_begins_twice_begins_once() -> None:
    """In St. John's of 2005 the clock goes from 0:01 back to 23:01: the first midnight counts."""
    window = Calendar("day", zone="America/St_Johns")
    first, second = "2005-10-30T02:30:00Z", "2005-10-31T03:30:00Z"
    for at in (first, "2005-10-30T02:45Z", "2005-10-30T03:30Z"):
        assert str(window.interval(at)) == f"[{first}, {second})"
    before = window.interval("2005-10-30T02:29:59Z")
    assert str(before) == f"[2005-10-29T02:30:00Z, {first})"


def test_a_wall_clock_shows_whole_microseconds() -> None:
    """Rounded down, before the epoch too; UTC has one zone, however it is spelled."""
    for name in ("UTC", "utc", " z ", "Z"):
        assert load_zone(name) == ("UTC", dt.UTC)
    for time_ns, microsecond in ((1_999, 1), (-1, 999_999), (-1_000, 999_999)):
        assert wall_time(time_ns, dt.UTC).microsecond == microsecond


def test_a_jump_is_on_a_whole_second() -> None:
    """A fraction of a skipped second is skipped with it."""
    berlin = load_zone("Europe/Berlin")[1]
    skipped = dt.datetime(2026, 3, 29, 2, 30, 0, 500_000)
    assert first_instant(skipped, berlin) == to_ns("2026-03-29T01:00:00Z")


def test_the_zone_of_the_machine_plays_no_part(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wherever it stands."""
    berlin = load_zone("Europe/Berlin")[1]
    at = to_ns("2026-03-29T01:00:00Z")
    monkeypatch.setenv("TZ", "Asia/Kathmandu")
    time.tzset()
    try:
        assert wall_time(at, berlin) == dt.datetime(2026, 3, 29, 3)
        assert first_instant(dt.datetime(2026, 3, 29, 2, 30), berlin) == at
    finally:
        monkeypatch.undo()
        time.tzset()


def test_quarters_that_do_not_fit_into_a_year_need_an_anchor() -> None:
    """Two and four do, three do not; OpenSLO's words are a number and a unit."""
    for every in (2, 4):
        assert Calendar("quarter", every=every).every == every
    with pytest.raises(InvalidWindowError, match="a period of 3 quarters needs to know"):
        Calendar("quarter", every=3)
    for wrong in ("", "monthly", "1x", "1 1d"):
        with pytest.raises(InvalidWindowError, match="is not a calendar window; write a number"):
            Calendar.from_openslo(wrong)
