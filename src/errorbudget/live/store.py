"""
What a store of a shared budget is asked for.

A store adds up what workers give. It may lose its data, all of it or what came last, and workers
then put back what they saw of it. So it has a *life*, a name that it draws when it is empty and
draws anew when it went back in time: who knows another life than the store's has another past in
mind than the store has.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple, Protocol, runtime_checkable
from urllib.parse import quote

from errorbudget.live.answers import Totals

if TYPE_CHECKING:
    from errorbudget.live.state import FeedState, State

__all__ = ["Batch", "Contents", "Counted", "Store", "key_of"]


class Counted(NamedTuple):
    """
    What all workers counted of one SLO in the store's present life: it only rises.

    Attributes:
        good: Good events.
        bad: Bad events.
        left_out: Events that could not be judged.
        late: Events that came too late.
    """

    good: int = 0
    bad: int = 0
    left_out: int = 0
    late: int = 0

    @property
    def totals(self) -> Totals:
        """Those that came in time."""
        return Totals(self.good, self.bad, self.left_out)


class Batch(NamedTuple):
    """
    What a worker gives at once.

    Attributes:
        life: Of which store's life the worker knows; None before it knows of any.
        version: The newest version that it saw.
        writer: Who gives.
        number: Of this batch, rising by writer.
        changes: Units to add by bucket; below 0 where a clock that fell back moved units.
        counted: By feed, how many events came since the last batch.
        keep_from: By feed, the oldest bucket that anyone still looks at.
    """

    life: str | None
    version: int
    writer: str
    number: int
    changes: State
    counted: tuple[Counted, ...]
    keep_from: tuple[int, ...]


class Contents(NamedTuple):
    """
    What a store holds, or held when a worker last saw it.

    Attributes:
        life: The store's life; None where nothing was seen.
        version: Rises with every batch.
        state: Buckets by feed.
        counted: By feed, what was counted in this life.
        writers: By writer, the newest of its batches that is in it.
        past: Lives that it lost and was given back, so that it holds what they held; and of each
            the writers as of then, as JSON.
    """

    life: str | None
    version: int
    state: State
    counted: tuple[Counted, ...]
    writers: Mapping[str, int]
    past: Mapping[str, str]


@runtime_checkable
class Store(Protocol):
    """Where buckets are added up: `SqliteStore`, `RedisStore`, or one's own."""

    def push(self, batch: Batch) -> bool:
        """
        Add *batch*, unless it was added before: all of it or nothing.

        Returns:
            Whether it is in the store. Not so where it lost something: it is of another life, its
            version lies below the batch's, or it lacks the writer's batch before.
        """
        ...

    def pull(self, since: int, feeds: tuple[FeedState, ...]) -> Contents:
        """The store's contents; of buckets those of *feeds* that changed after version *since*."""
        ...

    def put_back(self, seen: Contents, writer: str, given: int) -> tuple[str, tuple[int, ...]]:
        """
        Give back what was seen of a life that the store lost, feed by feed, unless another did.

        A store without a life draws one. So does one of a life that is past, or of the life seen
        whose version lies below or which lacks what *writer* gave: it went back in time, and what
        is put back replaces what it has. Elsewhere it is added.

        Args:
            seen: What the store held when the worker last looked.
            writer: Who gives it back.
            given: The newest batch of *writer* that the store confirmed.

        Returns:
            The store's life; and by feed the newest batch of *writer* that is in what was put
            back, 0 where none is.
        """
        ...


def key_of(feed: FeedState) -> str:
    """
    Under what a store keeps a feed: whoever counts something else has another key.

    So two services may use one name and one store, and during a deploy that changes an indicator
    old and new workers do not add up. Names are quoted: no two feeds are told by one text.

    Example:
        >>> from errorbudget import SLO, Availability, Tracker
        >>> slo = SLO("up/down", service="shop", target="99%", window="1d", sli=Availability())
        >>> key_of(Tracker(slo).state().feeds[0]).split("/")[:2]
        ['shop', 'up%2Fdown']
    """
    names = (quote(name, safe="") for name in feed.who)
    return "/".join((*names, feed.fingerprint, str(feed.step_ns), feed.closed))
