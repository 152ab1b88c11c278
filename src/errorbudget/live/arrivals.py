"""
Counters that any thread may step without a lock.

`next(itertools.count())` is one step that no other thread can split: under the GIL always, and
without it from Python 3.14 on. There is no way to look at such a counter without stepping it, so a
reader subtracts how often it has looked. Interpreters without both take a lock.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from itertools import count

__all__ = ["Arrivals", "Step"]

Step = Callable[[], int]
"""Counts one unit."""


def _steps_alone() -> bool:
    """Whether `next` of a count is one step here."""
    gil_enabled: Callable[[], bool] = getattr(sys, "_is_gil_enabled", lambda: True)
    return gil_enabled() or sys.version_info >= (3, 14)


def _locked_count() -> Step:
    lock = threading.Lock()
    value = -1

    def step() -> int:
        nonlocal value
        with lock:
            value += 1
            return value

    return step


class Arrivals:
    """
    Good and bad units that have come.

    Attributes:
        good: Call it once for each good unit.
        bad: Call it once for each bad unit.
    """

    __slots__ = ("_looks", "bad", "good")

    def __init__(self, *, locked: bool | None = None) -> None:
        plain = _steps_alone() if locked is None else not locked
        self.good: Step = count().__next__ if plain else _locked_count()
        self.bad: Step = count().__next__ if plain else _locked_count()
        self._looks = 0

    def read(self) -> tuple[int, int]:
        """
        Good and bad units so far; the caller holds a lock, so that one thread reads at a time.

        Example:
            >>> arrivals = Arrivals()
            >>> _ = arrivals.good(), arrivals.good(), arrivals.bad()
            >>> arrivals.read(), arrivals.read()
            ((2, 1), (2, 1))
        """
        looks = self._looks
        self._looks = looks + 1
        return self.good() - looks, self.bad() - looks
