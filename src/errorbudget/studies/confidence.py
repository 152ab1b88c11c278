"""
How sure are these figures?

Counts are a sample: 1 bad of 500 is 99.8 % and could as well be 99.9 %. Intervals say how far the
truth may lie from what was seen, widened where failures come in clusters, since a hundred failures
of one outage tell as much as a handful that came alone.

Sources: E. B. Wilson, "Probable inference", 1927; C. Clopper and E. Pearson, "The use of confidence
or fiducial limits", 1934; L. Brown, T. Cai and A. DasGupta, "Interval estimation for a binomial
proportion", 2001 (Jeffreys, and when to use which).
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import inf, sqrt
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from errorbudget import figures
from errorbudget.cards import Card, Shown
from errorbudget.counts import Counts, as_counts
from errorbudget.durations import HOUR_NS, DurationLike, length_of
from errorbudget.errors import InvalidInputError, InvalidSeriesError
from errorbudget.rationals import shown
from errorbudget.series import CountSeries
from errorbudget.status import json_number, plain_count
from errorbudget.studies.arguments import chance, number
from errorbudget.studies.budgeted import bins_between, check_budgeted, units_of
from errorbudget.studies.chances import beta_quantile, normal_quantile
from errorbudget.studies.tables import frame
from errorbudget.target import Target, TargetLike
from errorbudget.times import TimeLike

if TYPE_CHECKING:
    from errorbudget.events import Events
    from errorbudget.slo import SLO

__all__ = ["Confidence", "Method", "confidence", "confidence_of", "dispersion", "error_interval"]

Method = Literal["wilson", "clopper-pearson", "jeffreys"]
METHODS = ("wilson", "clopper-pearson", "jeffreys")
Range = tuple[float, float]


def error_interval(
    bad: float, total: float, *, level: float | Fraction | str = 0.95, method: Method = "wilson"
) -> Range | None:
    """
    Where the share of bad events may lie.

    Args:
        bad: Bad events; a fraction of an event for effective counts [events].
        total: All events [events].
        level: How often such intervals hold the truth, in (0, 1).
        method: `"wilson"` is right on average and works at any count; `"clopper-pearson"` is never
            too narrow, and often too wide; `"jeffreys"` lies between them.

    Returns:
        Lower and upper end [1], in [0, 1]; None without events.

    Raises:
        InvalidInputError: The counts contradict each other, or an argument cannot be read.

    Example:
        >>> low, high = error_interval(0, 300, method="clopper-pearson")
        >>> low, round(high, 6)
        (0.0, 0.012221)
    """
    if not isinstance(method, str) or method not in METHODS:
        raise InvalidInputError(f"method must be one of {', '.join(METHODS)}, got {shown(method)}")
    share = chance("level", level)
    bad, total = number("bad", bad, least=0), number("total", total, least=0)
    if bad > total:
        raise InvalidInputError(f"bad must lie between 0 and total, got {bad:g} of {total:g}")
    if not total:
        return None
    tail = (1 - share) / 2
    if method == "wilson":
        z = normal_quantile(1 - tail)
        middle = (bad + z * z / 2) / (total + z * z)
        reach = z / (total + z * z) * sqrt(bad * (total - bad) / total + z * z / 4)
        # At no and at all bad events the ends are 0 and 1, which floats only come close to.
        low = max(0.0, middle - reach) if bad else 0.0
        return low, min(1.0, middle + reach) if bad < total else 1.0
    add = 0.5 if method == "jeffreys" else 0.0
    gap = 0.5 if method == "jeffreys" else 1.0
    low = beta_quantile(tail, bad + add, total - bad + gap) if bad else 0.0
    high = beta_quantile(1 - tail, bad + gap, total - bad + add) if bad < total else 1.0
    return low, high


@dataclass(frozen=True, slots=True)
class Confidence(Shown):
    """
    How far the truth may lie from the figures of a window.

    Attributes:
        counts: What was seen.
        error: Exact share of events that may be bad.
        level: How often such intervals hold the truth, in (0, 1).
        method: How they were made.
        dispersion: How many times more the bad events vary than if each came by itself [1, >= 1].
        error_range: Where the share of bad events may lie [1]; None without events.
    """

    counts: Counts
    error: Fraction
    level: float
    method: Method
    dispersion: float
    error_range: Range | None

    @property
    def sli(self) -> Range | None:
        """Where the SLI may lie [1]."""
        if self.error_range is None:
            return None
        low, high = self.error_range
        return 1 - high, 1 - low

    @property
    def burn(self) -> Range | None:
        """Where the burn rate may lie [1]; at a target of 100 % it is 0 or inf."""
        if self.error_range is None:
            return None
        allowed = float(self.error)
        low, high = self.error_range
        if not allowed:
            return inf if low else 0.0, inf if high else 0.0
        return low / allowed, high / allowed

    @property
    def remaining(self) -> Range | None:
        """Where the share of the budget that is left may lie [1]."""
        return None if self.burn is None else (1 - self.burn[1], 1 - self.burn[0])

    @property
    def verdict(self) -> str:
        """
        Whether the truth is known to keep the target: "met", "missed", "undecided" or "no_data".

        The SLO itself is judged by what was seen; this says whether more traffic may turn it over.
        """
        if self.error_range is None:
            return "no_data"
        if self.error_range[1] <= self.error:
            return "met"
        return "missed" if self.error_range[0] > self.error else "undecided"

    def to_dict(self) -> dict[str, Any]:
        """The intervals as plain data, ready for JSON."""

        def ends(found: Range | None) -> list[Any] | None:
            return None if found is None else [json_number(end) for end in found]

        return {
            "good": plain_count(self.counts.good),
            "bad": plain_count(self.counts.bad),
            "level": self.level,
            "method": self.method,
            "dispersion": self.dispersion,
            "sli": ends(self.sli),
            "burn_rate": ends(self.burn),
            "remaining_ratio": ends(self.remaining),
            "verdict": self.verdict,
        }

    def to_pandas(self) -> Any:
        """One row a figure, with its lower and upper end, as a pandas DataFrame."""
        data = self.to_dict()
        rows = (
            {"figure": name, "low": data[name][0], "high": data[name][1]}
            for name in ("sli", "burn_rate", "remaining_ratio")
            if data[name] is not None
        )
        return frame(rows, {"figure": "text", "low": "figure", "high": "figure"})

    def _card(self) -> Card:
        tone = {"met": "good", "missed": "bad"}.get(self.verdict, "")
        rows = []
        if self.sli is not None and self.burn is not None and self.remaining is not None:
            rows = [
                ("SLI", *(figures.percent(end, 4) for end in self.sli)),
                ("burn rate", *(figures.decimal(end) for end in self.burn)),
                ("budget left", *(figures.percent(end) for end in self.remaining)),
            ]
        line = f"{figures.count(self.counts.bad)} bad of {figures.count(self.counts.total)}; "
        line += f"intervals hold the truth {self.level:.0%} of the time ({self.method})"
        header = ("figure", "at least", "at most") if rows else ()
        notes = [f"Failures cluster {self.dispersion:.1f} fold."] if self.dispersion > 1 else []
        target = Target(1 - self.error)
        word = self.verdict.replace("_", " ")
        return Card(f"Is {target} kept?", word, tone, [line], header, rows, notes)

    def __str__(self) -> str:
        if self.sli is None or self.remaining is None:
            return "no events, so nothing is known"
        clusters = "" if self.dispersion == 1 else f", failures cluster {self.dispersion:.1f} fold"
        return (
            f"SLI {self.sli[0]:.4%} to {self.sli[1]:.4%}, {self.remaining[0]:.1%} to "
            f"{self.remaining[1]:.1%} of the budget left ({self.level:.0%} {self.method}"
            f"{clusters}): {self.verdict}"
        )


def confidence(
    counts: Counts,
    target: TargetLike,
    *,
    level: float | Fraction | str = 0.95,
    method: Method = "wilson",
    dispersion: float = 1.0,
) -> Confidence:
    """
    Intervals for the SLI, the budget left and the burn rate of *counts*.

    Args:
        counts: Good and bad events of one window [events].
        target: Exact share of events that must be good, in (0, 1].
        level: How often such intervals hold the truth, in (0, 1).
        method: `"wilson"`, `"clopper-pearson"` or `"jeffreys"`.
        dispersion: How clustered failures are, as `dispersion` estimates it [1, >= 1]; the events
            then count as so many times fewer.

    Raises:
        InvalidInputError: An argument does not fit.

    Example:
        >>> print(confidence(Counts(good=499, bad=1), "99.9%"))
        SLI 98.8759% to 99.9647%, -1024.1% to 64.7% of the budget left (95% wilson): undecided
    """
    dispersion = number("dispersion", dispersion, least=1)
    seen = as_counts(counts)
    found = error_interval(
        float(seen.bad) / dispersion, float(seen.total) / dispersion, level=level, method=method
    )
    error = Target(target).error
    return Confidence(seen, error, chance("level", level), method, dispersion, found)


def dispersion(
    series: CountSeries, *, block: DurationLike | int = HOUR_NS, least_bad: float = 1
) -> float:
    """
    How many times more the bad events of a history vary than if each came by itself.

    Pearson's statistic over blocks of time, by its degrees of freedom: 1 for failures that come
    alone, above 1 for those that come in clusters shorter than a few blocks. Never below 1.

    Args:
        series: Good and total events per bin.
        block: Length of a block; clusters longer than it are seen only in part.
        least_bad: Blocks are joined until this many bad events are expected in each, without
            which the statistic means little [events].

    Returns:
        The factor [1, >= 1]; 1 with fewer than two blocks, or nothing bad.

    Raises:
        InvalidInputError: *series* is none, or *least_bad* is no number above 0.

    Source: P. McCullagh and J. Nelder, Generalized Linear Models, 2nd ed., section 4.5.

    Example:
        >>> from errorbudget.series import CountSeries
        >>> alone = CountSeries([1, 2, 3, 4], [9, 9, 9, 9], [10] * 4, step_ns=1)
        >>> together = CountSeries([1, 2, 3, 4], [10, 6, 10, 10], [10] * 4, step_ns=1)
        >>> dispersion(alone, block=1), round(dispersion(together, block=1), 3)
        (1.0, 4.444)
    """
    if not isinstance(series, CountSeries):
        raise InvalidInputError(f"a count series was asked for, got {shown(series)}")
    least_bad = number("least_bad", least_bad, above=0)
    blocks = series.coarser(max(length_of(block) // series.step_ns, 1) * series.step_ns)
    total = blocks.total.astype(np.float64)
    bad = (blocks.total - blocks.good).astype(np.float64)
    everything, failed = total.sum(), bad.sum()
    if not 0 < failed < everything:
        return 1.0
    share = failed / everything
    expected = total * share
    before = np.cumsum(expected) - expected
    group = np.floor(before / least_bad + 1e-9).astype(np.int64)
    if expected[group == group[-1]].sum() < least_bad * (1 - 1e-9):
        group = np.minimum(group, max(int(group[-1]) - 1, 0))  # a partial group joins the last
    totals = np.bincount(group, weights=total)
    bads = np.bincount(group, weights=bad)[totals > 0]
    totals = totals[totals > 0]
    if len(totals) < 2:
        return 1.0
    spread = float(((bads - totals * share) ** 2 / (totals * share * (1 - share))).sum())
    return max(1.0, spread / (len(totals) - 1))


def confidence_of(
    slo: SLO,
    data: Events | CountSeries,
    *,
    at: TimeLike | None = None,
    level: float | Fraction | str = 0.95,
    method: Method = "wilson",
    block: DurationLike | int = HOUR_NS,
) -> Confidence:
    """
    Intervals for the window of *slo* that ends at *at*, widened as its failures cluster.

    Args:
        slo: The objective.
        data: Request events, or a count series.
        at: The instant; by default the end of the data.
        level: How often such intervals hold the truth, in (0, 1).
        method: `"wilson"`, `"clopper-pearson"` or `"jeffreys"`.
        block: Length of the blocks over which clustering is measured.

    Raises:
        InvalidSeriesError: The objective has no budget or counts time, or a column lacks.
        NoDataError: The data is empty and *at* is not given.

    Time: O(n log n) for n events.
    """
    check_budgeted(slo, data)
    status = slo.evaluate(data, at=at)
    assert status.budget is not None  # noqa: S101 - an objective with a target has one
    units = units_of(slo, data, status.at_ns)
    interval = status.interval
    window = bins_between(units, interval.start_ns, interval.end_ns, slo.window.closed)
    if window is None:
        raise InvalidSeriesError(f'SLO "{slo.name}" ({slo.sli}) counts time, which is no sample')
    return confidence(
        status.counts,
        1 - status.budget.error,
        level=level,
        method=method,
        dispersion=dispersion(window, block=block),
    )
