"""
Which target fits: what each would have meant, and a proposal to agree on.

The guide changes a target after three or more months of consistent performance. Each candidate is
held against the same history: was it kept every month, how often was it breached, how often would
it have paged, how long would the budget have stood in which tier. Breaches and tiers are judged
where the objective's own window is full of history: before, a single outage looks like a month of
them.

Source: the SLO guide, "SLO Adjustment Process".
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np

from errorbudget.cards import Card, Shown
from errorbudget.columns import Columns
from errorbudget.counts import Counts
from errorbudget.durations import DAY_NS, HOUR_NS, DurationLike, format_duration, length_of
from errorbudget.errors import InvalidSeriesError
from errorbudget.evaluation import instant_of
from errorbudget.events import Events
from errorbudget.methods import Occurrences
from errorbudget.sli import RatioSLI
from errorbudget.slo import SLO
from errorbudget.studies.arguments import listed, whole
from errorbudget.studies.backtest import backtest
from errorbudget.studies.budgeted import check_budgeted, history_until
from errorbudget.studies.firing import runs_of
from errorbudget.studies.months import whole_months
from errorbudget.studies.tables import figure, frame, percent, text_table
from errorbudget.studies.whole_windows import whole_windows
from errorbudget.target import Target, TargetLike
from errorbudget.times import TimeLike, format_time, to_ns

if TYPE_CHECKING:
    from errorbudget.series import CountSeries

__all__ = ["Advice", "Candidate", "advise"]

HEADER = ("target", "months kept", "breaches", "time missed", "pages")
MOST_MONTHS = 10_000
"""More than there are between the first instant and the last."""
USUAL = ("90%", "95%", "98%", "99%", "99.5%", "99.9%", "99.95%", "99.99%")


CANDIDATE: Columns = {
    "target": "text",
    "months_kept": "whole",
    "breaches": "whole?",
    "missed": "chance",
    "pages": "whole",
    "tiers": "shares",
}
"""A candidate as a row."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """
    What one target would have meant.

    Attributes:
        target: The target.
        months_kept: Whole months, counted back from the end, whose events kept it.
        breaches: Stretches in which the objective was missed, as far as its window was full of
            history; None where it never was.
        missed: Share of the time in which it was missed [1], likewise; None also without data.
        pages: Pages that the SLO's alerts would have sent.
        tiers: Share of the time per tier of the SLO's policy [1], best tier first; likewise, and
            empty where nothing could be judged.
    """

    target: Target
    months_kept: int
    breaches: int | None
    missed: Fraction | None
    pages: int
    tiers: Mapping[str, Fraction]

    def to_dict(self) -> dict[str, Any]:
        """The candidate as plain data, ready for JSON."""
        return {
            "target": str(self.target),
            "months_kept": self.months_kept,
            "breaches": self.breaches,
            "missed": figure(self.missed),
            "pages": self.pages,
            "tiers": {name: figure(share) for name, share in self.tiers.items()},
        }


@dataclass(frozen=True, slots=True, repr=False)
class Advice(Shown, Sequence[Candidate]):
    """
    Which target fits, and why.

    Attributes:
        slo: The objective as it is.
        start_ns: Beginning of the history [ns UTC].
        end_ns: Its end [ns UTC].
        months: Its whole months of 30 days that had events, to the step it was looked at in.
        needed: Months that the guide asks for.
        counts: All its good and bad events.
        candidates: The targets, the lowest first.
        recommended: The target to take, which may be the present one.
        reasons: Why, the decisive sentence first.
    """

    slo: SLO
    start_ns: int
    end_ns: int
    months: int
    needed: int
    counts: Counts
    candidates: tuple[Candidate, ...]
    recommended: Target
    reasons: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.candidates)

    def __iter__(self) -> Iterator[Candidate]:
        return iter(self.candidates)

    def __getitem__(self, key: Any) -> Any:
        return self.candidates[key]

    @property
    def present(self) -> Target:
        """The target in force at the end of the history."""
        return self.slo.target_at(self.end_ns)

    def to_dict(self) -> dict[str, Any]:
        """The advice as plain data, ready for JSON."""
        return {
            "slo": self.slo.name,
            "start": format_time(self.start_ns),
            "end": format_time(self.end_ns),
            "months": self.months,
            "present": str(self.present),
            "recommended": str(self.recommended),
            "reasons": list(self.reasons),
            "candidates": [candidate.to_dict() for candidate in self.candidates],
        }

    def to_pandas(self) -> Any:
        """One row a candidate, as a pandas DataFrame."""
        return frame((candidate.to_dict() for candidate in self.candidates), CANDIDATE)

    def __repr__(self) -> str:
        return f"Advice({self.slo.name}: {self.present} -> {self.recommended})"

    def _rows(self) -> list[list[str]]:
        return [
            [
                str(candidate.target),
                f"{candidate.months_kept} of {self.months}",
                "-" if candidate.breaches is None else f"{candidate.breaches}",
                percent(candidate.missed),
                f"{candidate.pages}",
            ]
            for candidate in self.candidates
        ]

    def __str__(self) -> str:
        reasons = "\n".join(f"- {reason}" for reason in self.reasons)
        return f"{text_table(HEADER, self._rows())}\ntake {self.recommended}:\n{reasons}"

    def _card(self) -> Card:
        span = f"{format_time(self.start_ns)} to {format_time(self.end_ns)}"
        lines = [f"Now {self.present}; take {self.recommended}. {span}."]
        notes = [f"{reason[0].upper()}{reason[1:]}." for reason in self.reasons]
        title = f"Which target fits {self.slo.name}"
        return Card(title, "", "", lines, HEADER, self._rows(), notes)

    def proposal(self) -> str:
        """The change as a document in Markdown, with the guide's six steps to agree on it."""
        change = (
            f"Keep the target of {self.present}."
            if self.recommended == self.present
            else f"Change the target from {self.present} to {self.recommended}."
        )
        span = f"from {format_time(self.start_ns)} to {format_time(self.end_ns)}"
        lines = [
            f"# Proposal: target of {self.slo.name}",
            "",
            f"{change} Window {self.slo.window}; {self.slo.sli}.",
            "",
            "## 1. Proposal",
            "",
            *(f"- {reason}" for reason in self.reasons),
            "",
            "## 2. Analysis",
            "",
            f"What each target would have meant {span}, over {self.counts.total:,} events:",
            "",
            "| " + " | ".join(HEADER) + " |",
            "|---|---|---|---|---|",
            *("| " + " | ".join(row) + " |" for row in self._rows()),
            "",
            "## 3. Review",
            "",
            "- [ ] Business impact: is there a clear justification?",
            "- [ ] Technical feasibility: can the service keep the target as it is built?",
            "- [ ] Cost: what does keeping it take, and what does missing it cost?",
            "",
            "## 4. Approval",
            "",
            f"- [ ] {self.slo.owner or 'Owner of the objective'}",
            f"- [ ] {self.slo.team or 'Team that runs the service'}",
            "- [ ] Business stakeholder",
            "",
            "## 5. Implementation",
            "",
            "- [ ] Change the target in the specification, dated, so that the past keeps its own",
            "- [ ] Generate rules and dashboards anew, and tell everyone who is paged",
            "",
            "## 6. Monitoring",
            "",
            f"- [ ] Look at the new target after {format_duration(self.slo.period_ns)}",
            "",
        ]
        return "\n".join(lines)


