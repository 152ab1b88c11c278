"""
The budget starts over: a decision by people, kept with who took it and why.

A reset deletes nothing. It moves the beginning of the window up to its instant, so that events
before it no longer count; taking it back brings them back.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from errorbudget.corrections.maintenance import check_keys
from errorbudget.errors import InvalidInputError
from errorbudget.rationals import shown
from errorbudget.times import TimeLike, format_time, to_ns
from errorbudget.windows.interval import Interval

__all__ = ["BudgetReset", "since_reset"]


@dataclass(frozen=True, slots=True, init=False, repr=False)
class BudgetReset:
    """
    The full budget was handed back at an instant.

    Args:
        at: The first instant that counts again.
        note: Why, for the audit; it may not be empty.
        by: Who decided.

    Attributes:
        at_ns: The instant [ns since the epoch, UTC].

    Raises:
        InvalidTimeError: The instant cannot be read or has no zone.
        InvalidInputError: There is no note.

    Example:
        >>> BudgetReset("2026-03-01T00:00:00Z", "provider outage, agreed with product", by="ana")
        BudgetReset("2026-03-01T00:00:00Z", 'provider outage, agreed with product', by='ana')
    """

    at_ns: int
    note: str
    by: str

    def __init__(self, at: TimeLike, note: str, by: str = "") -> None:
        if not isinstance(note, str) or not note.strip():
            raise InvalidInputError(f"a budget reset needs a note that says why, got {shown(note)}")
        if not isinstance(by, str):
            raise InvalidInputError(f"by must be text, got {shown(by)}")
        object.__setattr__(self, "at_ns", to_ns(at))
        object.__setattr__(self, "note", note)
        object.__setattr__(self, "by", by)

    def to_dict(self) -> dict[str, str]:
        """The reset as plain data."""
        return {"at": format_time(self.at_ns), "note": self.note, "by": self.by}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> BudgetReset:
        """
        The reset that plain data stand for.

        Raises:
            SpecError: A key is missing or unknown.
        """
        check_keys("a budget reset", data, ("at", "note"), ("by",))
        return cls(**data)

    def __repr__(self) -> str:
        by = f", by={self.by!r}" if self.by else ""
        return f'BudgetReset("{format_time(self.at_ns)}", {self.note!r}{by})'


def since_reset(interval: Interval, resets: Iterable[BudgetReset]) -> Interval:
    """
    What of an interval still counts: all of it, or the part from the last reset in it on.

    The instant of the reset counts. A reset after the interval changes nothing: whoever looks
    back at an earlier day sees that day's budget.

    Example:
        >>> march = Interval.between("2026-03-01T00:00:00Z", "2026-04-01T00:00:00Z")
        >>> print(since_reset(march, [BudgetReset("2026-03-10T12:00:00Z", "agreed")]))
        [2026-03-10T12:00:00Z, 2026-04-01T00:00:00Z)
    """
    inside = [reset.at_ns for reset in resets if interval.contains(reset.at_ns)]
    if not inside:
        return interval
    # (r - 1, end] holds r: instants are whole nanoseconds.
    start_ns = max(inside) - (1 if interval.closed == "right" else 0)
    return Interval(start_ns, interval.end_ns, interval.closed)
