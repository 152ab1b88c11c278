"""
The table of commands, each in a file of its own and loaded when it is called.

A new command is a module with a click command in it, and one line here.
"""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from importlib import import_module
from typing import Any

import click

__all__ = ["COMMANDS", "Entry", "app"]


@dataclass(frozen=True, slots=True)
class Entry:
    """
    A command that is not loaded yet.

    Attributes:
        module: Where it is defined.
        name: What it is called in there.
        about: Its line in the help.
        group: Its heading in the help.
    """

    module: str
    name: str
    about: str
    group: str


_LOOK, _DECIDE, _WRITE, _SPEC, _TRY = "Look", "Decide", "Write", "Specifications", "Try"
_STUDY = "Study"

COMMANDS: dict[str, Entry] = {
    name: Entry(f"errorbudget.cli.{module}", attribute, about, group)
    for name, module, attribute, about, group in (
        ("demo", "demo", "demo", "A shop's month with incidents: log, spec, report, page", _TRY),
        ("simulate", "simulate", "simulate", "Write the log of traffic that never happened", _TRY),
        ("report", "report", "report", "What is left of each error budget, and what to do", _LOOK),
        (
            "history",
            "history",
            "history",
            "The same figures along time, as a table or a plot",
            _LOOK,
        ),
        ("count", "count", "count", "Count many files once, and report from the counts", _LOOK),
        ("gate", "gate", "gate", "May this be deployed? Exit code 0 is yes, 1 is no", _DECIDE),
        ("allowance", "allowance", "allowance", "How much failure a target allows", _DECIDE),
        ("review", "review", "review", "A week, month or quarter beside the one before", _STUDY),
        ("backtest", "backtest", "backtest", "What alerts would have done on a history", _STUDY),
        ("forecast", "forecast", "forecast", "When the budget is gone, and comes back", _STUDY),
        ("attribute", "attribute", "attribute", "Who spent the budget", _STUDY),
        ("incidents", "attribute", "incidents", "When it burned, how hard, at what cost", _STUDY),
        ("confidence", "confidence", "confidence", "How sure is that? Burn or noise?", _STUDY),
        ("advise", "advise", "advise", "Which target fits, and a proposal", _STUDY),
        (
            "rules",
            "rules",
            "rules",
            "Prometheus rules for a file of SLOs, with their tests",
            _WRITE,
        ),
        ("alertmanager", "alertmanager", "alertmanager", "Who hears of which alert", _WRITE),
        ("dashboard", "dashboard", "dashboard", "A Grafana dashboard", _WRITE),
        ("validate", "validate", "validate", "Check a file of SLOs", _SPEC),
        ("lint", "lint", "lint", "Find pitfalls in a file of SLOs", _SPEC),
        ("convert", "convert", "convert", "Write a file of SLOs in another format", _SPEC),
        ("schema", "schema", "schema", "Print a JSON Schema", _SPEC),
    )
}


class LazyGroup(click.Group):
    """A group that knows its commands by name and imports the one that is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names, in the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command, imported now."""
        entry = COMMANDS.get(cmd_name)
        if entry is None:
            return None
        command: click.Command = getattr(import_module(entry.module), entry.name)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that *args* begin with; a typing mistake is answered with the nearest."""
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            close = get_close_matches(args[0], list(COMMANDS), n=1, cutoff=0.5)
            hint = (
                f'; did you mean "{close[0]}"?' if close else f"; there are {', '.join(COMMANDS)}"
            )
            raise click.UsageError(f'there is no command "{args[0]}"{hint}', ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The table, heading by heading, without importing any command."""
        groups: dict[str, list[tuple[str, str]]] = {}
        for name, entry in COMMANDS.items():
            groups.setdefault(entry.group, []).append((name, entry.about))
        for group, rows in groups.items():
            with formatter.section(group):
                formatter.write_dl(rows)


def _version(ctx: click.Context, _: click.Parameter, value: Any) -> None:
    if value:
        from errorbudget import __version__

        click.echo(f"errorbudget {__version__}")
        ctx.exit()


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"]},
    invoke_without_command=True,
    epilog="Exit codes: 0 fine, 1 the answer is no, 2 the question was wrong, 3 no data. "
    "With --debug, an error shows where it came from.",
)
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_version,
    help="Show the version and leave.",
)
@click.pass_context
def app(ctx: click.Context) -> None:
    """How much failure can we still afford, and what should we do about it?

    \b
    errorbudget report access.log              a log is enough
    errorbudget report -s slos.yaml access.log
    errorbudget demo                           no log at hand
    """  # noqa: D301 - \b is click's mark for lines to keep
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())
