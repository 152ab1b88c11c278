"""
When will the budget be gone, and how sure is that?

The future is put together from the past by `errorbudget.studies.futures`, a thousand times over;
what the window still holds of the past ages out of every one of them exactly when it does.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from errorbudget import figures
from errorbudget.cards import Card, Shown
from errorbudget.durations import (
    DAY_NS,
    HOUR_NS,
    DurationLike,
)
from errorbudget.errors import InvalidInputError
from errorbudget.rationals import shown
from errorbudget.slo import SLO
from errorbudget.status import json_number
from errorbudget.studies.ahead import Lengths, check_size, remaining, still_inside, within
from errorbudget.studies.arguments import chance, number, whole
from errorbudget.studies.budgeted import check_budgeted, units_of
from errorbudget.studies.futures import Past
from errorbudget.studies.stretches import read_stretches
from errorbudget.times import MAX_NS, TimeLike, format_time, to_ns
from errorbudget.windows import Calendar

if TYPE_CHECKING:
    from fractions import Fraction

    from numpy.typing import NDArray

    from errorbudget.events import Events
    from errorbudget.series import CountSeries, Series

    Floats = NDArray[np.float64]
    Integers = NDArray[np.int64]

__all__ = ["Forecast", "Scenario", "forecast"]

ENOUGH = 3
"""Times the look ahead that the past should be long; below, intervals hold less surely."""

LIKELY = 0.5
"""Chance that the share of bad units jumped or runs away, above which the answer says so."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """
    What if?

    Args:
        name: What to call it.
        traffic: Times as much traffic as foretold [1, >= 0].
        failures: Times as great a share of it fails [1, >= 0].
        repeat: An incident to happen once more: (start, end), or what has `start_ns` and `end_ns`,
            such as an entry of a ledger. Its bad events come again, and as many more requests.
        repeat_at: When it begins; by default at once.
    """

    name: str = "as before"
    traffic: float = 1.0
    failures: float = 1.0
    repeat: Any = None
    repeat_at: TimeLike | None = None

    def __post_init__(self) -> None:
        for word in ("traffic", "failures"):
            object.__setattr__(self, word, number(word, getattr(self, word), least=0))


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Forecast(Shown):
    """
    Where the budget goes from one instant on.

    Attributes:
        slo: The objective.
        at_ns: The instant [ns UTC].
        scenario: What was supposed.
        level: Share of futures between the lower and the upper figures, in (0, 1).
        blocks: Whole blocks of the past that the futures are made from; below 2 nothing is
            foretold.
        past_ns: Their length [ns].
        lost: How likely the past makes it that the share of bad units jumped for good or runs
            away, by a fifth a block or more, in [0, 1].
        lone: Whether most bad units came at one place of the season, such as a weekday, that was
            seen under 26 times.
        probability: Share of futures in which the budget is gone within the horizon [1]; None when
            nothing is foretold.
        exhaustion: When it is gone [ns UTC]: early, median, late; None for "not within the
            horizon".
        time_ns: Instants [ns UTC], ascending; int64, shape (n,).
        low: Share of the budget left in poor futures [1]; NaN without events; float64, shape (n,).
        median: The same in the middle one; shape (n,).
        high: The same in good ones; shape (n,).
    """

    slo: SLO
    at_ns: int
    scenario: Scenario
    level: float
    blocks: int
    past_ns: int
    lost: float
    lone: bool
    probability: float | None
    exhaustion: tuple[int | None, int | None, int | None]
    time_ns: Integers
    low: Floats
    median: Floats
    high: Floats

    @property
    def note(self) -> str | None:
        """
        What to bear in mind: that the past is under three times as long as the look ahead, that
        failures have more likely than not left their level, or that most are of one weekday.
        """
        if not len(self.time_ns):
            return None
        reasons = []
        # Almost a whole block more was seen, if the past does not end with a whole one.
        longest = self.past_ns // self.blocks * (self.blocks + 1)
        if longest < ENOUGH * (int(self.time_ns[-1]) - self.at_ns):
            reasons.append("the past is short for this look ahead")
        if self.lost > LIKELY:
            reasons.append("the share that fails has jumped or runs away, and may again")
        if self.lone:
            reasons.append("most failures came at one place of the season, seen few times")
        return f"{'; '.join(reasons)}: the interval holds less surely" if reasons else None

    def to_dict(self) -> dict[str, Any]:
        """The forecast as plain data, ready for JSON; the budget left is that at the horizon."""
        early, median, late = (
            None if instant is None else format_time(instant) for instant in self.exhaustion
        )
        left = None
        if len(self.time_ns):
            left = {
                "at": format_time(int(self.time_ns[-1])),
                "low": json_number(float(self.low[-1])),
                "median": json_number(float(self.median[-1])),
                "high": json_number(float(self.high[-1])),
            }
        return {
            "slo": self.slo.name,
            "at": format_time(self.at_ns),
            "scenario": self.scenario.name,
            "level": self.level,
            "blocks": self.blocks,
            "note": self.note,
            "probability": self.probability,
            "exhaustion": {"early": early, "median": median, "late": late},
            "remaining_ratio": left,
        }

    def to_pandas(self) -> Any:
        """The budget left over time as a pandas DataFrame indexed by time in UTC."""
        from errorbudget.frames import to_pandas

        columns = {"low": self.low, "median": self.median, "high": self.high}
        return to_pandas(self.time_ns, columns)

    def _card(self) -> Card:
        title = f"Forecast for {self.slo.name}, {self.scenario.name}"
        if self.probability is None:
            return Card(title, "nothing foretold", "", [str(self)])
        names = ("early", "median", "late")
        rows = [
            (
                name,
                "not within the horizon" if gone is None else format_time(gone),
                figures.percent(float(left[-1])),
            )
            for name, gone, left in zip(
                names, self.exhaustion, (self.low, self.median, self.high), strict=True
            )
        ]
        until = format_time(int(self.time_ns[-1]))
        line = (
            f"Exhausted by {until} in {self.probability:.0%} of futures; {self.level:.0%} of them"
        )
        line += " lie between early and late."
        header = ("future", "budget is gone", "left at the end")
        notes = [line] if self.note is None else [line, self.note]
        return Card(title, "", "", notes, header, rows)

    def __repr__(self) -> str:
        return f"Forecast({self})"

    def __str__(self) -> str:
        if self.probability is None:
            why = f"the history holds {self.blocks} whole blocks with traffic, and 2 are the least"
            if self.blocks >= 2:
                why = "the period of the budget ends within a step"
            return f"{self.slo.name}: nothing foretold; {why}"
        until = format_time(int(self.time_ns[-1]))
        text = (
            f"{self.slo.name}, {self.scenario.name}: exhausted by {until} in "
            f"{self.probability:.0%} of futures"
        )
        if any(self.exhaustion):
            names = [
                "later" if instant is None else format_time(instant) for instant in self.exhaustion
            ]
            text += f" (early {names[0]}, median {names[1]}, late {names[2]})"
        text += (
            f"; {figures.percent(float(self.low[-1]), 1)} to "
            f"{figures.percent(float(self.high[-1]), 1)} of the budget left then "
            f"({self.level:.0%})"
        )
        return f"{text}; {self.note}" if self.note else text


def forecast(
    slo: SLO,
    data: Events | CountSeries,
    *,
    at: TimeLike | None = None,
    horizon: DurationLike | int = "7d",
    scenario: Scenario | None = None,
    level: float | Fraction | str = 0.9,
    step: DurationLike | int = HOUR_NS,
    block: DurationLike | int = DAY_NS,
    season: DurationLike | int = 7 * DAY_NS,
    paths: int = 1_000,
    seed: int = 0,
) -> Forecast:
    """
    When the budget is exhausted, with an interval.

    Budget that a rolling window lets go of comes back in every future, exactly when it does. The
    interval of 90 % holds 85 to 95 % of simulated histories (docs/how-to/forecast.md has the
    tables), but of shares that have yet to jump for the first time. Where it is less sure, since
    the past is under three times as long as the look ahead, the share that fails has jumped or runs
    away, or most failures are those of one weekday, the answer has a `note`.

    Args:
        slo: The objective; a target that changes is taken to stay as it is.
        data: Request events, or a count series; longer histories foretell better.
        at: The instant to look ahead from; by default the end of the data.
        horizon: How far to look; for a calendar window no further than its period.
        scenario: What to suppose beyond the past; by default nothing.
        level: Share of futures between the lower and the upper figures, in (0, 1).
        step: How finely to look.
        block: What is drawn as a whole, a multiple of *step*; longer than most incidents.
        season: When traffic repeats itself, a multiple of *block*.
        paths: How many futures.
        seed: Any whole number of 0 or more; one seed gives one answer.

    Raises:
        InvalidInputError: Lengths do not fit together.
        InvalidSeriesError: The objective has no budget, or the data lacks a column.
        NoDataError: The data is empty and *at* is not given.

    Time and memory: O(paths x (horizon / step + blocks of the past)).

    Example:
        >>> from errorbudget.series import CountSeries
        >>> from errorbudget.sli import Availability
        >>> slo = SLO("api", target="90%", window="7d", sli=Availability())
        >>> hours = range(1, 21 * 24 + 1)
        >>> data = CountSeries(
        ...     [hour * 3_600 * 10**9 for hour in hours], [98] * 504, [100] * 504, "1h"
        ... )
        >>> worse = forecast(slo, data, scenario=Scenario("six fold failures", failures=6), paths=9)
        >>> print(worse)
        api, six fold failures: exhausted by 1970-01-29T00:00:00Z in 100% of futures \
