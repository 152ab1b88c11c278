"""Attribution, ledger and deploys: rows add up to the whole, and equal a count by hand."""

from __future__ import annotations

import time
from collections import Counter
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from errorbudget import SLO, Availability, Counts, CountSeries, Events, LatencyQuantile
from errorbudget.budget import spent
from errorbudget.errors import InvalidInputError, InvalidSeriesError, NoDataError
from errorbudget.events import Labels
from errorbudget.studies import tally
from errorbudget.studies.attribution import attribute
from errorbudget.studies.burning import usual_threshold
from errorbudget.studies.deploys import deploy_effect
from errorbudget.studies.ledger import incident_ledger
from errorbudget.studies.simulate import BrownOut, Outage, simulate
from tests import strategies as inputs
from tests.strategies import BASE, MINUTE, STEP

API = SLO("api", target="99%", window="1d", sli=Availability())
stretches = st.lists(st.tuples(st.integers(-5, 260), st.integers(0, 60)), max_size=4).map(
    lambda pairs: {
        f"s{i}": (BASE + low * STEP, BASE + (low + length) * STEP)
        for i, (low, length) in enumerate(pairs)
    }
)


@given(inputs.event_dicts(), inputs.ratio_slos(methods=st.just("occurrences")), inputs.instants)
def test_labels_add_up_to_the_status(rows: list[dict[str, Any]], slo: SLO, at: int) -> None:
    """Over any objective the rows' counts and costs are exactly those of its status."""
    events = inputs.to_events(rows)
    status = slo.evaluate(events, at=at)
    for by in ("route", "status", "status_class", ["route", "status"]):
        found = attribute(slo, events, by, at=at)
        assert sum((row.counts for row in found), Counts()) == status.counts
        assert found.counts == status.counts
        if status.counts.bad:
            assert sum(row.share for row in found) == 1
        if status.counts and found.error:
            assert sum(row.consumed for row in found) == status.budget.consumed_exact
        assert len({row.key for row in found}) == len(found)
        assert [row.counts.bad for row in found] == sorted(
            (row.counts.bad for row in found), reverse=True
        )


@given(inputs.event_dicts())
def test_labels_equal_a_count_by_hand(rows: list[dict[str, Any]]) -> None:
    """Every row holds the requests that a plain loop counts."""
    slo = SLO("plain", target="90%", window="1d", sli=Availability())
    found = attribute(slo, inputs.to_events(rows), ["route", "status"], at=BASE + 300 * STEP)
    bad: Counter[Any] = Counter()
    total: Counter[Any] = Counter()
    for row in rows:
        if row["status"] is not None:
            key = (row["route"], str(row["status"]))
            total[key] += 1
            bad[key] += row["status"] >= 500
    assert {row.key: row.counts for row in found} == {
        key: Counts(total[key] - bad[key], bad[key]) for key in total
    }


def _owner(time: int, claims: dict[str, tuple[int, int]]) -> str | None:
    inside = [(*bounds, name) for name, bounds in claims.items() if bounds[0] < time <= bounds[1]]
    return min(inside)[2] if inside else None


@given(inputs.event_dicts(), stretches)
def test_stretches_equal_a_count_by_hand(
    rows: list[dict[str, Any]], claims: dict[str, tuple[int, int]]
) -> None:
    """An event belongs to the first of the stretches (start, end] that hold it, or to none."""
    slo = SLO("plain", target="90%", window="1d", sli=Availability())
    found = attribute(slo, inputs.to_events(rows), claims, at=BASE + 400 * STEP)
    expected = {(name,): Counts() for name in claims}
    for row in rows:
        if row["status"] is not None:
            key = (_owner(row["time"], claims),)
            is_bad = row["status"] >= 500
            expected[key] = expected.get(key, Counts()) + Counts(int(not is_bad), int(is_bad))
    assert {row.key: row.counts for row in found} == expected


@given(
    inputs.event_dicts(),
    inputs.ratio_slos(methods=st.one_of(st.just("occurrences"), inputs.timeslices)),
    inputs.instants,
    stretches,
)
def test_stretches_add_up_to_the_status(
    rows: list[dict[str, Any]], slo: SLO, at: int, claims: dict[str, tuple[int, int]]
) -> None:
    """Whatever is counted, events or slices, the parts are the whole; the ledger's too."""
    events = inputs.to_events(rows)
    status = slo.evaluate(events, at=at)
    found = attribute(slo, events, claims, at=at)
    assert sum((row.counts for row in found), Counts()) == status.counts
    for known in (claims, None):
        ledger = incident_ledger(slo, events, incidents=known, at=at, window="2m", merge=0)
        parts = sum((entry.counts for entry in ledger), ledger.elsewhere)
        assert parts == status.counts == ledger.counts
        if ledger.error and status.counts:
            cost = sum(entry.cost for entry in ledger) + ledger.elsewhere_cost
            assert cost == status.budget.consumed_exact


