"""
Who spent the budget.

Every bad event of the window belongs to exactly one row, so the rows add up to what was spent, to
the event: by label, route, status, or by what was going on at the time.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np

from errorbudget.budget import Ratio, spent
from errorbudget.cards import Card, Shown
from errorbudget.columns import Columns
from errorbudget.counts import Counts
from errorbudget.errors import InvalidInputError, InvalidSeriesError, did_you_mean
from errorbudget.events import Events, Labels
from errorbudget.judging import judge, judge_series, verdicts_of_events
from errorbudget.methods import Occurrences, RatioTimeslices
from errorbudget.series import CountSeries, Series
from errorbudget.sli import RatioSLI, ThresholdSLI
from errorbudget.slo import SLO
from errorbudget.status import plain_count
from errorbudget.studies.stretches import counted, read_stretches
from errorbudget.studies.tables import figure, frame, percent, text_table
from errorbudget.times import TimeLike, format_time

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from errorbudget.status import Status
    from errorbudget.windows import Interval

__all__ = ["Attribution", "Spender", "attribute", "check_budgeted", "part_of_budget"]
__all__ += ["shared_out", "units_of"]

Key = tuple[str | None, ...]


SPENDER: Columns = {
    "bad": "count",
    "total": "count",
    "share": "chance",
    "consumed_ratio": "figure",
    "traffic": "chance",
    "burn_rate": "figure",
}
"""A spender as a row, beside the texts of its key."""


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
        by: Names of the columns that rows are told apart by.
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

    @property
    def columns(self) -> Columns:
        """What stands in the columns of its rows."""
        return {**dict.fromkeys(self.by, "text?"), **SPENDER}

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
        return {
            "slo": self.slo.name,
            "start": format_time(self.interval.start_ns),
            "end": format_time(self.interval.end_ns),
            "by": list(self.by),
            "bad": plain_count(self.counts.bad),
            "total": plain_count(self.counts.total),
            "consumed_ratio": figure(self.consumed),
            "spenders": [
                {
                    **dict(zip(self.by, spender.key, strict=True)),
                    "bad": plain_count(spender.counts.bad),
                    "total": plain_count(spender.counts.total),
                    "share": figure(spender.share),
                    "consumed_ratio": figure(spender.consumed),
                    "traffic": figure(spender.traffic),
                    "burn_rate": figure(spender.burn),
                }
                for spender in self.spenders
            ],
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


def part_of_budget(bad: Any, counts: Counts, error: Fraction) -> Ratio | None:
    """
    The share of a window's budget that *bad* of its events spend, exactly.

    Args:
        bad: Bad events of the part [events].
        counts: All events of the window.
        error: Exact share of events that may be bad.
    """
    if not counts.total:
        return None
    return spent(Counts(counts.total - bad, bad), error)


def check_budgeted(slo: SLO, data: Any) -> None:
    """
    Whether the budget of *slo* can be shared out over *data*.

    Raises:
        InvalidInputError: The data is neither events nor counts.
        InvalidSeriesError: The objective is a plain threshold, which spends no budget, or its
            units are averages of ratios, which cannot be shared out.
    """
    if slo.target is None:
        raise InvalidSeriesError(
            f'SLO "{slo.name}" is a threshold ({slo.sli}) and has no budget to share out; '
            'give it a target and method=errorbudget.Timeslices("1m")'
        )
    if isinstance(slo.method, RatioTimeslices):
        raise InvalidSeriesError(
            f'SLO "{slo.name}" averages the ratios of slices, whose parts are no events; '
            'ask slo.replace(method="occurrences")'
        )
    if not isinstance(data, (Events, CountSeries)):
        raise InvalidInputError(
            f"give errorbudget.Events or a count series, got {type(data).__name__}"
        )
    if isinstance(data, CountSeries) and isinstance(slo.sli, ThresholdSLI):
        raise InvalidSeriesError(f'SLO "{slo.name}" ({slo.sli}) needs the events themselves')


def units_of(slo: SLO, data: Events | CountSeries, until_ns: int) -> Series:
    """
    The units of *slo* in events or counts; see `check_budgeted` for what it refuses.

    Args:
        slo: The objective.
        data: Request events, or a count series.
        until_ns: Judge empty slices up to this instant.
    """
    check_budgeted(slo, data)
    if isinstance(data, Events):
        return judge(slo, data, until_ns=until_ns).series
    return judge_series(slo, data, until_ns=until_ns)


def attribute(
    slo: SLO,
    data: Any,
    by: str | Iterable[str] | Mapping[str, Any],
    *,
    at: TimeLike | None = None,
) -> Attribution:
    """
    Who spent the budget of the window that ends at *at*.

    Args:
        slo: The objective.
        data: Request events; for stretches of time, also a count series.
        by: Name of a label, `"status"` or `"status_class"`, or several names; or stretches of time
            by name, (start, end] each: incidents, deploys, entries of a ledger. Where stretches
            overlap, the one that starts first claims an event; what lies in none is `(none)`.
        at: The instant; by default the end of the data.

    Returns:
        Rows that add up exactly: bad events to bad events, parts of the budget to the part spent.
        Empty data with *at* given has no rows.

    Raises:
        InvalidSeriesError: There is no such label, or the objective's units are no events.
        NoDataError: The data is empty and *at* is not given.

    Time: O(n log n) for n events.

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
    columns = not isinstance(names, Mapping)
    listed = list(names) if isinstance(names, Iterable) else []
    if columns and listed and all(isinstance(name, str) for name in listed):
        return _by_columns(slo, data, tuple(listed), slo.evaluate(data, at=at))
    stretches = read_stretches(names if isinstance(names, Mapping) else listed)
    status = slo.evaluate(data, at=at)
    series = units_of(slo, data, status.at_ns)
    shares, rest = counted(series, status.interval, stretches)
    rows: list[tuple[Key, Counts]] = [
        ((stretch.name,), counts) for stretch, counts in zip(stretches, shares, strict=True)
    ]
    if rest:
        rows.append(((None,), rest))
    return shared_out(slo, status, ("stretch",), rows)


