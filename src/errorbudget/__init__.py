"""
How much failure can we still afford, and what should we do about it?

Names load when they are first used, so importing the package costs next to nothing.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from errorbudget.alerts import GUIDE as GUIDE
    from errorbudget.alerts import WORKBOOK as WORKBOOK
    from errorbudget.alerts import AlertPolicy as AlertPolicy
    from errorbudget.alerts import AlertState as AlertState
    from errorbudget.alerts import BurnAlert as BurnAlert
    from errorbudget.allowances import allowance as allowance
    from errorbudget.allowances import nines_table as nines_table
    from errorbudget.allowances import target_for as target_for
    from errorbudget.budget import Budget as Budget
    from errorbudget.budget import budget_consumed as budget_consumed
    from errorbudget.budget import budget_remaining as budget_remaining
    from errorbudget.burn import budget_spent as budget_spent
    from errorbudget.burn import burn_rate as burn_rate
    from errorbudget.burn import burn_threshold as burn_threshold
    from errorbudget.burn import detection_time as detection_time
    from errorbudget.burn import max_burn_rate as max_burn_rate
    from errorbudget.burn import reset_time as reset_time
    from errorbudget.burn import time_to_exhaustion as time_to_exhaustion
    from errorbudget.comparison import Comparison as Comparison
    from errorbudget.comparison import compare_corrections as compare_corrections
    from errorbudget.composite import Composite as Composite
    from errorbudget.composite import combine as combine
    from errorbudget.corrections import BudgetReset as BudgetReset
    from errorbudget.corrections import Maintenance as Maintenance
    from errorbudget.counts import Counts as Counts
    from errorbudget.errors import ErrorBudgetError as ErrorBudgetError
    from errorbudget.errors import ErrorBudgetWarning as ErrorBudgetWarning
    from errorbudget.evaluation import Report as Report
    from errorbudget.evaluation import evaluate as evaluate
    from errorbudget.events import Events as Events
    from errorbudget.events import Labels as Labels
    from errorbudget.history import History as History
    from errorbudget.live import Tracker as Tracker
    from errorbudget.methods import Occurrences as Occurrences
    from errorbudget.methods import RatioTimeslices as RatioTimeslices
    from errorbudget.methods import Timeslices as Timeslices
    from errorbudget.policy import ERROR_BUDGET_POLICY as ERROR_BUDGET_POLICY
    from errorbudget.policy import RISK_TOLERANCE as RISK_TOLERANCE
    from errorbudget.policy import Policy as Policy
    from errorbudget.policy import Tier as Tier
    from errorbudget.predicates import duration as duration
    from errorbudget.predicates import label as label
    from errorbudget.predicates import number as number
    from errorbudget.predicates import status_in as status_in
    from errorbudget.schedule import TargetSchedule as TargetSchedule
    from errorbudget.series import CountSeries as CountSeries
    from errorbudget.sli import Availability as Availability
    from errorbudget.sli import Concurrency as Concurrency
    from errorbudget.sli import ErrorRate as ErrorRate
    from errorbudget.sli import Freshness as Freshness
    from errorbudget.sli import Latency as Latency
    from errorbudget.sli import LatencyQuantile as LatencyQuantile
    from errorbudget.sli import QueryRatio as QueryRatio
    from errorbudget.sli import QueryThreshold as QueryThreshold
    from errorbudget.sli import Ratio as Ratio
    from errorbudget.sli import RatioSLI as RatioSLI
    from errorbudget.sli import Throughput as Throughput
    from errorbudget.slo import SLO as SLO
    from errorbudget.sources import read_events as read_events
    from errorbudget.sources.engines import Counted as Counted
    from errorbudget.sources.engines import count as count
    from errorbudget.sources.engines import count_files as count_files
    from errorbudget.sources.engines import read_counts as read_counts
    from errorbudget.sources.engines import update_counts as update_counts
    from errorbudget.specs import Spec as Spec
    from errorbudget.specs.dump import dump as dump
    from errorbudget.specs.load import load as load
    from errorbudget.status import Status as Status
    from errorbudget.target import Target as Target
    from errorbudget.windows import Calendar as Calendar
    from errorbudget.windows import Interval as Interval
    from errorbudget.windows import Rolling as Rolling

_HOMES = {
    "alerts": ("GUIDE", "WORKBOOK", "AlertPolicy", "AlertState", "BurnAlert"),
    "allowances": ("allowance", "nines_table", "target_for"),
    "budget": ("Budget", "budget_consumed", "budget_remaining"),
    "burn": (
        "budget_spent",
        "burn_rate",
        "burn_threshold",
        "detection_time",
        "max_burn_rate",
        "reset_time",
        "time_to_exhaustion",
    ),
    "comparison": ("Comparison", "compare_corrections"),
    "composite": ("Composite", "combine"),
    "corrections": ("BudgetReset", "Maintenance"),
    "counts": ("Counts",),
    "errors": ("ErrorBudgetError", "ErrorBudgetWarning"),
    "evaluation": ("Report", "evaluate"),
    "events": ("Events", "Labels"),
    "history": ("History",),
    "live": ("Tracker",),
    "methods": ("Occurrences", "RatioTimeslices", "Timeslices"),
    "policy": ("ERROR_BUDGET_POLICY", "RISK_TOLERANCE", "Policy", "Tier"),
    "predicates": ("duration", "label", "number", "status_in"),
    "schedule": ("TargetSchedule",),
    "series": ("CountSeries",),
    "sli": (
        "Availability",
        "Concurrency",
        "ErrorRate",
        "Freshness",
        "Latency",
        "LatencyQuantile",
        "QueryRatio",
        "QueryThreshold",
        "Ratio",
        "RatioSLI",
        "Throughput",
    ),
    "slo": ("SLO",),
    "sources": ("read_events",),
    "sources.engines": ("Counted", "count", "count_files", "read_counts", "update_counts"),
    "specs": ("Spec", "dump", "load"),
    "status": ("Status",),
    "target": ("Target",),
    "windows": ("Calendar", "Interval", "Rolling"),
}
_HOME = {name: module for module, names in _HOMES.items() for name in names}

__version__ = "0.1.0"
__all__ = sorted(_HOME)  # noqa: PLE0605


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module 'errorbudget' has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(f"errorbudget.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
