"""Freshness: how old data may be before it counts as stale."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, ClassVar

from errorbudget.durations import SECOND_NS, format_duration, length_of
from errorbudget.sli.threshold import Measurement, ThresholdSLI

if TYPE_CHECKING:
    from errorbudget.durations import DurationLike
    from errorbudget.predicates import PredicateLike

__all__ = ["Freshness"]


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
