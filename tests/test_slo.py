"""An SLO checks its parts at the door, and turns counts into a status."""

from __future__ import annotations

import copy
import pickle
from fractions import Fraction
from math import inf
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import errorbudget as eb
from errorbudget import GUIDE, SLO, WORKBOOK, Availability, Calendar, Counts, Rolling, Timeslices
from errorbudget.errors import (
    DoubtfulTargetWarning,
    ErrorBudgetError,
    InvalidInputError,
    InvalidTargetError,
)
from errorbudget.slo import as_slos, find_slo
from tests import oracles, strategies

PARTS: dict[str, Any] = {"target": "99.9%", "window": "30d", "sli": Availability()}


@given(
    st.builds(Counts, st.integers(0, 10**12), st.integers(0, 10**12)),
    st.fractions(Fraction(1, 2), 1, max_denominator=10_000),
    strategies.windows,
    strategies.instants,
)
def test_counts_become_a_status(c: Counts, target: Fraction, window: Any, at: int) -> None:
    """State, tiers and alerts follow from exact counts alone."""
    slo = SLO("x", target=target, window=window, sli=Availability())
    status = slo.assess(c, at=at, burn_counts=dict.fromkeys(slo.all_burn_windows, c))
    allowed = c.total * (1 - target)
    left = oracles.spent(Fraction(c.bad), allowed, c.total)
    left = None if left is None else 1 - left
    assert status.state == ("no_data" if not c else "met" if c.bad <= allowed else "missed")
    assert (status.tier, status.risk) == (oracles.tier(left), oracles.risk(left))
    rates = {w: oracles.spent(Fraction(c.bad), allowed, c.total) for w in slo.all_burn_windows}
    assert dict(status.burn) == rates
    for state in status.alerts:
        assert (state.state == "firing") == oracles.burns(state.alert, rates, slo.period_ns)
        assert state.active == (state.state == "firing" and state.inhibited_by is None)
    assert {s.alert.name for s in status.active_alerts} == {
        s.alert.name for s in status.alerts if s.active
    }
    assert (status.projected is not None) == (
        isinstance(window, Calendar) and bool(c) and bool(status.interval.length_ns)
    )
    if status.projected is not None:
        whole, so_far = slo.window.interval(at), status.interval.length_ns
        share = Fraction(whole.end_ns - status.interval.start_ns, so_far)
        assert status.projected.estimated
        assert float(status.projected.allowed_exact) == pytest.approx(float(allowed * share))
        assert status.projected.counts.bad == c.bad


def test_metadata_is_carried_through() -> None:
    """What the guide says about an objective is in its report."""
    slo = SLO(
        "api",
        **PARTS,
        description="Requests are served",
        service="shop",
        criticality="High",
        owner="ana",
        team="core",
        runbook="https://example.org/runbook",
        links={"dashboard": "https://example.org"},
        labels={"tier": "1"},
        warning_target="99.95%",
    )
    data = slo.assess(Counts(9_994, 6), at=0).to_dict()
    assert data["description"] == "Requests are served"
    assert data["criticality"] == "High"
    assert data["links"] == {"dashboard": "https://example.org"}
    assert data["labels"] == {"tier": "1"}
    assert data["state"] == "met"
    assert data["warning_state"] == "missed"
    assert data["objective"] == {
        "target": "99.9%",
        "window": "30d",
        "method": "occurrences",
        "sli": "bad is status 5xx",
        "warning_target": "99.95%",
    }
    assert data["actions"]["caution"] == "Increased testing and monitoring"
    assert str(slo) == "api: 99.9% over 30d; bad is status 5xx"
    assert slo.assess(Counts(99_999, 1), at=0).warning_state == "met"
    copies = (pickle.loads(pickle.dumps(slo)), copy.deepcopy(slo), slo.replace())
    assert all(other == slo for other in copies)


