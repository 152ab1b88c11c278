"""Target advice: candidates equal what the objective itself says at each target."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from errorbudget import SLO, Availability, Counts, CountSeries, Events, Target, Timeslices
from errorbudget.errors import InvalidInputError, InvalidSeriesError, NoDataError
from errorbudget.studies.advice import advise
from errorbudget.studies.review import review
from errorbudget.times import MAX_NS

HOUR = 3_600 * 10**9
MONTH = 30 * 24
API = SLO("api", target="99%", window="30d", sli=Availability(), owner="Ada", team="Payments")


def series(monthly_bad: list[int], per_hour: int = 1_000) -> CountSeries:
    """Months of even traffic, each with its bad events spread over its hours."""
    bad = np.concatenate(
        [np.diff(np.arange(MONTH + 1) * failed // MONTH) for failed in monthly_bad]
    )
    total = np.full(len(bad), per_hour)
    return CountSeries((np.arange(len(bad)) + 1) * HOUR, total - bad, total, "1h")


@settings(max_examples=15)
@given(st.lists(st.integers(0, 20_000), min_size=1, max_size=4))
def test_candidates_are_what_the_objective_says(monthly: list[int]) -> None:
    """Months kept, time missed and tiers equal evaluations of whole windows at each target."""
    data = series(monthly)
    advice = advise(API, data, targets=["98%", "99.9%"], step="1d")
    assert [str(each.target) for each in advice] == ["98%", "99%", "99.9%"]
    assert advice.counts == Counts(1_000 * MONTH * len(monthly) - sum(monthly), sum(monthly))
    for each in advice:
        allowed = 1_000 * MONTH * each.target.error
        assert each.months_kept == sum(bad <= allowed for bad in monthly)
        states = []
        for day in range(30, len(monthly) * 30 + 1):
            status = API.replace(target=each.target).evaluate(data, at=day * 24 * HOUR)
            states.append((status.state, status.tier))
        missed = [state == "missed" for state, _ in states]
        assert each.missed == Fraction(sum(missed), len(missed))
        assert each.breaches == sum(
            now and not before for before, now in zip([False, *missed], missed, strict=False)
        )
        assert sum(each.tiers.values()) == 1
        for name, share in each.tiers.items():
            assert share == Fraction(sum(tier == name for _, tier in states), len(states))


def outage(day: int, days: int = 100, minutes: int = 30) -> CountSeries:
    """Days of 100 requests a minute; in one, all fail for some minutes from nine o'clock on."""
    total = np.full(days * 1_440, 100)
    bad = np.zeros_like(total)
    began = (day - 1) * 1_440 + 540
    bad[began : began + minutes] = 100
    return CountSeries((np.arange(len(bad)) + 1) * (HOUR // 60), total - bad, total, "1m")


@pytest.mark.parametrize("day", [1, 3, 40, 100])
def test_an_outage_that_the_budget_allows_breaches_nothing(day: int) -> None:
    """99 % over 30 days allows 7.2 hours, early in the history as late in it; 99.9 % 43 minutes."""
    for each in advise(API, outage(day), targets=["99%", "99.9%"]):
        assert (each.breaches, each.missed) == (0, 0)
        assert each.tiers["exhausted"] == 0


def test_a_stricter_target_that_was_breached_is_not_taken() -> None:
    """An hour that two months share, or that lies before the first of them, is in one window."""
    early = advise(API, outage(3, minutes=60), targets=["99.5%", "99.9%"])
    # Whole windows end from day 30 on, and lose the outage ten hours into day 33.
    hours = 2 * 24 + 10
    strict = early[-1]
    assert (strict.months_kept, strict.breaches) == (3, 1)
    assert strict.missed == Fraction(hours, 70 * 24 + 1)
    assert early.recommended == Target("99.5%")
    assert early.reasons == (
        "99.5% is the highest that each of the last 3 months kept without a breach",
        (
            "99.9% was kept by each of the last 3 months too, but breached once between them, "
            "3.45% of the time"
        ),
        "it would have been breached 0 times and paged once",
        "the present 99% would have been breached 0 times and paged once",
    )
    stays = advise(API.replace(target="99.5%"), outage(3, minutes=60), targets=["99.9%"])
    assert (stays.recommended, stays.reasons[0]) == (Target("99.5%"), "99.5% stays")
    # The present target was kept in every month: its breach is told, and lowers nothing.
    kept = advise(API.replace(target="99.9%"), outage(3, minutes=60), targets=["99%"])
    assert kept.recommended == Target("99.9%")
    assert kept.reasons[1].startswith("it would have been breached once")


def test_a_history_without_a_whole_window_judges_no_breach() -> None:
    """Months, pages and events are told; what only a whole window shows is missing, and why."""
    short = advise(API, outage(3, days=29), targets=[])
    (only,) = short
    assert (only.breaches, only.missed, only.tiers) == (None, None, {})
    assert short.reasons[-1] == (
        "the history holds no whole window (30d), so breaches, time missed and tiers are not judged"
    )
    assert short.reasons[1] == "it would have paged once"
    assert str(short).splitlines()[1].split() == ["99%", "0", "of", "0", "-", "-", "1"]
    year = advise(API.replace(window="360d"), outage(3), targets=["99.9%"])
    assert year.recommended == Target("99.9%")
    assert year.to_dict()["candidates"][0]["breaches"] is None
    one = advise(API, outage(3, days=30), months=1, targets=[])
    assert one.reasons[0] == "99% is the highest target that the last month kept"
    assert (one[0].breaches, one[0].missed) == (0, 0)


def test_calendar_windows_are_judged_at_their_ends() -> None:
    """An outage on the first spends what the whole month allows; a month begun is not whole."""
    slo = API.replace(window="calendar month UTC")
    data = outage(1, days=31 + 28 + 31 + 15)
    for each in advise(slo, data, targets=["99%", "99.9%"]):
        assert (each.breaches, each.missed) == (0, 0)
    # The hour before the month's end belongs to the month.
    last = advise(slo, outage(31, days=59, minutes=900), targets=["97%", "98%"])
    assert [each.breaches for each in last] == [0, 1, 1]  # 15 hours are 2.02 % of January
    assert [each.missed for each in last] == [0, Fraction(1, 2), Fraction(1, 2)]
    assert last.to_dict()["candidates"][1]["tiers"]["exhausted"] == 0.5


def test_the_highest_target_that_every_month_kept_is_taken() -> None:
    """With enough months; the present one stays without them."""
    advice = advise(API, series([700, 300, 500]))
    assert advice.recommended == Target("99.9%")  # 720 of 720,000 are allowed
    assert advice.reasons[0].startswith("99.9% is the highest target")
    assert advise(API, series([700, 721, 500])).recommended == Target("99.5%")
    short = advise(API, series([0, 0]))
    assert short.recommended == Target("99%")
    assert "only 2 whole months" in short.reasons[0]
    assert advise(API, series([0, 0]), months=2).recommended == Target("99.99%")
    poor = advise(API, series([200_000] * 3))
    assert poor.recommended == Target("90%")
    assert "no candidate was kept" in poor.reasons[0]


@pytest.mark.parametrize(
    ("late_s", "early_s", "months"), [(0, 0, 2), (17, 17, 2), (3_599, 3_599, 2), (3_601, 0, 1)]
)
def test_months_are_whole_to_the_hour(late_s: int, early_s: int, months: int) -> None:
    """In events and counts, asked for by itself or in a review, to its end or at an instant."""
    second = 10**9
    first, last = late_s * second + 1, 60 * 24 * HOUR - early_s * second
    events = Events(time=[first, 30 * 24 * HOUR, 30 * 24 * HOUR + 1, last], status=[503] * 4)
    midnight = 60 * 24 * HOUR
    for data, at in (
        (events, None),
        (events, last),
        (events, midnight),
        (API.count(events), None),
        (API.count(events), midnight),
    ):
        advice = advise(API, data, at=at)
        assert (advice.months, advice.counts) == (months, Counts(0, 4))
    told = review(API, events, period="quarterly")[0].advice
    assert told is not None
    assert (told.months, told.counts) == (months, Counts(0, 4))


def test_a_long_step_makes_no_month_of_an_hour() -> None:
    """A day is the most that may lack."""
    hour = Events(time=[29 * 24 * HOUR, 29 * 24 * HOUR + 1], status=[200] * 2)
    assert advise(API, hour, step="30d", months=1).months == 0
    short = Events(time=[HOUR, 29 * 24 * HOUR + HOUR], status=[200] * 2)
    assert advise(API, short, step="30d").months == advise(API, short, step="1d").months == 1


def test_months_that_end_with_time_itself_are_counted() -> None:
    """The hour that encloses the last minute is later than any instant that fits."""
    last = MAX_NS // (60 * 10**9) * 60 * 10**9
    assert advise(API, Events(time=[last - 40 * 24 * HOUR, last], status=[200] * 2)).months == 1


def test_the_proposal_has_the_guides_six_steps() -> None:
    """In order, with the figures of every candidate and who has to agree."""
    text = advise(API, series([700, 300, 500])).proposal()
    steps = ["Proposal", "Analysis", "Review", "Approval", "Implementation", "Monitoring"]
    places = [text.index(f"## {number}. {step}") for number, step in enumerate(steps, 1)]
    assert places == sorted(places)
    assert "Change the target from 99% to 99.9%." in text
    assert "- [ ] Ada" in text
    assert "- [ ] Payments" in text
    assert text.count("of 3 |") == 8
    assert "Keep the target of 99%." in advise(API, series([0])).proposal()


def test_awkward_histories_have_answers() -> None:
    """One event and only bad events are advice; nothing is a named error."""
    one = advise(API, Events(time=[HOUR], status=[503]))
    assert (one.months, one.recommended) == (0, Target("99%"))
    assert advise(API, series([720_000] * 3), targets=[]).reasons[0].startswith("no candidate")
    with pytest.raises(NoDataError):
        advise(API, Events(time=[], status=[]))
    with pytest.raises(InvalidInputError, match="months must be"):
        advise(API, series([0]), months=0)
    with pytest.raises(InvalidSeriesError, match="counts no events"):
        advise(API.replace(method=Timeslices("1h", "90%"), alerts=None), series([0]))


def test_frames_hold_the_candidates() -> None:
    """A row each."""
    pytest.importorskip("pandas")
    advice = advise(API, series([1]), targets=["95%"])
    assert advice.to_pandas()["target"].tolist() == ["95%", "99%"]
    assert advice.to_dict()["recommended"] == "99%"
