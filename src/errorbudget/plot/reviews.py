"""What lies within a review, and the alert for little traffic: parts, a change, a delay."""

from __future__ import annotations

from typing import TYPE_CHECKING

import matplotlib as mpl
import numpy as np

from errorbudget import figures
from errorbudget.durations import HOUR_NS, format_duration
from errorbudget.plot.canvas import Picture, beside, sheet, short, silent
from errorbudget.plot.standing import PERCENTS, SPANS
from errorbudget.plot.style import ALARM, INK, MAIN, RC
from errorbudget.times import format_time

if TYPE_CHECKING:
    from errorbudget.studies.low_traffic import QuietAlert
    from errorbudget.studies.reviewed import SLOReview
    from errorbudget.studies.trend import Trend

__all__ = ["quiet_alert_figure", "reviewed_figure", "trend_figure"]


def _shares(said: str, title: str, rows: list[tuple[str, float, str]]) -> Picture:
    """Bars of shares of bad events, each with its words."""
    with mpl.rc_context(RC):
        figure, (ax,) = sheet(said, height=0.9 + 0.32 * len(rows))
        top = max(share for _, share, _ in rows)
        for row, (_, share, text) in enumerate(rows):
            ax.barh(row, 100 * share, color=ALARM, height=0.6)
            beside(ax, 100 * share, row, text)
        ax.set_yticks(range(len(rows)), [name for name, _, _ in rows])
        ax.set_ylim(len(rows) - 0.4, -0.6)
        ax.set_xlim(0, 140 * top or 1)
        ax.grid(visible=False, axis="y")
        ax.set_xlabel("bad events [%]")
        ax.set_title(title)
    return figure


def reviewed_figure(review: SLOReview) -> Picture:
    """The share of bad events in each part of the period."""
    said = f"{review.slo.name}: bad events of each part of the period"
    rows = [
        (
            format_time(part.interval.start_ns)[:10],
            float(part.counts.bad) / float(part.counts.total) if part.counts else 0.0,
            f"{part.counts.bad:,} of {part.counts.total:,}" if part.counts else "no data",
        )
        for part in review.parts
    ]
    if not any(part.counts for part in review.parts):
        return silent(said, review.why_not or "There are no events in the period.")
    return _shares(said, f"{short(review.slo.name)}: the period in parts", rows)


def trend_figure(trend: Trend) -> Picture:
    """The share of bad events before and after."""
    said = "share of bad events, before and after"
    rows = [
        (name, float(counts.bad) / float(counts.total), f"{counts.bad:,} of {counts.total:,}")
        for name, counts in (("before", trend.before), ("after", trend.after))
        if counts.total
    ]
    if not rows:
        return silent(said, "There are no events.")
    return _shares(said, str(trend)[:1].upper() + str(trend)[1:], rows)


def quiet_alert_figure(quiet: QuietAlert) -> Picture:
    """How long the alert takes to fire, by the share of events that fail."""
    said = "time to detect, by how much fails"
    least = quiet.detection_ns / quiet.alert.long
    if least >= 1:
        return silent(said, f"It fires when all of {format_duration(quiet.alert.long)} fails.")
    with mpl.rc_context(RC):
        figure, (ax,) = sheet(said, height=2.6)
        shares = np.geomspace(least, 1, 200)
        hours = quiet.detection_ns / HOUR_NS / shares
        ax.plot(100 * shares, hours, color=MAIN, label=f"waits for {quiet.wait_for:,} bad events")
        ax.axvline(100 * least, color=INK, linestyle=":", label="below this it may never fire")
        ax.set_xscale("log")
        ax.set_yscale("log")
        ticks = [hour for hour in SPANS if hours.min() / 2 <= hour <= hours.max() * 2]
        ax.set_yticks(ticks, [SPANS[hour] for hour in ticks])
        marks = [mark for mark in PERCENTS if mark >= 50 * least]
        ax.set_xticks(marks, [f"{mark:g} %" for mark in marks])
        ax.minorticks_off()
        ax.grid(visible=True, axis="both")
        ax.set_xlabel("share of events that fail, from one moment on")
        ax.set_ylabel("fires after")
        often = figures.decimal(quiet.false_pages_per_month, 2)
        ax.set_title(f"{short(quiet.alert.name)}: {often} false pages a month")
        figure.legend(loc="outside lower left", ncols=2, fontsize=8)
    return figure