(early 1970-01-27T15:00:00Z, median 1970-01-27T15:00:00Z, late 1970-01-27T15:00:00Z); \
-20.0% to -20.0% of the budget left then (90%)
    """
    check_budgeted(slo, data)
    lengths = Lengths.read(horizon, step, block, season)
    share = chance("level", level)
    paths, seed = whole("paths", paths, 1, 10**12), whole("seed", seed, 0)
    if not isinstance(scenario, Scenario | None):
        raise InvalidInputError(f"scenario must be a Scenario, got {shown(scenario)}")
    status = slo.evaluate(data, at=at)
    assert status.budget is not None  # noqa: S101 - an objective with a target has one
    at_ns = status.at_ns
    series = units_of(slo, data, at_ns)
    supposed = scenario or Scenario()
    steps = lengths.horizon // lengths.step
    if isinstance(slo.window, Calendar):
        steps = min(steps, (slo.window.interval(at_ns).end_ns - 1 - at_ns) // lengths.step)
    if at_ns + steps * lengths.step > MAX_NS:
        raise InvalidInputError(
            f"the horizon ends after {format_time(MAX_NS)}, the last instant that can be told; "
            "take a shorter one"
        )
    behind = 0 if series.span is None else (at_ns - series.span[0]) // lengths.step
    check_size("step", lengths.step, max(behind, steps * paths))
    past = Past.of(series, at_ns, lengths.step, lengths.block)
    check_size("block", lengths.block, past.blocks * paths)
    known_ns = past.blocks * lengths.block
    if past.busy < 2 or steps < 1:
        nothing = np.empty(0)
        none = (None, None, None)
        time_ns = np.empty(0, dtype=np.int64)
        return Forecast(
            slo,
            at_ns,
            supposed,
            share,
            past.busy,
            known_ns,
            0.0,
            False,
            None,
            none,
            time_ns,
            nothing,
            nothing,
            nothing,
        )
    seasons = lengths.season // lengths.block
    bad, total, lost, lone = past.futures(steps, paths, seasons, seed)
    total *= supposed.traffic
    bad *= supposed.traffic * supposed.failures
    np.minimum(bad, total, out=bad)
    again = _repeated(series, supposed, at_ns, steps, lengths.step)
    bad += again
    total += again
    time_ns = at_ns + np.arange(1, steps + 1, dtype=np.int64) * lengths.step
    open_ns = status.interval.start_ns - (status.interval.closed == "left")
    kept_bad, kept_total = still_inside(slo, series, open_ns, at_ns, time_ns)
    left = remaining(
        kept_bad + within(slo, bad, lengths.step),
        kept_total + within(slo, total, lengths.step),
        float(status.budget.error),
    )
    gone = left <= 0
    first = np.where(gone.any(axis=1), np.argmax(gone, axis=1), steps)
    instants = np.concatenate((time_ns, [np.iinfo(np.int64).max]))[first]
    if status.budget.exhausted:
        instants[:] = at_ns
    tail = (1 - share) / 2
    cuts = (tail, 0.5, 1 - tail)
    found = np.quantile(instants, cuts, method="inverted_cdf").tolist()
    low, median, high = _quantiles(left, cuts)
    return Forecast(
        slo,
        at_ns,
        supposed,
        share,
        past.blocks,
        known_ns,
        lost,
        lone,
        float(np.mean(instants <= time_ns[-1])),
        _instants(found, int(time_ns[-1])),
        time_ns,
        low,
        median,
        high,
    )


def _quantiles(left: Floats, cuts: tuple[float, ...]) -> Floats:
    """Of each step, over the paths that have traffic then; NaN where none has."""
    found: Floats = np.quantile(left, cuts, axis=0, method="inverted_cdf")
    silent = np.isnan(left)
    some = silent.any(axis=0) & ~silent.all(axis=0)
    found[:, some] = np.nanquantile(left[:, some], cuts, axis=0, method="inverted_cdf")
    return found


def _instants(found: list[int], last_ns: int) -> tuple[int | None, int | None, int | None]:
    early, median, late = (instant if instant <= last_ns else None for instant in found)
    return early, median, late


def _repeated(series: Series, scenario: Scenario, at_ns: int, steps: int, step_ns: int) -> Floats:
    """Bad units of the incident that happens once more, per step; shape (steps,)."""
    if scenario.repeat is None:
        return np.zeros(steps)
    (stretch,) = read_stretches({"repeat": scenario.repeat})
    begins = at_ns if scenario.repeat_at is None else to_ns(scenario.repeat_at)
    if begins < at_ns:
        raise InvalidInputError(
            f"an incident repeats from {format_time(at_ns)} on, got {format_time(begins)}"
        )
    shift = begins - stretch.start_ns
    edges = at_ns + np.arange(steps + 1, dtype=np.int64) * step_ns - shift
    good, total = series.cumulative(np.clip(edges, stretch.start_ns, stretch.end_ns))
    return np.diff(total - good).astype(np.float64)
