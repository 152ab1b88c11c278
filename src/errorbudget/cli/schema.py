"""`errorbudget schema`: the JSON Schemas that ship with the package."""

from __future__ import annotations

import json

import click

from errorbudget.cli import OK

__all__ = ["schema"]

WHAT = (
    "report",
    "spec",
    "backtest",
    "forecast",
    "attribution",
    "deploy",
    "incidents",
    "confidence",
    "advice",
    "review",
    "lint",
)


@click.command()
@click.argument("what", metavar="WHAT", type=click.Choice(WHAT))
@click.option("-o", "--out", metavar="PATH", help="Write to a file instead of standard output.")
def schema(what: str, out: str | None) -> int:
    """Print the JSON Schema of the JSON report, of a study, or of a file of SLOs.

    WHAT is report, spec (for editors), backtest, forecast, attribution, deploy, incidents,
    confidence, advice, review or lint, as in the "schema" that a JSON answer names.
    """
    from errorbudget.cli.outputs import write

    if what == "report":
        from errorbudget.report.json_form import report_schema

        found = report_schema()
    elif what != "spec":
        from errorbudget.report.study_schemas import study_schema

        found = study_schema(what)
    else:
        from errorbudget.cli.inputs import specs_room

        found = specs_room("the schema of specifications").json_schema()
    write(json.dumps(found, indent=2).encode() + b"\n", out)
    return OK
