"""Figures as bytes: PNG and SVG files, and SVG that becomes part of a page."""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING

import matplotlib as mpl

from errorbudget.plot.style import GRID, INK, MAIN, PAPER, RC, SOFT

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["inline_svg", "picture"]

_NAMED = {
    INK: "var(--ink)",
    SOFT: "var(--soft)",
    GRID: "var(--grid)",
    MAIN: "var(--line)",
    PAPER: "none",
}


def picture(figure: Figure, form: str = "png") -> bytes:
    """
    The figure as a file; the same figure gives the same bytes.

    Args:
        figure: What to write.
        form: "png" or "svg".
    """
    sink = io.BytesIO()
    with mpl.rc_context(RC):
        if form == "svg":
            figure.savefig(sink, format="svg", metadata={"Date": None, "Creator": None})
        else:
            figure.savefig(sink, format="png", dpi=150, metadata={"Software": None})
    return sink.getvalue()


def inline_svg(figure: Figure, *, name: str, label: str) -> str:
    """
    The figure as an `<svg>` element for a page, in the page's colours and letters.

    Args:
        figure: What to draw.
        name: Prefix of every id in it, different for each figure of a page; letters and digits.
        label: What it shows, for who cannot see it.
    """
    from html import escape

    text = picture(figure, "svg").decode()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    text = re.sub(r"<!--.*?-->\n?", "", text, flags=re.DOTALL)
    for colour, named in _NAMED.items():
        text = text.replace(colour, named)
    text = re.sub(r'\bid="([^"]+)"', rf'id="{name}-\1"', text)
    text = re.sub(r"url\(#([^)]+)\)", rf"url(#{name}-\1)", text)
    text = re.sub(r'xlink:href="#([^"]+)"', rf'href="#{name}-\1"', text)
    text = re.sub(r"'[^']+'(, '[^']+')*, sans-serif", "var(--letters)", text)
    text = re.sub(r"font: ([\d.]+px) [^;\"]*", r"font: \1 var(--letters)", text)
    head, rest = text.split(">", 1)
    head = re.sub(r' (width|height|xmlns:xlink|version)="[^"]*"', "", head)
    head = head.replace("<svg", f'<svg role="img" aria-label="{escape(label, quote=True)}"', 1)
    return f"{head}>{rest}".strip()
