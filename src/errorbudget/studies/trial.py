"""
One history, on which alert policies are tried in turn.

A page is held against the incidents that reach into its look-back; what it missed and what it made
up is said with the figures that explain it.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_DOWN, Decimal
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from errorbudget.alerts import AlertPolicy, BurnAlert
from errorbudget.counts import Counts
from errorbudget.durations import format_duration
from errorbudget.studies.burning import PAGING
from errorbudget.studies.firing import FiringTable
from errorbudget.studies.months import MONTH_NS
from errorbudget.studies.pages import CostlyPeriod, Detection, Episode, Page, PolicyResult
from errorbudget.studies.repeats import IncidentTime
from errorbudget.studies.stretches import Stretch
from errorbudget.target import Target
from errorbudget.times import format_time
from errorbudget.windows import Interval

if TYPE_CHECKING:
    from errorbudget.studies.firing import Runs

__all__ = ["Trial"]


class Trial:
    """
    One history, and what it costs to look away.

    Args:
        table: When alerts fire.
        whole: The history, (start, end].
        target: Exact share of units that must be good.
        period_ns: Period of the SLO [ns].
    """

    def __init__(self, table: FiringTable, whole: Interval, target: Target, period_ns: int) -> None:
        self.table, self.whole, self.target = table, whole, target
        bad, total = self._bad_total(whole.start_ns, whole.end_ns)
        self.counts = Counts(total - bad, bad)
        self.mean_total = Fraction(total, whole.length_ns)  # per ns
        self.allowed = self.mean_total * period_ns * target.error
        self.months = Fraction(whole.length_ns, MONTH_NS)

    def _bad_total(self, start_ns: int, end_ns: int) -> tuple[int, int]:
        edges = np.array([start_ns, max(start_ns, end_ns)], dtype=np.int64)
        good, total = self.table.series.cumulative(edges)
        whole = int(total[1] - total[0])
        return whole - int(good[1] - good[0]), whole

    def _cost(self, bad: int) -> Fraction | None:
        return bad / self.allowed if self.allowed else None

    def judged(self, stretches: Sequence[Stretch]) -> tuple[CostlyPeriod, ...]:
        """What each stretch spent, as part of an average period's budget."""
        found = []
        for stretch in stretches:
            bad, _ = self._bad_total(stretch.start_ns, stretch.end_ns)
            found.append(
                CostlyPeriod(stretch.name, stretch.start_ns, stretch.end_ns, bad, self._cost(bad))
            )
        return tuple(found)

    def _instant(self, row: int) -> int | None:
        """The instant of a row, or None behind the end."""
        return int(self.table.times[row]) if row < len(self.table.times) else None

    def run(self, policy: AlertPolicy, incidents: Sequence[CostlyPeriod]) -> PolicyResult:
        """What *policy* would have done, held against *incidents*."""
        paging = [alert for alert in policy.alerts if alert.severity in PAGING]
        others = [alert for alert in policy.alerts if alert.severity not in PAGING]
        pages = self._pages(paging, incidents)
        return PolicyResult(
            policy,
            self.months,
            self._episodes(policy),
            tuple(page for page, _ in pages),
            sum(len(self.table.active_runs(policy, alert)) for alert in others),
            tuple(self._detection(incident, pages, paging) for incident in incidents),
        )

    def _episodes(self, policy: AlertPolicy) -> tuple[Episode, ...]:
        found = []
        for alert in policy.alerts:
            runs = self.table.firing_runs(alert)
            heard = self._heard(policy, alert, runs)
            lead = -(-alert.hold // self.table.step_ns)
            for (low, high), loud in zip(runs.tolist(), heard, strict=True):
                start_ns = int(self.table.times[low])
                since_ns = int(self.table.times[low - lead])
                found.append(
                    Episode(
                        alert.name,
                        alert.severity,
                        since_ns,
                        start_ns,
                        self._instant(high),
                        inhibited=not loud,
                    )
                )
        return tuple(sorted(found, key=lambda episode: episode.start_ns))

    def _heard(self, policy: AlertPolicy, alert: BurnAlert, runs: Runs) -> list[bool]:
        active = self.table.active_runs(policy, alert)
        if active is runs or not len(runs):
            return [True] * len(runs)
        after = np.searchsorted(active[:, 0], runs[:, 1])
        before = np.searchsorted(active[:, 0], runs[:, 0])
        return [bool(loud) for loud in after > before]

    def _pages(
        self, paging: Sequence[BurnAlert], incidents: Sequence[CostlyPeriod]
    ) -> list[tuple[Page, int]]:
        """Pages by start, each with the instant from which on it looks at events."""
        known = IncidentTime((each.start_ns, each.end_ns) for each in incidents)
        found = []
        for low, high in self.table.union(paging).tolist():
            start_ns, end_ns = int(self.table.times[low]), self._instant(high)
            first = [alert for alert in paging if self._fires(alert, low)]
            look = max(alert.long + alert.hold for alert in first)
            since_ns = start_ns - look
            until_ns = self.whole.end_ns if end_ns is None else end_ns
            about = next(
                (i for i in incidents if i.end_ns > since_ns and i.start_ns < until_ns), None
            )
            if about is None:
                bad, total = self._bad_total(since_ns, start_ns)
                why = self._false(bad, total, look)
            else:
                bad, _ = self._bad_total(about.start_ns, min(start_ns, about.end_ns))
                why = ""
            names = tuple(alert.name for alert in first)
            name = None if about is None else about.name
            page = Page(
                start_ns,
                end_ns,
                names,
                name,
                self._cost(bad),
                why,
                known.idle_ns(start_ns, until_ns),
                known.repeats(start_ns, until_ns),
            )
            found.append((page, since_ns))
        return found

    def _fires(self, alert: BurnAlert, row: int) -> bool:
        runs = self.table.firing_runs(alert)
        place = int(np.searchsorted(runs[:, 0], row, side="right")) - 1
        return place >= 0 and row < int(runs[place, 1])

    def _false(self, bad: int, total: int, look_ns: int) -> str:
        cost = self._cost(bad)
        text = f"{bad:,} bad of {total:,} in {format_duration(look_ns)}, no incident"
        if cost is not None:
            text += f": {float(cost):.2%} of the budget"
        usual = self.mean_total * look_ns
        if usual and total < usual / 2:
            text += f"; only {float(total / usual):.0%} of the usual traffic, so few failures burn"
        return text

    def _detection(
        self,
        incident: CostlyPeriod,
        pages: Sequence[tuple[Page, int]],
        paging: Sequence[BurnAlert],
    ) -> Detection:
        about = [
            page
            for page, since_ns in pages
            if incident.end_ns > since_ns
            and (page.end_ns is None or incident.start_ns < page.end_ns)
        ]
        if not about:
            why = self._missed(incident, paging, pages)
            return Detection(incident, None, None, incident.cost, why)
        detected_ns = max(about[0].start_ns, incident.start_ns)
        bad, _ = self._bad_total(incident.start_ns, min(detected_ns, incident.end_ns))
        why = ""
        if detected_ns > incident.end_ns:
            why = "seen only after it was over"
        elif about[0].start_ns < incident.start_ns:
            why = "somebody was paged already"
        return Detection(incident, detected_ns, about[-1].end_ns, self._cost(bad), why)

    def _missed(
        self,
        incident: CostlyPeriod,
        paging: Sequence[BurnAlert],
        pages: Sequence[tuple[Page, int]],
    ) -> str:
        """What came closest to a page."""
        if not paging:
            return "the policy pages for nothing"
        best, text = -1.0, "no events"
        for alert in paging:
            # Where the long window still reaches into the incident.
            low = int(np.searchsorted(self.table.times, incident.start_ns, side="right"))
            high = int(np.searchsorted(self.table.times, incident.end_ns + alert.long))
            threshold = alert.threshold(self.table.period_ns)
            burns = [self.table.burn(window)[low:high] for window in alert.windows]
            # A window without events burns nothing: then the condition does not hold.
            burn = np.minimum.reduce(burns)
            if not len(burn) or np.isnan(burn).all():
                continue
            peak = float(np.nanmax(burn))
            if peak / float(threshold) <= best:
                continue
            best = peak / float(threshold)
            runs = self.table.condition_runs(alert)
            held = runs[(runs[:, 0] < high) & (runs[:, 1] > low)]
            fired = held[held[:, 1] - held[:, 0] > -(-alert.hold // self.table.step_ns)]
            if len(fired):
                row = int(fired[0, 0]) - (-alert.hold // self.table.step_ns)
                text = self._elsewhere(alert, int(self.table.times[row]), pages)
            elif len(held):
                longest = int((held[:, 1] - held[:, 0]).max() - 1) * self.table.step_ns
                text = (
                    f"{alert.name} held for {format_duration(longest)} of its "
                    f"{format_duration(alert.hold)}"
                )
            else:
                text = self._short_of(alert, peak)
        return text

    def _short_of(self, alert: BurnAlert, peak: float) -> str:
        """An alert whose condition never held; *peak* is the most that it compared."""
        windows = " and ".join(map(format_duration, alert.windows))
        # Rounded down: what did not exceed must not look as if it had.
        shown = Decimal(peak).quantize(Decimal("0.01"), ROUND_DOWN)
        threshold = float(alert.threshold(self.table.period_ns))
        text = f"{alert.name} came to a burn of {shown} over {windows}; it wants more than "
        text += f"{threshold:g}"
        if not alert.reachable(self.target, self.table.period_ns):
            text += ", which not even a total outage reaches"
        return text

    def _elsewhere(self, alert: BurnAlert, fired_ns: int, pages: Sequence[tuple[Page, int]]) -> str:
        """An alert that fired into a page whose first alerts do not look back so far."""
        page = next(page for page, _ in reversed(pages) if page.start_ns <= fired_ns)
        about = "a false page" if page.incident is None else f"the page for {page.incident}"
        return (
            f"{alert.name} fired at {format_time(fired_ns)}, but {about} was open since "
            f"{format_time(page.start_ns)}: nobody was paged anew"
        )
