"""`errorbudget attribute` and `errorbudget incidents`: who spent the budget, and when."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from errorbudget.cli import NO_DATA, OK, say
from errorbudget.cli.inputs import instant
from errorbudget.cli.progress import meter
from errorbudget.cli.study import (
    deliver,
    groups,
    histories,
    known_incidents,
    output_options,
    study_options,
)

if TYPE_CHECKING:
    from errorbudget.studies.attribution import Attribution

__all__ = ["attribute", "incidents"]


@click.command()
@click.option(
    "--by",
    multiple=True,
    metavar="LABEL",
    help="A label, status or status_class; several together. By default status. Counts know those "
    "that they were counted by, counters of a server their own.",
)
@click.option("--incidents", metavar="FILE", help="By incidents or deploys, from CSV or JSON.")
@click.option("--deploy", metavar="TIME", help="Compare the time before and after this instant.")
@click.option("--before", default="1h", show_default=True, help="With --deploy: how far back.")
@click.option("--after", default="1h", show_default=True, help="With --deploy: how far ahead.")
@click.option("--top", type=click.IntRange(min=1), default=20, show_default=True, help="Rows.")
@output_options()
@study_options
def attribute(**options: Any) -> int:
    """Who spent the budget: by label, status, incident or deploy, adding up exactly.

    \b
    errorbudget attribute access.log --by route --by status
    errorbudget attribute -s slos.yaml access.log --incidents incidents.csv
    errorbudget attribute -s slos.yaml access.log --deploy 2026-03-04T10:00Z
    """  # noqa: D301 - \b is click's mark for lines to keep
    from errorbudget.report.answers import deploy_section, paper_of

    if sum(bool(options[name]) for name in ("by", "incidents", "deploy")) > 1:
        raise click.UsageError("give --by, --incidents or --deploy, one of them")
    by = options["by"] or ("status",)
    if _wants_groups(options):
        return _by_groups(by, options)
    extra = tuple(name for name in by if name not in ("status", "status_class"))
    found, at = histories(options, reach=lambda slo: slo.period_ns, labels=extra)
    if options["deploy"]:
        from errorbudget.studies.deploys import deploy_effect

        moment = instant(options["deploy"])
        assert moment is not None  # noqa: S101 - the option is not empty
        effects = [
            deploy_effect(slo, data, moment, before=options["before"], after=options["after"])
            for slo, data in found
        ]
        deliver(
            "errorbudget.deploy/1",
            lambda: [effect.to_dict() for effect in effects],
            lambda: paper_of("Before and after a deploy", map(deploy_section, effects)),
            lambda: [
                {"slo": effect.slo.name, "side": side, **effect.to_dict()[side]}
                for effect in effects
                for side in ("before", "after")
            ],
            options,
        )
        return _code(effect.before.total + effect.after.total for effect in effects)
    from errorbudget.studies.attribution import attribute as run

    stretches: list[Any] = [known_incidents(options["incidents"], slo) for slo, _ in found]
    names = [by if known is None else known for known in stretches]
    with meter("sharing out", "rows", enabled=not options["no_progress"]) as progress:
        results = [
            run(slo, data, each, at=at, progress=progress)
            for (slo, data), each in zip(found, names, strict=True)
        ]
    return _answer(results, options)


def _wants_groups(options: dict[str, Any]) -> bool:
    """Whether there are labels to share out by, and counts instead of events."""
    from errorbudget.cli.engines import wants_counts

    if options["incidents"] or options["deploy"]:
        return False
    return bool(options["prometheus"]) or wants_counts(options)


def _by_groups(by: tuple[str, ...], options: dict[str, Any]) -> int:
    from errorbudget.studies.groups import attribute_groups

    found, at = groups(options, by, reach=lambda slo: slo.period_ns)
    with meter("sharing out", "groups", enabled=not options["no_progress"]) as progress:
        results = [attribute_groups(slo, each, by, at=at, progress=progress) for slo, each in found]
    return _answer(results, options)


def _answer(results: list[Attribution], options: dict[str, Any]) -> int:
    from errorbudget.report.answers import attribution_section, paper_of

    deliver(
        "errorbudget.attribution/1",
        lambda: [result.to_dict() for result in results],
        lambda: paper_of(
            "Who spent the budget",
            [attribution_section(result, options["top"]) for result in results],
        ),
        lambda: [
            {"slo": result.slo.name, **row}
            for result in results
            for row in result.to_dict()["spenders"]
        ],
        options,
        columns=("slo", *(name for result in results for name in result.columns)),
    )
    return _code(result.counts.total for result in results)


@click.command()
@click.option("--incidents", metavar="FILE", help="Known ones, from CSV or JSON; else found.")
@click.option("--threshold", metavar="BURN", help="Find where 5m burned faster than this.")
@click.option("--merge", default="30m", show_default=True, help="Closer ones are one.")
@click.option(
    "--min-cost", default="1%", show_default=True, help="Leave out what spent no more of a budget."
)
@output_options()
@study_options
def incidents(**options: Any) -> int:
    """The incident ledger: start, length, peak burn, and what each cost of the budget.

    \b
    errorbudget incidents -s slos.yaml access.log
    errorbudget incidents -s slos.yaml access.log -f csv -o incidents.csv
    """  # noqa: D301 - \b is click's mark for lines to keep
    from errorbudget.report.answers import ledger_section, paper_of
    from errorbudget.studies.ledger import INCIDENT, incident_ledger

    found, at = histories(options, reach=lambda slo: slo.period_ns)
    ledgers = [
        incident_ledger(
            slo,
            data,
            incidents=known_incidents(options["incidents"], slo),
            threshold=options["threshold"],
            merge=0 if options["merge"] in ("0", "0s") else options["merge"],
            min_cost=options["min_cost"],
            at=at,
        )
        for slo, data in found
    ]
    deliver(
        "errorbudget.incidents/1",
        lambda: [ledger.to_dict() for ledger in ledgers],
        lambda: paper_of("Incidents", map(ledger_section, ledgers)),
        lambda: [
            {"slo": ledger.slo.name, **entry}
            for ledger in ledgers
            for entry in ledger.to_dict()["incidents"]
        ],
        options,
        columns=("slo", *INCIDENT),
    )
    return _code(ledger.counts.total for ledger in ledgers)


def _code(totals: Any) -> int:
    if any(totals):
        return OK
    say("no data: no event takes part in any of the SLOs there")
    return NO_DATA
