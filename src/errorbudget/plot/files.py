"""Figures as bytes: PNG and SVG files, and SVG that becomes part of a page."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from html import escape
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
import numpy as np
from matplotlib.colors import to_hex, to_rgba

from errorbudget.plot.style import DARK, GRID, NAMES, RC, SOFT, Theme

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["named_svg", "picture"]


def picture(figure: Figure, form: str = "png", *, theme: Theme = "light") -> bytes:
    """
    The figure as a file; the same figure gives the same bytes.

    Args:
        figure: What to write.
        form: "png" or "svg".
        theme: "light" or "dark" paper.
    """
    sink = io.BytesIO()
    with mpl.rc_context(RC), _on(figure, theme):
        paper = figure.get_facecolor()
        if form == "svg":
            nameless = {"Date": None, "Creator": None}
            figure.savefig(sink, format="svg", metadata=nameless, facecolor=paper)
        else:
            figure.savefig(
                sink, format="png", dpi=150, metadata={"Software": None}, facecolor=paper
            )
    return sink.getvalue()


def _partner(colour: Any) -> Any:
    """The colour on dark paper; None where it has no partner."""
    try:
        *_, alpha = to_rgba(colour)
    except (TypeError, ValueError):
        return None
    found = DARK.get(to_hex(colour))
    return None if found is None or not alpha else (*to_rgba(found)[:3], alpha)


@contextmanager
def _on(figure: Figure, theme: Theme) -> Iterator[None]:
    """The figure in the colours of *theme* for a while."""
    if theme == "light":
        yield
        return
    undo: list[tuple[Callable[[Any], Any], Any]] = []
    for ax in figure.axes:
        ax.tick_params(colors=DARK[SOFT], grid_color=DARK[GRID])
    for artist in figure.findobj():
        for part in ("color", "facecolor", "edgecolor"):
            get, put = getattr(artist, f"get_{part}", None), getattr(artist, f"set_{part}", None)
            if get is None or put is None:
                continue
            old = get()
            rows = list(old) if np.ndim(old) == 2 else [old]
            new = [_partner(each) for each in rows]
            if any(each is not None for each in new):
                mixed = [n if n is not None else o for n, o in zip(new, rows, strict=True)]
                put(mixed if len(mixed) > 1 else mixed[0])
                undo.append((put, old))
    try:
        yield
    finally:
        for put, old in reversed(undo):
            put(old)
        for ax in figure.axes:
            ax.tick_params(colors=SOFT, grid_color=GRID)


def named_svg(text: str, *, name: str, label: str) -> str:
    """
    An SVG file as an `<svg>` element for a page, in the page's colours and letters.

    Args:
        text: The file, as `picture` gives it.
        name: Prefix of every id in it, different for each figure of a page; letters and digits.
        label: What it shows, for who cannot see it.
    """
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    text = re.sub(r"<!--.*?-->\n?", "", text, flags=re.DOTALL)
    for colour, named in NAMES.items():
        text = text.replace(colour, named)
    text = re.sub(r'\bid="([^"]+)"', rf'id="{name}-\1"', text)
    text = re.sub(r"url\(#([^)]+)\)", rf"url(#{name}-\1)", text)
    # Left with its prefix: scripts of pages write to every `href`, which an SVG does not let them.
    text = re.sub(r'xlink:href="#([^"]+)"', rf'xlink:href="#{name}-\1"', text)
    text = re.sub(r"'[^']+'(, '[^']+')*, sans-serif", "var(--letters)", text)
    text = re.sub(r"font: ([\d.]+px) [^;\"]*", r"font: \1 var(--letters)", text)
    head, rest = text.split(">", 1)
    head = re.sub(r' (width|height|xmlns:xlink|version)="[^"]*"', "", head)
    head = head.replace("<svg", f'<svg role="img" aria-label="{escape(label, quote=True)}"', 1)
    return f"{head}>{rest}".strip()
