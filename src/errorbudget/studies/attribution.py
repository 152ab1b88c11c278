"""
Who spent the budget.

Every bad event of the window belongs to exactly one row, so the rows add up to what was spent, to
the event: by label, route, status, or by what was going on at the time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache, partial
from typing import TYPE_CHECKING, Any

import numpy as np

from errorbudget.budget import Ratio, spent
from errorbudget.cards import Card, Shown
from errorbudget.columns import Columns
from errorbudget.counts import Counts
from errorbudget.errors import InvalidInputError, InvalidSeriesError, did_you_mean
from errorbudget.events import Events
from errorbudget.judging import verdicts_of_events
from errorbudget.methods import Occurrences
from errorbudget.rationals import shown
from errorbudget.sli import RatioSLI
from errorbudget.slo import SLO
from errorbudget.status import plain_count
from errorbudget.studies.budgeted import check_budgeted, part_of_budget, units_of
from errorbudget.studies.stretches import counted, read_stretches
from errorbudget.studies.tables import figure, frame, percent, text_table
from errorbudget.studies.tally import Key, tally
from errorbudget.times import TimeLike, format_time

if TYPE_CHECKING:
    from errorbudget.status import Status
    from errorbudget.windows import Interval

__all__ = ["Attribution", "Progress", "Spender", "attribute", "shared_out"]

Progress = Callable[[int, int], object]
"""Told now and then how many rows are done, and how many there are."""


SPENDER: Columns = {
    "bad": "count",
    "total": "count",
    "share": "chance",
    "consumed_ratio": "figure",
    "traffic": "chance",
    "burn_rate": "figure",
}
"""A spender as a row, beside the texts of its key."""
_TAKEN = {"slo", *SPENDER}


@dataclass(frozen=True, slots=True)
class Spender:
    """
    One row of an attribution.

    Attributes:
        key: What the row stands for, one text per column; None where events have no such label,
            and for the time outside all stretches.
        counts: Its good and bad events.
        share: Its part of all bad events [1]; None when nothing was bad.
        consumed: Its part of the window's whole budget [1]; the rows add up to the share spent.
            None without events in the window.
        traffic: Its part of all events [1]; None without events.
        burn: How fast it would spend a budget of its own [1]; None without events of its own.
    """

    key: Key
    counts: Counts
    share: Fraction | None
    consumed: Ratio | None
    traffic: Fraction | None
    burn: Ratio | None

    @property
    def name(self) -> str:
        """The key as text."""
        return ", ".join("(none)" if part is None else part for part in self.key)


@dataclass(frozen=True, slots=True, repr=False)
class Attribution(Shown, Sequence[Spender]):
    """
    Who spent the budget of one window, the greatest spender first.

    Attributes:
        slo: The objective.
        interval: The window.
        by: Names of what rows are told apart by.
        counts: All good and bad events of the window: the rows' sum.
        error: Exact share of events that may be bad.
        spenders: The rows.
    """

    slo: SLO
    interval: Interval
    by: tuple[str, ...]
    counts: Counts
    error: Fraction
    spenders: tuple[Spender, ...]

    @property
    def consumed(self) -> Ratio | None:
        """Share of the budget that is spent, exactly; None without events."""
        return spent(self.counts, self.error)

    def others(self, most: int) -> Spender | None:
        """All rows behind the first *most* as one; None where there are none."""
        rest = self.spenders[most:]
        if not rest:
            return None
        bad = sum(spender.counts.bad for spender in rest)
        own = Counts(sum(spender.counts.good for spender in rest), bad)
        return Spender((f"{len(rest):,} others",), own, *_ratios(self.counts, self.error, own))

    @property
    def key_columns(self) -> tuple[str, ...]:
        """
        Names of the columns of the key, one for each of *by*.

        A label that is called as a figure, or comes twice, has `label_` before its name.
        """
        names: list[str] = []
        for name in self.by:
            column = name
            while column in _TAKEN or column in names:
                column = f"label_{column}"
            names.append(column)
        return tuple(names)

    @property
    def columns(self) -> Columns:
        """What stands in the columns of its rows."""
        return {**dict.fromkeys(self.key_columns, "text?"), **SPENDER}

    def __len__(self) -> int:
        return len(self.spenders)

    def __iter__(self) -> Iterator[Spender]:
        return iter(self.spenders)

    def __getitem__(self, key: Any) -> Any:
        if isinstance(key, str):
            for spender in self.spenders:
                if spender.name == key:
                    return spender
            known = tuple(spender.name for spender in self.spenders)
            raise InvalidInputError(
                f'nobody called "{key}" spent anything; there are {", ".join(known)}'
                f"{did_you_mean(key, known)}"
            )
        return self.spenders[key]

    def to_dict(self) -> dict[str, Any]:
        """The attribution as plain data, ready for JSON."""
        told: dict[Counts, dict[str, Any]] = {}  # of a million rows most have the same figures
        rows, names = [], self.key_columns
        for spender in self.spenders:
            own = spender.counts
            if own not in told:
                told[own] = {
                    "bad": plain_count(own.bad),
                    "total": plain_count(own.total),
                    "share": figure(spender.share),
                    "consumed_ratio": figure(spender.consumed),
                    "traffic": figure(spender.traffic),
                    "burn_rate": figure(spender.burn),
                }
            rows.append({**dict(zip(names, spender.key, strict=True)), **told[own]})
        return {
            "slo": self.slo.name,
            "start": format_time(self.interval.start_ns),
            "end": format_time(self.interval.end_ns),
            "by": list(self.by),
            "bad": plain_count(self.counts.bad),
            "total": plain_count(self.counts.total),
            "consumed_ratio": figure(self.consumed),
            "spenders": rows,
        }

    def to_pandas(self) -> Any:
        """The rows as a pandas DataFrame."""
        return frame(self.to_dict()["spenders"], self.columns)

    def __repr__(self) -> str:
        spent_share = percent(self.consumed)
        return (
            f"Attribution({self.slo.name} by {', '.join(self.by)}: {len(self)} rows, "
            f"{self.counts.bad:,} bad of {self.counts.total:,}, {spent_share} of the budget)"
        )

    def _rows(self) -> list[list[str]]:
        rows = [
            [
                spender.name,
                f"{spender.counts.bad:,}",
                f"{spender.counts.total:,}",
                percent(spender.share),
                percent(spender.consumed),
            ]
            for spender in self.spenders
        ]
        everything = [
            "together",
            f"{self.counts.bad:,}",
            f"{self.counts.total:,}",
            percent(Fraction(1) if self.counts.bad else None),
            percent(self.consumed),
        ]
        return [*rows, everything]

    def _header(self) -> list[str]:
        return [", ".join(self.by), "bad", "total", "of the bad", "of the budget"]

    def __str__(self) -> str:
        return text_table(self._header(), self._rows())

    def _card(self) -> Card:
        *rows, everything = self._rows()
        total = f"Together {everything[1]} bad of {everything[2]}, {everything[4]} of the budget."
        span = f"{format_time(self.interval.start_ns)} to {format_time(self.interval.end_ns)}"
        title = f"Who spent the budget of {self.slo.name}"
        return Card(title, "", "", [f"{span}. {total}"], self._header(), rows)


def attribute(
    slo: SLO,
    data: Any,
    by: str | Iterable[str] | Mapping[str, Any],
    *,
    at: TimeLike | None = None,
    progress: Progress | None = None,
) -> Attribution:
    """
    Who spent the budget of the window that ends at *at*.

    Args:
        slo: The objective.
        data: Request events; for stretches of time, also a count series.
        by: Name of a label, `"status"` or `"status_class"`, or several names; or stretches of time
            by name, (start, end] each: incidents, deploys, entries of a ledger. Where stretches
            overlap, the one that starts first claims an event; what lies in none is `(none)`, and
            so is all where there are no stretches: a history without incidents.
        at: The instant; by default the end of the data.
        progress: Told now and then how many rows are done, and how many there are.

    Returns:
        Rows that add up exactly: bad events to bad events, parts of the budget to the part spent.
        Empty data with *at* given has no rows.

    Raises:
        InvalidInputError: An argument cannot be read, or labels make more rows than fit.
        InvalidSeriesError: There is no such label, or the objective's units are no events.
        NoDataError: The data is empty and *at* is not given.

    Time: O(n log n) for n events; a million labels take about 7 s and 350 MB.

    Example:
        >>> from errorbudget.sli import Availability
        >>> slo = SLO("api", target="90%", window="1h", sli=Availability())
        >>> events = Events(
        ...     time=range(1, 21),
        ...     status=[200] * 17 + [503, 503, 500],
        ...     labels={"route": ["/a"] * 10 + ["/b"] * 10},
        ... )
        >>> print(attribute(slo, events, "status"))
        status    bad  total  of the bad  of the budget
        503         2      2      66.67%        100.00%
        500         1      1      33.33%         50.00%
        200         0     17       0.00%          0.00%
        together    3     20     100.00%        150.00%
        >>> attribute(slo, events, "route")["/b"].share
        Fraction(1, 1)
    """
    check_budgeted(slo, data)
    names = (by,) if isinstance(by, str) else by
    if not isinstance(names, Iterable):
        raise InvalidInputError(
            f'by must be labels, such as "route", or stretches of time by name, got {shown(by)}'
        )
    columns, listed = not isinstance(names, Mapping), list(names)
    if columns and listed and all(isinstance(name, str) for name in listed):
        return _by_columns(slo, data, tuple(listed), slo.evaluate(data, at=at), progress)
    stretches = read_stretches(names if isinstance(names, Mapping) else listed)
    status = slo.evaluate(data, at=at)
    series = units_of(slo, data, status.at_ns)
    shares, rest = counted(series, status.interval, stretches)
    rows: list[tuple[Key, Counts]] = [
        ((stretch.name,), counts) for stretch, counts in zip(stretches, shares, strict=True)
    ]
    if rest:
        rows.append(((None,), rest))
    return shared_out(slo, status, ("stretch",), rows, progress)


def shared_out(
    slo: SLO,
    status: Status,
    by: tuple[str, ...],
    rows: Sequence[tuple[Key, Counts]],
    progress: Progress | None = None,
) -> Attribution:
    """What each row's events are of those of *status*, the costliest first."""
    assert status.budget is not None  # noqa: S101 - an objective with a target has one
    counts, error = status.counts, status.budget.error

    # Of a million labels most have the same few events: their exact ratios are worked out once.
    ratios = cache(partial(_ratios, counts, error))
    spenders = []
    for done, (key, own) in enumerate(rows):
        if progress is not None and done % 10_000 == 0:
            progress(done, len(rows))
        spenders.append(Spender(key, own, *ratios(own)))
    spenders.sort(key=lambda row: (-row.counts.bad, -row.counts.total, row.name))
    return Attribution(slo, status.interval, by, counts, error, tuple(spenders))


