"""How much failure a target allows, and the other way round."""

from __future__ import annotations

import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from errorbudget.allowances import (
    NINES,
    PERIODS,
    allowance,
    guide_table,
    nines,
    nines_table,
    target_for,
)
from errorbudget.durations import DAY_NS, format_duration
from errorbudget.errors import InvalidInputError, InvalidWindowError
from errorbudget.target import Target
from errorbudget.windows import Calendar, Rolling

targets = st.fractions(min_value=Fraction(1, 10**6), max_value=1, max_denominator=10**6).map(Target)
lengths = st.integers(1, 400 * DAY_NS)
rates = st.fractions(min_value=0, max_value=10**7, max_denominator=10**4)


@given(targets, lengths, rates)
def test_the_allowed_share_is_the_same_in_time_and_in_events(
    target: Target, length: int, rate: Fraction
) -> None:
    """Downtime over length, and bad over all events, are both exactly 1 - target."""
    found = allowance(target, window=Rolling.from_ns(length), rate=rate)
    for row in found.rows():
        assert row.downtime_s * 10**9 == target.error * row.length_ns
        assert row.total is not None
        assert row.events == target.error * row.total
        assert row.total == rate * row.length_ns / 10**9
        whole = row.whole_events
        assert whole is not None
        assert whole <= row.events < whole + 1


@given(targets, lengths, lengths)
def test_allowances_add_up_over_time(target: Target, one: int, other: int) -> None:
    """Two periods allow what one of both lengths allows."""
    found = allowance(target)
    parts = [found.per(format_duration(length)).downtime_s for length in (one, other)]
    assert sum(parts) == found.per(format_duration(one + other)).downtime_s


@given(targets, targets, lengths)
def test_a_stricter_target_never_allows_more(one: Target, other: Target, length: int) -> None:
    """In time, and in nines."""
    low, high = sorted((one, other))
    window = Rolling.from_ns(length)
    low_s, high_s = (
        allowance(target, window=window).per("window").downtime_s for target in (low, high)
    )
    assert low_s >= high_s
    assert nines(low) <= nines(high) + 1e-9


@given(st.data(), st.integers(2, 400 * DAY_NS))
def test_the_inverse_gives_the_downtime_back(data: st.DataObject, period: int) -> None:
    """The target for so much downtime allows exactly that."""
    downtime = data.draw(st.integers(1, period - 1))
    target = target_for(format_duration(downtime), per=format_duration(period))
    back = allowance(target, window=Rolling.from_ns(period)).per("window").downtime_s
    assert back * 10**9 == downtime


@given(st.fractions(min_value=0, max_value=10**6), st.sampled_from((("s", 1), ("day", 86_400))))
def test_a_rate_reads_the_same_as_text(number: Fraction, unit: tuple[str, int]) -> None:
    """A number is events per second; text names its period."""
    decimal = round(float(number), 6)
    text = allowance("99%", rate=f"{decimal:.6f}/{unit[0]}").rate
    assert text == Fraction(f"{decimal:.6f}") / unit[1]


def test_the_guide_with_every_figure_right() -> None:
    """Month, day and hour of its four rows; the guide says 2.4, 0.72, 24 and 2.4 s an hour."""
    seconds = [
        [row.per(period).downtime_s for period in ("month", "day", "hour")] for row in guide_table()
    ]
    assert seconds == [
        [2_592, Fraction("86.4"), Fraction("3.6")],
        [1_296, Fraction("43.2"), Fraction("1.8")],
        [25_920, 864, 36],
        [2_592, Fraction("86.4"), Fraction("3.6")],
    ]


def test_the_nines_are_whole() -> None:
    """A nine is a nine, not 2.9999999999999996."""
    whole = {str(row.target): row.nines for row in nines_table()}
    assert [whole[text] for text in ("90%", "99%", "99.9%", "99.99%", "99.999%", "99.9999%")] == [
        *(1, 2, 3, 4, 5, 6)
    ]
    assert whole["99.95%"] == pytest.approx(3.30103)
    assert nines("100%") == math.inf
    assert [row.target for row in nines_table()] == sorted(NINES)


@pytest.mark.parametrize(
    ("target", "window_s", "budget_s"),
    [
        ("99.95%", 2_628_000, 1_314),  # AWS Application Signals: a month of 30.4167 days
        ("99.9%", 7 * 86_400, Fraction("604.8")),
        ("99.999%", 365 * 86_400, Fraction("315.36")),  # SRE, appendix A: 5.26 minutes
        ("100%", 86_400, 0),
    ],
)
def test_published_budgets(target: str, window_s: int, budget_s: Fraction) -> None:
    """Figures that others print."""
    window = Rolling.from_ns(window_s * 10**9)
    assert allowance(target, window=window).per("window").downtime_s == budget_s


def test_events_follow_the_rate() -> None:
    """Workbook: ten requests an hour at 99.9 % allow seven failures a month, 7.2 exactly."""
    row = allowance("99.9%", rate="10/h").per("month")
    assert row.events == Fraction("7.2")
    assert row.whole_events == 7
    assert allowance("99.9%").per("month").events is None
    assert allowance("99.9%").per("month").whole_events is None
    assert allowance("99%", rate=0.1).rate == Fraction(1, 10)
    assert allowance("99%", rate="24,000 per day").per("day").total == 24_000


def test_a_calendar_window_is_as_long_as_its_period() -> None:
    """March in New York has 743 hours, and allows by them; without a day there is no answer."""
    window = Calendar("month", zone="America/New_York")
    march = allowance("99.9%", window=window, at="2026-03-15T00:00:00Z")
    assert march.per("window").downtime_s == Fraction(743 * 3_600, 1_000)
    with pytest.raises(InvalidWindowError, match="give at"):
        allowance("99.9%", window="month")


def test_rows_are_the_window_and_every_period() -> None:
    """In a fixed order, so that tables line up."""
    assert [row.period for row in allowance("99.9%").rows()] == ["window", *PERIODS]


@pytest.mark.parametrize(
    ("rate", "cure"),
    [
        ("fast", "1000/s"),
        ("10/fortnite", "fortnite"),
        (True, "1000/s"),
        (None, None),
        (float("nan"), "finite"),
        (float("inf"), "finite"),
        (-1, "negative"),
    ],
)
def test_wrong_rates_say_how_to_write_them(rate: float, cure: str | None) -> None:
    """What came, and the cure."""
    if cure is None:
        assert allowance("99%", rate=rate).rate is None
        return
    with pytest.raises(InvalidInputError, match=cure):
        allowance("99%", rate=rate)


def test_downtime_must_leave_something() -> None:
    """A target of 0 is none."""
    with pytest.raises(InvalidInputError, match="shorter than its period"):
        target_for("1h", per="1h")
    with pytest.raises(InvalidInputError, match="fortnight"):
        allowance("99%").per("fortnight")


def test_the_nines_of_another_window() -> None:
    """Window, rate and instant are those that were asked for."""
    rows = nines_table(window="7d", rate="1/s", at=0)
    assert {row.window for row in rows} == {Rolling("7d")}
    assert rows[0].per("window").events == Fraction(7 * 86_400, 10)
    march = nines_table(window=Calendar("month"), at="2026-03-15T00:00:00Z")
    assert march[0].per("window").downtime_s == Fraction(31 * 8_640)
