"""Pictures: their content, not only that they are there."""

from __future__ import annotations

import io
import re
import runpy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import errorbudget as eb

pytest.importorskip("matplotlib", reason="missing: matplotlib; pip install 'errorbudget[plot]'")

from errorbudget.plot import history_figure, picture, status_figure
from errorbudget.plot.decimation import decimated
from errorbudget.plot.files import named_svg
from errorbudget.plot.style import Theme

T0 = 1_772_366_400_000_000_000
MINUTE = 60 * 10**9


@pytest.fixture(scope="module")
def events() -> eb.Events:
    """Two days of a request a minute with an outage of 20 minutes."""
    times = [T0 + n * MINUTE for n in range(2_880)]
    status = [500 if 1_000 <= n < 1_020 else 200 for n in range(2_880)]
    return eb.Events(time=times, status=status, duration_s=np.linspace(0.01, 0.4, 2_880))


SLO = eb.SLO("api", target="99%", window="2d", sli=eb.Availability(), alerts=eb.WORKBOOK)


def texts(figure: Any) -> str:
    """Every word of a figure."""
    svg = picture(figure, "svg").decode()
    return " ".join(re.findall(r">([^<>\n]+)</(?:text|tspan)>", svg))


def test_history_shows_target_tiers_and_thresholds(events: eb.Events) -> None:
    """Panels, tiers, target and thresholds are named in the picture."""
    said = texts(history_figure(SLO.history(events, step="5m")))
    for part in ("budget left", "healthy", "exhausted", "SLI", "99%", "Burn rates", "time (UTC)"):
        assert part in said
    assert "4m, alert &gt; 14.4" in said
    assert "page-fast fired" in said


def test_a_history_plots_itself(events: eb.Events) -> None:
    """`History.plot()` gives a figure that a notebook shows as PNG."""
    figure = SLO.history(events, step="1h").plot()
    assert figure._repr_png_().startswith(b"\x89PNG")
    assert len(figure.axes) == 3


def test_threshold_objectives_show_their_bounds(events: eb.Events) -> None:
    """Each figure has a panel with its bound."""
    slo = eb.SLO("p", window="1d", sli=eb.LatencyQuantile({"p95": "300ms", "p99": "500ms"}))
    figure = history_figure(slo.history(events, step="6h"))
    said = texts(figure)
    assert len(figure.axes) == 2
    for part in ("p95", "p99", "300 ms", "500 ms"):
        assert part in said
    one = eb.SLO("r", window="1h", sli=eb.Throughput(above=10))
    assert len(history_figure(one.history(events, step="6h")).axes) == 1


def test_status_figure_ends_at_the_status(events: eb.Events) -> None:
    """The drawn line of the budget ends at what the status says is left."""
    status = SLO.evaluate(events)
    assert status.budget is not None
    figure = status_figure(status, events, SLO.history(events, step="5m"))
    line = next(line for line in figure.axes[0].get_lines() if line.get_label() == "budget left")
    drawn = np.asarray(line.get_ydata(), dtype=float)
    assert drawn[-1] == pytest.approx(100 * (status.budget.remaining_ratio or 0))
    assert drawn[0] == pytest.approx(100)


def test_words_do_not_overlap(events: eb.Events) -> None:
    """No two texts of the picture lie on each other, and none is cut off."""
    figure = status_figure(SLO.evaluate(events), events, SLO.history(events, step="5m"))
    figure.draw_without_rendering()
    boxes = [
        text.get_window_extent()
        for ax in figure.axes
        for text in (ax.title, ax._left_title, ax.xaxis.label, ax.yaxis.label, *ax.texts)
        if text.get_text() and text.get_visible()
    ]
    whole = figure.bbox
    for number, box in enumerate(boxes):
        assert whole.x0 <= box.x0 + 1
        assert box.x1 <= whole.x1 + 1
        for other in boxes[number + 1 :]:
            width = min(box.x1, other.x1) - max(box.x0, other.x0)
            height = min(box.y1, other.y1) - max(box.y0, other.y0)
            assert width <= 1 or height <= 2, "two texts overlap"


