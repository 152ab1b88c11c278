"""
The status of an SLO along time, as columns.

Windows over a grid are differences of cumulative counts at its edges, so a year of minutes costs
one pass, and every figure equals the one that `evaluate` gives at that instant.

    table    the columns, and what they are asked
    windows  windows at every point of a grid
    making   the history of events or counts
"""

from errorbudget.history.making import (
    MOST_POINTS,
    grid,
    history_of_counts,
    history_of_events,
    history_of_series,
)
from errorbudget.history.table import History

__all__ = [
    "MOST_POINTS",
    "History",
    "grid",
    "history_of_counts",
    "history_of_events",
    "history_of_series",
]