def advise(
    slo: SLO,
    data: Events | CountSeries,
    *,
    targets: Iterable[TargetLike] = USUAL,
    months: int = 3,
    step: DurationLike | int = HOUR_NS,
    at: TimeLike | None = None,
) -> Advice:
    """
    Which target fits this history.

    The highest candidate that every whole month kept is taken, when there are enough months;
    otherwise the present target stays. A stricter target than the present one must also never
    have been breached, over any whole window of the objective.

    Args:
        slo: The objective; the present target is a candidate too.
        data: Request events, or a count series of them.
        targets: The candidates.
        months: Months of consistent performance that a change asks for.
        step: How often breaches and tiers are looked at, and how exactly, to a day at most, a
            month must be covered to be a whole one; a multiple of the bins.
        at: Where the history ends; by default the end of the data.

    Raises:
        InvalidInputError: *months* is below 1.
        InvalidSeriesError: The objective counts no events, or the data lacks a column.
        NoDataError: The data is empty and *at* is not given.

    Time: O(candidates x n) for n minutes.

    Example:
        >>> from errorbudget.series import CountSeries
        >>> from errorbudget.sli import Availability
        >>> slo = SLO("api", target="99%", window="7d", sli=Availability())
        >>> hours = 100 * 24
        >>> data = CountSeries(
        ...     [(hour + 1) * 3_600 * 10**9 for hour in range(hours)],
        ...     [998] * hours,
        ...     [1_000] * hours,
        ...     "1h",
        ... )
        >>> print(advise(slo, data, targets=["99.5%", "99.9%"]))
        target  months kept  breaches  time missed  pages
        99%          3 of 3         0        0.00%      0
        99.5%        3 of 3         0        0.00%      0
        99.9%        0 of 3         1      100.00%      0
        take 99.5%:
        - 99.5% is the highest target that each of the last 3 months kept
        - it would have been breached 0 times and paged 0 times
        - the present 99% would have been breached 0 times and paged 0 times
    """
    check_budgeted(slo, data)
    months = whole("months", months, 1, MOST_MONTHS)
    wanted = {*map(Target, listed("targets", targets, '["99%", "99.9%"]'))}
    if not isinstance(slo.sli, RatioSLI) or not isinstance(slo.method, Occurrences):
        raise InvalidSeriesError(
            f'SLO "{slo.name}" counts no events ({slo.sli}, {slo.method.name}); '
            'ask slo.replace(method="occurrences")'
        )
    series = history_until(slo, data, None if at is None else to_ns(at))
    start_ns, end_ns = series.span or (instant_of(at, ()),) * 2
    present = slo.target_at(end_ns)
    if not series.total.any():
        why = "there are no events, and so nothing to take a target from"
        return Advice(slo, start_ns, end_ns, 0, months, Counts(), (), present, (why,))
    step_ns = max(length_of(step), series.step_ns)
    monthly = whole_months(series, min(step_ns, max(DAY_NS, series.step_ns)))
    tried = sorted({present, *wanted}, key=lambda target: target.ratio)
    found = tuple(_candidate(slo, series, target, monthly, step_ns) for target in tried)
    now = next(each for each in found if each.target == present)
    total = int(series.total.sum())
    good = int(series.good.sum())
    best, reasons = _choice(found, now, len(monthly), months)
    reasons.append(f"it {_record(best)}")
    if best is not now:
        reasons.append(f"the present {present} {_record(now)}")
    if best.breaches is None:
        reasons.append(
            f"the history holds no whole window ({slo.window}), so breaches, time missed and tiers "
            "are not judged"
        )
    return Advice(
        slo,
        start_ns,
        end_ns,
        len(monthly),
        months,
        Counts(good, total - good),
        found,
        best.target,
        tuple(reasons),
    )


