"""What arguments of studies may be, and what is said of those that may not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from fractions import Fraction
from math import inf, isfinite, nan
from numbers import Integral, Real
from typing import Any

from errorbudget.burn import Number
from errorbudget.errors import InvalidInputError
from errorbudget.rationals import is_whole, parse_rational, shown

__all__ = ["chance", "exact", "listed", "number", "whole"]


def chance(name: str, value: float | Fraction | str) -> float:
    """
    A probability strictly between 0 and 1, `"95%"` or 0.95.

    Raises:
        InvalidInputError: It is not.
    """
    try:
        found = float(parse_rational(value))
    except ValueError:
        found = inf
    if not 0 < found < 1:
        raise InvalidInputError(
            f'{name} must lie between 0 and 1, such as "95%", got {shown(value)}'
        )
    return found


def exact(name: str, value: Number) -> Fraction:
    """
    A number of 0 or more, exactly: `"2%"`, 14.4, a fraction.

    Raises:
        InvalidInputError: It is not.
    """
    try:
        found = parse_rational(value)
    except ValueError:
        raise InvalidInputError(f"{name} must be a number, got {shown(value)}") from None
    if found < 0:
        raise InvalidInputError(f"{name} must not be negative, got {shown(value)}")
    return found


def number(
    name: str, value: object, *, least: float = -inf, above: float = -inf, most: float = inf
) -> float:
    """
    A finite number from *least* or above *above* to *most*.

    Raises:
        InvalidInputError: It is not, or no number: yes, no and text are none here.

    Example:
        >>> number("rate", 2, least=0)
        2.0
        >>> number("rate", True, least=0)
        Traceback (most recent call last):
        errorbudget.errors.InvalidInputError: rate must be a finite number of 0 or more, got True
    """
    found = nan
    if is_whole(value) or (isinstance(value, (Real, Decimal)) and not isinstance(value, Integral)):
        try:
            found = float(value)  # type: ignore[arg-type]
        except (OverflowError, ValueError):  # beyond floats; a NaN that signals
            found = nan
    if isfinite(found) and least <= found <= most and found > above:
        return found
    start = f"of {least:g} or more" if isfinite(least) else f"above {above:g}"
    kind, end = ("number", f" and at most {most:g}") if isfinite(most) else ("finite number", "")
    raise InvalidInputError(f"{name} must be a {kind} {start}{end}, got {shown(value)}")


def whole(name: str, value: object, least: int, most: float = inf) -> int:
    """
    A whole number from *least* to *most*.

    Raises:
        InvalidInputError: It is not.
    """
    if is_whole(value) and least <= int(value) <= most:  # type: ignore[call-overload]
        return int(value)  # type: ignore[call-overload, no-any-return]
    end = f" and at most {most:g}" if isfinite(most) else ""
    raise InvalidInputError(
        f"{name} must be a whole number of {least} or more{end}, got {shown(value)}"
    )


def listed(name: str, value: Iterable[Any], such: str) -> list[Any]:
    """
    Several values as a list; a text by itself is one.

    Args:
        name: What the argument is called.
        value: What was handed over.
        such: A list as it might be, for the error.

    Raises:
        InvalidInputError: They are not several.
    """
    if isinstance(value, (str, bytes, Mapping)) or not isinstance(value, Iterable):
        raise InvalidInputError(f"{name} must be a list such as {such}, got {shown(value)}")
    return list(value)
