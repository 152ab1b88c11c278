"""Reviews against counts by hand, and the trend against scipy."""

from __future__ import annotations

import json
import re
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from errorbudget import (
    SLO,
    Availability,
    BudgetReset,
    Calendar,
    Counts,
    CountSeries,
    Events,
    LatencyQuantile,
    TargetSchedule,
    Timeslices,
)
from errorbudget.alerts import WORKBOOK
from errorbudget.durations import DAY_NS, HOUR_NS, MINUTE_NS
from errorbudget.errors import InvalidInputError, NoDataError
from errorbudget.report.answers import incidents_table
from errorbudget.report.paper import TableBlock, paper_to_text
from errorbudget.report.review_paper import review_paper
from errorbudget.studies.advice import advise
from errorbudget.studies.confidence import dispersion
from errorbudget.studies.ledger import incident_ledger
from errorbudget.studies.review import PERIODS, Review, review
from errorbudget.studies.simulate import Outage, simulate
from errorbudget.studies.trend import trend
from errorbudget.times import to_ns

API = SLO("api", target="99%", window="30d", sli=Availability())
WEEK = 7 * DAY_NS


def hourly(bad: list[int], total: int = 1_000) -> CountSeries:
    """Counts of so many hours, the first of which ends at 01:00 on 1970-01-01."""
    ends = [(hour + 1) * HOUR_NS for hour in range(len(bad))]
    return CountSeries(ends, [total - each for each in bad], [total] * len(bad), "1h")


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 200), st.integers(1, 5_000), st.integers(0, 200), st.integers(1, 5_000))
def test_trend_is_the_chi_squared_test(bad_a: int, good_a: int, bad_b: int, good_b: int) -> None:
    """Its p-value is scipy's for the same table, without Yates' correction."""
    stats = pytest.importorskip("scipy.stats", reason="missing: scipy; make env")
    found = trend(Counts(good_a, bad_a), Counts(good_b, bad_b))
    if not bad_a + bad_b:
        assert found.p_value == 1
        return
    table = [[bad_a, good_a], [bad_b, good_b]]
    assert found.p_value == pytest.approx(
        stats.chi2_contingency(table, correction=False).pvalue, rel=1e-9, abs=1e-300
    )


def test_trend_has_words_for_every_case() -> None:
    """No events, nothing bad, all bad, from nothing to something."""
    none, clean, broken = Counts(), Counts(1_000, 0), Counts(0, 1_000)
    assert trend(none, clean).direction == trend(clean, none).direction == "no data"
    assert trend(clean, clean).direction == trend(broken, broken).direction == "no clear change"
    assert trend(clean, broken).direction == "worse"
    assert trend(broken, clean).direction == "better"
    assert trend(clean, broken).factor == float("inf")
    assert trend(clean, clean).factor == 1
    with pytest.raises(InvalidInputError, match="dispersion"):
        trend(clean, clean, dispersion=0.5)


def test_trends_are_cried_no_more_often_than_said() -> None:
    """Among histories of clustered failures that never change, about alpha are called changes."""
    random = np.random.default_rng(11)
    cried, trials = 0, 400
    for _ in range(trials):
        # An outage now and then, and one failure in a thousand.
        outages = random.random(2 * 168) < 0.05
        bad = random.binomial(1_000, 0.001, 2 * 168) + outages * random.integers(5, 30, 2 * 168)
        data = hourly(bad.tolist())
        before, after = (
            Counts(168_000 - lost, lost) for lost in (bad[:168].sum(), bad[168:].sum())
        )
        found = trend(before, after, dispersion=dispersion(data))
        cried += found.direction in ("better", "worse")
    assert cried / trials <= 0.03  # alpha is 0.01; a plain test cries in a third of them


@settings(max_examples=10, deadline=None)
@given(st.lists(st.integers(0, 20), min_size=2 * 168, max_size=3 * 168), st.integers(0, 100))
def test_figures_equal_a_count_by_hand(bad: list[int], earlier: int) -> None:
    """Bad units of the period, of its days and of the period before, and the status at its end."""
    data = hourly(bad)
    at = (len(bad) - earlier) * HOUR_NS
    found = review(API, data, at=at)["api"]
    ends = np.arange(1, len(bad) + 1) * HOUR_NS

    def lost(start: int, end: int) -> int:
        return sum(each for each, stop in zip(bad, ends, strict=True) if start < stop <= end)

    assert found.now.counts.bad == lost(at - WEEK, at)
    assert found.before.counts.bad == lost(at - 2 * WEEK, at - WEEK)
    assert [part.counts.bad for part in found.parts] == [
        lost(at - WEEK + day * DAY_NS, at - WEEK + (day + 1) * DAY_NS) for day in range(7)
    ]
    assert found.status == API.evaluate(data, at=at)
    assert found.status_before == API.evaluate(data, at=at - WEEK)
    spent = sum(entry.counts.bad for entry in found.incidents) + found.ledger.elsewhere.bad
    assert spent == found.now.counts.bad
    assert sum(found.now.tiers.values()) == 1


