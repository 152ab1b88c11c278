"""
Names of metrics and labels out of a file.

Its keys are those of `rules.Metrics`, for all objectives; under `slos:`, by name of the objective,
stands what differs there:

    counter: nginx_http_requests_total
    labels: {status: code}
    slos:
      checkout: {counter: checkout_requests_total}
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields, replace
from typing import Any, TypeVar

import click

from errorbudget.errors import InvalidInputError, did_you_mean
from errorbudget.rules.metrics import GUIDE_METRICS, Metrics, MetricsLike

__all__ = ["metrics_of", "metrics_option", "one_mapping"]

Command = TypeVar("Command", bound=Callable[..., Any])
_KNOWN = tuple(one.name for one in fields(Metrics))
_TEXTS = ("counter", "histogram")
_SWITCHES = ("native",)


def metrics_option(command: Command) -> Command:
    """--metrics, for commands that write rules."""
    return click.option(
        "--metrics",
        metavar="FILE",
        help='Names of metrics and labels (YAML, JSON); "guide": those of the guide.',
    )(command)


def metrics_of(path: str | None, names: Iterable[str] = ()) -> MetricsLike:
    """
    The metrics in the file *path*.

    Args:
        path: A file of YAML or JSON; "guide" for the guide's own; None for the usual names.
        names: The objectives that it may name.

    Raises:
        InvalidInputError: It cannot be understood, or names an objective that is not there.
        SourceUnavailableError: It cannot be read.
    """
    if path is None:
        return Metrics()
    if path == "guide":
        return GUIDE_METRICS
    data = one_mapping(path, "reading names of metrics")
    own = data.pop("slos", {})
    usual = _metrics(Metrics(), data, path)
    if not own:
        return usual
    if not isinstance(own, Mapping) or not all(isinstance(one, Mapping) for one in own.values()):
        raise InvalidInputError(f"{path}: slos maps names to what differs there")
    known = tuple(names)
    for name in own:
        if name not in known:
            raise InvalidInputError(
                f'{path}: there is no SLO "{name}"{did_you_mean(name, known)}; '
                f"there are {', '.join(known)}"
            )
    return {"": usual} | {
        name: _metrics(usual, one, f"{path}: {name}") for name, one in own.items()
    }


def one_mapping(path: str, job: str) -> dict[str, Any]:
    """
    The one mapping in a file of YAML, TOML or JSON.

    Raises:
        InvalidInputError: It is something else.
        SourceUnavailableError: It cannot be read.
        MissingDependencyError: *job* lacks what an extra brings.
    """
    from errorbudget.cli.inputs import specs_room

    specs_room(job)
    from errorbudget.specs.load import trees
    from errorbudget.specs.text import read_file
    from errorbudget.specs.tree import LIMITS, plain

    documents = trees(read_file(path, limits=LIMITS), source=path)
    if len(documents) > 1:
        raise InvalidInputError(f"{path}: one mapping was expected, got {len(documents)}")
    found: dict[str, Any] = plain(documents[0])
    return found


def _metrics(usual: Metrics, data: Mapping[str, Any], where: str) -> Metrics:
    for key, value in data.items():
        if key not in _KNOWN:
            raise InvalidInputError(
                f'{where}: "{key}" is not known{did_you_mean(key, _KNOWN)}; '
                f"there are {', '.join(_KNOWN)}, slos"
            )
        wanted = int if key == "statuses" else str
        if key in _TEXTS:
            if not isinstance(value, str):
                raise InvalidInputError(f"{where}: {key} is the name of a metric, got {value!r}")
        elif key in _SWITCHES:
            if not isinstance(value, bool):
                raise InvalidInputError(f"{where}: {key} is true or false, got {value!r}")
        elif not isinstance(value, Mapping) or not all(
            isinstance(one, wanted) and not isinstance(one, bool) for one in value.values()
        ):
            kind = "numbers" if wanted is int else "texts"
            raise InvalidInputError(f"{where}: {key} maps names to {kind}, got {value!r}")
    return replace(usual, **data)
