"""Targets are exact, whichever way they are written."""

from __future__ import annotations

import copy
import pickle
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from errorbudget import Target
from errorbudget.errors import InvalidTargetError
from errorbudget.target import format_percent

ratios = st.fractions(min_value=0, max_value=1, max_denominator=10**9).filter(bool)


@given(ratios)
def test_ratio_and_error_make_one(ratio: Fraction) -> None:
    """What must be good and what may be bad is everything; text, repr and copies mean the same."""
    target = Target(ratio)
    assert target.ratio == ratio
    assert target.ratio + target.error == 1
    assert Target(str(target)) == Target(target) == target == eval(repr(target))
    assert pickle.loads(pickle.dumps(target)) == copy.deepcopy(target) == target
    assert hash(target) == hash(Target(ratio))
    assert float(target) == float(ratio)
    if target.error < 1:
        assert Target.from_error(target.error) == target


@given(ratios, ratios)
def test_targets_are_ordered_by_their_ratio(a: Fraction, b: Fraction) -> None:
    """A stricter target is the greater one."""
    assert (Target(a) < Target(b)) == (a < b)
    assert (Target(a) == Target(b)) == (a == b)


@pytest.mark.parametrize(
    "value", ["99.9%", "99.9 %", "0.999", 0.999, Decimal("0.999"), Fraction(999, 1000), "999/1000"]
)
def test_one_target_in_many_clothes(value: object) -> None:
    """All mean 999/1000."""
    assert Target(value).error == Fraction(1, 1000)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (99.9, 'for percent write "99.9%"'),
        (2, 'for percent write "2%"'),
        ("150%", "at most 1"),
        (0, "greater than 0"),
        ("0%", "greater than 0"),
        (-0.5, "greater than 0"),
        ("abc", "such as"),
        ("", "such as"),
        (None, "such as"),
        (True, "such as"),
        (float("nan"), "such as"),
        ([0.9], "such as"),
        (1 - Fraction(1, 10**101), "one bad event in"),
    ],
)
def test_what_is_no_target(value: object, message: str) -> None:
    """Each is refused with what came and what fits."""
    with pytest.raises(InvalidTargetError, match=message):
        Target(value)


def test_a_number_that_python_does_not_write() -> None:
    """The message says so, instead of an error about the message."""
    with pytest.raises(InvalidTargetError, match="an integer of thousands of digits"):
        Target(10**5_000)


def test_targets_are_frozen() -> None:
    """A target changes for nobody."""
    target = Target("99.9%")
    with pytest.raises(AttributeError, match="frozen"):
        target.ratio = Fraction(1)
    with pytest.raises(AttributeError, match="frozen"):
        del target.ratio
    assert target != 0.999
    with pytest.raises(TypeError):
        assert target < 0.999


def test_allowed_errors_of_everything_are_no_target() -> None:
    """An error rate of 100 % allows everything; of 0 it is a target of 100 %."""
    with pytest.raises(InvalidTargetError, match="under 1"):
        Target.from_error("100%")
    assert Target.from_error(0) == Target("100%")


@pytest.mark.parametrize(
    ("ratio", "text"),
    [
        ("0", "0%"),
        ("1", "100%"),
        ("-1/8", "-12.5%"),
        ("1/3", "1/3"),
        ("1/100000", "0.001%"),
        ("1/3125", "0.032%"),
        (f"1/{10**30}", f"0.{'0' * 27}1%"),
        (f"1/{5**30}", f"0.{2**30 * 100:030}%".replace("00%", "%")),
    ],
)
def test_percent_is_never_rounded(ratio: str, text: str) -> None:
    """Where percent would need rounding, the fraction is shown."""
    assert format_percent(Fraction(ratio)) == text


def test_the_cure_fits_what_came() -> None:
    """A sign is missing from a number up to 100, and from no other."""
    for value, cured in ((100, True), ("1.5", True), (101, False), (0, False), ("150% ", False)):
        with pytest.raises(InvalidTargetError) as caught:
            Target(value)
        assert (f'for percent write "{value}%"' in str(caught.value)) == cured
        assert ("for percent" in str(caught.value)) == cured


def test_a_target_of_a_target_is_as_exact() -> None:
    """Whatever its digits."""
    strict = Target(1 - Fraction(1, 10**100))
    assert Target(strict).error == strict.error == Fraction(1, 10**100)
