"""Budget is spent on purpose only while its worst case can be afforded."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import errorbudget as eb
from errorbudget.errors import InvalidInputError
from errorbudget.live import ManualClock, Tracker
from errorbudget.live.admission import Admission

NOON = "2026-03-01T12:00:00Z"
QUIET = eb.AlertPolicy("none", [])


def fed(good: int, bad: int, **given_slo: object) -> Tracker:
    slo = eb.SLO("api", **{"target": "99%", "window": "30d", "sli": eb.Availability()} | given_slo)  # type: ignore[arg-type]
    tracker = Tracker(slo, clock=ManualClock(NOON))
    tracker.record_many(good=np.arange(good + bad) < good)
    return tracker


@given(
    st.integers(0, 300),
    st.integers(0, 30),
    st.integers(0, 10),
    st.sampled_from(["99%", "90%", "100%"]),
    st.sampled_from([(0, Fraction(0)), ("20%", Fraction(1, 5)), (0.1, Fraction(1, 10))]),
)
def test_it_allows_what_leaves_more_than_is_kept(
    good: int, bad: int, cost: int, target: str, keep: tuple[object, Fraction]
) -> None:
    """The answer is that of the budget after the worst case, in exact fractions."""
    tracker = fed(good, bad, target=target, alerts=QUIET)
    answer = Admission(tracker, keep=keep[0]).should_allow(cost)  # type: ignore[arg-type]
    after = eb.Budget(eb.Counts(good, bad + cost), eb.Target(target).error).remaining_exact
    assert answer == (good + bad > 0 and after is not None and after > keep[1])


def test_nothing_is_risked_while_a_page_burns() -> None:
    """With most of the budget left, a fast burn forbids it; once it has passed, it is allowed."""
    clock = ManualClock(NOON)
    slo = eb.SLO("api", target="99%", window="30d", sli=eb.Availability())
    tracker = Tracker(slo, clock=clock)
    tracker.record_many(good=np.ones(100_000, dtype=bool))
    clock.advance("2h")
    tracker.record_many(good=np.arange(500) < 400)
    admission = Admission(tracker)
    decision = admission.decide()
    assert not decision
    assert "condition met" in decision.reason
    assert Admission(tracker, severities=()).should_allow()
    clock.advance("6h")
    tracker.record_many(good=np.ones(10_000, dtype=bool))
    assert admission.should_allow()


@given(st.integers(0, 60), st.integers(0, 60))
def test_it_agrees_with_the_alerts_of_the_status(good: int, bad: int) -> None:
    """A page that the status calls firing or pending forbids, and no other."""
    tracker = fed(good, bad, target="95%")
    burning = any(
        alert.state != "inactive" and alert.alert.severity in {"critical", "page"}
        for alert in tracker.status().alerts
    )
    decision = Admission(tracker, keep=0).decide(0)
    assert ("condition met" in decision.reason) == burning


def test_slices_are_what_a_slice_objective_spends() -> None:
    """Where slices are counted, a bad slice costs one however many events failed in it."""
    clock = ManualClock("2026-03-01T12:00:00Z")
    slo = eb.SLO(
        "api", target="90%", window="1d", sli=eb.Availability(), method=eb.Timeslices("1m", "50%")
    )
    tracker = Tracker(slo, clock=clock)
    for minute in range(100):
        for _ in range(50):
            tracker.record(good=minute != 7)
        clock.advance("1m")
    canary = Admission(tracker, severities=())
    assert canary.should_allow(cost=9)
    told = canary.decide(cost=12)
    assert told.reason.startswith("12 more bad slices would leave -16.1% of the budget")
    assert tracker.figures().bad == 1


def test_without_events_it_answers_as_configured() -> None:
    """No data is no permission, unless one says so."""
    assert not Admission(fed(0, 0)).should_allow()
    assert Admission(fed(0, 0), no_data="allow").should_allow()
    assert bool(Admission(fed(10, 0)).decide(0))


def test_it_is_checked_at_the_door() -> None:
    """Unknown words and impossible costs are refused."""
    tracker = fed(1, 0)
    with pytest.raises(InvalidInputError, match="no_data"):
        Admission(tracker, no_data="maybe")  # type: ignore[arg-type]
    with pytest.raises(InvalidInputError, match="severities are"):
        Admission(tracker, severities=["loud"])
    with pytest.raises(InvalidInputError, match="keep is a share"):
        Admission(tracker, keep=20)
    with pytest.raises(InvalidInputError, match="whole number"):
        Admission(tracker).should_allow(-1)


@pytest.mark.parametrize("keep", [20, -0.001, "100.1%", "much", float("nan")])
def test_what_is_no_share_is_named(keep: object) -> None:
    """All and nothing are shares."""
    for share in (0, 1, "0%", "100%"):
        Admission(fed(1, 0), keep=share)
    with pytest.raises(InvalidInputError) as caught:
        Admission(fed(1, 0), keep=keep)  # type: ignore[arg-type]
    assert str(caught.value) == f'keep is a share of the budget such as "20%", got {keep!r}'


def test_what_it_says() -> None:
    """One failure is asked about, and nothing has to be left, unless one says otherwise."""
    quiet = {"alerts": QUIET}
    tracker = fed(995, 5, **quiet)
    for answer, allowed, reason in (
        (Admission(tracker).decide(), True, "40.1% of the budget would be left"),
        (Admission(tracker).decide(5), True, "0.5% of the budget would be left"),
        (
            Admission(tracker).decide(6),
            False,
            "6 more failures would leave -9.3% of the budget, and 0% is to be kept",
        ),
        (Admission(tracker, keep="49.9%").decide(0), True, "50.0% of the budget would be left"),
        (
            Admission(tracker, keep="50%").decide(0),
            False,
            "0 more failures would leave 50.0% of the budget, and 50% is to be kept",
        ),
        (Admission(fed(0, 0)).decide(), False, "there are no events to judge by"),
        (Admission(fed(0, 0), no_data="allow").decide(), True, "there are no events to judge by"),
        (
            Admission(fed(0, 0, method=eb.Timeslices("1m", "50%"))).decide(),
            False,
            "there are no slices to judge by",
        ),
        (
            Admission(fed(5, 5, **quiet)).decide(0),
            False,
            "0 more failures would leave -4900.0% of the budget, and 0% is to be kept",
        ),
        (
            Admission(fed(9, 0, target="100%", **quiet)).decide(0),
            True,
            "a target of 100 % allows no failure, 0 with this",
        ),
        (
            Admission(fed(9, 0, target="100%", **quiet)).decide(),
            False,
            "a target of 100 % allows no failure, 1 with this",
        ),
        (
            Admission(fed(0, 9, target="100%", **quiet)).decide(2),
            False,
            "a target of 100 % allows no failure, 11 with this",
        ),
    ):
        assert (answer.allowed, answer.reason) == (allowed, reason)
    assert Admission(tracker).should_allow()
    assert Admission(fed(942, 8, **quiet)).should_allow()
    assert not Admission(fed(942, 8, **quiet)).should_allow(2)
    assert not Admission(fed(990, 9, **quiet)).should_allow()


def test_alerts_of_other_severities_forbid_nothing() -> None:
    """Pages do unless others are named; what is no severity is refused."""
    alert = eb.BurnAlert("hot", "page", "1%", "1m")
    tracker = fed(0, 9, alerts=eb.AlertPolicy("one", [alert]), window="1d")
    assert Admission(tracker).decide(0).reason == 'alert "hot" has its condition met'
    assert not Admission(tracker).decide(0)
    assert Admission(tracker, severities=["page"]).decide(0).reason.startswith("alert")
    for severities in ("critical",), ():
        assert "condition" not in Admission(tracker, severities=severities).decide(0).reason
    for wrong, told in ((5, "got 5"), (["page", "loud", None], "got 'loud', None")):
        with pytest.raises(InvalidInputError, match="severities are .*, " + told):
            Admission(tracker, severities=wrong)  # type: ignore[arg-type]
    for cost in (-1, 1.0, True):
        with pytest.raises(InvalidInputError, match=f"cost is a whole number .*, got {cost!r}"):
            Admission(tracker).decide(cost)  # type: ignore[arg-type]
