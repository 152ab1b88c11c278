"""Units counted in bins of one length: the series that adds, merges and travels."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from errorbudget import figures
from errorbudget.cards import Card, Shown
from errorbudget.counts import Counts
from errorbudget.durations import DurationLike, format_duration, length_of
from errorbudget.errors import InvalidSeriesError
from errorbudget.kernels.arrays import stamps_dtype, time_column, unmasked
from errorbudget.rationals import shown
from errorbudget.series.question import span_coverage, window_counts
from errorbudget.times import MAX_NS, MIN_NS, TimeLike, format_time
from errorbudget.windows import Closed, Interval

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from errorbudget.comparison import Comparison
    from errorbudget.history import History
    from errorbudget.methods import NoData
    from errorbudget.slo import SLO
    from errorbudget.status import Status
    from errorbudget.target import TargetLike

    Integers = NDArray[np.int64]

__all__ = ["GRID_LIMIT", "CountSeries", "check_grid", "check_reach"]

GRID_LIMIT = 50_000_000


def check_grid(n: int, step_ns: int) -> None:
    """
    Refuse more bins than fit into memory.

    Raises:
        InvalidSeriesError: There are more than `GRID_LIMIT`.
    """
    if n > GRID_LIMIT:
        raise InvalidSeriesError(
            f"a step of {format_duration(step_ns)} over this span makes {n:,} bins, more than "
            f"{GRID_LIMIT:,}; take a longer step, or check the times for a stray one"
        )


def _instants(name: str, values: ArrayLike) -> Integers:
    column = _column(name, values, stamps_dtype(values))
    return time_column(column, name) if column.dtype.kind == "M" else _integers(name, column)


def _integers(name: str, values: ArrayLike) -> Integers:
    column = _column(name, values)
    if column.ndim != 1:
        raise InvalidSeriesError(f"{name} must have one dimension, got {column.ndim}")
    if column.dtype.kind == "f":
        wrong = ~np.isfinite(column) | (column != np.floor(column))
        if wrong.any():
            index = int(np.argmax(wrong))
            raise InvalidSeriesError(
                f"{name} must be whole numbers, got {column[index]} at index {index}", index=index
            )
        large = np.abs(column) > 2**53
        if large.any():
            index = _first(large)
            raise InvalidSeriesError(
                f"{name} must be integers, got the float {column[index]} at index {index}: beyond "
                "2**53 floats skip whole numbers",
                index=index,
            )
    elif column.dtype.kind not in "iu" and len(column):
        raise InvalidSeriesError(f"{name} must be whole numbers, got {column.dtype}")
    if column.dtype.kind == "u" and len(column) and int(column.max()) >= 2**63:
        raise InvalidSeriesError(f"{name} must be below 2**63, got {column.max()}")
    return column.astype(np.int64, copy=False)


def _column(name: str, values: ArrayLike, dtype: Any = None) -> NDArray[Any]:
    values = unmasked(values, name)
    try:
        return np.asarray(values, dtype=dtype)
    except (TypeError, ValueError) as error:
        raise InvalidSeriesError(f"{name} must be one column: {error}") from None


def _observations(values: ArrayLike, labels: Integers) -> NDArray[np.bool_]:
    column = _column("observed", values)
    if column.shape != labels.shape:
        raise InvalidSeriesError("observed must have one entry per bin")
    if len(column) and not (
        column.dtype.kind == "b" or (column.dtype.kind in "iu" and set(column.tolist()) <= {0, 1})
    ):
        raise InvalidSeriesError("observed must be true or false for every bin")
    return column.astype(np.bool_, copy=False)


def check_reach(first_ns: int, last_ns: int, step_ns: int, closed: Closed) -> None:
    """
    Refuse bins that begin or end where no instant is.

    Raises:
        InvalidSeriesError: They reach beyond the years 1678 to 2262.
    """
    before, after = (step_ns, 0) if closed == "right" else (0, step_ns)
    if first_ns - before < MIN_NS or last_ns + after > MAX_NS:
        raise InvalidSeriesError(
            f"bins of {format_duration(step_ns)} must lie in the years 1678 to 2262, and those "
            f"from {format_time(first_ns - before)} to {format_time(last_ns + after)} do not"
        )


def _sum(counts: Integers) -> int:
    return sum(counts.tolist())


def _first(mask: NDArray[np.bool_]) -> int:
    return int(np.argmax(mask))


@dataclass(frozen=True, eq=False, repr=False)
class CountSeries(Shown):
    """
    Good and total units per time bin: the series that adds, merges and travels.

    Bins of length *step* lie on multiples of it since the epoch. With closed="right" a bin is
    labelled by its end and holds (label - step, label], so that rolling windows on the grid equal
    event-level ones exactly; with closed="left" it is labelled by its start, as calendar windows
    need.

    Args:
        label_ns: Labels of the bins [ns UTC], ascending, each once; missing bins hold nothing;
            int64, shape (n,).
        good: Good units per bin [>= 0]; int64, shape (n,).
        total: All units per bin [>= good]; int64, shape (n,).
        step_ns: Length of a bin; text, `timedelta` or ns.
        closed: The end that belongs to a bin, "right" or "left".
        observed: Which bins were observed, for counters with gaps; by default all between the first
            and the last.

    Raises:
        InvalidSeriesError: A value is negative, good exceeds total, or labels are not ascending
            multiples of the step (`.index`).

    Example:
        >>> minutes = CountSeries([60, 120], good=[9, 10], total=[10, 10], step_ns=60)
        >>> (minutes + minutes).total.tolist()
        [20, 20]
    """

    label_ns: Integers
    good: Integers
    total: Integers
    step_ns: int
    closed: Closed = "right"
    observed: NDArray[np.bool_] | None = None

    if TYPE_CHECKING:

        def __init__(
            self,
            label_ns: ArrayLike,
            good: ArrayLike,
            total: ArrayLike,
            step_ns: DurationLike | int,
            closed: Closed = "right",
            observed: ArrayLike | None = None,
        ) -> None: ...

    def __post_init__(self) -> None:
        step = length_of(self.step_ns)
        if not isinstance(self.closed, str) or self.closed not in ("right", "left"):
            raise InvalidSeriesError(f'closed must be "right" or "left", got {shown(self.closed)}')
        labels = _instants("label_ns", self.label_ns)
        good, total = _integers("good", self.good), _integers("total", self.total)
        if not len(labels) == len(good) == len(total):
            raise InvalidSeriesError(
                f"columns must have one length: {len(labels)} labels, {len(good)} good, "
                f"{len(total)} total"
            )
        for name, wrong in (
            ("good must not be negative", good < 0),
            ("good must not exceed total", good > total),
            ("labels must be multiples of the step", labels % step != 0),
        ):
            if wrong.any():
                raise InvalidSeriesError(f"{name}, see index {_first(wrong)}", index=_first(wrong))
        falling = labels[1:] <= labels[:-1]
        if falling.any():
            index = _first(falling) + 1
            raise InvalidSeriesError(f"labels must ascend, see index {index}", index=index)
        if len(total) and int(total.max()) * len(total) >= 2**63 and _sum(total) >= 2**63:
            raise InvalidSeriesError(f"all units together must be below 2**63, got {_sum(total)}")
        object.__setattr__(self, "label_ns", labels)
        object.__setattr__(self, "good", good)
        object.__setattr__(self, "total", total)
        object.__setattr__(self, "step_ns", step)
        if len(labels):
            check_reach(int(labels[0]), int(labels[-1]), step, self.closed)
        if self.observed is not None:
            object.__setattr__(self, "observed", _observations(self.observed, labels))

    def __len__(self) -> int:
        return len(self.label_ns)

    def __repr__(self) -> str:
        span = f", {format_time(self.span[0])} to {format_time(self.span[1])}" if self.span else ""
        return f"CountSeries({len(self):,} bins of {format_duration(self.step_ns)}{span})"

    @property
    def end_ns(self) -> Integers:
        """End of every bin [ns]; shape (n,)."""
        return self.label_ns if self.closed == "right" else self.label_ns + self.step_ns

    @property
    def span(self) -> tuple[int, int] | None:
        """Start of the first bin and end of the last [ns]."""
        if not len(self):
            return None
        ends = self.end_ns
        return int(ends[0]) - self.step_ns, int(ends[-1])

    @cached_property
    def _sums(self) -> tuple[Integers, Integers]:
        zero = np.zeros(1, dtype=np.int64)
        return (
            np.concatenate((zero, np.cumsum(self.good, dtype=np.int64))),
            np.concatenate((zero, np.cumsum(self.total, dtype=np.int64))),
        )

    def cumulative(
        self, edges_ns: Integers, *, inclusive: bool = True
    ) -> tuple[Integers, Integers]:
        """
        Good and total units of the bins that end at or before each edge.

        Bins are whole and know no instants within them, so *inclusive* changes nothing; it is there
        as single events have it.
        """
        rows = np.searchsorted(self.end_ns, edges_ns, side="right")
        good, total = self._sums
        return good[rows], total[rows]

    def coverage(self, interval: Interval) -> float | None:
        """Share of *interval* in observed bins."""
        if self.observed is None or not interval.length_ns:
            return span_coverage(self.span, interval)
        ends = self.end_ns[self.observed]
        # Clipped at both ends: the distance to an interval far away has no int64.
        edges = max(interval.start_ns, MIN_NS), min(interval.end_ns, MAX_NS)
        seen = np.clip(ends, *edges) - np.clip(ends - self.step_ns, *edges)
        return int(seen.sum(dtype=np.uint64)) / interval.length_ns

    def counts(self, interval: Interval) -> Counts:
        """Good and bad units of the whole bins in *interval*."""
        return window_counts(self, interval)

    def until(self, end_ns: int) -> CountSeries:
        """
        The bins that end at or before an instant: what was known then.

        Example:
            >>> CountSeries([60, 120], [9, 10], [10, 10], step_ns=60).until(100).total.tolist()
            [10]
        """
        rows = int(np.searchsorted(self.end_ns, end_ns, side="right"))
        return CountSeries(
            self.label_ns[:rows],
            self.good[:rows],
            self.total[:rows],
            self.step_ns,
            self.closed,
            None if self.observed is None else self.observed[:rows],
        )

    def __add__(self, other: CountSeries) -> CountSeries:
        if not isinstance(other, CountSeries):
            return NotImplemented
        return CountSeries.merge([self, other])

    @classmethod
    def merge(cls, parts: Iterable[CountSeries]) -> CountSeries:
        """
        Count series of several workers, hosts or files as one; the order does not matter.

        A bin counts as observed when some part observed it.

        Raises:
            InvalidSeriesError: There are none, or their bins differ in length or side.
        """
        series = list(parts) if isinstance(parts, Iterable) else [parts]
        if not series:
            raise InvalidSeriesError("nothing to merge; give at least one count series")
        for part in series:
            if not isinstance(part, CountSeries):
                raise InvalidSeriesError(f"only count series merge, got {type(part).__name__}")
        head = series[0]
        for part in series[1:]:
            if (part.step_ns, part.closed) != (head.step_ns, head.closed):
                raise InvalidSeriesError(
                    "only bins of one length and side merge, got "
                    f"{format_duration(head.step_ns)} closed {head.closed} and "
                    f"{format_duration(part.step_ns)} closed {part.closed}"
                )
        if sum(_sum(part.total) for part in series) >= 2**63:
            raise InvalidSeriesError("all units together must be below 2**63")
        labels, rows = np.unique(
            np.concatenate([part.label_ns for part in series]), return_inverse=True
        )
        good = np.zeros(len(labels), dtype=np.int64)
        total = np.zeros(len(labels), dtype=np.int64)
        np.add.at(good, rows, np.concatenate([part.good for part in series]))
        np.add.at(total, rows, np.concatenate([part.total for part in series]))
        observed = None
        if any(part.observed is not None for part in series):
            observed = np.zeros(len(labels), dtype=bool)
            seen = [
                np.ones(len(part), dtype=bool) if part.observed is None else part.observed
                for part in series
            ]
            np.logical_or.at(observed, rows, np.concatenate(seen))
        return cls(labels, good, total, head.step_ns, head.closed, observed)

    def coarser(self, step: DurationLike | int) -> CountSeries:
        """
        The same units in longer bins, each observed if all of its parts were.

        Raises:
            InvalidSeriesError: The new step is no multiple of the old.
        """
        step_ns = length_of(step)
        if step_ns % self.step_ns:
            raise InvalidSeriesError(
                f"bins of {format_duration(self.step_ns)} do not add up to "
                f"{format_duration(step_ns)}; take a multiple"
            )
        if step_ns == self.step_ns or not len(self):
            return replace(self, step_ns=step_ns)
        shift = 1 if self.closed == "right" else 0
        bins = (self.label_ns - shift) // step_ns
        labels, rows = np.unique(bins, return_inverse=True)
        first, last = ((int(number) + shift) * step_ns for number in labels[[0, -1]])
        check_reach(first, last, step_ns, self.closed)
        good = np.zeros(len(labels), dtype=np.int64)
        total = np.zeros(len(labels), dtype=np.int64)
        np.add.at(good, rows, self.good)
        np.add.at(total, rows, self.total)
        observed = None
        if self.observed is not None:
            observed = np.ones(len(labels), dtype=bool)
            np.logical_and.at(observed, rows, self.observed)
        return CountSeries((labels + shift) * step_ns, good, total, step_ns, self.closed, observed)

    def to_pandas(self) -> Any:
        """The series as a pandas DataFrame indexed by bin label in UTC."""
        from errorbudget.frames import to_pandas

        return to_pandas(self.label_ns, {"good": self.good, "total": self.total})

    def _card(self) -> Card:
        total, good = int(self.total.sum()), int(self.good.sum())
        rows = [("good", f"{good:,}"), ("bad", f"{total - good:,}"), ("total", f"{total:,}")]
        every = format_duration(self.step_ns)
        lines = [f"{len(self):,} bins of {every} with units"]
        if self.span is not None:
            lines[0] += f", {format_time(self.span[0])} to {format_time(self.span[1])}"
        share = Fraction(good, total) if total else None
        rows.append(("share of good units", figures.percent(share, 4)))
        return Card("Count series", "", "", lines, ("units", "count"), rows)

    def evaluate(self, slo: SLO, *, at: TimeLike | None = None) -> Status:
        """The status of *slo*, whose indicator these units were counted for."""
        from errorbudget.evaluation import evaluate_counts

        return evaluate_counts(slo, self, at=at)

    def history(
        self,
        slo: SLO,
        *,
        step: DurationLike | None = None,
        start: TimeLike | None = None,
        end: TimeLike | None = None,
    ) -> History:
        """The history of *slo* over a grid of *step*, by default the bins' own."""
        from errorbudget.history import history_of_counts

        return history_of_counts(slo, self, step=step, start=start, end=end)

    def count(self, slo: SLO, *, step: DurationLike = "1m") -> CountSeries:
        """The series itself, in bins of *step*."""
        return self.coarser(step)

    def compare_methods(
        self,
        slo: SLO,
        *,
        slice: DurationLike = "1m",
        slice_target: TargetLike | None = None,
        no_data: NoData = "exclude",
        at: TimeLike | None = None,
    ) -> Comparison:
        """The three budgeting methods side by side; see `comparison.compare_methods`."""
        from errorbudget.comparison import compare_methods

        return compare_methods(
            slo, self, slice=slice, slice_target=slice_target, no_data=no_data, at=at
        )
