"""Floors under traffic: events per second, and gauges such as open connections."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from errorbudget.durations import SECOND_NS, format_duration, length_of
from errorbudget.errors import InvalidInputError
from errorbudget.rationals import parse_rational, shown
from errorbudget.sli.threshold import Measurement, ThresholdSLI

if TYPE_CHECKING:
    from errorbudget.durations import DurationLike
    from errorbudget.predicates import PredicateLike

__all__ = ["Concurrency", "Throughput"]

Statistic = Literal["max", "mean", "sustained"]


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
        raise InvalidInputError(f"{name} must be a finite number, got {shown(value)}") from None
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
        known = ("max", "mean", "sustained")
        if not isinstance(self.statistic, str) or self.statistic not in known:
            raise InvalidInputError(
                f'statistic must be "max", "mean" or "sustained", got {shown(self.statistic)}'
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
