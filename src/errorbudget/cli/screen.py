"""
The report for a terminal: an overview, then one block for each SLO.

Colour only where a terminal takes it (and NO_COLOR is not set); a pipe gets plain text that is not
wrapped, so that it can be searched; a terminal that knows only ASCII gets ASCII.
"""

from __future__ import annotations

import io
import os
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich import box
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from errorbudget.cli.outputs import is_terminal
from errorbudget.figures import count, instant, length, percent, printable
from errorbudget.report.burn_down import burn_down
from errorbudget.report.wording import EVEN, Words, words

if TYPE_CHECKING:
    from errorbudget.report.document import DataSummary, Document
    from errorbudget.status import Status

__all__ = ["Marks", "brief_screen", "console_for", "marks_for", "screen"]

PIPE_WIDTH = 200
NARROW = 72
WIDE = 100
_ASCII_HEAD = box.Box("\n".join(["    ", "    ", " -- ", *["    "] * 5]), ascii=True)
_LABEL = 13
_STATE_STYLE = {"met": "green", "missed": "bold red", "no data": "dim"}
_TIER_STYLE = {
    "healthy": "green",
    "high": "green",
    "consuming": "yellow",
    "medium": "yellow",
    "low": "dark_orange",
    "exhausted": "bold red",
    "critical": "bold red",
}


@dataclass(frozen=True, slots=True)
class Marks:
    """The signs that a terminal can show."""

    full: str
    empty: str
    levels: str
    warning: str
    firing: str
    rule: str
    states: tuple[tuple[str, str], ...]

    def state(self, name: str) -> str:
        """The sign before a state."""
        return dict(self.states)[name]


UNICODE = Marks(
    "█", "░", "▁▂▃▄▅▆▇█", "!", "●", "─", (("met", "✓"), ("missed", "✗"), ("no data", "○"))
)
ASCII = Marks(
    "#", ".", "_.-=+*%#", "!", "*", "-", (("met", "+"), ("missed", "x"), ("no data", "o"))
)


def console_for(*, to_file: bool) -> Console:
    """A console that writes into memory as the real standard output would take it."""
    terminal = not to_file and is_terminal(sys.stdout)
    encoding = "utf-8" if to_file else getattr(sys.stdout, "encoding", None) or "utf-8"
    sink = _Sink(encoding)
    if terminal:
        return Console(file=sink, force_terminal=True, highlight=False, markup=False, emoji=False)
    columns = os.environ.get("COLUMNS", "")
    width = int(columns) if columns.isdigit() and int(columns) and not to_file else PIPE_WIDTH
    # For logs of CI, which are no terminal and show colours: https://force-color.org
    coloured = bool(os.environ.get("FORCE_COLOR")) and not to_file
    return Console(
        file=sink,
        width=width,
        force_terminal=coloured,
        color_system="standard" if coloured and not os.environ.get("NO_COLOR") else None,
        highlight=False,
        markup=False,
        emoji=False,
    )


class _Sink(io.StringIO):
    """Text in memory that answers for the encoding of where it will go."""

    def __init__(self, encoding: str) -> None:
        super().__init__()
        self._encoding = encoding

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return self._encoding


def marks_for(console: Console) -> Marks:
    """The signs that *console* can show."""
    return UNICODE if console.encoding.lower().replace("-", "").startswith("utf") else ASCII


def screen(document: Document, *, to_file: bool = False) -> str:
    """The whole report as text, with colour where the terminal takes it."""
    console = console_for(to_file=to_file)
    marks = marks_for(console)
    said = [words(status) for status in document.report]
    if document.data is not None:
        console.print(_data(document.data, console))
        console.print()
    for note in document.notes:
        console.print(Text(note, style="dim"))
    console.print()
    console.print(_overview(said, console, marks))
    for status, one in zip(document.report, said, strict=True):
        console.print()
        console.print(_heading(one, console, marks))
        console.print(_block(status, one, document, console, marks))
    if any(one.time_note for one in said):
        console.print()
        console.print(Text(f"Budgets in time: {EVEN}.", style="dim"))
    return _text_of(console)


def brief_screen(document: Document) -> str:
    """The report at a glance, for a live view: overview, burn-downs, alerts that fire."""
    console = console_for(to_file=False)
    marks = marks_for(console)
    said = [words(status) for status in document.report]
    if document.data is not None and document.data.span is not None:
        console.print(
            Text(f"{count(document.data.events)} events until {instant(document.data.span[1])}")
        )
    console.print(Text(f"judged at {instant(document.report.at_ns)}", style="dim"))
    console.print()
    console.print(_overview(said, console, marks))
    console.print()
    for status, one in zip(document.report, said, strict=True):
        grid = _grid()
        _add_lines(grid, status, document, console, marks)
        if grid.row_count:
            console.print(Text(one.name, style="bold"))
            console.print(Padding(grid, (0, 0, 0, 2)))
    for one in said:
        for alert in one.active_alerts:
            text = (
                f"{marks.firing} {one.name}: {alert.name} fires ({alert.condition}: {alert.rates})"
            )
            console.print(Text(text, style="bold red"))
    return _text_of(console)


