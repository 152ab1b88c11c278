"""Conditions on columns of numbers: compared with a bound, or themselves a yes or no."""

from __future__ import annotations

import numbers
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from operator import ge, gt, le, lt
from typing import TYPE_CHECKING, Any

from errorbudget.durations import SECOND_NS, format_duration, parse_duration
from errorbudget.errors import InvalidDurationError, InvalidPredicateError
from errorbudget.predicates.combining import Predicate
from errorbudget.predicates.values import is_missing, named
from errorbudget.rationals import parse_rational, shown

__all__ = ["Flag", "Number", "duration", "number"]


def _bound(column: str, bound: Any) -> Fraction:
    try:
        return parse_rational(bound)
    except ValueError:
        try:
            return Fraction(parse_duration(bound), SECOND_NS)
        except InvalidDurationError as error:
            raise InvalidPredicateError(f"cannot compare {column}: {error}") from None


_COMPARE: dict[str, Callable[[Any, Any], bool]] = {"<=": le, "<": lt, ">=": ge, ">": gt}


@dataclass(frozen=True, slots=True, repr=False)
class Number(Predicate):
    """
    A numeric column compared with a bound.

    Args:
        column: Name of the column, such as `duration_s`.
        op: One of `<=`, `<`, `>=`, `>`.
        bound: What to compare with, in the column's unit.
    """

    column: str
    op: str
    bound: Fraction
    _edge: float = field(init=False, compare=False)

    if TYPE_CHECKING:

        def __init__(self, column: str, op: str, bound: Fraction | float | str) -> None: ...

    def __post_init__(self) -> None:
        if self.op not in _COMPARE:
            raise InvalidPredicateError(f'"{self.op}" is not a comparison; use <=, <, >= or >')
        object.__setattr__(self, "bound", _bound(named("number", self.column), self.bound))
        object.__setattr__(self, "_edge", float(self.bound))

    def matches(self, event: Mapping[str, Any]) -> bool | None:
        value: Any = event.get(self.column)
        if type(value) is float and value == value:
            return _COMPARE[self.op](value, self._edge)
        if is_missing(value):
            return None
        if not isinstance(value, (numbers.Real, Decimal)):
            raise InvalidPredicateError(f"{self.column} must be a number, got {shown(value)}")
        # Columns hold the nearest float of what was logged: the bound is rounded the same way,
        # so that a logged 0.2 is not above a bound of 200 ms.
        return _COMPARE[self.op](float(value), self._edge)

    @property
    def columns(self) -> frozenset[str]:
        return frozenset((self.column,))

    def to_dict(self) -> dict[str, Any]:
        return {"number": self.column, "op": self.op, "bound": str(self.bound)}

    @property
    def bound_text(self) -> str:
        """The bound as it is written: a duration where the column is in seconds."""
        in_ns = self.bound * SECOND_NS
        if self.column.endswith("_s") and in_ns > 0 and in_ns.denominator == 1:
            return format_duration(int(in_ns))
        decimal = str(float(self.bound))
        return decimal if Fraction(decimal) == self.bound != int(self.bound) else str(self.bound)

    def __str__(self) -> str:
        return f"{self.column.removesuffix('_s')} {self.op} {self.bound_text}"

    def __repr__(self) -> str:
        return f"(number({self.column!r}) {self.op} {self.bound_text!r})"


class number:  # reads as a word in `number("ttfb_s") <= "100ms"`
    """
    A numeric column to compare: `number("ttfb_s") <= "100ms"`, `number("bytes") > 0`.

    Text with a unit is a duration and means seconds.
    """

    __slots__ = ("column",)
    __hash__ = None  # type: ignore[assignment]  # comparisons build predicates

    def __init__(self, column: str) -> None:
        self.column = named("number", column)

    def _compare(self, op: str, bound: Any) -> Predicate:
        return Number(self.column, op, bound)

    def __le__(self, bound: object) -> Predicate:
        return self._compare("<=", bound)

    def __lt__(self, bound: object) -> Predicate:
        return self._compare("<", bound)

    def __ge__(self, bound: object) -> Predicate:
        return self._compare(">=", bound)

    def __gt__(self, bound: object) -> Predicate:
        return self._compare(">", bound)

    def __eq__(self, other: object) -> bool:
        raise InvalidPredicateError(f"{self.column} has no equality; compare with <= or >=")


duration = number("duration_s")
"""The duration of a request, to compare: `duration <= "200ms"`."""


@dataclass(frozen=True, slots=True, repr=False)
class Flag(Predicate):
    """A yes-or-no column, such as `good` of events that were judged already."""

    column: str = "good"

    def matches(self, event: Mapping[str, Any]) -> bool | None:
        value = event.get(self.column)
        if is_missing(value):
            return None
        if str(value) not in ("True", "False", "0", "1") or isinstance(value, str):
            raise InvalidPredicateError(f"{self.column} must be true or false, got {shown(value)}")
        return bool(value)

    @property
    def columns(self) -> frozenset[str]:
        return frozenset((self.column,))

    def to_dict(self) -> dict[str, Any]:
        return {"flag": self.column}

    def __str__(self) -> str:
        return self.column

    def __repr__(self) -> str:
        return f"Flag({self.column!r})"
