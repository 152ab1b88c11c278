"""
Better or worse than before, or only chance?

Two shares of bad events are told apart by the usual test of two proportions, whose variance is
widened where failures cluster: a hundred failures of one outage are one event, not a hundred.

Source: R. G. Newcombe, "Interval estimation for the difference between independent proportions",
1998 (the pooled test); P. McCullagh and J. Nelder, Generalized Linear Models, section 4.5.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import erfc, sqrt
from typing import Any, Literal

from errorbudget.budget import Ratio
from errorbudget.cards import Card, Shown
from errorbudget.counts import Counts, as_counts
from errorbudget.status import plain_count
from errorbudget.studies.arguments import chance, number
from errorbudget.studies.tables import figure, frame, percent

__all__ = ["Direction", "Trend", "trend"]

Direction = Literal["better", "worse", "no clear change", "no data"]


@dataclass(frozen=True, slots=True)
class Trend(Shown):
    """
    Two stretches of time side by side.

    Attributes:
        before: Good and bad events of the first.
        after: Good and bad events of the second.
        p_value: Chance of shares at least so far apart if nothing had changed [1]; None where a
            stretch has no events.
        alpha: Below it a change is called one [1].
        dispersion: How clustered failures were taken to be [1, >= 1].
    """

    before: Counts
    after: Counts
    p_value: float | None
    alpha: float
    dispersion: float

    @property
    def share_before(self) -> Fraction | None:
        """Share of bad events before, exactly; None without events."""
        return _share(self.before)

    @property
    def share_after(self) -> Fraction | None:
        """Share of bad events after, exactly; None without events."""
        return _share(self.after)

    @property
    def factor(self) -> Ratio | None:
        """Times as many failures per event as before [1]; None without events, inf from none."""
        old, new = self.share_before, self.share_after
        if old is None or new is None:
            return None
        if not old:
            return float("inf") if new else Fraction(1)
        return new / old

    @property
    def direction(self) -> Direction:
        """Whether failures became fewer or more, by more than chance explains."""
        old, new = self.share_before, self.share_after
        if old is None or new is None or self.p_value is None:
            return "no data"
        if self.p_value >= self.alpha:
            return "no clear change"
        return "worse" if new > old else "better"

    def to_dict(self) -> dict[str, Any]:
        """The comparison as plain data, ready for JSON."""
        return {
            "direction": self.direction,
            "factor": figure(self.factor),
            "p_value": self.p_value,
            "alpha": self.alpha,
            "dispersion": self.dispersion,
        }

    def _sides(self) -> tuple[tuple[str, Counts, Fraction | None], ...]:
        return (
            ("before", self.before, self.share_before),
            ("after", self.after, self.share_after),
        )

    def to_pandas(self) -> Any:
        """Both stretches as rows of a pandas DataFrame."""
        rows = (
            {
                "side": side,
                "bad": plain_count(counts.bad),
                "total": plain_count(counts.total),
                "share": figure(share),
            }
            for side, counts, share in self._sides()
        )
        return frame(rows, {"side": "text", "bad": "count", "total": "count", "share": "figure"})

    def _card(self) -> Card:
        rows = [
            (side, f"{counts.bad:,}", f"{counts.total:,}", percent(share))
            for side, counts, share in self._sides()
        ]
        return Card("Before and after", str(self), "", (), ("side", "bad", "total", "share"), rows)

    def __str__(self) -> str:
        if self.p_value is None:
            return self.direction
        return f"{self.direction} (p = {self.p_value:.2g})"


def _share(counts: Counts) -> Fraction | None:
    return Fraction(counts.bad) / Fraction(counts.total) if counts.total else None


def trend(
    before: Counts,
    after: Counts,
    *,
    alpha: float | Fraction | str = 0.01,
    dispersion: float = 1.0,
) -> Trend:
    """
    Whether failures became more or fewer, by more than chance explains.

    Args:
        before: Good and bad events of the first stretch [events].
        after: Good and bad events of the second [events].
        alpha: How often a change may be cried where there is none, in (0, 1).
        dispersion: How clustered failures are, as `confidence.dispersion` estimates it [1, >= 1].

    Raises:
        InvalidInputError: An argument does not fit.

    Example:
        >>> found = trend(Counts(good=9_990, bad=10), Counts(good=9_960, bad=40))
        >>> print(found)
        worse (p = 2.2e-05)
        >>> print(trend(Counts(good=9_990, bad=10), Counts(good=9_960, bad=40), dispersion=20))
        no clear change (p = 0.34)
    """
    before, after = as_counts(before), as_counts(after)
    dispersion = number("dispersion", dispersion, least=1)
    limit = chance("alpha", alpha)
    p_value = None
    if before.total and after.total:
        old, new = Fraction(before.total), Fraction(after.total)
        pooled = (Fraction(before.bad) + Fraction(after.bad)) / (old + new)
        variance = pooled * (1 - pooled) * (1 / old + 1 / new)
        gap = abs(Fraction(after.bad) / new - Fraction(before.bad) / old)
        # Nothing bad, or nothing good, in either: the shares are equal.
        p_value = erfc(float(gap) / sqrt(2 * float(variance) * dispersion)) if variance else 1.0
    return Trend(before, after, p_value, limit, dispersion)
