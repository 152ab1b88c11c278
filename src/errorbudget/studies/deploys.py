"""
Before and after a deploy: did it spend the budget, and could chance have done the same?

Source of the test: R. A. Fisher, "On the interpretation of chi-squared from contingency tables",
1922; one-sided, exact at any traffic. It takes failures to come one by one. Where they came in
clusters before the deploy, a second chance says how often such clusters alone do as much.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import erfc, sqrt
from typing import TYPE_CHECKING, Any

from errorbudget.budget import Ratio, spent
from errorbudget.cards import Card, Shown
from errorbudget.columns import Columns
from errorbudget.counts import Counts
from errorbudget.durations import DAY_NS, DurationLike, format_duration, length_of
from errorbudget.series import CountSeries, Series
from errorbudget.slo import SLO
from errorbudget.status import plain_count
from errorbudget.studies.budgeted import bins_between, check_budgeted, counts_between, units_of
from errorbudget.studies.chances import hypergeometric_tail
from errorbudget.studies.confidence import dispersion
from errorbudget.studies.tables import figure, frame
from errorbudget.times import TimeLike, format_time, to_ns

if TYPE_CHECKING:
    from errorbudget.events import Events

__all__ = ["DeployEffect", "deploy_effect"]

HISTORY_NS = 28 * DAY_NS
"""How far back clusters of failures are looked for."""


SIDE: Columns = {"length": "text", "bad": "count", "total": "count", "burn_rate": "figure"}
"""The time before or after as a row."""


@dataclass(frozen=True, slots=True)
class DeployEffect(Shown):
    """
    The stretches before and after one instant, side by side.

    Attributes:
        slo: The objective.
        at_ns: The instant [ns UTC]; it belongs to the time before.
        before: Good and bad events of the stretch before.
        after: Good and bad events of the stretch after.
        before_ns: Length of the stretch before [ns].
        after_ns: Length of the stretch after [ns].
        error: Exact share of events that may be bad.
        p_value: Chance of as many bad events after, or more, if nothing had changed and each came
            by itself [1]; 1 where a side has no events.
        dispersion: How failures clustered in the weeks before the deploy [1, >= 1].
        p_clustered: The same chance with failures that cluster so [1]; this one decides.
    """

    slo: SLO
    at_ns: int
    before: Counts
    after: Counts
    before_ns: int
    after_ns: int
    error: Fraction
    p_value: float
    dispersion: float = 1.0
    p_clustered: float = 1.0

    @property
    def burn_before(self) -> Ratio | None:
        """Burn rate before, exactly; None without events."""
        return spent(self.before, self.error)

    @property
    def burn_after(self) -> Ratio | None:
        """Burn rate after, exactly; None without events."""
        return spent(self.after, self.error)

    @property
    def extra_bad(self) -> Fraction | None:
        """Bad events after beyond those that the share before foretells; None without a share."""
        if not self.before.total:
            return None
        foretold = Fraction(self.after.total) * Fraction(self.before.bad)
        return Fraction(self.after.bad) - foretold / Fraction(self.before.total)

    def to_dict(self) -> dict[str, Any]:
        """The comparison as plain data, ready for JSON."""
        sides = {}
        for name, counts, length, burn in (
            ("before", self.before, self.before_ns, self.burn_before),
            ("after", self.after, self.after_ns, self.burn_after),
        ):
            sides[name] = {
                "length": format_duration(length),
                "bad": plain_count(counts.bad),
                "total": plain_count(counts.total),
                "burn_rate": figure(burn),
            }
        extra = self.extra_bad
        return {
            "slo": self.slo.name,
            "at": format_time(self.at_ns),
            **sides,
            "extra_bad": None if extra is None else float(extra),
            "p_value": self.p_value,
            "dispersion": self.dispersion,
            "p_clustered": self.p_clustered,
        }

    def to_pandas(self) -> Any:
        """Both sides as rows of a pandas DataFrame."""
        data = self.to_dict()
        rows = ({"side": side, **data[side]} for side in ("before", "after"))
        return frame(rows, {"side": "text", **SIDE})

    def _card(self) -> Card:
        rows = [
            (
                side,
                format_duration(length),
                f"{counts.bad:,}",
                f"{counts.total:,}",
                "-" if burn is None else f"{float(burn):.2f}",
            )
            for side, length, counts, burn in (
                ("before", self.before_ns, self.before, self.burn_before),
                ("after", self.after_ns, self.after, self.burn_after),
            )
        ]
        notes = []
        if self.extra_bad is not None:
            notes.append(
                f"{float(self.extra_bad):+,.1f} bad events against what the time before foretells; "
                f"chance alone does as much in {self.p_clustered:.2g} of all cases, clusters "
                f"of failures considered ({self.dispersion:.1f} fold)."
            )
        title = f"{self.slo.name} around {format_time(self.at_ns)}"
        header = ("side", "for", "bad", "total", "burn rate")
        return Card(title, "", "", (), header, rows, notes)

    def __str__(self) -> str:
        def side(counts: Counts, burn: Ratio | None) -> str:
            if burn is None:
                return "no events"
            return f"{counts.bad:,} bad of {counts.total:,} (burn {float(burn):.2f})"

        chance = "p < 1e-9" if self.p_value < 1e-9 else f"p = {self.p_value:.2g}"
        if self.dispersion > 1:
            chance += (
                f", {self.p_clustered:.2g} as failures cluster {self.dispersion:.1f} fold here"
            )
        return (
            f"{self.slo.name} at {format_time(self.at_ns)}: "
            f"{side(self.before, self.burn_before)} in the {format_duration(self.before_ns)} "
            f"before, {side(self.after, self.burn_after)} in the "
            f"{format_duration(self.after_ns)} after; {chance}"
        )


def deploy_effect(
    slo: SLO,
    data: Events | CountSeries,
    at: TimeLike,
    *,
    before: DurationLike | int = "1h",
    after: DurationLike | int = "1h",
) -> DeployEffect:
    """
    What a deploy at *at* changed.

    Args:
        slo: The objective; the target in force after the deploy judges both sides.
        data: Request events, or a count series, whose whole bins are counted.
        at: When the deploy took effect.
        before: How far to look back, (at - before, at].
        after: How far to look ahead, (at, at + after].

    Raises:
        InvalidSeriesError: The objective has no budget, or the data lacks a column.

    Example:
        >>> from errorbudget.sli import Availability
        >>> slo = SLO("api", target="99%", window="1d", sli=Availability())
        >>> series = CountSeries([1, 2], good=[990, 960], total=[1000, 1000], step_ns=1)
        >>> effect = deploy_effect(slo, series, 1, before=1, after=1)
        >>> effect.burn_before, effect.burn_after, effect.extra_bad
        (Fraction(1, 1), Fraction(4, 1), Fraction(30, 1))
        >>> effect.p_value < 0.0001
        True
    """
    check_budgeted(slo, data)
    at_ns, before_ns, after_ns = to_ns(at), length_of(before), length_of(after)
    series = units_of(slo, data, at_ns + after_ns)
    old = counts_between(series, at_ns - before_ns, at_ns)
    new = counts_between(series, at_ns, at_ns + after_ns)
    total = int(old.total + new.total)
    p_value = hypergeometric_tail(int(new.bad), int(new.total), int(old.bad + new.bad), total)
    error = slo.target_at(at_ns + after_ns).error
    clusters = _clusters(slo, series, at_ns, after_ns)
    sure = max(p_value, _clustered(old, new, clusters)) if clusters > 1 else p_value
    return DeployEffect(
        slo, at_ns, old, new, before_ns, after_ns, error, p_value, clusters, min(sure, 1.0)
    )


def _clusters(slo: SLO, series: Series, at_ns: int, block_ns: int) -> float:
    """How failures clustered before the deploy, in blocks as long as the stretch after it."""
    past = bins_between(series, at_ns - HISTORY_NS, at_ns, slo.window.closed)
    return 1.0 if past is None else dispersion(past, block=max(block_ns, past.step_ns))


def _clustered(old: Counts, new: Counts, clusters: float) -> float:
    """Chance of a gap as great between two shares whose variance is *clusters* fold."""
    if not old.total or not new.total:
        return 1.0
    pooled = float((old.bad + new.bad) / (old.total + new.total))
    variance = pooled * (1 - pooled) * (1 / old.total + 1 / new.total) * clusters
    gap = new.bad / new.total - old.bad / old.total
    return erfc(gap / sqrt(2 * variance)) / 2 if variance else 1.0