def _ratios(
    counts: Counts, error: Fraction, own: Counts
) -> tuple[Fraction | None, Ratio | None, Fraction | None, Ratio | None]:
    """What a spender's *own* events are of all *counts* and their budget."""
    return (
        Fraction(own.bad) / Fraction(counts.bad) if counts.bad else None,
        part_of_budget(own.bad, counts, error),
        Fraction(own.total) / Fraction(counts.total) if counts.total else None,
        spent(own, error),
    )


def _by_columns(
    slo: SLO, data: Any, by: tuple[str, ...], status: Status, progress: Progress | None
) -> Attribution:
    if not isinstance(data, Events):
        raise InvalidSeriesError(
            f"only events know their {', '.join(by)}; share a count series out by stretches of "
            "time, or series for each group with studies.groups.attribute_groups"
        )
    if not isinstance(slo.sli, RatioSLI) or not isinstance(slo.method, Occurrences):
        raise InvalidSeriesError(
            f'SLO "{slo.name}" counts no events ({slo.sli}, {slo.method.name}), so they have no '
            'share in it; ask slo.replace(method="occurrences"), or by stretches of time'
        )
    takes_part, is_good, _ = verdicts_of_events(slo, slo.sli, data)
    interval = status.interval
    low = np.searchsorted(
        data.time, interval.start_ns, "right" if interval.closed == "right" else "left"
    )
    high = np.searchsorted(data.time, interval.end_ns, "right")
    rows = np.flatnonzero(takes_part[low:high]) + low
    found = [
        (key, Counts(total - missed, missed))
        for key, total, missed in tally(data, by, rows, ~is_good[rows])
    ]
    return shared_out(slo, status, by, found, progress)
