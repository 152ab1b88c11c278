"""What open pages cost outside of incidents, and what is said of incidents that nobody saw."""

from __future__ import annotations

import re
from fractions import Fraction

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from errorbudget import SLO, AlertPolicy, Availability, BurnAlert, CountSeries
from errorbudget.durations import HOUR_NS, MINUTE_NS
from errorbudget.studies.backtest import Backtest, backtest
from errorbudget.studies.pareto import policy_sweep
from errorbudget.studies.repeats import IncidentTime
from tests.test_studies_backtest import policies, series

HOURS = st.integers(0, 40)


@given(st.lists(st.tuples(HOURS, HOURS).map(sorted)), HOURS, HOURS)
def test_idle_time_is_counted_hour_by_hour(spans: list[list[int]], start: int, length: int) -> None:
    """Idle hours are those in no incident; repeats come every fourth hour outside of them."""
    known = IncidentTime((low * HOUR_NS, high * HOUR_NS) for low, high in spans)

    def on(hour: int) -> bool:  # (hour - 1, hour], and the instant at its end
        return any(low < hour <= high for low, high in spans)

    end = start + length
    idle = sum(not on(hour) for hour in range(start + 1, end + 1))
    assert known.idle_ns(start * HOUR_NS, end * HOUR_NS) == idle * HOUR_NS
    again = sum(not on(hour) for hour in range(start + 4, end, 4))
    assert known.repeats(start * HOUR_NS, end * HOUR_NS) == again


def _month() -> tuple[Backtest, AlertPolicy, AlertPolicy]:
    """30 days at a burn of 1 with one outage, an alert that never closes, and a sound one."""
    bad = np.ones(720, dtype=np.int64)
    bad[300:303] = 10
    data = CountSeries((np.arange(720) + 1) * HOUR_NS, 10 - bad, [10] * 720, "1h")
    slo = SLO("api", target="90%", window="30d", sli=Availability())
    endless = AlertPolicy("endless", (BurnAlert("low", "page", "0.5%", "1d"),))
    sound = AlertPolicy("sound", (BurnAlert("high", "page", "1%", "1h"),))
    known = {"outage": (300 * HOUR_NS, 303 * HOUR_NS)}
    return backtest(slo, data, [endless, sound], incidents=known), endless, sound


def test_a_page_that_never_closes_is_noise() -> None:
    """It sees everything at once, is sent again all month, and is not recommended."""
    found, endless, sound = _month()
    loud, good = found
    (page,) = loud.pages
    assert (page.start_ns, page.end_ns, page.incident) == (HOUR_NS, None, "outage")
    # Sent again at 5, 9, ... 717 hours, of which 301 lies in the outage.
    assert (loud.repeats, loud.noise, len(loud.false_pages)) == (178, 178, 0)
    assert page.idle_ns == (720 - 1 - 3) * HOUR_NS
    assert loud.idle == Fraction(716, 721)
    assert (loud.spent_unseen, loud.detection_s) == (0, 0.0)
    assert (good.repeats, good.idle, good.seen) == (0, Fraction(1, 721), 1)
    assert found.front() == (good, loud)
    assert found.recommend(1).policy.name == sound.name
    assert found.recommend(10**6).policy.name == endless.name
    said = "open pages were sent again 178 times outside of incidents, 1.8e+02 a month with"
    assert said in str(found.recommend(10**6))
    row = found.to_dict()["policies"][0]
    assert (row["repeats"], row["idle"]) == (178, 716 / 721)
    assert row["page_list"][0]["idle_s"] == 716 * 3600
    assert [line.split()[3:5] for line in str(found).splitlines()] == [
        ["again", "idle"],
        ["178", "99.31%"],
        ["0", "0.14%"],
    ]


