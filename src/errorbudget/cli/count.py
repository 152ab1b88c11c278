"""`errorbudget count`: keep counts of many files in a folder, and report from them."""

from __future__ import annotations

from typing import Any

import click

from errorbudget.cli import NO_DATA, OK, say
from errorbudget.cli.engines import ENGINE_NAMES, columns_of, ratios, tell
from errorbudget.cli.inputs import chosen, instant, load_slos

__all__ = ["count"]


@click.command()
@click.argument("files", nargs=-1)
@click.option("-s", "--spec", metavar="SPEC", required=True, help="File of SLOs.")
@click.option("--slo", "names", multiple=True, metavar="NAME", help="Only this SLO.")
@click.option(
    "-o",
    "--out",
    metavar="FOLDER",
    help="Keep the counts here; without FILES, report from those that are kept.",
)
@click.option("--every", default="1m", show_default=True, help="Length of a bin.")
@click.option("--by", multiple=True, metavar="LABEL", help="Keep counts apart by this label.")
@click.option(
    "--engine",
    type=click.Choice(ENGINE_NAMES),
    default="auto",
    show_default=True,
    help="What counts; auto looks at the size of the files and at what is installed.",
)
@click.option("--columns", metavar="NAME=COLUMN,...", help="Such as time=ts,status=code.")
@click.option(
    "--time-unit",
    type=click.Choice(["s", "ms", "us", "ns"]),
    default="ns",
    help="Of integer times.",
)
@click.option(
    "--duration-unit", type=click.Choice(["s", "ms", "us", "ns"]), default="s", help="Of durations."
)
@click.option("--skip-bad-files", is_flag=True, help="Leave out files that cannot be counted.")
@click.option("--at", metavar="TIME", help='Instant to judge, as 2026-03-01T12:00Z or "now".')
@click.option(
    "-f", "--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True
)
def count(**options: Any) -> int:
    """Count files larger than memory, once, and report from the counts.

    FILES are Parquet, CSV or JSON lines, patterns or folders. With -o only what is new or has
    changed is counted.

    \b
    errorbudget count -s slos.yaml 'logs/*.parquet' -o counts/
    errorbudget count -s slos.yaml -o counts/
    """  # noqa: D301 - \b is click's mark for lines to keep
    from errorbudget.sources.engines import count_files, read_counts, update_counts

    files, out = options["files"], options["out"]
    if not files and not out:
        raise click.UsageError("nothing to count: name files, or with -o a folder of counts")
    slos = ratios(chosen(load_slos(options["spec"]), options["names"]))
    roles = _roles(options)
    if not out:
        counted = count_files(files, slos, **roles)
        tell(counted.notes, counted.skipped)
    else:
        if files:
            update = update_counts(out, files, slos, **roles)
            tell(update.notes, update.skipped)
            say(f"counted {len(update.counted):,}, unchanged {len(update.unchanged):,}, in {out}")
        counted = read_counts(out, slos)
    report = counted.evaluate(instant(options["at"]))
    if options["form"] == "json":
        import json

        click.echo(json.dumps(report.to_dict(), indent=2, allow_nan=False))
    else:
        click.echo(str(report))
    return NO_DATA if all(status.state == "no_data" for status in report) else OK


def _roles(options: dict[str, Any]) -> dict[str, Any]:
    return columns_of(options) | {
        "every": options["every"],
        "by": options["by"],
        "engine": options["engine"],
        "errors": "skip" if options["skip_bad_files"] else "raise",
    }
