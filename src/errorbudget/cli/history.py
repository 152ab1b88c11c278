"""`errorbudget history`: the figures of SLOs along time."""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from errorbudget.cli import OK
from errorbudget.cli.engines import engine_options
from errorbudget.cli.inputs import data_options, gathered, objective_options
from errorbudget.cli.prometheus_options import prometheus_options
from errorbudget.errors import InvalidInputError
from errorbudget.figures import count, instant, percent, printable, rate
from errorbudget.status import json_number
from errorbudget.times import format_time

if TYPE_CHECKING:
    from errorbudget.history import History

__all__ = ["history"]

_FORMS = {".csv": "csv", ".json": "json", ".png": "png", ".svg": "svg"}


@click.command()
@data_options
@engine_options
@objective_options
@prometheus_options("--bin")
@click.option("--step", default="1h", show_default=True, help="Distance of two points.")
@click.option("--start", metavar="TIME", help="First point; by default the start of the data.")
@click.option(
    "-f",
    "--format",
    "form",
    type=click.Choice(["table", "csv", "json", "png", "svg"]),
    default=None,
    help="By default a table, or what the name given with -o says.",
)
@click.option("-o", "--out", metavar="PATH", help="Write to a file instead of standard output.")
def history(step: str, start: str | None, form: str | None, out: str | None, **options: Any) -> int:
    """The figures of SLOs along time: SLI, budget left, tier and burn rates at every step.

    From --prometheus URL the history is as long as the longest window, unless --start is given.
    """
    from errorbudget.cli.inputs import instant as read_instant
    from errorbudget.cli.outputs import write
    from errorbudget.cli.render import form_of

    wanted = form or form_of(out, _FORMS, "table")
    if wanted == "png" and out in (None, "-"):
        raise click.UsageError("a picture wants a file: -o history.png")
    inputs = gathered(options, since=read_instant(start), along=True)
    data = inputs.countable()
    histories = [
        slo.history(data, step=step, start=inputs.since, end=inputs.at) for slo in inputs.slos
    ]
    if wanted in ("png", "svg"):
        if len(histories) > 1:
            names = ", ".join(slo.name for slo in inputs.slos)
            raise InvalidInputError(
                f"a picture shows one SLO; choose it with --slo; there are {names}"
            )
        from errorbudget.plot import history_figure, picture

        write(picture(history_figure(histories[0]), wanted), out)
    elif wanted == "csv":
        write(_csv(histories).encode(), out)
    elif wanted == "json":
        write(_json(histories).encode(), out)
    else:
        write(_table(histories), out)
    return OK


def _points(found: History) -> list[dict[str, Any]]:
    columns = {name: column.tolist() for name, column in found.columns().items()}
    tiers = found.tier if found.slo.target is not None else [None] * len(found)
    return [
        {
            "time": format_time(at),
            **{name: json_number(column[row]) for name, column in columns.items()},
            "tier": tiers[row],
        }
        for row, at in enumerate(found.time_ns.tolist())
    ]


def _json(histories: list[History]) -> str:
    # A point a line: with an indent json leaves its fast encoder.
    dump = partial(json.dumps, allow_nan=False)
    parts = [
        f'{{"name": {dump(found.slo.name)}, "points": [\n'
        + ",\n".join(map(dump, _points(found)))
        + "\n]}"
        for found in histories
    ]
    return f'{{"schema": "errorbudget.history/1", "slos": [\n{",".join(parts)}\n]}}\n'


def _csv(histories: list[History]) -> str:
    from errorbudget.report.rows import rows_to_csv

    return rows_to_csv(
        {"slo": found.slo.name, **point} for found in histories for point in _points(found)
    )


def _table(histories: list[History]) -> str:
    parts = []
    for found in histories:
        columns = {name: column.tolist() for name, column in found.columns().items()}
        tiers = found.tier if found.slo.target is not None else []
        burns = [name for name in columns if name.startswith("burn_")]
        head = ["time", "events", "bad", "SLI", "budget left", "tier"]
        head += [name.removeprefix("burn_") for name in burns] if tiers else []
        lines = [head if tiers else ["time", "events", *found.measurements]]
        for row, at in enumerate(found.time_ns.tolist()):
            total = columns["total"][row]
            cells = [instant(at), count(total)]
            if tiers:
                cells += [
                    count(total - columns["good"][row]),
                    percent(columns["sli"][row], 3),
                    percent(columns["remaining_ratio"][row], 1),
                    tiers[row] or "-",
                    *(rate(columns[name][row]) for name in burns),
                ]
            else:
                cells += [f"{column[row]:.4g}" for column in found.measurements.values()]
            lines.append(cells)
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        table = "\n".join(
            "  ".join(cell.rjust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
            for line in lines
        )
        parts.append(f"{printable(str(found.slo))}\n{table}\n")
    return "\n".join(parts)
