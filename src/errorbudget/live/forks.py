"""
What has to begin anew in a forked child: locks, counters, threads.

Servers load an application once and fork it into workers. A lock may be held at that moment by a
thread that the child does not have, and counts that the parent holds are the parent's to report.
"""

from __future__ import annotations

import os
from itertools import count
from typing import Protocol
from weakref import WeakValueDictionary

__all__ = ["watch"]


class _Forkable(Protocol):
    def after_fork(self) -> None:
        """Begin anew in the child."""


# In the order in which they were made: a watcher begins anew after what it watches.
_watched: WeakValueDictionary[int, _Forkable] = WeakValueDictionary()
_numbers = count()


def watch(thing: _Forkable) -> None:
    """Call `thing.after_fork()` in every forked child, as long as something else holds it."""
    _watched[next(_numbers)] = thing


def _begin_anew() -> None:
    for thing in list(_watched.values()):
        thing.after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_begin_anew)
