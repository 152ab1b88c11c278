"""Forecasts: the schedule of return is exact; intervals hold the future as often as they say."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from errorbudget import SLO, Availability, Calendar, CountSeries, Events, Freshness
from errorbudget.errors import InvalidInputError, InvalidSeriesError, NoDataError
from errorbudget.studies.forecast import Forecast, Scenario, forecast
from errorbudget.studies.recovery import recovery
from tests import strategies as inputs

MINUTE = 60 * 10**9
HOUR = 60 * MINUTE
DAY = 24 * HOUR
API = SLO("api", target="99%", window="28d", sli=Availability())


@given(
    inputs.event_dicts(),
    st.sampled_from(["5m", "45m", "1h"]),
    st.lists(st.integers(0, 300), min_size=1, max_size=5),
)
def test_schedule_is_what_an_uneventful_repeat_gives(
    rows: list[dict[str, Any]], window: str, offsets: list[int]
) -> None:
    """With the window's traffic repeated and all of it good, budgets are the schedule's."""
    rows = [row for row in rows if row["status"] is not None]
    if not rows:
        return
    slo = SLO("api", target="90%", window=window, sli=Availability())
    at = max(row["time"] for row in rows)
    schedule = recovery(slo, inputs.to_events(rows))
    length = slo.window.length_ns
    again = [
        {**row, "time": row["time"] + length, "status": 200}
        for row in rows
        if at - length < row["time"] <= at
    ]
    future = inputs.to_events([*rows, *again])
    for offset in offsets:
        time = min(at + offset * inputs.STEP, at + length)
        expected = slo.evaluate(future, at=time).budget.remaining_exact
        assert schedule.remaining_at(time) == expected
    assert schedule.remaining_at(at + length) == 1


@given(inputs.event_dicts(), st.sampled_from([0, "20%", "50%", Fraction(9, 10)]))
def test_back_above_is_the_first_such_instant(rows: list[dict[str, Any]], share: Any) -> None:
    """A nanosecond earlier no more than the share is left."""
    rows = [row for row in rows if row["status"] is not None]
    if not rows:
        return
    slo = SLO("api", target="90%", window="1h", sli=Availability())
    schedule = recovery(slo, inputs.to_events(rows))
    back = schedule.back_above(share)
    bound = Fraction(share.rstrip("%")) / 100 if isinstance(share, str) else share
    assert schedule.remaining_at(back) > bound
    if back > schedule.at_ns:
        assert schedule.remaining_at(back - 1) <= bound
    assert schedule.back_above(1) is None
    changes = schedule.tier_changes()
    assert changes[0].at_ns == schedule.at_ns
    assert changes[-1].after == "healthy"


def test_counts_return_as_their_events_do_at_bin_edges() -> None:
    """A count series lets whole bins go at the instants at which their events are all gone."""
    events = Events(time=[5, 10, 25, 30, 40], status=[503, 200, 503, 200, 503])
    slo = SLO("api", target="50%", window="1m", sli=Availability())
    by_event = recovery(slo, events, at=40)
    by_bin = recovery(slo, CountSeries([10, 30, 40], [1, 1, 0], [2, 2, 1], 10), at=40)
    for edge in range(40, 120, 10):
        time = edge if edge == 40 else edge + 60 * 10**9 - 60
        assert by_event.remaining_at(time) == by_bin.remaining_at(time)


def test_calendar_budgets_return_with_the_period() -> None:
    """Nothing comes back before the month ends, and all of it does then."""
    slo = SLO("api", target="90%", window=Calendar("month"), sli=Availability())
    at = 5 * DAY
    schedule = recovery(slo, Events(time=[DAY, at], status=[503, 200]))
    assert schedule.remaining_at(31 * DAY - 1) == schedule.remaining_at(at) == 1 - 5
    assert schedule.remaining_at(31 * DAY) == 1
    assert schedule.back_above("20%") == 31 * DAY


def _days(random: np.random.Generator, days: int, per_hour: int = 200) -> tuple[Any, Any]:
    """Hours with quiet nights and weekends, and bursts of failures on three days of ten."""
    hours = np.arange(days * 24)
    shape = 1 + 0.6 * np.sin(2 * np.pi * (hours % 24) / 24) - 0.4 * (hours // 24 % 7 >= 5)
    total = random.poisson(per_hour * shape)
    share = np.full(days * 24, 0.002)
    for day in np.flatnonzero(random.random(days) < 0.3):
        start = day * 24 + random.integers(0, 20)
        share[start : start + random.integers(1, 4)] = random.uniform(0.05, 0.4)
    return total, random.binomial(total, share)


def _series(total: Any, bad: Any) -> CountSeries:
    return CountSeries((np.arange(len(total)) + 1) * HOUR, total - bad, total, "1h")


def test_probability_is_calibrated() -> None:
    """Exhaustion comes about as often as the forecasts say on average."""
    random = np.random.default_rng(22)
    said, came = [], []
    tight = API.replace(target="99.2%", window="14d")
    for turn in range(150):
        total, bad = _days(random, 49)
        seen = 42 * 24
        past = _series(total[:seen], bad[:seen])
        if tight.evaluate(past).budget.exhausted:
            continue
        said.append(forecast(tight, past, paths=200, seed=turn).probability)
        left = tight.history(_series(total, bad), start=seen * HOUR).remaining_ratio
        came.append(bool((left <= 0).any()))
    assert len(said) > 30
    assert np.mean(said) == pytest.approx(np.mean(came), abs=0.12)


def test_steady_failures_have_one_future() -> None:
    """Where every hour is alike, all paths agree and equal the arithmetic."""
    data = _series(np.full(28 * 24 * 2, 100), np.full(28 * 24 * 2, 0))
    worse = data + _series(np.full(28 * 24 * 2, 100), np.full(28 * 24 * 2, 1))
    found = forecast(API, worse, horizon="56d", paths=5)  # 0.5 %, half the budget
    assert np.allclose([found.low, found.median, found.high], 0.5)
    assert found.probability == 0
    assert found.exhaustion == (None, None, None)
    doubled = forecast(API, worse, horizon="56d", paths=5, scenario=Scenario("thrice", failures=3))
    # The share of new hours at which 0.5 (1 - x) + 1.5 x = 1: half of the window.
    assert doubled.exhaustion[1] == doubled.at_ns + 14 * DAY
    assert doubled.probability == 1
    assert doubled.median[-1] == pytest.approx(-0.5)  # beyond the window nothing old is left


def test_a_quiet_future_is_the_schedule() -> None:
    """Without failures the forecast is the exact schedule, where traffic repeats itself."""
    total = np.full(56 * 24, 100)
    bad = np.zeros_like(total)
    bad[-100:-90] = 60
    data = _series(total, bad)
    found = forecast(API, data, horizon="28d", scenario=Scenario("quiet", failures=0), paths=3)
    schedule = recovery(API, data)
    expected = [float(schedule.remaining_at(int(time))) for time in found.time_ns]
    assert found.median.tolist() == pytest.approx(expected)
    assert found.high.tolist() == found.low.tolist()


def test_scenarios_do_what_they_say() -> None:
    """An incident comes once more with its own bad events; twice the traffic dilutes the past."""
    total = np.full(35 * 24, 100)
    bad = np.zeros_like(total)
    bad[-48:-46] = 50
    data = _series(total, bad)
    start, end = (35 * 24 - 48) * HOUR, (35 * 24 - 46) * HOUR
    quiet = Scenario("quiet", failures=0)
    again = Scenario("once more", failures=0, repeat=(start, end), repeat_at=data.span[1] + DAY)
    base, more = (
        forecast(API, data, scenario=supposed, horizon="2d", paths=3) for supposed in (quiet, again)
    )
    before = more.time_ns <= data.span[1] + DAY
    assert more.median[before].tolist() == base.median[before].tolist()
    spent = 28 * 24 + 1  # 100 extra requests, all bad
    assert more.median[-1] == pytest.approx(1 - 200 / (100 * spent * 0.01))
    busy = forecast(API, data, scenario=Scenario("busy", traffic=2, failures=0), horizon="2d")
    assert busy.median[-1] == pytest.approx(1 - 100 / ((26 * 24 + 4 * 24) * 100 * 0.01))


@given(st.integers(0, 3), st.integers(0, 50))
def test_more_failures_never_leave_more(seed: int, extra: int) -> None:
    """With one seed, a greater share of failures leaves less at every instant."""
    random = np.random.default_rng(seed)
    data = _series(*_days(random, 21))
    found = [
        forecast(API, data, scenario=Scenario("x", failures=1 + more / 10), paths=20, seed=seed)
        for more in (0, extra)
    ]
    assert (found[1].median <= found[0].median + 1e-12).all()
    assert found[1].probability >= found[0].probability


def test_one_seed_gives_one_answer() -> None:
    """And another one another."""
    data = _series(*_days(np.random.default_rng(1), 21))
    one, same, other = (forecast(API, data, seed=seed, paths=50) for seed in (1, 1, 2))
    assert one.low.tolist() == same.low.tolist()
    assert one.low.tolist() != other.low.tolist()


def test_calendar_forecasts_end_with_the_period() -> None:
    """A month's budget is followed to its end and no further."""
    slo = SLO("api", target="99%", window=Calendar("month"), sli=Availability())
    data = _series(*_days(np.random.default_rng(3), 21))
    found = forecast(slo, data, horizon="90d", paths=20)
    assert int(found.time_ns[-1]) < 31 * DAY
    assert len(found.time_ns) == 10 * 24 - 1


