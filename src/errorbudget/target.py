"""
The exact share of events that must be good.

As floats `1 - 0.999` is not 0.001, and 72 bad in 5,000 burn at 14.399999999999986 instead of 14.4.
A target is therefore a fraction: 99.9 % is 999/1000, whichever way it was written.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from errorbudget.errors import InvalidTargetError
from errorbudget.rationals import parse_rational, shown

__all__ = ["Target", "TargetLike", "format_percent"]

TargetLike = Any
"""A `Target`, or what it reads: `"99.9%"`, `"0.999"`, `0.999`, `Decimal`, `Fraction`."""


_LEAST_ERROR = Fraction(1, 10**100)  # so that every burn rate fits a float


def _fraction(value: object) -> Fraction:
    try:
        return parse_rational(value)
    except ValueError:
        raise InvalidTargetError(
            f'target must be a share such as "99.9%" or 0.999, got {shown(value)}'
        ) from None


class Target:
    """
    The share of events that must be good, kept exactly.

    Args:
        value: `"99.9%"`, `"0.999"`, `0.999`, a `Decimal` or a `Fraction`, in (0, 1].

    Attributes:
        ratio: The share that must be good, in (0, 1].
        error: The share that may be bad, `1 - ratio`, in [0, 1).

    Raises:
        InvalidTargetError: The value cannot be read, or lies outside (0, 1].

    Example:
        >>> Target("99.9%").error
        Fraction(1, 1000)
        >>> Target(0.999) == Target("99.9 %")
        True
    """

    __slots__ = ("error", "ratio")

    ratio: Fraction
    error: Fraction

    def __init__(self, value: TargetLike) -> None:
        if isinstance(value, Target):
            object.__setattr__(self, "ratio", value.ratio)
            object.__setattr__(self, "error", value.error)
            return
        ratio = _fraction(value)
        if not 0 < ratio <= 1:
            bare = 1 < ratio <= 100 and not str(value).rstrip().endswith("%")
            cure = f'; for percent write "{value}%"' if bare else ""
            raise InvalidTargetError(
                f"target must be greater than 0 and at most 1, got {value}{cure}"
            )
        if 0 < 1 - ratio < _LEAST_ERROR:
            raise InvalidTargetError(
                "target must be 100 %, or allow at least one bad event in 10**100"
            )
        object.__setattr__(self, "ratio", ratio)
        object.__setattr__(self, "error", 1 - ratio)

    @classmethod
    def from_error(cls, value: TargetLike) -> Target:
        """
        The target that allows the given share of bad events: "error rate under 1 %" is 99 %.

        Example:
            >>> Target.from_error("1%")
            Target("99%")
        """
        error = _fraction(value)
        if not 0 <= error < 1:
            raise InvalidTargetError(f"allowed errors must be at least 0 and under 1, got {value}")
        return cls(1 - error)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"a Target is frozen; cannot set {name}")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"a Target is frozen; cannot delete {name}")

    def __reduce__(self) -> tuple[type[Target], tuple[Fraction]]:
        return (type(self), (self.ratio,))

    def __eq__(self, other: object) -> bool:
        return self.ratio == other.ratio if isinstance(other, Target) else NotImplemented

    def __hash__(self) -> int:
        return hash((Target, self.ratio))

    def __lt__(self, other: Target) -> bool:
        return self.ratio < other.ratio if isinstance(other, Target) else NotImplemented

    def __float__(self) -> float:
        return float(self.ratio)

    def __str__(self) -> str:
        return format_percent(self.ratio)

    def __repr__(self) -> str:
        return f'Target("{self}")'


def format_percent(ratio: Fraction) -> str:
    """
    An exact share in percent, or as a fraction where percent would need rounding.

    Example:
        >>> format_percent(Fraction(9995, 10_000)), format_percent(Fraction(2, 3))
        ('99.95%', '2/3')
    """
    percent = ratio * 100
    rest = percent.denominator
    twos = fives = 0
    while rest % 2 == 0:
        rest, twos = rest // 2, twos + 1
    while rest % 5 == 0:
        rest, fives = rest // 5, fives + 1
    if rest != 1:
        return f"{ratio.numerator}/{ratio.denominator}"
    places = max(twos, fives)
    digits = str(abs(percent.numerator) * 10**places // percent.denominator).rjust(places + 1, "0")
    whole, decimals = (digits[:-places], "." + digits[-places:]) if places else (digits, "")
    return f"{'-' if percent < 0 else ''}{whole}{decimals}%"
