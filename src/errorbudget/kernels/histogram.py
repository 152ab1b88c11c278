"""
Histograms of latencies that merge: buckets by the leading bits of a float64.

A positive float64 is an exponent and a mantissa, and ascends with its bits. The exponent and the
first *b* bits of the mantissa number a bucket whose ends are at most 2**-b apart, relative to its
value: 64 buckets per doubling hold any latency to 0.8 %. It is DDSketch's promise with its fastest
mapping: no logarithm, no rounding, the same bucket on every machine. Counts of equal buckets add
up, in any order.

Source: Masson, Rim, Lee, "DDSketch", VLDB 12 (2019), section 2.2 and its linear mapping.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from errorbudget.errors import InvalidInputError
from errorbudget.kernels.arrays import BLOCK, values_column
from errorbudget.kernels.quantiles import (
    FilledWindows,
    bucket_of_rank,
    check_quantiles,
    nearest_rank,
    rolling_quantiles,
    sample_of,
)
from errorbudget.rolling import Closed

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Ints = NDArray[np.int64]
    Floats = NDArray[np.float64]

__all__ = [
    "bucket_bits",
    "bucket_bounds",
    "bucket_keys",
    "bucket_values",
    "rolling_quantile_sketch",
]

MANTISSA_BITS = 52


def bucket_bits(alpha: float) -> int:
    """
    Bits of the mantissa that a bucket needs for a relative error of at most *alpha*.

    Raises:
        InvalidInputError: *alpha* lies outside 1e-6 to 0.5.

    Example:
        >>> bucket_bits(0.01), 2.0 ** -(bucket_bits(0.01) + 1)
        (6, 0.0078125)
    """
    if not 1e-6 <= alpha <= 0.5:
        raise InvalidInputError(f"alpha must lie between 1e-6 and 0.5, got {alpha!r}")
    bits = 0
    while 2.0 ** -(bits + 1) > alpha:
        bits += 1
    return bits


def bucket_keys(values: ArrayLike, bits: int) -> NDArray[np.int64]:
    """
    The bucket of each value: int64, ascending with the value.

    Args:
        values: Finite and not negative, any float or integer type, shape (n,).
        bits: Bits of the mantissa that tell buckets apart, as `bucket_bits` gives them.

    Raises:
        InvalidSeriesError: A value is NaN, infinite or negative.

    Example:
        >>> bucket_keys([0.0, 1.0, 1.01, 1.02], 6).tolist()
        [0, 65472, 65472, 65473]
    """
    numbers = values_column(values, len(np.asarray(values)))
    return numbers.view(np.int64) >> (MANTISSA_BITS - bits)


def bucket_bounds(keys: ArrayLike, bits: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """
    Where each bucket begins and where the next one does.

    Example:
        >>> [bound.tolist() for bound in bucket_bounds([65472], 6)]
        [[1.0], [1.015625]]
    """
    numbers = np.asarray(keys, dtype=np.int64)
    shift = MANTISSA_BITS - bits
    return (numbers << shift).view(np.float64), ((numbers + 1) << shift).view(np.float64)


def bucket_values(keys: ArrayLike, bits: int) -> NDArray[np.float64]:
    """
    The middle of each bucket: at most 2**-(bits + 1) off, relative to any value in it.

    Of values below 2**-1022, which a float64 keeps with fewer digits, it is 0.
    """
    numbers, shift = np.asarray(keys, dtype=np.int64), MANTISSA_BITS - bits
    middle = ((numbers << shift) + (1 << (shift - 1))).view(np.float64)
    return np.where(numbers < (1 << bits), 0.0, middle)


def _likely_keys(sample: Floats, bits: int, share: Fraction) -> tuple[int, int]:
    """The first and last bucket between which *share* of the values of most windows is reached."""
    beyond = max(1 - float(share), 0.01)
    places = np.clip([float(share) - beyond, float(share) + beyond / 2], 0, 1)
    low, high = sample[(places * (len(sample) - 1)).astype(np.int64)].view(np.int64).tolist()
    return low >> (MANTISSA_BITS - bits), high >> (MANTISSA_BITS - bits)


def _count_type(most: int) -> type[np.int32 | np.int64]:
    """What holds counts up to *most*."""
    return np.int32 if most < 2**31 else np.int64


def _running_histograms(
    numbers: Floats, edges: Ints, bits: int, spans: Sequence[tuple[int, int]]
) -> list[NDArray[np.integer]]:
    """
    Values before each edge and up to each bucket of each of the *spans*, in one pass.

    Args:
        numbers: Values in order of time, shape (n,).
        edges: Rows of them, ascending, each once.
        bits: Bits of the mantissa that tell buckets apart.
        spans: The first and last bucket to count, low and high.

    Returns:
        Counts per span, shape (edges, high - low + 2): lower values are left out, the last column
        has those beyond. Those of a window are the difference of two rows.
    """
    shift = MANTISSA_BITS - bits
    dtype = _count_type(len(numbers))
    # The last row: behind all edges.
    tables = [np.zeros((len(edges) + 1, high - low + 2), dtype) for low, high in spans]
    floor = np.int64(min(low for low, _ in spans) << shift).view(np.float64)
    for start in range(0, len(numbers), BLOCK):
        block = numbers[start : start + BLOCK]
        places = np.flatnonzero(block >= floor)
        keys = block[places].view(np.int64) >> shift
        first, last = edges.searchsorted([start, start + len(block)], "right").tolist()
        for span, (low, _) in enumerate(spans):
            inside = np.flatnonzero(keys >= low)
            _count(
                tables[span][first : last + 1],
                keys[inside] - low,
                places[inside],
                edges[first:last] - start,
            )
    for table in tables:
        np.cumsum(table, axis=0, out=table)
        np.cumsum(table, axis=1, out=table)
    return [table[:-1] for table in tables]


def _count(table: NDArray[np.integer], columns: Ints, places: Ints, edges: Ints) -> None:
    """Add each value to the row of the stretch between *edges* it lies in, and to its column."""
    width = table.shape[1]
    borders = np.concatenate(([0], places.searchsorted(edges), [len(places)]))
    cells = np.minimum(columns, width - 1)
    cells += np.repeat(np.arange(0, len(table) * width, width), np.diff(borders))
    flat = table.ravel()
    if len(flat) < 16 * len(cells):
        flat += np.bincount(cells, minlength=len(flat)).astype(table.dtype)
    else:
        np.add.at(flat, cells, 1)


def rolling_quantile_sketch(
    time_ns: ArrayLike,
    values: ArrayLike,
    ends_ns: ArrayLike,
    window_ns: int,
    quantiles: Sequence[Fraction | float | str],
    *,
    alpha: float = 0.01,
    closed: Closed = "right",
) -> NDArray[np.float64]:
    """
    Quantiles of the values in the window that ends at each of *ends_ns*, to a relative error.

    As `rolling_quantiles`, from histograms: each answer is the middle of the bucket that holds the
    exact one. Buckets are counted about where the quantile of all values lies; windows with an
    answer elsewhere, as early ones may have, are answered exactly.

    Args:
        time_ns: Ascending instants [ns], shape (n,).
        values: One value per event, such as a latency; finite and not negative, shape (n,).
        ends_ns: Where the windows end, ascending [ns], shape (g,).
        window_ns: Length of the window [ns, > 0].
        quantiles: Shares in (0, 1]; a float counts as it is written, so 0.95 is 95/100.
        alpha: Largest relative error, 1e-6 to 0.5.
        closed: Which end of the window belongs to it.

    Returns:
        A row per quantile, a value per end, float64, shape (len(quantiles), g); NaN where the
        window is empty.

    Raises:
        InvalidSeriesError: *time_ns* or *ends_ns* descends, or a value is NaN, infinite or negative
            (`.index` is the first).
        InvalidInputError: A quantile lies outside (0, 1], or *alpha* outside 1e-6 to 0.5.
        InvalidWindowError: *window_ns* is not positive.

    Time: O(n + g log buckets); memory: O(quantiles x g x buckets), some dozens of them at 1 %.

    Example:
        >>> rolling_quantile_sketch([1, 2, 3], [0.3, 0.1, 0.2], [3], 2, [1.0]).round(2).tolist()
        [[0.2]]
    """
    shares, bits = check_quantiles(quantiles), bucket_bits(alpha)
    windows = FilledWindows.of(time_ns, values, ends_ns, window_ns, closed)
    answers = np.full((len(shares), len(windows.ends)), np.nan)
    if not len(windows.filled) or not shares:
        return answers
    numbers, starts, stops, filled = windows.values, windows.starts, windows.stops, windows.filled
    edges = np.sort(np.concatenate([starts, stops]), kind="stable")  # two ascending runs: a merge
    edges = edges[np.append(True, edges[1:] > edges[:-1])]
    start, stop = edges.searchsorted(starts), edges.searchsorted(stops)
    sample = np.sort(sample_of(numbers))
    unlikely = np.zeros(len(filled), dtype=np.bool_)
    spans = [_likely_keys(sample, bits, share) for share in shares]
    tables = _running_histograms(numbers, edges, bits, spans)
    for row, share in enumerate(shares):
        (low, high), table = spans[row], tables[row]
        below = stops - starts - (table[stop, -1] - table[start, -1])
        rank = nearest_rank(stops - starts, share) - below
        bucket = bucket_of_rank(table, start, stop, rank)
        answers[row, filled] = bucket_values(bucket + low, bits)
        unlikely |= (rank < 1) | (bucket > high - low)
    if unlikely.any():
        again = filled[unlikely]
        reach = slice(int(starts[unlikely].min()), int(stops[unlikely].max()))
        answers[:, again] = rolling_quantiles(
            windows.time[reach],
            numbers[reach],
            windows.ends[again],
            window_ns,
            shares,
            closed=closed,
        )
    return answers