def test_an_svg_in_a_page_takes_the_pages_colours(events: eb.Events) -> None:
    """No fixed ink, every id with its prefix, every reference answered."""
    figure = history_figure(SLO.history(events, step="1h"))
    svg = named_svg(picture(figure, "svg").decode(), name="a1", label='budget of "api" <1>')
    assert svg.startswith("<svg")
    assert "#1b1f24" not in svg
    assert "var(--ink)" in svg
    assert 'aria-label="budget of &quot;api&quot; &lt;1&gt;"' in svg
    ids = re.findall(r'\bid="([^"]+)"', svg)
    assert ids
    assert all(one.startswith("a1-") for one in ids)
    for wanted in re.findall(r'(?:url\(#|href="#)([^)"]+)', svg):
        assert wanted in ids
    assert not re.search(r'(?<!xlink:)href="', svg)  # the scripts of some pages write to each


@given(st.lists(st.one_of(st.floats(-1e6, 1e6), st.just(float("nan"))), min_size=1, max_size=400))
def test_decimation_loses_no_extreme(values: list[float]) -> None:
    """However few points are kept, highest, lowest, first and last are among them."""
    column = np.array(values)
    kept = decimated(column, buckets=5)
    assert (np.diff(kept) > 0).all()
    assert kept[0] == 0
    assert kept[-1] == len(values) - 1
    if not np.isnan(column).all():
        assert np.nanmax(column[kept]) == np.nanmax(column)
        assert np.nanmin(column[kept]) == np.nanmin(column)
    assert np.isnan(column[kept]).any() == np.isnan(column).any()


@pytest.mark.parametrize("n", [1, 2, 1_000, 200_000])
def test_any_number_of_points_is_drawn(n: int) -> None:
    """One point, a thousand, or many: a picture of a bounded size."""
    rng = np.random.default_rng(1)
    events = eb.Events(
        time=T0 + np.sort(rng.integers(0, 2 * 86_400, n)) * 10**9,
        status=np.where(rng.random(n) < 0.02, 500, 200),
    )
    history = SLO.history(events, step="1m" if n > 2 else "1h", end=T0 + 2 * 86_400 * 10**9)
    assert len(history_figure(history)._repr_html_()) < 400_000


def test_the_readmes_picture_is_what_is_drawn_today() -> None:
    """docs/images/burn-down.png and its dark partner look as `make pictures` would draw them."""
    import matplotlib as mpl
    from matplotlib.image import imread

    if mpl.__version_info__ < (3, 11):
        pytest.skip("older releases set the same texts a pixel apart")
    home = Path(__file__).parents[1] / "docs"
    if not home.is_dir():
        pytest.skip("no docs beside the tests")
    figure = runpy.run_path(str(home / ".pictures.py"))["burn_down"]()
    themes: list[tuple[str, Theme]] = [("burn-down", "light"), ("burn-down-dark", "dark")]
    for name, theme in themes:
        drawn = imread(io.BytesIO(picture(figure, theme=theme)))
        kept = imread(home / "images" / f"{name}.png")
        assert kept.shape == drawn.shape
        assert np.abs(kept - drawn).mean() < 0.01


def test_an_alert_of_one_instant_leaves_a_mark() -> None:
    """However short it fired on however long an axis, there are pixels of it."""
    n = 1_440 * 30
    bad = np.where(np.arange(n) == 20_000, 1_000, 0)
    slo = eb.SLO("api", target="99.9%", window="30d", sli=eb.Ratio(), alerts=eb.WORKBOOK)
    labels = T0 + np.arange(1, n + 1) * MINUTE
    history = slo.history(eb.CountSeries(labels, 1_000 - bad, np.full(n, 1_000), MINUTE))
    figure = history_figure(history)
    fired = [name for name in history.conditions if history.firing(name).any()]
    assert fired
    figure.savefig(io.BytesIO(), format="png")
    burn = figure.axes[2]
    for name in fired:
        (bar,) = [one for one in burn.get_lines() if one.get_label() == f"fires: {name}"]
        for other in burn.get_children():
            other.set_visible(other is bar)
        sink = io.BytesIO()
        figure.savefig(sink, format="rgba", dpi=100)
        pixels = np.frombuffer(sink.getvalue(), dtype=np.uint8).reshape(-1, 4)[:, :3].astype(int)
        orange = (np.abs(pixels - [0xD5, 0x5E, 0x00]).sum(axis=1) < 60).sum()
        assert orange >= 3, name
