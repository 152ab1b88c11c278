"""How many events, and bad ones, have which labels."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import TYPE_CHECKING

import numpy as np

from errorbudget.errors import InvalidInputError, InvalidSeriesError, did_you_mean
from errorbudget.events import Events, Labels

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Key", "tally"]

Key = tuple[str | None, ...]
"""A text for each column; None where events have no such label."""

MOST_ROWS = 5_000_000
"""Rows of one tally, which are held in memory: about 350 bytes each."""


def tally(
    events: Events, by: Sequence[str], rows: NDArray[np.intp], bad: NDArray[np.bool_]
) -> list[tuple[Key, int, int]]:
    """
    Every combination of labels that occurs, with how many events and bad ones it has.

    Args:
        events: Where the rows are.
        by: Names of labels, "status" or "status_class".
        rows: Positions of the events; shape (n,).
        bad: Which of them are bad; shape (n,).

    Raises:
        InvalidInputError: There are more combinations than memory is taken for.
        InvalidSeriesError: There is no such label.
    """
    columns = [_column(events, name) for name in by]
    sizes = [len(column.values) + 1 for column in columns]  # code -1, no label, is one of them
    key = np.zeros(len(rows), dtype=np.int64)
    if prod(sizes) <= max(4 * len(rows), 1 << 16):  # a place for every combination
        for column, size in zip(columns, sizes, strict=True):
            key *= size
            key += column.codes[rows]
            key += 1
        kinds = np.stack(np.unravel_index(np.arange(prod(sizes)), sizes))
    else:
        kinds, key = np.unique(
            np.stack([column.codes[rows] + 1 for column in columns]), axis=1, return_inverse=True
        )
    total = np.bincount(key.ravel(), minlength=kinds.shape[1])
    missed = np.bincount(key.ravel()[bad], minlength=kinds.shape[1])
    places = np.flatnonzero(total)
    if len(places) > MOST_ROWS:
        raise InvalidInputError(
            f"{', '.join(by)} of these events make {len(places):,} rows, more than {MOST_ROWS:,}; "
            "take labels with fewer values"
        )
    texts = [
        [None if code == 0 else column.values[code - 1] for code in codes]
        for codes, column in zip(kinds[:, places].tolist(), columns, strict=True)
    ]
    keys = zip(*texts, strict=True)
    return list(zip(keys, total[places].tolist(), missed[places].tolist(), strict=True))


def _column(events: Events, name: str) -> Labels:
    if name in ("status", "status_class"):
        status: NDArray[np.int16] = events.column("status")
        codes = status.astype(np.int32) // (100 if name == "status_class" else 1)
        ends = "xx" if name == "status_class" else ""
        most = int(codes.max(initial=0))
        return Labels(codes - 1, tuple(f"{code}{ends}" for code in range(1, most + 1)))
    column = events.labels.get(name)
    if column is None:
        known = ("status", "status_class", *events.labels)
        raise InvalidSeriesError(
            f'events have no label "{name}"; there are {", ".join(known)}'
            f"{did_you_mean(name, known)}"
        )
    return column
