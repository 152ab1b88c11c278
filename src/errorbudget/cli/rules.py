"""`errorbudget rules`: recording and alert rules out of a file of SLOs, and tests of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

import click

from errorbudget.cli import OK, say
from errorbudget.cli.metrics_file import metrics_of, metrics_option
from errorbudget.errors import InvalidInputError
from errorbudget.live.paths import as_path

if TYPE_CHECKING:
    from pathlib import Path

    from errorbudget.rules.metrics import MetricsLike
    from errorbudget.slo import SLO

__all__ = ["rules"]


@click.command()
@click.option("-s", "--spec", metavar="SPEC", required=True, help="File of SLOs.")
@click.option("--slo", "names", multiple=True, metavar="NAME", help="Only this SLO.")
@metrics_option
@click.option("-o", "--out", metavar="PATH", help="Write to a file instead of standard output.")
@click.option(
    "--tests",
    metavar="DIR",
    help="Write each SLO's rules there too, with tests for promtool beside them.",
)
@click.option("--interval", default="1m", show_default=True, help="Of counts, ratios and alerts.")
@click.option(
    "--alerts",
    type=click.Choice(["spec", "workbook", "guide", "none"]),
    default="spec",
    help="Burn alerts: those of the file (default), of the SRE Workbook, of the guide, or none.",
)
@click.option(
    "--placement",
    type=click.Choice(["single", "shard", "global"]),
    default="single",
    help="Where many servers scrape: shard for each of them, global for the ruler above.",
)
def rules(
    spec: str,
    names: tuple[str, ...],
    metrics: str | None,
    out: str | None,
    tests: str | None,
    interval: str,
    alerts: str,
    placement: Literal["single", "shard", "global"],
) -> int:
    """Recording and alert rules for Prometheus, Thanos, Mimir and Cortex.

    `promtool check rules FILE` takes them; with --tests, `promtool test rules DIR/*_test.yml`
    shows each alert firing and resolving.
    """
    from errorbudget.cli.inputs import chosen, load_slos
    from errorbudget.cli.outputs import write
    from errorbudget.rules import prometheus_rules

    if tests is not None and (placement != "single" or alerts == "none" or interval != "1m"):
        raise click.UsageError(
            "--tests shows alerts at every minute on one server; leave out --placement, "
            "--interval and --alerts none"
        )
    every = load_slos(spec)
    slos = [_with_alerts(slo, alerts) for slo in chosen(every, names)]
    found = metrics_of(metrics, [slo.name for slo in every])
    file = prometheus_rules(
        slos, metrics=found, interval=interval, placement=placement, alerts=alerts != "none"
    )
    if not file.groups:
        raise InvalidInputError(f'there is nothing to write for these SLOs as "{placement}"')
    for warning in file.warnings:
        say(f"warning: {warning}")
    if tests is not None:
        _write_tests(slos, found, as_path(tests))
    write(file.to_yaml(), out)
    if out is not None and out != "-":
        click.echo(f"wrote {out}", err=True)
    return OK


def _with_alerts(slo: SLO, alerts: str) -> SLO:
    from errorbudget.alerts import GUIDE, WORKBOOK

    if alerts in ("spec", "none") or slo.target is None:
        return slo
    table = GUIDE if alerts == "guide" else WORKBOOK
    return slo.replace(alerts=table.for_period(slo.period_ns))


def _write_tests(slos: Sequence[SLO], metrics: MetricsLike, folder: Path) -> None:
    """Rules and tests by SLO, as a test of several would take long."""
    from errorbudget.cli.outputs import write
    from errorbudget.rules import prometheus_rules, prometheus_tests
    from errorbudget.rules.prometheus import slug

    folder.mkdir(parents=True, exist_ok=True)
    for slo in slos:
        name = slug(slo.name)
        tested = prometheus_tests(slo, metrics=metrics, rule_files=[f"{name}.yml"])
        for missing, why in tested.untested.items():
            say(f"warning: {missing} has no test: {why}")
        if tested.tests:
            write(prometheus_rules(slo, metrics=metrics).to_yaml(), str(folder / f"{name}.yml"))
            write(tested.to_yaml(), str(folder / f"{name}_test.yml"))
            click.echo(f"wrote {folder / name}_test.yml", err=True)
