"""
Targets that changed: which one an event is judged by.

When a target moves from 99.9 % to 99.95 % on a day, a 30-day window holds events of both. Judged by
the day's target, yesterday's promise stays what it was; judged by today's, the whole window answers
whether the new promise would hold. Both are asked for by name.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from errorbudget.errors import InvalidInputError
from errorbudget.rationals import shown
from errorbudget.target import Target, TargetLike
from errorbudget.times import TimeLike, format_time, to_ns

__all__ = ["TargetSchedule"]


@dataclass(frozen=True, slots=True)
class TargetSchedule:
    """
    Targets by the instant from which they hold.

    Args:
        targets: Target by start; the first also holds for everything before it.
        judge_by: "event" judges each event by the target of its time, "now" judges all of them by
            the target in force at the end of the window.

    Raises:
        InvalidInputError: There are no targets, or *judge_by* is neither.

    Example:
        >>> moved = TargetSchedule({"2026-01-01T00:00Z": "99.9%", "2026-03-01T00:00Z": "99.95%"})
        >>> moved.at(to_ns("2026-02-28T23:59Z")), moved.at(to_ns("2026-03-01T00:00Z"))
        (Target("99.9%"), Target("99.95%"))
    """

    targets: Mapping[int, Target]
    judge_by: Literal["event", "now"] = "event"

    if TYPE_CHECKING:

        def __init__(
            self,
            targets: Mapping[TimeLike, TargetLike],
            judge_by: Literal["event", "now"] = "event",
        ) -> None: ...

    def __post_init__(self) -> None:
        if not isinstance(self.targets, Mapping) or not self.targets:
            raise InvalidInputError(
                "a schedule needs at least one target by its start, such as "
                f'{{"2026-03-01T00:00Z": "99.9%"}}, got {shown(self.targets)}'
            )
        if not isinstance(self.judge_by, str) or self.judge_by not in ("event", "now"):
            raise InvalidInputError(
                f'judge_by must be "event" or "now", got {shown(self.judge_by)}'
            )
        read = {to_ns(start): Target(target) for start, target in self.targets.items()}
        if len(read) != len(self.targets):
            raise InvalidInputError("a schedule must not give two targets for one instant")
        object.__setattr__(self, "targets", dict(sorted(read.items())))

    def at(self, time_ns: int) -> Target:
        """The target in force at *time_ns*."""
        starts = list(self.targets)
        return self.targets[starts[max(0, bisect_right(starts, time_ns) - 1)]]

    def to_dict(self) -> dict[str, Any]:
        """The schedule as plain data."""
        return {
            "targets": {format_time(start): str(target) for start, target in self.targets.items()},
            "judge_by": self.judge_by,
        }

    def __str__(self) -> str:
        steps = ", ".join(f"{target} from {format_time(at)}" for at, target in self.targets.items())
        return f"{steps} (judged by {self.judge_by})"