def test_words_of_a_status() -> None:
    """One line says how it stands."""
    slo = SLO("api", **PARTS)
    assert str(slo.assess(Counts(999, 1), at=0)) == (
        "api: met; SLI 99.9000% against 99.9%; 0% of the budget left (exhausted)"
    )
    whole = SLO("all", target="100%", window="1h", sli=Availability())
    assert "-inf" in str(whole.assess(Counts(1, 1), at=0))
    assert whole.assess(Counts(1, 1), at=0).to_dict()["budget"]["remaining_ratio"] == "-inf"
    p95 = SLO("p95", window="1h", sli=eb.LatencyQuantile({"p95": "200ms"}))
    status = p95.evaluate(eb.Events(time=[10**9], duration_s=[0.1]))
    assert str(status) == "p95: met; p95 0.1 s (bound < 0.2)"
    assert str(p95) == "p95: threshold over 1h; p95 < 200ms"


def test_alerts_follow_the_window() -> None:
    """The workbook's table by default, stretched where it has to be; others as they are given."""
    assert SLO("x", **PARTS).alerts is WORKBOOK
    assert SLO("x", **PARTS, alerts=GUIDE).alerts is GUIDE
    day = SLO("x", **PARTS).replace(window="1d")
    assert day.alerts is not None
    assert all(alert.threshold("1d") >= 1 for alert in day.alerts.alerts)
    assert SLO("x", **PARTS).replace(window="7d", alerts=GUIDE).alerts == GUIDE.rescaled("7d")
    for window in ("1s", "5m", "1h", "1d", "7d", "90d", "month", "every 2 weeks from 2026-01-05"):
        slo = SLO("x", **{**PARTS, "window": window})
        assert slo.all_burn_windows == tuple(sorted(set(slo.all_burn_windows)))
    assert SLO("x", **{**PARTS, "window": "quarter"}).period_ns == 90 * 86_400 * 10**9


def test_several_targets_and_windows() -> None:
    """Each variant is named for what differs."""
    base = SLO("api", **PARTS)
    found = base.variants(targets=["99%", "99.9%"], windows=["7d", "month"])
    assert [slo.name for slo in found] == [
        *("api 99% 7d", "api 99% month", "api 99.9% 7d", "api 99.9% month"),
    ]
    assert found[0].window == Rolling("7d")
    assert base.variants()[0] == base
    assert find_slo(found, "api 99% 7d") is found[0]
    with pytest.raises(InvalidInputError, match="there is no SLO"):
        find_slo(found, "web")


def test_doubts_are_said() -> None:
    """Too little traffic, and a window of which too little was seen."""
    status = SLO("x", **PARTS).assess(Counts(99, 1), at=0, coverage=0.25)
    assert status.warnings[0].startswith("only 25.0% of the window was observed")
    assert status.warnings[1].startswith("too little traffic for the target: 100 events allow 0.1")
    part = SLO("x", **PARTS).assess(Counts(Fraction(1, 3), Fraction(1, 3)), at=0)
    assert "too little traffic" in part.warnings[0]
    with pytest.warns(DoubtfulTargetWarning, match='write target="99%"'):
        SLO("x", **{**PARTS, "target": "1%"})


