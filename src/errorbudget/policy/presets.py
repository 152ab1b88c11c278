"""The guide's two tables, as they are written."""

from __future__ import annotations

from fractions import Fraction

from errorbudget.policy.tiers import Policy, Tier

__all__ = ["ERROR_BUDGET_POLICY", "RISK_TOLERANCE"]

ERROR_BUDGET_POLICY = Policy(
    "error-budget-policy",
    (
        Tier(
            "healthy",
            Fraction(1, 2),
            actions={
                "innovation": "Allowed to take risks and deploy new features",
                "pace": "Normal deployment velocity",
                "monitoring": "Standard alerting thresholds",
            },
        ),
        Tier(
            "consuming",
            Fraction(1, 5),
            inclusive=True,
            actions={
                "caution": "Increased testing and monitoring",
                "pace": "Slower deployment velocity",
                "monitoring": "Enhanced alerting and thresholds",
            },
        ),
        Tier(
            "low",
            Fraction(0),
            actions={
                "conservative": "Only critical fixes and security patches",
                "pace": "Minimal deployment velocity",
                "monitoring": "Maximum alerting sensitivity",
            },
            may_deploy="critical",
        ),
        Tier(
            "exhausted",
            actions={
                "freeze": "All non-essential deployments halted",
                "focus": "Reliability improvements only",
                "recovery": "Full incident response mode",
            },
            may_deploy="none",
        ),
    ),
    source='SLO guide, "Error Budget Policies"',
)
"""The guide's first table; both ends of 20-50 % belong to "consuming", 0 itself is exhausted."""

RISK_TOLERANCE = Policy(
    "risk-tolerance",
    (
        Tier(
            "high",
            Fraction(3, 4),
            actions={
                "deployment": "Normal deployment",
                "monitoring": "Standard monitoring",
            },
        ),
        Tier(
            "medium",
            Fraction(1, 2),
            inclusive=True,
            actions={
                "deployment": "Increased testing",
                "monitoring": "Enhanced monitoring",
            },
        ),
        Tier(
            "low",
            Fraction(1, 4),
            inclusive=True,
            actions={
                "deployment": "Critical features only",
                "monitoring": "Maximum monitoring",
            },
            may_deploy="critical",
        ),
        Tier(
            "critical",
            actions={
                "deployment": "Emergency fixes only",
                "monitoring": "Full incident response",
            },
            may_deploy="none",
        ),
    ),
    source='SLO guide, "Risk Tolerance Matrix"',
)
"""The guide's second table: how much risk may be taken, so "high" is the healthiest row."""
