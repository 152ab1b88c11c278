"""
Predicates over columns: the numpy twin of `Predicate.matches`.

The three answers are two masks, *yes* and *no*; where both are false the answer is unknown. A label
predicate is asked once per distinct text, and then looked up by code.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from errorbudget.errors import InvalidSeriesError
from errorbudget.predicates import (
    All,
    Any_,
    Everything,
    Flag,
    LabelIn,
    LabelMatches,
    Not,
    Number,
    Predicate,
    StatusIn,
    label_text,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Mask = NDArray[np.bool_]

__all__ = ["Columns", "matches", "numbers"]

_COMPARE = {"<=": np.less_equal, "<": np.less, ">=": np.greater_equal, ">": np.greater}


class Columns(Protocol):
    """Columns by name, all of one length; a label column has `codes` and `values`."""

    def __len__(self) -> int:
        """How many events there are."""
        ...

    def column(self, name: str) -> Any:
        """The column called *name*; raises when there is none."""
        ...


def numbers(events: Columns, name: str) -> NDArray[np.float64]:
    """
    The numeric column called *name*; float64, shape (n,).

    Raises:
        InvalidSeriesError: There is none, or it holds texts.
    """
    column = events.column(name)
    if hasattr(column, "codes"):
        raise InvalidSeriesError(
            f'"{name}" holds texts, not numbers; ask label("{name}") or pass it as values={{...}}'
        )
    return np.asarray(column, dtype=np.float64)


def matches(predicate: Predicate, events: Columns) -> tuple[Mask, Mask]:
    """
    Which events meet *predicate*, and which do not.

    Args:
        predicate: The condition.
        events: Columns of shape (n,).

    Returns:
        Masks (yes, no), each of shape (n,); where neither is set, the event lacks what the
        condition asks for.

    Raises:
        InvalidSeriesError: The events have no such column at all.
    """
    if isinstance(predicate, Everything):
        return np.ones(len(events), dtype=bool), np.zeros(len(events), dtype=bool)
    if isinstance(predicate, Not):
        yes, no = matches(predicate.part, events)
        return no, yes
    if isinstance(predicate, (All, Any_)):
        want_all = isinstance(predicate, All)
        yes, no = matches(predicate.parts[0], events)
        for part in predicate.parts[1:]:
            part_yes, part_no = matches(part, events)
            yes = yes & part_yes if want_all else yes | part_yes
            no = no | part_no if want_all else no & part_no
        return yes, no
    if isinstance(predicate, StatusIn):
        # One look-up per status code instead of two comparisons per range and event.
        table = np.zeros(600, dtype=bool)
        for low, high in predicate.ranges:
            table[low : high + 1] = True
        status = events.column("status")
        yes = table[status]
        return yes, ~yes & (status != 0)
    if isinstance(predicate, (LabelIn, LabelMatches)):
        column = events.column(predicate.name)
        if hasattr(column, "codes"):
            answers = np.array([predicate.holds(text) for text in (*column.values, "")])
            yes = answers[column.codes]  # code -1, a missing label, meets the last: ""
        else:
            yes = np.fromiter(
                (predicate.holds(label_text(value)) for value in column.tolist()), dtype=bool
            )
        return yes, ~yes
    if isinstance(predicate, Number):
        values = numbers(events, predicate.column)
        yes = _COMPARE[predicate.op](values, float(predicate.bound))
        return yes, ~yes & ~np.isnan(values)
    if isinstance(predicate, Flag):
        values = numbers(events, predicate.column)
        missing = np.isnan(values)
        return (values != 0) & ~missing, (values == 0) & ~missing
    raise TypeError(f"no columnar reading of {type(predicate).__name__}")
