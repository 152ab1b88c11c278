"""A document in the form that was asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from errorbudget.errors import InvalidInputError
from errorbudget.live.paths import as_path

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
    suffix = as_path(out).suffix.lower() if out else ""
    if suffix in ("", ".txt", ".text"):
        return "text"
    if suffix not in _BY_SUFFIX:
        raise InvalidInputError(
            f'"{suffix}" names no form; it is one of .txt, {", ".join(_BY_SUFFIX)}, or say --format'
        )
    return _BY_SUFFIX[suffix]


def render(document: Document, form: str, *, to_file: bool = False) -> str | bytes:
    """
    The document as text for the terminal, or as bytes in UTF-8.

    Args:
        document: What to show.
        form: "text", "json", "markdown", "html", "csv", "slack" or "teams".
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
    if form in ("slack", "teams"):
        from errorbudget.report.chat import to_slack, to_teams

        return (to_slack if form == "slack" else to_teams)(document).encode()
    from errorbudget.report.page import to_html

    return to_html(document).encode()
