"""
Counting where the data lives: the same count series from any engine.

    patterns    regular expressions that every engine reads alike
    columns     a frame's columns by the name that conditions have for them
    conditions  predicates as an engine's own expressions
    sums        what is added up for a set of objectives
    scan        one scan of a frame
    counted     what comes home
"""

from __future__ import annotations

from errorbudget.sources.engines.counted import Bins, Counted
from errorbudget.sources.engines.scan import count

__all__ = ["Bins", "Counted", "count"]
