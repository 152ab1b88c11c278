"""
Budgets inside a running service.

    arrivals   counters that threads step without a lock
    ring       buckets of time that know every window in them
    feed       one SLO: who takes part, what is good
    reading    from a ring to a status
    tracker    live counts of one SLO or several
    state      what a tracker holds, as a value that travels and adds up
    clock      what time it is, and a clock that stands still
    forks      what begins anew in a forked child
"""

from errorbudget.live.clock import Clock, ManualClock
from errorbudget.live.tracker import Tracker

__all__ = ["Clock", "ManualClock", "Tracker"]
