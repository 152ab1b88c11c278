"""Backtests: alerts fire where histories say so, and pages are held against what truly happened."""

from __future__ import annotations

import json
import subprocess
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from errorbudget import (
    GUIDE,
    SLO,
    WORKBOOK,
    AlertPolicy,
    Availability,
    BurnAlert,
    Counts,
    CountSeries,
    Events,
    TargetSchedule,
)
from errorbudget.alerts.burn import SEVERITIES
from errorbudget.budget import spent
from errorbudget.errors import InvalidInputError, InvalidSeriesError, NoDataError
from errorbudget.rules import prometheus_rules
from errorbudget.studies.backtest import Backtest, backtest
from errorbudget.studies.pages import PolicyResult
from errorbudget.studies.pareto import pareto_front, policy_sweep
from errorbudget.studies.simulate import BrownOut, Outage, SlowBurn, simulate
from tests import strategies as inputs
from tests.prometheus_binaries import binary

MINUTE = 60 * 10**9
API = SLO("api", target="90%", window="1d", sli=Availability())

windows = st.sampled_from(["1m", "2m", "3m", "5m", "90s", "10m", "1h"])
severities = st.sampled_from(["critical", "page", "warning", "ticket", "info"])


@st.composite
def policies(draw: st.DrawFn, name: str = "policy") -> AlertPolicy:
    """One to three alerts with thresholds that short histories cross."""
    alerts = []
    for i in range(draw(st.integers(1, 3))):
        long = draw(st.sampled_from(["2m", "3m", "5m", "10m", "90s"]))
        short = draw(st.sampled_from([None, "1m"]))
        share = draw(st.sampled_from([Fraction(1, 1440), Fraction(1, 300), Fraction(1, 100)]))
        hold = draw(st.sampled_from(["0s", "1m", "90s", "2m"]))
        alerts.append(BurnAlert(f"a{i}", draw(severities), share, long, short, hold))
    return AlertPolicy(name, alerts, inhibit=draw(st.booleans()))


@st.composite
def series(draw: st.DrawFn) -> CountSeries:
    """Minutes of little traffic, some missing."""
    minutes = draw(st.lists(st.integers(1, 60), min_size=1, max_size=40, unique=True))
    totals = [draw(st.sampled_from([0, 1, 2, 10, 10, 100])) for _ in minutes]
    bad = [draw(st.integers(0, total)) for total in totals]
    return CountSeries(
        [minute * MINUTE for minute in sorted(minutes)],
        [total - wrong for total, wrong in zip(totals, bad, strict=True)],
        totals,
        MINUTE,
    )


def _mask(result: PolicyResult, alert: str, times: np.ndarray) -> np.ndarray:
    fires = np.zeros(len(times), dtype=bool)
    for episode in result.episodes:
        if episode.alert == alert:
            end = np.inf if episode.end_ns is None else episode.end_ns
            fires |= (times >= episode.start_ns) & (times < end)
    return fires


@given(series(), st.lists(policies(), min_size=1, max_size=3), st.sampled_from(["1m", "2m"]))
def test_episodes_are_where_histories_fire(
    data: CountSeries, found: list[AlertPolicy], step: str
) -> None:
    """Every policy's firing minutes are those of `History.firing`, whatever runs beside it."""
    named = [
        AlertPolicy(f"p{i}", policy.alerts, inhibit=policy.inhibit)
        for i, policy in enumerate(found)
    ]
    result = backtest(API, data, named, step=step)
    for policy in named:
        history = API.replace(alerts=policy).history(data, step=step)
        for alert in policy.alerts:
            fires = _mask(result[policy.name], alert.name, history.time_ns)
            assert fires.tolist() == history.firing(alert.name).tolist()


SLICED = st.one_of(st.just("occurrences"), inputs.timeslices)


@given(inputs.event_dicts(), inputs.ratio_slos(methods=SLICED))
def test_events_fire_where_histories_do(rows: list[dict[str, Any]], slo: SLO) -> None:
    """Over single events or time slices, any ratio objective and its own alerts too."""
    events = inputs.to_events(rows)
    if not rows or isinstance(slo.target, TargetSchedule):
        return
    history = slo.history(events)
    (result,) = backtest(slo, events)
    for alert in slo.alerts.alerts:
        fires = _mask(result, alert.name, history.time_ns)
        assert fires.tolist() == history.firing(alert.name).tolist()