def test_a_bound_that_hides_what_sees_more_is_named() -> None:
    """A recommendation that sees little for the bound's sake says how to see more."""
    found, endless, sound = _month()
    assert "keeps out" not in str(found.recommend(1))
    blind = AlertPolicy("blind", (BurnAlert("never", "page", "100%", "1h"),))
    known = {"outage": (300 * HOUR_NS, 303 * HOUR_NS)}
    bad = np.ones(720, dtype=np.int64)
    data = CountSeries((np.arange(720) + 1) * HOUR_NS, 10 - bad, [10] * 720, "1h")
    tried = backtest(found.slo, data, [blind, endless, sound], incidents=known)
    best = tried.recommend(1)
    assert best.result.seen == 0
    assert (
        "the bound of 1 false pages a month keeps out what sees more: endless sees 1 of 1 for "
        "1.8e+02; raise it by --false-pages, in Python false_pages_per_month"
    ) in best.reasons
    assert "keeps out" not in str(tried.recommend(10**6))


def _minutes(bad: dict[int, int], total: dict[int, int], most: int) -> CountSeries:
    wrong = [bad.get(minute, 0) for minute in range(most)]
    whole = [total.get(minute, 10) for minute in range(most)]
    good = [every - each for every, each in zip(whole, wrong, strict=True)]
    return CountSeries([(minute + 1) * MINUTE_NS for minute in range(most)], good, whole, "1m")


API = SLO("api", target="90%", window="1d", sli=Availability())


def test_a_window_without_events_is_not_left_out() -> None:
    """What came closest is the lesser burn of both windows, where both have events."""
    # 3 bad of 113 in the long window; alone once the 100 have left it, with nothing in the short.
    quiet = dict.fromkeys(range(60), 0) | {12: 100, 20: 13}
    data = _minutes({20: 3}, quiet, 60)
    alert = BurnAlert("two", "page", Fraction(5, 720), "10m", "1m")  # a burn above 1
    policy = AlertPolicy("p", (alert,))
    known = {"one": (20 * MINUTE_NS, 21 * MINUTE_NS)}
    (found,) = backtest(API, data, policy, incidents=known)
    assert found.missed[0].why == (
        "two came to a burn of 0.26 over 10m and 1m; it wants more than 1"
    )


@given(series(), policies())
def test_what_did_not_fire_did_not_exceed(data: CountSeries, policy: AlertPolicy) -> None:
    """No alert is said to have burned above what it wants, nor to have held all of its time."""
    (found,) = backtest(API, data, policy, costly=0)
    for detection in found.missed:
        said = re.search(r"burn of (\S+) over .* more than ([\d.]+)", detection.why)
        assert said is None or float(said[1]) <= float(said[2])
        held = re.search(r"held for (\d+)m(\d+)?s? of its (\S+)", detection.why)
        assert held is None or held[3] != "0s"


def test_an_alert_that_joined_another_page_is_named() -> None:
    """A long window may fire for an old failure within a page that is about something else."""
    bad = {5: 4} | dict.fromkeys(range(40, 45), 10)
    data = _minutes(bad, {}, 120)
    policy = AlertPolicy(
        "two",
        (
            BurnAlert("fast", "page", Fraction(2 * 2, 1440), "2m"),
            BurnAlert("slow", "page", Fraction(60, 1440), "1h"),
        ),
    )
    known = {"old": (5 * MINUTE_NS, 6 * MINUTE_NS), "new": (40 * MINUTE_NS, 45 * MINUTE_NS)}
    (found,) = backtest(API, data, policy, incidents=known)
    assert found.missed[0].incident.name == "old"
    assert found.missed[0].why == (
        "slow fired at 1970-01-01T00:45:00Z, but the page for new was open since "
        "1970-01-01T00:41:00Z: nobody was paged anew"
    )


def test_a_sweep_leaves_out_what_a_healthy_service_sets_off() -> None:
    """Thresholds are of the SLO's own window; those of 1 or less are gone, and no others."""
    shares = {"budget": ["0.5%", "1%", "2%", "5%"], "long": ["30m", "1h", "7h", "1d"]}
    every = policy_sweep(**shares)
    for window in ("7d", "30d"):
        kept = [
            each.name for each in every if each.alerts[0].budget * _ns(window) > each.alerts[0].long
        ]
        assert [each.name for each in policy_sweep(**shares, window=window)] == kept
        assert 0 < len(kept) < len(every)
    assert len(every) == 16


def _ns(window: str) -> int:
    return int(window[:-1]) * 24 * HOUR_NS
