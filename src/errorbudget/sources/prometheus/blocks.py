"""
Samples `[t,"v"],[t,"v"]` as columns: the inside of a matrix, without one object per sample.

Quotation marks give the shape, which is checked byte by byte; numbers of plain digits are read many
at a time. A value that is none, such as `NaN`, `+Inf` or `1e-300`, is read on its own.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from errorbudget.sources.prometheus.digits import Text, eight, pointed, whole

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

__all__ = ["MOST_MS", "NUMBER", "OddShapeError", "read_blocks"]

NUMBER = re.compile(rb"[+-]?(?:[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?|Inf)|NaN")
"""A value as servers write it."""

MOST_MS = 2**53
"""Instants this far from 1970 or further [ms] are none: every one below is a whole float64."""


class OddShapeError(Exception):
    """The bytes are not of the shape that is read here; `json` has to."""


_CACHED = 1 << 18  # bytes whose columns stay in the processor's cache while they are read


def read_blocks(blocks: Sequence[memoryview]) -> tuple[Ints, Floats, Ints]:
    """Times [ms], values and number of samples of blocks `[t,"v"],[t,"v"]`."""
    times: list[Ints] = []
    values: list[Floats] = []
    counts: list[Ints] = []
    held: list[memoryview] = []
    size = 0
    for index, block in enumerate(blocks, start=1):
        held.append(block)
        size += len(block)
        if size >= _CACHED or index == len(blocks):
            t_ms, numbers, sizes = _read_together(held)
            times.append(t_ms)
            values.append(numbers)
            counts.append(sizes)
            held, size = [], 0
    return np.concatenate(times), np.concatenate(values), np.concatenate(counts)


def _read_together(blocks: Sequence[memoryview]) -> tuple[Ints, Floats, Ints]:
    # Room on both sides, so that every number has a word of its own, and a comma after each block.
    text = Text.of(b" " * 16 + b",".join(blocks) + b"," + b" " * 8)
    data = text.data
    quotes = np.flatnonzero(data == ord('"'))
    if len(quotes) % 2 or not len(quotes) or quotes[-1] + 11 != len(data):
        raise OddShapeError
    opened, closed = quotes[0::2], quotes[1::2]
    begin = np.concatenate(([16], closed[:-1] + 3))
    shape = (
        (data[begin] == ord("["))
        & (data[opened - 1] == ord(","))
        & (data[closed + 1] == ord("]"))
        & (data[closed + 2] == ord(","))
        & (opened - 1 > begin)
    )
    lengths = np.fromiter(map(len, blocks), dtype=np.int64, count=len(blocks))
    ends = 16 + np.cumsum(lengths + 1)
    upto = np.searchsorted(closed, ends)
    if not shape.all() or not (closed[upto - 1] + 3 == ends).all():
        raise OddShapeError
    return (
        _read_times(text, begin + 1, opened - 1),
        _read_values(text, opened + 1, closed),
        np.diff(upto, prepend=0),
    )


def _read_times(text: Text, start: Ints, end: Ints) -> Ints:
    """Instants written in seconds with up to three decimals [ms]."""
    seconds: NDArray[Any]
    if text.has_dots(start, end):
        seconds, read = pointed(text, start, end)
    else:
        seconds, read = _ten_digits(text, start, end) or whole(text, start, end)
    padded = (text.data[start] == ord("0")) & (end - start > 1)  # 0.5 is JSON, 05 is none
    if not read.all() or padded.any() or int(seconds.max()) * 1000 >= MOST_MS:
        raise OddShapeError
    return np.rint(seconds * 1000).astype(np.int64, copy=False)


def _ten_digits(text: Text, start: Ints, end: Ints) -> tuple[Ints, Any] | None:
    """Seconds of today: the first two digits are alike for years, and are read once."""
    head = text.words[start] & np.uint64(0xFFFF)
    if not ((end - start == 10) & (head == head[0])).all():
        return None
    lead, lead_read = whole(text, start[:1], start[:1] + 2)
    seconds, read = eight(text.words[end - 8])
    return seconds + lead[0] * 100_000_000, read & lead_read[0]


def _read_values(text: Text, start: Ints, end: Ints) -> Floats:
    """The numbers between quotation marks; odd ones one by one."""
    if text.has_dots(start, end):
        values, read = pointed(text, start, end)
    else:
        plain, read = whole(text, start, end)
        values = plain.astype(np.float64)
    odd = np.flatnonzero(~read)
    if len(odd):
        pairs = zip(start[odd].tolist(), end[odd].tolist(), strict=True)
        numbers = [text.raw[a:b] for a, b in pairs]
        if not all(map(NUMBER.fullmatch, numbers)):
            raise OddShapeError
        values[odd] = np.fromiter(map(float, numbers), np.float64, len(numbers))
    return values
