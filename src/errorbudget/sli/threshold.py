"""
Threshold indicators: a figure against a bound, as the guide writes "p95 < 200 ms" or "> 1000 RPS".

As written they are met or missed, with a margin, and have no budget. Each also has a form that
does: a quantile bound is a ratio in disguise (95 % of requests under 200 ms), a floor on traffic or
connections is a share of time slices (`Timeslices`), and freshness is a share of time.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from math import ceil
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from errorbudget.durations import SECOND_NS, DurationLike, format_duration, length_of
from errorbudget.errors import InvalidInputError
from errorbudget.predicates import (
    EVERYTHING,
    Number,
    Predicate,
    PredicateLike,
    as_predicate,
)
from errorbudget.rationals import parse_rational
from errorbudget.sli.ratio import Latency, positive, with_unit
from errorbudget.target import Target

__all__ = [
    "Concurrency",
    "Freshness",
    "LatencyQuantile",
    "Measurement",
    "ThresholdSLI",
    "Throughput",
    "quantile",
]

Statistic = Literal["max", "mean", "sustained"]


@dataclass(frozen=True, slots=True)
class Measurement:
    """
    One measured figure against its bound.

    Attributes:
        name: What was measured, such as "p95".
        value: The figure in *unit*, or None without data.
        op: The comparison that must hold, strictly or not: "<", "<=", ">" or ">=".
        bound: The bound in *unit*.
        unit: "s", "events/s" or "".
    """

    name: str
    value: float | None
    op: str
    bound: float
    unit: str

    @property
    def met(self) -> bool | None:
        """Whether the figure keeps its bound; None without data."""
        if self.value is None:
            return None
        if self.op in ("<", "<="):
            return self.value < self.bound or (self.op == "<=" and self.value == self.bound)
        return self.value > self.bound or (self.op == ">=" and self.value == self.bound)

    @property
    def margin(self) -> float | None:
        """Distance to the bound in *unit*, positive on the good side; None without data."""
        if self.value is None:
            return None
        return self.bound - self.value if self.op in ("<", "<=") else self.value - self.bound

    def to_dict(self) -> dict[str, Any]:
        """The figure as plain data."""
        return {
            "name": self.name,
            "value": self.value,
            "op": self.op,
            "bound": self.bound,
            "unit": self.unit,
            "met": self.met,
            "margin": self.margin,
        }


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


@dataclass(frozen=True, slots=True, kw_only=True)
class ThresholdSLI:
    """
    What every threshold indicator has: who takes part.

    Args:
        where: Condition on taking part.
        exclude: Events that never take part.
    """

    where: Predicate | None = None
    exclude: Predicate | None = None

    kind: ClassVar[str] = "threshold"

    def __post_init__(self) -> None:
        for name in ("where", "exclude"):
            value = getattr(self, name)
            if value is not None:
                object.__setattr__(self, name, as_predicate(value))

    @property
    def valid_when(self) -> Predicate:
        """The condition on an event that takes part."""
        condition = EVERYTHING if self.where is None else self.where
        return condition if self.exclude is None else condition & ~self.exclude

    @property
    def columns(self) -> frozenset[str]:
        """Names of the columns that the indicator looks at."""
        return self.valid_when.columns

    def measure(
        self, values: Sequence[float], times_ns: Sequence[int], start_ns: int, end_ns: int
    ) -> tuple[Measurement, ...]:
        """
        The figures of one window, in plain Python.

        Args:
            values: The column's values of the window's events, NaN left out; shape (n,).
            times_ns: When they happened [ns UTC], ascending; shape (n,).
            start_ns: Start of the window [ns UTC].
            end_ns: End of the window [ns UTC].
        """
        raise NotImplementedError  # pragma: no cover - abstract

    def to_dict(self) -> dict[str, Any]:
        """The indicator as plain data, read back by `sli.from_dict`."""
        raise NotImplementedError  # pragma: no cover - abstract

    def _conditions(self) -> list[str]:
        return [
            f"{name}={getattr(self, name)!r}"
            for name in ("where", "exclude")
            if getattr(self, name) is not None
        ]

    def _condition_data(self) -> dict[str, Any]:
        return {
            name: getattr(self, name).to_dict()
            for name in ("where", "exclude")
            if getattr(self, name) is not None
        }


def _seconds(value: object, column: str) -> Fraction:
    bound = positive(Number(column, "<=", value)).bound  # type: ignore[arg-type]
    with_unit(value, column)
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
                f'give a bound per quantile, such as {{"p95": "200ms"}}, got {self.bounds!r}'
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
        raise InvalidInputError(f'a quantile is written "p95" or "p99.9", got {name!r}')
    return share


def _floor_text(floor: Fraction) -> str:
    """The floor as code: an integer, a decimal where it is one, or a fraction in quotes."""
    if floor.denominator == 1:
        return str(floor)
    decimal = str(float(floor))
    return decimal if Fraction(decimal) == floor else repr(str(floor))


def _floor(name: str, value: object) -> Fraction:
    try:
        bound = parse_rational(value)
    except ValueError:
        raise InvalidInputError(f"{name} must be a finite number, got {value!r}") from None
    if bound < 0:
        raise InvalidInputError(f"{name} must not be negative, got {value}")
    return bound


@dataclass(frozen=True, slots=True, repr=False)
class Throughput(ThresholdSLI):
    """
    Requests per second, above a floor.

    Args:
        above: The floor [events/s], strict.
        sustained: None judges the mean over the window, as `rate(...[1h])` does: 59 busy minutes
            hide a dead one. A slice such as `"1m"` judges the slowest slice instead.
        where: Condition on taking part.
        exclude: Events that never take part.
    """

    above: Fraction
    sustained: int | None = None

    kind: ClassVar[str] = "throughput"

    if TYPE_CHECKING:

        def __init__(
            self,
            above: float | str | Fraction,
            sustained: DurationLike | None = None,
            *,
            where: PredicateLike | None = None,
            exclude: PredicateLike | None = None,
        ) -> None: ...

    def __post_init__(self) -> None:
        object.__setattr__(self, "above", _floor("above", self.above))
        if self.sustained is not None:
            object.__setattr__(self, "sustained", length_of(self.sustained))
        ThresholdSLI.__post_init__(self)

    def measure(
        self, values: Sequence[float], times_ns: Sequence[int], start_ns: int, end_ns: int
    ) -> tuple[Measurement, ...]:
        """The mean rate of the window, or the rate of its slowest whole slice."""
        if self.sustained is None:
            length_ns = end_ns - start_ns
            rate = len(times_ns) * SECOND_NS / length_ns if length_ns else None
            return (self.measurement(rate),)
        slices = (end_ns - start_ns) // self.sustained
        if not slices:
            return (self.measurement(None),)
        # Whole slices are cut backwards from the end, so that the newest minute is always judged.
        per_slice = [0] * slices
        for time_ns in times_ns:
            position = (end_ns - time_ns) // self.sustained
            if position < slices:
                per_slice[position] += 1
        return (self.measurement(min(per_slice) * SECOND_NS / self.sustained),)

    def measurement(self, rate: float | None) -> Measurement:
        """The rate [events/s] beside its floor."""
        name = (
            "mean rate"
            if self.sustained is None
            else f"lowest {format_duration(self.sustained)} rate"
        )
        return Measurement(name, rate, ">", float(self.above), "events/s")

    def to_dict(self) -> dict[str, Any]:
        """The indicator as plain data."""
        sustained = None if self.sustained is None else format_duration(self.sustained)
        return {
            "kind": self.kind,
            "above": str(self.above),
            "sustained": sustained,
            **self._condition_data(),
        }

    def __str__(self) -> str:
        mode = "mean" if self.sustained is None else f"in every {format_duration(self.sustained)}"
        return f"more than {float(self.above):g} events/s ({mode})"

    def __repr__(self) -> str:
        own = [_floor_text(self.above)]
        own += [] if self.sustained is None else [f"sustained={format_duration(self.sustained)!r}"]
        return f"Throughput({', '.join([*own, *self._conditions()])})"


@dataclass(frozen=True, slots=True, repr=False)
class Concurrency(ThresholdSLI):
    """
    A gauge, such as open connections, above a floor.

    Samples of one instant (several instances) add up, as in `sum(active_connections)`.

    Args:
        above: The floor, strict.
        column: The numeric column that holds the gauge.
        statistic: "max" is the guide's "maximum concurrent connections"; "sustained" asks that
            every sample lies above; "mean" is the plain mean of the samples.
        where: Condition on taking part.
        exclude: Samples that never take part.
    """

    above: Fraction
    column: str = "connections"
    statistic: Statistic = "max"

    kind: ClassVar[str] = "concurrency"

    if TYPE_CHECKING:

        def __init__(
            self,
            above: float | str | Fraction,
            column: str = "connections",
            statistic: Statistic = "max",
            *,
            where: PredicateLike | None = None,
            exclude: PredicateLike | None = None,
        ) -> None: ...

    def __post_init__(self) -> None:
        object.__setattr__(self, "above", _floor("above", self.above))
        if str(self.statistic) not in ("max", "mean", "sustained"):
            raise InvalidInputError(
                f'statistic must be "max", "mean" or "sustained", got {self.statistic!r}'
            )
        ThresholdSLI.__post_init__(self)

    @property
    def columns(self) -> frozenset[str]:
        """Names of the columns that the indicator looks at."""
        return self.valid_when.columns | {self.column}

    def measure(
        self, values: Sequence[float], times_ns: Sequence[int], start_ns: int, end_ns: int
    ) -> tuple[Measurement, ...]:
        """The statistic of the window's samples, those of one instant added up."""
        sums: dict[int, float] = {}
        for time_ns, value in zip(times_ns, values, strict=True):
            sums[time_ns] = sums.get(time_ns, 0.0) + value
        if not sums:
            return (self.measurement(None),)
        samples = list(sums.values())
        if self.statistic == "mean":
            return (self.measurement(float(sum(map(Fraction, samples)) / len(samples))),)
        return (self.measurement(max(samples) if self.statistic == "max" else min(samples)),)

    def measurement(self, value: float | None) -> Measurement:
        """The statistic beside its floor."""
        names = {"max": "maximum", "mean": "mean", "sustained": "lowest sample"}
        return Measurement(names[self.statistic], value, ">", float(self.above), "")

    def to_dict(self) -> dict[str, Any]:
        """The indicator as plain data."""
        return {
            "kind": self.kind,
            "above": str(self.above),
            "column": self.column,
            "statistic": self.statistic,
            **self._condition_data(),
        }

    def __str__(self) -> str:
        return f"{self.statistic} of {self.column} more than {float(self.above):g}"

    def __repr__(self) -> str:
        own = [
            _floor_text(self.above),
            f"column={self.column!r}",
            f"statistic={self.statistic!r}",
        ]
        return f"Concurrency({', '.join([*own, *self._conditions()])})"


