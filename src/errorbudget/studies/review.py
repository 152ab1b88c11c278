"""
Reviews: what a week, a month or a quarter was like, beside the one before.

What each review speaks of is what the SLO guide lists for it. Everything that can be computed is;
what only people can decide is handed to them as a question with the figures beside it.

Source: the SLO guide, "SLO Review Process".
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Literal

from errorbudget.cards import Card, Shown
from errorbudget.durations import DAY_NS
from errorbudget.errors import InvalidInputError, did_you_mean
from errorbudget.evaluation import instant_of
from errorbudget.events import Events
from errorbudget.rationals import shown
from errorbudget.series import CountSeries
from errorbudget.slo import SLO, as_slos
from errorbudget.status import plain_count
from errorbudget.studies.actions import ActionItem, action_items
from errorbudget.studies.inspection import reviewed
from errorbudget.studies.reviewed import SUMMARY, Part, SLOReview
from errorbudget.studies.tables import frame, percent, text_table
from errorbudget.times import TimeLike, format_time
from errorbudget.windows import Calendar, Interval

if TYPE_CHECKING:
    from errorbudget.windows.calendar import Unit

__all__ = ["PERIODS", "Cadence", "Period", "Review", "Shared", "review"]

Period = Literal["weekly", "monthly", "quarterly"]
Data = Events | CountSeries


@dataclass(frozen=True, slots=True)
class Cadence:
    """
    One kind of review.

    Attributes:
        length_ns: Length of its period where no calendar is asked for [ns].
        unit: The calendar's period.
        part_ns: What its trend is drawn in [ns].
        topics: What it speaks of, in the guide's words; a longer review holds the shorter ones.
    """

    length_ns: int
    unit: Unit
    part_ns: int
    topics: tuple[str, ...]


_WEEKLY = ("Current Status", "Trend Analysis", "Alert Effectiveness", "Action Items")
_MONTHLY = (
    "Performance Analysis",
    "Target Adjustment",
    "Process Improvement",
    "Stakeholder Communication",
)
_QUARTERLY = (
    "Strategic Assessment",
    "Business Alignment",
    "Architecture Review",
    "Long-term Planning",
)
PERIODS: Mapping[str, Cadence] = {
    "weekly": Cadence(7 * DAY_NS, "week", DAY_NS, _WEEKLY),
    "monthly": Cadence(30 * DAY_NS, "month", 7 * DAY_NS, _WEEKLY + _MONTHLY),
    "quarterly": Cadence(90 * DAY_NS, "quarter", 30 * DAY_NS, _WEEKLY + _MONTHLY + _QUARTERLY),
}


@dataclass(frozen=True, slots=True)
class Shared:
    """
    Incidents of several objectives at the same time, which may have one cause.

    Attributes:
        start_ns: When the first of them began [ns UTC].
        end_ns: When the last of them ended [ns UTC].
        slos: Names of the objectives.
    """

    start_ns: int
    end_ns: int
    slos: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """The stretch as plain data, ready for JSON."""
        return {
            "start": format_time(self.start_ns),
            "end": format_time(self.end_ns),
            "slos": list(self.slos),
        }


HEADER = ("SLO", "state", "budget left", "before", "bad", "before", "trend")


@dataclass(frozen=True, slots=True, repr=False)
class Review(Shown, Sequence[SLOReview]):
    """
    One period of some objectives, beside the period before.

    Attributes:
        period: "weekly", "monthly" or "quarterly".
        interval: The period; a calendar's is [start, end), another (start, end].
        before: The period before it.
        slos: One entry an objective.
        shared: Incidents of several objectives at once.
        actions: What to do, the most urgent first.
    """

    period: Period
    interval: Interval
    before: Interval
    slos: tuple[SLOReview, ...]
    shared: tuple[Shared, ...]
    actions: tuple[ActionItem, ...]

    @property
    def topics(self) -> tuple[str, ...]:
        """What the review speaks of, in the guide's words."""
        return PERIODS[self.period].topics

    def __len__(self) -> int:
        return len(self.slos)

    def __iter__(self) -> Iterator[SLOReview]:
        return iter(self.slos)

    def __getitem__(self, key: Any) -> Any:
        if isinstance(key, str):
            for each in self.slos:
                if each.slo.name == key:
                    return each
            known = tuple(each.slo.name for each in self.slos)
            raise InvalidInputError(
                f'no SLO "{key}" in this review; there are {", ".join(known)}'
                f"{did_you_mean(key, known)}"
            )
        return self.slos[key]

    def summary(self) -> str:
        """The review in two or three sentences, for those who read no more."""
        states = [each.status.state for each in self.slos]
        met, known = states.count("met"), len(states) - states.count("no_data")
        text = f"{met} of {known} objectives are met" if known else "No objective has data"
        if len(states) > known > 0:
            text += f", {len(states) - known} have no data"
        gone = [each.slo.name for each in self.slos if each.exhausted]
        if gone:
            text += f"; the budget of {', '.join(gone)} is spent"
        parts = [text]
        for word in ("worse", "better"):
            names = [
                each.slo.name for each in self.slos if each.trend and each.trend.direction == word
            ]
            if names:
                parts.append(f"{word.capitalize()} than the period before: {', '.join(names)}")
        pages = sum(
            len(each.now.alerts.pages) for each in self.slos if each.now and each.now.alerts
        )
        missed = sum(
            len(each.now.alerts.missed) for each in self.slos if each.now and each.now.alerts
        )
        parts.append(
            f"{pages} {'page' if pages == 1 else 'pages'}, {missed} "
            f"{'incident' if missed == 1 else 'incidents'} that nobody was paged for"
        )
        return ". ".join(parts) + "."

    def to_dict(self) -> dict[str, Any]:
        """The review as plain data, schema `errorbudget.review/1`."""
        return {
            "schema": "errorbudget.review/1",
            "period": self.period,
            "start": format_time(self.interval.start_ns),
            "end": format_time(self.interval.end_ns),
            "before": {
                "start": format_time(self.before.start_ns),
                "end": format_time(self.before.end_ns),
            },
            "topics": list(self.topics),
            "summary": self.summary(),
            "slos": [each.to_dict() for each in self.slos],
            "shared": [each.to_dict() for each in self.shared],
            "actions": [item.to_dict() for item in self.actions],
        }

    def to_pandas(self) -> Any:
        """One row of figures an objective, as a pandas DataFrame."""
        return frame((each.summary() for each in self.slos), SUMMARY)

    def __repr__(self) -> str:
        return (
            f"Review({self.period}, {format_time(self.interval.start_ns)} to "
            f"{format_time(self.interval.end_ns)}: {len(self)} SLOs, {len(self.actions)} actions)"
        )

    def _rows(self) -> list[list[str]]:
        return [
            [
                each.slo.name,
                each.status.state.replace("_", " "),
                percent(each.remaining),
                percent(each.remaining_before),
                "-" if each.now is None else f"{plain_count(each.now.counts.bad):,}",
                "-" if each.before is None else f"{plain_count(each.before.counts.bad):,}",
                "-" if each.trend is None else each.trend.direction,
            ]
            for each in self.slos
        ]

    def __str__(self) -> str:
        table = text_table(HEADER, self._rows())
        return f"{table}\n" + "\n".join(f"- {item}" for item in self.actions)

    def _card(self) -> Card:
        span = f"{format_time(self.interval.start_ns)} to {format_time(self.interval.end_ns)}"
        title = f"{self.period.capitalize()} review, {span}"
        notes = [f"{item}." for item in self.actions]
        return Card(title, "", "", [self.summary()], HEADER, self._rows(), notes)


