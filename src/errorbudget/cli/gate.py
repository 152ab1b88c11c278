"""`errorbudget gate`: may this be deployed? For pipelines, with the reason in one line."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterable
from contextlib import nullcontext
from fractions import Fraction
from pathlib import Path
from typing import Any

import click

from errorbudget.cli import NO, NO_DATA, OK, say
from errorbudget.cli.engines import engine_options
from errorbudget.cli.inputs import data_options, gathered, objective_options, pairs
from errorbudget.cli.prometheus_options import prometheus_options
from errorbudget.errors import InvalidInputError, NoDataError
from errorbudget.report.gating import Rules, Standing, Verdict, decide, standing_of, standings_in

__all__ = ["gate"]


@click.command()
@data_options
@engine_options
@objective_options
@prometheus_options()
@click.option(
    "--change",
    type=click.Choice(["normal", "critical"]),
    default="normal",
    help="Critical is a fix or a security patch, which a low budget lets through.",
)
@click.option(
    "--on-no-data",
    type=click.Choice(["closed", "open"]),
    default="closed",
    help="What silence means.",
)
@click.option("--min-remaining", metavar="SHARE", help="Least share of budget left, as 20%.")
@click.option(
    "--max-burn",
    multiple=True,
    metavar="WINDOW=RATE",
    help="Burn rate that may not be exceeded, as 1h=14.4.",
)
@click.option("--no-policy", is_flag=True, help="Do not ask the SLOs' policies.")
@click.option("--max-age", metavar="LENGTH", help="A report older than this is no data, as 1h.")
@click.option(
    "--override", metavar="REASON", help="Open it whatever it says; the reason is recorded."
)
@click.option(
    "-f",
    "--format",
    "form",
    type=click.Choice(["text", "json", "github"]),
    default="text",
    help="github: an annotation; a summary is written wherever $GITHUB_STEP_SUMMARY is set.",
)
def gate(
    change: str,
    on_no_data: str,
    min_remaining: str | None,
    max_burn: tuple[str, ...],
    no_policy: bool,
    max_age: str | None,
    override: str | None,
    form: str,
    **options: Any,
) -> int:
    """May this be deployed? Exit code 0 is yes, 1 is no; the reason is one line.

    FILES are a JSON report (errorbudget report --format json), or request logs to judge now;
    --prometheus URL judges a server's counters.
    """
    if override is not None and not override.strip():
        raise click.UsageError("--override wants a reason, such as --override 'fix for INC-7'")
    rules = Rules(
        change,
        on_no_data,
        None if min_remaining is None else _share("--min-remaining", min_remaining),
        _limits(max_burn),
        policy=not no_policy,
    )
    doubts: list[str] = []
    try:
        standings, at_ns, notes = _standings(options, rules)
    except NoDataError as error:
        standings, at_ns, notes = [Standing("data", "no_data", None, {}, None, None)], None, []
        doubts.append(str(error))
    if max_age is not None and at_ns is not None:
        doubts += _too_old(at_ns, max_age)
    verdict = decide(standings, rules, override=override, doubts=doubts, notes=notes)
    _tell(verdict, form)
    if verdict.open:
        return OK
    every_silent = all(standing.state == "no_data" for standing in standings)
    return NO_DATA if every_silent else NO


def _share(option: str, text: str) -> Fraction:
    number = text.strip()
    try:
        share = Fraction(number.removesuffix("%").strip())
    except (ValueError, ZeroDivisionError):
        raise click.UsageError(f'{option} wants a share such as 20%, got "{text}"') from None
    share = share / 100 if number.endswith("%") else share
    if share > 1:
        raise click.UsageError(
            f'{option} is at most 100 % of the budget, got {text}; for percent write "{text}%"'
        )
    return share


def _limits(texts: Iterable[str]) -> dict[str, Fraction]:
    from errorbudget.durations import format_duration, parse_duration

    found = {}
    for window, limit in pairs("--max-burn", texts).items():
        try:
            found[format_duration(parse_duration(window))] = Fraction(limit)
        except (InvalidInputError, ZeroDivisionError):
            raise
        except ValueError:
            raise click.UsageError(
                f'--max-burn wants WINDOW=RATE, as 1h=14.4, got "{window}={limit}"'
            ) from None
    return found


def _standings(
    options: dict[str, Any], rules: Rules
) -> tuple[list[Standing], int | None, list[str]]:
    """Where the SLOs stand, when that was judged, and what to say about it."""
    from errorbudget.times import to_ns

    files = options["files"]
    found = json_report(files[0]) if len(files) == 1 and not options["engine"] else None
    if found is None:
        from errorbudget.durations import parse_duration
        from errorbudget.evaluation import evaluate

        wanted = tuple(parse_duration(window) for window in rules.max_burn)
        inputs = gathered(options, burn=wanted)
        report = evaluate(inputs.slos, inputs.events, at=inputs.at)
        notes = ["judged by default SLOs, -s gives your own"] if inputs.defaults else []
        return [standing_of(status) for status in report], report.at_ns, notes
    for name in ("spec", "at", "target", "window", "where", "prometheus"):
        if options[name]:
            raise click.UsageError(f"{files[0]} is a report, judged already; leave out --{name}")
    standings = standings_in(found)
    if options["names"]:
        by_name = {standing.name: standing for standing in standings}
        for name in options["names"]:
            if name not in by_name:
                raise _unknown(name, tuple(by_name))
        standings = [by_name[name] for name in options["names"]]
    return standings, to_ns(found["at"]), []


def _unknown(name: str, known: tuple[str, ...]) -> InvalidInputError:
    from errorbudget.errors import did_you_mean

    return InvalidInputError(
        f'there is no SLO "{name}" in the report; there are {", ".join(known)}'
        f"{did_you_mean(name, known)}"
    )


def json_report(path: str) -> dict[str, Any] | None:
    """
    The JSON report in the file *path*, or None when it holds something else.

    Raises:
        InvalidInputError: It begins as a report, and cannot be read as one.
    """
    try:
        with nullcontext(sys.stdin.buffer) if path == "-" else Path(path).open("rb") as file:
            # Only looked at: a log on standard input is still there for its reader.
            if b'"errorbudget.report/' not in file.peek(4_096)[:4_096]:  # type: ignore[union-attr]
                return None
            found = json.loads(file.read(), parse_constant=_no_number)
    except OSError:
        return None  # the reader of logs says what is wrong with it
    except ValueError as error:
        raise InvalidInputError(f"{path} begins as a report and cannot be read: {error}") from None
    return found if isinstance(found, dict) else None


def _no_number(name: str) -> float:
    raise ValueError(f"{name} is no figure of a report")


def _too_old(at_ns: int, max_age: str) -> list[str]:
    from errorbudget.durations import parse_duration
    from errorbudget.figures import length

    age = time.time_ns() - at_ns
    if age <= parse_duration(max_age):
        return []
    return [f"the figures are {length(age)} old, more than {max_age}"]


def _tell(verdict: Verdict, form: str) -> None:
    line = " ".join(str(verdict).split())
    if form == "json":
        click.echo(json.dumps(verdict.to_dict(), indent=2))
    elif form == "github":
        level = "warning" if verdict.override else "notice" if verdict.open else "error"
        escaped = line.replace("%", "%25")
        click.echo(f"::{level} title=Error budget gate::{escaped}")
    else:
        click.echo(line)
    summary = os.environ.get("GITHUB_STEP_SUMMARY")
    if summary:
        from errorbudget.report.markdown import escaped as safe

        mark = "⚠️" if verdict.override else "✅" if verdict.open else "❌"
        rows = [f"- {safe(reason)}" for reason in (*verdict.reasons, *verdict.notes)]
        text = "\n".join([f"### {mark} Error budget gate", "", safe(line), "", *rows])
        try:
            with Path(summary).open("a", encoding="utf-8") as file:
                file.write(text.rstrip() + "\n\n")
        except OSError as error:  # the verdict stands, whether or not it can be shown there
            say(f"warning: cannot write $GITHUB_STEP_SUMMARY: {error}")
