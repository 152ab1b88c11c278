"""
What windows are counted over: units of good and bad, in time.

Three shapes answer one question, "how many were there up to this instant?": single events, bins of
counts, and updates that keep data fresh. A window is the difference of two answers, exact however
often it slides.

    question   what is asked of all of them
    singles    a unit per event
    bins       units per bin
    freshness  time during which data was fresh
"""

from errorbudget.series.bins import CountSeries, check_grid
from errorbudget.series.freshness import FreshSeries
from errorbudget.series.question import Series, window_counts
from errorbudget.series.singles import EventSeries

__all__ = ["CountSeries", "EventSeries", "FreshSeries", "Series", "check_grid", "window_counts"]