def _state_machine(data: CountSeries, policy: AlertPolicy) -> tuple[list[int], dict[str, int]]:
    """Minutes that page, and tickets, as a rule evaluator goes through them one at a time."""
    first, last = int(data.label_ns[0]) - MINUTE, int(data.label_ns[-1])
    by_minute = {
        int(label): Counts(int(good), int(total - good))
        for label, good, total in zip(data.label_ns, data.good, data.total, strict=True)
    }
    since: dict[str, int] = {}
    paging, tickets, was_active = [], dict.fromkeys((a.name for a in policy.alerts), 0), set()
    for now in range(first, last + 1, MINUTE):
        firing = {}
        for alert in policy.alerts:
            holds = True
            for window in alert.windows:
                counts = Counts()
                for label, part in by_minute.items():
                    if now - window < label <= now:
                        counts += part
                rate = spent(counts, API.target.error)
                holds &= rate is not None and rate > alert.threshold(API.period_ns)
            if not holds:
                since.pop(alert.name, None)
            elif now - since.setdefault(alert.name, now) >= alert.hold:
                firing[alert.name] = SEVERITIES.index(alert.severity)
        worst = min(firing.values(), default=0)
        active = {name for name, rank in firing.items() if not policy.inhibit or rank == worst}
        for name in active - was_active:
            tickets[name] += 1
        was_active = active
        if any(SEVERITIES[rank] in ("critical", "page") for rank in firing.values()):
            paging.append(now)
    return paging, tickets


@given(series(), policies())
def test_pages_and_tickets_are_those_of_a_rule_evaluator(
    data: CountSeries, policy: AlertPolicy
) -> None:
    """Somebody is paged in exactly the minutes that a plain state machine pages in."""
    (result,) = backtest(API, data, policy, incidents={})
    paging, tickets = _state_machine(data, policy)
    minutes = range(int(data.label_ns[0]) - MINUTE, int(data.label_ns[-1]) + 1, MINUTE)
    paged = [
        now
        for now in minutes
        for page in result.pages
        if page.start_ns <= now and (page.end_ns is None or now < page.end_ns)
    ]
    assert paged == paging
    quiet = {a.name for a in policy.alerts if a.severity not in ("critical", "page")}
    assert result.tickets == sum(count for name, count in tickets.items() if name in quiet)
    silenced = {
        alert.name
        for alert in policy.alerts
        if tickets[alert.name] == 0 and any(e.alert == alert.name for e in result.episodes)
    }
    assert silenced == {
        alert.name
        for alert in policy.alerts
        if (own := [e for e in result.episodes if e.alert == alert.name])
        and all(e.inhibited for e in own)
    }


@given(series(), policies())
def test_figures_follow_from_the_lists(data: CountSeries, policy: AlertPolicy) -> None:
    """Precision, recall and budgets are what the pages and detections say, one by one."""
    result = backtest(API, data, policy, costly="0.1%")
    (found,) = result
    assert len(found.detections) == len(result.incidents)
    for page in found.pages:
        assert (page.incident is None) == bool(page.why)
        assert page.alerts
    for detection in found.detections:
        incident = detection.incident
        assert incident.start_ns < incident.end_ns
        assert 0 <= detection.spent <= incident.cost
        assert incident.cost > Fraction(1, 1000)
        if detection.detected_ns is None:
            assert detection.spent == incident.cost
            assert detection.why
        else:
            assert detection.detection_s >= 0
    if found.pages:
        true = sum(page.incident is not None for page in found.pages)
        assert found.precision == Fraction(true, len(found.pages))
    else:
        assert found.precision is None
        assert found.recall in (None, 0)


@given(series(), st.lists(policies(), min_size=1, max_size=4))
def test_front_is_what_no_policy_beats(data: CountSeries, found: list[AlertPolicy]) -> None:
    """A policy is off the front only when one on it does as well in both, and better in one."""
    named = [AlertPolicy(f"p{i}", policy.alerts) for i, policy in enumerate(found)]
    result = backtest(API, data, named)
    front = result.front()

    def figures(each: PolicyResult) -> tuple[int, Fraction]:
        return len(each.false_pages), each.spent_unseen

    for each in result:
        better = [
            other
            for other in result
            if figures(other) != figures(each)
            and figures(other)[0] <= figures(each)[0]
            and figures(other)[1] <= figures(each)[1]
        ]
        off = figures(each) not in map(figures, front)
        assert off == (bool(better) or not result.incidents)
    best = result.recommend().result
    assert best in front if result.incidents else front == ()
    assert pareto_front([]) == ()


