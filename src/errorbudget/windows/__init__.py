"""
The stretch of time that an SLO is judged over.

`Rolling("30d")` is the last 30 days, (t - w, t]; `Calendar("month", zone="Europe/Berlin")` is the
month on the wall, [start, end). Both answer `interval(at)`, and `parse_window` reads either.

    interval   a stretch with one open end, and its slices
    localtime  instants and wall clocks
    rolling    the last stretch of a fixed length
    calendar   days, weeks, months, quarters and years of a zone
    text       windows as people write them
"""

from errorbudget.windows.calendar import Anchor, Calendar, Unit
from errorbudget.windows.interval import Closed, Interval, slice_count, slices
from errorbudget.windows.rolling import Rolling
from errorbudget.windows.text import Window, WindowLike, parse_window

__all__ = [
    "Anchor",
    "Calendar",
    "Closed",
    "Interval",
    "Rolling",
    "Unit",
    "Window",
    "WindowLike",
    "parse_window",
    "slice_count",
    "slices",
]
