"""
Request events as columns, and the answers they give.

One row is one request. Columns are numpy arrays of one length; labels are codes into a short
list of texts, so that a predicate is evaluated once per text instead of once per event.

    table    the events
    columns  what may be handed over as a column
    labels   texts, each distinct one stored once
"""

from errorbudget.events.labels import Labels
from errorbudget.events.table import Events

__all__ = ["Events", "Labels"]
