"""
What to do about the budget that is left: tiers, their actions, and why a tier changed.

A policy is a table from best tier to worst. A tier holds from its lower bound up to the next better
one, so every budget, and each boundary, belongs to exactly one row. The guide's two tables are kept
as they are written; they contradict each other (60 % left is "healthy" in one and "medium" in the
other), which is why a status shows both, by name.

Source: the SLO guide, "Error Budget Policies" and "Risk Tolerance Matrix" (`errorbudget demo
--guide`).
"""

from errorbudget.policy.presets import ERROR_BUDGET_POLICY, RISK_TOLERANCE
from errorbudget.policy.tiers import Policy, Tier, TierChange

__all__ = ["ERROR_BUDGET_POLICY", "RISK_TOLERANCE", "Policy", "Tier", "TierChange"]
