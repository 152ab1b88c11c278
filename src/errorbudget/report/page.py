"""
The report as one HTML page that needs nothing else: no network, no script, no other file.

Everything that comes from data is escaped by the template engine. Pictures are SVG in the page, in
its colours, light and dark; without matplotlib the page has none and says so.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from errorbudget.durations import DAY_NS, HOUR_NS, MINUTE_NS
from errorbudget.errors import ErrorBudgetError, MissingDependencyError
from errorbudget.figures import count, instant, length, percent
from errorbudget.report.wording import EVEN, Words, change_words, words

if TYPE_CHECKING:
    from errorbudget.history import History
    from errorbudget.report.document import Document
    from errorbudget.status import Status

__all__ = ["to_html"]

MAX_POINTS = 9_000
THRESHOLD_POINTS = 150
CHANGES = 12
_STEPS = tuple(
    n * unit
    for unit, steps in (
        (MINUTE_NS, (1, 2, 5, 10, 15, 30)),
        (HOUR_NS, (1, 2, 3, 6, 12)),
        (DAY_NS, (1, 2, 7)),
    )
    for n in steps
)


@dataclass(frozen=True, slots=True)
class Section:
    """
    What the page shows of one SLO.

    Attributes:
        anchor: Its address within the page.
        said: Figures and sentences.
        bar: Filled part of the budget's bar [%], or None.
        tone: "good", "fair", "poor", "bad" or "none": the rank of its tier.
        chart: An `<svg>` element, or empty.
        no_chart: Why there is none, or empty.
        changes: Instant, tier left, tier entered and reason of each change of tier.
        more_changes: How many earlier ones are left out.
    """

    anchor: str
    said: Words
    bar: float | None
    tone: str
    chart: str
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

    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("errorbudget.report", "."),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(count=count, percent=percent, instant=instant, length=length)
    style, _, _ = environment.loader.get_source(environment, "page.css")  # type: ignore[union-attr]
    return environment.get_template("page.html.jinja").render(
        document=document,
        data=document.data,
        at=instant(document.report.at_ns),
        style=style,
        sections=[
            _section(status, f"slo-{rank}", document)
            for rank, status in enumerate(document.report, 1)
        ],
        even=EVEN,
        version=__version__,
    )


def _section(status: Status, anchor: str, document: Document) -> Section:
    said = words(status)
    history, chart, why = _history(status, document), "", ""
    if history is None:
        why = "There is no picture: no data in this window."
    else:
        try:
            chart = _chart(status, document, history, anchor)
        except MissingDependencyError as error:
            why = f"There is no picture: {error}."
    changes = [] if history is None or status.budget is None else history.tier_changes()
    shown = changes[-CHANGES:]
    ratio = None if status.budget is None else status.budget.remaining_ratio
    return Section(
        anchor,
        said,
        None if ratio is None else 100 * max(0.0, min(1.0, ratio)),
        _tone(status),
        chart,
        why,
        tuple(
            (
                instant(one.at_ns),
                one.before or "no data",
                one.after or "no data",
                change_words(status.slo.policy, one),
            )
            for one in shown
        ),
        len(changes) - len(shown),
    )


def _tone(status: Status) -> str:
    tier = status.policy_tier
    if tier is None:
        return {"met": "good", "missed": "bad"}.get(status.state, "none")
    rank, last = status.slo.policy.tiers.index(tier), max(1, len(status.slo.policy.tiers) - 1)
    return ("good", "fair", "poor", "bad")[round(3 * rank / last)]


def _history(status: Status, document: Document) -> History | None:
    """The history over the observed part of the judged window; None without data."""
    if not status.counts:
        return None
    span = getattr(document.source, "span", None)
    ask: Any = getattr(document.source, "history", None)
    if span is None or ask is None:
        return None
    start = max(status.interval.start_ns, span[0])
    most = MAX_POINTS if status.budget is not None else THRESHOLD_POINTS
    wanted = max(1, status.interval.end_ns - start)
    step = next((size for size in _STEPS if size * most >= wanted), _STEPS[-1])
    if start // step == status.interval.end_ns // step:
        return None
    from errorbudget.durations import format_duration

    try:
        found: History = ask(
            status.slo, step=format_duration(step), start=start, end=status.interval.end_ns
        )
    except ErrorBudgetError:
        return None  # counts alone cannot tell what a threshold asks for
    return found


def _chart(status: Status, document: Document, history: History, anchor: str) -> str:
    from errorbudget import plot

    figure = plot.status_figure(status, document.source, history)
    said = words(status)
    label = (
        f"{status.name}: budget left over time, ending at {said.remaining}; "
        "SLI against its target; burn rates against the thresholds of the alerts"
        if status.budget is not None
        else f"{status.name}: the measured figures over time against their bounds"
    )
    return plot.inline_svg(figure, name=anchor.replace("-", ""), label=label)
