"""`errorbudget alertmanager`: who hears of which alert, and which alert silences which."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from errorbudget.cli import OK
from errorbudget.errors import InvalidInputError, did_you_mean

if TYPE_CHECKING:
    from errorbudget.rules import Receiver

__all__ = ["alertmanager"]

_LEVELS = ("page", "ticket", "info")
_KNOWN = (*_LEVELS, "default", "teams")


@click.command()
@click.option("-s", "--spec", metavar="SPEC", required=True, help="File of SLOs.")
@click.option("--slo", "names", multiple=True, metavar="NAME", help="Only this SLO.")
@click.option(
    "--receivers",
    metavar="FILE",
    help="Who is told (YAML, JSON): page, ticket, info, default, teams. Without it, receivers of "
    "these names that tell nobody yet.",
)
@click.option("--group-wait", default="30s", show_default=True, help="Before the first message.")
@click.option("--group-interval", default="5m", show_default=True, help="Before news of a group.")
@click.option("-o", "--out", metavar="PATH", help="Write to a file instead of standard output.")
def alertmanager(
    spec: str,
    names: tuple[str, ...],
    receivers: str | None,
    group_wait: str,
    group_interval: str,
    out: str | None,
) -> int:
    """Routes, inhibit rules and receivers for the alerts that `errorbudget rules` writes.

    A file of receivers says, by urgency, what Alertmanager says of a receiver:

    \b
    page:
      name: pager
      pagerduty_configs: [{routing_key_file: /etc/alertmanager/pagerduty}]

    Secrets stay in files; one that is written down is refused.
    """  # noqa: D301 - \b is click's mark for lines to keep
    from errorbudget.cli.inputs import chosen, load_slos
    from errorbudget.cli.outputs import write
    from errorbudget.rules import alertmanager_config

    slos = chosen(load_slos(spec), names)
    data = _read(receivers) if receivers is not None else {}
    teams = data.pop("teams", {})
    if not isinstance(teams, Mapping) or not all(
        isinstance(one, Mapping) for one in teams.values()
    ):
        raise InvalidInputError(f"{receivers}: teams maps a team to its receivers by urgency")
    found = {level: _receiver(level, one, receivers) for level, one in data.items()}
    usual = {level: found.get(level) or _receiver(level, {}, receivers) for level in _LEVELS}
    config = alertmanager_config(
        slos,
        page=usual["page"],
        ticket=usual["ticket"],
        info=usual["info"],
        default=found.get("default"),
        teams={
            team: {
                level: _receiver(f"{team}-{level}", one, receivers) for level, one in levels.items()
            }
            for team, levels in teams.items()
        },
        group_wait=group_wait,
        group_interval=group_interval,
    )
    write(config.to_yaml(), out)
    if out is not None and out != "-":
        click.echo(f"wrote {out}", err=True)
    return OK


def _read(path: str) -> dict[str, Any]:
    from errorbudget.cli.metrics_file import one_mapping

    data = one_mapping(path, "reading receivers")
    for key in data:
        if key not in _KNOWN:
            raise InvalidInputError(
                f'{path}: "{key}" is not known{did_you_mean(key, _KNOWN)}; '
                f"there are {', '.join(_KNOWN)}"
            )
    return data


def _receiver(usual: str, data: Any, path: str | None) -> Receiver:
    from errorbudget.rules import Receiver

    if not isinstance(data, Mapping):
        raise InvalidInputError(f"{path}: {usual} is a receiver, as Alertmanager writes it")
    ways = {key: value for key, value in data.items() if key != "name"}
    for key, value in ways.items():
        if not isinstance(value, list) or not all(isinstance(one, Mapping) for one in value):
            raise InvalidInputError(f"{path}: {key} of {usual} is a list of ways to tell")
    return Receiver(str(data.get("name", usual)), ways)
