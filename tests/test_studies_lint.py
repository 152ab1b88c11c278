"""Lint: each pitfall is found where it is and nowhere else, and every output carries it."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from errorbudget import (
    GUIDE,
    RISK_TOLERANCE,
    SLO,
    WORKBOOK,
    AlertPolicy,
    Availability,
    BurnAlert,
    CountSeries,
    ErrorRate,
    Latency,
    LatencyQuantile,
    Policy,
    Tier,
)
from errorbudget.errors import InvalidInputError
from errorbudget.studies.lint import LintReport, lint
from errorbudget.studies.pitfalls import CHECKS
from tests import strategies as inputs

HOUR = 3_600 * 10**9
API = SLO("api", target="99.9%", window="30d", sli=Availability())
SLOW = SLO("api-latency", target="99%", window="30d", sli=Latency("500ms"))


def ids(report: LintReport) -> list[str]:
    """The ids of what was found."""
    return [finding.check.id for finding in report]


def test_a_plain_service_is_clean() -> None:
    """Availability with latency beside it, one window and the usual alerts: nothing to say."""
    report = lint([API, SLOW])
    assert (ids(report), report.ok, str(report)) == ([], True, "nothing found")


def test_each_pitfall_of_objectives_is_found() -> None:
    """One change at a time to a clean service brings out its own id."""
    many = [API, SLOW, *(SLOW.replace(name=f"s{i}") for i in range(4))]
    assert ids(lint(many)) == ["EB101"]
    assert ids(lint([API])) == ["EB102"]
    assert ids(lint([API, SLO("q", window="30d", sli=LatencyQuantile({"p95": "1s"}))])) == []
    assert ids(lint([API.replace(target="90%", alerts=WORKBOOK), SLOW])) == ["EB103"]
    long = AlertPolicy("long", (BurnAlert("slow", "page", "100%", "31d"),))
    assert ids(lint([API.replace(alerts=long), SLOW])) == ["EB104", "EB107"]
    assert ids(lint([API, SLOW.replace(window="7d")])) == ["EB105"]
    assert ids(lint([API, SLOW, ErrorRateSLO])) == ["EB106"]
    early = AlertPolicy("early", (BurnAlert("slow", "page", "1%", "3d"),))
    assert ids(lint([API.replace(alerts=early), SLOW])) == ["EB107"]
    assert ids(lint([API.replace(target="100%"), SLOW])) == ["EB108"]
    toothless = Policy("toothless", (Tier("fine", "0%"), Tier("gone")))
    assert ids(lint([API.replace(policy=toothless), SLOW])) == ["EB109"]
    assert ids(lint([API.replace(alerts=AlertPolicy("none", ())), SLOW])) == ["EB109"]


ErrorRateSLO = SLO("errors", target="99%", window="30d", sli=ErrorRate())


def _alert(budget: str, long: str) -> SLO:
    """The plain service with one alert."""
    policy = AlertPolicy("one", (BurnAlert("slow", "page", budget, long),))
    return API.replace(alerts=policy)


def _policy(*tiers: Tier) -> SLO:
    return API.replace(policy=Policy("own", tiers))


NARROW = SLO("errors", target="99%", window="30d", sli=Availability(bad="5xx"))
PAIRS: dict[str, tuple[list[SLO], list[SLO]]] = {
    "EB101": (
        [API, *(SLOW.replace(name=f"s{place}") for place in range(5))],
        [API, *(SLOW.replace(name=f"s{place}") for place in range(4))],
    ),
    "EB102": ([API], [API, SLOW]),
    "EB103": (
        # A total outage burns at 10; thresholds are 5 % x 30 d / 3.6 h = 10, and 10 / 12.
        [API.replace(target="90%", alerts=_alert("5%", "216m").alerts), SLOW],
        [API.replace(target="90%", alerts=_alert("5%", "217m").alerts), SLOW],
    ),
    "EB104": ([_alert("100%", "721h"), SLOW], [_alert("100%", "720h"), SLOW]),
    "EB105": ([API, SLOW.replace(window="28d")], [API, SLOW]),
    "EB106": ([API, SLOW, ErrorRateSLO], [API, SLOW, NARROW]),
    "EB107": ([_alert("9.9%", "3d"), SLOW], [_alert("10%", "3d"), SLOW]),
    "EB108": ([API.replace(target="100%"), SLOW], [API.replace(target="99.999%"), SLOW]),
    "EB109": (
        [_policy(Tier("fine", "0%"), Tier("gone")), SLOW],
        [_policy(Tier("fine", "0%"), Tier("gone", may_deploy="none")), SLOW],
    ),
}
"""Per check what brings it out, and the nearest thing that does not."""


@pytest.mark.parametrize("check", PAIRS)
def test_each_check_of_objectives_has_its_edge(check: str) -> None:
    """One step inside it is found, one step outside is not; the finding says why and the cure."""
    fires, silent = PAIRS[check]
    (found,) = [finding for finding in lint(fires) if finding.check.id == check]
    assert {found.check.title, found.check.why, found.check.cure} & {""} == set()
    assert found.subject
    assert found.message
    assert check not in ids(lint(silent))
    assert ids(lint(fires, ignore=[check])) == [each for each in ids(lint(fires)) if each != check]


def test_services_are_looked_at_one_by_one() -> None:
    """What is too many, mixed or missing is so within a service."""
    apart = [API.replace(service="a"), SLOW.replace(service="b", window="7d")]
    report = lint(apart)
    assert ids(report) == ["EB102"]
    assert report[0].subject == "a"


def test_the_disputed_status_is_named() -> None:
    """A 400 is good for availability and bad for the error rate."""
    (found,) = lint([API, SLOW, ErrorRateSLO])
    assert found.message == "a 400 is good in api and bad in errors"
    (turned,) = lint([ErrorRateSLO, API, SLOW])
    assert turned.message == found.message


@given(inputs.ratio_slos(), st.sampled_from([WORKBOOK, GUIDE]))
def test_an_alert_is_called_dead_only_if_a_total_outage_is_silent(
    slo: SLO, policy: AlertPolicy
) -> None:
    """EB103 is found exactly for the alerts that `unreachable` names."""
    if hasattr(slo.target, "targets") or not slo.target.error:
        return
    slo = slo.replace(alerts=policy)
    dead = [found.message.split()[0] for found in lint(slo) if found.check.id == "EB103"]
    assert slo.alerts is not None
    assert dead == [alert.name for alert in slo.alerts.unreachable(slo.target, slo.period_ns)]


def _series(total: int, bad: int, days: int = 60) -> CountSeries:
    n = days * 24
    return CountSeries((np.arange(n) + 1) * HOUR, np.full(n, total - bad), np.full(n, total), "1h")


def test_each_pitfall_of_histories_is_found() -> None:
    """Targets out of reach or never touched, and traffic that is too thin."""

    def found(slo: SLO, series: CountSeries) -> list[str]:
        return ids(lint([slo, SLOW], counts={slo.name: series}))

    assert found(API, _series(10_000, 11)) == ["EB201"]
    assert found(API, _series(10_000, 5)) == []
    assert found(API, _series(10_000, 10)) == []  # spent exactly is met
    assert found(API, _series(10_000, 0)) == ["EB202"]
    assert found(API, _series(10_000, 0, days=20)) == ["EB205"]
    assert found(API, _series(1, 0)) == ["EB202", "EB203", "EB204", "EB204"]
    assert found(API, _series(60, 0)) == ["EB202", "EB204"]
    assert found(API, CountSeries([], [], [], HOUR)) == []


HISTORY_PAIRS = {
    "EB201": ((10_000, 11, 60), (10_000, 10, 60)),
    "EB202": ((10_000, 2, 60), (10_000, 3, 60)),
    # The window's budget is one event at 1,000 requests in 720 hours.
    "EB203": ((1, 0, 60), (2, 0, 60)),
    # page-fast wants more than 14.4 x 0.1 % in an hour: one of 69 requests is, one of 70 is not.
    "EB204": ((69, 0, 60), (70, 0, 60)),
    "EB205": ((10_000, 5, 29), (10_000, 5, 30)),
}
"""Per check hourly requests, hourly failures and days that bring it out, and that do not."""


@pytest.mark.parametrize("check", HISTORY_PAIRS)
def test_each_check_of_histories_has_its_edge(check: str) -> None:
    """One request or failure an hour more or fewer decides."""
    fires, silent = (
        ids(lint([API, SLOW], counts={"api": _series(*asked)})) for asked in HISTORY_PAIRS[check]
    )
    assert check in fires
    assert check not in silent


def test_histories_are_judged_over_whole_windows_or_said_to_be_short() -> None:
    """Three days of failures are no window of thirty, and one event has no pace of an hour."""

    def told(series: CountSeries, slo: SLO = API) -> list[tuple[str, str]]:
        return [(each.check.id, each.message) for each in lint([slo, SLOW], counts={"api": series})]

    short = "3 days of history hold no whole window (30d)"
    assert told(_series(10_000, 10_000, days=3)) == [("EB205", short)]
    one = CountSeries([HOUR // 60], [0], [1], "1m")
    assert told(one) == [("EB205", "1m of history hold no whole window (30d)")]
    # A calendar's window is whole at its end.
    month = API.replace(window="calendar month UTC")
    none = "30 days of history hold no whole window (month)"
    assert ("EB205", none) in told(_series(10_000, 11, days=30), month)
    assert {*dict(told(_series(10_000, 11, days=31), month))} == {"EB105", "EB201"}
    # Half of the first window fails; over every minute, counts of an hour have one answer.
    hours = _series(10_000, 0)
    good = np.where(np.arange(len(hours)) < 750, 0, 10_000)
    assert told(CountSeries(hours.label_ns, good, hours.total, "1h"))[0][0] == "EB201"
    good = np.where(np.arange(len(hours)) < 700, 0, 10_000)
    assert told(CountSeries(hours.label_ns, good, hours.total, "1h")) == []
    near = told(_series(1_000_000, 1_001))
    best = "at best -0.1% of the budget left"
    assert near == [("EB201", f"missed over every whole window of 60 days; {best}")]


def test_thin_traffic_is_told_in_whole_events() -> None:
    """Less than one, about one, and some; what is wanted is never rounded down to what is there."""
    n = 60 * 24
    for every, hourly, six, window in (
        (24, "less than one event", "less than one event", "some 30 events"),
        (4, "less than one event", "about one event", "some 180 events"),
        (1, "about one event", "some 6 events", "some 720 events"),
    ):
        total = (np.arange(n) % every == every - 1).astype(int)
        series = CountSeries((np.arange(n) + 1) * HOUR, total, total, "1h")
        slo = API.replace(target="99.87%")
        texts = [each.message for each in lint([slo, SLOW], counts={"api": series})]
        assert texts[1:] == [
            f"{window} a window; the target wants 770",
            f"page-fast sees {hourly} in 1h",
            f"page-slow sees {six} in 6h",
        ]
    # A single failure burns at 10 at most: it exceeds the slow alert's 6, not the fast one's 14.4.
    rare = CountSeries((np.arange(n // 24) + 1) * 24 * HOUR, [1] * 60, [1] * 60, "1d")
    lone = lint([API.replace(target="90%", alerts=WORKBOOK), SLOW], counts={"api": rare})
    assert [each.message for each in lone if each.check.id == "EB204"] == [
        "page-slow sees less than one event in 6h"
    ]


def test_every_check_has_a_pair() -> None:
    """A new check without its two cases is noticed."""
    assert {*PAIRS, *HISTORY_PAIRS} == {check.id for check in CHECKS}


def test_ids_can_be_left_out() -> None:
    """What is ignored is not found; what does not exist is an error with the nearest id."""
    assert ids(lint([API], ignore=["EB102"])) == []
    with pytest.raises(InvalidInputError, match=r'no check "EB1O2".*did you mean'):
        lint([API], ignore=["EB1O2"])
    with pytest.raises(InvalidInputError, match='counts of "x"'):
        lint([API], counts={"x": _series(1, 0)})
    with pytest.raises(InvalidInputError, match="an SLO was asked for"):
        lint(["api"])
    assert lint([]).ok


def test_outputs_carry_every_finding() -> None:
    """JSON, SARIF and annotations hold one entry each; severities keep their meaning."""
    report = lint([API.replace(target="90%", alerts=WORKBOOK, risk_policy=RISK_TOLERANCE)])
    assert not report.ok
    assert json.loads(json.dumps(report.to_dict()))["findings"][0]["id"] == "EB102"
    sarif = json.loads(json.dumps(report.to_sarif("slos.yaml")))
    (run,) = sarif["runs"]
    rules = {rule["id"] for rule in run["tool"]["driver"]["rules"]}
    assert [result["ruleId"] for result in run["results"]] == ids(report) == ["EB102", "EB103"]
    assert rules == {check.id for check in CHECKS}
    assert run["results"][1]["level"] == "error"
    lines = report.to_github("a,b:c.yaml")
    title = "title=EB103 alert that cannot fire"
    assert lines[1].startswith(f"::error file=a%2Cb%3Ac.yaml,{title}::api:")
    assert all("\n" not in line for line in lines)
    assert "EB103 error: api: page-fast" in str(report)
    pytest.importorskip("pandas")
    assert report.to_pandas()["id"].tolist() == ["EB102", "EB103"]


def test_ids_are_unique_and_say_what_to_do() -> None:
    """Every check has its own id, a why and a cure."""
    assert len({check.id for check in CHECKS}) == len(CHECKS)
    assert all(check.why.endswith(".") and check.cure.endswith(".") for check in CHECKS)
