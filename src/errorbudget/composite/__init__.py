"""
Several SLOs as one promise.

A user journey is only as good as its parts, and how the parts combine is a choice that changes the
figure. Each rule here is one line of arithmetic on the members' exact SLIs:

    weighted   sum(w x sli) / sum(w)          an overall score; a member without data is named
    serial     product of slis                every part must work, failures independent
    parallel   1 - product of (1 - sli)       any part suffices, failures independent
    worst_of   minimum of slis                every part must work, failures together
    k_of_n     P(at least k parts work)       failures independent

Independence is an assumption. When failures come together the truth lies between `serial` and
`worst_of`; `bounds` gives the range that holds whatever the dependence.

    rules    the arithmetic
    promise  a composite with its target, and how it stands

Source: OpenSLO and Nobl9 composite SLOs; Elastic weighted SLOs; Fréchet's bounds.
"""

from errorbudget.composite.promise import Composite, CompositeStatus, Member
from errorbudget.composite.rules import Missing, Rule, combine, combined_bounds

__all__ = [
    "Composite",
    "CompositeStatus",
    "Member",
    "Missing",
    "Rule",
    "combine",
    "combined_bounds",
]
