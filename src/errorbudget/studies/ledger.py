"""
The incident ledger: when it burned, how hard, and what it cost.

Incidents are given, or found: stretches in which a short window burned above a threshold, cut to
where they truly did. What they cost and what slipped away outside of them add up to the
whole.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from errorbudget.budget import Ratio, spent
from errorbudget.burn import Number
from errorbudget.cards import Card, Shown
from errorbudget.columns import Columns
from errorbudget.counts import Counts
from errorbudget.durations import MINUTE_NS, DurationLike, format_duration, length_of
from errorbudget.rationals import is_whole
from errorbudget.series import CountSeries, Series
from errorbudget.slo import SLO
from errorbudget.status import plain_count
from errorbudget.studies.arguments import exact
from errorbudget.studies.budgeted import check_budgeted, part_of_budget, units_of
from errorbudget.studies.burning import Grid, burning_stretches, usual_threshold
from errorbudget.studies.stretches import Stretch, counted, read_stretches
from errorbudget.studies.tables import figure, frame, percent, text_table
from errorbudget.times import TimeLike, format_time

if TYPE_CHECKING:
    from errorbudget.events import Events
    from errorbudget.windows import Interval

__all__ = [
    "Ledger",
    "LedgerEntry",
    "burning_stretches",
    "incident_ledger",
    "ledger_of_units",
    "usual_threshold",
]

HEADER = ("incident", "start", "for", "bad", "peak burn", "of the budget", "of the bad")


INCIDENT: Columns = {
    "name": "text",
    "start": "instant",
    "end": "instant",
    "bad": "count",
    "total": "count",
    "peak_burn": "figure",
    "peak_at": "instant?",
    "cost": "figure",
    "share": "chance",
}
"""An entry as a row."""


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """
    One incident.

    Attributes:
        name: Its name, "incident 1" and so on when it was found.
        start_ns: The instant after which it burned [ns UTC].
        end_ns: The last instant at which it burned [ns UTC].
        counts: Good and bad events in (start, end].
        peak_burn: Highest burn rate of the short window that was seen in it [1]; None where the
            window never held an event.
        peak_ns: When that was [ns UTC]; None likewise.
        cost: Part of the window's budget that it spent [1]; None without events in the window.
        share: Its part of all bad events [1]; None when nothing was bad.
    """

    name: str
    start_ns: int
    end_ns: int
    counts: Counts
    peak_burn: Ratio | None
    peak_ns: int | None
    cost: Ratio | None
    share: Fraction | None

    @property
    def duration_ns(self) -> int:
        """How long it lasted [ns]."""
        return self.end_ns - self.start_ns

    def to_dict(self) -> dict[str, Any]:
        """The entry as plain data, ready for JSON."""
        return {
            "name": self.name,
            "start": format_time(self.start_ns),
            "end": format_time(self.end_ns),
            "bad": plain_count(self.counts.bad),
            "total": plain_count(self.counts.total),
            "peak_burn": figure(self.peak_burn),
            "peak_at": None if self.peak_ns is None else format_time(self.peak_ns),
            "cost": figure(self.cost),
            "share": figure(self.share),
        }


@dataclass(frozen=True, slots=True, repr=False)
class Ledger(Shown, Sequence[LedgerEntry]):
    """
    The incidents of one window, by start.

    Attributes:
        slo: The objective.
        interval: The window.
        counts: All its good and bad events.
        error: Exact share of events that may be bad.
        entries: The incidents.
        elsewhere: Events outside of all incidents; with the entries' own they are *counts*.
    """

    slo: SLO
    interval: Interval
    counts: Counts
    error: Fraction
    entries: tuple[LedgerEntry, ...]
    elsewhere: Counts

    @property
    def elsewhere_cost(self) -> Ratio | None:
        """Part of the budget that was spent outside of all incidents, exactly."""
        return part_of_budget(self.elsewhere.bad, self.counts, self.error)

    def __len__(self) -> int:
        return len(self.entries)

    def __iter__(self) -> Iterator[LedgerEntry]:
        return iter(self.entries)

    def __getitem__(self, key: Any) -> Any:
        return self.entries[key]

    def to_dict(self) -> dict[str, Any]:
        """The ledger as plain data, ready for JSON."""
        return {
            "slo": self.slo.name,
            "start": format_time(self.interval.start_ns),
            "end": format_time(self.interval.end_ns),
            "bad": plain_count(self.counts.bad),
            "total": plain_count(self.counts.total),
            "consumed_ratio": figure(spent(self.counts, self.error)),
            "incidents": [entry.to_dict() for entry in self.entries],
            "elsewhere": {
                "bad": plain_count(self.elsewhere.bad),
                "total": plain_count(self.elsewhere.total),
                "cost": figure(self.elsewhere_cost),
            },
        }

    def to_pandas(self) -> Any:
        """The incidents as a pandas DataFrame."""
        return frame((entry.to_dict() for entry in self.entries), INCIDENT)

    def __repr__(self) -> str:
        return (
            f"Ledger({self.slo.name}: {len(self)} incidents, {self.counts.bad:,} bad events, "
            f"{self.elsewhere.bad:,} of them outside)"
        )

    def _rows(self) -> list[list[str]]:
        rows = [
            [
                entry.name,
                format_time(entry.start_ns),
                format_duration(entry.duration_ns),
                f"{entry.counts.bad:,}",
                "-" if entry.peak_burn is None else f"{float(entry.peak_burn):.1f}",
                percent(entry.cost),
                percent(entry.share),
            ]
            for entry in self.entries
        ]
        elsewhere = ["elsewhere", "", "", f"{self.elsewhere.bad:,}", ""]
        share = (
            Fraction(self.elsewhere.bad) / Fraction(self.counts.bad) if self.counts.bad else None
        )
        rows.append([*elsewhere, percent(self.elsewhere_cost), percent(share)])
        return rows

    def __str__(self) -> str:
        return text_table(HEADER, self._rows())

    def _card(self) -> Card:
        cost = percent(spent(self.counts, self.error))
        lines = [f"{len(self)} incidents; {self.counts.bad:,} bad events, {cost} of the budget"]
        return Card(f"Incidents of {self.slo.name}", "", "", lines, HEADER, self._rows())


def incident_ledger(
    slo: SLO,
    data: Events | CountSeries,
    *,
    incidents: Any = None,
    threshold: Number | None = None,
    window: DurationLike | int = "5m",
    merge: DurationLike | int = "30m",
    min_cost: Number = "1%",
    at: TimeLike | None = None,
) -> Ledger:
    """
    The incidents of the window that ends at *at*, and what each cost.

    Args:
        slo: The objective.
        data: Request events, or a count series.
        incidents: Known ones: (start, end] by name, or things with a name, a start and an end.
            None finds them.
        threshold: Burn rate that the short window must exceed for an incident to be found [1]; by
            default the lowest that the objective pages for.
        window: Length of the short window; burn is looked at every minute, or every bin.
        merge: Incidents no further apart than this are one, unless one of them is but a fraction
            of the other: a lone failure before an outage is not its beginning.
        min_cost: Leave out what was found and spent no more than this part of the budget; 0 lists
            every failure that burned above *threshold* by itself.
        at: The instant; by default the end of the data.

    Returns:
        Incidents by start. Their bad events and those elsewhere add up exactly to the window's.

    Raises:
        InvalidInputError: An argument cannot be read.
        InvalidSeriesError: The objective has no budget, or the data lacks a column.
        NoDataError: The data is empty and *at* is not given.

    Time: O(w / step + n log n) for a window of w.

    Example:
        >>> from errorbudget.sli import Availability
        >>> slo = SLO("api", target="99%", window="1d", sli=Availability())
        >>> minutes = range(60, 86_460, 60)
        >>> bad = [8 if 600 <= end // 60 < 620 else 0 for end in minutes]
        >>> series = CountSeries(
        ...     [end * 10**9 for end in minutes], [10 - b for b in bad], [10] * 1440, "1m"
        ... )
        >>> print(incident_ledger(slo, series))
        incident                    start  for  bad  peak burn  of the budget  of the bad
        incident 1   1970-01-01T09:59:00Z  20m  160       80.0        111.11%     100.00%
        elsewhere                                0                      0.00%       0.00%
    """
    check_budgeted(slo, data)
    status = slo.evaluate(data, at=at)
    assert status.budget is not None  # noqa: S101 - an objective with a target has one
    step_ns = data.step_ns if isinstance(data, CountSeries) else MINUTE_NS
    return ledger_of_units(
        slo,
        units_of(slo, data, status.at_ns),
        status.interval,
        status.counts,
        status.budget.error,
        incidents=incidents,
        threshold=threshold,
        step_ns=step_ns,
        window_ns=max(length_of(window), step_ns),
        merge_ns=0 if is_whole(merge) and merge == 0 else length_of(merge),
        least=exact("min_cost", min_cost),
    )


def ledger_of_units(
    slo: SLO,
    series: Series,
    interval: Interval,
    counts: Counts,
    error: Fraction,
    *,
    incidents: Any,
    threshold: Number | None,
    step_ns: int,
    window_ns: int,
    merge_ns: int,
    least: Fraction,
) -> Ledger:
    """
    The ledger of units that are counted already, over any stretch of time.

    Args:
        slo: The objective.
        series: Its units.
        interval: The stretch.
        counts: Its good and bad units.
        error: Exact share of them that may be bad.
        incidents: As for `incident_ledger`, and so are the rest.
        threshold: Burn rate that the short window must exceed.
        step_ns: How often burn is looked at [ns].
        window_ns: Length of the short window [ns].
        merge_ns: Incidents no further apart than this are one [ns].
        least: Leave out what was found and spent no more than this part of the budget.
    """
    if incidents is None:
        limit = usual_threshold(slo) if threshold is None else exact("threshold", threshold)
        found = burning_stretches(
            slo,
            series,
            interval,
            step_ns=step_ns,
            window_ns=window_ns,
            merge_ns=merge_ns,
            threshold=limit,
        )
        stretches: tuple[Stretch, ...] = tuple(
            Stretch(f"incident {place}", *bounds) for place, bounds in enumerate(found, 1)
        )
    else:
        stretches = read_stretches(incidents)
    shares, elsewhere = counted(series, interval, stretches)
    grid = Grid.over(series, interval, step_ns, window_ns)
    entries: list[LedgerEntry] = []
    for stretch, own in zip(stretches, shares, strict=True):
        cost = part_of_budget(own.bad, counts, error)
        if incidents is None and least and (cost is None or cost <= least):
            elsewhere += own
            continue
        name = f"incident {len(entries) + 1}" if incidents is None else stretch.name
        peak, when = grid.peak(slo, stretch)
        share = Fraction(own.bad) / Fraction(counts.bad) if counts.bad else None
        entries.append(
            LedgerEntry(name, stretch.start_ns, stretch.end_ns, own, peak, when, cost, share)
        )
    return Ledger(slo, interval, counts, error, tuple(entries), elsewhere)
