"""
What comes home from an engine: good and total events of every objective per bin and label.

A bin's events at exactly its start are kept apart from the rest. So one scan answers both for bins
that hold their end, as rolling windows need, and for bins that hold their start, as calendar
windows do.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from errorbudget.durations import DurationLike, format_duration
from errorbudget.errors import InvalidInputError, did_you_mean
from errorbudget.evaluation import Report, evaluate_series, instant_of
from errorbudget.judging import judge_series
from errorbudget.series import CountSeries, check_grid, window_counts
from errorbudget.slo import SLO, find_slo
from errorbudget.times import TimeLike, format_time

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from errorbudget.comparison import Comparison
    from errorbudget.history import History
    from errorbudget.status import Status

    Integers = NDArray[np.int64]

__all__ = ["Bins", "Counted", "CountedEvents"]


@dataclass(frozen=True, slots=True, eq=False)
class Bins:
    """
    Counts of several objectives by bin and label, ordered by label and then by time.

    Args:
        start_ns: Start of each bin [ns UTC]; shape (n,).
        on_start: Whether the row holds the events at exactly that start, or those after it;
            shape (n,).
        group: Position in *groups*; shape (n,).
        groups: Texts of the labels, as many as there are labels.
        good: Good events per objective; shape (objectives, n).
        total: Events that were judged, the same.
        left_out: Events that lacked a value the objective asks for, the same.
    """

    start_ns: Integers
    on_start: NDArray[np.bool_]
    group: Integers
    groups: tuple[tuple[str, ...], ...]
    good: Integers
    total: Integers
    left_out: Integers

    def __len__(self) -> int:
        return len(self.start_ns)

    @classmethod
    def empty(cls, objectives: int) -> Bins:
        """No events of so many objectives."""
        row, table = np.zeros(0, dtype=np.int64), np.zeros((objectives, 0), dtype=np.int64)
        return cls(row, row.astype(bool), row, (), table, table, table)

    @classmethod
    def added(cls, parts: Sequence[Bins], step_ns: int) -> Bins:
        """Several as one, in bins of *step_ns*, each once, by label and then by time."""
        groups = tuple(sorted({group for part in parts for group in part.groups}))
        place = {group: index for index, group in enumerate(groups)}
        start = np.concatenate([part.start_ns for part in parts])
        coarse = start // step_ns * step_ns
        on_start = np.concatenate([part.on_start for part in parts]) & (coarse == start)
        group = np.concatenate(
            [
                np.array([place[each] for each in part.groups], dtype=np.int64)[part.group]
                for part in parts
            ]
        )
        order = np.lexsort((~on_start, coarse, group))
        coarse, on_start, group = coarse[order], on_start[order], group[order]
        new = np.ones(len(order), dtype=bool)
        new[1:] = (
            (coarse[1:] != coarse[:-1])
            | (on_start[1:] != on_start[:-1])
            | (group[1:] != group[:-1])
        )
        firsts = np.flatnonzero(new)

        def sums(name: str) -> Integers:
            columns = np.concatenate([getattr(part, name) for part in parts], axis=1)[:, order]
            if len(firsts) == len(order):  # each bin once: nothing to add up
                return columns
            return np.asarray(np.add.reduceat(columns, firsts, axis=1), dtype=np.int64)

        return cls(
            coarse[firsts],
            on_start[firsts],
            group[firsts],
            groups,
            sums("good"),
            sums("total"),
            sums("left_out"),
        )


@dataclass(frozen=True, eq=False, repr=False)
class Counted:
    """
    Counts of objectives as an engine gave them; they add, merge and travel.

    `counted["api"]` is the count series of the objective called "api", the same integers as
    `slo.count(events)` of the same events. `a + b` is what counting both at once would have given,
    in any order.

    Args:
        slos: The objectives.
        by: Labels that counts are kept apart by.
        step_ns: Length of a bin [ns].
        bins: The counts.
        engine: What counted them.
        notes: What there is to say about how it was done.
        skipped: Files that were left out, and why.
    """

    slos: tuple[SLO, ...]
    by: tuple[str, ...]
    step_ns: int
    bins: Bins
    engine: str = ""
    notes: tuple[str, ...] = ()
    skipped: tuple[tuple[str, str], ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the objectives."""
        return tuple(slo.name for slo in self.slos)

    def __len__(self) -> int:
        return len(self.slos)

    def __repr__(self) -> str:
        span = self.span
        reach = f", {format_time(span[0])} to {format_time(span[1])}" if span else ""
        return (
            f"Counted({', '.join(self.names)}; {len(self.bins):,} rows of "
            f"{format_duration(self.step_ns)}{reach})"
        )

    @cached_property
    def span(self) -> tuple[int, int] | None:
        """Start of the first bin (start, end] with an event, and end of the last [ns UTC]."""
        if not len(self.bins):
            return None
        ends = self._labels(right=True)
        return int(ends.min()) - self.step_ns, int(ends.max())

    def _labels(self, *, right: bool) -> Integers:
        start = self.bins.start_ns
        return np.where(self.bins.on_start, start, start + self.step_ns) if right else start

    def _index(self, slo: str | SLO) -> int:
        if isinstance(slo, SLO):
            slo = slo.name
        return self.slos.index(find_slo(self.slos, slo))

    def _column(
        self, index: int, values: Integers, rows: slice = slice(None)
    ) -> tuple[Integers, Integers]:
        """Labels without gaps over all that was observed, and the sum of *values* at each."""
        labels = self._labels(right=self.slos[index].window.closed == "right")
        if not len(labels):
            return labels, values[index]
        first, last = int(labels.min()), int(labels.max())
        n = (last - first) // self.step_ns + 1
        check_grid(n, self.step_ns)
        sums = np.zeros(n, dtype=np.int64)
        np.add.at(sums, (labels[rows] - first) // self.step_ns, values[index][rows])
        return first + np.arange(n, dtype=np.int64) * self.step_ns, sums

    def _series(self, index: int, rows: slice = slice(None)) -> CountSeries:
        labels, good = self._column(index, self.bins.good, rows)
        _, total = self._column(index, self.bins.total, rows)
        return CountSeries(labels, good, total, self.step_ns, self.slos[index].window.closed)

    def __getitem__(self, slo: str | SLO) -> CountSeries:
        """
        The count series of one objective, on the side that its window is closed on.

        Raises:
            InvalidInputError: There is no objective of that name.
        """
        return self._series(self._index(slo))

    def __contains__(self, slo: object) -> bool:
        return (slo.name if isinstance(slo, SLO) else slo) in self.names

    def groups(self, slo: str | SLO) -> dict[tuple[str, ...], CountSeries]:
        """
        The count series of one objective for each combination of labels.

        Each spans all that was observed, so together they add up to `self[slo]`. A label that
        events lack is the empty text.
        """
        index = self._index(slo)
        edges = np.searchsorted(self.bins.group, np.arange(len(self.bins.groups) + 1)).tolist()
        return {
            texts: self._series(index, slice(*edges[number : number + 2]))
            for number, texts in enumerate(self.bins.groups)
        }

    def left_out(self, slo: str | SLO) -> int:
        """Events that took no part in an objective because a value was missing."""
        return int(self.bins.left_out[self._index(slo)].sum())

    def evaluate(self, at: TimeLike | None = None) -> Report:
        """
        The status of every objective.

        Args:
            at: The instant; by default the end of the last bin.

        Raises:
            NoDataError: There are no events and *at* is not given.
            InvalidSeriesError: A time slice is no multiple of the bins.
        """
        at_ns = self._instant(at)
        return Report(at_ns, tuple(self._status(slo, at_ns) for slo in self.slos))

    def _instant(self, at: TimeLike | None) -> int:
        return instant_of(at, (self[slo].span for slo in self.slos))

    def _status(self, slo: SLO, at_ns: int) -> Status:
        counts = self[slo]
        labels, missing = self._column(self._index(slo), self.bins.left_out)
        lacking = CountSeries(labels, missing, missing, self.step_ns, counts.closed)
        left_out = int(window_counts(lacking, slo.interval(at_ns)).good)
        said = f"{left_out:,} events lacked a value and took no part: neither good nor bad"
        return evaluate_series(
            slo,
            judge_series(slo, counts, until_ns=at_ns),
            at_ns=at_ns,
            left_out=left_out,
            warnings=[said] if left_out else [],
        )

    def coarser(self, step_ns: int) -> Counted:
        """
        The same counts in longer bins.

        Raises:
            InvalidInputError: The new step is no multiple of the old.
        """
        if step_ns % self.step_ns or step_ns <= 0:
            raise InvalidInputError(
                f"bins of {format_duration(self.step_ns)} do not add up to "
                f"{format_duration(step_ns)}; take a multiple"
            )
        if step_ns == self.step_ns:
            return self
        return replace(self, step_ns=step_ns, bins=Bins.added([self.bins], step_ns))

    def __add__(self, other: Counted) -> Counted:
        return Counted.merge([self, other]) if isinstance(other, Counted) else NotImplemented

    @classmethod
    def merge(cls, parts: Sequence[Counted]) -> Counted:
        """
        Counts of several frames, files or workers as one; the order does not matter.

        Raises:
            InvalidInputError: There are none, or they count other objectives, labels or bins.
        """
        if not parts:
            raise InvalidInputError("nothing to merge; give at least one result of count()")
        head = parts[0]
        for part in parts[1:]:
            for word, one, another in (
                ("objectives", head.slos, part.slos),
                ("labels", head.by, part.by),
                ("bins", format_duration(head.step_ns), format_duration(part.step_ns)),
            ):
                if one != another:
                    raise InvalidInputError(
                        f"only counts of the same {word} merge, got {_shown(one)} and "
                        f"{_shown(another)}"
                    )
        return replace(
            head,
            bins=Bins.added([part.bins for part in parts], head.step_ns),
            engine=", ".join(dict.fromkeys(part.engine for part in parts)),
            notes=tuple(dict.fromkeys(note for part in parts for note in part.notes)),
            skipped=tuple(dict.fromkeys(each for part in parts for each in part.skipped)),
        )

    def to_dict(self) -> Mapping[str, Any]:
        """Totals per objective, for a look."""
        return {
            slo.name: {
                "good": int(self.bins.good[index].sum()),
                "total": int(self.bins.total[index].sum()),
                "left_out": int(self.bins.left_out[index].sum()),
            }
            for index, slo in enumerate(self.slos)
        }


@dataclass(frozen=True, slots=True, eq=False)
class CountedEvents:
    """
    Counts in the place of the events that they were counted from, as reports ask for them.

    Args:
        counted: The counts.
    """

    counted: Counted

    def of(self, slo: SLO) -> CountSeries:
        """The count series of *slo*."""
        return self.counted[slo]

    def groups(self, slo: SLO, by: Sequence[str]) -> dict[tuple[str, ...], CountSeries]:
        """
        The count series of *slo* for each combination of the labels *by*.

        Raises:
            InvalidInputError: Counts were not kept apart by one of them.
        """
        known = self.counted.by
        for name in by:
            if name not in known:
                cure = f"they are by {', '.join(known)}" if known else "they are by none"
                raise InvalidInputError(
                    f'these counts were not kept apart by "{name}"; {cure}. Count anew: '
                    f"errorbudget count --by {name}{did_you_mean(name, known)}"
                )
        places = [known.index(name) for name in by]
        kinds: dict[tuple[str, ...], list[CountSeries]] = {}
        for texts, series in self.counted.groups(slo).items():
            kinds.setdefault(tuple(texts[place] for place in places), []).append(series)
        return {texts: CountSeries.merge(parts) for texts, parts in kinds.items()}

    def evaluate(self, slo: SLO, *, at: TimeLike | None = None) -> Status:
        """The status of *slo*, by default at the end of the counts of all objectives."""
        return self.counted._status(slo, self.counted._instant(at))

    def history(
        self,
        slo: SLO,
        *,
        step: DurationLike = "1m",
        start: TimeLike | None = None,
        end: TimeLike | None = None,
    ) -> History:
        """The history of *slo*; arguments as `CountSeries.history`."""
        return self.counted[slo].history(slo, step=step, start=start, end=end)

    def count(self, slo: SLO, *, step: DurationLike = "1m") -> CountSeries:
        """The count series of *slo* in bins of *step*."""
        return self.counted[slo].coarser(step)

    def compare_methods(self, slo: SLO, **how: Any) -> Comparison:
        """The budgeting methods side by side; arguments as `CountSeries.compare_methods`."""
        return self.counted[slo].compare_methods(slo, **how)


def _shown(value: Any) -> str:
    if isinstance(value, tuple):
        return "(" + ", ".join(getattr(each, "name", str(each)) for each in value) + ")"
    return str(value)
