"""Rounding: close to the figure, and never on the other side of a decision."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from errorbudget.durations import DAY_NS, HOUR_NS, MINUTE_NS, SECOND_NS, parse_duration
from errorbudget.figures import count, decimal, instant, length, percent, printable, rate, seconds

NUMBERS = st.fractions(-1_000, 1_000, max_denominator=10**9)
LINES = st.lists(
    st.integers(-200, 200).map(lambda n: Fraction(n, 5)), max_size=4
)  # representable with one decimal


def read(text: str) -> Fraction:
    """The number that a figure shows, its sign and unit left out."""
    return Fraction(text.lstrip("<>").rstrip("%").replace(",", ""))


def side(value: Fraction, line: Fraction) -> int:
    return (value > line) - (value < line)


@given(NUMBERS, LINES, st.integers(1, 4))
def test_a_figure_stays_on_its_side_of_every_line(
    value: Fraction, lines: list[Fraction], places: int
) -> None:
    """What is shown lies above, on or below each line as the exact value does, or says so."""
    text = decimal(value, places, lines=lines)
    shown = read(text)
    if text[0] in "<>":
        assert shown in lines
        assert (value > shown) if text[0] == ">" else (value < shown)
        assert abs(value - shown) < Fraction(1, 10**places)
    else:
        assert all(side(shown, line) == side(value, line) for line in lines)
        assert abs(shown - value) <= Fraction(1, 2 * 10**places)


@given(NUMBERS)
def test_without_lines_a_figure_is_the_nearest(value: Fraction) -> None:
    """No other number of two decimals is closer."""
    assert abs(read(decimal(value, 2)) - value) <= Fraction(1, 200)


@given(st.fractions(0, 1, max_denominator=10**15))
def test_nothing_but_all_is_a_hundred_percent(share: Fraction) -> None:
    """100 % is said of 1 alone, and 0 % of 0 alone."""
    text = percent(share)
    assert (text == "100%") == (share == 1)
    assert (text == "0%") == (share == 0)


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        (lambda: rate(Fraction(1444, 100), lines=[Fraction(72, 5)]), "14.44"),
        (lambda: rate(Fraction(14_4001, 10_000), lines=[Fraction(72, 5)]), "14.4001"),
        (lambda: rate(Fraction(72, 5) + Fraction(1, 10**30), lines=[Fraction(72, 5)]), ">14.4"),
        (lambda: rate(Fraction(72, 5), lines=[Fraction(72, 5)]), "14.4"),
        (lambda: rate(14.399999999999999, lines=[Fraction(72, 5)]), "<14.4"),
        (lambda: percent(Fraction(9999996, 10**7), 2), "99.99996%"),
        (lambda: percent(Fraction(-469, 10**14), 1), "<0%"),
        (lambda: percent(0, 1), "0%"),
        (lambda: percent(Fraction(1, 3), 1), "33.3%"),
        (lambda: percent(-81.9, 1), "-8,190.0%"),
        (lambda: percent(None), "-"),
        (lambda: percent(float("nan")), "-"),
        (lambda: percent(float("-inf")), "-inf"),
        (lambda: percent(float("inf")), "inf"),
        (lambda: percent(1), "100%"),
        (lambda: percent(Fraction(1, 2)), "50.00%"),
        (lambda: percent(Fraction(1, 2), trim=True), "50%"),
        (lambda: percent(Fraction(1, 10**15)), ">0%"),
        (lambda: percent(1 - Fraction(1, 10**15)), "<100%"),
        (lambda: decimal(Fraction(1, 8)), "0.12"),
        (lambda: decimal(Fraction(3, 8)), "0.38"),
        (lambda: decimal(Fraction(1, 3), unit=" d"), "0.33 d"),
        (lambda: decimal(Fraction(5, 2), 0), "2"),
        (lambda: decimal(Fraction(7, 2), 0), "4"),
        (lambda: decimal(Fraction(-3, 2), 0), "-2"),
        (lambda: decimal(30, 0), "30"),
        (lambda: rate(Fraction(1, 3)), "0.33"),
        (
            lambda: rate(Fraction(72, 5) + Fraction(1, 10**8), lines=[Fraction(72, 5)]),
            "14.40000001",
        ),
        (lambda: rate(Fraction(72, 5) + Fraction(4, 10**9), lines=[Fraction(72, 5)]), ">14.4"),
        (lambda: percent(Fraction(500_001, 10**6), lines=[Fraction(1, 2)]), "50.0001%"),
        (lambda: seconds(Fraction(9, 10)), "900 ms"),
        (lambda: seconds(36_000, 3), "10 h"),
        (lambda: seconds(864_000, 4), "10 d"),
        (lambda: length(3), "3ns"),
        (lambda: decimal(Fraction(-1, 1000)), "0"),
        (lambda: decimal(Fraction(3, 2), 2, trim=False), "1.50"),
        (lambda: decimal(float("inf")), "inf"),
        (lambda: decimal(float("-inf")), "-inf"),
        (lambda: rate(None), "-"),
        (lambda: rate(Fraction(9999, 100)), "99.99"),
        (lambda: rate(Fraction(-9999, 100)), "-99.99"),
        (lambda: rate(Fraction(10_049, 100)), "100"),
        (lambda: rate(Fraction(-10_049, 100)), "-100"),
        (lambda: rate(Fraction(1_001, 10)), "100"),
        (lambda: rate(Fraction(1, 1000)), "0.001"),
        (lambda: rate(Fraction(1_001, 1000)), "1.001"),
        (lambda: count(Fraction(9, 2)), "4.5"),
        (lambda: count(Fraction(5, 4)), "1.2"),
        (lambda: seconds(0), "0 s"),
        (lambda: seconds(float("nan")), "-"),
        (lambda: seconds(0.0425), "42.5 ms"),
        (lambda: seconds(Fraction(1, 10**6)), "0.001 ms"),
        (lambda: seconds(1), "1 s"),
        (lambda: seconds(-119), "-119 s"),
        (lambda: seconds(120), "2 min"),
        (lambda: seconds(7_199), "120 min"),
        (lambda: seconds(7_200), "2 h"),
        (lambda: seconds(172_799), "48 h"),
        (lambda: seconds(172_800), "2 d"),
        (lambda: seconds(1_000_000, 3), "11.574 d"),
        (lambda: instant(1_999_999_999), "1970-01-01 00:00:01Z"),
        (lambda: length(DAY_NS), "1d"),
        (lambda: length(DAY_NS + 5 * MINUTE_NS), "1d"),
        (lambda: length(HOUR_NS), "1h"),
        (lambda: length(HOUR_NS + 61 * SECOND_NS), "1h1m"),
        (lambda: length(MINUTE_NS), "1m"),
        (lambda: length(MINUTE_NS + 1_500_000_000), "1m1s"),
        (lambda: printable("a \x1b[31m\n b"), "a \\x1b[31m b"),
        (lambda: rate(0), "0"),
        (lambda: rate(1_234.56), "1,235"),
        (lambda: rate(Fraction(99_996, 100_000)), "0.99996"),
        (lambda: count(Fraction(1, 1000)), "0.001"),
        (lambda: count(0), "0"),
        (lambda: count(1_234_567), "1,234,567"),
        (lambda: seconds(2_592), "43.2 min"),
        (lambda: seconds(-0.0005), "-0.5 ms"),
        (lambda: seconds(None), "-"),
        (lambda: seconds(float("inf")), "inf"),
        (lambda: instant(0), "1970-01-01 00:00:00Z"),
        (lambda: length(parse_duration("29d23h59m")), "29d23h"),
        (lambda: length(parse_duration("400ms")), "400ms"),
    ],
)
def test_examples(shown: Callable[[], str], expected: str) -> None:
    """Figures that people have been misled by."""
    assert shown() == expected


@given(st.floats(allow_nan=True, allow_infinity=True))
def test_every_float_has_a_face(value: float) -> None:
    """No figure fails to print, and none prints in powers of ten."""
    for text in (decimal(value), percent(value), rate(value), count(value), seconds(value)):
        assert text
        assert "e-" not in text
        assert "e+" not in text


def test_ties_are_rounded_to_even_on_either_side_of_nothing() -> None:
    """And nothing is neither."""
    for value, shown in ((Fraction(5, 1000), "0"), (Fraction(15, 1000), "0.02"), (0, "0")):
        assert decimal(value) == shown
        assert decimal(-value) == (f"-{shown}" if shown != "0" else "0")
    assert (decimal(-2.5, 0), decimal(-3.5, 0), decimal(-2.51, 0)) == ("-2", "-4", "-3")
    assert decimal(Fraction(-1, 1000)) == "0"
    assert (decimal(1.05, 3, trim=False), decimal(-1234.5)) == ("1.050", "-1,234.5")
    assert (decimal(5, 0, trim=False), decimal(5, 2, trim=False)) == ("5", "5.00")
    assert (decimal(float("inf")), decimal(float("-inf"))) == ("inf", "-inf")


def test_figures_of_numpy_are_figures() -> None:
    """Its integers have no ratio of their own."""
    assert (decimal(np.int64(5)), decimal(np.float64(2.5)), count(np.int64(1_000))) == (
        *("5", "2.5"),
        "1,000",
    )
    assert percent(np.float64(0.5)) == "50.00%"
    assert (percent(np.float64(1)), decimal(np.float64("inf"))) == ("100%", "inf")
