"""`errorbudget convert`: a file of SLOs in another format, and what that format cannot say."""

from __future__ import annotations

import warnings
from typing import Any

import click

from errorbudget.cli import NO, OK, say
from errorbudget.cli.inputs import specs_room
from errorbudget.cli.outputs import write
from errorbudget.cli.render import form_of
from errorbudget.errors import DoubtfulTargetWarning

__all__ = ["convert"]

_SUFFIXES = {".yaml": "yaml", ".yml": "yaml", ".toml": "toml", ".json": "json"}


@click.command()
@click.argument("spec")
@click.option(
    "--to",
    "target",
    type=click.Choice(["errorbudget", "openslo", "sloth", "pyrra"]),
    default="errorbudget",
    show_default=True,
    help="Format to write.",
)
@click.option(
    "--syntax",
    type=click.Choice(["yaml", "json", "toml"]),
    help="Of the native format; told by the name of --out otherwise.",
)
@click.option("--window", help="Window of formats that leave it to their command line, as 30d.")
@click.option("--counter", metavar="METRIC", help="For Sloth and Pyrra: counter of the events.")
@click.option("--histogram", metavar="METRIC", help="For Sloth and Pyrra: their durations.")
@click.option(
    "--label",
    "labels",
    multiple=True,
    metavar="COLUMN=LABEL",
    help="Label of those metrics where it differs from the column, as status=code.",
)
@click.option("--allow-env", is_flag=True, help="Fill in ${env:NAME} from the environment.")
@click.option("--strict", is_flag=True, help="Exit code 1 when anything was lost on the way.")
@click.option("-o", "--out", metavar="PATH", help="Write to a file instead of standard output.")
def convert(
    spec: str,
    target: str,
    syntax: str | None,
    window: str | None,
    counter: str | None,
    histogram: str | None,
    labels: tuple[str, ...],
    allow_env: bool,
    strict: bool,
    out: str | None,
) -> int:
    """Write a file of SLOs in another format; what could not be carried goes to standard error.

    Reads the native format, OpenSLO, Sloth, Pyrra, slo-generator and slo-kit; - is standard input.
    """
    room = specs_room("converting a file of SLOs")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DoubtfulTargetWarning)
        found = room.load_path(spec, window=window, allow_env=allow_env)
        if not len(found):
            say(f"{spec}: holds no objective to convert")
            return NO
        chosen = syntax or form_of(out, _SUFFIXES, "yaml", "--syntax")
        metrics = _metrics(counter, histogram, labels)
        done = room.export(found, target, syntax=chosen, metrics=metrics)
    losses = [*found.losses, *done.losses]
    for loss in losses:
        say(f"not carried: {loss}")
    if not done.text:
        return NO
    write(done.text, out)
    return NO if strict and losses else OK


def _metrics(counter: str | None, histogram: str | None, labels: tuple[str, ...]) -> Any:
    if counter is None and histogram is None:
        return None
    from errorbudget.rules import Metrics

    pairs = dict(pair.partition("=")[::2] for pair in labels)
    usual = Metrics()
    return Metrics(counter or usual.counter, histogram or usual.histogram, labels=pairs)
