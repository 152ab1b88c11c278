"""
Ratio indicators: good events among valid ones.

An indicator is two predicates, *good* and *valid*, however it was written. An event is judged only
when both are known: one without a status has no part in an availability, and is reported as left
out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, ClassVar

from errorbudget.errors import InvalidInputError
from errorbudget.predicates import EVERYTHING, Flag, Predicate, PredicateLike, as_predicate

__all__ = ["Availability", "ErrorRate", "RatioSLI"]


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
    _usual_bad: ClassVar[str | None] = None

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
        if self._usual_bad is not None and self.good is None and self.bad is None:
            object.__setattr__(self, "bad", self._usual_bad)
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
        return f"{text}, where {self.valid_when}" if self.valid_when is not EVERYTHING else text


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

    __slots__ = ()
    kind: ClassVar[str] = "availability"
    _usual_bad: ClassVar[str | None] = "5xx"


class ErrorRate(RatioSLI):
    """
    The share of requests that failed; "under 1 %" is a target of 99 %.

    Without *good* or *bad*, 4xx and 5xx are bad, as in the guide.

    Example:
        >>> ErrorRate().classify({"status": 404})
        False
    """

    __slots__ = ()
    kind: ClassVar[str] = "error_rate"
    _usual_bad: ClassVar[str | None] = "4xx|5xx"