def test_awkward_histories_have_answers() -> None:
    """Empty, one-event, short and all-bad histories are typed answers."""
    empty = Events(time=[], status=[])
    with pytest.raises(NoDataError):
        forecast(API, empty)
    nothing = forecast(API, empty, at=0)
    assert (nothing.probability, nothing.blocks, len(nothing.time_ns)) == (None, 0, 0)
    assert "nothing foretold" in str(nothing)
    assert nothing.to_dict()["remaining_ratio"] is None
    one = Events(time=[DAY], status=[503])
    assert forecast(API, one).probability is None
    assert recovery(API, one).back_above(0) == 29 * DAY
    assert len(recovery(API, empty, at=0)) == 0
    assert recovery(API, empty, at=0).remaining_at(5) is None
    bad = np.full(72, 10)
    gone = forecast(API, _series(bad, bad), paths=10)
    assert gone.probability == 1
    assert gone.exhaustion == (gone.at_ns,) * 3
    strict = API.replace(target="100%")
    assert (
        forecast(strict, _series(bad, bad), paths=10).to_dict()["remaining_ratio"]["low"] == "-inf"
    )
    assert recovery(strict, _series(bad, bad)).back_above(0) == 31 * DAY


def test_a_single_busy_day_foretells_nothing() -> None:
    """Silent days are no days to learn from, however many there are."""
    total, bad = np.zeros((2, 40 * 24), dtype=int)
    total[80] = bad[80] = 1
    found = forecast(API, _series(total, bad))
    assert (found.probability, found.blocks) == (None, 1)
    assert str(found) == (
        "api: nothing foretold; the history holds 1 whole blocks with traffic, and 2 are the least"
    )


