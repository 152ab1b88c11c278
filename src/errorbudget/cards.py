"""
What an answer shows of itself in a notebook: one card, as HTML and as plain text.

A type says in `_card()` what it has to say: a title, sentences, a table. How that looks is decided
here once, for light and dark pages. Colours of letters are the page's own, every text is escaped,
and there is no script. Pictures are faces, which this floor has not heard of: `plot` looks the
right one up by the name of the type.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from errorbudget.columns import Columns

__all__ = ["STYLE", "Card", "Shown", "framed", "text_table"]

MOST_ROWS = 60

_LIGHT = (
    "--good:#00694a;--fair:#7a5200;--poor:#a63c00;--bad:#8c1d40;--line:#0072b2;"
    "--c1:#d55e00;--c2:#3b125e;--c3:#0095ff;--c4:#006d4a;--c5:#aa5696;--c6:#6d0300"
)
_DARK = (
    "--good:#4fd6a5;--fair:#f2c14e;--poor:#ff9a5c;--bad:#ff8fab;--line:#56b4e9;"
    "--c1:#e55f0f;--c2:#fdff5f;--c3:#43ceff;--c4:#438f5e;--c5:#ffb8be;--c6:#9369fd"
)
_SHADES = "--soft:color-mix(in srgb,currentColor 72%,transparent);"
_GRID = "--grid:color-mix(in srgb,currentColor 20%,transparent)"

STYLE = (
    f".eb{{{_LIGHT};--ink:currentColor;{_SHADES}{_GRID};--letters:inherit;"
    "color:inherit;max-width:60em;margin:.5em 0;line-height:1.45;font-size:.93em}"
    f"@media(prefers-color-scheme:dark){{.eb{{{_DARK}}}}}"
    # What the page says of itself outranks what the system prefers.
    "[data-jp-theme-light=true] .eb,.vscode-light .eb,[data-md-color-scheme=default] .eb"
    f"{{{_LIGHT}}}"
    "[data-jp-theme-light=false] .eb,.vscode-dark .eb,[data-md-color-scheme=slate] .eb"
    f"{{{_DARK}}}"
    ".eb .eb-title{font-weight:600;margin:0 0 .2em}"
    ".eb p{margin:.15em 0;color:inherit}"
    ".eb .eb-tag{font-weight:600;border:1px solid currentColor;border-radius:.7em;"
    "padding:0 .6em;margin-left:.5em;font-size:.88em;white-space:nowrap}"
    ".eb .eb-good{color:var(--good)}.eb .eb-fair{color:var(--fair)}"
    ".eb .eb-poor{color:var(--poor)}.eb .eb-bad{color:var(--bad)}"
    ".eb .eb-rows{overflow-x:auto}"
    ".eb table{border-collapse:collapse;margin:.35em 0;color:inherit;background:none;"
    "border:0;font-size:1em;width:auto;display:table}"
    ".eb tr,.eb td,.eb th{background:none;color:inherit;border:0}"
    ".eb th,.eb td{padding:.18em .9em .18em 0;text-align:left!important;vertical-align:top;"
    "border-bottom:1px solid var(--grid);max-width:34em;white-space:normal}"
    ".eb th{font-weight:600}.eb td.eb-n,.eb th.eb-n{text-align:right!important;white-space:nowrap;"
    "font-variant-numeric:tabular-nums}"
    ".eb td.eb-w{white-space:nowrap}"
    ".eb svg{width:100%;height:auto;display:block}"
)
"""The style sheet that each card carries; it reaches nothing outside of cards."""


def text_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """
    Rows under a header; the first column to the left, figures to the right.

    Example:
        >>> print(text_table(["who", "bad"], [["/a", "12"], ["/long", "3"]]))
        who    bad
        /a      12
        /long    3
    """
    lines = [list(header), *map(list, rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(header))]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if column else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    )


_INSTANT = re.compile(r"\d{4}-\d\d-\d\d[T ][\d:.]+Z?")
_FIGURE = re.compile(r"[-+<>]*\d[\d,.]*( of \d+|/\d+)? ?(%|\w{0,3})|-?inf|-|")


@dataclass(frozen=True, slots=True)
class Card:
    """
    What is shown of one answer.

    Attributes:
        title: What it is about.
        state: A word or two on how it stands, such as "met"; empty for none.
        tone: "good", "fair", "poor", "bad" or "" for neither: the colour of *state*.
        lines: Sentences.
        header: Names of the table's columns; empty for no table.
        rows: Cells, one for each column.
        notes: Sentences below the table.
    """

    title: str
    state: str = ""
    tone: str = ""
    lines: Sequence[str] = ()
    header: Sequence[str] = ()
    rows: Sequence[Sequence[str]] = ()
    notes: Sequence[str] = ()

    def html(self) -> str:
        """
        The card as HTML that may stand in any page.

        Example:
            >>> "&lt;b&gt;" in Card("<b>").html()
            True
        """
        tag = ""
        if self.state:
            tone = f" eb-{self.tone}" if self.tone else ""
            tag = f' <span class="eb-tag{tone}">{escape(self.state)}</span>'
        # Bold and apart without the style too, which notebooks that are not trusted leave out.
        parts = [f'<p class="eb-title"><strong>{escape(self.title)}</strong>{tag}</p>']
        parts += [f"<p>{escape(line)}</p>" for line in self.lines]
        if self.header:
            parts.append(self._table())
        parts += [f"<p>{escape(line)}</p>" for line in self.notes]
        return framed("".join(parts))

    def _shown(self) -> tuple[Sequence[Sequence[str]], int]:
        """The rows to show, and how many are left out."""
        if len(self.rows) <= MOST_ROWS:
            return self.rows, 0
        return self.rows[:MOST_ROWS], len(self.rows) - MOST_ROWS

    def _table(self) -> str:
        rows, more = self._shown()
        right = [
            bool(place and rows) and all(_FIGURE.fullmatch(row[place]) for row in rows)
            for place in range(len(self.header))
        ]

        def kind(cell: str, number: bool) -> str:
            if number:
                return ' class="eb-n"'
            return ' class="eb-w"' if _INSTANT.fullmatch(cell) else ""

        def cells(row: Sequence[str], tag: str) -> str:
            return "".join(
                f"<{tag}{kind(cell, number)}>{escape(cell)}</{tag}>"
                for cell, number in zip(row, right, strict=True)
            )

        head = cells(self.header, "th").replace("<th", '<th scope="col"')
        body = "".join(f"<tr>{cells(row, 'td')}</tr>" for row in rows)
        table = f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
        rest = f"<p>and {more:,} more</p>" if more else ""
        return f'<div class="eb-rows">{table}</div>{rest}'

    def text(self) -> str:
        """
        The card as plain text.

        Example:
            >>> print(Card("api", "met", header=["who", "bad"], rows=[["/a", "12"]]).text())
            api: met
            who  bad
            /a    12
        """
        lines = [f"{self.title}: {self.state}" if self.state else self.title, *self.lines]
        if self.header:
            rows, more = self._shown()
            lines.append(text_table(self.header, rows))
            lines += [f"and {more:,} more"] if more else []
        return "\n".join([*lines, *self.notes])


def framed(inside: str) -> str:
    """A piece of HTML with the style of all cards around it."""
    return f'<div class="eb"><style>{STYLE}</style>{inside}</div>'


def frame(rows: Iterable[Mapping[str, Any]], columns: Columns) -> Any:
    """Rows as a pandas DataFrame, which lower floors look up by name too."""
    from importlib import import_module

    return import_module("errorbudget.frames").frame(rows, columns)


class Shown:
    """What has a card and a picture."""

    __slots__ = ()

    def __init_subclass__(cls, **arguments: Any) -> None:
        super().__init_subclass__(**arguments)
        # IPython looks into each class before its parents, and would find `__repr__` first.
        cls._repr_pretty_ = Shown._repr_pretty_  # type: ignore[method-assign]

    if TYPE_CHECKING:

        def _card(self) -> Card: ...

    def _repr_html_(self) -> str:
        return self._card().html()

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        """What IPython writes where there is no HTML."""
        printer.text(type(self).__name__ + "(...)" if cycle else self._card().text())

    def plot(self) -> Any:
        """
        A picture of it; the how-to page "Pictures" shows one of each.

        Returns:
            A matplotlib figure, which notebooks show in their own colours and `savefig` writes.

        Raises:
            MissingDependencyError: matplotlib is not installed.
        """
        from importlib import import_module

        return import_module("errorbudget.plot").draw(self)
