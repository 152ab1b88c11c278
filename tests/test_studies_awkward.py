"""Empty, one-event and all-bad histories: every study answers with its type, or says why not."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from inspect import signature
from typing import Any

import numpy as np
import pytest

from errorbudget import GUIDE, SLO, WORKBOOK, Availability, Calendar, Counts, CountSeries, Events
from errorbudget.errors import (
    ErrorBudgetError,
    InvalidInputError,
    InvalidSeriesError,
    NoDataError,
)
from errorbudget.studies.advice import Advice, advise
from errorbudget.studies.attribution import Attribution, attribute
from errorbudget.studies.backtest import Backtest, backtest
from errorbudget.studies.confidence import (
    Confidence,
    confidence,
    confidence_of,
    dispersion,
    error_interval,
)
from errorbudget.studies.deploys import DeployEffect, deploy_effect
from errorbudget.studies.forecast import Forecast, Scenario, forecast
from errorbudget.studies.groups import attribute_groups
from errorbudget.studies.ledger import Ledger, incident_ledger
from errorbudget.studies.lint import LintReport, lint
from errorbudget.studies.low_traffic import quiet_alert
from errorbudget.studies.noise import (
    BurnVerdict,
    burn_or_noise,
    false_pages_per_month,
    least_bad,
    least_traffic,
)
from errorbudget.studies.pareto import policy_sweep
from errorbudget.studies.recovery import Recovery, recovery
from errorbudget.studies.review import Review, review
from errorbudget.studies.simulate import (
    BrownOut,
    CounterReset,
    Outage,
    RetryStorm,
    Route,
    Season,
    ZeroTrafficNights,
    incident_from_dict,
    shop,
    simulate,
)
from errorbudget.studies.spend import daily_spend
from errorbudget.studies.trend import Trend, trend

HOUR = 3_600 * 10**9
DAY = 24 * HOUR
START = 1_772_409_600 * 10**9  # 2026-03-02T00:00:00Z
END = START + 4 * DAY

SLOS = {
    "rolling": SLO("api", target="99%", window="3d", sli=Availability(), alerts=WORKBOOK),
    "calendar": SLO("api", target="99%", window=Calendar("month"), sli=Availability()),
    "no failure allowed": SLO("api", target="100%", window="3d", sli=Availability()),
}


def _counts(total: int, bad: int) -> CountSeries:
    hours = START + (np.arange(96) + 1) * HOUR
    return CountSeries(hours, np.full(96, total - bad), np.full(96, total), "1h")


HISTORIES: dict[str, Events | CountSeries] = {
    "no events": Events(time=[], status=[]),
    "no bins": CountSeries([], [], [], HOUR),
    "only bins without events": _counts(0, 0),
    "one event": Events(time=[START + 5 * HOUR], status=[200]),
    "one failure": Events(time=[START + 5 * HOUR], status=[500]),
    "all bad events": Events(time=START + (np.arange(96) + 1) * HOUR, status=[500] * 96),
    "all bad counts": _counts(10, 10),
}


def _seen(slo: SLO, data: Any) -> Counts:
    return slo.evaluate(data, at=END).counts


STUDIES: dict[str, tuple[type, Callable[[SLO, Any], Any]]] = {
    "backtest": (Backtest, lambda slo, data: backtest(slo, data, GUIDE, start=START, end=END)),
    "forecast": (Forecast, lambda slo, data: forecast(slo, data, at=END, paths=20)),
    "recovery": (Recovery, lambda slo, data: recovery(slo, data, at=END)),
    "confidence": (Confidence, lambda slo, data: confidence_of(slo, data, at=END)),
    "burn or noise": (
        BurnVerdict,
        lambda slo, data: burn_or_noise(_seen(slo, data), slo.target_at(END)),
    ),
    "attribution": (
        Attribution,
        lambda slo, data: attribute(slo, data, {"first day": (START, START + DAY)}, at=END),
    ),
    "ledger": (Ledger, lambda slo, data: incident_ledger(slo, data, at=END)),
    "deploy": (DeployEffect, lambda slo, data: deploy_effect(slo, data, START + DAY)),
    "advice": (Advice, lambda slo, data: advise(slo, data, at=END)),
    "review": (Review, lambda slo, data: review(slo, data, at=END)),
    "quarterly review": (Review, lambda slo, data: review(slo, data, at=END, period="quarterly")),
    "lint": (
        LintReport,
        lambda slo, data: lint(
            slo, counts={slo.name: data} if isinstance(data, CountSeries) else None
        ),
    ),
    "trend": (Trend, lambda slo, data: trend(Counts(), _seen(slo, data))),
}


@pytest.mark.parametrize("slo", SLOS.values(), ids=list(SLOS))
@pytest.mark.parametrize("history", HISTORIES)
@pytest.mark.parametrize("study", STUDIES)
def test_every_study_answers_every_history(study: str, history: str, slo: SLO) -> None:
    """The answer has its type, prints, has a card, and is JSON without NaN."""
    answer, ask = STUDIES[study]
    found = ask(slo, HISTORIES[history])
    assert type(found) is answer
    json.dumps(found.to_dict(), allow_nan=False)
    for shown in (str(found), repr(found), found._repr_html_()):
        assert shown
        assert "nan" not in shown.lower().replace("finance", "")


NOWHEN: dict[str, Callable[[SLO, Any], Any]] = {
    "forecast": forecast,
    "recovery": recovery,
    "confidence": confidence_of,
    "attribution": lambda slo, data: attribute(slo, data, {"first day": (START, START + DAY)}),
    "groups": lambda slo, data: attribute_groups(slo, {}, "route"),
    "ledger": incident_ledger,
    "advice": advise,
    "review": review,
    "evaluate": lambda slo, data: slo.evaluate(data),
}


@pytest.mark.parametrize("history", ["no events", "no bins"])
@pytest.mark.parametrize("study", NOWHEN)
def test_nothing_at_no_instant_has_one_error_and_one_cure(study: str, history: str) -> None:
    """Without an event and without at= there is no time to speak of; all say so alike."""
    with pytest.raises(NoDataError) as refused:
        NOWHEN[study](SLOS["rolling"], HISTORIES[history])
    assert str(refused.value) == "there are no events, and no instant to judge; give at=..."


@pytest.mark.parametrize("history", ["no events", "no bins"])
def test_nothing_over_no_stretch_has_its_own_cure_or_no_days(history: str) -> None:
    """A backtest covers a stretch; what asks for no instant answers."""
    slo, data = SLOS["rolling"], HISTORIES[history]
    with pytest.raises(NoDataError) as refused:
        backtest(slo, data)
    assert str(refused.value).endswith("no stretch to cover; give start=... and end=...")
    assert daily_spend(slo, data).days == ()
    assert deploy_effect(slo, data, START).burn_after is None


@pytest.mark.parametrize("slo", SLOS.values(), ids=list(SLOS))
def test_all_bad_is_said_to_be(slo: SLO) -> None:
    """What never worked is exhausted, real, certain, and spent by whoever was there."""
    for name in ("all bad events", "all bad counts"):
        data = HISTORIES[name]
        inside = _seen(slo, data)
        assert inside.good == 0
        future = forecast(slo, data, at=END, paths=20)
        assert (future.probability, future.exhaustion) == (1.0, (END, END, END))
        assert confidence_of(slo, data, at=END).sli[0] == 0
        assert burn_or_noise(inside, slo.target_at(END)).real
        (row,) = [each for each in attribute(slo, data, {"all": (0, END)}, at=END) if each.counts]
        assert row.counts == inside
        assert (
            sum((entry.counts for entry in incident_ledger(slo, data, at=END)), Counts()) == inside
        )
        policy = backtest(slo, data, WORKBOOK, start=START, end=END)[0]
        assert (policy.recall, policy.precision) == (1.0, 1.0)


def test_absurd_sizes_are_refused_at_once() -> None:
    """What would take gigabytes, or is no number of things, is an error that says how much."""
    slo = SLO("api", target="99%", window="7d", sli=Availability())
    data = HISTORIES["all bad counts"]
    for words, said in (
        ({"horizon": "36500d"}, "points, more than"),
        ({"step": "1ns"}, "take a longer step"),
        ({"paths": 10**9}, "fewer paths"),
        ({"paths": 1.5}, "whole number"),
        ({"seed": -1}, "0 or more"),
    ):
        with pytest.raises(InvalidInputError, match=said):
            forecast(slo, data, at=END, **words)
    with pytest.raises(InvalidInputError, match="traffic must be a finite number of 0 or more"):
        Scenario(traffic=10**400)
    with pytest.raises(InvalidInputError, match="costly must not be negative"):
        backtest(slo, data, WORKBOOK, costly="-2%")
    with pytest.raises(InvalidInputError, match="lower rate"):
        simulate(START, "1d", rate=1e12)
    with pytest.raises(InvalidInputError, match="seed must be"):
        simulate(START, "1d", seed="x")
    hour = simulate(START, "1h", rate=0.01)
    with pytest.raises(InvalidInputError, match="longer interval"):
        hour.scrape("1ms", 10)
    with pytest.raises(InvalidInputError, match="instances must be"):
        hour.scrape("1m", 1.5)


def test_bins_of_a_nanosecond_are_looked_at_or_refused() -> None:
    """A look at every bin of a day would take petabytes; what needs none of that has its answer."""
    slo = SLO("api", target="99%", window="30d", sli=Availability())
    tiny = CountSeries([1, 2, 3, 4], [10, 10, 10, 0], [10] * 4, 1)
    for incidents in (None, {"outage": (0, 4)}):
        with pytest.raises(InvalidSeriesError, match="more than 50,000,000; take a longer step"):
            incident_ledger(slo, tiny, incidents=incidents, at=30 * DAY)
    with pytest.raises(InvalidSeriesError, match="more than 50,000,000; take a longer step"):
        backtest(slo, tiny)
    (found,) = backtest(slo, tiny, incidents={"outage": (3, 4)})
    assert [page.start_ns for page in found.pages] == [4]
    assert found.seen == 1
    assert advise(slo, tiny).candidates[-1].pages == 1


def test_long_histories_of_short_bins_have_their_pitfalls() -> None:
    """A year of seconds is looked at in a million steps, and the worst of it is seen."""
    slo = SLO("api", target="99%", window="1d", sli=Availability())
    ends = np.arange(1, 401, dtype=np.int64) * DAY
    found = lint(slo, counts={"api": CountSeries(ends, [90] * 400, [100] * 400, "1s")})
    assert "EB201" in [finding.check.id for finding in found]
    assert "EB202" not in [finding.check.id for finding in found]


def test_what_no_traffic_tells_apart_is_refused() -> None:
    """Nearly the same rates, and targets of thirty nines, want more events than there are."""
    for target, factor in (("99.9%", 1 + 2**-52), ("99.9%", 1.000001), ("0." + "9" * 30, 2)):
        with pytest.raises(InvalidInputError, match="more than 10,000,000,000,000 events"):
            least_traffic(target, factor=factor)
    assert least_traffic("99.9%", factor=1.01).to_tell > 10**8


def test_burns_of_more_events_than_counts_hold_are_refused() -> None:
    """Series hold fewer than 2**63; clusters are a number, as elsewhere."""
    for counts, more in ((Counts(10**299, 10**290), {}), (Counts(58, 2), {"dispersion": True})):
        with pytest.raises(InvalidInputError, match=r"^(events|dispersion) must be"):
            burn_or_noise(counts, "99.9%", **more)
    assert burn_or_noise(Counts(2**62, 2**60), "99.9%").real


def test_any_bound_on_false_pages_is_a_bound() -> None:
    """One that no float holds is as good as none."""
    most = quiet_alert("99%", "30d", 60, false_pages_per_month="1e390")
    assert most is not None
    assert most.wait_for == 1


def test_numbers_of_any_type_are_kept_as_plain_ones() -> None:
    """So that traffic is made of them, and the truth is JSON."""
    third = Fraction(3, 2)
    kinds = (
        BrownOut(START, "1m", slowdown_factor=third),
        ZeroTrafficNights(START, "1m", hour=np.int64(0), hours=Decimal("1.5")),
        RetryStorm(START, "1m", retries=np.int64(2)),
        CounterReset(START, "1m", instance=np.int64(1)),
    )
    routes = {"/": Route(statuses={200: Decimal(3), 404: third})}
    made = simulate(START, "1h", rate=0.1, incidents=kinds, routes=routes)
    assert json.loads(json.dumps(made.to_dict())) == made.to_dict()
    assert made.scrape("1m", buckets_s=[Decimal("0.1"), third]).buckets_s == (0.1, 1.5)


ABSURD: tuple[Any, ...] = (
    *(None, True, 3, -1, 0, 10**400, 10**5_000, 1e308, float("nan"), float("inf"), 1.5, 1j),
    *("x", "", b"x", "99.9%", "1d", [], {}, [1], ["x"], [None], {1: 2}, (1, 2), set(), object()),
    *(Decimal("sNaN"), Fraction(1, 3), np.int64(3), np.float64("nan"), np.timedelta64(1, "s")),
)
ARGUMENTS: dict[Callable[..., Any], dict[str, Any]] = {
    advise: {"data": _counts(10, 1)},
    attribute: {"data": HISTORIES["one failure"], "by": "status"},
    attribute_groups: {"groups": {("/a",): _counts(10, 1)}, "by": "route"},
    backtest: {"data": _counts(10, 1)},
    confidence: {"counts": Counts(9, 1), "target": "99%"},
    confidence_of: {"data": _counts(10, 1)},
    daily_spend: {"data": _counts(10, 1)},
    deploy_effect: {"data": _counts(10, 1), "at": START + DAY},
    dispersion: {"series": _counts(10, 1)},
    error_interval: {"bad": 1, "total": 10},
    false_pages_per_month: {
        "alert": WORKBOOK.alerts[0],
        "target": "99%",
        "period": "30d",
        "events_per_hour": 100,
    },
    forecast: {"data": _counts(10, 1), "paths": 9, "horizon": "1d"},
    incident_from_dict: {"plain": {}},
    incident_ledger: {"data": _counts(10, 1)},
    least_bad: {"total": 10, "target": "99%", "threshold": 1},
    least_traffic: {"target": "99%"},
    lint: {"slos": SLOS["rolling"]},
    policy_sweep: {},
    quiet_alert: {"target": "99%", "period": "30d", "events_per_hour": 100},
    recovery: {"data": _counts(10, 1)},
    review: {"slos": SLOS["rolling"], "data": _counts(10, 1)},
    shop: {"days": 0.1},
    simulate: {"start": START, "duration": "1m"},
    trend: {"before": Counts(9, 1), "after": Counts(8, 2)},
    Outage: {"start": START, "duration": "1m"},
    BrownOut: {"start": START, "duration": "1m"},
    RetryStorm: {"start": START, "duration": "1m"},
    ZeroTrafficNights: {"start": START, "duration": "1m"},
    Season: {},
    Route: {},
}
ABSURDITIES = [
    (asked, name)
    for asked in ARGUMENTS
    for name in signature(asked).parameters
    if name not in ("progress", "merge")
]


@pytest.mark.parametrize(
    ("asked", "name"), ABSURDITIES, ids=[f"{asked.__name__} {name}" for asked, name in ABSURDITIES]
)
def test_no_argument_breaks_a_study(asked: Callable[..., Any], name: str) -> None:
    """Whatever is handed over, there is an answer or an error of the library's own."""
    usual = ARGUMENTS[asked]
    if "slo" in signature(asked).parameters:
        usual = {"slo": SLOS["rolling"], **usual}
    refused = 0
    for value in ABSURD:
        try:
            asked(**{**usual, name: value})
        except ErrorBudgetError:
            refused += 1
    assert refused