def truth() -> tuple[Any, SLO]:
    """Ten days with three incidents, and little else."""
    history = simulate(
        "2026-03-02T00:00:00Z",
        "10d",
        rate=1,
        seed=5,
        incidents=[
            Outage("2026-03-04T06:00:00Z", "20m", intensity=1.0, name="outage"),
            BrownOut("2026-03-06T15:00:00Z", "2h", intensity=0.1, name="brown-out"),
            SlowBurn("2026-03-08T00:00:00Z", "12h", intensity=0.01, name="slow"),
        ],
    )
    return history, SLO("api", target="99.9%", window="30d", sli=Availability())


def test_known_incidents_are_seen_when_arithmetic_says() -> None:
    """A total outage is seen by the Workbook's first page when its threshold is reached."""
    history, slo = truth()
    result = backtest(slo, history.events, [WORKBOOK, GUIDE], incidents=history.incidents)
    outage = result["workbook"].detections[0]
    assert outage.incident.name == "outage"
    expected = WORKBOOK.alerts[0].detection_time("99.9%", "30d", 1)  # 51.84 s of even traffic
    assert expected <= outage.detection_s <= expected + 120
    assert outage.reset_s > 0
    guide = result["guide"].detections[0]
    assert outage.detection_s + 120 == guide.detection_s  # `hold` of two minutes
    missed = {found.incident.name for found in result["guide"].missed}
    assert "slow" in missed
    why = next(found.why for found in result["guide"].missed)
    assert "fast-burn came to a burn of" in why
    assert not result["workbook"].false_pages


def test_incidents_outside_of_the_history_count_for_nothing() -> None:
    """Nobody could have been paged for them: not before, not after, not while a page is open."""
    ends = [(minute + 1) * MINUTE for minute in range(1_440)]
    bad = [50 if minute >= 1_400 else 0 for minute in range(1_440)]
    data = CountSeries(ends, [100 - each for each in bad], [100] * 1_440, "1m")
    day, start = 1_440 * MINUTE, 1_400 * MINUTE
    known = {
        "yesterday": (-day, -MINUTE),
        "outage": (start, 2 * day),
        "tomorrow": (day, 2 * day),
        "at the end of time": (2**63 - 5, 2**63 - 1),
    }
    slo = SLO("api", target="99.9%", window="30d", sli=Availability())
    found = backtest(slo, data, incidents=known)
    assert [incident.name for incident in found.incidents] == ["outage"]
    assert found[0].recall == 1
    assert found[0].pages[0].end_ns is None


def test_found_incidents_lie_where_the_truth_does() -> None:
    """Without being told, the same incidents are found, give or take the noise at their edges."""
    history, slo = truth()
    result = backtest(slo, slo.count(history.events), WORKBOOK)
    assert len(result.incidents) == 3
    for found, impact in zip(result.incidents, history.incidents, strict=True):
        assert abs(found.start_ns - impact.start_ns) <= 45 * MINUTE
        assert abs(found.end_ns - impact.end_ns) <= 45 * MINUTE
        assert found.bad >= impact.bad * 0.95
    assert result["workbook"].recall == 1


def test_false_pages_say_what_they_were_about() -> None:
    """A failure at night pages, costs nothing, and the reason names the traffic."""
    totals = [100] * 600 + [1] * 120 + [100] * 600
    bad = [0] * 1320
    bad[650] = 1
    data = CountSeries(
        [(i + 1) * MINUTE for i in range(1320)],
        [total - wrong for total, wrong in zip(totals, bad, strict=True)],
        totals,
        MINUTE,
    )
    slo = SLO("night", target="99.9%", window="30d", sli=Availability())
    (result,) = backtest(slo, data, policy_sweep(budget=["2%"], long=["30m"], short=[None]))
    (page,) = result.false_pages
    assert "1 bad of 30 in 30m, no incident" in page.why
    assert "1% of the usual traffic" in page.why
    assert result.precision == 0
    assert result.recall is None


