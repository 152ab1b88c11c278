"""
Numbers as people write them, kept exactly: "99.9%", "0.001", "2/3", 14.4.

A float counts as it is written, by its shortest repr, so 0.999 is 999/1000 and not the binary
fraction next to it.
"""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from fractions import Fraction
from numbers import Integral

__all__ = ["is_whole", "parse_rational", "shown"]

_MOST_SHOWN = 80
_MOST_DIGITS = 400  # beyond, working a number out costs more than any figure is worth


def is_whole(value: object) -> bool:
    """
    Whether *value* is a whole number.

    Yes and no are none, and neither are numpy's spans of time, which pass for integers: of a year
    `int` makes 1.
    """
    kind = getattr(getattr(value, "dtype", None), "kind", "i")
    return isinstance(value, Integral) and not isinstance(value, bool) and kind in "iu"


def shown(value: object) -> str:
    """A value as a message shows it; Python refuses to write integers of thousands of digits."""
    try:
        text = repr(value)
    except ValueError:
        return "an integer of thousands of digits"
    text = " ".join(text.split("\n"))
    return text if len(text) <= _MOST_SHOWN else text[: _MOST_SHOWN - 3] + "..."


def parse_rational(value: object) -> Fraction:
    """
    The exact number that *value* stands for.

    Args:
        value: A `Fraction`, integer, float or `Decimal`, or text: `"0.001"`, `"2/3"`, `"99.9%"`.

    Raises:
        ValueError: It is no finite number; callers say what was asked for.

    Example:
        >>> parse_rational("99.9%"), parse_rational(0.1)
        (Fraction(999, 1000), Fraction(1, 10))
    """
    if isinstance(value, Fraction):
        return value
    text = str(value).strip()  # True and None are no numbers as text either
    number = text.removesuffix("%").strip()
    parts = number.split("/")
    if len(number) > _MOST_DIGITS or len(parts) > 2:
        raise ValueError(f"{value!r} is not a number")
    try:
        decimals = [Decimal(part) for part in parts]
    except InvalidOperation:
        raise ValueError(f"{value!r} is not a number") from None
    if any(not part.is_finite() or abs(part.adjusted()) > _MOST_DIGITS for part in decimals):
        raise ValueError(f"{value!r} is not a finite number")
    top, bottom = Fraction(decimals[0]), Fraction(decimals[1]) if len(parts) == 2 else Fraction(1)
    if not bottom:
        raise ValueError(f"{value!r} divides by zero")
    return top / bottom / (100 if text.endswith("%") else 1)
