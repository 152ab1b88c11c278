"""What a status says beside its counts: its calendar period projected, and what is doubtful."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from errorbudget import figures
from errorbudget.budget import Budget
from errorbudget.counts import Counts
from errorbudget.methods import Occurrences
from errorbudget.status import plain_count
from errorbudget.windows import Calendar, Interval

if TYPE_CHECKING:
    from errorbudget.slo.objective import SLO

__all__ = ["doubts", "projected"]


def projected(slo: SLO, so_far: Budget, interval: Interval) -> Budget | None:
    """The budget of the whole calendar period, as expected from the part *so_far*."""
    if not isinstance(slo.window, Calendar) or not so_far.counts or not interval.length_ns:
        return None
    length_ns = slo.window.interval(interval.end_ns).end_ns - interval.start_ns
    total = Fraction(so_far.counts.total) * length_ns / interval.length_ns
    expected = Counts(total - Fraction(so_far.counts.bad), so_far.counts.bad)
    return Budget(expected, so_far.error, length_ns, estimated=True)


def doubts(slo: SLO, budget: Budget | None, coverage: float | None) -> list[str]:
    """Why the figures may say less than they seem to, a sentence each."""
    found = []
    if coverage is not None and coverage < slo.min_coverage:
        seen = figures.percent(coverage, 1, lines=[Fraction(str(slo.min_coverage))])
        found.append(f"only {seen} of the window was observed; the figures speak for that part")
    if (
        budget is not None
        and budget.counts
        and 0 < budget.allowed_exact < 1
        and isinstance(slo.method, Occurrences)
    ):
        total = plain_count(budget.counts.total)
        found.append(
            f"too little traffic for the target: {total:,} events allow "
            f"{budget.allowed:.3g} bad ones, so a single failure overspends the budget"
        )
    return found
