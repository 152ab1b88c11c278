"""What most commands share: which files to read, which objectives to judge, and when."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import TYPE_CHECKING, Any, TypeVar

import click

from errorbudget.cli.outputs import is_terminal
from errorbudget.errors import InvalidInputError, MissingDependencyError

if TYPE_CHECKING:
    from errorbudget.cli.prometheus_options import Extrapolated
    from errorbudget.events import Events
    from errorbudget.series import CountSeries
    from errorbudget.slo import SLO
    from errorbudget.sources.engines import CountedEvents
    from errorbudget.sources.prometheus import PrometheusCounts

__all__ = [
    "Inputs",
    "data_options",
    "gathered",
    "instant",
    "objective_options",
    "specs_room",
    "wanted_columns",
]

Command = TypeVar("Command", bound=Callable[..., Any])
_OWN = ("time", "status", "duration_s", "good")


@dataclass(frozen=True, slots=True)
class Inputs:
    """
    Events or counters, and the objectives to judge them by.

    Attributes:
        events: What was read or counted.
        slos: The objectives.
        defaults: Whether they are the defaults.
        at: The instant to judge [ns UTC], or None for the end of the data.
        since: Where a history begins [ns UTC], or None for the start of the data.
    """

    events: Events | CountSeries | CountedEvents | PrometheusCounts | Extrapolated
    slos: tuple[SLO, ...]
    defaults: bool
    at: int | None
    since: int | None = None

    def countable(self) -> Events | CountSeries | CountedEvents | PrometheusCounts:
        """
        What has a history.

        Raises:
            InvalidInputError: Figures of a server's own reading belong to one instant.
        """
        from errorbudget.cli.prometheus_options import Extrapolated

        if isinstance(self.events, Extrapolated):
            raise InvalidInputError(
                "a server's own reading is of one instant and does not add up along time; "
                "leave out --reading"
            )
        return self.events


def data_options(command: Command) -> Command:
    """FILES and how to read them."""
    for decorate in reversed(
        (
            click.argument("files", nargs=-1, type=click.Path()),
            click.option(
                "--columns",
                metavar="ROLE=NAME,...",
                help="Names of columns, such as time=ts,status=code,duration=took.",
            ),
            click.option("--zone", help="Zone of written times that name none, as Europe/Berlin."),
            click.option(
                "--time-unit", type=click.Choice(["s", "ms", "us", "ns"]), help="Of numeric times."
            ),
            click.option(
                "--duration-unit",
                type=click.Choice(["s", "ms", "us", "ns"]),
                help="Of numeric durations.",
            ),
            click.option(
                "--input-format",
                metavar="NAME",
                default="auto",
                help="What the files are (log, json, csv, parquet); told by content otherwise.",
            ),
            click.option("--strict", is_flag=True, help="Refuse the first bad line."),
            click.option("--no-progress", is_flag=True, help="Never draw a progress bar."),
        )
    ):
        command = decorate(command)
    return command


def _names_in_spec(ctx: click.Context, _: click.Parameter, incomplete: str) -> list[str]:
    """What a shell offers for --slo: the names in the file that -s names, if it can be read."""
    from errorbudget.errors import ErrorBudgetError

    try:
        slos = load_slos(ctx.params["spec"]) if ctx.params.get("spec") else []
    except ErrorBudgetError:
        return []
    return [slo.name for slo in slos if slo.name.startswith(incomplete)]


def objective_options(command: Command) -> Command:
    """Which SLOs, and the instant."""
    for decorate in reversed(
        (
            click.option(
                "-s",
                "--spec",
                metavar="SPEC",
                type=click.Path(),
                help="File of SLOs; without it, sensible defaults.",
            ),
            click.option(
                "--slo",
                "names",
                multiple=True,
                metavar="NAME",
                shell_complete=_names_in_spec,
                help="Only this SLO.",
            ),
            click.option("--target", help="Target of the default availabilities, as 99.9%."),
            click.option("--window", help="Window of the default SLOs, as 30d."),
            click.option(
                "--where",
                multiple=True,
                metavar="LABEL=PATTERN",
                help="Only these requests, as route=/api/.*; for the default SLOs.",
            ),
            click.option(
                "--at", metavar="TIME", help='Instant to judge, as 2026-03-01T12:00Z or "now".'
            ),
        )
    ):
        command = decorate(command)
    return command


def pairs(option: str, texts: Iterable[str]) -> dict[str, str]:
    """`a=b` pairs, each text one or several with commas between."""
    found: dict[str, str] = {}
    for text in texts:
        name, sign, value = text.partition("=")
        if not sign or not name.strip() or not value.strip():
            raise click.UsageError(f'{option} wants NAME=VALUE, got "{text}"')
        if name.strip() in found:
            raise click.UsageError(f'{option} has "{name.strip()}" twice')
        found[name.strip()] = value.strip()
    return found


def instant(at: str | None) -> int | None:
    """The instant that --at names [ns UTC]."""
    from errorbudget.times import to_ns

    if at is None:
        return None
    return time.time_ns() if at == "now" else to_ns(at)


def wanted_columns(slos: Iterable[SLO]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Labels and further numeric columns that the indicators of *slos* ask for."""
    labels: dict[str, None] = {}
    values: dict[str, None] = {}

    def walk(data: Any) -> None:
        if isinstance(data, Mapping):
            if isinstance(data.get("label"), str):
                labels[data["label"]] = None
            for key in ("number", "column"):
                if isinstance(data.get(key), str) and data[key] not in _OWN:
                    values[data[key]] = None
            for part in data.values():
                walk(part)
        elif isinstance(data, list):
            for part in data:
                walk(part)

    for slo in slos:
        sli: Any = slo.sli
        walk(sli.to_dict())
        # A latency leaves its column to itself when it is the usual one.
        column = getattr(sli, "column", "duration_s")
        if column not in _OWN:
            values[column] = None
    return tuple(labels), tuple(values)