def _intervals(period: Period, at_ns: int, calendar: str | None) -> tuple[Interval, Interval]:
    """The period that ends at *at_ns*, or the calendar's last whole one, and the one before."""
    cadence = PERIODS[period]
    if calendar is None:
        length = cadence.length_ns
        now = Interval(at_ns - length, at_ns, "right")
        return now, Interval(at_ns - 2 * length, at_ns - length, "right")
    window = Calendar(cadence.unit, zone=calendar)
    last = window.previous(window.interval(at_ns))
    earlier = window.previous(last)
    return (
        Interval(last.start_ns, last.end_ns, "left"),
        Interval(earlier.start_ns, earlier.end_ns, "left"),
    )


def _parts(cadence: Cadence, interval: Interval) -> tuple[Part, ...]:
    """The period in days, weeks or months; the last may be shorter."""
    edges = [*range(interval.start_ns, interval.end_ns, cadence.part_ns), interval.end_ns]
    return tuple(Part(Interval(low, high, interval.closed)) for low, high in pairwise(edges))


def _of(data: Any, slo: SLO) -> Data:
    found = data[slo.name] if isinstance(data, Mapping) and slo.name in data else data
    if not isinstance(found, (Events, CountSeries)):
        raise InvalidInputError(
            f'SLO "{slo.name}": give errorbudget.Events, a count series, or these by name of the '
            f"objective, got {type(found).__name__}"
        )
    return found


