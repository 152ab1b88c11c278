"""
Numbers as people read them: the one place where anything is rounded.

A rounded figure never stands on another side of a decision than the exact one. Digits are added
until it does not, and where even six more would, the line itself is shown with `>` or `<`: a burn
rate just above its threshold reads ">14.4", a budget overspent by a hair reads "<0%". What is
not known reads "-".
"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from math import isinf, isnan

from errorbudget.durations import DAY_NS, HOUR_NS, MINUTE_NS, SECOND_NS, format_duration
from errorbudget.times import format_time

__all__ = [
    "NOTHING",
    "Figure",
    "count",
    "decimal",
    "instant",
    "length",
    "percent",
    "printable",
    "rate",
    "seconds",
]

NOTHING = "-"
"""How a figure without data reads."""

Figure = Fraction | float | int | None

_MORE_DIGITS = 6
_NONE, _EVEN, _ALL = Fraction(0), Fraction(1), Fraction(100)


# In integers, as a long table has millions of figures and fractions take several times longer.
def _ratio(value: Fraction | float) -> tuple[int, int]:
    top, bottom = (value if type(value) is float else Fraction(value)).as_integer_ratio()
    return int(top), int(bottom)


def _side(top: int, bottom: int, line: Fraction) -> int:
    left, right = top * line.denominator, line.numerator * bottom
    return (left > right) - (left < right)


def _nearest(top: int, bottom: int) -> int:
    whole, rest = divmod(top, bottom)
    return whole + (2 * rest > bottom or (2 * rest == bottom and whole % 2 == 1))


def _written(scaled: int, places: int, *, trim: bool) -> str:
    whole, part = divmod(abs(scaled), 10**places)
    text = f"{whole:,}"
    if places:
        text += f".{part:0{places}d}"
        if trim:
            text = text.rstrip("0").rstrip(".")
    return f"-{text}" if scaled < 0 else text


def _shown(
    top: int, bottom: int, places: int, lines: Iterable[Fraction], unit: str, *, trim: bool
) -> str:
    """*top* / *bottom* as `decimal` writes it."""
    sides = [(line, _side(top, bottom, line)) for line in lines]
    crossed: tuple[Fraction, int] | None = None
    for digits in range(places, places + _MORE_DIGITS + 1):
        scale = 10**digits
        scaled = _nearest(top * scale, bottom)
        crossed = next((pair for pair in sides if _side(scaled, scale, pair[0]) != pair[1]), None)
        if crossed is None:
            return _written(scaled, digits, trim=trim) + unit
    assert crossed is not None  # noqa: S101 - the loop ended because one was crossed
    line, side = crossed
    sign = {1: ">", -1: "<", 0: ""}[side]
    near = _nearest(line.numerator * 10**places, line.denominator)
    return f"{sign}{_written(near, places, trim=True)}{unit}"


def decimal(
    value: Figure,
    places: int = 2,
    *,
    lines: Iterable[Fraction] = (),
    unit: str = "",
    trim: bool = True,
) -> str:
    """
    A number with about *places* decimals, on the right side of every one of *lines*.

    Args:
        value: The exact figure; None and NaN mean that there is none.
        places: Decimals to begin with.
        lines: Boundaries of decisions: thresholds, targets, 0.
        unit: What follows the number.
        trim: Whether zeros at the end are left out.

    Example:
        >>> decimal(Fraction(1444, 100), 1, lines=[Fraction(72, 5)]), decimal(Fraction(72, 5), 1)
        ('14.44', '14.4')
        >>> decimal(Fraction(72, 5) + Fraction(1, 10**12), 1, lines=[Fraction(72, 5)])
        '>14.4'
    """
    if value is None or (isinstance(value, float) and isnan(value)):
        return NOTHING
    if isinstance(value, float) and isinf(value):
        return str(float(value))
    return _shown(*_ratio(value), places, lines, unit, trim=trim)


def percent(
    ratio: Figure, places: int = 2, *, lines: Iterable[Fraction] = (), trim: bool = False
) -> str:
    """
    A share in percent; 0 and 100 % are said of nothing but 0 and 100 %.

    Example:
        >>> percent(Fraction(9_999_999, 10_000_000)), percent(0.5), percent(1), percent(None)
        ('99.99999%', '50.00%', '100%', '-')
    """
    if ratio is None or (isinstance(ratio, float) and (isnan(ratio) or isinf(ratio))):
        return decimal(ratio)
    if ratio in (0, 1):
        return "100%" if ratio else "0%"
    top, bottom = _ratio(ratio)
    marks = [*(Fraction(line) * 100 for line in lines), _NONE, _ALL]
    return _shown(100 * top, bottom, places, marks, "%", trim=trim)


def rate(value: Figure, *, lines: Iterable[Fraction] = ()) -> str:
    """
    A burn rate; on the right side of 0, of 1 (an even spend) and of *lines*.

    Example:
        >>> rate(Fraction(9999, 10_000)), rate(0), rate(float("inf"))
        ('0.9999', '0', 'inf')
    """
    small = value is None or -100 < value < 100
    return decimal(value, 2 if small else 0, lines=[*lines, _NONE, _EVEN])


def count(value: Figure) -> str:
    """
    A number of events; parts of an event with one decimal, on the right side of 0.

    Example:
        >>> count(1_234_567), count(Fraction(9, 2)), count(-3), count(None)
        ('1,234,567', '4.5', '-3', '-')
    """
    return decimal(value, 1, lines=[_NONE])


def seconds(value: Figure, places: int = 1) -> str:
    """
    A length of time in one unit, from milliseconds to days.

    Example:
        >>> seconds(2592), seconds(-3.6), seconds(0.0425), seconds(0), seconds(1_000_000)
        ('43.2 min', '-3.6 s', '42.5 ms', '0 s', '11.6 d')
    """
    if value is None or (isinstance(value, float) and (isnan(value) or isinf(value))):
        return decimal(value)
    size = abs(Fraction(value))
    for bound, divisor, unit in (
        (1, Fraction(1, 1000), "ms"),
        (120, Fraction(1), "s"),
        (7_200, Fraction(60), "min"),
        (172_800, Fraction(3_600), "h"),
    ):
        if size < bound and (size or unit == "s"):
            return decimal(Fraction(value) / divisor, places, lines=[Fraction(0)], unit=f" {unit}")
    return decimal(Fraction(value) / 86_400, places, unit=" d")


def printable(text: str) -> str:
    r"""
    A name or sentence on one line, with nothing in it that would steer a terminal.

    Example:
        >>> print(printable("red \x1b[31m\nline"))
        red \x1b[31m line
    """
    return "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in " ".join(text.split()))


def length(length_ns: int) -> str:
    """
    How long a stretch is, by its two largest units.

    Example:
        >>> length(30 * DAY_NS), length(90 * MINUTE_NS + 5), length(3 * DAY_NS + 11 * HOUR_NS + 7)
        ('30d', '1h30m', '3d11h')
    """
    grain = 1
    for size, finer in ((DAY_NS, HOUR_NS), (HOUR_NS, MINUTE_NS), (MINUTE_NS, SECOND_NS)):
        if length_ns >= size:
            grain = finer
            break
    return format_duration(length_ns // grain * grain)


def instant(time_ns: int) -> str:
    """
    An instant in UTC, whole seconds, with a space for the eye.

    Example:
        >>> instant(1_500_000_000)
        '1970-01-01 00:00:01Z'
    """
    return format_time(time_ns // SECOND_NS * SECOND_NS).replace("T", " ")
