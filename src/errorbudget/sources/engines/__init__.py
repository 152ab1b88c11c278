"""
Counting where the data lives: the same count series from any engine.

    patterns    regular expressions that every engine reads alike
    columns     a frame's columns by the name that conditions have for them
    conditions  predicates as an engine's own expressions
    stamps      times that an engine would round or shift
    sums        what is added up for a set of objectives
    scan        one scan of a frame
    counted     what comes home
    places      files of this machine and of stores
    inventory   the files of a folder, and which of them are alike
    openers     files as frames of an engine
    files       counts of files and folders
    latencies   histograms of durations
    store       counts that stay, and are brought up to date
"""

from __future__ import annotations

from errorbudget.sources.engines.counted import Bins, Counted, CountedEvents
from errorbudget.sources.engines.files import count_files
from errorbudget.sources.engines.latencies import latencies
from errorbudget.sources.engines.scan import count
from errorbudget.sources.engines.store import Update, holds_counts, read_counts, update_counts

__all__ = [
    "Bins",
    "Counted",
    "CountedEvents",
    "Update",
    "count",
    "count_files",
    "holds_counts",
    "latencies",
    "read_counts",
    "update_counts",
]
