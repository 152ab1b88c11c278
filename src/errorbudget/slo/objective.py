"""
The objective itself.

An SLO is data. It asks; the events, counts or trackers that it is handed answer, each in its own
way, and all of them end in `SLO.assess`, where counts become a status.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from errorbudget.alerts import GUIDE, WORKBOOK, WORKBOOK_THREE, AlertPolicy
from errorbudget.budget import Budget, Ratio, spent
from errorbudget.cards import Card, Shown
from errorbudget.characters import first_control
from errorbudget.counts import Counts, as_counts
from errorbudget.durations import DAY_NS, DurationLike, format_duration, length_of
from errorbudget.errors import (
    InvalidInputError,
    InvalidTargetError,
    did_you_mean,
)
from errorbudget.methods import (
    OCCURRENCES,
    Method,
    Occurrences,
    Timeslices,
    as_method,
)
from errorbudget.policy import ERROR_BUDGET_POLICY, RISK_TOLERANCE, Policy
from errorbudget.rationals import shown
from errorbudget.schedule import TargetSchedule
from errorbudget.sli import SLI, Freshness, Measurement, RatioSLI, ThresholdSLI
from errorbudget.slo.asking import Countable, Evaluable, answering
from errorbudget.slo.assessing import doubts, projected
from errorbudget.slo.checking import (
    as_correction,
    as_reset,
    check,
    listed,
    plain_text,
    texts_by_name,
)
from errorbudget.slo.showing import alert_frame, card
from errorbudget.status import Status
from errorbudget.target import Target, TargetLike
from errorbudget.times import TimeLike, to_ns
from errorbudget.windows import Interval, Rolling, Window, WindowLike, parse_window

if TYPE_CHECKING:
    from errorbudget.comparison import Comparison
    from errorbudget.corrections import BudgetReset, Correction
    from errorbudget.history import History
    from errorbudget.methods import NoData
    from errorbudget.series import CountSeries

__all__ = ["BURN_WINDOWS", "SLO"]

BURN_WINDOWS = ("5m", "1h", "6h", "1d", "3d")
_NOMINAL_DAYS = {"day": 1, "week": 7, "month": 30, "quarter": 90, "year": 365}


@dataclass(frozen=True, kw_only=True)
class SLO(Shown):
    """
    An objective for one indicator.

    Args:
        name: Short name, such as "api-availability".
        target: Exact share of events that must be good: `"99.9%"`, 0.999; a `TargetSchedule` when
            it changed; None for an objective that is a plain threshold, such as "p95 < 200 ms".
        window: `"30d"` (rolling), `Calendar("month", zone=...)` or `"month Europe/Berlin"`.
        sli: What is measured.
        method: Budgeting method: `"occurrences"`, `Timeslices(...)` or `RatioTimeslices(...)`.
        warning_target: A stricter target whose miss is a warning.
        alerts: Burn alerts; by default the SRE Workbook's. A published table is stretched to serve
            this window; one of your own is taken as it is.
        policy: What to do at which share of budget left.
        risk_policy: The second table that a status shows beside it.
        burn_windows: Windows to show burn rates for.
        corrections: Maintenance windows that are left out or count as good.
        resets: Audited resets of the budget: what came before one no longer counts.
        min_coverage: Share of the window that has to be observed; below it a status warns.
        description: What the objective promises, in a sentence.
        service: Name of the service.
        criticality: Business impact of a miss, such as "High".
        owner: Who answers for it.
        team: Which team keeps it.
        runbook: Address of the runbook.
        links: Further addresses by name.
        labels: Free labels, carried through to every output.

    Raises:
        InvalidInputError: A part cannot be read, or two do not fit together.

    Example:
        >>> from errorbudget.sli import Availability
        >>> slo = SLO("api", target="99.9%", window="30d", sli=Availability())
        >>> status = slo.assess(Counts(good=999_500, bad=500), at=0)
        >>> status.state, status.budget.remaining_ratio, status.tier
        ('met', 0.5, 'consuming')
    """

    name: str
    target: Target | TargetSchedule | None
    window: Window
    sli: SLI
    method: Method = OCCURRENCES
    warning_target: Target | None = None
    alerts: AlertPolicy = WORKBOOK
    policy: Policy = ERROR_BUDGET_POLICY
    risk_policy: Policy = RISK_TOLERANCE
    burn_windows: tuple[int, ...] = ()
    corrections: tuple[Correction, ...] = ()
    resets: tuple[BudgetReset, ...] = ()
    min_coverage: float = 0.9
    description: str = ""
    service: str = ""
    criticality: str = ""
    owner: str = ""
    team: str = ""
    runbook: str = ""
    links: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)

    def __init__(
        self,
        name: str,
        *,
        window: WindowLike,
        sli: SLI,
        target: TargetLike | TargetSchedule | None = None,
        method: Method | str = OCCURRENCES,
        warning_target: TargetLike | None = None,
        alerts: AlertPolicy | None = None,
        policy: Policy = ERROR_BUDGET_POLICY,
        risk_policy: Policy = RISK_TOLERANCE,
        burn_windows: Iterable[DurationLike | int] = BURN_WINDOWS,
        corrections: Iterable[Correction] = (),
        resets: Iterable[BudgetReset] = (),
        min_coverage: float = 0.9,
        description: str = "",
        service: str = "",
        criticality: str = "",
        owner: str = "",
        team: str = "",
        runbook: str = "",
        links: Mapping[str, str] | None = None,
        labels: Mapping[str, str] | None = None,
    ) -> None:
        if not isinstance(name, str) or not name.strip():
            raise InvalidInputError(f"an SLO needs a name, got {shown(name)}")
        if control := first_control(name, lines=False):
            raise InvalidInputError(f"a name is one line of text, got {control} in {shown(name)}")
        if not isinstance(sli, (RatioSLI, ThresholdSLI)):
            raise InvalidInputError(
                f'SLO "{name}": sli must be an indicator such as errorbudget.Availability(), '
                f"got {shown(sli)}"
            )
        texts = {
            "description": description,
            "service": service,
            "criticality": criticality,
            "owner": owner,
            "team": team,
            "runbook": runbook,
        }
        read_target = (
            target if target is None or isinstance(target, TargetSchedule) else Target(target)
        )
        values: dict[str, Any] = {
            "name": name,
            "target": read_target,
            "window": parse_window(window),
            "sli": sli,
            "method": as_method(method),
            "warning_target": None if warning_target is None else Target(warning_target),
            "policy": policy,
            "risk_policy": risk_policy,
            "burn_windows": tuple(map(length_of, listed(name, "burn_windows", burn_windows))),
            "corrections": tuple(map(as_correction, listed(name, "corrections", corrections))),
            "resets": tuple(map(as_reset, listed(name, "resets", resets))),
            "min_coverage": min_coverage,
            **{word: plain_text(name, word, text) for word, text in texts.items()},
            "links": texts_by_name(name, "links", links),
            "labels": texts_by_name(name, "labels", labels),
        }
        for key, value in values.items():
            object.__setattr__(self, key, value)
        table = WORKBOOK if alerts is None else alerts
        published = isinstance(table, AlertPolicy) and table in (WORKBOOK, WORKBOOK_THREE, GUIDE)
        served = self._serving(table) if published else table
        object.__setattr__(self, "alerts", served)
        check(self)

    def _serving(self, table: AlertPolicy) -> AlertPolicy:
        """A published table as it serves this window, no look-back finer than a slice."""
        found = table.for_period(self.period_ns)
        return found if isinstance(self.method, Occurrences) else found.in_steps(self.method.slice)

    def to_pandas(self) -> Any:
        """Its burn alerts, one row each with its threshold, as a pandas DataFrame."""
        return alert_frame(self)

    def _card(self) -> Card:
        return card(self)

    @property
    def period_ns(self) -> int:
        """
        Length of the window [ns] that burn thresholds refer to.

        A calendar period counts with its nominal length, a month with 30 days, so that a threshold
        does not change from month to month.
        """
        if isinstance(self.window, Rolling):
            return self.window.length_ns
        return _NOMINAL_DAYS[self.window.unit] * self.window.every * DAY_NS

    @property
    def all_burn_windows(self) -> tuple[int, ...]:
        """The windows that a status needs burn rates for [ns], ascending."""
        if self.target is None:
            return ()
        return tuple(sorted({*self.burn_windows, *self.alerts.windows}))

    def interval(self, at: TimeLike) -> Interval:
        """
        The stretch that is judged at *at*: the window so far, from its start or the last reset.

        It ends at *at*, which belongs to it. It begins with the instant of its start where that
        is a reset or a calendar's; a rolling window begins just after it.
        """
        at_ns = to_ns(at)
        whole = self.window.interval(at_ns)
        start, closed = whole.start_ns, self.window.closed
        for reset in self.resets:
            if start < reset.at_ns <= at_ns:
                start, closed = reset.at_ns, "left"  # the instant of a reset counts
        return Interval(start, at_ns, closed)

    def target_at(self, time_ns: int) -> Target:
        """The target in force at *time_ns*."""
        if self.target is None:
            raise InvalidTargetError(f'SLO "{self.name}" is a threshold and has no target')
        return self.target.at(time_ns) if isinstance(self.target, TargetSchedule) else self.target

    def evaluate(self, data: Evaluable, *, at: TimeLike | None = None) -> Status:
        """
        The status of this objective.

        Args:
            data: Events, a count series, or a tracker.
            at: The instant; by default the end of the data.

        Raises:
            InvalidSeriesError: The data lacks a column that the indicator asks for.
            NoDataError: The data is empty and *at* is not given, so there is no instant to judge.
        """
        return answering(data, "evaluate").evaluate(self, at=at)

    def history(
        self,
        data: Countable,
        *,
        step: DurationLike = "1m",
        start: TimeLike | None = None,
        end: TimeLike | None = None,
    ) -> History:
        """The status at every *step* from *start* to *end*, as columns."""
        return answering(data, "history").history(self, step=step, start=start, end=end)

    def count(self, data: Countable, *, step: DurationLike = "1m") -> CountSeries:
        """Good and total events per *step*: the series that adds, merges and travels."""
        return answering(data, "count").count(self, step=step)

    def compare_methods(
        self,
        data: Countable,
        *,
        slice: DurationLike = "1m",
        slice_target: TargetLike | None = None,
        no_data: NoData = "exclude",
        at: TimeLike | None = None,
    ) -> Comparison:
        """Occurrences, time slices and ratio time slices side by side, and why they differ."""
        return answering(data, "compare_methods").compare_methods(
            self, slice=slice, slice_target=slice_target, no_data=no_data, at=at
        )

    def assess(
        self,
        counts: Counts,
        *,
        at: TimeLike,
        burn_counts: Mapping[int, Counts] | None = None,
        error: Fraction | None = None,
        burn: Mapping[int, Ratio | None] | None = None,
        held: Mapping[str, bool] | None = None,
        coverage: float | None = None,
        measurements: Sequence[Measurement] = (),
        left_out: int = 0,
        warnings: Sequence[str] = (),
    ) -> Status:
        """
        The status that follows from counts: the one place where figures turn into an answer.

        Args:
            counts: Good and bad units of the window.
            at: The instant.
            burn_counts: Counts by window [ns], for the burn rates.
            error: Share of units that may be bad; by default what the target at that instant
                allows.
            burn: Exact burn rates by window [ns], instead of *burn_counts*.
            held: By alert name, whether its condition held for all of its `hold`.
            coverage: Share of the window that was observed.
            measurements: Figures of a threshold objective.
            left_out: Events that took no part because a value was missing.
            warnings: Further sentences for the status.
        """
        at_ns, counts = to_ns(at), as_counts(counts)
        interval = self.interval(at_ns)
        unit = (
            "ns"
            if isinstance(self.sli, Freshness)
            else "events"
            if isinstance(self.method, Occurrences)
            else "slices"
        )
        if self.target is None:
            return Status(
                slo=self,
                at_ns=at_ns,
                interval=interval,
                counts=counts,
                budget=None,
                coverage=coverage,
                measurements=tuple(measurements),
                left_out=left_out,
                warnings=(*warnings, *doubts(self, None, coverage)),
            )
        allowed = self.target_at(at_ns).error
        budget = Budget(counts, allowed if error is None else error, interval.length_ns)
        if burn is None:
            burn = {window: spent(seen, allowed) for window, seen in (burn_counts or {}).items()}
        return Status(
            slo=self,
            at_ns=at_ns,
            interval=interval,
            counts=counts,
            budget=budget,
            burn=burn,
            alerts=self.alerts.states(burn, self.period_ns, held),
            coverage=coverage,
            measurements=tuple(measurements),
            projected=projected(self, budget, interval),
            left_out=left_out,
            warnings=(*warnings, *doubts(self, budget, coverage)),
            unit=unit,
        )

    def variants(
        self,
        *,
        targets: Iterable[TargetLike] | None = None,
        windows: Iterable[WindowLike] | None = None,
    ) -> tuple[SLO, ...]:
        """
        This objective at several targets or over several windows, each named for what differs.

        Example:
            >>> from errorbudget.sli import Availability
            >>> base = SLO("api", target="99.9%", window="30d", sli=Availability())
            >>> [slo.name for slo in base.variants(targets=["99.9%", "99.99%"], windows=["7d"])]
            ['api 99.9% 7d', 'api 99.99% 7d']
        """
        found = []
        for target in [None] if targets is None else listed(self.name, "targets", targets):
            for window in [None] if windows is None else listed(self.name, "windows", windows):
                name = self.name
                change: dict[str, Any] = {}
                if target is not None:
                    change["target"] = Target(target)
                    name += f" {change['target']}"
                if window is not None:
                    change["window"] = parse_window(window)
                    name += f" {change['window']}"
                found.append(self.replace(name=name, **change))
        return tuple(found)

    def replace(self, **changes: Any) -> SLO:
        """A copy with *changes*; alerts that followed from the window follow the new one."""
        values = {item: getattr(self, item) for item in self.__dataclass_fields__}
        for table in (WORKBOOK, WORKBOOK_THREE, GUIDE):
            if self.alerts == self._serving(table):
                values["alerts"] = table
        if unknown := changes.keys() - values.keys():
            word = min(unknown)
            raise InvalidInputError(f'an SLO has no "{word}"{did_you_mean(word, tuple(values))}')
        values.update(changes)
        return SLO(values.pop("name"), **values)

    def objective(self) -> dict[str, Any]:
        """What is promised, as plain data."""
        data: dict[str, Any] = {
            "target": None if self.target is None else self._target_text(),
            "window": self.window.to_text(),
            "method": self.method.name,
            "sli": str(self.sli),
        }
        if not isinstance(self.method, Occurrences):
            data["slice"] = format_duration(self.method.slice)
        if isinstance(self.method, Timeslices):
            data["slice_target"] = str(self.method.slice_target)
        if self.warning_target is not None:
            data["warning_target"] = str(self.warning_target)
        return data

    def _target_text(self) -> str | dict[str, Any]:
        return (
            self.target.to_dict() if isinstance(self.target, TargetSchedule) else str(self.target)
        )

    def metadata(self) -> dict[str, Any]:
        """The descriptive fields that are set."""
        found = {
            key: getattr(self, key)
            for key in ("description", "service", "criticality", "owner", "team", "runbook")
            if getattr(self, key)
        }
        found.update(
            {key: dict(getattr(self, key)) for key in ("links", "labels") if getattr(self, key)}
        )
        if self.corrections:
            found["corrections"] = [correction.to_dict() for correction in self.corrections]
        if self.resets:
            found["resets"] = [reset.to_dict() for reset in self.resets]
        return found

    def __str__(self) -> str:
        promise = "threshold" if self.target is None else str(self.target)
        return f"{self.name}: {promise} over {self.window}; {self.sli}"
