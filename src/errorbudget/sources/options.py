"""What the caller of a reader may decide."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from errorbudget.sources.stamps import Zone

__all__ = ["Options"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """
    The arguments of `read_events`, checked.

    Args:
        strict: Raise at the first bad line.
        columns: Names of columns by role.
        time_unit: Unit of numeric times.
        duration_unit: Unit of numeric durations.
        zone: Zone of times that name none.
        labels: Wanted labels; None for the usual ones.
        values: Wanted columns of further numbers.
        counts: Whether rows are bins with counts instead of requests.
    """

    strict: bool = False
    columns: Mapping[str, str] = field(default_factory=dict)
    time_unit: str | None = None
    duration_unit: str | None = None
    zone: Zone | None = None
    labels: tuple[str, ...] | None = None
    values: tuple[str, ...] = ()
    counts: bool = False
