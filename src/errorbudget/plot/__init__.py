"""
Pictures of a status and of a history, drawn by matplotlib (extra `plot`).

    status_figure    burn-down of one window, SLI, burn rates against their thresholds
    history_figure   the same along time, as `History.plot()` gives it
    picture          a figure as PNG or SVG
    inline_svg       a figure as SVG that takes its colours from the page around it
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from errorbudget.plot.figures import history_figure as history_figure
    from errorbudget.plot.figures import status_figure as status_figure
    from errorbudget.plot.files import inline_svg as inline_svg
    from errorbudget.plot.files import picture as picture

_HOME = {
    "history_figure": "figures",
    "inline_svg": "files",
    "picture": "files",
    "status_figure": "figures",
}

__all__ = ["history_figure", "inline_svg", "picture", "status_figure"]


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module 'errorbudget.plot' has no attribute {name!r}")
    from importlib import import_module

    from errorbudget.errors import MissingDependencyError

    try:
        value: object = getattr(import_module(f"errorbudget.plot.{_HOME[name]}"), name)
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != "matplotlib":
            raise
        raise MissingDependencyError.for_extra("plot", "matplotlib", "plot") from error
    return value
