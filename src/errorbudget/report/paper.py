"""
What a study says, before any face draws it: sections of tables, lists and sentences.

Text, Markdown, HTML and CSV are views of one paper, so they cannot disagree, and a study is put
into words once (`answers`, `review_paper`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from errorbudget.errors import MissingDependencyError
from errorbudget.figures import printable
from errorbudget.report.markdown import escaped

__all__ = [
    "Bar",
    "Block",
    "Items",
    "Paper",
    "Picture",
    "Section",
    "Sentence",
    "TableBlock",
    "paper_to_html",
    "paper_to_markdown",
    "paper_to_text",
]


@dataclass(frozen=True, slots=True)
class Sentence:
    """
    One paragraph.

    Attributes:
        text: It.
        strong: Whether it is what the section comes down to.
    """

    text: str
    strong: bool = False


@dataclass(frozen=True, slots=True)
class Items:
    """
    Things to go through.

    Attributes:
        lines: One each.
        open: Whether they are boxes to tick.
    """

    lines: tuple[str, ...]
    open: bool = False


@dataclass(frozen=True, slots=True)
class Bar:
    """
    A share as a bar beside its figure.

    Attributes:
        share: How much of the bar is filled [1].
        tone: "main", or the colour of a tier: "good", "fair", "poor" or "bad".
    """

    share: float
    tone: str = "main"


@dataclass(frozen=True, slots=True)
class TableBlock:
    """
    Rows under a header; the first column is text, figures stand to the right.

    Attributes:
        head: Names of the columns.
        rows: Cells as people read them.
        left: Further columns of text, by number.
        bars: Columns whose figures are drawn too where that can be, by number: a bar for each row,
            or None.
    """

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    left: frozenset[int] = frozenset()
    bars: Mapping[int, Sequence[Bar | None]] = field(default_factory=dict)

    def is_text(self, column: int) -> bool:
        """Whether a column is text."""
        return column == 0 or column in self.left


@dataclass(frozen=True, slots=True)
class Picture:
    """
    What is quicker seen than read; only pages show it, and nothing in it is said nowhere else.

    Attributes:
        draw: Gives it as markup in which everything from data is escaped; empty for none.
    """

    draw: Callable[[], str]


Words = Sentence | Items | TableBlock
Block = Words | Picture
_NARROW = 24
"""Columns that a folded sentence needs to be read."""


@dataclass(frozen=True, slots=True)
class Section:
    """
    A heading and what stands under it.

    Attributes:
        title: The heading; empty for none.
        blocks: What stands under it.
        level: 2 for a section of the paper, 3 for one within.
    """

    title: str
    blocks: tuple[Block, ...]
    level: int = 2


@dataclass(frozen=True, slots=True)
class Paper:
    """
    A study in words.

    Attributes:
        title: Heading.
        sections: What it says.
        notes: Sentences under the heading.
    """

    title: str
    sections: tuple[Section, ...]
    notes: tuple[str, ...] = ()


def paper_to_markdown(paper: Paper) -> str:
    """The paper as Markdown, for pull requests, chats and mail."""
    parts = [f"# {escaped(paper.title)}", ""]
    parts += [f"{escaped(note)}  " for note in paper.notes]
    for section in paper.sections:
        if section.title:
            parts += ["", f"{'#' * section.level} {escaped(section.title)}"]
        for block in section.blocks:
            if not isinstance(block, Picture):
                parts += ["", *_markdown(block)]
    return "\n".join(parts).rstrip() + "\n"


def _markdown(block: Words) -> list[str]:
    if isinstance(block, Sentence):
        text = escaped(block.text)
        return [f"**{text}**" if block.strong else text]
    if isinstance(block, Items):
        mark = "- [ ]" if block.open else "-"
        return [f"{mark} {escaped(line)}" for line in block.lines]
    marks = ["---" if block.is_text(place) else "---:" for place in range(len(block.head))]
    rows = [tuple(map(escaped, row)) for row in (block.head, *block.rows)]
    return [f"| {' | '.join(row)} |" for row in (rows[0], marks, *rows[1:])]


def paper_to_text(paper: Paper, width: int | None = None) -> str:
    """
    The paper as plain text.

    Args:
        paper: What to show.
        width: Columns of the terminal; None wraps nothing, so that a pipe can be searched.
    """
    lines = [printable(paper.title)]
    for note in paper.notes:
        lines += _wrapped(printable(note), width)
    for section in paper.sections:
        lines.append("")
        if section.title:
            title = printable(section.title)
            lines += [title, ("=" if section.level == 2 else "-") * len(title)]
        words = [block for block in section.blocks if not isinstance(block, Picture)]
        for place, block in enumerate(words):
            lines += [""] * bool(place) + _text(block, width)
    return "\n".join(lines).strip() + "\n"


def _wrapped(text: str, width: int | None, first: str = "", more: str = "") -> list[str]:
    from textwrap import wrap

    if width is None:
        return [first + text]
    return wrap(
        text, width, initial_indent=first, subsequent_indent=more, break_on_hyphens=False
    ) or [""]


def _text(block: Words, width: int | None) -> list[str]:
    if isinstance(block, Sentence):
        return _wrapped(printable(block.text), width)
    if isinstance(block, Items):
        mark = "[ ] " if block.open else "- "
        return [
            line
            for item in block.lines
            for line in _wrapped(printable(item), width, mark, " " * len(mark))
        ]
    rows = [tuple(map(printable, row)) for row in (block.head, *block.rows)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    whole = sum(widths) + 2 * (len(widths) - 1)
    last = len(widths) - 1
    if width is None or whole <= width:
        fold = None
    elif last and block.is_text(last) and whole - widths[last] + _NARROW <= width:
        fold = width - (whole - widths[last])  # long sentences stand last, and are folded
    else:
        return _cards(rows, width)
    lines = []
    for row in rows:
        cells = [
            cell.ljust(size) if block.is_text(place) else cell.rjust(size)
            for place, (cell, size) in enumerate(zip(row, widths, strict=True))
        ]
        first, *more = [row[last]] if fold is None else _wrapped(row[last], fold)
        if not block.is_text(last):
            first = cells[last]
        lines.append("  ".join([*cells[:last], first]).rstrip())
        margin = sum(widths[:last]) + 2 * last
        lines += [" " * margin + line for line in more]
    return lines


def _cards(rows: Sequence[tuple[str, ...]], width: int) -> list[str]:
    """A table that is wider than the terminal, as a block of lines for each row."""
    head, *body = rows
    label = max(map(len, head[1:]), default=0)
    lines: list[str] = []
    for row in body:
        lines += _wrapped(row[0], width)
        for name, cell in zip(head[1:], row[1:], strict=True):
            first = f"  {name.ljust(label)}  "
            lines += _wrapped(cell or "-", width, first, " " * len(first))
    return lines


def paper_to_html(paper: Paper) -> str:
    """
    The paper as one page that needs nothing else; everything from data is escaped.

    Raises:
        MissingDependencyError: Jinja is not installed.
    """
    try:
        import jinja2
    except ModuleNotFoundError as error:
        raise MissingDependencyError.for_extra("an HTML page", "jinja2", "report") from error
    from errorbudget import __version__

    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("errorbudget.report", "."),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    style, _, _ = environment.loader.get_source(environment, "page.css")  # type: ignore[union-attr]
    return environment.get_template("paper.html.jinja").render(
        paper=paper, style=style, version=__version__
    )