def test_simulated_incidents_get_what_they_did() -> None:
    """Where only incidents fail requests, each is charged what it truly failed."""
    start = "2026-03-02T00:00:00Z"
    truth = simulate(
        start,
        "1d",
        rate=2,
        seed=3,
        incidents=[
            Outage("2026-03-02T06:00:00Z", "10m", intensity=1.0, name="outage"),
            BrownOut("2026-03-02T15:00:00Z", "1h", intensity=0.3, name="brown-out"),
        ],
    )
    ledger = incident_ledger(API, truth.events, incidents=truth.incidents, at=truth.end_ns)
    assert {entry.name for entry in ledger} == {"outage", "brown-out"}
    background = 0
    for entry, impact in zip(ledger, truth.incidents, strict=True):
        background += entry.counts.bad - impact.bad
        assert entry.counts.bad >= impact.bad > 0
        assert entry.peak_burn >= 20
    assert ledger.elsewhere.bad == truth.background_bad - background
    found = incident_ledger(API, truth.events, at=truth.end_ns, min_cost="5%")
    assert len(found) == 2
    for entry, impact in zip(found, truth.incidents, strict=True):
        assert abs(entry.start_ns - impact.start_ns) <= 2 * MINUTE
        assert abs(entry.end_ns - impact.end_ns) <= 2 * MINUTE


def _series(bad: list[int], total: int = 100) -> CountSeries:
    labels = np.arange(1, len(bad) + 1, dtype=np.int64) * MINUTE
    return CountSeries(labels, [total - b for b in bad], [total] * len(bad), MINUTE)


