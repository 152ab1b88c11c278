"""
Conditions on events, as data.

A predicate is built once, printed, stored, and then answered wherever events live: here for one
event, in `kernels.predicates` for columns, in `rules` as PromQL matchers. It answers yes, no, or
*unknown*: an event without a status is neither 5xx nor not 5xx. Combinations follow Kleene's
three-valued logic, so an unknown stays unknown under `~`. A label that an event lacks is the empty
text, as in Prometheus, and hence always known.

    >>> slow_checkout = label("route").matches("/checkout/.*") & ~(duration <= "200ms")
    >>> slow_checkout.matches({"route": "/checkout/pay", "duration_s": 0.3})
    True

    combining                what every condition can do; all, any, not
    status, labels, numeric  the conditions themselves
    reading                  conditions from texts, mappings and plain data
    values                   whether a value is there, and its text
"""

from errorbudget.predicates.combining import (
    EVERYTHING,
    All,
    Any_,
    Everything,
    Not,
    Predicate,
    atoms,
)
from errorbudget.predicates.labels import LabelIn, LabelMatches, label
from errorbudget.predicates.numeric import Flag, Number, duration, number
from errorbudget.predicates.reading import PredicateLike, as_predicate, from_dict
from errorbudget.predicates.status import StatusIn, status_in
from errorbudget.predicates.values import is_missing, label_text

__all__ = [
    "EVERYTHING",
    "All",
    "Any_",
    "Everything",
    "Flag",
    "LabelIn",
    "LabelMatches",
    "Not",
    "Number",
    "Predicate",
    "PredicateLike",
    "StatusIn",
    "as_predicate",
    "atoms",
    "duration",
    "from_dict",
    "is_missing",
    "label",
    "label_text",
    "number",
    "status_in",
]
