"""`errorbudget forecast`: when the budget is gone, and when it comes back."""

from __future__ import annotations

from typing import Any

import click

from errorbudget.cli import NO_DATA, OK, say
from errorbudget.cli.study import (
    deliver,
    histories,
    known_incidents,
    output_options,
    study_options,
)
from errorbudget.durations import DAY_NS
from errorbudget.errors import InvalidInputError, InvalidSeriesError, did_you_mean

__all__ = ["forecast"]


@click.command()
@click.option("--horizon", default="7d", show_default=True, help="How far to look ahead.")
@click.option("--level", default="90%", show_default=True, help="Share of futures in between.")
@click.option("--traffic", type=float, help="What if there were so many times the traffic?")
@click.option("--failures", type=float, help="What if so many times the share failed?")
@click.option("--incidents", metavar="FILE", help="Incidents that --repeat may name.")
@click.option(
    "--repeat",
    metavar="NAME|worst",
    help='What if this incident came again? "worst" is the costliest that is found.',
)
@click.option("--repeat-at", metavar="TIME", help="When it comes; by default at once.")
@click.option(
    "--above",
    multiple=True,
    metavar="SHARE",
    help="Tell when the budget is back above this, if nothing more goes wrong; 0%, 20% and 50%.",
)
@click.option("--seed", type=int, default=0, show_default=True, help="One seed, one answer.")
@output_options()
@study_options
def forecast(**options: Any) -> int:
    """When the budget is gone, with an interval, and when it comes back.

    \b
    errorbudget forecast -s slos.yaml access.log
    errorbudget forecast -s slos.yaml access.log --traffic 2
    errorbudget forecast -s slos.yaml access.log --repeat worst
    """  # noqa: D301 - \b is click's mark for lines to keep
    from errorbudget.report.answers import forecast_section, paper_of
    from errorbudget.studies.forecast import Scenario
    from errorbudget.studies.forecast import forecast as run
    from errorbudget.studies.recovery import recovery

    found, at = histories(options, reach=lambda slo: max(28 * DAY_NS, slo.period_ns))
    shares = options["above"] or ("0%", "20%", "50%")
    _check_name([slo for slo, _ in found], options)
    answers = []
    for slo, data in found:
        asked: dict[str, Any] = {
            "at": at,
            "horizon": options["horizon"],
            "level": options["level"],
            "seed": options["seed"],
        }
        futures = [run(slo, data, **asked)]
        repeat = _repeated(slo, data, at, options)
        if options["traffic"] is not None or options["failures"] is not None or repeat is not None:
            scenario = Scenario(
                _named(options, repeat),
                1.0 if options["traffic"] is None else options["traffic"],
                1.0 if options["failures"] is None else options["failures"],
                repeat,
                options["repeat_at"],
            )
            futures.append(run(slo, data, scenario=scenario, **asked))
        try:
            schedule = recovery(slo, data, at=at)
        except InvalidSeriesError:
            schedule = None
        answers.append((slo, futures, schedule))
    deliver(
        "errorbudget.forecast/1",
        lambda: [
            {
                "slo": slo.name,
                "scenarios": [future.to_dict() for future in futures],
                "recovery": None
                if schedule is None
                else {**schedule.to_dict(), "above": _above(schedule, shares)},
            }
            for slo, futures, schedule in answers
        ],
        lambda: paper_of(
            "Where the budget goes",
            [
                forecast_section(slo.name, futures, schedule, shares)
                for slo, futures, schedule in answers
            ],
        ),
        lambda: [_row(future) for _, futures, _ in answers for future in futures],
        options,
    )
    if all(futures[0].probability is None for _, futures, _ in answers):
        say("nothing is foretold of any objective; the answers above say why")
        return NO_DATA
    return OK


def _named(options: dict[str, Any], repeat: Any) -> str:
    parts = [
        f"{options[word]:g} times the {word}"
        for word in ("traffic", "failures")
        if options[word] is not None
    ]
    return " and ".join([*parts, *([] if repeat is None else [f"{options['repeat']} again"])])


def _check_name(slos: list[Any], options: dict[str, Any]) -> None:
    """Whether --repeat names an incident of any objective."""
    name, file = options["repeat"], options["incidents"]
    if name is None or file is None:
        return
    of = {slo.name: known_incidents(file, slo) or () for slo in slos}
    known = tuple(dict.fromkeys(each.name for given in of.values() for each in given))
    if name not in known:
        raise InvalidInputError(
            f'no incident "{name}" in {file}; there are {", ".join(known)}'
            f"{did_you_mean(name, known)}"
        )
    for slo, given in of.items():
        if all(each.name != name for each in given):
            say(f'{slo} has no incident "{name}" to repeat')


def _repeated(slo: Any, data: Any, at: int | None, options: dict[str, Any]) -> Any:
    name = options["repeat"]
    if name is None:
        if options["repeat_at"] is not None:
            raise click.UsageError("--repeat-at belongs to --repeat NAME")
        return None
    given = known_incidents(options["incidents"], slo)
    if given is not None:
        return next((stretch for stretch in given if stretch.name == name), None)
    from errorbudget.studies.ledger import incident_ledger

    if name != "worst":
        raise click.UsageError("--repeat takes a name of --incidents FILE, or worst")
    ledger = incident_ledger(slo, data, at=at)
    return max(ledger, key=lambda entry: entry.counts.bad) if len(ledger) else None


def _above(schedule: Any, shares: Any) -> dict[str, str | None]:
    from errorbudget.times import format_time

    back = {share: schedule.back_above(share) for share in shares}
    return {share: None if at is None else format_time(at) for share, at in back.items()}


def _row(future: Any) -> dict[str, Any]:
    data = future.to_dict()
    left = data.pop("remaining_ratio") or {}
    exhaustion = data.pop("exhaustion")
    return {
        **data,
        **{f"exhausted_{name}": at for name, at in exhaustion.items()},
        "until": left.get("at"),
        **{f"remaining_{name}": left.get(name) for name in ("low", "median", "high")},
    }
