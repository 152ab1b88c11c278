"""
Where a history can be judged: the windows that it fills from end to end.

Half an hour of outage is 0.7 % of the first three days and 0.07 % of thirty: a window that began
before the history says less of the target than of the day on which the data begin. So what is held
against a target is held over whole windows only. A rolling window is whole at each point that lies
its length or more after the beginning, a calendar's at the end of each period.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from errorbudget.durations import DAY_NS
from errorbudget.history import History
from errorbudget.history.making import grid
from errorbudget.history.windows import WindowCounter
from errorbudget.judging import judge_series
from errorbudget.kernels import ratios
from errorbudget.schedule import TargetSchedule
from errorbudget.slices import RATIO_SCALE, RatioSeries
from errorbudget.slo import SLO
from errorbudget.times import MAX_NS
from errorbudget.windows import Calendar, Interval

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from errorbudget.series import CountSeries

    Integers = NDArray[np.int64]

__all__ = ["whole_windows"]


def whole_windows(slo: SLO, series: CountSeries, step_ns: int) -> History:
    """
    The history of *slo* at the points whose window is whole; without points where none is.

    Args:
        slo: The objective, which has a target.
        series: Counts of its events.
        step_ns: Rolling windows are looked at on multiples of this, and are whole to it, or to the
            day where it is longer [ns].

    Example:
        >>> from errorbudget.series import CountSeries
        >>> from errorbudget.sli import Availability
        >>> slo = SLO("api", target="90%", window="2h", sli=Availability())
        >>> hour = 3_600 * 10**9
        >>> data = CountSeries([hour, 2 * hour, 3 * hour], [5, 9, 10], [10] * 3, "1h")
        >>> whole_windows(slo, data, hour).remaining_ratio.tolist()
        [-2.0, 0.5]
        >>> len(whole_windows(slo, data.until(hour), hour))
        0
    """
    starts, ends = _bounds(slo, series, step_ns)
    units = judge_series(slo, series, until_ns=int(ends[-1]) if len(ends) else 0)
    counter = WindowCounter(slo, units)
    found = counter.windows(starts, ends, not isinstance(slo.window, Calendar))
    left = found.remaining
    if isinstance(slo.window, Calendar) and _judged_by_now(slo):
        # The period's last instant has the period's target; its end is the next one's first.
        for place, end in enumerate(ends.tolist()):
            then = WindowCounter(slo.replace(target=slo.target_at(end - 1)), units)
            one = slice(place, place + 1)
            left[one] = then.windows(starts[one], ends[one], False).remaining
    scale = RATIO_SCALE if isinstance(units, RatioSeries) else 1
    return History(
        slo=slo,
        time_ns=ends,
        step_ns=step_ns,
        good=found.good if scale == 1 else found.good / scale,
        total=found.total if scale == 1 else found.total / scale,
        sli=ratios.sli(found.good, found.total),
        remaining_ratio=left,
    )


def _judged_by_now(slo: SLO) -> bool:
    return isinstance(slo.target, TargetSchedule) and slo.target.judge_by == "now"


def _bounds(slo: SLO, series: CountSeries, step_ns: int) -> tuple[Integers, Integers]:
    """Starts and ends of the whole windows, none of which was cut by a reset of the budget."""
    nothing = np.empty(0, dtype=np.int64)
    if series.span is None:
        return nothing, nothing
    grain_ns = min(step_ns, DAY_NS)
    begin = series.span[0] // grain_ns * grain_ns
    finish = min(-(-series.span[1] // grain_ns), MAX_NS // grain_ns) * grain_ns
    if isinstance(slo.window, Calendar):
        periods = [
            (period.start_ns, period.end_ns)
            for period in slo.window.intervals(Interval(begin, finish, "left"))
            if begin <= period.start_ns and period.end_ns <= finish
        ]
        starts, ends = np.array(periods, dtype=np.int64).reshape(-1, 2).T
        lasts = ends - 1
    elif -(-(begin + slo.period_ns) // step_ns) * step_ns > finish:
        return nothing, nothing
    else:
        ends = lasts = grid((begin, finish), step_ns, begin + slo.period_ns, finish)
        starts = ends - slo.period_ns
    whole = np.ones(len(ends), dtype=np.bool_)
    for reset in slo.resets:
        whole &= ~((starts < reset.at_ns) & (reset.at_ns <= lasts))
    return starts[whole], ends[whole]
