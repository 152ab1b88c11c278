"""`errorbudget dashboard`: Grafana dashboards over what the rules record."""

from __future__ import annotations

import json

import click

from errorbudget.cli import OK
from errorbudget.cli.metrics_file import metrics_of, metrics_option

__all__ = ["dashboard"]


@click.command()
@click.option("-s", "--spec", metavar="SPEC", required=True, help="File of SLOs.")
@click.option("--slo", "name", metavar="NAME", help="The details of this SLO, not the overview.")
@metrics_option
@click.option("--title", help="Heading of the overview.")
@click.option("-o", "--out", metavar="PATH", help="Write to a file instead of standard output.")
def dashboard(
    spec: str, name: str | None, metrics: str | None, title: str | None, out: str | None
) -> int:
    """A Grafana dashboard, as JSON to import: all SLOs at a glance, or one with --slo.

    It asks what `errorbudget rules` records; give both the same --metrics.
    """
    from errorbudget.cli.inputs import load_slos
    from errorbudget.cli.outputs import write
    from errorbudget.rules import detail_dashboard, overview_dashboard
    from errorbudget.slo import find_slo

    if name is not None and title is not None:
        raise click.UsageError("--title belongs to the overview; leave out --slo")
    slos = load_slos(spec)
    found = metrics_of(metrics, [slo.name for slo in slos])
    if name is None:
        data = overview_dashboard(slos, metrics=found, title=title or "SLO overview")
    else:
        data = detail_dashboard(find_slo(slos, name), metrics=found)
    write(json.dumps(data, indent=1, ensure_ascii=False) + "\n", out)
    if out is not None and out != "-":
        click.echo(f"wrote {out}", err=True)
    return OK
