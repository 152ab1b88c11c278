"""The same data judged in several ways, side by side, and why the answers differ."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np

from errorbudget import figures
from errorbudget.cards import Card, Shown, frame
from errorbudget.columns import Columns
from errorbudget.durations import DurationLike, format_duration
from errorbudget.errors import InvalidInputError
from errorbudget.events import Events
from errorbudget.methods import OCCURRENCES, NoData, RatioTimeslices, Timeslices
from errorbudget.series import CountSeries
from errorbudget.sli import RatioSLI
from errorbudget.slices import filled, reaches
from errorbudget.slo import SLO
from errorbudget.status import Status, json_number
from errorbudget.target import TargetLike
from errorbudget.times import TimeLike

if TYPE_CHECKING:
    from errorbudget.corrections import Correction

__all__ = ["Comparison", "compare_corrections", "compare_methods"]


_ROW: Columns = {
    "name": "text",
    "good": "count",
    "total": "count",
    "unit": "text",
    "sli": "figure",
    "remaining_ratio": "figure",
    "state": "text",
    "tier": "text?",
}


@dataclass(frozen=True, slots=True)
class Comparison(Shown):
    """
    Statuses of one objective, judged in several ways.

    Attributes:
        statuses: Status by the name of the way.
        explanation: Sentences with figures on why they differ.
    """

    statuses: Mapping[str, Status]
    explanation: tuple[str, ...]

    def __getitem__(self, name: str) -> Status:
        return self.statuses[name]

    def rows(self) -> list[dict[str, Any]]:
        """One row a way: name, units, SLI, remaining share and tier."""
        return [
            {
                "name": name,
                "good": status.to_dict()["counts"]["good"],
                "total": status.to_dict()["counts"]["total"],
                "unit": status.unit,
                "sli": status.sli,
                "remaining_ratio": json_number(
                    None if status.budget is None else status.budget.remaining_ratio
                ),
                "state": status.state,
                "tier": status.tier,
            }
            for name, status in self.statuses.items()
        ]

    def to_dict(self) -> dict[str, Any]:
        """Each status by the name of its way, and the explanation, as plain data."""
        return {
            "statuses": {name: status.to_dict() for name, status in self.statuses.items()},
            "explanation": list(self.explanation),
        }

    def to_pandas(self) -> Any:
        """One row a way as a pandas DataFrame."""
        return frame(self.rows(), _ROW)

    def _card(self) -> Card:
        rows = []
        for name, status in self.statuses.items():
            counts, budget = status.counts, status.budget
            bounds = [each.above for each in status.slo.policy.tiers if each.above is not None]
            share = left = "-"
            if budget is not None and counts.total:
                target = status.slo.target_at(status.at_ns).ratio
                exact = Fraction(counts.good) / Fraction(counts.total)
                share = figures.percent(exact, 4, lines=[target])
                left = figures.percent(budget.remaining_exact, lines=bounds)
            bad = f"{figures.count(counts.bad)} of {figures.count(counts.total)} {status.unit}"
            state = status.state.replace("_", " ")
            rows.append((name.replace("_", " "), state, share, bad, left, status.tier or "-"))
        names = {status.name for status in self.statuses.values()}
        return Card(
            f"{', '.join(sorted(names))}: judged in {len(rows)} ways",
            header=("way", "state", "SLI", "bad", "budget left", "tier"),
            rows=rows,
            notes=self.explanation,
        )

    def __str__(self) -> str:
        return "\n".join([*(f"{n}: {s}" for n, s in self.statuses.items()), *self.explanation])


def compare_methods(
    slo: SLO,
    data: Events | CountSeries,
    *,
    slice: DurationLike = "1m",
    slice_target: TargetLike | None = None,
    no_data: NoData = "exclude",
    at: TimeLike | None = None,
) -> Comparison:
    """
    Occurrences, time slices and ratio time slices over the same data.

    Args:
        slo: A ratio objective; its own method does not matter.
        data: Events or counts of them.
        slice: Length of a slice.
        slice_target: Share that makes a slice good; by default the objective's own target.
        no_data: What an empty slice is.
        at: The instant; by default the end of the data.

    Raises:
        InvalidInputError: The objective is a threshold, which has no occurrences.
    """
    if not isinstance(slo.sli, RatioSLI):
        raise InvalidInputError(f'SLO "{slo.name}" is a threshold; only ratios have three methods')
    by_event = slo.replace(method=OCCURRENCES).evaluate(data, at=at)
    wanted = slo.target_at(by_event.at_ns) if slice_target is None else slice_target
    by_slice = Timeslices(slice, wanted, no_data)
    by_ratio = RatioTimeslices(slice, no_data)
    statuses = {
        method.name: slo.replace(method=method).evaluate(data, at=by_event.at_ns)
        for method in (by_slice, by_ratio)
    }
    statuses = {OCCURRENCES.name: by_event, **statuses}
    return Comparison(statuses, _why(slo, data, by_event, by_slice, statuses))


def _why(
    slo: SLO,
    data: Events | CountSeries,
    by_event: Status,
    method: Timeslices,
    statuses: Mapping[str, Status],
) -> tuple[str, ...]:
    if by_event.state == "no_data":
        return ("There are no events in the window, so no method has an answer.",)
    length = format_duration(method.slice)
    interval = by_event.interval
    slices = filled(slo.count(data, step=length), interval.end_ns)
    ends = slices.end_ns
    inside = (ends > interval.start_ns) & (ends <= interval.end_ns)
    total, good = slices.total[inside], slices.good[inside]
    busy = total > 0
    bad_slice = busy & ~reaches(good, total, method)
    in_bad = int(total[bad_slice].sum())
    all_events = int(total.sum())
    n_busy, n_bad = int(np.count_nonzero(busy)), int(np.count_nonzero(bad_slice))
    sentences = [
        (
            f"Occurrences weighs every event alike: {by_event.counts.bad:,} of "
            f"{by_event.counts.total:,} were bad."
        ),
        (
            f"Time slices weigh every {length} alike and forget how bad it was: {n_bad:,} of "
            f"{n_busy:,} with traffic missed {method.slice_target}."
        ),
    ]
    if n_bad:
        more = in_bad * n_busy - n_bad * all_events
        busy_as = "busier than" if more > 0 else "quieter than" if more < 0 else "as busy as"
        sentences.append(
            f"The missed slices are {n_bad / n_busy:.2%} of the slices and hold "
            f"{in_bad / all_events:.2%} of the events: {busy_as} average, which slices do not see."
        )
    spared = int((total - good)[busy & ~bad_slice].sum())
    if spared:
        sentences.append(
            f"{spared:,} bad events lie in slices that still reached {method.slice_target}: they "
            "cost events, and no slice."
        )
    empty = int(np.count_nonzero(~busy))
    if empty:
        treated = {"exclude": "are left out", "good": "count as good", "bad": "count as bad"}
        sentences.append(f"{empty:,} slices without events {treated[method.no_data]}.")
    mean = statuses["ratio_timeslices"].sli
    if mean is not None:
        sentences.append(
            f"Ratio time slices average the slices' own ratios ({mean:.6%}): how bad counts, how "
            f"busy does not; events give {by_event.sli:.6%}."
        )
    return tuple(sentences)


def compare_corrections(
    slo: SLO,
    events: Events,
    corrections: Iterable[Correction],
    *,
    at: TimeLike | None = None,
) -> Comparison:
    """
    Before and after corrections that were made afterwards, such as an announced maintenance.

    Args:
        slo: The objective.
        events: Request events.
        corrections: What to leave out or forgive, beyond the objective's own corrections.
        at: The instant; by default the end of the data.
    """
    added = tuple(corrections)
    before = slo.evaluate(events, at=at)
    corrected = slo.replace(corrections=(*slo.corrections, *added))
    after = corrected.evaluate(events, at=before.at_ns)
    gone = before.counts.total - after.counts.total
    fewer = before.counts.bad - after.counts.bad
    sentences = [f"{correction}" for correction in added]
    sentences.append(f"{gone:,} {before.unit} are left out, and {fewer:,} fewer are bad.")
    was, now = (
        None if status.budget is None else status.budget.remaining_ratio
        for status in (before, after)
    )
    if was is not None and now is not None:
        sentences.append(
            f"The budget left moves from {was:.4%} to {now:.4%}; the tier from {before.tier} "
            f"to {after.tier}."
        )
    return Comparison({"before": before, "after": after}, tuple(sentences))
