"""
The figures of one window, by the names that files give them.

Every figure is read off `Status` and `Budget`; here names and units are translated, no more.
"""

from __future__ import annotations

import math
import re
import warnings
from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any

import errorbudget as eb
from errorbudget.alerts import AlertPolicy, BurnAlert
from errorbudget.budget import budget as budget_of
from errorbudget.budget import sli as sli_of
from errorbudget.durations import DAY_NS, SECOND_NS
from errorbudget.errors import ErrorBudgetWarning, InvalidCountsError, InvalidTargetError
from tests.conformance.reading import UNITS_NS
from tests.conformance.verdicts import Purpose, Refused, as_number, close, refusable

__all__ = [
    "Extended",
    "Figures",
    "assessed",
    "burning",
    "clamped",
    "guarded",
    "no_data",
    "refused_counts",
    "refused_target",
    "rounded",
    "total_target",
]

AT_RISK = eb.Policy(
    "healthy, at risk, exhausted",
    (eb.Tier("healthy", "20%", inclusive=True), eb.Tier("at-risk", 0), eb.Tier("exhausted")),
)


def assessed(
    counts: eb.Counts, target: eb.Target, window: eb.Rolling | eb.Calendar, at: Any = 0
) -> eb.Status:
    """The status of an SLO with these counts, as the front door gives it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ErrorBudgetWarning)
        slo = eb.SLO("case", target=target, window=window, sli=eb.Availability())
        return slo.assess(counts, at=at, burn_counts={slo.period_ns: counts})


def burning(burn: Any, threshold: Any, window_ns: int) -> bool:
    """Whether an alert with this threshold fires at this exact burn rate."""
    limit = Fraction(str(threshold))
    # The share of budget that makes this threshold: any period works that is long enough.
    period_ns = window_ns * max(1, math.ceil(limit))
    alert = BurnAlert("case", "page", limit * window_ns / period_ns, window_ns)
    states = AlertPolicy("case", (alert,), period_ns).states({window_ns: burn}, period_ns)
    return states[0].state == "firing"


class Figures:
    """
    What the library says of some counts.

    Args:
        counts: Good and bad units, or what made the library refuse them.
        target: The target, what made the library refuse it, or None where a case has none.
        window_ns: Length of the window [ns], for figures in time.
        threshold: Burn rate above which an alert fires.
        status: The status, where it has been worked out already.
    """

    def __init__(
        self,
        counts: eb.Counts | Refused,
        target: eb.Target | Refused | None = None,
        window_ns: int | None = None,
        threshold: Any = None,
        status: eb.Status | None = None,
    ) -> None:
        self.counts, self.target, self.window_ns = counts, target, window_ns
        self.threshold = threshold
        self.refused = next((one for one in (counts, target) if isinstance(one, Refused)), None)
        self.status = status
        if status is None and isinstance(counts, eb.Counts) and isinstance(target, eb.Target):
            length = 30 * DAY_NS if window_ns is None else window_ns
            self.status = assessed(counts, target, eb.Rolling.from_ns(length))

    @property
    def budget(self) -> eb.Budget:
        """The budget; a `KeyError` where the case gives no target."""
        if self.status is None or self.status.budget is None:
            raise KeyError("target")
        return self.status.budget

    @property
    def empty(self) -> bool:
        """Whether there is no data."""
        return isinstance(self.counts, eb.Counts) and not self.counts

    def __call__(self, key: str) -> Any:
        """The figure called *key*."""
        if found := re.fullmatch(r"(.+?)_(?:pct|percent|percentage)", key):
            share = self(found[1])
            return share if share is None or isinstance(share, Refused) else 100 * share
        if found := re.fullmatch(r"(.+?)_(\d+)dp", key):
            return self(found[1])
        if found := re.fullmatch(r"burn_rate_(\d+[smhdw])", key):
            return self("burn_rate")
        if found := re.fullmatch(
            r"(budget|allowed|error_budget|initial|remaining|error_budget_remaining|budget_remaining"
            r"|error|bad|consumed|error_budget_consumed|budget_consumed)"
            r"_(s|sec|seconds|m|min|minutes|h|hours|d|days)",
            key,
        ):
            return self._in_time(found[1], Fraction(UNITS_NS[found[2]], SECOND_NS))
        figure = self._named(key)
        return self.refused if self.refused is not None else figure()

    def _in_time(self, what: str, unit_s: Fraction) -> Any:
        if self.refused is not None:
            return self.refused
        if self.window_ns is None:
            raise KeyError("window")
        budget = self.budget
        if what in ("budget", "allowed", "error_budget", "initial"):
            seconds = budget.allowed_time_s
        elif "remaining" in what:
            seconds = budget.remaining_time_s
        else:
            seconds = budget.consumed_time_s
        return None if seconds is None else seconds / float(unit_s)

    def _named(self, key: str) -> Callable[[], Any]:
        found: dict[str, Callable[[], Any]] = {
            "sli": lambda: sli_of(self._counts),
            "sli_value": lambda: sli_of(self._counts),
            "availability": lambda: sli_of(self._counts),
            "success_ratio": lambda: sli_of(self._counts),
            "error_rate": self._error_rate,
            "error_ratio": self._error_rate,
            "bad_ratio": self._error_rate,
            "good": lambda: self._counts.good,
            "bad": lambda: self._counts.bad,
            "bad_events": lambda: self._counts.bad,
            "total": lambda: self._counts.total,
            "gap": self._gap,
            "initial": lambda: self._target.error,
            "error_budget": lambda: self._target.error,
            "budget": lambda: self._target.error,
            "error_budget_target": lambda: self._target.error,
            "allowed_bad": lambda: self.budget.allowed,
            "allowed_bad_events": lambda: self.budget.allowed,
            "allowed": lambda: self.budget.allowed,
            "allowed_events": lambda: self.budget.allowed,
            "budget_events": lambda: self.budget.allowed,
            "consumed": lambda: self.budget.consumed_ratio,
            "consumed_ratio": lambda: self.budget.consumed_ratio,
            "budget_consumed": lambda: self.budget.consumed_ratio,
            "error_budget_consumed": lambda: self.budget.consumed_ratio,
            "error_budget_consumed_ratio": lambda: self.budget.consumed_ratio,
            "consumed_fraction": lambda: self.budget.consumed_ratio,
            "remaining": lambda: self.budget.remaining_ratio,
            "remaining_ratio": lambda: self.budget.remaining_ratio,
            "remaining_unclamped": lambda: self.budget.remaining_ratio,
            "remaining_clamped": lambda: self.budget.remaining_ratio,
            "remaining_fraction": lambda: self.budget.remaining_ratio,
            "budget_remaining": lambda: self.budget.remaining_ratio,
            "error_budget_remaining": lambda: self.budget.remaining_ratio,
            "remaining_events": self._remaining_events,
            "remaining_bad": self._remaining_events,
            "burn_rate": self._burn,
            "burn": self._burn,
            "error_budget_burn_rate": self._burn,
            "exhausted": lambda: self.budget.exhausted,
            "budget_exhausted": lambda: self.budget.exhausted,
            "breached": lambda: self._state({"missed": True, "met": False}),
            "missed": lambda: self._state({"missed": True, "met": False}),
            "met": lambda: self._state({"missed": False, "met": True}),
            "slo_met": lambda: self._state({"missed": False, "met": True}),
            "is_met": lambda: self._state({"missed": False, "met": True}),
            "alert": self._alert,
            "alerting": self._alert,
            "valid": lambda: not self.empty,
            "no_data": lambda: self.empty,
            "status": self._word,
            "state": self._word,
            "is_estimated": lambda: self.budget.estimated,
            "estimated": lambda: self.budget.estimated,
            "isEstimated": lambda: self.budget.estimated,
        }
        return found[key]

    @property
    def _counts(self) -> eb.Counts:
        assert isinstance(self.counts, eb.Counts)
        return self.counts

    @property
    def _target(self) -> eb.Target:
        if not isinstance(self.target, eb.Target):
            raise KeyError("target")
        return self.target

    def _error_rate(self) -> float | None:
        return sli_of(eb.Counts(good=self._counts.bad, bad=self._counts.good))

    def _gap(self) -> float | None:
        # What is left of one second's budget is the SLI's distance from its target.
        return budget_of(self._counts, self._target, SECOND_NS).remaining_time_s

    def _remaining_events(self) -> float | None:
        return None if self.empty else self.budget.remaining

    def _burn(self) -> float | None:
        assert self.budget is not None
        return eb.burn_rate(self._counts, self._target)

    def _state(self, words: dict[str, bool]) -> bool | None:
        assert self.budget is not None
        assert self.status is not None
        return words.get(self.status.state)

    def _alert(self) -> bool | None:
        if self.threshold is None:
            raise KeyError("threshold")
        burn = self.budget.consumed_exact
        if burn is None:
            return None
        return burning(burn, self.threshold, self.window_ns or DAY_NS)

    def _word(self) -> str:
        budget, status = self.budget, self.status
        assert status is not None
        if status.state == "no_data":
            return "no_data"
        tier = AT_RISK.tier(budget.remaining_exact)
        assert tier is not None
        return tier.name


class Extended(Figures):
    """Figures and some more names."""

    def __init__(self, figures: Figures, extra: Mapping[str, Callable[[], Any]]) -> None:
        super().__init__(
            figures.counts, figures.target, figures.window_ns, figures.threshold, figures.status
        )
        self.extra = extra

    def __call__(self, key: str) -> Any:
        return self.extra[key]() if key in self.extra else super().__call__(key)


# ------------------------------------------------------------------------- differences on purpose


GUARDS: dict[str, tuple[float, ...]] = {
    "remaining": (0, 1),
    "consumed": (0, math.inf),
    "burn": (0,),
    "sli": (-1, 0, 1),
    "availability": (-1, 0, 1),
    "success_ratio": (-1, 0, 1),
    "gap": (0,),
    "initial": (0,),
}
"""What peers write where there is no figure, by what the name of the figure holds."""

QUIET = {"met": True, "slo_met": True, "is_met": True, "valid": True}
"""The verdicts of peers on nothing; every other one is False."""


def guarded(key: str, expected: Any) -> bool:
    """Whether *expected* is what a peer writes where it has no figure."""
    if isinstance(expected, bool):
        return expected is QUIET.get(key, False)
    plain = as_number(expected)
    if plain is None:
        return expected is None
    found = next((values for name, values in GUARDS.items() if name in key), ())
    return plain in found or math.isnan(plain)


def their_figures(inputs: Any, target: Any) -> list[Fraction]:
    """What the formulae of peers give for inputs that this library refuses."""
    total, good = as_number(inputs.get("total")), as_number(inputs.get("good"))
    if total is None and good is not None and (bad := as_number(inputs.get("bad"))) is not None:
        total = good + bad
    if not total or good is None or not (math.isfinite(total) and math.isfinite(good)):
        return []
    share, goal = Fraction(good) / Fraction(total), as_number(target)
    if goal is None or goal == 1 or not math.isfinite(goal):
        return [share]
    spent = (1 - share) / (1 - Fraction(str(target)))
    return [share, spent, 1 - spent, 1 - Fraction(str(target))]


def no_data(figures: Figures) -> Purpose:
    """Without events there is no figure, where peers write 0, 1 or -1."""

    def holds(key: str, expected: Any, ours: Any) -> bool:
        if not figures.empty:
            return False
        if ours == "no_data":
            return isinstance(expected, str) and expected.lower() in ("ok", "healthy", "met")
        if ours is not None:
            return key == "valid" and ours is False and expected is True
        plain, whole = as_number(expected), None
        if figures.target is not None and "remaining" in key:
            whole = figures.budget.allowed_time_s
        return guarded(key, expected) or (
            plain is not None
            and whole is not None
            and any(close(plain * unit, whole) for unit in (1, 60, 3600))
        )

    return Purpose("no events is its own answer, never a silent 0 or 1", holds)


def refused_counts(inputs: Any, figures: Figures) -> Purpose:
    """More good events than events are refused, where peers clamp or go on."""

    def holds(key: str, expected: Any, ours: Any) -> bool:
        if not isinstance(ours, Refused) or not isinstance(ours.error, InvalidCountsError):
            return False
        plain, target = as_number(expected), figures.target
        goal = target.ratio if isinstance(target, eb.Target) else None
        allowed = [target.error] if isinstance(target, eb.Target) else []
        theirs = [*their_figures(inputs, goal), *allowed]
        return guarded(key, expected) or (
            plain is not None and any(close(plain, float(one)) for one in theirs)
        )

    return Purpose("counts that cannot be (good > total, NaN, negative) are refused", holds)


def refused_target(inputs: Any) -> Purpose:
    """A target outside (0, 1] is refused, where some peers go on to compute with it."""

    def holds(key: str, expected: Any, ours: Any) -> bool:
        if not isinstance(ours, Refused) or not isinstance(ours.error, InvalidTargetError):
            return False
        given = next(
            (inputs[name] for name in ("target", "goal", "objective") if name in inputs), 0
        )
        plain = as_number(expected)
        return guarded(key, expected) or (
            plain is not None
            and any(close(plain, float(one)) for one in their_figures(inputs, given))
        )

    return Purpose("targets outside (0, 1] are refused", holds)


def total_target(figures: Figures) -> Purpose:
    """At 100 % nothing may fail: peers divide by zero, or guard it with 0 or 1."""

    def holds(key: str, expected: Any, ours: Any) -> bool:
        if not isinstance(figures.target, eb.Target) or figures.target.error:
            return False
        if isinstance(ours, bool):
            return expected is False and ours and key in ("alert", "alerting", "exhausted")
        mine, plain = as_number(ours), as_number(expected)
        if not any(name in key for name in ("burn", "consumed", "remaining")):
            return False
        if mine in (math.inf, -math.inf):
            return (
                isinstance(figures.counts, eb.Counts)
                and bool(figures.counts.bad)
                and (guarded(key, expected))
            )
        # Nothing failed of nothing allowed: 0/0.
        return mine in (0, 1) and (expected is None or (plain is not None and math.isnan(plain)))

    return Purpose("at a target of 100 % one bad event is an infinite burn, none is burn 0", holds)


def clamped(figures: Figures) -> Purpose:
    """What is left is below 0 where more was spent than there was; some peers stop at 0."""

    def holds(key: str, expected: Any, ours: Any) -> bool:
        counts, target = figures.counts, figures.target
        mine, plain = as_number(ours), as_number(expected)
        known = isinstance(counts, eb.Counts) and isinstance(target, eb.Target)
        if not known or "remaining" not in key or plain != 0 or mine is None or mine >= 0:
            return False
        assert isinstance(counts, eb.Counts)
        assert isinstance(target, eb.Target)
        allowed = Fraction(counts.total) * target.error
        if not allowed or not math.isfinite(mine):
            return bool(counts.bad) and not allowed
        left = 1 - Fraction(counts.bad) / allowed
        in_time_s = left * target.error * (figures.window_ns or 0) / SECOND_NS
        right = [left, 100 * left, left * allowed, *(in_time_s / unit for unit in (1, 60, 3600))]
        return any(close(mine, float(one)) for one in right)

    return Purpose("an overspent budget is negative, not clamped at 0", holds)


def rounded(digits: int) -> Purpose:
    """A source that rounds to *digits* says what we say, rounded."""

    def holds(key: str, expected: Any, ours: Any) -> bool:
        plain, mine = as_number(expected), as_number(ours)
        if plain is None or mine is None or not math.isfinite(mine):
            return False
        half = Fraction(1, 2 * 10**digits)
        return (
            abs(Fraction(plain) - Fraction(mine)) <= half * (1 + Fraction(1, 10**6))
            and round(plain, digits) == plain
        )

    return Purpose(f"nothing is rounded; theirs is ours to {digits} decimals", holds)


def refusable_counts(ask: Callable[[], eb.Counts]) -> eb.Counts | Refused:
    """The counts, or why the library refuses them."""
    found = refusable(ask)
    assert isinstance(found, (eb.Counts, Refused))
    return found
