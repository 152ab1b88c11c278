"""
A service level objective: an indicator, a target, a window, and what to do about the rest.

    objective  the SLO itself, as data
    checking   what it refuses
    assessing  what a status says beside its counts
    showing    how it is shown
    asking     what it can be asked of
    several    one SLO or more of them
"""

from errorbudget.slo.asking import Evaluable, answering
from errorbudget.slo.objective import BURN_WINDOWS, SLO
from errorbudget.slo.several import as_slo, as_slos, find_slo

__all__ = ["BURN_WINDOWS", "SLO", "Evaluable", "answering", "as_slo", "as_slos", "find_slo"]
