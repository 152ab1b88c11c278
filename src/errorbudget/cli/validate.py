"""`errorbudget validate`: is this file of SLOs right?"""

from __future__ import annotations

import click

from errorbudget.cli import NO, OK, say
from errorbudget.cli.inputs import load_slos
from errorbudget.errors import InvalidInputError

__all__ = ["validate"]


@click.command()
@click.argument("specs", nargs=-1, required=True)
def validate(specs: tuple[str, ...]) -> int:
    """Check files of SLOs: each mistake with its line and cure. Exit code 1 when one is wrong."""
    code = OK
    for path in specs:
        try:
            slos = load_slos(path)
        except InvalidInputError as error:
            for line in str(error).splitlines():
                say(line)
            code = NO
            continue
        many = "1 SLO" if len(slos) == 1 else f"{len(slos)} SLOs"
        click.echo(f"{path}: valid, {many}")
        for slo in slos:
            click.echo(f"  {slo}")
    return code
