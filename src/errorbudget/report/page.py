"""
The report as one HTML page that needs nothing else: no network, no other file.

Everything that comes from data is escaped by the template engine, and a content security policy in
the page forbids all that it does not bring itself: its style and its script are named by their
hashes, nothing is loaded and nothing is sent. Without the script the page is whole, only still.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING, Any

from errorbudget.durations import format_duration
from errorbudget.errors import MissingDependencyError
from errorbudget.figures import count, instant, length, percent
from errorbudget.report.chart import chart
from errorbudget.report.chart_data import chart_data
from errorbudget.report.chart_svg import chart_html, spark_svg
from errorbudget.report.wording import EVEN, STATES, Words, change_words, words

if TYPE_CHECKING:
    from errorbudget.report.chart import Chart
    from errorbudget.report.document import Document
    from errorbudget.status import Status

__all__ = ["to_html"]

CHANGES = 12
STRETCHES = 1_800
"""Stretches of time that the charts of one page keep apart, shared by its objectives."""
FEWEST, MOST = 24, 300


@dataclass(frozen=True, slots=True)
class Section:
    """
    What the page shows of one SLO.

    Attributes:
        anchor: Its address within the page.
        said: Figures and sentences.
        keys: What each column of the overview is sorted by, as JSON.
        bar: Filled part of the budget's bar [%], or None.
        tone: "good", "fair", "poor", "bad" or "none": the rank of its tier.
        chart: Its charts as markup, or empty.
        chart_note: What they show.
        spark: A small line for the overview, or empty.
        data: Figures of the charts as JSON.
        no_chart: Why there is none, or empty.
        changes: Instant, tier left, tier entered and reason of each change of tier.
        more_changes: How many earlier ones are left out.
    """

    anchor: str
    said: Words
    keys: str
    bar: float | None
    tone: str
    chart: str
    chart_note: str
    spark: str
    data: str
    no_chart: str
    changes: tuple[tuple[str, str, str, str], ...]
    more_changes: int


def to_html(document: Document) -> str:
    """
    The whole report as one page.

    Raises:
        MissingDependencyError: Jinja is not installed.
    """
    try:
        import jinja2
    except ModuleNotFoundError as error:
        raise MissingDependencyError.for_extra("an HTML report", "jinja2", "report") from error
    from errorbudget import __version__

    loader = jinja2.PackageLoader("errorbudget.report", ".")
    environment = jinja2.Environment(
        loader=loader,
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(count=count, percent=percent, instant=instant, length=length)
    style, script = (
        loader.get_source(environment, name)[0].strip() for name in ("page.css", "page.js")
    )
    stretches = max(FEWEST, min(MOST, STRETCHES // len(document.report)))
    anchors = _anchors([status.name for status in document.report])
    return environment.get_template("page.html.jinja").render(
        document=document,
        data=document.data,
        at=instant(document.report.at_ns),
        policy=_policy(style, script),
        style=style,
        script=script,
        tally=_tally(document),
        sections=[
            _section(status, anchor, document, stretches)
            for status, anchor in zip(document.report, anchors, strict=True)
        ],
        even=EVEN,
        version=__version__,
    )


def _policy(style: str, script: str) -> str:
    """The content security policy: this style, this script, and nothing from anywhere."""
    named = [
        base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        for text in (style, script)
    ]
    return (
        f"default-src 'none'; style-src 'sha256-{named[0]}'; script-src 'sha256-{named[1]}'; "
        "img-src data:; base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'"
    )


def _anchors(names: list[str]) -> list[str]:
    """
    An address for each name, readable, of letters and digits, and each once.

    Example:
        >>> _anchors(["API: availability", "api availability", "🚀"])
        ['slo-api-availability', 'slo-api-availability-2', 'slo-3']
    """
    found: list[str] = []
    for rank, name in enumerate(names, 1):
        plain = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:60].strip("-")
        anchor = f"slo-{plain}" if plain else f"slo-{rank}"
        number = 2
        while anchor in found:
            anchor, number = f"slo-{plain or rank}-{number}", number + 1
        found.append(anchor)
    return found


def _tally(document: Document) -> str:
    """How many objectives stand where, in a sentence."""
    statuses = list(document.report)
    states = [STATES[status.state] for status in statuses]
    firing = sum(any(alert.active for alert in status.alerts) for status in statuses)
    parts = [f"{states.count(state)} {state}" for state in STATES.values() if state in states]
    noun = "objective" if len(statuses) == 1 else "objectives"
    alerts = f"; alerts fire for {firing}" if firing else "; no alert fires"
    return f"{len(statuses)} {noun}: {', '.join(parts)}{alerts}."


def script_json(data: Any) -> str:
    r"""
    JSON that may stand inside a script element: no mark in it can end that element.

    Example:
        >>> script_json({"name": "</script>&"})
        '{"name":"\\u003c/script\\u003e\\u0026"}'
    """
    text = json.dumps(data, separators=(",", ":"), allow_nan=False)  # plain ASCII
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _section(status: Status, anchor: str, document: Document, stretches: int) -> Section:
    said = words(status)
    found = chart(status, document.source, stretches=stretches)
    changes = [] if found is None or status.budget is None else found.history.tier_changes()
    shown = changes[-CHANGES:]
    ratio = None if status.budget is None else status.budget.remaining_ratio
    return Section(
        anchor=anchor,
        said=said,
        keys=json.dumps(_keys(status, said)),
        bar=None if ratio is None else 100 * max(0.0, min(1.0, ratio)),
        tone=_tone(status),
        chart="" if found is None else chart_html(found, status.slo, label=_label(status, said)),
        chart_note="" if found is None else _note(found),
        spark=spark_svg(found),
        data="" if found is None else script_json(chart_data(found, status.slo)),
        no_chart=(
            "There is no chart: no data in this window."
            if not status.counts
            else "There is no chart: all there is lies at one moment, or has no course along time."
        ),
        changes=tuple(
            (
                instant(one.at_ns),
                one.before or "no data",
                one.after or "no data",
                change_words(status.slo.policy, one),
            )
            for one in shown
        ),
        more_changes=len(changes) - len(shown),
    )


def _keys(status: Status, said: Words) -> list[str | float | None]:
    """What the overview's columns are sorted by; None stands at the end either way."""
    slo, ratio = status.slo, None
    if status.budget is not None and status.counts:
        ratio = status.budget.remaining_ratio
    if ratio is not None and not isfinite(ratio):
        ratio = 1e300 if ratio > 0 else -1e300
    tier = status.policy_tier
    target = None if slo.target is None else float(slo.target_at(status.at_ns).ratio)
    sli = None if status.budget is None else status.to_dict()["sli"]
    return [
        said.name,
        ["missed", "met", "no_data"].index(status.state),
        sli,
        target,
        ratio,
        ratio,
        None if tier is None else list(slo.policy.tiers).index(tier),
        len(said.active_alerts),
    ]


def _tone(status: Status) -> str:
    tier = status.policy_tier
    if tier is None:
        return {"met": "good", "missed": "bad"}.get(status.state, "none")
    rank, last = status.slo.policy.tiers.index(tier), max(1, len(status.slo.policy.tiers) - 1)
    return ("good", "fair", "poor", "bad")[round(3 * rank / last)]


def _label(status: Status, said: Words) -> str:
    if status.budget is None:
        return f"{said.name}: the measured figures over time against their bounds"
    left = f"budget left over time, ending at {said.remaining}; " if status.counts else ""
    return (
        f"{said.name}: {left}SLI against its target; burn rates against the thresholds of the "
        "alerts; when alerts fired"
    )


def _note(found: Chart) -> str:
    """What the charts cover, and what was left out of them."""
    text = (
        f"{instant(found.start_ns)} to {instant(found.end_ns)}, looked at every "
        f"{format_duration(found.step_ns)}."
    )
    if len(found.time_ns) == found.moments:
        return text
    return (
        f"{text} Of {count(found.moments)} moments {count(len(found.time_ns))} are drawn: the "
        "highest and the lowest of every stretch, so no incident is missing."
    )
