"""The sheet that every picture is drawn on: its size, its axis of time, its words."""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any
from zlib import crc32

import matplotlib as mpl
import numpy as np
from matplotlib.dates import date2num
from matplotlib.figure import Figure
from matplotlib.transforms import Bbox

from errorbudget.cards import framed
from errorbudget.durations import DAY_NS, HOUR_NS, MINUTE_NS, SECOND_NS
from errorbudget.plot.decimation import decimated, isolated
from errorbudget.plot.files import named_svg, picture
from errorbudget.plot.style import RC, SOFT

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    Integers = NDArray[np.int64]
    Floats = NDArray[np.float64]

__all__ = [
    "Picture",
    "aside",
    "beside",
    "dated",
    "labelled",
    "line",
    "moments",
    "sheet",
    "short",
    "silent",
]


class Picture(Figure):
    """A figure that notebooks show in their own colours, and that nobody has to close."""

    said = "figure"
    """What it shows, for who cannot see it."""

    def _repr_png_(self) -> bytes:
        sink = io.BytesIO()
        with mpl.rc_context(RC):
            self.savefig(sink, format="png", dpi=110)
        return sink.getvalue()

    def _repr_html_(self) -> str:
        drawn = picture(self, "svg")
        # One figure, one name: ids of different figures on a page do not meet.
        return framed(named_svg(drawn.decode(), name=f"f{crc32(drawn):08x}", label=self.said))


def sheet(
    said: str,
    panels: int = 1,
    *,
    width: float = 8.4,
    height: float = 1.9,
    together: bool = True,
    parts: Sequence[float] | None = None,
) -> tuple[Picture, list[Any]]:
    """
    A figure of panels below each other.

    Args:
        said: What it shows, for who cannot see it.
        panels: How many.
        width: Of the figure [in].
        height: Of a panel [in].
        together: Whether the panels share their axis of time.
        parts: Their heights against each other; by default alike.
    """
    figure = Picture(figsize=(width, height * panels + 0.5), layout="constrained")
    figure.said = said
    axes = figure.subplots(panels, 1, sharex=together, squeeze=False, height_ratios=parts)
    return figure, [ax for row in axes for ax in row]


def moments(time_ns: Any) -> Any:
    """Instants as matplotlib takes them (UTC)."""
    return np.asarray(time_ns, dtype=np.int64).astype("datetime64[ns]").astype("datetime64[ms]")


_STEPS = (
    *(SECOND_NS * n for n in (1, 5, 15, 30)),
    *(MINUTE_NS * n for n in (1, 2, 5, 10, 15, 30)),
    *(HOUR_NS * n for n in (1, 2, 3, 6, 12)),
    *(DAY_NS * n for n in (1, 2, 3, 4, 7, 14, 28)),
)


