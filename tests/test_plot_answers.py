"""Pictures of every answer: what they say, that it can be read, and that nothing is lost."""

from __future__ import annotations

import re
from itertools import combinations
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import errorbudget as eb

pytest.importorskip("matplotlib", reason="missing: matplotlib; pip install 'errorbudget[plot]'")

from errorbudget.plot import draw, picture
from errorbudget.plot.canvas import Picture, _ticks
from errorbudget.plot.decimation import isolated, stretches
from errorbudget.plot.style import DARK, INK, LINES, MAIN, PAPER, SOFT, TIERS
from errorbudget.studies.pareto import policy_sweep
from errorbudget.studies.spend import daily_spend
from tests.test_cards import DAY, HISTORIES, HOUR, T0, answers

SAID = {
    "Status": ("budget left [%]", "burn rate"),
    "Report": ("Budget left: 1 of 1 missed",),
    "History": ("budget left [%]", "exhausted", "target\n99%", "Burn rates", "time (UTC)"),
    "SLO": ("fires after", "share of events that fail, from one moment on", "budget is gone"),
    "CountSeries": ("Share of bad units", "bad [%]"),
    "Backtest": ("false pages in 30 days", "spent unseen [% of a budget]"),
    "PolicyResult": ("incidents", "fires: page-fast"),
    "Recommendation": ("incidents",),
    "Forecast": ("budget left [%]", "90% of futures", "middle future", "healthy"),
    "Recovery": ("budget left [%]", "exhausted"),
    "Confidence": ("SLI [%]", "burn rate", "dot: what was seen; dashed: what decides"),
    "BurnVerdict": ("seen", "ordinary", "more than chance", "bad events"),
    "LeastTraffic": ("a single bad one fits", "100"),
    "Attribution": ("share of all bad events [%]",),
    "Ledger": ("cost [% of the budget]", "time (UTC)"),
    "DeployEffect": ("1h before", "1h after"),
    "Advice": ("share of the time [%]", "healthy", "exhausted"),
    "LintReport": ("findings",),
    "Review": ("Budget left: 1 of 1 missed",),
    "SLOReview": ("bad events [%]",),
    "Comparison": ("occurrences", "timeslices", "bad [%]; upright mark: what the target allows"),
    "CompositeStatus": ("no data", "bad [%]; upright mark: what the target allows"),
    "Trend": ("bad events [%]", "before", "after"),
    "QuietAlert": ("fires after", "below this it may never fire"),
    "Simulation": ("requests", "failed [%]", "time (UTC)"),
    "DailySpend": ("Mon", "Sun", "week that begins on (UTC); hatched: no data"),
}


def words(figure: Any) -> list[Any]:
    """Every text of a figure that is seen."""
    from matplotlib.text import Text

    figure.draw_without_rendering()
    found = []
    for text in figure.findobj(Text):
        if text.get_visible() and text.get_text().strip():
            box = text.get_window_extent()
            if box.width and box.height and _is_drawn(figure, text):
                found.append((text.get_text(), box))
    return found


def _is_drawn(figure: Any, text: Any) -> bool:
    """Ticks beyond the axes have labels that are not drawn."""
    for ax in figure.axes:
        for axis, low_high in ((ax.xaxis, ax.get_xlim()), (ax.yaxis, ax.get_ylim())):
            low, high = sorted(low_high)
            for tick in [*axis.get_major_ticks(), *axis.get_minor_ticks()]:
                if text in (tick.label1, tick.label2):
                    inside = low <= tick.get_loc() <= high
                    return inside and axis.get_visible() and ax.axison
    return True


