"""
What events are to several SLOs at once, worked out once for all events that are alike.

Two events are alike when they have the same status and labels, and durations on the same side of
every bound that an indicator names: no indicator tells them apart. A service has few kinds of
events by that measure, so nearly all are looked up instead of judged.
"""

from __future__ import annotations

from bisect import bisect
from collections.abc import Mapping, Sequence
from math import inf, nextafter
from typing import TYPE_CHECKING, Any

from errorbudget.predicates import (
    Everything,
    Flag,
    LabelIn,
    LabelMatches,
    Number,
    StatusIn,
    atoms,
)

if TYPE_CHECKING:
    from errorbudget.live.feed import Feed, Verdict

__all__ = ["Judge", "Judgement", "Kind"]

Kind = tuple[object, ...]
"""Events of one kind are alike: status, place of the duration among the bounds, labels."""

_MOST_KINDS = 500
_LONGEST_LABEL = 100
_MEASURED = frozenset(("status", "duration_s"))


class Judgement:
    """
    What an event is to several SLOs.

    Attributes:
        agreed: What it is to all of them; None where they differ.
        parts: Those in which it takes part, and what it is to each.
    """

    __slots__ = ("agreed", "parts")

    def __init__(self, feeds: Sequence[Feed], verdicts: Sequence[Verdict | None]) -> None:
        first = verdicts[0]
        self.agreed = first if verdicts.count(first) == len(verdicts) else None
        self.parts = [
            (feed, verdict)
            for feed, verdict in zip(feeds, verdicts, strict=True)
            if verdict is not None
        ]


class Judge:
    """
    Judges events for all of *feeds*.

    Attributes:
        bounds: Where durations are told apart [s], sorted.
        known: What events are to the SLOs, by their kind.

    Time: O(labels) for an event like one before; O(SLOs) otherwise.
    """

    __slots__ = ("_feeds", "_names", "bounds", "known")

    def __init__(self, feeds: Sequence[Feed]) -> None:
        self._feeds = feeds
        self.known: dict[Kind, Judgement] = {}
        names: set[str] = set()
        bounds: set[float] = set()
        comparable = True
        for feed in feeds:
            names |= feed.slo.sli.columns - _MEASURED
            for part in feed.conditions():
                for condition in atoms(part):
                    if isinstance(condition, Number):
                        edge = float(condition.bound)
                        # On the bound is a place of its own: `<=` and `<` differ there.
                        # Other numbers need none: who is no text has no kind.
                        bounds |= {edge, nextafter(edge, inf)}
                    elif not isinstance(
                        condition, (Everything, Flag, LabelIn, LabelMatches, StatusIn)
                    ):
                        comparable = False
        self.bounds = sorted(bounds)
        self._names: tuple[str, ...] | None = tuple(sorted(names)) if comparable else None

    def same(self, verdict: Verdict) -> Judgement:
        """The same verdict for each SLO."""
        return Judgement(self._feeds, [verdict] * len(self._feeds))

    def of(self, event: Mapping[str, Any]) -> Judgement:
        """What *event*, which was checked, is to each SLO."""
        kind = self._kind(event)
        if kind is None:
            return self._asked(event)
        found = self.known.get(kind)
        if found is None:
            found = self._asked(event)
            if len(self.known) < _MOST_KINDS:
                self.known[kind] = found
        return found

    def _asked(self, event: Mapping[str, Any]) -> Judgement:
        return Judgement(self._feeds, [feed.judge(event) for feed in self._feeds])

    def _kind(self, event: Mapping[str, Any]) -> Kind | None:
        names = self._names
        if names is None:
            return None
        duration_s = event.get("duration_s")
        place = None if duration_s is None else bisect(self.bounds, duration_s)
        if not names:
            return event.get("status"), place
        kind: list[object] = [event.get("status"), place]
        for name in names:
            value = event.get(name)
            # Other types compare equal and read differently, as 1 and True do.
            if value is not None and (type(value) is not str or len(value) > _LONGEST_LABEL):
                return None
            kind.append(value)
        return tuple(kind)