def _text_of(console: Console) -> str:
    """What was printed; padding at the end of a line is of no use to anybody."""
    text = console.file
    assert isinstance(text, io.StringIO)  # noqa: S101 - `console_for` made it
    return "\n".join(line.rstrip() for line in text.getvalue().splitlines()) + "\n"


def _grid() -> Table:
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(style="cyan", no_wrap=True)
    table.add_column(overflow="fold")
    return table


def _data(data: DataSummary, console: Console) -> RenderableType:
    grid = _grid()
    for line in data.described_files():
        grid.add_row("read", Text(printable(line)))
    grid.add_row("events", count(data.events))
    if data.span is not None:
        stretch = length(data.span[1] - data.span[0])
        grid.add_row("span", f"{instant(data.span[0])} to {instant(data.span[1])} ({stretch})")
    if data.statuses:
        shares = [
            f"{name} {count(n)} ({percent(n / data.events)})" for name, n in data.classes.items()
        ]
        grid.add_row("statuses", _joined(shares, console.width - _LABEL))
        codes = [f"{code}: {count(n)}" for code, n in data.top_codes()]
        more = len(data.statuses) - len(codes)
        grid.add_row(
            "top codes",
            _joined([*codes, *([f"{more} more"] if more else [])], console.width - _LABEL),
        )
    if data.without_status:
        grid.add_row("no status", f"{count(data.without_status)} events")
    if data.without_duration:
        grid.add_row("no duration", f"{count(data.without_duration)} events")
    for note in data.told():
        grid.add_row("note", Text(printable(note)))
    for name, number, why, text in data.samples[:3]:
        grid.add_row("", Text(f"{name}:{number}: {why}: {text}", style="dim"))
    if len(data.samples) > 3:
        grid.add_row("", Text(f"... and {data.skipped - 3:,} more", style="dim"))
    return grid


def _joined(parts: list[str], width: int) -> Text:
    """Parts side by side; a line breaks between them and not inside."""
    lines: list[str] = []
    for part in parts:
        if lines and len(lines[-1]) + 2 + len(part) <= width:
            lines[-1] += f"  {part}"
        else:
            lines.append(part)
    return Text("\n".join(lines))


def _overview(said: list[Words], console: Console, marks: Marks) -> RenderableType:
    if console.width < NARROW:
        return Group(*(_brief(one, marks) for one in said))
    wide = console.width >= WIDE
    table = Table(
        box=box.SIMPLE_HEAD if marks is UNICODE else _ASCII_HEAD,
        pad_edge=False,
        padding=(0, 1, 0, 0),
        header_style="bold",
        show_edge=False,
    )
    table.add_column("SLO", overflow="fold")
    table.add_column("state", no_wrap=True)
    if wide:
        table.add_column("target", no_wrap=True, justify="right")
    for name in ("SLI", "budget left"):
        table.add_column(name, no_wrap=True, justify="right")
    table.add_column("tier", no_wrap=True)
    table.add_column("alerts", no_wrap=True)
    for one in said:
        figures = "\n".join(f"{m.name} {m.value}" for m in one.measurements)
        bounds = "\n".join(f"{m.name} {m.bound}" for m in one.measurements)
        table.add_row(
            Text(one.name),
            _state(one.state, marks),
            *([bounds or one.target] if wide else []),
            figures or one.sli,
            "none" if one.threshold_based else one.remaining,
            _tier_name(one),
            _firing(one, "\n"),
        )
    return table


def _brief(one: Words, marks: Marks) -> Text:
    """One SLO in two lines, for a terminal that is too narrow for a table."""
    text = Text.assemble(
        (f"{marks.state(one.state)} ", _STATE_STYLE[one.state]), (one.name, "bold")
    )
    if one.threshold_based:
        figures = (f"{m.name} {m.value} ({m.bound})" for m in one.measurements)
        return text.append(f": {one.state}\n  {', '.join(figures)}")
    text.append(f": {one.remaining} left, ").append_text(_tier_name(one))
    text.append(f"\n  SLI {one.sli} of {one.target}; alerts: ")
    return text.append_text(_firing(one, ", "))


def _tier_name(one: Words) -> Text:
    tier = "threshold" if one.threshold_based else one.tier.partition(" (")[0]
    return Text(tier, style=_TIER_STYLE.get(tier, ""))


def _firing(one: Words, between: str) -> Text:
    names = [alert.name for alert in one.active_alerts]
    return Text(between.join(names), style="bold red") if names else Text("none")


