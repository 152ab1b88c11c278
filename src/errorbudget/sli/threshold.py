"""
Threshold indicators: a figure against a bound, as the guide writes "p95 < 200 ms" or "> 1000 RPS".

As written they are met or missed, with a margin, and have no budget. Each also has a form that
does: a quantile bound is a ratio in disguise (95 % of requests under 200 ms), a floor on traffic or
connections is a share of time slices (`Timeslices`), and freshness is a share of time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from errorbudget.predicates import EVERYTHING, Predicate, as_predicate

__all__ = ["Measurement", "ThresholdSLI"]


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