def load_slos(path: str) -> list[SLO]:
    """
    The SLOs in the file *path*.

    Raises:
        SpecError: The file is not a valid specification.
        MissingDependencyError: Reading YAML needs an extra.
    """
    return list(specs_room("reading a file of SLOs").load(path))


def specs_room(job: str) -> ModuleType:
    """
    `errorbudget.specs`, which an extra brings.

    Raises:
        MissingDependencyError: *job* lacks what the extra brings.
    """
    from importlib import import_module

    try:
        return import_module("errorbudget.specs")
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] == "errorbudget":
            raise
        raise MissingDependencyError.for_extra(job, str(error.name), "specs") from error


def chosen(slos: Iterable[SLO], names: Iterable[str]) -> tuple[SLO, ...]:
    """The SLOs called *names*, or all where there are none."""
    from errorbudget.slo import find_slo

    every = list(slos)
    wanted = list(names)
    return tuple(find_slo(every, name) for name in wanted) if wanted else tuple(every)


def gathered(
    options: Mapping[str, Any],
    *,
    burn: tuple[int, ...] = (),
    since: int | None = None,
    along: bool = False,
    shown: bool = False,
    reader: Callable[..., Events] | None = None,
    further: tuple[str, ...] = (),
) -> Inputs:
    """
    Read what the options name.

    Args:
        options: The values of `data_options`, `objective_options` and `prometheus_options`.
        burn: Windows to know burn rates for, beside those of the objectives [ns].
        since: First instant that will be judged [ns UTC].
        along: Whether all instants until the last one will be judged.
        shown: Whether each status will be shown with its warnings, which then need no saying here.
        reader: Reads the files, as `read` does, which is the default.
        further: Labels to read beside those that the objectives ask for.

    Raises:
        UsageError: Options contradict each other, or no file is named.
        ErrorBudgetError: Something cannot be read.
    """
    from errorbudget.cli.count_tables import of_table
    from errorbudget.cli.doubts import doubt
    from errorbudget.cli.engines import wants_counts
    from errorbudget.cli.prometheus_options import refuse_without_server
    from errorbudget.report.defaults import default_slos
    from errorbudget.sources.records import CountsFoundError
    from errorbudget.target import Target
    from errorbudget.windows import parse_window

    spec, where = options["spec"], pairs("--where", options["where"])
    if spec is not None:
        for name in ("target", "window", "where"):
            if options[name]:
                raise click.UsageError(
                    f"--{name} belongs to the default objectives; with -s write it in {spec}"
                )
    if options.get("prometheus"):
        return _of_server(options, burn, since, along=along, shown=shown)
    refuse_without_server(options)
    if wants_counts(options):
        return _of_engine(options, burn, since, further)
    target = Target(options["target"] or "99.9%")
    window = parse_window(options["window"] or "30d")
    at = instant(options["at"])
    slos = chosen(load_slos(spec), options["names"]) if spec is not None else ()
    labels, values = wanted_columns(slos) if slos else (tuple(where), ())
    labels = tuple(dict.fromkeys((*labels, *further)))
    try:
        events = (reader or read)(options, labels=labels, values=values, at=at)
    except CountsFoundError:
        if reader is not None or "-" in options["files"]:  # which is read by now
            raise
        series, slo = of_table(options, slos, at)
        return Inputs(series, _with_burn([slo], burn), spec is None, at, since)
    except InvalidInputError as error:
        if len(slos) < 2 or "has no column" not in str(error):
            raise
        raise InvalidInputError(
            f"{error}; to judge only what these files can answer, choose with --slo NAME"
        ) from error
    if reader is None:
        doubt(events)
    if spec is None:
        slos = chosen(
            default_slos(events, target=target, window=window, where=where or None),
            options["names"],
        )
    return Inputs(events, _with_burn(slos, burn), spec is None, at, since)


