"""
What every condition can do, and conditions joined: all of them, any of them, not this one.

Answers follow Kleene's three-valued logic: yes, no, or None where it is unknown.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from errorbudget.errors import InvalidPredicateError
from errorbudget.rationals import shown

__all__ = ["EVERYTHING", "All", "Any_", "Everything", "Not", "Predicate", "atoms"]


class Predicate:
    """A condition on one event; combine with `&`, `|` and `~`."""

    __slots__ = ()

    def matches(self, event: Mapping[str, Any]) -> bool | None:
        """
        Whether *event* meets the condition; None when it lacks what the condition asks for.

        Args:
            event: Values by column name: `status`, `duration_s`, `good`, labels, other numbers.
        """
        raise NotImplementedError  # pragma: no cover - abstract

    @property
    def columns(self) -> frozenset[str]:
        """Names of the columns that the condition looks at."""
        raise NotImplementedError  # pragma: no cover - abstract

    def to_dict(self) -> dict[str, Any]:
        """The condition as plain data, read back by `from_dict`."""
        raise NotImplementedError  # pragma: no cover - abstract

    def _denied(self) -> str:
        """The opposite in words."""
        return f"not {self}"

    def __and__(self, other: Predicate) -> Predicate:
        if not isinstance(other, Predicate):
            return NotImplemented
        if isinstance(self, Everything):
            return other
        if isinstance(other, Everything):
            return self
        return All((*_parts(self, All), *_parts(other, All)))

    def __or__(self, other: Predicate) -> Predicate:
        if not isinstance(other, Predicate):
            return NotImplemented
        return Any_((*_parts(self, Any_), *_parts(other, Any_)))

    def __invert__(self) -> Predicate:
        return self.part if isinstance(self, Not) else Not(self)

    def __bool__(self) -> bool:
        raise TypeError("a predicate has no truth of its own; combine with & | ~, not and/or/not")


def _parts(predicate: Predicate, kind: type[All | Any_]) -> tuple[Predicate, ...]:
    return predicate.parts if isinstance(predicate, kind) else (predicate,)


@dataclass(frozen=True, slots=True)
class Everything(Predicate):
    """True for every event."""

    def matches(self, event: Mapping[str, Any]) -> bool | None:
        return True

    @property
    def columns(self) -> frozenset[str]:
        return frozenset()

    def to_dict(self) -> dict[str, Any]:
        return {"everything": True}

    def __str__(self) -> str:
        return "every event"

    def __repr__(self) -> str:
        return "EVERYTHING"


EVERYTHING = Everything()


@dataclass(frozen=True, slots=True, repr=False)
class _Combination(Predicate):
    parts: tuple[Predicate, ...]

    def __post_init__(self) -> None:
        if not self.parts or not all(isinstance(part, Predicate) for part in self.parts):
            raise InvalidPredicateError(
                f"a combination has conditions as its parts, got {shown(self.parts)}"
            )

    @property
    def columns(self) -> frozenset[str]:
        return frozenset().union(*(part.columns for part in self.parts))


@dataclass(frozen=True, slots=True, repr=False)
class All(_Combination):
    """Every part holds."""

    def matches(self, event: Mapping[str, Any]) -> bool | None:
        answers = [part.matches(event) for part in self.parts]
        return False if False in answers else None if None in answers else True

    def to_dict(self) -> dict[str, Any]:
        return {"all": [part.to_dict() for part in self.parts]}

    def __str__(self) -> str:
        return " and ".join(
            f"({part})" if isinstance(part, Any_) else str(part) for part in self.parts
        )

    def __repr__(self) -> str:
        return "(" + " & ".join(map(repr, self.parts)) + ")"


@dataclass(frozen=True, slots=True, repr=False)
class Any_(_Combination):  # `Any` is typing's
    """At least one part holds."""

    def matches(self, event: Mapping[str, Any]) -> bool | None:
        answers = [part.matches(event) for part in self.parts]
        return True if True in answers else None if None in answers else False

    def to_dict(self) -> dict[str, Any]:
        return {"any": [part.to_dict() for part in self.parts]}

    def __str__(self) -> str:
        return " or ".join(
            f"({part})" if isinstance(part, All) else str(part) for part in self.parts
        )

    def __repr__(self) -> str:
        return "(" + " | ".join(map(repr, self.parts)) + ")"


@dataclass(frozen=True, slots=True, repr=False)
class Not(Predicate):
    """The part does not hold; what is unknown stays unknown."""

    part: Predicate

    def matches(self, event: Mapping[str, Any]) -> bool | None:
        answer = self.part.matches(event)
        return None if answer is None else not answer

    @property
    def columns(self) -> frozenset[str]:
        return self.part.columns

    def to_dict(self) -> dict[str, Any]:
        return {"not": self.part.to_dict()}

    def __str__(self) -> str:
        return f"not ({self.part})" if isinstance(self.part, (All, Any_)) else self.part._denied()

    def __repr__(self) -> str:
        return f"~{self.part!r}"


def atoms(predicate: Predicate) -> Iterator[Predicate]:
    """
    The conditions that *predicate* is combined of, from left to right.

    Example:
        >>> from errorbudget.predicates import label, status_in
        >>> list(atoms(label("route").equals("/pay") & ~status_in("5xx")))
        [label('route').isin('/pay'), status_in("5xx")]
    """
    if isinstance(predicate, _Combination):
        for part in predicate.parts:
            yield from atoms(part)
    elif isinstance(predicate, Not):
        yield from atoms(predicate.part)
    else:
        yield predicate
