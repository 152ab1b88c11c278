"""Tables of alerts and of tiers that a specification names instead of writing them out."""

from __future__ import annotations

from errorbudget.alerts import GUIDE, WORKBOOK, WORKBOOK_THREE, AlertPolicy
from errorbudget.methods import Occurrences
from errorbudget.policy import ERROR_BUDGET_POLICY, RISK_TOLERANCE, Policy
from errorbudget.slo import SLO

__all__ = ["ALERTS", "POLICIES", "serving"]

ALERTS: dict[str, AlertPolicy] = {
    "workbook": WORKBOOK,
    "workbook-three": WORKBOOK_THREE,
    "guide": GUIDE,
    "none": AlertPolicy("none", ()),
}
"""Tables of alerts by name; the first is what an objective has by default."""

POLICIES: dict[str, Policy] = {
    policy.name: policy for policy in (ERROR_BUDGET_POLICY, RISK_TOLERANCE)
}
"""Tables of tiers by name."""


def serving(table: AlertPolicy, slo: SLO) -> AlertPolicy:
    """
    A published table as it serves an objective: stretched to its window, in steps of its slices.

    Example:
        >>> from errorbudget.sli import Availability
        >>> day = SLO("api", target="99%", window="1d", sli=Availability())
        >>> serving(WORKBOOK, day) == day.alerts
        True
    """
    found = table.for_period(slo.period_ns)
    return found if isinstance(slo.method, Occurrences) else found.in_steps(slo.method.slice)
