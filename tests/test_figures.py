"""Rounding: close to the figure, and never on the other side of a decision."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from errorbudget.durations import parse_duration
from errorbudget.figures import count, decimal, instant, length, percent, rate, seconds

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
        (rate(Fraction(1444, 100), lines=[Fraction(72, 5)]), "14.44"),
        (rate(Fraction(14_4001, 10_000), lines=[Fraction(72, 5)]), "14.4001"),
        (rate(Fraction(72, 5) + Fraction(1, 10**30), lines=[Fraction(72, 5)]), ">14.4"),
        (rate(Fraction(72, 5), lines=[Fraction(72, 5)]), "14.4"),
        (rate(14.399999999999999, lines=[Fraction(72, 5)]), "<14.4"),
        (percent(Fraction(9999996, 10**7), 2), "99.99996%"),
        (percent(Fraction(-469, 10**14), 1), "<0%"),
        (percent(0, 1), "0%"),
        (percent(Fraction(1, 3), 1), "33.3%"),
        (percent(-81.9, 1), "-8,190.0%"),
        (percent(None), "-"),
        (percent(float("nan")), "-"),
        (percent(float("-inf")), "-inf"),
        (rate(None), "-"),
        (rate(0), "0"),
        (rate(1_234.56), "1,235"),
        (rate(Fraction(99_996, 100_000)), "0.99996"),
        (count(Fraction(1, 1000)), "0.001"),
        (count(0), "0"),
        (count(1_234_567), "1,234,567"),
        (seconds(2_592), "43.2 min"),
        (seconds(-0.0005), "-0.5 ms"),
        (seconds(None), "-"),
        (seconds(float("inf")), "inf"),
        (instant(0), "1970-01-01 00:00:00Z"),
        (length(parse_duration("29d23h59m")), "29d23h"),
        (length(parse_duration("400ms")), "400ms"),
    ],
)
def test_examples(shown: str, expected: str) -> None:
    """Figures that people have been misled by."""
    assert shown == expected


@given(st.floats(allow_nan=True, allow_infinity=True))
def test_every_float_has_a_face(value: float) -> None:
    """No figure fails to print, and none prints in powers of ten."""
    for text in (decimal(value), percent(value), rate(value), count(value), seconds(value)):
        assert text
        assert "e-" not in text
        assert "e+" not in text