def shared_out(
    slo: SLO, status: Status, by: tuple[str, ...], rows: Iterable[tuple[Key, Counts]]
) -> Attribution:
    """What each row's events are of those of *status*, the costliest first."""
    assert status.budget is not None  # noqa: S101 - an objective with a target has one
    counts, error = status.counts, status.budget.error

    # Of a million labels most have the same few events: their exact ratios are worked out once.
    @cache
    def ratios(
        good: Any, bad: Any
    ) -> tuple[Fraction | None, Ratio | None, Fraction | None, Ratio | None]:
        own = Counts(good, bad)
        return (
            Fraction(bad) / Fraction(counts.bad) if counts.bad else None,
            part_of_budget(bad, counts, error),
            Fraction(own.total) / Fraction(counts.total) if counts.total else None,
            spent(own, error),
        )

    spenders = [Spender(key, own, *ratios(own.good, own.bad)) for key, own in rows]
    spenders.sort(key=lambda row: (-row.counts.bad, -row.counts.total, row.name))
    return Attribution(slo, status.interval, by, counts, error, tuple(spenders))


def _by_columns(slo: SLO, data: Any, by: tuple[str, ...], status: Status) -> Attribution:
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
    bad = ~is_good[rows]
    columns = [_column(data, name) for name in by]
    found = [
        (
            tuple(
                None if code < 0 else column.values[code]
                for code, column in zip(kind, columns, strict=True)
            ),
            Counts(all_ - missed, missed),
        )
        for kind, all_, missed in _tally(columns, rows, bad)
    ]
    return shared_out(slo, status, by, found)


def _tally(
    columns: Sequence[Labels], rows: NDArray[np.intp], bad: NDArray[np.bool_]
) -> Iterator[tuple[list[int], int, int]]:
    """Codes of every combination that occurs, with how many events and bad ones it has."""
    sizes = [len(column.values) + 1 for column in columns]  # code -1, no label, is one of them
    key = np.zeros(len(rows), dtype=np.int64)
    if prod(sizes) <= max(4 * len(rows), 1 << 16):  # a place for every combination
        for column, size in zip(columns, sizes, strict=True):
            key *= size
            key += column.codes[rows]
            key += 1
        kinds = np.stack(np.unravel_index(np.arange(prod(sizes)), sizes))
    else:
        kinds, key = np.unique(
            np.stack([column.codes[rows] + 1 for column in columns]), axis=1, return_inverse=True
        )
    total = np.bincount(key.ravel(), minlength=kinds.shape[1])
    missed = np.bincount(key.ravel()[bad], minlength=kinds.shape[1])
    for place in np.flatnonzero(total).tolist():
        yield (kinds[:, place] - 1).tolist(), int(total[place]), int(missed[place])


def _column(events: Events, name: str) -> Labels:
    if name in ("status", "status_class"):
        status: NDArray[np.int16] = events.column("status")
        codes = status.astype(np.int32) // (100 if name == "status_class" else 1)
        ends = "xx" if name == "status_class" else ""
        most = int(codes.max(initial=0))
        return Labels(codes - 1, tuple(f"{code}{ends}" for code in range(1, most + 1)))
    column = events.labels.get(name)
    if column is None:
        known = ("status", "status_class", *events.labels)
        raise InvalidSeriesError(
            f'events have no label "{name}"; there are {", ".join(known)}'
            f"{did_you_mean(name, known)}"
        )
    return column
