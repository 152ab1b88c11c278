"""
The maths on numpy columns: twins of the plain functions, by the same names with the same arguments.

Counts agree with the plain twin exactly; a ratio is the exact one, correctly rounded. Inputs may be
strided, read-only or of foreign byte order, are never written to, and are checked for order.
"""

from errorbudget.kernels.batch import batch_burn_rates
from errorbudget.kernels.grid import grid_budget, grid_counts, grid_windows
from errorbudget.kernels.histogram import rolling_quantile_sketch
from errorbudget.kernels.quantiles import rolling_quantiles
from errorbudget.kernels.ratios import budget_remaining, burn_exceeds, burn_rate, sli
from errorbudget.kernels.rolling import rolling_budget, rolling_counts

__all__ = [
    "NUMPY_FROM",
    "batch_burn_rates",
    "budget_remaining",
    "burn_exceeds",
    "burn_rate",
    "grid_budget",
    "grid_counts",
    "grid_windows",
    "rolling_budget",
    "rolling_counts",
    "rolling_quantile_sketch",
    "rolling_quantiles",
    "sli",
]

NUMPY_FROM = 256
"""
Events from which a kernel is faster than its plain twin; `errorbudget.trailing` goes by it.

Source: `benchmarks/crossover.py`.
"""
