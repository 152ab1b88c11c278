"""
The stretch of time that an SLO is judged over.

`Rolling("30d")` is the last 30 days, (t - w, t]; `Calendar("month", zone="Europe/Berlin")` is the
month on the wall, [start, end). Both answer `interval(at)`, and `parse_window` reads either.

    interval   a stretch with one open end, and its slices
    sets       many intervals as one stretch of time: union and difference
    localtime  instants and wall clocks
    rolling    the last stretch of a fixed length
    calendar   days, weeks, months, quarters and years of a zone
    text       windows as people write them
"""

from errorbudget.windows.calendar import Calendar, Unit
from errorbudget.windows.interval import Closed, Interval, slice_count, slices
from errorbudget.windows.localtime import LocalLike
from errorbudget.windows.rolling import Rolling
from errorbudget.windows.sets import merge_intervals, subtract_intervals
from errorbudget.windows.text import Window, WindowLike, parse_window

__all__ = [
    "Calendar",
    "Closed",
    "Interval",
    "LocalLike",
    "Rolling",
    "Unit",
    "Window",
    "WindowLike",
    "merge_intervals",
    "parse_window",
    "slice_count",
    "slices",
    "subtract_intervals",
]
