"""Simulated traffic: the truth it tells is the truth, and what it writes reads back."""

from __future__ import annotations

import hashlib
import json
from dataclasses import fields
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from errorbudget.durations import DAY_NS, HOUR_NS, MINUTE_NS, SECOND_NS, parse_duration
from errorbudget.errors import ErrorBudgetError, InvalidInputError
from errorbudget.sli import Availability
from errorbudget.slo import SLO
from errorbudget.sources.log_writer import log_blocks
from errorbudget.studies import simulate as sim
from errorbudget.studies.simulate import (
    INCIDENTS,
    BrownOut,
    CounterReset,
    DeployRegression,
    Flapping,
    Incident,
    LatencyCreep,
    Outage,
    RetryStorm,
    Route,
    ScrapeGap,
    Season,
    Simulation,
    SlowBurn,
    ZeroTrafficNights,
    incident_from_dict,
    shop,
    shop_incidents,
    simulate,
)
from errorbudget.times import format_time, to_ns

START = "2026-03-02T00:00:00Z"
START_NS = to_ns(START)
PINNED = "473a021f86ef28b50114d36d37b19182f22fcbefd2516f465c26a630fb0673c0"


def at(hours: float) -> int:
    return START_NS + round(hours * 3600) * SECOND_NS


def day(*incidents: Incident, seed: int = 1, rate: float = 0.2, **more: object) -> Simulation:
    return simulate(START, "1d", rate=rate, incidents=incidents, seed=seed, **more)  # type: ignore[arg-type]


def status_of(simulation: Simulation) -> np.ndarray:
    return np.asarray(simulation.events.status)


def duration_of(simulation: Simulation) -> np.ndarray:
    return np.asarray(simulation.events.duration_s)


@st.composite
def incidents(draw: st.DrawFn, kinds: tuple[str, ...] = tuple(INCIDENTS)) -> Incident:
    kind = INCIDENTS[draw(st.sampled_from(kinds))]
    return kind(
        start=at(draw(st.floats(0, 23))),
        duration=f"{draw(st.integers(1, 6 * 3600))}s",
        intensity=draw(st.floats(0.001, 1)),
        routes=draw(st.sampled_from([(), ("/",), ("/api/*",), ("/nowhere",)])),
        name=draw(st.text('ab é"\\,', max_size=4)),
    )


# ---------------------------------------------------------------------------- determinism


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others() -> None:
    """Everything that chance decides hangs on the seed."""
    outage = Outage(at(3), "10m")
    first, again, other = (b"".join(log_blocks(day(outage, seed=s).events)) for s in (5, 5, 6))
    assert first == again
    assert first != other


def test_the_bytes_of_one_seed_are_pinned() -> None:
    """A new numpy, or a change here, that gives other traffic for the same seed is noticed."""
    storm = RetryStorm(at(9), "20m")
    creep = LatencyCreep(at(12), "6h")
    nights = ZeroTrafficNights(START, "1d")
    text = b"".join(log_blocks(day(storm, creep, nights, seed=42).events, "csv"))
    assert hashlib.sha256(text).hexdigest() == PINNED


def test_the_order_in_which_incidents_are_given_does_not_matter() -> None:
    """Incidents are data, not steps."""
    some = [Outage(at(3), "10m"), SlowBurn(at(2), "8h", 0.05), Flapping(at(9), "1h")]
    forth, back = day(*some), day(*reversed(some))
    assert [impact.to_dict() for impact in forth.incidents] == [
        impact.to_dict() for impact in back.incidents
    ]
    np.testing.assert_array_equal(status_of(forth), status_of(back))


# ---------------------------------------------------------------------------- truth


@settings(max_examples=40)
@given(incident=incidents(), seed=st.integers(0, 2**40))
def test_the_truth_about_an_incident_is_the_difference_it_makes(
    incident: Incident, seed: int
) -> None:
    """What is told equals the simulation with the incident minus the one without it."""
    without, with_it = day(seed=seed), day(incident, seed=seed)
    impact = with_it.incidents[0]
    assert len(with_it) == len(without) + impact.added - impact.removed
    if not impact.added and not impact.removed:
        assert impact.bad == with_it.bad - without.bad
        changed = (status_of(with_it) != status_of(without)) | (
            duration_of(with_it) != duration_of(without)
        )
        time = with_it.events.time[changed]
        assert ((time > impact.start_ns) & (time <= impact.end_ns)).all()
    assert with_it.background_bad + impact.bad == with_it.bad
    inside = (with_it.events.time > impact.start_ns) & (with_it.events.time <= impact.end_ns)
    assert impact.bad <= impact.requests <= inside.sum()