def _state(state: str, marks: Marks) -> Text:
    return Text(f"{marks.state(state)} {state}", style=_STATE_STYLE[state])


def _heading(one: Words, console: Console, marks: Marks) -> RenderableType:
    text = Text.assemble((f"{marks.rule * 2} {one.name} ", "bold"), _state(one.state, marks), " ")
    text.append(marks.rule * max(0, min(console.width, 100) - text.cell_len), style="dim")
    return text


def _block(
    status: Status, one: Words, document: Document, console: Console, marks: Marks
) -> RenderableType:
    grid = _grid()
    grid.add_row("objective", Text(one.promise))
    if one.description:
        grid.add_row("", Text(one.description, style="dim"))
    for figure in one.measurements:
        text = Text(f"{figure.value} ({figure.bound}, margin {figure.margin}) ")
        grid.add_row(Text(figure.name, style="cyan"), text + _state(figure.state, marks))
    if one.threshold_based:
        grid.add_row("budget", f"none: a threshold objective; {one.counts}")
    else:
        grid.add_row("SLI", Text(f"{one.sli}  ({one.counts})" if one.sli != "-" else "-"))
        grid.add_row("spent", Text(one.spent))
        grid.add_row("left", Text(one.left))
        _add_lines(grid, status, document, console, marks)
        if one.projected:
            grid.add_row("projected", Text(one.projected))
        grid.add_row("burn rate", _burn(one, console))
        grid.add_row("tier", _tier(one.tier, one.actions))
        grid.add_row("risk", _tier(one.risk, one.risk_actions))
        grid.add_row("alerts", _alerts(one, console, marks))
    if one.warning_target:
        grid.add_row("warning target", Text(one.warning_target))
    covered = f"{one.coverage} of the window {one.window} was observed"
    grid.add_row("coverage", Text(covered if one.coverage != "-" else one.window))
    for name, value in one.details:
        grid.add_row(Text(name), Text(value))
    for warning in one.warnings:
        grid.add_row("note", Text(f"{marks.warning} {warning}", style="yellow"))
    return Padding(grid, (0, 0, 0, 0 if console.width < NARROW else 2))


def _add_lines(
    grid: Table, status: Status, document: Document, console: Console, marks: Marks
) -> None:
    """The budget as a bar, and how it was spent as a line."""
    budget = status.budget
    ratio = None if budget is None else budget.remaining_ratio
    if ratio is None or ratio in (float("inf"), float("-inf")):
        return
    width = 20 if console.width < NARROW else 40
    cells = min(width, max(0, int(ratio * width)))
    cells = max(cells, 1) if ratio > 0 else 0
    tier = status.tier or ""
    bar = Text(marks.full * cells, style=_TIER_STYLE.get(tier, ""))
    bar.append(marks.empty * (width - cells), style="dim")
    grid.add_row("", bar)
    line = burn_down(status, document.source, points=width)
    if line is None:
        return
    shares = line.remaining_ratio.tolist()
    low = min(0.0, shares[-1])
    top = len(marks.levels) - 1
    # Rounded down, so that only an untouched budget is full.
    spark = "".join(marks.levels[int((share - low) / (1 - low) * top)] for share in shares)
    seen = length(int(line.time_ns[-1] - line.time_ns[0]))
    grid.add_row("burn-down", Text(f"{spark}  over {seen}"))


def _burn(one: Words, console: Console) -> RenderableType:
    if not one.burn:
        return Text("-")
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), show_header=True)
    if console.width < NARROW:
        parts = [f"{window}: {value}" for window, value in one.burn]
        return _joined(parts, console.width - _LABEL - 2)
    for window, _ in one.burn:
        table.add_column(window, justify="right", header_style="dim")
    table.add_row(*(value for _, value in one.burn))
    return table


def _tier(name: str, actions: tuple[tuple[str, str], ...]) -> RenderableType:
    tier = name.partition(" (")[0]
    head = Text(name, style=_TIER_STYLE.get(tier, ""))
    lines = [Text(f"{topic}: {text}") for topic, text in actions]
    return Group(head, *lines)


def _alerts(one: Words, console: Console, marks: Marks) -> RenderableType:
    if not one.alerts:
        return Text("none defined")
    if console.width < NARROW:
        return Group(
            *(
                Text(
                    f"{marks.firing if alert.active else ' '} {alert.name} ({alert.severity}): "
                    f"{alert.state}; {alert.condition}; {alert.rates}",
                    style="bold red" if alert.active else "",
                )
                for alert in one.alerts
            )
        )
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), show_header=False)
    for alert in one.alerts:
        table.add_row(
            Text(marks.firing if alert.active else " "),
            alert.name,
            alert.severity,
            Text(alert.state),
            Text(alert.condition),
            Text(alert.rates),
            style="bold red" if alert.active else "",
        )
    return table