def test_an_incident_costs_what_it_took_of_a_window() -> None:
    """100 of 1,000 in one of 168 hours spend 100 of the 7,200 that 30 such days allow at 99 %."""
    bad = [0] * (14 * 24)
    bad[300] = 100
    found = review(API, hourly(bad))["api"]
    (entry,) = found.incidents
    assert found.cost(entry) == Fraction(100, 7_200)
    assert found.now.alerts.missed == ()
    assert found.trend.direction in ("worse", "no clear change")


@pytest.mark.parametrize("hours", [30, 168, 400])
@pytest.mark.parametrize(("bad", "listed"), [(72, 0), (73, 1)])
def test_incidents_are_found_from_a_hundredth_of_the_whole_budget_on(
    hours: int, bad: int, listed: int
) -> None:
    """Of 7,200 that 30 such days allow, 72 are 1 %: no more than that is elsewhere."""
    history = [0] * hours
    history[-10] = bad
    found = review(API, hourly(history))["api"]
    assert len(found.incidents) == listed
    assert found.ledger.elsewhere.bad == bad * (1 - listed)


def test_the_worst_incidents_are_named_and_the_others_added_up() -> None:
    """Ten rows by time and one for the rest; together they are what failed in incidents."""
    history = [0] * 720
    for place in range(13):
        history[40 * place + 20] = 100 + 10 * place
    found = review(API, hourly(history), period="monthly")
    assert len(found["api"].incidents) == 13
    table = next(
        block
        for section in review_paper(found).sections
        for block in section.blocks
        if isinstance(block, TableBlock) and block.head[0] == "incident" and "bad" in block.head
    )
    assert [row[0] for row in table.rows] == [f"incident {place}" for place in range(4, 14)] + [
        "3 smaller"
    ]
    assert [int(row[3]) for row in table.rows] == [*range(130, 230, 10), 100 + 110 + 120]
    assert table.rows[-1][5:] == ("4.58%", "15.87%")  # 330 of 7,200 and of 2,080


def test_a_review_says_how_its_two_lists_of_incidents_were_found() -> None:
    """Alerts are judged by what spends faster than evenly; incidents burned above what pages."""
    history = [0] * 720
    history[100:104], history[200] = [50] * 4, 200  # burns of 5 and 20; pages come above 6
    found = review(API, hourly(history), period="monthly")
    assert [each.incident.name for each in found["api"].now.alerts.detections] == [
        "spending 1",
        "spending 2",
    ]
    assert [each.counts.bad for each in found["api"].incidents] == [200]
    text = " ".join(paper_to_text(review_paper(found)).split())
    for words in (
        "every stretch that spent the budget faster than evenly (a burn above 1 over an hour, or",
        "and more than 2 % of it; the",
        "the incidents of Performance Analysis burned above what pages",
        "from the first failure to the last that burned above 6 over five minutes, or a longer bin",
    ):
        assert words in text
    assert "Performance Analysis" not in paper_to_text(review_paper(review(API, hourly(history))))


def test_named_incidents_without_a_failure_have_no_share_together_either() -> None:
    """Nothing failed, so nobody has a part of it."""
    calm = {f"drill {place}": (place * HOUR_NS, place * HOUR_NS + 1) for place in range(1, 13)}
    ledger = incident_ledger(API, hourly([0] * 24), incidents=calm)
    assert [row[6] for row in incidents_table(ledger, most=10).rows] == ["-"] * 11


@pytest.mark.parametrize(
    ("period", "closed"), [("weekly", "30d"), ("monthly", "month UTC"), ("quarterly", "7d")]
)
def test_awkward_histories_have_answers(period: Any, closed: str) -> None:
    """Empty, one-event, all-bad, without traffic: typed answers that strict JSON holds."""
    slo = API.replace(window=closed)
    side = slo.window.closed
    minute = [MINUTE_NS]
    histories: dict[str, Any] = {
        "one event": Events(time=["2026-03-05T00:00:00Z"], status=[200]),
        "one failure": Events(time=["2026-03-05T00:00:00Z"], status=[500]),
        "all bad": CountSeries(minute, [0], [9], "1m", side),
        "silent": CountSeries(minute, [0], [0], "1m", side),
        "all bad for long": slo.count(
            Events(time=np.arange(0, 20 * 86_400, 600) * 10**9, status=[500] * 2_880)
        ),
    }
    for name, data in histories.items():
        found = review(slo, data, period=period)
        assert isinstance(found, Review), name
        json.dumps(found.to_dict(), allow_nan=False)
        assert str(found), name
        assert found.summary(), name
        assert found.topics == PERIODS[period].topics
        if name == "silent":
            assert found.slos[0].status.state == "no_data"
            assert found.actions[0].what == "find out why there is no data"
        if name.startswith("all bad"):
            assert found.slos[0].exhausted
            assert found.actions[0].urgency == "now"
    empty = Events(time=[], status=[])
    with pytest.raises(NoDataError):
        review(slo, empty, period=period)
    assert review(slo, empty, period=period, at=DAY_NS * 200).slos[0].status.state == "no_data"


