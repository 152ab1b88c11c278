"""A document in the form that was asked for."""

from __future__ import annotations

from collections.abc import Mapping
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


def form_of(
    out: str | None,
    forms: Mapping[str, str] = _BY_SUFFIX,
    usual: str = "text",
    option: str = "--format",
) -> str:
    """
    The form that the name of a file suggests, packed by `.gz` or not.

    Args:
        out: The name; None is standard output.
        forms: Forms by suffix.
        usual: What plain text is, or a name without a suffix.
        option: Where a form is named that the suffix does not tell.

    Raises:
        InvalidInputError: The suffix tells of another form.
    """
    path = as_path(out) if out else as_path("-")
    suffix = (path.with_suffix("") if path.suffix.lower() == ".gz" else path).suffix.lower()
    if suffix in ("", ".txt", ".text"):
        return usual
    if suffix not in forms:
        raise InvalidInputError(
            f'"{suffix}" names no form; it is one of .txt, {", ".join(forms)}, or say {option}'
        )
    return forms[suffix]


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
