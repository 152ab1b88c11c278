"""The gate: exact, closed on silence, and always with its reasons."""

from __future__ import annotations

import json
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

import errorbudget as eb
from errorbudget.errors import InvalidInputError
from errorbudget.report.gating import Rules, Standing, decide, standing_of, standings_in

SLO = eb.SLO("api", target="99.9%", window="30d", sli=eb.Availability())


def status(good: int, bad: int) -> eb.Status:
    """The SLO over some counts, the last hour burning as the whole."""
    counts = eb.Counts(good, bad)
    return SLO.assess(counts, at=0, burn_counts=dict.fromkeys(SLO.all_burn_windows, counts))


def opens(good: int, bad: int, change: str = "normal", **rules: object) -> bool:
    """Whether the gate is open for the SLO over these counts."""
    return decide([standing_of(status(good, bad))], Rules(change, **rules)).open  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("bad", "normal", "critical"),
    [
        (0, True, True),
        (499, True, True),
        (500, True, True),
        (800, True, True),  # exactly 20 % left still is "consuming"
        (801, False, True),
        (999, False, True),
        (1_000, False, False),  # exactly 0 left is exhausted, though the SLO is met
        (5_000, False, False),
    ],
)
def test_the_policy_decides(bad: int, normal: bool, critical: bool) -> None:
    """Each tier lets through what its guide says, on the boundary too."""
    assert opens(1_000_000 - bad, bad) is normal
    assert opens(1_000_000 - bad, bad, "critical") is critical


@given(st.integers(0, 10**12), st.integers(0, 10**12), st.fractions(0, 1, max_denominator=100))
def test_min_remaining_is_exact(good: int, bad: int, floor: Fraction) -> None:
    """The gate is closed exactly when less than the floor is left, however large the counts."""
    if good + bad:
        left = 1 - bad / ((good + bad) * Fraction(1, 1_000))
        assert opens(good, bad, policy=False, min_remaining=floor) is (left >= floor)


@given(st.integers(0, 10**12), st.integers(0, 10**12))
def test_max_burn_is_strict(good: int, bad: int) -> None:
    """A burn rate of exactly the limit passes; the least more does not."""
    if good + bad:
        burn = Fraction(bad, good + bad) * 1_000
        assert opens(good, bad, policy=False, max_burn={"1h": burn})
        assert opens(good, bad, policy=False, max_burn={"1h": Fraction(72, 5)}) is (
            burn <= Fraction(72, 5)
        )


@given(st.integers(0, 10**15), st.integers(0, 10**15))
def test_a_report_is_as_good_as_the_data(good: int, bad: int) -> None:
    """Through JSON the gate's answer and its reasons stay the same."""
    found = eb.Report(0, (status(good, bad),))
    read = standings_in(json.loads(json.dumps(found.to_dict())))
    for change in ("normal", "critical"):
        rules = Rules(change, min_remaining=Fraction(1, 3))
        direct = decide([standing_of(found[0])], rules)
        assert decide(read, rules) == direct


def test_silence_is_no_permission() -> None:
    """Without data the gate is closed, unless it was told to open; it says so either way."""
    silent = standing_of(status(0, 0))
    assert str(decide([silent], Rules())) == "gate closed for a normal change: api: no data"
    opened = decide([silent], Rules(on_no_data="open"))
    assert opened.open
    assert "api: no data (open on no data)" in str(opened)


def test_an_override_is_recorded() -> None:
    """Opened by hand, the gate says why, and what it would have said."""
    verdict = decide([standing_of(status(0, 5))], Rules(), override="fix for INC-7")
    assert verdict.open
    assert "fix for INC-7" in str(verdict)
    assert "it would be closed: api: " in str(verdict)
    assert verdict.to_dict()["override"] == "fix for INC-7"


def test_thresholds_have_no_budget_and_still_count() -> None:
    """A missed threshold closes the gate for a normal change and lets a fix through."""
    missed = Standing("p95", "missed", None, {}, None, None)
    assert not decide([missed], Rules(max_burn={"1h": Fraction(1)})).open
    assert decide([missed], Rules("critical")).open


def test_an_unknown_window_is_an_error() -> None:
    """A limit on a window that was not measured is refused, naming those that were."""
    with pytest.raises(eb.ErrorBudgetError, match="no burn rate over 4h; there are 5m, 30m"):
        decide([standing_of(status(1, 0))], Rules(max_burn={"4h": Fraction(1)}))
    with pytest.raises(eb.ErrorBudgetError, match="no SLOs"):
        decide([], Rules())


@pytest.mark.parametrize(
    "change",
    [
        {"may_deploy": "yes"},
        {"state": "great"},
        {"counts": {"good": 1, "bad": -5, "total": 2}},
        {"counts": {"good": 1, "bad": True, "total": 2}},
        {"counts": {"good": 1, "bad": None, "total": 2}},
    ],
)
def test_a_damaged_report_opens_nothing(change: dict[str, object]) -> None:
    """What no report of ours can say is refused, never taken for a yes."""
    slo = eb.SLO("a", target="99%", window="1d", sli=eb.Availability())
    report = eb.evaluate(slo, eb.Events(time=[1, 2], status=[200, 200])).to_dict()
    report["slos"][0].update(change)
    with pytest.raises(InvalidInputError, match="not complete"):
        standings_in(report)