def test_a_period_that_is_over_has_no_future() -> None:
    """An hour before the month ends there is no whole hour left of it."""
    month = API.replace(window="month")
    data = _series(np.full(31 * 24 - 1, 10), np.zeros(31 * 24 - 1, dtype=int))
    assert str(forecast(month, data)) == (
        "api: nothing foretold; the period of the budget ends within a step"
    )


def test_questions_without_an_answer_are_named() -> None:
    """A message says what came and what fits."""
    data = _series(np.full(72, 10), np.zeros(72, dtype=int))
    with pytest.raises(InvalidInputError, match="block must be a multiple of 7m"):
        forecast(API, data, step="7m")
    with pytest.raises(InvalidInputError, match="at least one step"):
        forecast(API, data, horizon="1m")
    with pytest.raises(InvalidInputError, match="paths"):
        forecast(API, data, paths=0)
    with pytest.raises(InvalidInputError, match="finite number of 0 or more"):
        Scenario("x", traffic=-1)
    with pytest.raises(InvalidInputError, match="repeats from"):
        forecast(API, data, scenario=Scenario("x", repeat=(0, 1), repeat_at=0))
    with pytest.raises(InvalidInputError, match="a block of 1h makes 21,600,000 points, more than"):
        forecast(API, data, block="1h", paths=300_000, horizon="1h")
    with pytest.raises(InvalidInputError, match="the horizon ends after 2262-04-11T23:47:16"):
        forecast(API, data, at=2**63 - 2 * DAY)
    with pytest.raises(InvalidInputError, match="before the schedule"):
        recovery(API, data).remaining_at(0)
    fresh = SLO("fresh", target="99%", window="1d", sli=Freshness("5m"))
    with pytest.raises(InvalidSeriesError, match="counts time"):
        recovery(fresh, Events(time=[1, 2], status=[200, 200]))


