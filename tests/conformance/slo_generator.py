"""Adapter of `slo-generator/...`, which rounds SLIs to 6 digits and burn rates to 1."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import errorbudget as eb
from errorbudget.durations import SECOND_NS
from errorbudget.errors import InvalidCountsError
from tests.conformance.answering import few_events
from tests.conformance.cases import Case
from tests.conformance.figures import (
    Figures,
    burning,
    clamped,
    refusable_counts,
    refused_target,
    total_target,
)
from tests.conformance.reading import counts_of, find, length_ns, number, target_of
from tests.conformance.verdicts import Answers, Purpose, Refused, as_number, refusable

__all__ = ["ADAPTERS"]

HALF_A_MILLIONTH = 5e-7 * (1 + 1e-6)


class Report(Figures):
    """Figures, with "invalid" as slo-generator says it: no report, no number."""

    def __call__(self, key: str) -> Any:
        """The figure called *key*; None where the library has none or refuses."""
        if key == "valid":
            return self.refused is None and not self.empty
        if key in ("state", "status"):
            return self._state_word()
        found = super().__call__(key)
        unusable = isinstance(found, Refused) and isinstance(found.error, InvalidCountsError)
        return None if unusable else found

    def _state_word(self) -> Any:
        if self.refused is not None or self.empty:
            return None
        assert self.status is not None
        if self.status.state == "met":
            return "ok"
        return "alert" if self("alert") else "missed_but_not_alerting"


def _rounded(case: Case, figures: Figures) -> Purpose:
    """What rounding the SLI to 1e-6, and a burn rate to 0.1, can do to each figure."""
    window = figures.window_ns or 0

    def slack(key: str) -> float:
        assert isinstance(figures.target, eb.Target)
        error = float(figures.target.error)
        if "minutes" in key:
            return HALF_A_MILLIONTH * window / SECOND_NS / 60
        if key.endswith(("_s", "_seconds")):
            return HALF_A_MILLIONTH * window / SECOND_NS
        if "burn" in key:
            return (HALF_A_MILLIONTH / error + 0.05 * (1 + 1e-6)) if error else 0.0
        if "consumed" in key or "remaining" in key:
            percent = 100 if key.endswith(("pct", "percent")) else 1
            return HALF_A_MILLIONTH / error * percent if error else 0.0
        return HALF_A_MILLIONTH

    def holds(key: str, expected: Any, ours: Any) -> bool:
        if not isinstance(figures.target, eb.Target) or figures.refused or figures.empty:
            return False
        if key in ("alert", "state", "status"):
            theirs = _their_verdict(figures)
            return bool(expected == (theirs if key == "alert" else _their_state(figures, theirs)))
        plain, mine = as_number(expected), as_number(ours)
        if plain is None or mine is None or not math.isfinite(mine):
            return False
        if "burn" in key and round(plain, 1) != plain:
            return False
        return abs(plain - mine) <= slack(key) + 1e-9 * abs(mine)

    return Purpose("nothing is rounded before it is compared; theirs is ours rounded", holds)


def _their_verdict(figures: Figures) -> bool | None:
    """What comparing burn rates of one decimal would give."""
    burn = figures("burn_rate")
    if burn is None or figures.threshold is None or not math.isfinite(burn):
        return None
    return burning(Fraction(str(round(burn, 1))), figures.threshold, figures.window_ns or SECOND_NS)


def _their_state(figures: Figures, alert: bool | None) -> str:
    assert isinstance(figures.target, eb.Target)
    share = figures("sli")
    if number(str(round(share, 6))) >= figures.target.ratio:
        return "ok"
    return "alert" if alert else "missed_but_not_alerting"


def _total(case: Case, figures: Figures) -> Purpose:
    """The source never alerts at 100 %, whatever happens."""
    whole = isinstance(figures.target, eb.Target) and not figures.target.error

    def holds(key: str, expected: Any, ours: Any) -> bool:
        words = key in ("alert", "state", "status")
        return whole and words and figures.status is not None and bool(figures.counts)

    return Purpose("at a target of 100 % one bad event is an infinite burn, and alerts", holds)


def report(case: Case) -> Answers:
    inputs = case.inputs
    marker = inputs.get("no_data_marker", -1)
    counts = refusable_counts(lambda: counts_of(inputs, marker=marker))
    target = refusable(lambda: target_of(inputs))
    threshold = find(inputs, "burn_rate_threshold", "alert_threshold", "threshold")
    figures = Report(counts, target, length_ns(inputs, "window"), threshold)
    return Answers(
        figures,
        (
            few_events(inputs),
            total_target(figures),
            _total(case, figures),
            refused_target(case.inputs),
            _rounded(case, figures),
            clamped(figures),
        ),
    )


ADAPTERS = {"slo-generator": report}