def test_a_page_that_lasts_covers_what_begins_in_it() -> None:
    """An incident that begins while somebody is paged already is seen at once."""
    data = CountSeries([i * MINUTE for i in range(1, 61)], [0] * 60, [10] * 60, MINUTE)
    known = {"first": (0, 10 * MINUTE), "second": (30 * MINUTE, 60 * MINUTE)}
    policy = AlertPolicy("p", (BurnAlert("a", "page", "1%", "10m"),))
    (result,) = backtest(API, data, policy, incidents=known)
    assert [found.detection_s for found in result.detections] == [60.0, 0.0]
    assert result.detections[1].why == "somebody was paged already"
    assert result.pages[0].end_ns is None
    assert result.detections[1].reset_s is None


def test_awkward_histories_have_answers() -> None:
    """Empty, one-event and all-bad histories are typed answers."""
    empty = CountSeries([], [], [], MINUTE)
    with pytest.raises(NoDataError):
        backtest(API, empty)
    (nothing,) = backtest(API, empty, start=0, end=60 * MINUTE)
    assert (nothing.pages, nothing.precision, nothing.recall) == ((), None, None)
    one = Events(time=[MINUTE], status=[503])
    result = backtest(API, one, policy_sweep(budget=["1%"]), costly=0)
    assert isinstance(result, Backtest)
    assert result.to_dict()["policies"][0]["recall"] == 1.0
    strict = SLO("all", target="100%", window="1d", sli=Availability())
    found = backtest(strict, one, policy_sweep(budget=["1%"]))
    assert found[0].spent_unseen == 0
    assert len(found[0].pages) == 1


def test_a_target_of_everything_says_why_nothing_fired() -> None:
    """At 100 % a single failure burns without end; it did not hold for long enough."""
    total = np.full(300, 10)
    bad = np.zeros(300, dtype=int)
    bad[100] = 1
    minute = 60 * 10**9
    data = CountSeries((np.arange(300) + 1) * minute, total - bad, total, "1m")
    slo = SLO("all", target="100%", window="30d", sli=Availability())
    slow = AlertPolicy("slow", (BurnAlert("burn", "page", "2%", "1h", "5m", "30m"),))
    (found,) = backtest(slo, data, [slow], incidents={"one": (100 * minute, 101 * minute)})
    assert [missed.why for missed in found.missed] == ["burn held for 4m of its 30m"]


def test_questions_without_an_answer_are_named() -> None:
    """A message says what does not fit and what to do."""
    data = CountSeries([MINUTE], [1], [1], MINUTE)
    with pytest.raises(InvalidInputError, match="two policies are called"):
        backtest(API, data, [WORKBOOK, WORKBOOK])
    with pytest.raises(InvalidInputError, match="type AlertPolicy"):
        backtest(API, data, ["x"])
    with pytest.raises(InvalidInputError, match="at least one"):
        backtest(API, data, [])
    changed = API.replace(target=TargetSchedule({0: "90%", 100: "99%"}))
    with pytest.raises(InvalidInputError, match="changed its target"):
        backtest(changed, data)
    with pytest.raises(InvalidInputError, match=r'no policy "x".*guide'):
        backtest(API, data, GUIDE)["x"]
    with pytest.raises(InvalidSeriesError, match="averages"):
        backtest(API.replace(method="ratio_timeslices"), data)
    with pytest.raises(InvalidInputError, match="must not be negative"):
        backtest(API, data, GUIDE).recommend(-1)


def test_recommendation_keeps_to_the_bound() -> None:
    """The least unseen within the bound wins; without one within it, the quietest."""
    history, slo = truth()
    swept = policy_sweep(budget=["0.1%", "2%", "10%"], long=["30m", "6h"], hold=["0s", "5m"])
    result = backtest(slo, history.events, swept, incidents=history.incidents)
    for bound in (0, 1, 1000):
        best = result.recommend(bound).result
        quiet = [each for each in result if each.false_pages_per_month <= bound]
        if quiet:
            assert best.spent_unseen == min(each.spent_unseen for each in quiet)
        else:
            assert len(best.false_pages) == min(len(each.false_pages) for each in result)
    assert str(result.recommend()).startswith(result.recommend().policy.name)
    assert result.recommend().to_dict()["reasons"]


def test_that_nothing_was_seen_is_said() -> None:
    """A policy that no incident reached is no discovery, whichever of them is taken."""
    history, slo = truth()
    calm = slo.replace(target="50%")
    result = backtest(calm, history.events, [WORKBOOK, GUIDE], incidents=history.incidents)
    blind = "none of the policies saw any of these incidents; try others"
    assert blind in result.recommend().reasons
    seen = backtest(slo, history.events, [WORKBOOK, GUIDE], incidents=history.incidents)
    assert blind not in seen.recommend().reasons


