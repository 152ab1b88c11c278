"""
Borders through which data comes in: files of request logs.

    read_events     any number of files as `Events`, told apart by content
    Reading         what was found in them, and what was left out
"""

from __future__ import annotations

from errorbudget.sources.read import read_events
from errorbudget.sources.reading import FileReading, Reading, SkippedLine

__all__ = ["FileReading", "Reading", "SkippedLine", "read_events"]