def assert_readable(figure: Any, name: str) -> list[str]:
    """No text lies on another one, and none is cut off by the edge."""
    found = words(figure)
    sheet = figure.bbox
    for text, box in found:
        assert sheet.x0 - 1 <= box.x0, f"{name}: {text!r} is cut"
        assert box.x1 <= sheet.x1 + 1, f"{name}: {text!r} is cut"
        assert sheet.y0 - 1 <= box.y0, f"{name}: {text!r} is cut"
        assert box.y1 <= sheet.y1 + 1, f"{name}: {text!r} is cut"
    for (text, box), (other_text, other) in combinations(found, 2):
        width = min(box.x1, other.x1) - max(box.x0, other.x0)
        height = min(box.y1, other.y1) - max(box.y0, other.y0)
        assert width <= 1 or height <= 2, f"{name}: {text!r} lies on {other_text!r}"
    return [text for text, _ in found]


@pytest.fixture(scope="module")
def ten_days() -> dict[str, Any]:
    """Every answer on ten days with an outage."""
    return answers(HISTORIES["ten days"])


@pytest.mark.parametrize("name", SAID)
def test_pictures_say_what_they_show(name: str, ten_days: dict[str, Any]) -> None:
    """Each has its labels, none of them cut off or on top of another."""
    figure = ten_days[name].plot()
    said = assert_readable(figure, name)
    for part in SAID[name]:
        assert any(part in text for text in said), f"{part!r} is not in {said}"
    assert figure.said


@pytest.mark.slow
@pytest.mark.parametrize("history", ["all bad", "nothing"])
def test_little_is_drawn_too(history: str) -> None:
    """One event, or none, has a picture of everything, or one that says why not."""
    for name, answer in answers(HISTORIES[history]).items():
        if answer is not None:
            assert assert_readable(answer.plot(), name)


def slo_windows(slo: eb.SLO) -> set[str]:
    """The long windows of the alerts, as a picture names them."""
    assert slo.alerts is not None
    return {eb.durations.format_duration(alert.long) for alert in slo.alerts.alerts}


def test_a_target_of_everything_has_pictures() -> None:
    """At 100 % the burn is endless, which is drawn at the edge and said."""
    slo = eb.SLO("all", target="100%", window="7d", sli=eb.Availability())
    events = HISTORIES["ten days"]
    figure = slo.history(events, step="1h").plot()
    assert any("-inf" in text for text in assert_readable(figure, "History"))
    burn = figure.axes[2]
    windows = [one for one in burn.get_lines() if one.get_label() in slo_windows(slo)]
    peaks = [np.nanmax(one.get_ydata()) for one in windows]
    (endless,) = [
        tick
        for tick, name in zip(burn.get_yticks(), burn.get_yticklabels(), strict=True)
        if name.get_text() == "inf"
    ]
    assert max(peaks) == pytest.approx(endless)
    for answer in (slo, slo.evaluate(events), daily_spend(slo, events)):
        assert_readable(answer.plot(), type(answer).__name__)


