"""
What was agreed to be judged otherwise: maintenance, and budgets that start over.

Corrections are data beside the events, never changes to them. So they can be added after the fact,
compared with what was there before, and taken back.

    maintenance  one stretch, or one that repeats; excluded or counted good
    recurrence   RFC 5545 rules in the wall time of a zone
    resets       the budget handed back at an instant, with a note
    counted      corrections applied to events, the plain way
"""

from errorbudget.corrections.counted import corrected_counts, corrected_intervals
from errorbudget.corrections.maintenance import (
    Correction,
    Maintenance,
    RecurringMaintenance,
    Treat,
    parse_correction,
)
from errorbudget.corrections.recurrence import MAX_STARTS
from errorbudget.corrections.resets import BudgetReset, since_reset

__all__ = [
    "MAX_STARTS",
    "BudgetReset",
    "Correction",
    "Maintenance",
    "RecurringMaintenance",
    "Treat",
    "corrected_counts",
    "corrected_intervals",
    "parse_correction",
    "since_reset",
]
