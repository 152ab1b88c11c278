"""`errorbudget lint`: pitfalls of objectives, for people, pre-commit and CI."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from errorbudget.cli import NO, OK
from errorbudget.cli.inputs import instant, load_slos, read, wanted_columns
from errorbudget.cli.prometheus_options import prometheus_options
from errorbudget.cli.study import output_options, terminal_width, write_form

if TYPE_CHECKING:
    from errorbudget.series import CountSeries
    from errorbudget.slo import SLO
    from errorbudget.studies.lint import LintReport

__all__ = ["lint"]

_RANK = {"error": 0, "warning": 1, "info": 2, "never": -1}
_FORMS = ("text", "json", "markdown", "html", "csv", "sarif", "github")


def _list(ctx: click.Context, _: click.Parameter, value: Any) -> None:
    if not value:
        return
    from errorbudget.studies.pitfalls import CHECKS

    width = terminal_width()
    for check in CHECKS:
        click.echo(f"{check.id} {check.severity:7} {check.title}")
        for text in (check.why, check.cure):
            indent = " " * 4
            click.echo(
                indent + text if width is None else click.wrap_text(text, width, indent, indent)
            )
    ctx.exit()


@click.command()
@click.argument("specs", nargs=-1, required=True)
@click.option(
    "--data", "files", multiple=True, metavar="FILE", help="A history, or a folder of kept counts."
)
@click.option("--columns", metavar="ROLE=NAME,...", help="Names of columns in the data.")
@click.option("--zone", help="Zone of written times that name none.")
@click.option("--time-unit", type=click.Choice(["s", "ms", "us", "ns"]), help="Of numeric times.")
@click.option(
    "--duration-unit", type=click.Choice(["s", "ms", "us", "ns"]), help="Of numeric durations."
)
@click.option("--input-format", default="auto", metavar="NAME", help="What the data is.")
@click.option("--strict", is_flag=True, help="Refuse the first bad line of the data.")
@click.option("--no-progress", is_flag=True, help="Never draw a progress bar.")
@click.option("--at", metavar="TIME", help="End of a server's history; by default now.")
@click.option("--ignore", multiple=True, metavar="ID", help="Leave out this check.")
@click.option(
    "--fail-on",
    type=click.Choice(list(_RANK)),
    default="warning",
    show_default=True,
    help="Exit code 1 from this severity on.",
)
@click.option(
    "--checks",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_list,
    help="List all checks and leave.",
)
@prometheus_options("--bin")
@output_options(*_FORMS)
def lint(**options: Any) -> int:
    """Pitfalls of the objectives in SPECS, each with an id, a why and a cure.

    Checks from EB201 on want a history: --data or --prometheus.

    \b
    errorbudget lint slos.yaml
    errorbudget lint slos.yaml --data access.log --format sarif -o lint.sarif
    """  # noqa: D301 - \b is click's mark for lines to keep
    from errorbudget.cli.outputs import write
    from errorbudget.report.answers import lint_sections, paper_of
    from errorbudget.studies.lint import FINDING
    from errorbudget.studies.lint import lint as run

    found: list[tuple[str, LintReport]] = []
    for path in options["specs"]:
        slos = load_slos(path)
        counts = _counts(slos, options)
        found.append((path, run(slos, counts=counts, ignore=options["ignore"])))
    form = options["form"] or ("sarif" if str(options["out"]).endswith(".sarif") else None)
    if form == "sarif":
        runs = [report.to_sarif(path, lines=_lines(path, report)) for path, report in found]
        log = runs[0] | {"runs": [run for each in runs for run in each["runs"]]}
        write((json.dumps(log, indent=2) + "\n").encode(), options["out"])
    elif form == "github":
        lines = [
            line
            for path, report in found
            for line in report.to_github(path, lines=_lines(path, report))
        ]
        write("".join(f"{line}\n" for line in lines).encode(), options["out"])
    else:
        write_form(
            lambda: {
                "schema": "errorbudget.lint/1",
                "files": [{"file": path, **report.to_dict()} for path, report in found],
            },
            lambda: paper_of(
                "Pitfalls", [part for path, report in found for part in lint_sections(report, path)]
            ),
            lambda: [
                {"file": path, **finding.to_dict()} for path, report in found for finding in report
            ],
            options,
            columns=("file", *FINDING),
        )
    worst = min(
        (_RANK[finding.check.severity] for _, report in found for finding in report), default=9
    )
    return NO if worst <= _RANK[options["fail_on"]] else OK


def _counts(slos: list[SLO], options: dict[str, Any]) -> dict[str, CountSeries]:
    """The history of every objective that counts good and bad events, where one is given."""
    from errorbudget.sli import RatioSLI
    from errorbudget.sources.engines import holds_counts, read_counts

    files = options["files"]
    if files and options["prometheus"]:
        raise click.UsageError("give --data or --prometheus, one of them")
    counted = [slo for slo in slos if isinstance(slo.sli, RatioSLI)]
    if not counted or not (files or options["prometheus"]):
        return {}
    if len(files) == 1 and holds_counts(files[0]):
        kept = read_counts(files[0], counted)
        return {slo.name: kept[slo] for slo in counted}
    if options["prometheus"]:
        from errorbudget.cli.prometheus_options import Extrapolated, fetch
        from errorbudget.sources.prometheus.asking import is_asked

        counted = [slo for slo in counted if not is_asked(slo)]
        at = instant(options["at"])
        since = (time.time_ns() if at is None else at) - max(slo.period_ns for slo in counted)
        found, _ = fetch(counted, options, at_ns=at, since_ns=since, names=[s.name for s in slos])
        if isinstance(found, Extrapolated):
            raise click.UsageError("a server's own reading has no history; leave out --reading")
        return {slo.name: found.of(slo) for slo in counted}
    labels, values = wanted_columns(counted)
    events = read(options, labels=labels, values=values, at=instant(options["at"]))
    return {slo.name: slo.count(events) for slo in counted}


def _lines(path: str, report: LintReport) -> Mapping[str, int]:
    """By subject, the first line of the file that names it, where one does."""
    if path == "-" or not Path(path).is_file():
        return {}
    text = Path(path).read_text("utf-8", errors="replace").splitlines()
    found = {}
    for finding in report:
        name = re.compile(rf"(?<![\w-]){re.escape(finding.subject)}(?![\w-])")
        line = next((place for place, each in enumerate(text, 1) if name.search(each)), None)
        if line is not None:
            found[finding.subject] = line
    return found
