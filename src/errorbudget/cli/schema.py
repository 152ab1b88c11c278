"""`errorbudget schema`: the JSON Schemas that ship with the package."""

from __future__ import annotations

import json

import click

from errorbudget.cli import OK

__all__ = ["schema"]


@click.command()
@click.argument("what", type=click.Choice(["report", "spec"]))
@click.option("-o", "--out", metavar="PATH", help="Write to a file instead of standard output.")
def schema(what: str, out: str | None) -> int:
    """Print the JSON Schema of the JSON report, or of a file of SLOs (for editors)."""
    from errorbudget.cli.outputs import write

    if what == "report":
        from errorbudget.report.json_form import report_schema

        found = report_schema()
    else:
        from errorbudget.cli.inputs import specs_room

        found = specs_room("the schema of specifications").json_schema()
    write(json.dumps(found, indent=2).encode() + b"\n", out)
    return OK