def test_a_short_past_is_said_so_in_every_face() -> None:
    """More than a block under three times the look ahead, text, card and plain data bear a note."""
    data = _series(*_days(np.random.default_rng(1), 20))
    short, enough = (forecast(API, data, horizon=horizon, paths=10) for horizon in ("169h", "7d"))
    assert (short.past_ns, enough.note) == (20 * DAY, None)
    assert short.note is not None
    assert short.to_dict()["note"] == short.note
    assert str(short).endswith(short.note)
    assert short.note in short._repr_html_()
    assert "short" not in enough._repr_html_() + str(enough)
    nothing = forecast(API, Events(time=[], status=[]), at=0)
    assert (nothing.past_ns, nothing.note) == (0, None)


def test_a_level_that_was_left_is_said_so_in_every_face() -> None:
    """After the share of failures went up tenfold for good; with a short past, both are said."""
    random = np.random.default_rng(2)
    total = np.full(42 * 24, 100)
    bad = random.binomial(total, np.repeat([0.002, 0.02], 21 * 24))
    jumped = forecast(API, _series(total, bad), paths=10)
    assert jumped.lost > 0.9
    note = "the share that fails has jumped or runs away, and may again"
    assert jumped.note == jumped.to_dict()["note"] == f"{note}: the interval holds less surely"
    assert str(jumped).endswith(jumped.note)
    assert jumped.note in jumped._repr_html_()
    far = forecast(API, _series(total, bad), paths=10, horizon="21d")
    assert far.note == f"the past is short for this look ahead; {jumped.note}"
    even = forecast(API, _series(total, random.binomial(total, 0.02)), paths=10)
    assert even.lost < 0.2
    assert even.note is None


def test_one_weekday_that_fails_is_said_so_in_every_face() -> None:
    """Most failures in three of six Wednesdays; not after one, nor after half a year of them."""
    random = np.random.default_rng(3)

    def foretold(weeks: int, failing: range) -> Forecast:
        total = np.full(weeks * 7 * 24, 100)
        share = np.full(len(total), 0.002)
        for week in failing:
            start = (week * 7 + 2) * 24
            share[start : start + 3] = 0.4
        return forecast(API, _series(total, random.binomial(total, share)), paths=10)

    batch = foretold(6, range(0, 6, 2))
    assert batch.lone
    note = "most failures came at one place of the season, seen few times"
    assert batch.note == batch.to_dict()["note"] == f"{note}: the interval holds less surely"
    assert str(batch).endswith(batch.note)
    assert batch.note in batch._repr_html_()
    for known in (foretold(6, range(1)), foretold(6, range(0)), foretold(26, range(0, 26, 2))):
        assert not known.lone
        assert known.note is None


def test_frames_hold_the_figures() -> None:
    """A row an hour, and a row a return."""
    pytest.importorskip("pandas")
    data = _series(*_days(np.random.default_rng(1), 21))
    assert len(forecast(API, data, paths=10).to_pandas()) == 7 * 24
    assert len(recovery(API, data).to_pandas()) == len(recovery(API, data))


def test_steps_that_some_futures_have_no_traffic_at() -> None:
    """Their figures are those of the futures that have; text has no NaN."""
    total = np.tile(np.repeat([100, 100, 100, 100, 100, 0, 0], 24), 12)
    bad = np.random.default_rng(0).binomial(total, 0.003)
    slo = API.replace(window="1d")
    found = forecast(slo, _series(total, bad), horizon="8d", paths=200)
    assert "nan" not in str(found)
    assert np.isnan(found.low).sum() < 60
