"""What the commands of studies share: a history for each objective, and a form for the answer."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import click

from errorbudget.cli import say
from errorbudget.cli.engines import engine_options
from errorbudget.cli.inputs import (
    chosen,
    data_options,
    gathered,
    instant,
    load_slos,
    objective_options,
)
from errorbudget.cli.prometheus_options import prometheus_options
from errorbudget.durations import parse_duration
from errorbudget.errors import InvalidInputError, InvalidSeriesError

if TYPE_CHECKING:
    from errorbudget.events import Events
    from errorbudget.report.paper import Paper
    from errorbudget.series import CountSeries
    from errorbudget.slo import SLO
    from errorbudget.studies.stretches import Stretch

    Data = Events | CountSeries
    Groups = Mapping[tuple[str, ...], CountSeries]

__all__ = [
    "FORMS",
    "deliver",
    "groups",
    "histories",
    "known_incidents",
    "output_options",
    "study_options",
    "terminal_width",
    "unfiltered",
    "write_form",
]

Command = TypeVar("Command", bound=Callable[..., Any])
FORMS = ("text", "json", "markdown", "html", "csv")


def study_options(command: Command) -> Command:
    """FILES, objectives, a server, or counts that were kept; and where the history begins."""
    for decorate in reversed(
        (
            data_options,
            objective_options,
            engine_options,
            click.option(
                "--start",
                metavar="TIME",
                help="First instant: of a backtest, and of what a server is asked for.",
            ),
            prometheus_options("--bin"),
        )
    ):
        command = decorate(command)
    return command


def output_options(*forms: str) -> Callable[[Command], Command]:
    """The form of the answer, and where it goes."""

    def decorated(command: Command) -> Command:
        for decorate in (
            click.option(
                "-o", "--out", metavar="PATH", help="Write to a file instead of standard output."
            ),
            click.option(
                "-f",
                "--format",
                "form",
                type=click.Choice(forms or FORMS),
                default=None,
                help="By default text, or what the name given with -o says.",
            ),
        ):
            command = decorate(command)
        return command

    return decorated


def unfiltered(
    options: Mapping[str, Any],
    *,
    reach: Callable[[SLO], int],
    labels: tuple[str, ...] = (),
    starts: bool = False,
) -> tuple[list[tuple[SLO, Data]], int | None]:
    """
    Each objective with its history, and the instant that --at names.

    Args:
        options: The values of `study_options`.
        starts: Whether the study itself has a first instant.
        reach: How far before the instant a server's history of an objective has to begin [ns].
        labels: Labels of events to read beside those that the objectives ask for.

    Raises:
        UsageError: Options contradict each other.
        ErrorBudgetError: Something cannot be read.
    """
    since = instant(options["start"])
    if since is not None and not starts and not options["prometheus"]:
        raise click.UsageError("--start belongs to --prometheus URL here")
    if options["prometheus"] and since is None:
        since = _reach(options, reach)
    inputs = gathered(options, since=since, along=True, further=labels)
    data = inputs.countable()
    return [(slo, _of(slo, data)) for slo in inputs.slos], inputs.at


def _of(slo: SLO, data: Any) -> Data:
    """The history of one objective: the events themselves, or its own counts."""
    from errorbudget.events import Events
    from errorbudget.series import CountSeries

    if isinstance(data, (Events, CountSeries)):
        return data
    of = getattr(data, "of", None)
    found: Data = data.count(slo) if of is None else of(slo)
    return found


def groups(
    options: Mapping[str, Any], by: Sequence[str], *, reach: Callable[[SLO], int]
) -> tuple[list[tuple[SLO, Groups]], int | None]:
    """
    Each objective with a count series for each combination of labels, and the instant.

    Raises:
        UsageError: Options contradict each other.
        ErrorBudgetError: Something cannot be read, or counts know no such label.
    """
    if options["start"] is not None and not options["prometheus"]:
        raise click.UsageError("--start belongs to --prometheus URL here")
    since = instant(options["start"])
    if options["prometheus"] and since is None:
        since = _reach(options, reach)
    inputs = gathered(options, since=since, along=True, further=tuple(by))
    data: Any = inputs.countable()
    found = [(slo, data.groups(slo, by)) for slo in inputs.slos if slo.target is not None]
    if not found:
        raise InvalidInputError("none of these SLOs has a budget to look at")
    return found, inputs.at


def histories(
    options: Mapping[str, Any],
    *,
    reach: Callable[[SLO], int],
    labels: tuple[str, ...] = (),
    starts: bool = False,
) -> tuple[list[tuple[SLO, Data]], int | None]:
    """As `unfiltered`, without the objectives that have no budget to look at, which is said."""
    found, at = unfiltered(options, reach=reach, labels=labels, starts=starts)
    return _budgeted(found), at


def _reach(options: Mapping[str, Any], reach: Callable[[SLO], int]) -> int:
    if options["spec"] is None:
        raise click.UsageError("--prometheus wants objectives: -s slos.yaml")
    slos = chosen(load_slos(options["spec"]), options["names"])
    if not slos:
        raise InvalidInputError(f"{options['spec']} has no SLOs")
    at = instant(options["at"])
    if at is None:
        # As `fetch` reads the clock: at the end of the last whole bin.
        step_ns = parse_duration(options["bin"] or "1m")
        at = time.time_ns() // step_ns * step_ns
    return at - max(map(reach, slos))


def _budgeted(found: Sequence[tuple[SLO, Any]]) -> list[tuple[SLO, Any]]:
    from errorbudget.studies.budgeted import check_budgeted

    kept = []
    for slo, data in found:
        try:
            check_budgeted(slo, data)
        except InvalidSeriesError as error:
            if len(found) == 1:
                raise
            say(f"left out: {error}")
        else:
            kept.append((slo, data))
    if not kept:
        raise InvalidInputError("none of these SLOs has a budget to look at")
    return kept


def known_incidents(path: str | None, slo: SLO) -> tuple[Stretch, ...] | None:
    """The incidents of an objective in a file, or None where no file is named."""
    if path is None:
        return None
    from errorbudget.sources.incident_files import read_incidents

    return read_incidents(path, slo.name)


def deliver(
    schema: str,
    slos: Callable[[], Sequence[Mapping[str, Any]]],
    paper: Callable[[], Paper],
    rows: Callable[[], Iterable[Mapping[str, Any]]],
    options: Mapping[str, Any],
    *,
    columns: Iterable[str] = (),
) -> None:
    """
    The answer in the form that was asked for.

    Args:
        schema: Name of the JSON contract, such as "errorbudget.backtest/1".
        slos: The answers as plain data, for JSON.
        paper: The answers in words.
        rows: The answers as rows of figures, for CSV.
        options: The values of `output_options`.
        columns: The header of the CSV, where there may be no rows to tell.
    """

    def data() -> dict[str, Any]:
        return {"schema": schema, "slos": list(slos())}

    write_form(data, paper, rows, options, columns=columns)


def write_form(
    data: Callable[[], Mapping[str, Any]],
    paper: Callable[[], Paper],
    rows: Callable[[], Iterable[Mapping[str, Any]]],
    options: Mapping[str, Any],
    *,
    columns: Iterable[str] = (),
) -> None:
    """As `deliver`, of data that is whole already."""
    from errorbudget.cli.outputs import write
    from errorbudget.cli.render import form_of
    from errorbudget.report.paper import (
        paper_to_html,
        paper_to_markdown,
        paper_to_text,
    )
    from errorbudget.report.rows import rows_to_csv

    out = options["out"]
    to_file = out is not None and out != "-"
    form = options["form"] or form_of(out)
    content: str | bytes
    if form == "json":
        content = (json.dumps(data(), indent=2, allow_nan=False) + "\n").encode()
    elif form == "markdown":
        content = paper_to_markdown(paper()).encode()
    elif form == "html":
        content = paper_to_html(paper()).encode()
    elif form == "csv":
        content = rows_to_csv(rows(), columns).encode()
    else:
        content = paper_to_text(paper(), None if to_file else terminal_width())
    write(content, out)
    if to_file:
        click.echo(f"wrote {out}", err=True)


def terminal_width() -> int | None:
    """Columns of the terminal that reads the answer; None for a pipe."""
    import os
    import shutil
    import sys

    from errorbudget.cli.outputs import is_terminal

    columns = os.environ.get("COLUMNS", "")
    if columns.isdigit() and int(columns):
        return int(columns)
    return shutil.get_terminal_size().columns if is_terminal(sys.stdout) else None
