"""
Ratio indicators: good events among valid ones.

An indicator is two predicates, *good* and *valid*, however it was written. An event is judged only
when both are known: one without a status has no part in an availability, and is reported as left
out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from fractions import Fraction
from typing import TYPE_CHECKING, Any, ClassVar

from errorbudget.errors import InvalidInputError
from errorbudget.predicates import (
    EVERYTHING,
    Flag,
    Number,
    Predicate,
    PredicateLike,
    as_predicate,
    status_in,
)

if TYPE_CHECKING:
    from errorbudget.durations import DurationLike

__all__ = ["Availability", "ErrorRate", "Latency", "RatioSLI"]


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class RatioSLI:
    """
    Any share of good events among valid ones.

    Args:
        good: Condition on a good event; give this or *bad*. Left out altogether, the events' own
            `good` column is asked.
        bad: Condition on a bad event.
        valid: Condition on an event that takes part at all.
        where: A further condition on taking part, such as `{"route": "/api/.*"}`.
        exclude: Events that never take part, such as intentional failures.

    Raises:
        InvalidInputError: Both *good* and *bad* are given.
        InvalidPredicateError: A condition cannot be read.

    Example:
        >>> api = RatioSLI(bad="5xx", where={"route": "/api/.*"})
        >>> api.classify({"route": "/api/cart", "status": 503}), api.classify({"route": "/"})
        (False, None)
    """

    good: Predicate | None = None
    bad: Predicate | None = None
    valid: Predicate | None = None
    where: Predicate | None = None
    exclude: Predicate | None = None

    kind: ClassVar[str] = "ratio"

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            good: PredicateLike | None = None,
            bad: PredicateLike | None = None,
            valid: PredicateLike | None = None,
            where: PredicateLike | None = None,
            exclude: PredicateLike | None = None,
        ) -> None: ...

    def __post_init__(self) -> None:
        if self.good is not None and self.bad is not None:
            raise InvalidInputError(
                "give either good or bad, as the other follows; to leave events out, "
                "use valid or exclude"
            )
        for name in ("good", "bad", "valid", "where", "exclude"):
            value = getattr(self, name)
            if value is not None:
                object.__setattr__(self, name, as_predicate(value))

    @property
    def good_when(self) -> Predicate:
        """The condition on a good event."""
        if self.good is not None:
            return self.good
        return Flag("good") if self.bad is None else ~self.bad

    @property
    def valid_when(self) -> Predicate:
        """The condition on an event that takes part."""
        condition = EVERYTHING if self.valid is None else self.valid
        if self.where is not None:
            condition &= self.where
        if self.exclude is not None:
            condition &= ~self.exclude
        return condition

    @property
    def columns(self) -> frozenset[str]:
        """Names of the columns that the indicator looks at."""
        return self.good_when.columns | self.valid_when.columns

    def classify(self, event: Mapping[str, Any]) -> bool | None:
        """Whether *event* is good; None when it takes no part, or cannot be told."""
        return self.good_when.matches(event) if self.valid_when.matches(event) else None

    def to_dict(self) -> dict[str, Any]:
        """The indicator as plain data, read back by `sli.from_dict`."""
        data: dict[str, Any] = {"kind": self.kind}
        for item in fields(self):
            value = getattr(self, item.name)
            if value is not None:
                data[item.name] = value.to_dict() if isinstance(value, Predicate) else str(value)
        return data

    def __repr__(self) -> str:
        given = [
            f"{name}={getattr(self, name)!r}"
            for name in ("good", "bad", "valid", "where", "exclude")
            if getattr(self, name) is not None
        ]
        return f"{type(self).__name__}({', '.join(given)})"

    def __str__(self) -> str:
        text = f"bad is {self.bad}" if self.bad is not None else f"good is {self.good_when}"
        return f"{text}; of {self.valid_when}" if self.valid_when is not EVERYTHING else text


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Availability(RatioSLI):
    """
    The share of requests that were served.

    Without *good* or *bad*, a 5xx is bad. The guide's "2xx is good" is `Availability(good="2xx")`,
    which counts redirects and clients' mistakes as failures: rarely what is meant.

    Example:
        >>> (
        ...     Availability().classify({"status": 404}),
        ...     Availability(good="2xx").classify({"status": 404}),
        ... )
        (True, False)
    """

    kind: ClassVar[str] = "availability"

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            good: PredicateLike | None = None,
            bad: PredicateLike | None = None,
            valid: PredicateLike | None = None,
            where: PredicateLike | None = None,
            exclude: PredicateLike | None = None,
        ) -> None: ...

    def __post_init__(self) -> None:
        if self.good is None and self.bad is None:
            object.__setattr__(self, "bad", status_in("5xx"))
        RatioSLI.__post_init__(self)


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class ErrorRate(RatioSLI):
    """
    The share of requests that failed; "under 1 %" is a target of 99 %.

    Without *good* or *bad*, 4xx and 5xx are bad, as in the guide.

    Example:
        >>> ErrorRate().classify({"status": 404})
        False
    """

    kind: ClassVar[str] = "error_rate"

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            good: PredicateLike | None = None,
            bad: PredicateLike | None = None,
            valid: PredicateLike | None = None,
            where: PredicateLike | None = None,
            exclude: PredicateLike | None = None,
        ) -> None: ...

    def __post_init__(self) -> None:
        if self.good is None and self.bad is None:
            object.__setattr__(self, "bad", status_in("4xx|5xx"))
        RatioSLI.__post_init__(self)


def with_unit(value: object, column: str) -> None:
    """
    Refuse a bound without its unit where the column is in seconds.

    A bare 200 would be 200 seconds, and every request fast enough.

    Raises:
        InvalidInputError: It is a plain number.
    """
    plain = isinstance(value, (int, float)) or (
        isinstance(value, str) and value.strip().replace(".", "", 1).isdigit()
    )
    if plain and not isinstance(value, bool) and column.endswith("_s"):
        raise InvalidInputError(
            f'a bound on {column} needs its unit, got {value}; write "{value}ms" or "{value}s"'
        )


def positive(condition: Number) -> Number:
    """
    The condition itself, where its bound is above 0.

    Raises:
        InvalidInputError: It is not.
    """
    if condition.bound <= 0:
        raise InvalidInputError(
            f"a bound on {condition.column} must be greater than 0, got {condition.bound}"
        )
    return condition


@dataclass(frozen=True, slots=True, repr=False)
class Latency(RatioSLI):
    """
    The share of requests that took no longer than a threshold.

    Args:
        threshold: Longest good duration, such as `"200ms"`; a request of exactly that is good.
        column: The numeric column to ask, in seconds.
        valid: Condition on an event that takes part, such as `"2xx"`.
        where: A further condition on taking part.
        exclude: Events that never take part.

    Raises:
        InvalidInputError: *good* or *bad* is given: the threshold decides.

    Example:
        >>> Latency("200ms").classify({"duration_s": 0.2}), Latency("200ms").classify({})
        (True, None)
    """

    threshold: str = ""
    column: str = "duration_s"

    kind: ClassVar[str] = "latency"

    if TYPE_CHECKING:

        def __init__(
            self,
            threshold: DurationLike | float | Fraction,
            *,
            column: str = "duration_s",
            valid: PredicateLike | None = None,
            where: PredicateLike | None = None,
            exclude: PredicateLike | None = None,
        ) -> None: ...

    def __post_init__(self) -> None:
        if self.good is not None or self.bad is not None:
            raise InvalidInputError(
                "the threshold of a latency says what is good; leave out good and bad"
            )
        if isinstance(self.threshold, str) and not self.threshold:
            raise InvalidInputError('a latency needs a threshold, such as "200ms"')
        condition = positive(Number(self.column, "<=", self.threshold))
        with_unit(self.threshold, self.column)
        object.__setattr__(self, "threshold", condition.bound_text)
        RatioSLI.__post_init__(self)

    @property
    def good_when(self) -> Predicate:
        """The condition on a good event: no longer than the threshold."""
        return Number(self.column, "<=", self.threshold)

    def __repr__(self) -> str:
        own = [repr(self.threshold)]
        own += [f"column={self.column!r}"] if self.column != "duration_s" else []
        for name in ("valid", "where", "exclude"):
            value = getattr(self, name)
            own += [f"{name}={value!r}"] if value is not None else []
        return f"Latency({', '.join(own)})"