def test_calendar_periods_are_the_last_whole_ones() -> None:
    """In March of Berlin the month before is February, and the clocks change in the month."""
    data = hourly([1] * 24 * 100)
    monthly = review(
        API, data, period="monthly", at="2026-04-02T00:00:00Z", calendar="Europe/Berlin"
    )
    month = Calendar("month", zone="Europe/Berlin").interval("2026-03-10T00:00:00Z")
    assert (monthly.interval.start_ns, monthly.interval.end_ns) == (month.start_ns, month.end_ns)
    assert monthly.before.end_ns == month.start_ns
    weekly = review(API, data, at="2026-04-02T00:00:00Z", calendar="UTC")
    assert weekly.to_dict()["start"] == "2026-03-23T00:00:00Z"
    assert weekly.to_dict()["end"] == "2026-03-30T00:00:00Z"


FEBRUARY = to_ns("2026-02-01T00:00:00Z")
MARCH = to_ns("2026-03-01T00:00:00Z")


@pytest.mark.parametrize("window", ["month", "30d"])
@pytest.mark.parametrize("method", ["occurrences", Timeslices("5m", "90%")])
def test_a_calendar_month_is_judged_before_the_next_begins(window: str, method: Any) -> None:
    """At the first instant of March there is no data of March yet; February has its own status."""
    rng = np.random.default_rng(3)
    time = rng.integers(FEBRUARY - 40 * DAY_NS, MARCH + 9 * DAY_NS, 20_000)
    # What stands on midnight itself is the new month's.
    time = np.sort(np.concatenate((time, [FEBRUARY] * 30, [MARCH] * 70))).astype(np.int64)
    bad = (time == FEBRUARY) | (time == MARCH) | (rng.random(len(time)) < 0.02)
    events = Events(time=time, status=np.where(bad, 500, 200))
    slo = API.replace(window=window, method=method)
    found = review(slo, events, period="monthly", at="2026-03-09T00:00:00Z", calendar="UTC")["api"]
    assert found.now is not None
    assert found.ledger is not None
    inside = (time >= FEBRUARY) & (time < MARCH)
    if method == "occurrences":
        assert found.now.counts == Counts(int((inside & ~bad).sum()), int((inside & bad).sum()))
        assert found.spenders[0].counts == found.now.counts
        assert found.status.to_dict() == slo.evaluate(events, at=MARCH - 1).to_dict()
    elif window == "month":
        slices = {at // (5 * MINUTE_NS) for at in time[inside].tolist()}
        assert found.now.counts.total == len(slices)
    if window == "month":
        assert found.status.counts == found.now.counts
    assert found.ledger.counts == found.now.counts
    assert sum((part.counts for part in found.parts), Counts()) == found.now.counts
    assert found.status.state == found.status_before.state == "missed"


@pytest.mark.parametrize("side", ["left", "right"])
def test_the_last_bin_of_a_calendar_month_is_its_own(side: Any) -> None:
    """Bins end where the month does, whichever side they are labelled on."""
    hours = FEBRUARY + np.arange(-24 * 40, 24 * 40, dtype=np.int64) * HOUR_NS
    bad = np.where((hours >= FEBRUARY) & (hours < MARCH), 2, 0)
    labels = hours + (HOUR_NS if side == "right" else 0)
    data = CountSeries(labels, 100 - bad, np.full(len(hours), 100), "1h", side)
    slo = API.replace(window="month")
    found = review(slo, data, period="monthly", at="2026-03-09T00:00:00Z", calendar="UTC")["api"]
    assert found.now is not None
    assert found.now.counts == found.status.counts == Counts(28 * 24 * 98, 28 * 24 * 2)
    assert found.status_before.counts == Counts(31 * 24 * 100, 0)
    assert found.status.coverage == 1
    assert found.status.at_ns == MARCH - 1


def test_a_calendar_month_keeps_its_own_target() -> None:
    """A target that changes with March judges nothing of February."""
    targets = {"2026-01-01T00:00:00Z": "99%", "2026-03-01T00:00:00Z": "90%"}
    slo = API.replace(target=TargetSchedule(targets), window="month")
    hours = FEBRUARY + np.arange(24 * 40, dtype=np.int64) * HOUR_NS
    data = CountSeries(hours, [95] * len(hours), [100] * len(hours), "1h", "left")
    found = review(slo, data, period="monthly", at="2026-03-09T00:00:00Z", calendar="UTC")["api"]
    assert found.now is not None
    assert found.now.burn == 5
    assert found.status.state == "missed"


def test_a_reset_within_the_period_changes_no_costs() -> None:
    """The period's incidents are told whole, and add up to its counts."""
    reset = BudgetReset("1970-01-10T00:00:00Z", "a vendor's fault")
    data = hourly([0] * 24 * 5 + [300] * 10 + [0] * 24 * 9)
    found = review(API.replace(resets=[reset]), data, period="monthly")["api"]
    plain = review(API, data, period="monthly")["api"]
    assert found.ledger is not None
    assert found.now is not None
    assert found.ledger.counts == found.now.counts
    costs = [found.cost(entry) for entry in found.incidents]
    assert costs == [plain.cost(entry) for entry in plain.incidents]
    assert len(costs) == 1


def test_thresholds_have_their_status_alone() -> None:
    """An objective without a budget is said to have none, and is no reason to fail."""
    slo = SLO("p95", window="7d", sli=LatencyQuantile({"p95": "200ms"}))
    events = Events(time=[1, 2], status=[200, 200], duration_s=[0.1, 0.4])
    found = review([slo, API], events)["p95"]
    assert found.status.state == "missed"
    assert found.now is None
    assert "threshold" in found.why_not
    text = paper_to_text(review_paper(review([slo, API], events)))
    assert re.search(r"p95 +missed .*p95 400 ms +threshold", text)


def test_incidents_that_strike_together_are_shared() -> None:
    """One outage is an incident of both objectives, and is listed once as shared."""
    history = simulate(
        "2026-03-02T00:00:00Z",
        "9d",
        rate=0.5,
        seed=3,
        incidents=[Outage("2026-03-08T10:00:00Z", "40m", intensity=0.9, name="db")],
    )
    slos = [API, SLO("strict", target="99.9%", window="30d", sli=Availability(good="2xx"))]
    found = review(slos, history.events, incidents=history.incidents)
    assert [shared.slos for shared in found.shared] == [("api", "strict")]
    assert {each.incidents[0].name for each in found} == {"db"}
    monthly = review(slos, history.events, period="monthly")
    names = {attribution.by[0] for attribution in monthly["api"].spenders}
    assert "status" in names
    for attribution in monthly["api"].spenders:
        assert sum(row.counts.bad for row in attribution) == monthly["api"].now.counts.bad


def test_questions_without_an_answer_are_named() -> None:
    """Unknown periods, names and data, and nothing to review."""
    data = hourly([1] * 200)
    with pytest.raises(InvalidInputError, match="monthly"):
        review(API, data, period="montly")  # type: ignore[arg-type]
    with pytest.raises(InvalidInputError, match="at least one"):
        review([], data)
    with pytest.raises(InvalidInputError, match="names must differ"):
        review([API, API], data)
    with pytest.raises(InvalidInputError, match="swapped"):
        review(data, API)  # type: ignore[arg-type]
    with pytest.raises(InvalidInputError, match="by name"):
        review(API, {"other": data})
    with pytest.raises(InvalidInputError, match='no SLO "apu"'):
        review(API, data)["apu"]


def test_frames_hold_the_figures() -> None:
    """One row an objective."""
    pytest.importorskip("pandas", reason="missing: pandas; pip install 'errorbudget[pandas]'")
    frame = review(API, hourly([1] * 400)).to_pandas()
    assert list(frame["slo"]) == ["api"]
    assert frame["bad"][0] == 168


def test_a_reviews_advice_counts_the_pages_that_alerts_send() -> None:
    """Alerts look each minute, however coarse the rest of a review is."""
    minute, total = 60 * 10**9, 10
    time = np.arange(1, 2 * 1_440 * total + 1) * (minute // total)
    hot = (time > 1_500 * minute) & (time <= 1_512 * minute)
    events = Events(time=time, status=np.where(hot, 503, 200))
    slo = SLO("api", target="99%", window="30d", sli=Availability(), alerts=WORKBOOK)
    asked = advise(slo, events)
    told = review(slo, events, period="monthly")[0].advice
    assert told is not None
    assert [each.pages for each in told] == [each.pages for each in asked]
    assert any(each.pages for each in told)