def test_frames_hold_the_figures() -> None:
    """One row a policy."""
    pytest.importorskip("pandas")
    data = CountSeries([MINUTE], [0], [1], MINUTE)
    table = backtest(API, data, [WORKBOOK, GUIDE]).to_pandas()
    assert table["policy"].tolist() == ["workbook", "guide"]


def test_episodes_are_those_of_a_real_prometheus(tmp_path: Path) -> None:
    """
    Minute by minute, the generated rules fire in promtool where the backtest says so.

    Each minute's requests come in its second half, so that every server version counts them in the
    same windows, whichever end of a range it leaves open.
    """
    promtool = binary("promtool")
    policy = AlertPolicy(
        "two",
        (
            BurnAlert("fast", "page", "2%", "1h", "5m", "2m"),
            BurnAlert("slow", "ticket", "3%", "3h", "15m", "10m"),
        ),
        inhibit=False,
    )
    slo = SLO("api", target="99%", window="30d", sli=Availability(), alerts=policy)
    random = np.random.default_rng(19)
    minutes = 480
    share = np.full(minutes, 0.004)
    share[60:75], share[150:210], share[300:303], share[420:] = 0.9, 0.3, 1.0, 0.12
    total = random.integers(50, 150, minutes)
    bad = random.binomial(total, share)
    data = CountSeries((np.arange(minutes) + 1) * 60 * 10**9, total - bad, total, "1m")
    (found,) = backtest(slo, data, incidents={})
    firing = {alert.name: set() for alert in policy.alerts}
    for episode in found.episodes:
        last = minutes + 1 if episode.end_ns is None else episode.end_ns // MINUTE
        firing[episode.alert] |= set(range(episode.start_ns // MINUTE, last))
    assert all(10 < len(rows) < minutes for rows in firing.values())
    questions = [
        {
            "expr": 'count by (burn) (ALERTS{alertstate="firing",burn!=""})',
            "eval_time": f"{minute}m",
            "exp_samples": [
                {"labels": f'{{burn="{name}"}}', "value": 1}
                for name, rows in firing.items()
                if minute in rows
            ],
        }
        for minute in range(1, minutes + 1)
    ]
    inputs = []
    for status, units in (("200", total - bad), ("500", bad)):
        # So far from 0 that no extrapolation is cut short there.
        grown = 10**6 + np.concatenate(([0], np.cumsum(units)))
        values = np.stack([grown, grown], axis=1).ravel()[:-1]
        inputs.append(
            {
                "series": f'http_server_requests_total{{status="{status}"}}',
                "values": " ".join(map(str, values.tolist())),
            }
        )
    tests = {
        "rule_files": ["rules.yml"],
        "evaluation_interval": "1m",
        "tests": [{"interval": "30s", "input_series": inputs, "promql_expr_test": questions}],
    }
    (tmp_path / "rules.yml").write_text(prometheus_rules(slo).to_yaml())
    (tmp_path / "tests.yml").write_text(json.dumps(tests))
    words = [promtool, "test", "rules", "tests.yml"]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, (done.stdout + done.stderr)[:3000]


def test_without_incidents_the_first_policy_stays() -> None:
    """Nothing speaks for a change, unless the first one is loud."""
    minute = 60 * 10**9
    ends = minute * np.arange(1, 1_441)
    bad = np.zeros(1_440, dtype=np.int64)
    quiet = backtest(API, CountSeries(ends, 10 - bad, bad + 10, "1m"), [WORKBOOK, GUIDE])
    assert quiet.recommend().policy.name == WORKBOOK.name
    assert "the first of them stays" in quiet.recommend().reasons
    bad[720] = 1
    loud = AlertPolicy("loud", (BurnAlert("a", "page", "0.01%", "1h"),))
    data = CountSeries(ends, 10 - bad, 10 + 0 * bad, "1m")
    found = backtest(API, data, [loud, WORKBOOK], incidents=[]).recommend()
    assert found.policy.name == WORKBOOK.name
    both = backtest(API, data, [loud, WORKBOOK], incidents=[])
    assert (both.front(), "front" in str(both.recommend(1000))) == ((), False)
    assert both.recommend(1000).policy.name == "loud"
