"""
Counters at many instants at once: the numpy twin of `errorbudget.counters`.

One series, many windows. Each window is two positions among the samples (`searchsorted`); growth
is the last value less the first plus what the resets in between took away, looked up in a running
sum. Running sums drift, so they are used only where every sum is a whole number below 2**53, which
counters are; elsewhere each window's resets are added up on their own, correctly rounded.

Functions take the arguments of their twins, with arrays in place of lists and of the instant, and
give float64 of shape (m,), NaN in place of None. `count_over_time` tells a NaN sample from no
sample.
"""

from errorbudget.kernels.counters.anchored import (
    anchored_increase,
    coverage,
    hidden_increase,
    increments,
)
from errorbudget.kernels.counters.prometheus import (
    changes,
    delta,
    idelta,
    increase,
    irate,
    last_value,
    rate,
    resets,
)
from errorbudget.kernels.counters.samples import Windows, is_stale, range_sums, windows

__all__ = [
    "Windows",
    "anchored_increase",
    "changes",
    "coverage",
    "delta",
    "hidden_increase",
    "idelta",
    "increase",
    "increments",
    "irate",
    "is_stale",
    "last_value",
    "range_sums",
    "rate",
    "resets",
    "windows",
]
