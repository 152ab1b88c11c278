"""
Alert policies on a history: what would they have done?

Every policy is run over the same minutes with the same strict comparisons as `History.firing`, and
held against what truly spent the budget. Windows, burn rates and conditions are shared, so a sweep
of a hundred variants costs little more than one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from errorbudget.alerts import AlertPolicy
from errorbudget.burn import Number
from errorbudget.cards import Card, Shown
from errorbudget.counts import Counts
from errorbudget.durations import (
    HOUR_NS,
    MINUTE_NS,
    DurationLike,
    format_duration,
    length_of,
)
from errorbudget.errors import InvalidInputError, did_you_mean
from errorbudget.history import grid
from errorbudget.rationals import shown
from errorbudget.schedule import TargetSchedule
from errorbudget.series import CountSeries
from errorbudget.slo import SLO
from errorbudget.status import plain_count
from errorbudget.studies.arguments import exact, listed
from errorbudget.studies.budgeted import check_budgeted, units_of
from errorbudget.studies.burning import burning_stretches
from errorbudget.studies.firing import FiringTable
from errorbudget.studies.pages import POLICY, CostlyPeriod, PolicyResult
from errorbudget.studies.pareto import Recommendation, pareto_front, recommendation
from errorbudget.studies.stretches import Stretch, read_stretches
from errorbudget.studies.tables import frame, percent, text_table
from errorbudget.studies.trial import Trial
from errorbudget.times import TimeLike, format_time
from errorbudget.windows import Interval

if TYPE_CHECKING:
    from errorbudget.events import Events

__all__ = ["Backtest", "backtest"]

HEADER = ("policy", "pages", "false", "again", "idle", "seen", "detection", "spent unseen")


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class Backtest(Shown, Sequence[PolicyResult]):
    """
    Several policies on one history.

    Attributes:
        slo: The objective.
        start_ns: First instant at which conditions were seen [ns UTC].
        end_ns: The last one [ns UTC].
        step_ns: Time between two [ns].
        counts: All good and bad units of the history.
        incidents: What the policies were held against.
        results: One per policy, in their order.
    """

    slo: SLO
    start_ns: int
    end_ns: int
    step_ns: int
    counts: Counts
    incidents: tuple[CostlyPeriod, ...]
    results: tuple[PolicyResult, ...]

    def __len__(self) -> int:
        return len(self.results)

    def __iter__(self) -> Iterator[PolicyResult]:
        return iter(self.results)

    def __getitem__(self, key: Any) -> Any:
        if isinstance(key, str):
            for result in self.results:
                if result.name == key:
                    return result
            known = tuple(result.name for result in self.results)
            raise InvalidInputError(
                f'no policy "{key}" was run; there are {", ".join(known)}{did_you_mean(key, known)}'
            )
        return self.results[key]

    def front(self) -> tuple[PolicyResult, ...]:
        """
        The policies that no other beats: none calls less for nothing and leaves less unseen.

        Empty where the history has no incident to tell them apart.
        """
        return pareto_front(self.results)

    def recommend(self, false_pages_per_month: Number = 1) -> Recommendation:
        """
        The policy that leaves least unseen at no more than so many false pages a month.

        Args:
            false_pages_per_month: False pages that people put up with in 30 days; a page that is
                open while no incident is on counts once more every 4 hours, when it is sent again.
        """
        return recommendation(self.results, false_pages_per_month)

    def to_dict(self) -> dict[str, Any]:
        """The backtest as plain data, ready for JSON."""
        return {
            "slo": self.slo.name,
            "start": format_time(self.start_ns),
            "end": format_time(self.end_ns),
            "step": format_duration(self.step_ns),
            "bad": plain_count(self.counts.bad),
            "total": plain_count(self.counts.total),
            "incidents": [incident.to_dict() for incident in self.incidents],
            "policies": [result.to_dict() for result in self.results],
        }

    def to_pandas(self) -> Any:
        """One row of figures a policy, as a pandas DataFrame."""
        return frame((result.summary() for result in self.results), POLICY)

    def __repr__(self) -> str:
        return (
            f"Backtest({self.slo.name}: {len(self)} policies, {len(self.incidents)} incidents, "
            f"{format_time(self.start_ns)} to {format_time(self.end_ns)})"
        )

    def _rows(self) -> list[list[str]]:
        return [
            [
                result.name,
                f"{len(result.pages)}",
                f"{len(result.false_pages)}",
                f"{result.repeats}",
                percent(result.idle),
                f"{result.seen}/{len(result.detections)}",
                "-" if result.detection_s is None else f"{result.detection_s / 60:.0f}m",
                percent(result.spent_unseen),
            ]
            for result in self.results
        ]

    def __str__(self) -> str:
        return text_table(HEADER, self._rows())

    def _card(self) -> Card:
        span = f"{format_time(self.start_ns)} to {format_time(self.end_ns)}"
        lines = [f"{len(self)} policies, {len(self.incidents)} incidents, {span}"]
        front = ", ".join(result.name for result in self.front())
        notes = [f"No other beats: {front}"] if front else []
        return Card(f"Backtest of {self.slo.name}", "", "", lines, HEADER, self._rows(), notes)


def _policies(slo: SLO, policies: Any) -> list[AlertPolicy]:
    if policies is None:
        policies = [slo.alerts]
    several = not isinstance(policies, AlertPolicy)
    found = listed("policies", policies, "[WORKBOOK, GUIDE]") if several else [policies]
    for policy in found:
        if not isinstance(policy, AlertPolicy):
            raise InvalidInputError(f"policies are of type AlertPolicy, got {shown(policy)}")
    if not found:
        raise InvalidInputError("no policies to run; give at least one")
    names = [policy.name for policy in found]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise InvalidInputError(f'two policies are called "{twice}"; names must differ')
    # As the objective itself would take them: published tables serve its window.
    return [slo.replace(alerts=policy).alerts for policy in found]


def backtest(
    slo: SLO,
    data: Events | CountSeries,
    policies: Iterable[AlertPolicy] | AlertPolicy | None = None,
    *,
    incidents: Any = None,
    costly: Number = "2%",
    step: DurationLike | int | None = None,
    start: TimeLike | None = None,
    end: TimeLike | None = None,
    progress: Callable[[int, int], object] | None = None,
) -> Backtest:
    """
    What alert policies would have done on a history.

    A page is a stretch in which any alert of severity "critical" or "page" fires. It is true when
    an incident reaches into its look-back or begins while it lasts, and false otherwise. Costs are
    parts of an average period's budget: the history's traffic, scaled to the period of the SLO.
    An open page is sent again every 4 hours; those that come while no incident is on are counted.

    Args:
        slo: The objective; thresholds follow from its period.
        data: Request events, or a count series.
        policies: Policies with names that differ; by default the SLO's own.
        incidents: What truly happened: (start, end] by name, or things with a name, a start and an
            end; those that share no time with the history are left out. None takes the stretches in
            which an hour burned faster than 1 and which spent more than *costly*.
        costly: Part of the budget that makes a stretch an incident, when they are found.
        step: How often conditions are seen; by default every minute, or every bin.
        start: First instant; by default the beginning of the data.
        end: The last one; by default the end of the data.
        progress: Called before each policy with how many are done and how many there are.

    Returns:
        One result a policy. Alerts fire exactly where `History.firing` says so.

    Raises:
        InvalidInputError: Policies share a name, or the target changed over time.
        InvalidSeriesError: The objective has no budget, or the data lacks a column.
        NoDataError: The data is empty and *start* and *end* are not given.

    Time: O(n x (windows + conditions)) for n instants, and little for each policy.

    Example:
        >>> from errorbudget.alerts import WORKBOOK
        >>> from errorbudget.sli import Availability
        >>> slo = SLO("api", target="99.9%", window="30d", sli=Availability())
        >>> bad = [50 if 600 <= minute < 660 else 0 for minute in range(1440)]
        >>> series = CountSeries(
        ...     [(minute + 1) * 60 * 10**9 for minute in range(1440)],
        ...     [100 - b for b in bad],
        ...     [100] * 1440,
        ...     "1m",
        ... )
        >>> print(backtest(slo, series, WORKBOOK))
        policy    pages  false  again   idle  seen  detection  spent unseen
        workbook      1      0      0  2.08%   1/1         2m         2.32%
    """
    check_budgeted(slo, data)
    if isinstance(slo.target, TargetSchedule):
        raise InvalidInputError(
            f'SLO "{slo.name}" changed its target over time; backtest one of them: '
            'slo.replace(target="99.9%")'
        )
    tried = _policies(slo, policies)
    usual = data.step_ns if isinstance(data, CountSeries) else MINUTE_NS
    step_ns = usual if step is None else length_of(step)
    times = grid(data.span, step_ns, start, end)
    series = units_of(slo, data, int(times[-1]))
    target = slo.target_at(int(times[-1]))
    table = FiringTable(
        series,
        target=target,
        period_ns=slo.period_ns,
        times=times,
        step_ns=step_ns,
        windows={window for policy in tried for window in policy.windows},
    )
    whole = Interval(int(times[0]) - step_ns, int(times[-1]), "right")
    trial = Trial(table, whole, target, slo.period_ns)
    found = trial.judged(_incidents(slo, trial, incidents, costly))
    results = []
    for done, policy in enumerate(tried):
        if progress is not None:
            progress(done, len(tried))
        results.append(trial.run(policy, found))
    return Backtest(
        slo,
        int(times[0]),
        int(times[-1]),
        step_ns,
        trial.counts,
        found,
        tuple(results),
    )


def _incidents(slo: SLO, trial: Trial, given: Any, costly: Number) -> list[Stretch]:
    table, whole = trial.table, trial.whole
    if given is not None:
        return [
            each
            for each in read_stretches(given)
            if each.start_ns < whole.end_ns and each.end_ns > whole.start_ns
        ]
    least = exact("costly", costly)
    bounds = burning_stretches(
        slo,
        table.series,
        whole,
        step_ns=table.step_ns,
        window_ns=max(HOUR_NS, table.step_ns),
        merge_ns=0,
        threshold=Fraction(1),
    )
    every = trial.judged([Stretch("", *pair) for pair in bounds])
    costing = [period for period in every if period.cost is None or period.cost > least]
    return [
        Stretch(f"spending {place}", period.start_ns, period.end_ns)
        for place, period in enumerate(costing, 1)
    ]
