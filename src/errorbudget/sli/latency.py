"""
Bounds on durations: the share of requests that keep one, and quantiles that do.

One is the other in disguise: "p95 < 200 ms" says that 95 % of requests take less than 200 ms.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil
from typing import TYPE_CHECKING, Any, ClassVar

from errorbudget.durations import SECOND_NS, format_duration
from errorbudget.errors import InvalidInputError
from errorbudget.predicates import Number, Predicate
from errorbudget.rationals import parse_rational, shown
from errorbudget.sli.ratio import RatioSLI
from errorbudget.sli.threshold import Measurement, ThresholdSLI
from errorbudget.target import Target

if TYPE_CHECKING:
    from errorbudget.durations import DurationLike
    from errorbudget.predicates import PredicateLike

__all__ = ["Latency", "LatencyQuantile", "quantile"]


def quantile(values: Iterable[float], q: Fraction | float) -> float | None:
    """
    The nearest-rank quantile: the smallest value that at least the share *q* does not exceed.

    Args:
        values: Values in any order.
        q: Share, in (0, 1].

    Returns:
        One of the values, or None when there are none.

    Example:
        >>> quantile([0.1, 0.2, 0.3, 0.4], 0.5)
        0.2
    """
    try:
        share = parse_rational(q)
    except ValueError:
        share = Fraction(0)
    if not 0 < share <= 1:
        raise InvalidInputError(f"a quantile lies in (0, 1], got {q}")
    ordered = sorted(values)
    return ordered[ceil(share * len(ordered)) - 1] if ordered else None


def _with_unit(value: object, column: str) -> None:
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


def _positive(condition: Number) -> Number:
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
        condition = _positive(Number(self.column, "<=", self.threshold))
        _with_unit(self.threshold, self.column)
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


def _seconds(value: object, column: str) -> Fraction:
    bound = _positive(Number(column, "<=", value)).bound  # type: ignore[arg-type]
    _with_unit(value, column)
    return bound


@dataclass(frozen=True, slots=True, repr=False)
class LatencyQuantile(ThresholdSLI):
    """
    Quantiles of the duration, each under its bound, strictly.

    Args:
        bounds: Bound per quantile, such as `{"p95": "200ms", "p99": "500ms"}`.
        column: The numeric column to ask, in seconds.
        where: Condition on taking part.
        exclude: Events that never take part.

    Example:
        >>> LatencyQuantile({"p95": "200ms", "p99": "500ms"}).as_ratios()
        ((Latency('200ms'), Target("95%")), (Latency('500ms'), Target("99%")))
    """

    bounds: Mapping[str, Fraction]
    column: str = "duration_s"

    kind: ClassVar[str] = "latency_quantile"

    if TYPE_CHECKING:

        def __init__(
            self,
            bounds: Mapping[str, DurationLike | float | Fraction],
            column: str = "duration_s",
            *,
            where: PredicateLike | None = None,
            exclude: PredicateLike | None = None,
        ) -> None: ...

    def __post_init__(self) -> None:
        if not isinstance(self.bounds, Mapping) or not self.bounds:
            raise InvalidInputError(
                f'give a bound per quantile, such as {{"p95": "200ms"}}, got {shown(self.bounds)}'
            )
        exact = {name: _seconds(bound, self.column) for name, bound in self.bounds.items()}
        object.__setattr__(self, "bounds", exact)
        for name in exact:
            _quantile_share(name)
        ThresholdSLI.__post_init__(self)

    @property
    def quantiles(self) -> Mapping[str, Fraction]:
        """The share that each name stands for."""
        return {name: _quantile_share(name) for name in self.bounds}

    @property
    def columns(self) -> frozenset[str]:
        """Names of the columns that the indicator looks at."""
        return self.valid_when.columns | {self.column}

    def measure(
        self, values: Sequence[float], times_ns: Sequence[int], start_ns: int, end_ns: int
    ) -> tuple[Measurement, ...]:
        """Each quantile of the window, by nearest rank."""
        ordered = sorted(values)
        return self.measurements(
            [
                ordered[ceil(q * len(ordered)) - 1] if ordered else None
                for q in self.quantiles.values()
            ]
        )

    def measurements(self, found: Sequence[float | None]) -> tuple[Measurement, ...]:
        """The figures *found*, one a quantile, beside their bounds."""
        return tuple(
            Measurement(name, value, "<", float(bound), "s")
            for (name, bound), value in zip(self.bounds.items(), found, strict=True)
        )

    def as_ratios(self) -> tuple[tuple[Latency, Target], ...]:
        """The same objective with a budget: the share of requests within each bound."""
        return tuple(
            (
                Latency(bound, column=self.column, where=self.where, exclude=self.exclude),
                Target(self.quantiles[name]),
            )
            for name, bound in self.bounds.items()
        )

    def to_dict(self) -> dict[str, Any]:
        """The indicator as plain data."""
        bounds = {name: _bound_text(bound) for name, bound in self.bounds.items()}
        return {
            "kind": self.kind,
            "bounds": bounds,
            "column": self.column,
            **self._condition_data(),
        }

    def __str__(self) -> str:
        return ", ".join(f"{name} < {_bound_text(bound)}" for name, bound in self.bounds.items())

    def __repr__(self) -> str:
        bounds = {name: _bound_text(bound) for name, bound in self.bounds.items()}
        column = [f"column={self.column!r}"] if self.column != "duration_s" else []
        return f"LatencyQuantile({', '.join([repr(bounds), *column, *self._conditions()])})"


def _bound_text(bound: Fraction) -> str:
    in_ns = bound * SECOND_NS
    return format_duration(int(in_ns)) if in_ns.denominator == 1 else str(bound)


def _quantile_share(name: str) -> Fraction:
    said = str(name).strip().lower()
    text = said.removeprefix("p")
    try:
        share = parse_rational(text)
    except ValueError:
        share = Fraction(0)
    if not text.endswith("%"):
        # A bare 0.95 is as likely meant for p95 as for p0.95, so it is no answer to guess at.
        share = Fraction(0) if text == said and share <= 1 else share / 100
    if not 0 < share <= 1:
        raise InvalidInputError(f'a quantile is written "p95" or "p99.9", got {shown(name)}')
    return share