def _known(incidents: Any, slo: SLO) -> Any:
    """Those of an objective: a list by its name; a pair of instants by name is an incident."""
    found = incidents.get(slo.name) if isinstance(incidents, Mapping) else None
    listed = isinstance(found, Sequence) and all(hasattr(each, "name") for each in found)
    return found if listed else incidents


def review(
    slos: SLO | Iterable[SLO],
    data: Any,
    *,
    period: Period = "weekly",
    at: TimeLike | None = None,
    calendar: str | None = None,
    incidents: Any = None,
    progress: Callable[[int, int | None], None] | None = None,
) -> Review:
    """
    What a period was like, as the guide asks for it.

    Args:
        slos: One objective or several.
        data: Request events, a count series, or these by name of the objective.
        period: "weekly" (7 days), "monthly" (30 days) or "quarterly" (90 days).
        at: Where the period ends; by default the end of the data.
        calendar: A zone, such as `"UTC"` or `"Europe/Berlin"`: the period is then the last whole
            week from Monday, month or quarter of its calendar that was over at *at*.
        incidents: What truly happened, as for `backtest`, or lists of that by name of the
            objective; by default incidents are found.
        progress: Told after each objective how many of how many are done.

    Returns:
        Figures beside those of the period before, and what to do about them. An objective without
        a budget, or whose units are no counts, has its status alone.

    Raises:
        InvalidInputError: The period is not known, or there are no objectives, or two of one name.
        InvalidSeriesError: The data lacks a column.
        NoDataError: The data is empty and *at* is not given.

    Time: O(n) for n minutes or events, a few times over for longer periods.

    Example:
        >>> from errorbudget.sli import Availability
        >>> slo = SLO("api", target="99%", window="7d", sli=Availability())
        >>> hours = 14 * 24
        >>> bad = [1 if hour < 168 else 3 for hour in range(hours)]
        >>> data = CountSeries(
        ...     [(hour + 1) * 3_600 * 10**9 for hour in range(hours)],
        ...     [1_000 - each for each in bad],
        ...     [1_000] * hours,
        ...     "1h",
        ... )
        >>> week = review(slo, data)
        >>> week["api"].trend.direction, week["api"].now.counts.bad, week["api"].before.counts.bad
        ('worse', 504, 168)
    """
    if not isinstance(period, str) or period not in PERIODS:
        raise InvalidInputError(
            f"period must be one of {', '.join(PERIODS)}, got {shown(period)}"
            f"{did_you_mean(shown(period), tuple(PERIODS))}"
        )
    listed = as_slos(slos)
    at_ns = instant_of(at, (_of(data, slo).span for slo in listed))
    now, before = _intervals(period, at_ns, calendar)
    cadence = PERIODS[period]
    found = []
    for done, slo in enumerate(listed, 1):
        found.append(
            reviewed(
                slo,
                _of(data, slo),
                now,
                before,
                _parts(cadence, now),
                deep=period != "weekly",
                incidents=_known(incidents, slo),
            )
        )
        if progress is not None:
            progress(done, len(listed))
    return Review(period, now, before, tuple(found), _shared(found), action_items(found, period))


def _shared(found: Sequence[SLOReview]) -> tuple[Shared, ...]:
    """Stretches in which incidents of several objectives overlap, joined where they touch."""
    every = sorted(
        (entry.start_ns, entry.end_ns, each.slo.name) for each in found for entry in each.incidents
    )
    groups: list[list[tuple[int, int, str]]] = []
    until = 0
    for start, end, name in every:
        if groups and start < until:
            groups[-1].append((start, end, name))
            until = max(until, end)
        else:
            groups.append([(start, end, name)])
            until = end
    return tuple(
        Shared(group[0][0], max(end for _, end, _ in group), names)
        for group in groups
        if len(names := tuple(dict.fromkeys(name for _, _, name in group))) > 1
    )
