"""What an SLO can be asked of: whatever counts, and answers for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeVar

from errorbudget.errors import InvalidInputError

if TYPE_CHECKING:
    from errorbudget.comparison import Comparison
    from errorbudget.durations import DurationLike
    from errorbudget.history import History
    from errorbudget.methods import NoData
    from errorbudget.series import CountSeries
    from errorbudget.slo.objective import SLO
    from errorbudget.status import Status
    from errorbudget.target import TargetLike
    from errorbudget.times import TimeLike

D = TypeVar("D")

__all__ = ["Countable", "Evaluable", "answering"]


class Evaluable(Protocol):
    """What an SLO can be asked of: events, count series, trackers."""

    def evaluate(self, slo: SLO, *, at: TimeLike | None = None) -> Status:
        """The status of *slo* at *at*."""
        ...


class Countable(Evaluable, Protocol):
    """What can be counted anew too: over a grid, in bins, by other methods."""

    def history(
        self,
        slo: SLO,
        *,
        step: DurationLike = "1m",
        start: TimeLike | None = None,
        end: TimeLike | None = None,
    ) -> History: ...

    def count(self, slo: SLO, *, step: DurationLike = "1m") -> CountSeries: ...

    def compare_methods(
        self,
        slo: SLO,
        *,
        slice: DurationLike = "1m",
        slice_target: TargetLike | None = None,
        no_data: NoData = "exclude",
        at: TimeLike | None = None,
    ) -> Comparison: ...


def answering(data: D, question: str) -> D:
    """
    The data itself, where it can answer.

    Raises:
        InvalidInputError: It is no events, counts or tracker.
    """
    # An SLO has these methods too, but asks with them.
    asks = isinstance(data, type) or hasattr(data, "assess")
    if asks or not (hasattr(data, "evaluate") and hasattr(data, question)):
        verb = question.partition("_")[0]
        raise InvalidInputError(
            f"cannot {verb} what is of type {type(data).__name__}; give errorbudget.Events(...), "
            'for a frame Events.from_frame(frame, time="..."), a count series or a tracker'
        )
    return data