@settings(max_examples=25)
@given(
    some=st.lists(incidents(), max_size=4, unique_by=lambda one: one.name), seed=st.integers(0, 99)
)
def test_per_incident_truth_adds_up(some: list[Incident], seed: int) -> None:
    """Every failed request has one cause or none, however much incidents overlap."""
    result = day(*some, seed=seed)
    failed = status_of(result) >= 500
    assert sum(impact.bad for impact in result.incidents) + result.background_bad == failed.sum()
    assert not (result.cause[~failed] >= 0).any()
    for position, impact in enumerate(result.incidents):
        rows = result.cause == position
        assert impact.bad == rows.sum()
        assert (result.events.time[rows] > impact.start_ns).all()
        assert (result.events.time[rows] <= impact.end_ns).all()
        routes = np.array(result.events.labels["route"].decode())[rows].tolist()
        assert all(impact.incident.hits(route) for route in routes)
    slow = int((duration_of(result) > result.slow_s).sum())
    assert sum(impact.slow for impact in result.incidents) <= slow
    assert not result.events.reordered


@settings(max_examples=15)
@given(incident=incidents(("BrownOut", "LatencyCreep")), seed=st.integers(0, 99))
def test_slow_requests_are_counted_as_the_difference_too(incident: Incident, seed: int) -> None:
    """A request is slow because of an incident when it is slow with it and not without it."""
    without, with_it = day(seed=seed), day(incident, seed=seed)
    became = (duration_of(with_it) > 0.3) & (duration_of(without) <= 0.3)
    assert with_it.incidents[0].slow == became.sum()


def test_an_incident_raises_the_share_of_bad_requests_while_it_lasts() -> None:
    """In the middle of an outage nearly everything fails; before and after nearly nothing does."""
    result = day(Outage(at(10), "1h", 0.9))
    bins = result.counts("10m")
    bad = (bins.total - bins.good) / bins.total
    during = (bins.label_ns > at(10)) & (bins.label_ns <= at(11))
    assert during.sum() == 6
    assert bad[during].min() > 0.75
    assert bad[~during].max() < 0.05
    assert result.incidents[0].requests == bins.total[during].sum()


