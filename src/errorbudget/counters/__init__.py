"""
What the samples of a counter say about a window: two readings, chosen by name.

A counter only grows, until its process restarts and it starts over from 0. A server looks at it
now and then, so that a window (start, end] almost never begins and ends on a sample. There are two
ways out:

- **anchored** (`anchored_increase`): the value at or before the end minus the value at or before
  the start, a reset adding the new value. Whole events, and adjacent windows add up. A look-back
  bounds how old a value at the start may be; what a gap hides is said by `hidden_increase` and
  `coverage`.
- **prometheus** (`increase`, `rate`, `delta`): the samples inside the window, extrapolated to its
  edges, in the three sets of rules that servers have had (`RULES`). Adjacent windows do not add
  up; it is here to agree with what a server, its rules and its dashboards say, float operation by
  float operation.

These are the slow and obvious twins of `kernels.counters`: one series, one instant, plain Python.

    samples     what a series is, and which of its samples lie in a window
    anchored    the first reading
    prometheus  the second
"""

from errorbudget.counters.anchored import Born, anchored_increase, coverage, hidden_increase
from errorbudget.counters.prometheus import (
    changes,
    delta,
    idelta,
    increase,
    irate,
    last_value,
    rate,
    resets,
)
from errorbudget.counters.samples import (
    LOOKBACK_MS,
    RULES,
    STALE,
    Rules,
    is_stale,
    samples_in_window,
)

__all__ = [
    "LOOKBACK_MS",
    "RULES",
    "STALE",
    "Born",
    "Rules",
    "anchored_increase",
    "changes",
    "coverage",
    "delta",
    "hidden_increase",
    "idelta",
    "increase",
    "irate",
    "is_stale",
    "last_value",
    "rate",
    "resets",
    "samples_in_window",
]
