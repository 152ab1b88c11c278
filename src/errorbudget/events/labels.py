"""Texts of events, each distinct one stored once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from errorbudget.errors import InvalidSeriesError
from errorbudget.events.columns import one_column
from errorbudget.predicates import is_missing, label_text

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = ["Labels"]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Labels:
    """
    One text per event, stored once per distinct text.

    Args:
        codes: Position in *values* per event, -1 where the event has no such label;
            shape (n,), int32.
        values: The distinct texts.
    """

    codes: NDArray[np.int32]
    values: tuple[str, ...]

    def __post_init__(self) -> None:
        codes = one_column("label codes", self.codes)
        if isinstance(self.values, str) or not isinstance(self.values, Iterable):
            raise InvalidSeriesError(f"label values must be a list of texts, got {self.values!r}")
        object.__setattr__(self, "values", tuple(str(value) for value in self.values))
        if codes.dtype.kind not in "iu" and len(codes):
            raise InvalidSeriesError(f"label codes must be integers, got {codes.dtype}")
        if len(codes) and not -1 <= int(codes.min()) <= int(codes.max()) < len(self.values):
            wrong = int(np.flatnonzero((codes < -1) | (codes >= len(self.values)))[0])
            raise InvalidSeriesError(
                f"label code {codes[wrong]} at index {wrong} has no value", index=wrong
            )
        object.__setattr__(self, "codes", codes.astype(np.int32, copy=False))

    @classmethod
    def encode(cls, texts: ArrayLike) -> Labels:
        """Labels of plain texts, one per event; None and NaN mean "no such label"."""
        # As objects from the start: a list with NaN in it would become the text "nan".
        column = one_column("a label column", texts, "object")
        positions: dict[str, int] = {}
        codes = np.fromiter(
            (
                -1 if is_missing(text) else positions.setdefault(label_text(text), len(positions))
                for text in column
            ),
            dtype=np.int32,
            count=len(column),
        )
        return cls(codes, tuple(positions))

    def __len__(self) -> int:
        return len(self.codes)

    def take(self, rows: NDArray[Any]) -> Labels:
        """The labels at *rows*, positions or a mask."""
        return Labels(self.codes[rows], self.values)

    def decode(self) -> list[str | None]:
        """The text of every event."""
        table: list[str | None] = [*self.values, None]
        return [table[code] for code in self.codes.tolist()]

    def __repr__(self) -> str:
        return f"Labels({len(self)} events, {len(self.values)} values)"
