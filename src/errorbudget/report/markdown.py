"""The report as Markdown, for pull requests, chats and mail."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from errorbudget.figures import count, instant, length, percent
from errorbudget.report.wording import Words, words

if TYPE_CHECKING:
    from errorbudget.report.document import DataSummary, Document

__all__ = ["escaped", "to_markdown"]

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~&])")
MARKS = {"met": "✅ met", "missed": "❌ missed", "no data": "➖ no data"}


def escaped(text: str) -> str:
    r"""
    Text that Markdown shows as it is, on one line.

    Example:
        >>> print(escaped("a|b *c* <script>"))
        a\|b \*c\* \<script\>
    """
    return _SPECIAL.sub(r"\\\1", " ".join(text.split()))


def to_markdown(document: Document) -> str:
    """The whole report: an overview as a table, then a section for each SLO."""
    said = [words(status) for status in document.report]
    parts = [f"# {escaped(document.title)}", ""]
    parts += [f"{escaped(note)}  " for note in document.notes]
    if document.data is not None:
        parts += ["", *_data(document.data)]
    parts += ["", "## Overview", "", *_overview(said)]
    for one in said:
        parts += ["", *_section(one)]
    return "\n".join(parts).rstrip() + "\n"


def _table(head: list[str], rows: list[list[str]], right: tuple[int, ...] = ()) -> list[str]:
    marks = ["---:" if column in right else "---" for column in range(len(head))]
    return [f"| {' | '.join(row)} |" for row in (head, marks, *rows)]


def _data(data: DataSummary) -> list[str]:
    rows = [["events", count(data.events)]]
    if data.span is not None:
        stretch = length(data.span[1] - data.span[0])
        rows.append(["span", f"{instant(data.span[0])} to {instant(data.span[1])} ({stretch})"])
    if data.statuses:
        shares = [
            f"{name} {count(n)} ({percent(n / data.events)})" for name, n in data.classes.items()
        ]
        rows.append(["statuses", ", ".join(shares)])
    rows += [["read", escaped(line)] for line in data.described_files()]
    lines = _table(["data", ""], rows)
    lines += ["", *(f"- {escaped(note)}" for note in data.told())] if data.notes else []
    return lines


def _overview(said: list[Words]) -> list[str]:
    rows = [
        [
            escaped(one.name),
            MARKS[one.state],
            escaped(one.target if not one.threshold_based else one.promise),
            one.sli if not one.threshold_based else _figures(one),
            one.remaining,
            escaped(one.tier),
            escaped(", ".join(alert.name for alert in one.active_alerts) or "none"),
        ]
        for one in said
    ]
    head = ["SLO", "state", "target", "SLI", "budget left", "tier", "alerts"]
    return _table(head, rows, right=(3, 4))


def _figures(one: Words) -> str:
    return ", ".join(f"{escaped(m.name)} {m.value}" for m in one.measurements)


def _section(one: Words) -> list[str]:
    lines = [f"## {escaped(one.name)}: {one.state}", ""]
    if one.description:
        lines += [escaped(one.description), ""]
    rows = [["objective", escaped(one.promise)], ["window", one.window]]
    if one.threshold_based:
        rows += [
            [escaped(m.name), f"{m.value} ({escaped(m.bound)}: {m.state}, margin {m.margin})"]
            for m in one.measurements
        ]
        rows.append(["budget", "none: a threshold objective"])
    elif one.state == "no data":
        rows.append(["SLI", f"no data against {escaped(one.target)}"])
    else:
        rows += [
            ["SLI", f"{one.sli} of {escaped(one.target)}; {one.counts}"],
            ["spent", one.spent],
            ["left", one.left],
        ]
        if one.projected:
            rows.append(["projected", one.projected])
        rows.append(["burn rates", ", ".join(f"{window} {value}" for window, value in one.burn)])
        rows.append(["tier", f"**{escaped(one.tier)}**: {_said(one.actions)}"])
        rows.append(["risk", f"{escaped(one.risk)}: {_said(one.risk_actions)}"])
    if one.warning_target:
        rows.append(["warning target", escaped(one.warning_target)])
    rows.append(["coverage", one.coverage])
    rows += [[escaped(name), escaped(value)] for name, value in one.details]
    lines += _table(["", ""], rows)
    if one.alerts:
        lines += [
            "",
            *_table(
                ["alert", "severity", "condition", "burn", "state"],
                [
                    [
                        escaped(alert.name),
                        escaped(alert.severity),
                        escaped(alert.condition),
                        alert.rates,
                        f"**{alert.state}**" if alert.active else escaped(alert.state),
                    ]
                    for alert in one.alerts
                ],
            ),
        ]
    lines += ["", *(f"- ⚠ {escaped(warning)}" for warning in one.warnings)] if one.warnings else []
    if one.time_note:
        lines += ["", f"*Times: {one.time_note}.*"]
    return lines


def _said(actions: tuple[tuple[str, str], ...]) -> str:
    return "; ".join(f"{escaped(topic)}: {escaped(text)}" for topic, text in actions) or "-"
