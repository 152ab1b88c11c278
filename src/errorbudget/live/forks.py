"""
What has to begin anew in a forked child: locks, counters, threads.

Servers load an application once and fork it into workers. A lock may be held at that moment by a
thread that the child does not have, and counts that the parent holds are the parent's to report.
Libraries have locks of their own, which nobody can renew: so background threads come to rest first.
"""

from __future__ import annotations

import os
from itertools import count
from typing import Protocol
from weakref import WeakValueDictionary

__all__ = ["pause", "watch"]


class _Forkable(Protocol):
    def after_fork(self) -> None:
        """Begin anew in the child."""


class _Pausable(_Forkable, Protocol):
    def before_fork(self) -> None:
        """Come to rest."""

    def after_fork_in_parent(self) -> None:
        """Go on."""


# In the order in which they were made: a watcher begins anew after what it watches.
_watched: WeakValueDictionary[int, _Forkable] = WeakValueDictionary()
_paused: WeakValueDictionary[int, _Pausable] = WeakValueDictionary()
_numbers = count()


def watch(thing: _Forkable) -> None:
    """Call `thing.after_fork()` in every forked child, as long as something else holds it."""
    _watched[next(_numbers)] = thing


def pause(thing: _Pausable) -> None:
    """Let *thing* come to rest before every fork as well, and go on in the parent."""
    _paused[next(_numbers)] = thing
    watch(thing)


def _rest() -> None:
    for thing in list(_paused.values()):
        thing.before_fork()


def _go_on() -> None:
    for thing in list(_paused.values()):
        thing.after_fork_in_parent()


def _begin_anew() -> None:
    for thing in list(_watched.values()):
        thing.after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_rest, after_in_parent=_go_on, after_in_child=_begin_anew)