def test_infinite_burns_are_strict_json() -> None:
    """At 100 % a bad event burns at "inf"."""
    slo = SLO("x", target="100%", window="30d", sli=Availability())
    bad = Counts(1, 1)
    status = slo.assess(bad, at=0, burn_counts=dict.fromkeys(slo.all_burn_windows, bad))
    assert status.burn_rates["1h"] == inf
    assert status.to_dict()["burn_rates"]["1h"] == "inf"
    assert status.active_alerts


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"target": None}, "needs a target"),
        ({"target": 99.9}, 'for percent write "99.9%"'),
        ({"window": "30 dayz"}, 'did you mean "day'),
        ({"window": None}, "not a window"),
        ({"window": 30}, "not a window"),
        ({"sli": None}, "must be an indicator"),
        ({"sli": "5xx"}, "must be an indicator"),
        ({"sli": Availability}, "must be an indicator"),
        ({"method": "slices"}, "method must be"),
        ({"method": Timeslices("60d")}, "longer than the window"),
        ({"warning_target": "99%"}, "must not be below"),
        ({"alerts": "workbook"}, "must be of type AlertPolicy"),
        ({"policy": "guide"}, "must be of type Policy"),
        ({"risk_policy": None}, "must be of type Policy"),
        ({"burn_windows": "1h"}, "must be a list"),
        ({"burn_windows": [0]}, "longer than 0"),
        ({"burn_windows": 5}, "must be a list"),
        ({"corrections": ["x"]}, "not a maintenance"),
        ({"corrections": {"start": 0}}, "must be a list"),
        ({"resets": ["x"]}, "not a budget reset"),
        ({"min_coverage": 2}, "lies in"),
        ({"min_coverage": "half"}, "lies in"),
        ({"min_coverage": float("nan")}, "lies in"),
        ({"description": 5}, "must be text"),
        ({"owner": None}, "must be text"),
        ({"links": ["x"]}, "texts by name"),
        ({"labels": {"tier": 1}}, "texts by name"),
        ({"sli": eb.Throughput(1)}, "leave the target out"),
        ({"sli": eb.Freshness("1m"), "method": Timeslices()}, "share of time already"),
        ({"sli": eb.Throughput(1), "target": None, "warning_target": "99%"}, "but no target"),
    ],
)
def test_parts_that_do_not_fit(change: dict[str, Any], message: str) -> None:
    """Each is refused when the SLO is made, not when it is asked."""
    with pytest.raises(ErrorBudgetError, match=message):
        SLO("x", **{**PARTS, **change})


@pytest.mark.parametrize("name", ["", "  ", None, 5])
def test_an_slo_has_a_name(name: Any) -> None:
    """Otherwise no report could say whose figures they are."""
    with pytest.raises(InvalidInputError, match="needs a name"):
        SLO(name, **PARTS)


def test_questions_that_make_no_sense() -> None:
    """A threshold has no target, an unknown word no place, counts are counts."""
    slo = SLO("x", window="1h", sli=eb.Throughput(1))
    with pytest.raises(InvalidTargetError, match="has no target"):
        slo.target_at(0)
    with pytest.raises(InvalidInputError, match='did you mean "target"'):
        slo.replace(taget="99%")
    with pytest.raises(InvalidInputError, match="counts were asked for"):
        slo.assess([1, 2], at=0)  # type: ignore[arg-type]
    with pytest.raises(InvalidInputError, match="must be a list"):
        SLO("x", **PARTS).variants(targets="99%")
    assert slo.assess(Counts(), at=0).state == "no_data"
    assert slo.all_burn_windows == ()


def test_an_slo_shows_its_alerts_where_it_has_a_target() -> None:
    """A threshold burns no budget: its card has no table and its frame no rows."""
    pytest.importorskip("pandas", reason="missing: pandas; pip install 'errorbudget[pandas]'")
    rate = SLO("rate", window="1h", sli=eb.Throughput(1))
    assert rate._card().text().splitlines()[0] == "SLO rate"
    assert "burn above" not in rate._card().text()
    share = SLO("x", **PARTS)
    table = share.to_pandas()
    assert table["threshold"].tolist() == [14.4, 6.0, 3.0, 1.0]
    assert rate.to_pandas().empty
    assert rate.to_pandas().dtypes.equals(table.dtypes)
    assert "burn above" in share._card().text()
    odd = share.replace(alerts=eb.AlertPolicy("t", [eb.BurnAlert("a", "page", "1%", "7h")]))
    assert odd._card().rows == [("a", "page", "1.00%", "7h", "1.03")]