def test_without_matplotlib_plot_names_the_cure(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error says what to install."""
    import importlib

    import errorbudget.plot as home
    from errorbudget.errors import MissingDependencyError

    def imported(name: str) -> Any:
        if name == home.__name__:
            return home
        raise ModuleNotFoundError("No module named 'matplotlib'", name="matplotlib")

    slo = eb.SLO("x", target="99%", window="7d", sli=eb.Availability())
    monkeypatch.setattr(importlib, "import_module", imported)
    with pytest.raises(MissingDependencyError, match=r"pip install 'errorbudget\[plot\]'"):
        slo.plot()


def test_what_has_no_picture_says_so() -> None:
    """A type without a picture is a clear error."""
    with pytest.raises(TypeError, match="int has no picture"):
        draw(3)


# ------------------------------------------------------------------------------ many points


@pytest.mark.parametrize("n", [1_000, pytest.param(1_000_000, marks=pytest.mark.slow)])
def test_an_incident_of_one_point_is_seen(n: int) -> None:
    """However many points there are, the dip, the spike and the alert are drawn."""
    slo = eb.SLO("api", target="99%", window="1h", sli=eb.Availability(), alerts=eb.GUIDE)
    minute = 60 * 10**9
    labels = (np.arange(n, dtype=np.int64) + 1 + T0 // minute) * minute
    good = np.full(n, 1_000)
    at = n // 3
    good[at] = 0
    series = eb.CountSeries(labels, good, np.full(n, 1_000), "1m")
    history = slo.history(series)
    figure = history.plot()
    left, sli, burn = figure.axes
    line = next(one for one in left.get_lines() if one.get_label() == "budget left")
    drawn = np.asarray(line.get_ydata())
    assert np.nanmin(drawn) == pytest.approx(100 * np.nanmin(history.remaining_ratio))
    assert len(drawn) <= 1_700
    assert np.nanmin(sli.get_lines()[0].get_ydata()) == pytest.approx(100 * np.nanmin(history.sli))
    for name in history.conditions:
        fires = history.firing(name)
        marks = [x for x in burn.get_lines() if x.get_label() == f"fires: {name}"]
        assert bool(marks) == bool(fires.any())
    assert len(picture(figure, "svg")) < 700_000


@given(
    st.lists(st.booleans(), min_size=1, max_size=3_000),
    st.integers(min_value=1, max_value=2_000),
)
def test_no_firing_instant_is_lost(flags: list[bool], buckets: int) -> None:
    """Every instant lies in a stretch, stretches are few, and none begins or ends without one."""
    column = np.array(flags)
    found = stretches(column, buckets)
    covered = np.zeros(len(column), dtype=bool)
    for first, end in found.tolist():
        covered[first:end] = True
        assert column[first]
        assert column[end - 1]
    assert covered[column].all()
    assert len(found) <= buckets + 1 + len(column) % buckets


@given(st.lists(st.one_of(st.floats(0, 1), st.just(float("nan"))), max_size=60))
def test_lonely_points_are_found(values: list[float]) -> None:
    """A point between gaps is a dot; a point beside another is part of a line."""
    column = np.array(values, dtype=np.float64)
    for place, alone in enumerate(isolated(column).tolist()):
        beside = [values[each] for each in (place - 1, place + 1) if 0 <= each < len(values)]
        known = values[place] == values[place]
        assert alone == (known and all(each != each for each in beside))


@given(st.integers(0, 10**18), st.integers(1, 10**17))
def test_axes_of_time_have_few_round_ticks(start: int, length: int) -> None:
    """At most nine, inside of the stretch, ascending, each with its own name for a day."""
    instants, names = _ticks(start, start + length)
    assert len(instants) == len(names) <= 9
    assert all(start <= each <= start + length for each in instants)
    assert instants == sorted(set(instants))


# ------------------------------------------------------------------------------ colours

_SIGHTS = {
    "all cones": np.eye(3),
    "no red": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "no green": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "no blue": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}
"""G. Machado, M. Oliveira and L. Fernandes, 2009: linear RGB as it is seen, severity 1."""


def linear(colour: str) -> Any:
    """A colour in linear RGB."""
    parts = np.array([int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)])
    return np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)


def contrast(one: str, other: str) -> float:
    """As WCAG 2 has it, 1 to 21."""
    light, dark = sorted(
        (float(linear(each) @ [0.2126, 0.7152, 0.0722]) for each in (one, other)), reverse=True
    )
    return (light + 0.05) / (dark + 0.05)


def lab(colour: Any) -> Any:
    """Linear RGB as CIE L*a*b*."""
    matrix = [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
    xyz = np.array(matrix) @ np.clip(colour, 0, 1) / [0.9505, 1, 1.089]
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def distance(one: str, other: str, sight: str) -> float:
    """How far two colours are apart to one sight, as CIE 1976 has it; 2.3 is just seen."""
    matrix = np.array(_SIGHTS[sight])
    return float(np.linalg.norm(lab(matrix @ linear(one)) - lab(matrix @ linear(other))))


@pytest.mark.parametrize("sight", _SIGHTS)
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_lines_are_told_apart(sight: str, theme: str) -> None:
    """In every sight and on both papers, any two lines are far apart."""
    lines = LINES if theme == "light" else [DARK[colour] for colour in LINES]
    for one, other in combinations(lines, 2):
        assert distance(one, other, sight) > 25, (one, other)
    for one, other in combinations(TIERS, 2):
        assert distance(one, other, sight) > 8, (one, other)


def test_everything_stands_out() -> None:
    """Letters by 4.5 to 1 and lines by 3 to 1, on light and on dark paper."""
    for letters in (INK, SOFT):
        assert contrast(letters, PAPER) >= 4.5
        assert contrast(DARK[letters], DARK[PAPER]) >= 4.5
    for colour in (*LINES, MAIN):
        assert contrast(colour, PAPER) >= 3
        assert contrast(DARK[colour], DARK[PAPER]) >= 3


def test_dark_paper_is_a_loan(ten_days: dict[str, Any]) -> None:
    """A dark file has dark colours alone, and the figure is light again after it."""
    figure = ten_days["Backtest"].plot()
    before = picture(figure, "svg")
    dark = picture(figure, "svg", theme="dark").decode()
    for colour in (INK, SOFT, PAPER):
        assert colour not in dark, colour
    assert DARK[INK] in dark
    assert picture(figure, "svg") == before


def test_a_notebook_shows_figures_in_its_own_colours(ten_days: dict[str, Any]) -> None:
    """The HTML of a figure names its colours, and its ids are its own."""
    one = ten_days["Ledger"].plot()._repr_html_()
    other = ten_days["Attribution"].plot()._repr_html_()
    assert "var(--ink)" in one
    assert INK not in one.split("</style>", 1)[1]
    ids = [set(re.findall(r'\bid="([^"]+)"', html)) for html in (one, other)]
    assert not ids[0] & ids[1]
    assert "<script" not in other


# ------------------------------------------------------------------------------ figures


def test_bars_are_the_shares(ten_days: dict[str, Any]) -> None:
    """Bars of an attribution are as long as its shares."""
    found = ten_days["Attribution"]
    bars = [patch.get_width() for patch in found.plot().axes[0].patches]
    assert bars == pytest.approx([100 * float(each.share) for each in found if each.counts.bad])


def test_the_calendar_holds_every_day(ten_days: dict[str, Any]) -> None:
    """One cell for each day, and the cost in it."""
    spend = ten_days["DailySpend"]
    figure = spend.plot()
    assert len(figure.axes[0].patches) == len(spend) == 11
    assert isinstance(figure, Picture)
    year = eb.CountSeries(
        (np.arange(1, 500) * 24 + T0 // HOUR) * HOUR, [99] * 499, [100] * 499, "1h"
    )
    long = daily_spend(eb.SLO("x", target="99%", window="30d", sli=eb.Availability()), year)
    assert any("earlier weeks not shown" in text for text in assert_readable(long.plot(), "year"))


def test_many_policies_stay_readable() -> None:
    """A sweep of a hundred policies has a front whose names do not lie on each other."""
    from errorbudget.studies.backtest import backtest

    slo = eb.SLO("api", target="99%", window="7d", sli=eb.Availability())
    policies = policy_sweep(
        budget=("0.1%", "0.5%", "1%", "2%", "5%"), long=("1h", "2h", "6h", "12h"), hold=(0, "5m")
    )
    found = backtest(slo, HISTORIES["ten days"], policies, step="5m", end=T0 + 10 * DAY)
    assert_readable(found.plot(), "sweep")


def test_a_quiet_history_shows_no_front() -> None:
    """Without an incident no policy beats another; the one to take is shown, as it is advised."""
    from errorbudget.studies.backtest import backtest

    slo = eb.SLO("api", target="99%", window="7d", sli=eb.Availability())
    calm = eb.CountSeries(T0 + (np.arange(99) + 1) * HOUR, [10] * 99, [10] * 99, "1h")
    found = backtest(slo, calm, policy_sweep(long=("1h", "6h")))
    said = assert_readable(found.plot(), "quiet sweep")
    assert f"take: {found.recommend().policy.name}" in said
    assert "policies" in said
    assert not any("front" in text for text in said)
