"""
What a tracker holds, as a value: it travels, is stored, and adds up.

A state lists the buckets that hold anything. Adding states adds buckets, so the order in which
workers and hosts are merged does not matter. As bytes it is a mark with the version, a checksum
and packed columns; a state that was cut short or altered does not load.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, get_args

import numpy as np

from errorbudget.durations import format_duration
from errorbudget.errors import InvalidInputError, SourceFormatError
from errorbudget.sli import RatioSLI
from errorbudget.windows import Closed

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from errorbudget.slo import SLO

    Integers = NDArray[np.int64]

__all__ = ["SCHEMA", "FeedState", "State", "fingerprint"]

SCHEMA = "errorbudget.tracker/2"
_KIND, _VERSION = b"EBTRACK", b"2"
_MARK = _KIND + _VERSION
_DIGEST_BYTES = 16
_COLUMNS = ("ends", "good", "bad")
_MOST_EVENTS = 2**62
_MOST_BYTES = 2**29  # a busy month of minutes of a thousand SLOs


def fingerprint(slo: SLO) -> str:
    """A short text that differs when *slo* counts other events, or counts them otherwise."""
    assert isinstance(slo.sli, RatioSLI)  # noqa: S101 - what a feed checks
    told = {
        "sli": slo.sli.to_dict(),
        "corrections": [correction.to_dict() for correction in slo.corrections],
    }
    text = json.dumps(told, sort_keys=True)
    return blake2b(text.encode(), digest_size=8).hexdigest()


def check_most(name: str, *columns: Integers, already: int = 0) -> None:
    """
    Refuse more events than can be counted in 64 bits.

    Raises:
        InvalidInputError: There are more than 2**62.
    """
    # As floats, which do not wrap around.
    if already + sum(float(np.abs(column, dtype=float).sum()) for column in columns) > _MOST_EVENTS:
        raise InvalidInputError(f'SLO "{name}" would have more than {_MOST_EVENTS:,} events')


@dataclass(frozen=True, slots=True, eq=False)
class FeedState:
    """
    The buckets of one SLO.

    Args:
        service: The service that the SLO belongs to; "" where it names none.
        name: Name of the SLO.
        fingerprint: What it counts; see `fingerprint`.
        step_ns: Length of a bucket [ns].
        closed: The end that belongs to a bucket.
        first: First bucket that was observed, named by its end in steps since the epoch.
        newest: Last one.
        ends: Buckets that hold anything, ascending; int64, shape (m,).
        good: Good events of each; int64, shape (m,).
        bad: Bad events of each; int64, shape (m,).
        left_out: Events that lacked what the indicator asks for.
    """

    service: str
    name: str
    fingerprint: str
    step_ns: int
    closed: Closed
    first: int
    newest: int
    ends: Integers
    good: Integers
    bad: Integers
    left_out: int = 0

    @property
    def who(self) -> tuple[str, str]:
        """Whose buckets they are: service and name. Two services may use one name."""
        return self.service, self.name

    def check_like(self, other: FeedState) -> None:
        """
        Refuse to add what does not add up.

        Raises:
            InvalidInputError: The two count other events, or in other buckets.
        """
        if self.fingerprint != other.fingerprint:
            raise InvalidInputError(
                f'SLO "{self.name}" counts other events in the two states: its indicator or its '
                "corrections differ; begin anew, or keep the old definition"
            )
        if (self.step_ns, self.closed) != (other.step_ns, other.closed):
            raise InvalidInputError(
                f'SLO "{self.name}": only buckets of one length and side add up, got '
                f"{format_duration(self.step_ns)} closed {self.closed} and "
                f"{format_duration(other.step_ns)} closed {other.closed}"
            )

    def __add__(self, other: FeedState) -> FeedState:
        self.check_like(other)
        ends, rows = np.unique(np.concatenate((self.ends, other.ends)), return_inverse=True)
        columns = []
        for mine, theirs in ((self.good, other.good), (self.bad, other.bad)):
            column = np.zeros(len(ends), dtype=np.int64)
            np.add.at(column, rows, np.concatenate((mine, theirs)))
            columns.append(column)
        check_most(self.name, *columns)
        return replace(
            self,
            first=min(self.first, other.first),
            newest=max(self.newest, other.newest),
            ends=ends,
            good=columns[0],
            bad=columns[1],
            left_out=self.left_out + other.left_out,
        )

    def holding(
        self, first: int, left_out: int, ends: Integers, good: Integers, bad: Integers
    ) -> FeedState:
        """A feed of the same kind that holds something else."""
        return replace(self, first=first, left_out=left_out, ends=ends, good=good, bad=bad)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, FeedState) and self.to_dict() == other.to_dict()

    __hash__ = None  # type: ignore[assignment]  # holds arrays

    def _head(self) -> dict[str, Any]:
        names = (
            "service",
            "name",
            "fingerprint",
            "step_ns",
            "closed",
            "first",
            "newest",
            "left_out",
        )
        return {name: getattr(self, name) for name in names}

    def to_dict(self) -> dict[str, Any]:
        """The buckets as JSON holds them."""
        return self._head() | {name: getattr(self, name).tolist() for name in _COLUMNS}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> FeedState:
        """
        The buckets that `to_dict` wrote.

        Raises:
            SourceFormatError: A part is missing or makes no sense.
        """
        try:
            columns = {name: _whole(data[name]) for name in _COLUMNS}
            found = cls(**{**data, **columns})
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            raise SourceFormatError(f"not a tracker's state: {error}") from None
        found._check()
        return found

    def _check(self) -> None:
        whole = (self.step_ns, self.first, self.newest, self.left_out)
        sound = (
            all(type(value) is int for value in whole)
            and all(type(text) is str for text in (*self.who, self.fingerprint))
            and self.step_ns > 0
            and self.closed in get_args(Closed)
            and self.first <= self.newest
            and len(self.ends) == len(self.good) == len(self.bad)
            and bool(np.all(np.diff(self.ends) > 0))
            and bool(np.all(self.good >= 0))
            and bool(np.all(self.bad >= 0))
        )
        if not sound:
            raise SourceFormatError(
                f'not a tracker\'s state: the buckets of "{self.name}" make no sense'
            )


def _whole(numbers: Any) -> Integers:
    """Whole numbers as a column; nothing is cut off those that are not."""
    found = np.asarray(numbers)
    return found.astype(np.int64, casting="safe" if found.size else "unsafe")


def _packed(column: Integers) -> tuple[str, bytes]:
    """A column of numbers >= 0 in the narrowest type that holds them."""
    kind = np.min_scalar_type(int(column.max(initial=0))).newbyteorder("<")
    return kind.str, column.astype(kind).tobytes()


def _unzipped(body: bytes) -> bytes:
    press = zlib.decompressobj()
    found = press.decompress(body, _MOST_BYTES)
    if press.unconsumed_tail:
        raise SourceFormatError(f"a tracker's state of more than {_MOST_BYTES:,} bytes: not read")
    if not press.eof:
        raise SourceFormatError("not a tracker's state: it ends too soon")
    return found


@dataclass(frozen=True, slots=True)
class State:
    """
    What a tracker holds.

    Args:
        feeds: The buckets of each SLO.
        at_ns: When it was taken [ns UTC].
        dropped_late: Events that came too late.
    """

    feeds: tuple[FeedState, ...]
    at_ns: int
    dropped_late: int = 0

    @classmethod
    def merge(cls, states: Iterable[State]) -> State:
        """
        Several states as one; the order does not matter.

        Raises:
            InvalidInputError: There are none, or an SLO means different things in two of them.
        """
        parts = list(states) if isinstance(states, Iterable) else [states]
        for part in parts:
            if not isinstance(part, State):
                raise InvalidInputError(f"merge adds states, got {part!r}; give tracker.state()")
        if not parts:
            raise InvalidInputError("nothing to merge; give at least one state")
        feeds: dict[tuple[str, str], FeedState] = {}
        for part in parts:
            for feed in part.feeds:
                known = feeds.get(feed.who)
                feeds[feed.who] = feed if known is None else known + feed
        return cls(
            tuple(feeds[who] for who in sorted(feeds)),
            max(part.at_ns for part in parts),
            sum(part.dropped_late for part in parts),
        )

    def __add__(self, other: State) -> State:
        return State.merge((self, other))

    def to_dict(self) -> dict[str, Any]:
        """The state as JSON holds it."""
        return {
            "schema": SCHEMA,
            "at_ns": self.at_ns,
            "dropped_late": self.dropped_late,
            "feeds": [feed.to_dict() for feed in self.feeds],
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> State:
        """
        The state that `to_dict` wrote.

        Raises:
            SourceFormatError: It is something else, or of another version.
        """
        if not isinstance(data, Mapping) or data.get("schema") != SCHEMA:
            found = data.get("schema") if isinstance(data, Mapping) else data
            raise SourceFormatError(f"not a tracker's state of {SCHEMA}, got {found!r}")
        try:
            feeds = tuple(FeedState.from_dict(feed) for feed in data["feeds"])
            at_ns, dropped_late = data["at_ns"], data["dropped_late"]
        except (KeyError, TypeError, ValueError) as error:
            raise SourceFormatError(f"not a tracker's state: {error}") from None
        if type(at_ns) is not int or type(dropped_late) is not int or dropped_late < 0:
            raise SourceFormatError(
                "not a tracker's state: at_ns and dropped_late are whole numbers, got "
                f"{at_ns!r} and {dropped_late!r}"
            )
        return cls(feeds, at_ns, dropped_late)

    def to_bytes(self) -> bytes:
        """
        The state packed: a mark with the version, a checksum, compressed columns.

        Raises:
            InvalidInputError: It is larger than `from_bytes` reads.
        """
        heads, blocks = [], []
        for feed in self.feeds:
            start = int(feed.ends[0]) if len(feed.ends) else 0
            steps = np.diff(feed.ends, prepend=start)
            packed = [_packed(column) for column in (steps, feed.good, feed.bad)]
            kinds = [kind for kind, _ in packed]
            heads.append(feed._head() | {"start": start, "rows": len(steps), "kinds": kinds})
            blocks += [block for _, block in packed]
        head = json.dumps(
            {"at_ns": self.at_ns, "dropped_late": self.dropped_late, "feeds": heads}
        ).encode()
        whole = b"".join((len(head).to_bytes(4, "little"), head, *blocks))
        if len(whole) > _MOST_BYTES:
            raise InvalidInputError(
                f"a tracker's state of {len(whole):,} bytes, more than the {_MOST_BYTES:,} that "
                "are read again; track fewer objectives in one, or take a longer step"
            )
        body = zlib.compress(whole)
        return _MARK + blake2b(body, digest_size=_DIGEST_BYTES).digest() + body

    @classmethod
    def from_bytes(cls, data: bytes) -> State:
        """
        The state that `to_bytes` packed.

        Raises:
            InvalidInputError: It is no bytes.
            SourceFormatError: It is something else, of another version, cut short or altered.
        """
        if not isinstance(data, (bytes, bytearray, memoryview)):
            raise InvalidInputError(
                f"a tracker's state is a State, or the bytes of a snapshot, got {data!r}"
            )
        data = bytes(data)
        mark, rest = data[: len(_MARK)], data[len(_MARK) :]
        if mark.startswith(_KIND) and mark != _MARK:
            raise SourceFormatError(
                f"a tracker's state of version {mark[len(_KIND) :].decode('ascii', 'replace')}, "
                f"and this reads version {_VERSION.decode()}; begin anew, or use the release "
                "that wrote it"
            )
        if mark != _MARK:
            raise SourceFormatError(f"not a tracker's state: begins with {mark!r}, not {_MARK!r}")
        digest, body = rest[:_DIGEST_BYTES], rest[_DIGEST_BYTES:]
        if blake2b(body, digest_size=_DIGEST_BYTES).digest() != digest:
            raise SourceFormatError(
                "a tracker's state that is damaged: its checksum does not match; "
                "take an older copy, or begin anew"
            )
        try:
            return cls._unpacked(_unzipped(body))
        except (KeyError, TypeError, ValueError, zlib.error) as error:
            raise SourceFormatError(f"not a tracker's state: {error}") from None

    @classmethod
    def _unpacked(cls, body: bytes) -> State:
        length = int.from_bytes(body[:4], "little")
        head = json.loads(body[4 : 4 + length])
        position = 4 + length
        feeds = []
        for told in head["feeds"]:
            rows, kinds, start = told.pop("rows"), told.pop("kinds"), told.pop("start")
            columns = []
            for kind in kinds:
                column = np.frombuffer(body, dtype=kind, count=rows, offset=position)
                position += column.nbytes
                columns.append(column.astype(np.int64))
            steps, good, bad = columns
            feeds.append(
                FeedState.from_dict(
                    told | {"ends": np.cumsum(steps) + start, "good": good, "bad": bad}
                )
            )
        return cls(tuple(feeds), head["at_ns"], head["dropped_late"])
