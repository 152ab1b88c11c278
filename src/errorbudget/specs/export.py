"""
The door out to other formats: text, and an account of what it could not say.

What a format has no words for is a `Loss`, and never passed over. An objective that a format cannot
hold at all is left out, and its loss says so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from errorbudget.errors import InvalidInputError, did_you_mean
from errorbudget.sli import QueryRatio
from errorbudget.slo import SLO
from errorbudget.specs.dump import Syntax, dump
from errorbudget.specs.spec import Loss

__all__ = ["TARGETS", "AsQuery", "Export", "export"]

TARGETS = ("errorbudget", "openslo", "sloth", "pyrra")
"""Formats that are written."""

AsQuery = Callable[[SLO], QueryRatio | None]
"""Puts an indicator on events into PromQL, or says that it cannot."""


@dataclass(frozen=True, slots=True)
class Export:
    """
    Objectives in another format.

    Attributes:
        text: The file.
        losses: What the format has no place for.
    """

    text: str
    losses: tuple[Loss, ...] = ()

    def __str__(self) -> str:
        return self.text


def export(
    slos: SLO | Iterable[SLO],
    format: str,
    *,
    syntax: Syntax = "yaml",
    as_query: AsQuery | None = None,
) -> Export:
    """
    Objectives in a format of others.

    OpenSLO holds everything that has a target: what it has no words for travels within
    `metricSource.spec`, which it leaves to each tool. Sloth and Pyrra hold PromQL.

    Args:
        slos: One objective, or several.
        format: "openslo" (v1), "sloth" (prometheus/v1), "pyrra" or "errorbudget".
        syntax: "yaml"; "json" and "toml" for the native format alone.
        as_query: For Sloth and Pyrra, how to put an indicator on events into PromQL; without it
            such an objective is left out.

    Raises:
        InvalidInputError: There is no such format, or no objective.

    Example:
        >>> from errorbudget.sli import LatencyQuantile
        >>> slo = SLO("p95", window="7d", sli=LatencyQuantile({"p95": "200ms"}))
        >>> print(export(slo, "openslo").losses[0].why)
        is a threshold without a target, which OpenSLO has no place for; give its ratio form
    """
    wanted = [slos] if isinstance(slos, SLO) else list(slos)
    if not wanted:
        raise InvalidInputError("there is no objective to write")
    if format == "errorbudget":
        return Export(dump(wanted, syntax=syntax))
    if syntax != "yaml":
        raise InvalidInputError(f"{format} is written as YAML, got syntax={syntax!r}")
    if format == "openslo":
        from errorbudget.specs.to_openslo import to_openslo

        return Export(*to_openslo(wanted))
    if format == "sloth":
        from errorbudget.specs.to_sloth import to_sloth

        return Export(*to_sloth(wanted, as_query))
    if format == "pyrra":
        from errorbudget.specs.to_pyrra import to_pyrra

        return Export(*to_pyrra(wanted, as_query))
    raise InvalidInputError(
        f'there is no format "{format}" to write; there are {", ".join(TARGETS)}'
        f"{did_you_mean(format, TARGETS)}"
    )
