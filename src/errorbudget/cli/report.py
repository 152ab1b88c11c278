"""`errorbudget report`: what is left of each error budget, and what to do about it."""

from __future__ import annotations

from typing import Any

import click

from errorbudget.cli import NO_DATA, OK, say
from errorbudget.cli.engines import engine_options
from errorbudget.cli.inputs import data_options, gathered, objective_options
from errorbudget.cli.prometheus_options import prometheus_options

__all__ = ["report"]


@click.command()
@data_options
@engine_options
@objective_options
@prometheus_options()
@click.option(
    "-f",
    "--format",
    "form",
    type=click.Choice(["text", "json", "markdown", "html", "csv", "slack", "teams"]),
    default=None,
    help="By default text, or what the name given with -o says.",
)
@click.option(
    "-o",
    "--out",
    metavar="PATH",
    type=click.Path(),
    help="Write to a file instead of standard output.",
)
@click.option("--watch", "watching", is_flag=True, help="Show it again and again; Ctrl-C ends.")
@click.option(
    "--every", metavar="DURATION", help="How often, with --watch; by default 2s, of a server 15s."
)
@click.option("--title", default="Error budget report", help="Heading of the page.")
def report(
    form: str | None,
    out: str | None,
    title: str,
    watching: bool,
    every: str | None,
    **options: Any,
) -> int:
    """What is left of each error budget, and what to do about it.

    FILES are access logs, JSON lines, CSV or Parquet, also packed; - is standard input. Without
    a file of SLOs (-s) a set of defaults is judged. --prometheus URL reads a server's counters.
    With --engine files larger than memory are counted where they are; a folder that `errorbudget
    count -o` keeps is read as it is, and so is a table of counts with the columns time, good and
    total.
    """
    from errorbudget.cli.outputs import write
    from errorbudget.cli.render import form_of, render
    from errorbudget.report.document import document

    wanted = form or form_of(out)
    if watching:
        if wanted != "text" or out not in (None, "-"):
            raise click.UsageError("--watch shows text on the screen; leave out --format and --out")
        from errorbudget.cli.watch import watch

        return watch(
            options, every=every or ("15s" if options["prometheus"] else "2s"), title=title
        )
    if every is not None:
        raise click.UsageError("--every belongs to --watch")
    inputs = gathered(options, shown=wanted != "csv")
    found = document(
        inputs.slos, inputs.events, at=inputs.at, defaults=inputs.defaults, title=title
    )
    write(render(found, wanted, to_file=out is not None and out != "-"), out)
    if out is not None and out != "-":
        click.echo(f"wrote {out}", err=True)
    if all(status.state == "no_data" for status in found.report):
        say(
            "no data: no event takes part in any of the SLOs at that instant; "
            "--at chooses another, --where may be too narrow"
        )
        return NO_DATA
    return OK