@pytest.mark.parametrize(
    ("resets", "start", "closed"),
    [
        ([], 20, "right"),
        ([20], 20, "right"),
        ([21], 21, "left"),
        ([21, 25], 25, "left"),
        ([50], 50, "left"),
        ([51], 20, "right"),
        ([5], 20, "right"),
    ],
)
def test_what_is_judged_begins_with_the_last_reset(
    resets: list[int], start: int, closed: str
) -> None:
    """One within the window, up to now; its own instant counts."""
    slo = SLO(
        "x",
        target="99%",
        window="30ns",
        sli=eb.RatioSLI(),
        resets=[eb.BudgetReset(at, "agreed") for at in resets],
    )
    assert slo.interval(50) == eb.Interval(start, 50, closed)


def test_one_slo_or_several() -> None:
    """One is enough, none is not where one is needed; what is no SLO is shown, not at length."""
    one = SLO("x", target="99%", window="30d", sli=eb.RatioSLI())
    assert as_slos(one) == as_slos([one]) == (one,)
    assert as_slos([], least=0) == ()
    with pytest.raises(InvalidInputError, match="there are no SLOs"):
        as_slos([])
    for text, shown in (("y" * 78, f"'{'y' * 78}'"), ("y" * 79, f"'{'y' * 76}...")):
        with pytest.raises(InvalidInputError) as caught:
            as_slos([text])  # type: ignore[list-item]
        assert f"got {shown}; give" in str(caught.value)


def test_an_slo_shows_what_it_has() -> None:
    """A description where there is one, and a second target where there is one."""
    bare = SLO("x", target="99%", window="30d", sli=eb.RatioSLI())
    assert bare._card().lines[0].startswith("99% over 30d; ")
    assert "warning_target" not in bare.objective()
    full = SLO(
        "x",
        target="99%",
        window="30d",
        sli=eb.RatioSLI(),
        description="Hi.",
        warning_target="99.9%",
    )
    assert full._card().lines[0] == "Hi."
    assert full.objective()["warning_target"] == "99.9%"


def test_doubts_begin_below_the_bound() -> None:
    """Exactly as much as was asked for is enough, and a single bad event may be allowed."""
    slo = SLO("x", **PARTS, min_coverage=0.5)
    enough = slo.assess(Counts(10_000, 0), at=0, coverage=0.5)
    assert enough.warnings == ()
    short = slo.assess(Counts(10_000, 0), at=0, coverage=0.4999)
    assert short.warnings == (
        "only 49.99% of the window was observed; the figures speak for that part",
    )


@pytest.mark.parametrize("data", [5, None, eb.Events, SLO("x", **PARTS)])
def test_only_data_can_be_asked(data: Any) -> None:
    """Not a type of data, and not another SLO."""
    slo = SLO("x", **PARTS)
    for ask in (slo.evaluate, slo.history, slo.count, slo.compare_methods):
        with pytest.raises(InvalidInputError, match=r"cannot \w+ what is of type"):
            ask(data)


def test_questions_are_handed_on_whole() -> None:
    """With their step, their instants and whatever else was asked."""
    minute = 60 * 10**9
    slo = SLO("x", target="90%", window="1h", sli=eb.RatioSLI())
    events = eb.Events(time=[1, 30 * minute, 90 * minute], good=[True, False, True])
    counts = slo.count(events)
    for data in (events, counts):
        assert slo.count(data, step="1h").total.tolist() == [2, 1]
        assert slo.evaluate(data, at=30 * minute).counts == Counts(1, 1)
        history = slo.history(data, step="30m", start=0, end=60 * minute)
        assert history.total.tolist() == [0, 2, 2]
        found = slo.compare_methods(
            data, slice="30m", slice_target="40%", no_data="bad", at=90 * minute
        )
        assert found["timeslices"].counts == Counts(1, 1)
        assert found["timeslices"].slo.method == eb.Timeslices("30m", "40%", "bad")
        assert found["timeslices"].at_ns == 90 * minute