def _choice(
    found: Sequence[Candidate], now: Candidate, months: int, needed: int
) -> tuple[Candidate, list[str]]:
    """The candidate to take, and why."""
    if months < needed:
        some = f"{months} whole month" + ("" if months == 1 else "s")
        return now, [f"only {some} with events, and a change asks for {needed}"]
    kept = [each for each in found if each.months_kept == months]
    if not kept:
        lowest = found[0]
        return lowest, [
            f"no candidate was kept in every month; {lowest.target} is the lowest of them"
        ]
    allowed = [each for each in kept if not each.breaches or each.target.ratio <= now.target.ratio]
    best = allowed[-1] if allowed else now
    each_month = "the last month" if months == 1 else f"each of the last {months} months"
    if best is kept[-1]:
        return best, [f"{best.target} is the highest target that {each_month} kept"]
    reasons = [
        f"{other.target} was kept by {each_month} too, but breached "
        f"{_times(other.breaches or 0)} between them, {percent(other.missed)} of the time"
        for other in kept
        if other.target.ratio > best.target.ratio
    ]
    told = "stays" if best is now else f"is the highest that {each_month} kept without a breach"
    return best, [f"{best.target} {told}", *reasons]


def _record(candidate: Candidate) -> str:
    paged = f"paged {_times(candidate.pages)}"
    if candidate.breaches is None:
        return f"would have {paged}"
    return f"would have been breached {_times(candidate.breaches)} and {paged}"


def _times(number: int) -> str:
    return "once" if number == 1 else f"{number} times"


def _candidate(
    slo: SLO, series: CountSeries, target: Target, monthly: Sequence[Counts], step_ns: int
) -> Candidate:
    variant = slo.replace(target=target, warning_target=None)
    history = whole_windows(variant, series, step_ns)
    left = history.remaining_ratio
    missed = left < 0  # NaN, no data, is no miss
    seen = int(np.count_nonzero(~np.isnan(left)))
    tiers = Counter(tier for tier in history.tier if tier is not None)
    kept = sum(Fraction(month.bad) <= Fraction(month.total) * target.error for month in monthly)
    trial = backtest(variant, series, incidents={})
    return Candidate(
        target,
        kept,
        len(runs_of(missed)) if seen else None,
        Fraction(int(np.count_nonzero(missed)), seen) if seen else None,
        len(trial[0].pages),
        {tier.name: Fraction(tiers[tier.name], seen) for tier in slo.policy.tiers if seen},
    )
