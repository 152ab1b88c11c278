"""Burn alerts derive their thresholds, fire strictly, and know when they will."""

from __future__ import annotations

import json
from fractions import Fraction
from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from errorbudget import GUIDE, WORKBOOK, AlertPolicy, BurnAlert, Target
from errorbudget.alerts.presets import WORKBOOK_THREE
from errorbudget.errors import InvalidInputError
from tests import oracles

MINUTE = 60 * 10**9
DAY = 1_440 * MINUTE

shares = st.fractions(Fraction(1, 100), Fraction(1, 4), max_denominator=100)
minutes = st.integers(2, 300)


@st.composite
def alerts(draw: st.DrawFn) -> BurnAlert:
    """Single and double windows, with and without a hold, in whole minutes."""
    long = draw(minutes)
    short = draw(st.none() | st.integers(1, long - 1))
    return BurnAlert(
        "any",
        draw(st.sampled_from(["page", "ticket", "info"])),
        draw(shares),
        long * MINUTE,
        None if short is None else short * MINUTE,
        draw(st.integers(0, 20)) * MINUTE,
    )


def test_published_thresholds() -> None:
    """14.4, 6, 3 and 1 of the workbook; 14.4, 4.8 and 1.2 of the guide."""
    assert [float(alert.threshold("30d")) for alert in WORKBOOK.alerts] == [14.4, 6, 3, 1]
    assert [float(alert.threshold("30d")) for alert in WORKBOOK_THREE.alerts] == [14.4, 6, 1]
    assert [float(alert.threshold("30d")) for alert in GUIDE.alerts] == [14.4, 4.8, 1.2]


@given(alerts(), st.integers(1, 400).map(lambda n: n * DAY))
def test_a_threshold_itself_does_not_fire(alert: BurnAlert, period: int) -> None:
    """Every window has to exceed the threshold, strictly; no events never do."""
    threshold = alert.threshold(period)
    assert threshold == alert.budget * period / alert.long
    above, at = threshold + Fraction(1, 10**30), dict.fromkeys(alert.windows, threshold)
    assert alert.condition(dict.fromkeys(alert.windows, above), period)
    assert alert.condition(dict.fromkeys(alert.windows, inf), period)
    assert not alert.condition(at, period)
    for window in alert.windows:
        assert not alert.condition({**dict.fromkeys(alert.windows, above), window: None}, period)
        assert not alert.condition(
            {**dict.fromkeys(alert.windows, above), window: threshold}, period
        )
    assert not alert.condition({}, period)