def test_each_kind_fails_in_its_own_way() -> None:
    """Statuses, rhythm and pace are those of the kind."""
    hour = {"start": at(12), "duration": "1h"}
    outage = day(Outage(**hour), rate=1)
    caused = outage.cause == 0
    assert set(status_of(outage)[caused].tolist()) == {502, 503}

    brown = day(BrownOut(**hour), rate=1)
    assert set(status_of(brown)[brown.cause == 0].tolist()) == {503, 504}
    assert duration_of(brown)[status_of(brown) == 504].min() >= 10

    flapping = day(Flapping(**hour, intensity=1.0, period="20m"), rate=1)
    minutes = -(-(flapping.events.time[flapping.cause == 0] - at(12)) // MINUTE_NS)
    assert set(minutes.tolist()) == {*range(1, 11), *range(21, 31), *range(41, 51)}

    deploy = day(DeployRegression(**hour, intensity=1.0, rollout="30m"), rate=1)
    bins = deploy.counts("10m")
    share = 1 - bins.good / bins.total
    first = int(np.searchsorted(bins.label_ns, at(12), side="right"))
    rising = share[first : first + 6]
    assert all(low < high for low, high in pairwise(rising[:4]))
    assert rising[3:].min() == 1.0

    creep = day(LatencyCreep(**hour, intensity=3.0), rate=1)
    plain = day(rate=1)
    factor = duration_of(creep) / duration_of(plain)
    inside = (plain.events.time > at(12)) & (plain.events.time <= at(13))
    assert (factor[~inside] == 1).all()
    usual = inside & (duration_of(plain) > 0.05) & (status_of(plain) < 500)
    progress = (plain.events.time[usual] - at(12)) / HOUR_NS
    np.testing.assert_allclose(factor[usual], 1 + 3 * progress, rtol=0.02)
    assert creep.bad == plain.bad


def test_a_retry_storm_brings_requests_that_fail_as_often() -> None:
    """Clients come back until they succeed or give up, and load grows with failures."""
    storm = RetryStorm(at(12), "1h", 0.5, retries=3)
    calm, result = day(rate=1), day(storm, rate=1)
    impact = result.incidents[0]
    assert len(result) == len(calm) + impact.added
    # 1/2 + 1/4 + 1/8 further requests for each one, less what comes after the end.
    before = impact.requests - impact.added
    assert 0.8 < impact.added / before < 0.92
    assert 0.46 < impact.bad / impact.requests < 0.54
    assert set(status_of(result)[result.cause == 0].tolist()) == {503}


def test_nobody_comes_on_nights_without_traffic() -> None:
    """Bins of the night are there, and empty; the days are as ever."""
    nights = ZeroTrafficNights(START, "3d", hour=23, hours=3)
    result = simulate(START, "3d", rate=0.2, incidents=[nights])
    bins = result.counts("1h")
    label_hour = bins.label_ns % DAY_NS // HOUR_NS
    # The bin labelled 00:00 ends then: it is the hour from 23:00.
    night = np.isin(label_hour, [0, 1, 2])
    assert len(bins.label_ns) == 72
    assert bins.total[night].sum() == 0
    assert bins.total[~night].min() > 0
    assert result.incidents[0].removed == len(simulate(START, "3d", rate=0.2)) - len(result)


# ---------------------------------------------------------------------------- traffic


@settings(max_examples=30)
@given(
    rate=st.floats(0, 0.5),
    length_s=st.integers(1, 100_000),
    offset_ms=st.integers(-(10**9), 10**9),
    daily=st.floats(0, 1),
    seed=st.integers(0, 2**63),
)
def test_events_lie_in_the_simulated_time_and_are_well_formed(
    rate: float, length_s: int, offset_ms: int, daily: float, seed: int
) -> None:
    """Columns keep what they promise for any rate, length, start and season."""
    start_ns = START_NS + offset_ms * 1_000_000
    result = simulate(start_ns, f"{length_s}s", rate=rate, season=Season(daily=daily), seed=seed)
    events = result.events
    assert (events.time > start_ns).all()
    assert (events.time <= start_ns + length_s * SECOND_NS).all()
    assert (np.diff(events.time) >= 0).all()
    assert not (events.time % 1_000_000).any()
    took = duration_of(result)
    assert (took >= 0.001).all()
    np.testing.assert_array_equal(took, np.round(took, 3))
    assert set(events.labels) == {"method", "route"}
    bins = result.counts("1h")
    assert bins.total.sum() == len(events)
    assert (bins.total - bins.good).sum() == result.bad
    assert result.describe()


@given(step=st.sampled_from(["1s", "7s", "1m", "5m", "1h", "1d", "2d"]), seed=st.integers(0, 9))
@settings(max_examples=15)
def test_counts_equal_a_plain_loop(step: str, seed: int) -> None:
    """A bin labelled t counts (t - step, t]."""
    result = simulate(
        START_NS + 1_000_000, "3h", rate=0.1, seed=seed, incidents=[Outage(at(1), "1h")]
    )
    width = parse_duration(step)
    total: dict[int, int] = {}
    bad: dict[int, int] = {}
    for time, status in zip(result.events.time.tolist(), status_of(result).tolist(), strict=True):
        label = -(-time // width) * width
        total[label] = total.get(label, 0) + 1
        bad[label] = bad.get(label, 0) + (status >= 500)
    bins = result.counts(step)
    for label, good, all_of in zip(
        bins.label_ns.tolist(), bins.good.tolist(), bins.total.tolist(), strict=True
    ):
        assert all_of == total.pop(label, 0)
        assert good == all_of - bad.pop(label, 0)
    assert not total
    assert bins.label_ns[0] - width <= result.start_ns < bins.label_ns[0]
    assert bins.label_ns[-1] - width < result.end_ns <= bins.label_ns[-1]


def test_the_season_has_a_mean_of_one_and_shows_in_the_traffic() -> None:
    """The rate is the mean of a week; the day swings about it, and weekdays differ."""
    season = Season(daily=0.8, peak_hour=14, weekdays=(1, 1, 1, 1, 1, 0.5, 0))
    hours = np.arange(7 * 24 * 60, dtype=np.int64) * MINUTE_NS + START_NS
    assert season.factor(hours).mean() == pytest.approx(1, abs=1e-12)
    week = simulate(START, "1w", rate=0.2, season=season)
    assert len(week) == pytest.approx(0.2 * 7 * 86_400, abs=2)
    days = week.counts("1d").total
    assert days[6] == 0  # 2026-03-02 is a Monday
    assert days[5] == pytest.approx(days[4] / 2, rel=0.05)
    hour = (week.events.time % DAY_NS) // HOUR_NS
    per_hour = np.bincount(hour, minlength=24)
    assert per_hour[13:15].sum() > 5 * per_hour[1:3].sum()


@pytest.mark.parametrize("scale", [5e-324, 1e-300, 1e307])
def test_weights_of_weekdays_are_shares_whatever_their_size(scale: float) -> None:
    """Seven equal days have the mean traffic each, the least and the largest floats too."""
    noons = START_NS + np.arange(7, dtype=np.int64) * DAY_NS
    even = Season(daily=0.0, weekdays=(scale,) * 7).factor(noons)
    assert even == pytest.approx([1.0] * 7, rel=1e-15)
    idle = Season(daily=0.0, weekdays=(0, scale, scale, scale, scale, 0, 0)).factor(noons)
    assert idle == pytest.approx([0, 1.75, 1.75, 1.75, 1.75, 0, 0], rel=1e-15)


def test_healthy_traffic_looks_like_healthy_traffic() -> None:
    """Few 5xx, a usual mix of the rest, and log-normal durations about each route's median."""
    route = Route(median_s=0.1, spread=0.4)
    result = simulate(START, "30d", rate=0.2, routes={"/": route})
    classes = np.bincount(status_of(result) // 100, minlength=6) / len(result)
    assert 0.0002 <= classes[5] <= 0.0005
    assert classes[2] == pytest.approx(0.92, abs=0.005)
    log = np.log(duration_of(result)[status_of(result) < 500])
    assert log.mean() == pytest.approx(np.log(0.1), abs=0.01)
    assert log.std() == pytest.approx(0.4, abs=0.01)
    counts = result.counts("1h").total
    expected = 0.2 * 3_600 * Season().factor(result.counts("1h").label_ns - HOUR_NS // 2)
    spread = ((counts - expected) ** 2 / expected).mean()
    assert 0.85 < spread < 1.15  # a Poisson process scatters as much as its mean


def test_no_traffic_is_an_answer() -> None:
    """A rate of 0 gives no events, bins that say 0, and incidents that hurt nobody."""
    nothing = day(Outage(at(3), "10m"), RetryStorm(at(4), "10m"), rate=0)
    assert len(nothing) == 0
    assert nothing.bad == nothing.background_bad == 0
    assert nothing.counts("1h").total.tolist() == [0] * 24
    assert [impact.requests for impact in nothing.incidents] == [0, 0]
    assert "0 simulated requests" in nothing.describe()
    assert list(nothing.scrape("1h").counters()) == []


# ---------------------------------------------------------------------------- incidents as data


@settings(max_examples=60)
@given(incidents())
def test_an_incident_prints_as_code_and_travels_as_json(incident: Incident) -> None:
    """Its repr pastes back, and to_dict survives JSON."""
    assert eval(repr(incident), {**INCIDENTS}) == incident
    assert incident_from_dict(json.loads(json.dumps(incident.to_dict()))) == incident
    assert incident.end_ns - incident.start_ns == parse_duration(incident.duration)
    assert incident.start == format_time(incident.start_ns)


@pytest.mark.parametrize("kind", INCIDENTS.values())
def test_every_kind_has_what_people_need(kind: type[Incident]) -> None:
    """A name by default, frozen fields, and shapes as documented."""
    incident = kind(START, "1h")
    assert incident.name == kind.__name__
    with pytest.raises(AttributeError):
        incident.name = "other"  # type: ignore[misc]
    assert [one.name for one in fields(kind)][:5] == [
        "start",
        "duration",
        "intensity",
        "routes",
        "name",
    ]
    time = np.arange(1, 61, dtype=np.int64) * MINUTE_NS + incident.start_ns
    for answer in (incident.failure_share, incident.slowdown, incident.traffic_share):
        assert answer(time).shape == (60,)
        assert answer(time[:0]).shape == (0,)
    assert ((incident.failure_share(time) >= 0) & (incident.failure_share(time) <= 1)).all()
    assert (incident.slowdown(time) >= 1).all()


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: Outage(START, "10m", 1.5), "intensity of Outage must be a number above 0 and"),
        (lambda: Outage(START, "10m", 0), "above 0"),
        (lambda: Outage(START, "10m", float("nan")), "above 0"),
        (lambda: Outage(START, "10m", True), "got True"),
        (lambda: LatencyCreep(START, "10m", float("inf")), "finite"),
        (lambda: Outage("2026-03-02T00:00:00", "10m"), "has no time zone"),
        (lambda: Outage(START, "10 minuets"), "did you mean"),
        (lambda: Outage(START, "10us"), "milliseconds"),
        (lambda: Outage(START, "10m", routes="/api"), "tuple of patterns"),  # type: ignore[arg-type]
        (lambda: BrownOut(START, "10m", slowdown_factor=0.5), "slowdown_factor"),
        (lambda: Flapping(START, "10m", period="0s"), "longer than 0"),
        (lambda: RetryStorm(START, "10m", retries=0), "retries"),
        (lambda: ZeroTrafficNights(START, "10d", hour=24), "hour"),
        (lambda: ZeroTrafficNights(START, "10d", hours=0), "hours"),
        (lambda: CounterReset(START, instance=-1), "instance"),
        (lambda: incident_from_dict({"kind": "Outtage"}), 'did you mean "Outage"'),
        (lambda: incident_from_dict({"kind": "Outage", "begin": 1}), 'no "begin"'),
        (lambda: incident_from_dict({"kind": "Outage", "start": START}), "needs a start and a dur"),
        (lambda: day(Outage(at(30), "1h")), "lies outside the simulated time"),
        (lambda: day(Outage(at(-1), "1h")), "lies outside the simulated time"),
        (lambda: day(Outage(at(1), "1h"), Outage(at(2), "1h")), "two incidents are called"),
        (lambda: day(rate=-1), "rate must be a finite number of 0 or more"),
        (lambda: day(rate=float("nan")), "rate must be a finite number of 0 or more"),
        (lambda: day(seed=-1), "seed must be"),
        (lambda: day(routes={}), "at least one route"),
        (lambda: day(slow_s=0), "slow_s"),
        (lambda: simulate("2026-03-02T00:00:00.000001Z", "1d"), "milliseconds"),
        (lambda: Route(weight=0), "weight"),
        (lambda: Route(median_s=float("inf")), "median_s"),
        (lambda: Route(spread=-1), "spread"),
        (lambda: Route(error_share=2), "error_share"),
        (lambda: Route(statuses={}), "statuses"),
        (lambda: Route(statuses={500: 1.0}), "error_share"),
        (lambda: Season(daily=2), "daily"),
        (lambda: Season(peak_hour=25), "peak_hour"),
        (lambda: Season(weekdays=(1.0, 2.0)), "seven weights"),
        (lambda: shop(days=0), "days must be"),
        (lambda: shop(days=float("inf")), "from 0.1 to 15,000"),
        (lambda: shop_incidents(days=1e9), "from 0.1 to 15,000"),
        (lambda: shop("2262-04-11T00:00:00Z", 1), "1d from 2262-04-11T00:00:00Z end after"),
        (lambda: Outage("2262-04-11T00:00:00Z", "1d"), "1d from 2262-04-11T00:00:00Z end after"),
        (lambda: day(rate=1e300), "more than the 200,000,000 that fit"),
        (lambda: day().scrape("1m", 0), "instances"),
        (lambda: day().scrape("1m", buckets_s=(1.0, 0.5)), "must ascend"),
        (lambda: day(CounterReset(at(1), instance=3)).scrape("1m", 3), "more instances"),
    ],
)
def test_what_does_not_fit_is_refused_with_the_cure(make: object, says: str) -> None:
    """One line that says what came and what fits."""
    with pytest.raises(ErrorBudgetError, match=says) as raised:
        make()  # type: ignore[operator]
    assert "\n" not in str(raised.value)
    assert isinstance(raised.value, InvalidInputError)


def test_the_truth_is_plain_data() -> None:
    """What happened can be laid beside the log as JSON, and printed for people."""
    result = day(Outage(at(3), "10m", name="database down"), ScrapeGap(at(5), "1h"))
    truth = json.loads(json.dumps(result.to_dict()))
    assert truth["requests"] == len(result)
    assert truth["bad"] == truth["background_bad"] + truth["incidents"][0]["bad"]
    assert incident_from_dict(truth["incidents"][0]["incident"]) == result.incidents[0].incident
    text = result.describe()
    assert "database down" in text
    assert "ScrapeGap for 1h: no request hurt" in text
    assert repr(result).startswith("<Simulation of 17,2")


def test_an_incident_that_outlasts_the_simulation_is_told_within_it() -> None:
    """Start and end of the truth lie within the simulated time."""
    result = day(SlowBurn(at(-5), "10h", 0.5, name="early"), RetryStorm(at(23), "5h", name="late"))
    early, late = result.incidents
    assert (early.start_ns, early.end_ns) == (START_NS, at(5))
    assert (late.start_ns, late.end_ns) == (at(23), at(24))
    assert result.events.time[-1] <= at(24)


def test_public_names_are_importable() -> None:
    """__all__ says what is there."""
    assert all(hasattr(sim, name) for name in sim.__all__)
    assert sorted(sim.__all__) == sorted(set(sim.__all__))


# ---------------------------------------------------------------------------- the shop


def test_the_shop_makes_an_interesting_report() -> None:
    """Budget partly spent, a slow burn that asks for a ticket and not for a page, latency hurt."""
    result = shop()
    failed, time = status_of(result) >= 500, result.events.time
    assert 380_000 < len(result) < 420_000
    assert [impact.name for impact in result.incidents] == [
        "database failover",
        "release 2026.10",
        "spring campaign",
        "flapping instance",
        "index growth",
        "connection leak",
    ]

    def burn(hours: float) -> float:
        window = time > result.end_ns - round(hours * HOUR_NS)
        return float(failed[window].mean() / 0.001)

    slo = SLO("shop", target="99.9%", window="30d", sli=Availability(bad="5xx"))
    status = slo.evaluate(result.events, at=result.end_ns)
    assert status.tier == "consuming"
    assert {one.alert.severity for one in status.active_alerts} == {"ticket"}
    assert slo.evaluate(result.counts(), at=result.end_ns).counts == status.counts
    remaining = 1 - burn(720)
    assert 0.25 < remaining < 0.35
    assert burn(72) > 1
    assert burn(24) > 3
    assert 3 < burn(6) < 4.8
    assert burn(1) < 6
    week = time > result.end_ns - 7 * DAY_NS
    assert (duration_of(result)[week] <= 0.2).mean() < 0.95 < (duration_of(result) <= 0.2).mean()
    assert 0.99 < (duration_of(result) <= 0.3).mean() < 0.995


@pytest.mark.parametrize("days", [0.1, 1, 7, 90])
def test_the_shop_opens_for_any_number_of_days(days: float) -> None:
    """The incidents are spread over the days, and the last one lasts until the end."""
    result = shop(days=days, seed=3)
    assert len(result.incidents) == 6
    assert result.incidents[-1].end_ns == result.end_ns
    assert len(result) == pytest.approx(13_333 * days, rel=0.7)


def test_progress_is_told_step_by_step() -> None:
    """The ordinary traffic is a step, and so is each incident."""
    told: list[tuple[int, int]] = []
    strikes = [Outage(at(3), "10m"), ScrapeGap(at(5), "1h")]
    simulate(at(0), "1d", rate=0.01, incidents=strikes, progress=lambda *step: told.append(step))
    assert told == [(1, 3), (2, 3)]
