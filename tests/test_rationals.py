"""Numbers as people write them are read exactly, and never worked out for ever."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from errorbudget.rationals import parse_rational


@given(st.fractions())
def test_fractions_as_they_are_written(number: Fraction) -> None:
    """A fraction, and its text, mean it."""
    assert parse_rational(number) == parse_rational(str(number)) == number


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_floats_count_as_they_are_written(number: float) -> None:
    """0.999 is 999/1000, as its repr says."""
    assert parse_rational(number) == Fraction(repr(number)) == parse_rational(np.float64(number))


@given(
    st.decimals(
        allow_nan=False, allow_infinity=False, places=6, min_value=-(10**9), max_value=10**9
    )
)
def test_decimals_and_percent(number: Decimal) -> None:
    """Percent is a hundredth, exactly."""
    assert parse_rational(number) == Fraction(number)
    assert parse_rational(f"{number} %") == Fraction(number) / 100


@pytest.mark.parametrize(
    "value",
    [
        *("", "%", "abc", "1/0", "1/2/3", "nan", "inf", "-inf", "1e999999999", "9" * 5_000),
        *(None, True, False, float("nan"), float("inf"), b"1", [1], {}, object(), np.array([1])),
    ],
)
def test_what_is_no_number(value: object) -> None:
    """Each is refused at once."""
    with pytest.raises(ValueError, match=r"number|zero"):
        parse_rational(value)


def test_as_many_digits_as_any_figure_needs() -> None:
    """400 of them are read, and up to 10**400, in both halves; a `Fraction` is itself."""
    assert parse_rational("9" * 400) == Fraction(10**400 - 1)
    assert parse_rational("1/1e-400") == parse_rational("1e400") == 10**400
    for beyond in ("9" * 401, "1e401", "1e401/3", "3/1e401", "1e-401"):
        with pytest.raises(ValueError, match="number"):
            parse_rational(beyond)
    assert parse_rational(Fraction(1, 10**500)) == Fraction(1, 10**500)