def firing_minutes(
    alert: BurnAlert, error: Fraction, rate: Fraction, incident: int, period: int
) -> list[int]:
    """The minutes, from the start of steady errors, at whose end the alert fires; brute force."""
    longest = alert.long // MINUTE
    bad = [Fraction(0)] * longest + [rate] * incident + [Fraction(0)] * (longest + 1)
    sums = [Fraction(0)]
    for each in bad:
        sums.append(sums[-1] + each)
    firing, since = [], None
    for now in range(longest, len(sums)):
        rates = {
            window: (sums[now] - sums[now - window // MINUTE]) / (window // MINUTE) / error
            for window in alert.windows
        }
        if not oracles.burns(alert, rates, period):
            since = None
            continue
        since = now if since is None else since
        if now - since >= alert.hold // MINUTE:
            firing.append(now - longest)
    return firing


@given(
    alert=alerts(),
    rate=st.fractions(Fraction(1, 50), 1, max_denominator=50),
    incident=st.integers(1, 400),
)
def test_detection_and_reset_against_a_ticking_clock(
    alert: BurnAlert, rate: Fraction, incident: int
) -> None:
    """The formulas meet a simulation of steady errors to its minute, the hold included."""
    error, period = Fraction(1, 20), DAY
    minutes_ = firing_minutes(alert, error, rate, incident, period)
    detected = alert.detection_time(1 - error, period, rate)
    gone = alert.reset_time(1 - error, period, rate, incident * MINUTE)
    if detected is None:
        assert not minutes_
        assert gone is None
        assert alert.budget_spent_at_firing(1 - error, period, rate) is None
        return
    if minutes_:
        assert gone is not None
        assert detected / 60 <= minutes_[0] <= detected / 60 + 1 + 1e-9
        assert minutes_[-1] - incident - 1e-9 <= gone / 60 <= minutes_[-1] - incident + 1 + 1e-9
        spent = alert.budget_spent_at_firing(1 - error, period, rate)
        assert spent is not None
        by_then = rate / error * Fraction(detected) * 10**9 / period
        assert float(spent) == pytest.approx(float(by_then))
    else:
        # It would have, in an incident that lasts; a tick may hide the moment itself.
        assert gone is None or detected / 60 >= incident - 1 or gone < 120


@given(alerts(), st.sampled_from(["50%", "90%", "99%", "99.9%", "100%"]))
def test_a_total_outage_decides_what_can_fire(alert: BurnAlert, target: str) -> None:
    """Reachable means that a total outage exceeds the threshold."""
    error = Target(target).error
    outage = 1 / error if error else inf
    reachable = alert.condition(dict.fromkeys(alert.windows, outage), "30d")
    assert alert.reachable(target, "30d") == reachable
    policy = AlertPolicy("one", [alert])
    assert policy.unreachable(target, "30d") == (() if reachable else (alert,))


@given(st.integers(1, 800).map(lambda n: n * 36 * MINUTE) | st.integers(1, 10**12))
def test_a_table_serves_any_period(period: int) -> None:
    """No alert of the usual table fires at an even spend, guards more than all, or loses order."""
    served = WORKBOOK.for_period(period)
    for alert, published in zip(served.alerts, WORKBOOK.alerts, strict=True):
        threshold = alert.threshold(period)
        assert threshold >= 1
        if served is not WORKBOOK:
            assert threshold == published.threshold("30d") or alert.budget == 1
        assert alert.short is None or alert.short < alert.long


@given(alerts(), st.integers(1, 90).map(lambda n: n * MINUTE))
def test_windows_in_whole_slices(alert: BurnAlert, step: int) -> None:
    """Windows grow to multiples of a slice, and the threshold stays, while it can."""
    served = AlertPolicy("one", [alert]).in_steps(step).alerts[0]
    assert served.long % step == 0
    assert served.long >= alert.long
    assert served.short is None or served.short % step == 0
    if served.budget < 1:
        assert served.threshold("30d") == alert.threshold("30d")


def test_the_more_urgent_silences() -> None:
    """A page silences its ticket; equals do not silence each other; it can be turned off."""
    rates = dict.fromkeys(WORKBOOK.windows, Fraction(100))
    states = WORKBOOK.states(rates, "30d")
    assert {state.state for state in states} == {"firing"}
    assert [state.inhibited_by for state in states] == [None, None, "page-fast", "page-fast"]
    assert [state.active for state in states] == [True, True, False, False]
    loud = AlertPolicy("loud", WORKBOOK.alerts, inhibit=False)
    assert all(state.active for state in loud.states(rates, "30d"))
    assert WORKBOOK.severity(rates, "30d") == "page"
    assert WORKBOOK.severity({}, "30d") is None
    assert {state.state for state in WORKBOOK.states({}, "30d")} == {"inactive"}


def test_what_has_to_wait_is_pending() -> None:
    """Until its hold is over, an alert whose condition holds is pending, and silences nothing."""
    rates = dict.fromkeys(GUIDE.windows, Fraction(100))
    states = GUIDE.states(rates, "30d")
    assert [state.state for state in states] == ["pending", "pending", "firing"]
    assert [state.inhibited_by for state in states] == [None] * 3
    held = GUIDE.states(rates, "30d", {"fast-burn": True})
    assert [state.state for state in held] == ["firing", "pending", "firing"]
    assert held[2].inhibited_by == "fast-burn"


@pytest.mark.parametrize("policy", [GUIDE, WORKBOOK, WORKBOOK_THREE])
def test_tables_are_data(policy: AlertPolicy) -> None:
    """Written as JSON and read back, a table is the same."""
    assert AlertPolicy.from_dict(json.loads(json.dumps(policy.to_dict()))) == policy


def test_no_budget_no_share() -> None:
    """At 100 % any error fires at once, and there is no budget to spend a share of."""
    alert = WORKBOOK.alerts[0]
    assert alert.detection_time("100%", "30d") == 0
    assert alert.budget_spent_at_firing("100%", "30d") is None
    assert alert.reachable("100%", "30d")
    held = BurnAlert("held", "page", "2%", "1h", hold="10m")
    assert held.detection_time("99.9%", "30d", 1) == pytest.approx(51.84 + 600)
    assert held.budget_spent_at_firing("99.9%", "30d", "100%") == Fraction(1, 50) + Fraction(
        1_000 * 600, 30 * 86_400
    )


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: BurnAlert("", "page", "2%", "1h"), "needs a name"),
        (lambda: BurnAlert(None, "page", "2%", "1h"), "needs a name"),
        (lambda: BurnAlert("a", "loud", "2%", "1h"), "severity must be one of critical"),
        (lambda: BurnAlert("a", "page", 2, "1h"), 'such as "2%"'),
        (lambda: BurnAlert("a", "page", "0%", "1h"), 'such as "2%"'),
        (lambda: BurnAlert("a", "page", None, "1h"), 'such as "2%"'),
        (lambda: BurnAlert("a", "page", "2%", 0), "longer than 0"),
        (lambda: BurnAlert("a", "page", "2%", "1h", "1h"), "must be shorter"),
        (lambda: BurnAlert("a", "page", "2%", "1h", hold=-1), "longer than 0"),
        (lambda: AlertPolicy("a", 5), "must be a list"),
        (lambda: AlertPolicy("a", ["b"]), "each alert is a BurnAlert"),
        (lambda: AlertPolicy("a", GUIDE.alerts[:1] * 2), "different names"),
        (lambda: AlertPolicy.from_dict(None), "name and alerts"),
        (lambda: AlertPolicy.from_dict({}), "name and alerts"),
        (lambda: AlertPolicy.from_dict({"alerts": [5]}), "name and alerts"),
        (lambda: AlertPolicy.from_dict({"alerts": [{"nme": "x"}]}), "name and alerts"),
    ],
)
def test_tables_that_make_no_sense(build: object, message: str) -> None:
    """Each is refused with what is wrong."""
    with pytest.raises(InvalidInputError, match=message):
        build()  # type: ignore[operator]


def test_a_table_whose_threshold_is_an_even_spend_is_left_as_it_is() -> None:
    """Only below 1 does an alert page on a healthy service."""
    table = AlertPolicy("t", [BurnAlert("a", "page", "10%", "1d")], "30d")
    day_ns = 86_400 * 10**9
    assert table.for_period(10 * day_ns) is table
    (stretched,) = table.for_period(9 * day_ns).alerts
    assert stretched.threshold(9 * day_ns) == 3


def test_an_alert_read_without_a_hold_has_none() -> None:
    """Left out or null, it waits for nothing."""
    bare = {"name": "a", "severity": "page", "budget": "2%", "long": "1h"}
    for row in (bare, {**bare, "hold": None}):
        (alert,) = AlertPolicy.from_dict({"alerts": [row]}).alerts
        assert alert == BurnAlert("a", "page", "2%", "1h")
        assert alert.hold == 0
