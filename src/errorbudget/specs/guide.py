"""The SLO guide as a specification: every objective of it, corrected, with the reasons beside."""

from __future__ import annotations

from importlib.resources import files

from errorbudget.specs.load import load
from errorbudget.specs.spec import Spec

__all__ = ["guide", "guide_text"]


def guide_text() -> str:
    """The file, comments included: what `errorbudget demo --guide` prints."""
    return files("errorbudget.specs").joinpath("guide.yaml").read_text("utf-8")


def guide() -> Spec:
    """
    The guide's ten objectives, and beside them the forms that have a budget or keep their word.

    Raises:
        MissingDependencyError: The extra `specs` is not installed.

    Example:
        >>> print(guide()["HTTP Error Rate"])
        HTTP Error Rate: 99% over 1d; bad is status 4xx|5xx
    """
    return load(guide_text())