def _with_burn(slos: Iterable[SLO], burn: tuple[int, ...]) -> tuple[SLO, ...]:
    if not burn:
        return tuple(slos)
    return tuple(slo.replace(burn_windows=(*slo.burn_windows, *burn)) for slo in slos)


def _of_engine(
    options: Mapping[str, Any], burn: tuple[int, ...], since: int | None, by: tuple[str, ...]
) -> Inputs:
    """Objectives, and what an engine counts for them now, or counted before."""
    from errorbudget.cli.engines import counted, ratios

    if options["spec"] is None:
        raise click.UsageError("counting wants objectives: -s slos.yaml")
    slos = ratios(_with_burn(chosen(load_slos(options["spec"]), options["names"]), burn))
    at = instant(options["at"])
    return Inputs(counted(options, slos, by), slos, defaults=False, at=at, since=since)


def _of_server(
    options: Mapping[str, Any],
    burn: tuple[int, ...],
    since: int | None,
    *,
    along: bool,
    shown: bool,
) -> Inputs:
    """Objectives, and the counters that they need of a server."""
    from errorbudget.cli.prometheus_options import fetch
    from errorbudget.sources.prometheus.asking import is_asked

    if options["spec"] is None:
        raise click.UsageError("--prometheus wants objectives: -s slos.yaml")
    every = load_slos(options["spec"])
    slos = _with_burn(chosen(every, options["names"]), burn)
    if not slos:
        raise InvalidInputError(f"{options['spec']} has no SLOs")
    for slo in slos if along else ():
        if is_asked(slo):
            raise InvalidInputError(
                f'SLO "{slo.name}" ({slo.sli}) is answered by the server for one instant, so it '
                "has no history here; choose others with --slo NAME"
            )
    at = None if options["at"] == "now" else instant(options["at"])  # now ends with a whole bin
    if along and since is None:
        # As far back as the longest window: one window's worth of points, each of them whole.
        since = (time.time_ns() if at is None else at) - max(slo.period_ns for slo in slos)
    names = [slo.name for slo in every]
    found, at = fetch(slos, options, at_ns=at, since_ns=since, names=names, shown=shown)
    return Inputs(found, slos, defaults=False, at=at, since=since)


def read(
    options: Mapping[str, Any],
    *,
    labels: tuple[str, ...],
    values: tuple[str, ...],
    at: int | None,
) -> Events:
    """The events of the files that the options name, with a progress bar when it takes long."""
    from errorbudget.cli.progress import meter
    from errorbudget.sources import read_events

    files: tuple[str, ...] = options["files"]
    if not files:
        raise click.UsageError(
            "no files: name a request log, such as access.log, or - for standard input"
        )
    if files.count("-") > 1:
        raise click.UsageError("standard input (-) can be read only once")
    if "-" in files and is_terminal(sys.stdin):
        raise InvalidInputError(
            "standard input is a terminal; pipe a log into it: zcat access.log.gz | errorbudget ..."
        )
    columns = options["columns"]
    now = time.time_ns()
    with meter("reading", enabled=not options["no_progress"]) as progress:
        return read_events(
            [sys.stdin.buffer if name == "-" else name for name in files],
            format=options["input_format"],
            errors="raise" if options["strict"] else "skip",
            columns=pairs("--columns", columns.split(",")) if columns else None,
            time_unit=options["time_unit"],
            duration_unit=options["duration_unit"],
            zone=options["zone"],
            labels=labels,
            values=values,
            now=now if at is None else max(now, at),
            progress=progress,
        )
