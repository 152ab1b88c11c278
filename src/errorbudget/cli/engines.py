"""Counts instead of events: files that an engine counts, or a folder of counts that were kept."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import click

from errorbudget.cli import say
from errorbudget.errors import InvalidInputError

if TYPE_CHECKING:
    from errorbudget.slo import SLO
    from errorbudget.sources.engines import CountedEvents

__all__ = [
    "ENGINE_NAMES",
    "columns_of",
    "counted",
    "engine_options",
    "ratios",
    "tell",
    "wants_counts",
]

Command = TypeVar("Command", bound=Callable[..., Any])
ENGINE_NAMES = ("auto", "duckdb", "polars", "pyarrow", "dask", "spark")
_ROLES = ("time", "status", "duration", "good")
_OF_EVENTS = ("zone", "where", "target", "window")


def engine_options(command: Command) -> Command:
    """Which engine counts, if one shall."""
    for decorate in (
        click.option(
            "--skip-bad-files",
            is_flag=True,
            help="With --engine: leave out what cannot be counted.",
        ),
        click.option(
            "--engine",
            type=click.Choice(ENGINE_NAMES),
            help="Count files larger than memory where they are; auto looks at their size and at "
            "what is installed.",
        ),
    ):
        command = decorate(command)
    return command


def wants_counts(options: Mapping[str, Any]) -> bool:
    """Whether an engine is asked to count, or FILES is a folder of counts."""
    if options.get("engine"):
        return True
    if options.get("skip_bad_files"):
        raise click.UsageError("--skip-bad-files belongs to --engine")
    files = options["files"]
    if "engine" not in options or len(files) != 1 or files[0] == "-":
        return False
    from errorbudget.sources.engines import holds_counts

    return holds_counts(files[0])


def counted(
    options: Mapping[str, Any], slos: Sequence[SLO], by: Sequence[str] = ()
) -> CountedEvents:
    """
    What the files hold of *slos*, counted now, apart by the labels *by*, or before.

    Raises:
        UsageError: Options ask for what counts do not have.
        ErrorBudgetError: Something cannot be counted.
    """
    from errorbudget.sources.engines import CountedEvents, count_files, read_counts

    files = options["files"]
    for name in _OF_EVENTS:
        if options.get(name):
            raise click.UsageError(f"--{name} is not for counts; leave it out")
    if options.get("input_format", "auto") != "auto":
        raise click.UsageError("an engine tells Parquet, CSV and JSON lines by itself")
    if not files:
        raise click.UsageError("no files: name Parquet, CSV or JSON lines, patterns or folders")
    if not options["engine"]:
        return CountedEvents(read_counts(files[0], slos))
    found = count_files(
        files,
        slos,
        by=by,
        engine=options["engine"],
        errors="skip" if options["skip_bad_files"] else "raise",
        **columns_of(options),
    )
    tell(found.notes, found.skipped)
    return CountedEvents(found)


def columns_of(options: Mapping[str, Any]) -> dict[str, Any]:
    """Which column is what, as `count_files` wants it told."""
    from errorbudget.cli.inputs import pairs

    named = pairs("--columns", options["columns"].split(",")) if options["columns"] else {}
    roles: dict[str, Any] = {role: named.pop(role) for role in _ROLES if role in named}
    return roles | {
        "columns": named,
        "time_unit": options["time_unit"] or "ns",
        "duration_unit": options["duration_unit"] or "s",
    }


def ratios(slos: Sequence[SLO]) -> tuple[SLO, ...]:
    """Those of *slos* that have good and bad events; the others are said."""
    from errorbudget.sli import RatioSLI

    for slo in slos:
        if not isinstance(slo.sli, RatioSLI):
            say(f'SLO "{slo.name}" ({slo.sli}) has no good and bad events to count; left out')
    found = tuple(slo for slo in slos if isinstance(slo.sli, RatioSLI))
    if not found:
        raise InvalidInputError("none of the SLOs has good and bad events to count")
    return found


def tell(notes: Sequence[str], skipped: Sequence[tuple[str, str]]) -> None:
    """What there is to say about how it was counted, and what was left out."""
    for note in notes:
        say(note)
    for _, why in skipped:
        say(f"warning: left out: {why}")