def test_found_incidents_are_cut_to_their_bad_minutes() -> None:
    """The look-back of the short window is no part of an incident; near ones are one."""
    quiet = [0] * 60
    series = _series([*quiet, 50, 0, 60, *quiet, 70, *quiet])
    found = incident_ledger(API, series, merge=0)
    assert [(e.start_ns // MINUTE, e.end_ns // MINUTE, e.counts.bad) for e in found] == [
        (60, 63, 110),
        (123, 124, 70),
    ]
    assert found[0].peak_burn == Fraction(110, 500) * 100
    assert found[0].peak_ns == 63 * MINUTE
    assert len(incident_ledger(API, series, merge="2h")) == 1
    few = incident_ledger(
        API, series, merge=0, min_cost=spent(Counts(18_300 - 70, 70), Fraction(1, 100))
    )
    assert [e.counts.bad for e in few] == [110]
    assert few.elsewhere.bad == 70


def test_a_lone_failure_before_an_outage_is_not_its_beginning() -> None:
    """Nor is it an incident by itself, unless everything that burned is asked for."""
    series = _series([*[0] * 60, 1, *[0] * 24, 9, 9, 9, *[0] * 60], total=10)
    found = incident_ledger(API, series, min_cost="10%", threshold=1)
    assert [(e.start_ns // MINUTE, e.end_ns // MINUTE, e.counts.bad) for e in found] == [
        (85, 88, 27)
    ]
    assert found.elsewhere.bad == 1
    every = incident_ledger(API, series, min_cost=0, threshold=1)
    assert [e.counts.bad for e in every] == [1, 27]
    assert sum((e.counts for e in every), every.elsewhere) == every.counts


def test_neither_of_two_bursts_of_a_kind_is_lost() -> None:
    """They are one incident; a burst that is but a fraction of the other is one of its own."""
    like = _series([*[0] * 60, 50, *[0] * 20, 40, *[0] * 60])
    assert [e.counts.bad for e in incident_ledger(API, like, threshold=1)] == [90]
    unlike = _series([*[0] * 60, 8, *[0] * 20, 50, *[0] * 60])
    assert [e.counts.bad for e in incident_ledger(API, unlike, threshold=1)] == [8, 50]


def test_threshold_is_strict() -> None:
    """A burn of exactly the threshold is no incident."""
    series = _series([10] * 30)
    assert len(incident_ledger(API, series, threshold=10)) == 0
    assert len(incident_ledger(API, series, threshold="9.999")) == 1


def test_usual_threshold_is_the_lowest_page() -> None:
    """It is 6 for the Workbook's alerts over 30 days."""
    assert usual_threshold(API.replace(window="30d")) == 6


def test_awkward_histories_have_answers() -> None:
    """Empty, one-event, all-bad and 100 % cases are typed answers."""
    empty = Events(time=[], status=[], labels={"route": []})
    found = attribute(API, empty, "route", at=0)
    assert (len(found), found.consumed, found.to_dict()["consumed_ratio"]) == (0, None, None)
    assert len(incident_ledger(API, empty, at=0)) == 0
    with pytest.raises(NoDataError):
        attribute(API, empty, "route")
    one = Events(time=[5 * MINUTE], status=[503], labels={"route": ["/a"]})
    assert attribute(API, one, "route")["/a"].consumed == 100
    assert incident_ledger(API, one)[0].cost == 100
    strict = SLO("all", target="100%", window="1d", sli=Availability())
    assert attribute(strict, one, "route").to_dict()["spenders"][0]["consumed_ratio"] == "inf"
    assert deploy_effect(API, empty, MINUTE).p_value == 1
    assert str(incident_ledger(API, one)).count("\n") == 2
    assert "no events" in str(deploy_effect(API, empty, MINUTE))


def test_questions_without_an_answer_are_named() -> None:
    """A message says what cannot be shared out and what to do."""
    events = Events(time=[1], status=[200], labels={"route": ["/a"]})
    with pytest.raises(InvalidSeriesError, match=r'no label "rout".*did you mean "route"'):
        attribute(API, events, "rout")
    with pytest.raises(InvalidSeriesError, match="only events know"):
        attribute(API, _series([1]), "route")
    with pytest.raises(InvalidSeriesError, match="averages the ratios"):
        attribute(API.replace(method="ratio_timeslices"), events, "route")
    with pytest.raises(InvalidSeriesError, match="no budget"):
        attribute(
            SLO("p95", window="1d", sli=LatencyQuantile({"p95": "200ms"})), events, {"x": (0, 1)}
        )
    with pytest.raises(InvalidInputError, match="ends before it starts"):
        attribute(API, events, {"x": (1, 0)})
    with pytest.raises(InvalidInputError, match="needs a name"):
        attribute(API, events, [(0, 1)])
    with pytest.raises(InvalidInputError, match="count series"):
        attribute(API, [1], "route")
    with pytest.raises(InvalidInputError, match='nobody called "/b"'):
        attribute(API, events, "route")["/b"]
    with pytest.raises(InvalidInputError, match="threshold must not be negative"):
        incident_ledger(API, events, threshold=-1)


def test_frames_hold_the_rows() -> None:
    """One row each, the figures of the dictionaries."""
    pytest.importorskip("pandas")
    events = Events(time=[1, 2], status=[200, 503], labels={"route": ["/a", "/b"]})
    table = attribute(API, events, "route").to_pandas()
    assert table["route"].tolist() == ["/b", "/a"]
    assert incident_ledger(API, events).to_pandas()["bad"].tolist() == [1]
    assert deploy_effect(API, events, 1).to_pandas()["side"].tolist() == ["before", "after"]


@given(st.integers(0, 40), st.integers(0, 40), st.integers(0, 40), st.integers(0, 40))
def test_deploy_effect_is_fishers_test(good_a: int, bad_a: int, good_b: int, bad_b: int) -> None:
    """The p-value is that of scipy's exact test; the extra bad events are exact."""
    stats = pytest.importorskip("scipy.stats")
    series = CountSeries([1, 2], [good_a, good_b], [good_a + bad_a, good_b + bad_b], 1)
    effect = deploy_effect(API, series, 1, before=1, after=1)
    expected = stats.fisher_exact([[bad_b, good_b], [bad_a, good_a]], alternative="greater")[1]
    assert effect.p_value == pytest.approx(expected, rel=1e-9, abs=1e-12)
    if good_a + bad_a:
        share = Fraction(bad_a, good_a + bad_a)
        assert effect.extra_bad == bad_b - (good_b + bad_b) * share


def test_a_deploy_in_a_clustered_history_is_not_cried_wolf_over() -> None:
    """Where nothing changes, p_clustered is small seldom, and Fisher's often; a break is seen."""
    random = np.random.default_rng(5)
    cried, wolf, seen, tries = 0, 0, 0, 60
    for _ in range(tries):
        total = random.poisson(50, 3 * 1440)
        share = np.full(len(total), 0.002)
        for start in random.integers(0, len(total), 54):
            share[start : start + 8] = 0.1
        bad = random.binomial(total, share)
        ends, at = np.arange(1, len(total) + 1) * MINUTE, (len(total) - 60) * MINUTE
        effect = deploy_effect(API, CountSeries(ends, total - bad, total, MINUTE), at)
        assert effect.p_value <= effect.p_clustered <= 1
        assert effect.dispersion > 2
        cried += effect.p_value < 0.05
        wolf += effect.p_clustered < 0.05
        bad[-60:] = random.binomial(total[-60:], np.minimum(share[-60:] + 0.3, 1))
        seen += (
            deploy_effect(API, CountSeries(ends, total - bad, total, MINUTE), at).p_clustered < 0.05
        )
    assert cried > tries * 0.2
    assert wolf <= tries * 0.07
    assert seen == tries


def test_stretches_are_swept_once() -> None:
    """20,000 of them take a moment, and each has its own events."""
    starts = np.arange(20_000) * MINUTE + BASE
    events = Events(time=starts + 1, status=[500] * len(starts))
    claims = {f"s{i}": (int(start), int(start) + MINUTE) for i, start in enumerate(starts)}
    slo = API.replace(window="30d")
    began = time.process_time()
    found = attribute(slo, events, claims, at=int(starts[-1]) + MINUTE)
    assert time.process_time() - began < 5
    assert {row.counts for row in found} == {Counts(0, 1)}
    assert len(found) == len(starts)


def test_rows_of_labels_are_limited_and_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Progress comes every ten thousand rows; more rows than fit are refused with their number."""
    codes = np.arange(25_000, dtype=np.int32)
    labels = {"user": Labels(codes, tuple(f"user {code}" for code in codes))}
    events = Events(
        time=BASE + codes.astype(np.int64), status=np.where(codes % 9, 200, 500), labels=labels
    )
    told: list[tuple[int, int]] = []
    found = attribute(API, events, "user", progress=lambda *step: told.append(step))
    assert told == [(0, 25_000), (10_000, 25_000), (20_000, 25_000)]
    assert found["user 9"].counts == Counts(0, 1)
    assert found.others(25_000) is None
    others = found.others(1)
    assert others is not None
    assert (others.name, others.counts + found[0].counts) == ("24,999 others", found.counts)
    assert found[0].share + others.share == 1
    monkeypatch.setattr(tally, "MOST_ROWS", 24_999)
    with pytest.raises(InvalidInputError, match="user of these events make 25,000 rows"):
        attribute(API, events, "user")


def test_labels_called_as_figures_are_kept() -> None:
    """Each has a column of its own, in plain data, in a frame and in the header of a CSV."""
    names = ("bad", "label_bad", "slo", "share", "slo")
    labels = {name: [f"{name} {i}" for i in range(3)] for name in set(names)}
    events = Events(time=[1, 2, 3], status=[200, 503, 503], labels=labels)
    found = attribute(API, events, names)
    rows = found.to_dict()["spenders"]
    assert {len(row) for row in rows} == {len(names) + 6}
    for spender, row in zip(found, rows, strict=True):
        assert tuple(row[name] for name in found.key_columns) == spender.key
        assert (row["bad"], row["total"]) == (spender.counts.bad, spender.counts.total)
    assert found.key_columns[:2] == ("label_bad", "label_label_bad")
    assert list(found.columns) == list(rows[0]) == list(found.to_pandas().columns)
    assert "slo" not in found.columns
    assert attribute(API, events, "bad").to_dict()["by"] == ["bad"]


@pytest.mark.parametrize("by", [None, 5, 0.5])
def test_what_names_nothing_is_refused(by: Any) -> None:
    """It was taken for no stretches at all, so that all was spent by nobody."""
    events = Events(time=[1, 2], status=[200, 503])
    with pytest.raises(InvalidInputError, match="by must be labels"):
        attribute(API, events, by)


def test_no_stretches_leave_all_to_none() -> None:
    """A history without incidents shares out as any other: what failed, failed outside of them."""
    events = Events(time=[1, 2], status=[200, 503])
    for by in ([], {}, ()):
        found = attribute(API, events, by)
        assert [(row.name, row.counts) for row in found] == [("(none)", Counts(1, 1))]
        assert found[0].share == 1
