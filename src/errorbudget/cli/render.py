"""A document in the form that was asked for."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from errorbudget.report.document import Document

__all__ = ["form_of", "render"]

_BY_SUFFIX = {
    ".json": "json",
    ".md": "markdown",
    ".markdown": "markdown",
    ".html": "html",
    ".htm": "html",
    ".csv": "csv",
}


def form_of(out: str | None) -> str:
    """The form that the name of a file suggests; text otherwise."""
    return _BY_SUFFIX.get(Path(out).suffix.lower(), "text") if out else "text"


def render(document: Document, form: str, *, to_file: bool = False) -> str | bytes:
    """
    The document as text for the terminal, or as bytes in UTF-8.

    Args:
        document: What to show.
        form: "text", "json", "markdown", "html" or "csv".
        to_file: Whether the text goes to a file: no colour, no terminal's width.
    """
    if form == "text":
        from errorbudget.cli.screen import screen

        return screen(document, to_file=to_file)
    if form == "json":
        from errorbudget.report.json_form import to_json

        return to_json(document).encode()
    if form == "markdown":
        from errorbudget.report.markdown import to_markdown

        return to_markdown(document).encode()
    if form == "csv":
        from errorbudget.report.rows import to_csv

        return to_csv(document).encode()
    from errorbudget.report.page import to_html

    return to_html(document).encode()