@dataclass(frozen=True, slots=True, repr=False)
class Freshness(ThresholdSLI):
    """
    Data no older than a bound: an event is an update, and its age grows until the next.

    Without a target the age at the end of the window is judged; with one, the share of time during
    which the data was fresh, which has a budget in time.

    Args:
        within: Greatest good age.
        where: Condition on an event that updates.
        exclude: Events that never update.

    Source: Site Reliability Workbook, ch. 2, "freshness".
    """

    within: int

    kind: ClassVar[str] = "freshness"

    if TYPE_CHECKING:

        def __init__(
            self,
            within: DurationLike,
            *,
            where: PredicateLike | None = None,
            exclude: PredicateLike | None = None,
        ) -> None: ...

    def __post_init__(self) -> None:
        object.__setattr__(self, "within", length_of(self.within))
        ThresholdSLI.__post_init__(self)

    def measure(
        self, values: Sequence[float], times_ns: Sequence[int], start_ns: int, end_ns: int
    ) -> tuple[Measurement, ...]:
        """The age of the newest update at the end of the window."""
        return (self.measurement((end_ns - times_ns[-1]) / SECOND_NS if times_ns else None),)

    def fresh_ns(self, times_ns: Sequence[int], start_ns: int, end_ns: int) -> tuple[int, int]:
        """
        Fresh and stale time of a window, exactly [ns].

        Args:
            times_ns: Updates up to the end, those before the start included [ns UTC], ascending.
            start_ns: Start of the window; time before the first update is left out.
            end_ns: End of the window.
        """
        fresh = stale = 0
        for at, until in pairwise([*times_ns, end_ns]):
            begin, end = max(at, start_ns), min(until, end_ns)
            good_until = min(at + self.within, end)
            fresh += max(0, good_until - begin)
            stale += max(0, end - max(begin, good_until))
        return fresh, stale

    def measurement(self, age_s: float | None) -> Measurement:
        """The age [s] beside its bound."""
        return Measurement("age", age_s, "<=", self.within / SECOND_NS, "s")

    def to_dict(self) -> dict[str, Any]:
        """The indicator as plain data."""
        return {"kind": self.kind, "within": format_duration(self.within), **self._condition_data()}

    def __str__(self) -> str:
        return f"age at most {format_duration(self.within)}"

    def __repr__(self) -> str:
        return f"Freshness({', '.join([repr(format_duration(self.within)), *self._conditions()])})"
