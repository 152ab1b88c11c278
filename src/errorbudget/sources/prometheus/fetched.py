"""
What was fetched, and what is missing of it.

Half of the pieces may fail: what came is kept, what did not is named with its reason, and the same
client goes on from there. Nothing is silently missing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from errorbudget.errors import ErrorBudgetError
from errorbudget.sources.prometheus.answers import Answer
from errorbudget.sources.prometheus.matrix import EMPTY, Matrix, merged
from errorbudget.sources.prometheus.ranges import Stretch
from errorbudget.times import format_time

__all__ = ["Fetched", "Missing"]


def _shown(stretch: Stretch) -> str:
    return " to ".join(format_time(ms * 1_000_000) for ms in (stretch.start_ms, stretch.end_ms))


@dataclass(frozen=True, slots=True)
class Missing:
    """A stretch that did not come, and why."""

    stretch: Stretch
    error: ErrorBudgetError

    def __str__(self) -> str:
        return f"{_shown(self.stretch)}: {self.error}"


@dataclass(frozen=True, slots=True, eq=False)
class Fetched:
    """
    Samples of one query over a stretch of time.

    Attributes:
        query: What was asked.
        stretch: For when.
        step_ms: Distance of the instants of a grid [ms]; None for raw samples.
        matrix: What came.
        missing: What did not.
        warnings: The server's warnings, each once.
        infos: Its hints, each once.
    """

    query: str
    stretch: Stretch
    step_ms: int | None
    matrix: Matrix = EMPTY
    missing: tuple[Missing, ...] = ()
    warnings: tuple[str, ...] = ()
    infos: tuple[str, ...] = ()

    @property
    def complete(self) -> bool:
        """Whether every piece came."""
        return not self.missing

    def require(self) -> Matrix:
        """
        The samples, all of them.

        Raises:
            SourceError: A piece is missing: the first error, with a note where others came.
        """
        if not self.missing:
            return self.matrix
        first = self.missing[0].error
        if len(self.matrix):
            others = len(self.missing) - 1
            more = f" and {others} more" if others else ""
            shown = _shown(self.missing[0].stretch)
            first.add_note(f"missing of {self.query}: {shown}{more}; the rest came, and is kept")
        raise first

    def with_answers(
        self, outcomes: Iterable[tuple[Stretch, Answer | ErrorBudgetError]]
    ) -> Fetched:
        """The same with further pieces: those that came are added, the others are missing."""
        came: list[Answer] = []
        missing: list[Missing] = []
        for stretch, outcome in outcomes:
            if isinstance(outcome, Answer):
                came.append(outcome)
            else:
                missing.append(Missing(stretch, outcome))
        missing.sort(key=lambda one: one.stretch.start_ms)
        return replace(
            self,
            matrix=merged([self.matrix, *(answer.matrix for answer in came)]),
            missing=tuple(missing),
            warnings=_once(self.warnings, *(answer.warnings for answer in came)),
            infos=_once(self.infos, *(answer.infos for answer in came)),
        )


def _once(*texts: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(text for group in texts for text in group))