def _ticks(start_ns: int, end_ns: int) -> tuple[list[int], list[str]]:
    """At most eight round instants of a stretch, and what to call them."""
    step = next((each for each in _STEPS if each * 8 >= end_ns - start_ns), None)
    if step is None:  # first days of months, or of every so many of them
        months = np.arange(
            np.datetime64(start_ns, "ns").astype("datetime64[M]"),
            np.datetime64(end_ns, "ns").astype("datetime64[M]") + np.timedelta64(1, "M"),
        )
        months = months[:: -(-len(months) // 8)]
        instants = [int(each) for each in months.astype("datetime64[ns]").astype(np.int64)]
        names = [f"{_utc(each):%b %Y}" for each in instants]
    else:
        instants = list(range(-(-start_ns // step) * step, end_ns + 1, step))
        days = [f"{_utc(each):%d %b}" for each in instants]
        clock = "%H:%M" if step >= MINUTE_NS else "%H:%M:%S"
        hours = [f"{_utc(each):{clock}}" for each in instants]
        names = [
            day if each % DAY_NS == 0 else f"{hour}\n{day}" if not place else hour
            for place, (each, day, hour) in enumerate(zip(instants, days, hours, strict=True))
        ]
    kept = [place for place, each in enumerate(instants) if start_ns <= each <= end_ns]
    return [instants[place] for place in kept], [names[place] for place in kept]


def _utc(time_ns: int) -> dt.datetime:
    return dt.datetime(1970, 1, 1, tzinfo=dt.UTC) + dt.timedelta(microseconds=time_ns // 1_000)


def dated(axes: Sequence[Axes], start_ns: int, end_ns: int) -> None:
    """An axis of time below the panels."""
    if end_ns - start_ns < SECOND_NS:  # a single instant stands in the middle of a minute
        start_ns, end_ns = start_ns - MINUTE_NS // 2, end_ns + MINUTE_NS // 2
    instants, names = _ticks(start_ns, end_ns)
    for ax in axes:
        ax.set_xlim(*moments([start_ns, end_ns]))
        ax.set_xticks(moments(instants), names)
    axes[-1].set_xlabel("time (UTC)")


def line(ax: Axes, time_ns: Integers, values: Floats, **style: Any) -> None:
    """A line of any number of points; one that stands alone between gaps is a dot."""
    rows = decimated(values)
    ax.plot(moments(time_ns[rows]), values[rows], **style)
    dots = isolated(values[rows])
    if dots.any():
        style = {**style, "label": "_dots", "linestyle": "none", "marker": "o", "markersize": 3}
        ax.plot(moments(time_ns[rows][dots]), values[rows][dots], **style)


def aside(ax: Axes, value: float, text: str, *, colour: str = SOFT) -> None:
    """What lies at a height of the panel, in the margin beside it."""
    ax.annotate(
        text,
        (1.0, value),
        xycoords=("axes fraction", "data"),
        xytext=(4, 0),
        textcoords="offset points",
        fontsize=8,
        color=colour,
        va="center",
    )


def beside(ax: Axes, value: float, row: float, text: str) -> None:
    """What a bar says, behind its end."""
    ax.annotate(
        text,
        (value, row),
        xytext=(4, 0),
        textcoords="offset points",
        fontsize=8,
        color=SOFT,
        va="center",
    )


def short(text: str, most: int = 34) -> str:
    """A name that fits beside a picture; its middle goes first."""
    flat = " ".join(text.split())
    if len(flat) <= most:
        return flat
    head = (most - 1) // 2
    return f"{flat[:head]}…{flat[len(flat) - (most - 1 - head) :]}"


def silent(said: str, why: str) -> Picture:
    """The picture of an answer that has none: it says why."""
    with mpl.rc_context(RC):
        figure, (ax,) = sheet(said, height=0.9)
        ax.set_axis_off()
        ax.set_title(said)
        ax.text(0, 0.6, why, transform=ax.transAxes, color=SOFT, va="center", wrap=True)
    return figure


_ABOVE = ((0, 6, "center"), (6, -3, "left"), (-6, -3, "right"), (0, -13, "center"))
_BELOW = ((6, -12, "left"), (-6, -12, "right"), (8, -3, "left"), (-8, -3, "right"))


def labelled(
    ax: Axes,
    points: Sequence[tuple[Any, float, str]],
    *,
    below: bool = False,
    lines: Sequence[tuple[Any, float]] = (),
) -> None:
    """
    Names beside their points, where there is room: the first ones have the choice.

    A name that would lie on another one, or be cut off, is left out.

    Args:
        ax: The panel.
        points: Where, and what.
        below: Whether the room below is the free one.
        lines: Upright lines from 0 to a height, which names keep clear of.
    """
    figure: Any = ax.get_figure()
    figure.draw_without_rendering()
    inside = ax.get_window_extent()
    taken: list[Any] = []
    for x, height in lines:
        (left, low), (_, high) = ax.transData.transform(
            [(date2num(x), 0.0), (date2num(x), height)]  # type: ignore[no-untyped-call]
        )
        taken.append(Bbox.from_extents(left - 1, low, left + 1, high))
    for x, y, text in points:
        for dx, dy, align in _BELOW if below else _ABOVE:
            note = ax.annotate(
                text,
                (x, y),
                xytext=(dx, dy),
                textcoords="offset points",
                ha=align,
                fontsize=8,
                color=SOFT,
            )
            note.set_in_layout(False)
            box = note.get_window_extent().padded(2)
            fits = inside.x0 <= box.x0 and box.x1 <= inside.x1 and inside.y0 <= box.y0
            if fits and box.y1 <= inside.y1 and not any(box.overlaps(other) for other in taken):
                taken.append(box)
                break
            note.remove()
