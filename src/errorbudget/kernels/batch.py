"""Many SLOs at once: burn rates of all windows of each count series, a series at a time."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from errorbudget.errors import InvalidCountsError, InvalidSeriesError
from errorbudget.kernels import ratios
from errorbudget.kernels.arrays import (
    adds_beyond_int64,
    beyond_int64,
    check_out,
    check_threads,
)
from errorbudget.kernels.grid import BINS, grid_windows, window_pieces
from errorbudget.rolling import check_steps
from errorbudget.target import Target, TargetLike

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = ["batch_burn_rates"]


def _table(name: str, counts: ArrayLike) -> NDArray[np.integer]:
    table = np.asarray(counts)
    if table.ndim != 2:
        raise InvalidSeriesError(f"{name} must have two dimensions, got {table.ndim}")
    if table.dtype.kind not in "iub" and table.size:
        raise InvalidSeriesError(f"{name} must be integer counts, got {table.dtype}")
    if beyond_int64(table):
        raise InvalidCountsError(f"{name} has more than 2**63 - 1 events in a bin")
    return table


def _fill(
    good: NDArray[np.integer],
    total: NDArray[np.integer],
    steps: list[int],
    targets: Sequence[Target],
    out: NDArray[np.float64],
    rows: range,
) -> None:
    bins = good.shape[1]
    bad = np.empty(bins, dtype=np.int64)
    bad_cum, total_cum = np.zeros((2, bins + 1), dtype=np.int64)
    columns = np.empty((2, bins + 1))
    scratch = np.empty((2, min(BINS, bins)))
    for row in rows:
        np.subtract(total[row], good[row], out=bad, dtype=np.int64)
        if min(good[row].min(), bad.min()) < 0:
            index = int(np.argmax((good[row] > total[row]) | (good[row] < 0)))
            raise InvalidCountsError(
                f"good must lie between 0 and total, got {good[row, index]} good of "
                f"{total[row, index]} in bin {index} of series {row}"
            )
        if adds_beyond_int64(total[row]):
            raise InvalidCountsError(
                f"more than 2**63 - 1 events in series {row}; split the series"
            )
        np.cumsum(bad, out=bad_cum[1:])
        np.cumsum(total[row], dtype=np.int64, out=total_cum[1:])
        error = targets[row].error
        if not error or int(total_cum[-1]) * error.denominator >= ratios.EXACT_BELOW:
            counts = grid_windows(total_cum - bad_cum, total_cum, steps)
            out[row] = ratios.burn_rate(*counts, targets[row])
            continue
        # Whole numbers below 2**53, so float64 keeps them exactly.
        np.multiply(bad_cum, float(error.denominator), out=columns[0])
        np.multiply(total_cum, float(error.numerator), out=columns[1])
        with np.errstate(invalid="ignore"):
            for window, step in enumerate(steps):
                for piece, (down, whole) in window_pieces(columns, step, scratch):
                    np.divide(down, whole, out=out[row, window, piece])


def batch_burn_rates(
    good: ArrayLike,
    total: ArrayLike,
    steps: Sequence[int],
    target: TargetLike | Sequence[TargetLike],
    *,
    out: NDArray[np.float64] | None = None,
    threads: int = 1,
) -> NDArray[np.float64]:
    """
    Burn rates of several windows at every bin of many count series.

    Each is `burn_rate` of `grid_windows` of its series: correctly rounded, windows partial at the
    start.

    Args:
        good: Good events per bin, integers, shape (series, bins).
        total: All events per bin, integers, shape (series, bins).
        steps: Length of each window in bins [> 0].
        target: Exact share of events that must be good, in (0, 1]; one for all, or a list or tuple
            of one per series.
        out: Where to write the answer, such as part of a memory-mapped file; None allocates.
        threads: Threads to share the series.

    Returns:
        Burn rate [1, >= 0], float64, shape (series, len(steps), bins); NaN where a window holds no
        events.

    Raises:
        InvalidSeriesError: Shapes do not fit together.
        InvalidCountsError: A bin's good lies outside 0 to its total, or a series has more than
            2**63 - 1 events.
        InvalidWindowError: A window has no bin.
        InvalidTargetError: A target lies outside (0, 1].

    Time: O(series x len(steps) x bins); memory: the answer, and a few series of scratch.

    Example:
        >>> batch_burn_rates([[9, 10], [0, 5]], [[10, 10], [0, 10]], [1, 2], "90%").tolist()
        [[[1.0, 0.0], [1.0, 0.5]], [[nan, 5.0], [nan, 5.0]]]
    """
    fine, whole = _table("good", good), _table("total", total)
    if fine.shape != whole.shape:
        raise InvalidSeriesError(f"good has shape {fine.shape} and total {whole.shape}")
    check_threads(threads)
    series, bins = fine.shape
    lengths = check_steps(steps)
    targets = [Target(one) for one in target] if isinstance(target, (list, tuple)) else None
    if targets is None:
        targets = [Target(target)] * series
    if len(targets) != series:
        raise InvalidSeriesError(f"{len(targets)} targets for {series} series: one each is needed")
    shape = (series, len(lengths), bins)
    if out is None:
        out = np.empty(shape)
    check_out([out], shape)
    if not bins:
        return out
    cuts = [series * share // threads for share in range(threads + 1)]
    with ThreadPoolExecutor(threads) as pool:
        jobs = [
            pool.submit(_fill, fine, whole, lengths, targets, out, range(start, stop))
            for start, stop in pairwise(cuts)
        ]
    for job in jobs:
        job.result()
    return out
