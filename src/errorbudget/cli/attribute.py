"""`errorbudget attribute` and `errorbudget incidents`: who spent the budget, and when."""

from __future__ import annotations

from typing import Any

import click

from errorbudget.cli import NO_DATA, OK, say
from errorbudget.cli.inputs import instant
from errorbudget.cli.study import (
    deliver,
    histories,
    known_incidents,
    output_options,
    study_options,
)

__all__ = ["attribute", "incidents"]


@click.command()
@study_options
@click.option(
    "--by",
    multiple=True,
    metavar="LABEL",
    help="A label, status or status_class; several together. By default status.",
)
@click.option("--incidents", metavar="FILE", help="By incidents or deploys, from CSV or JSON.")
@click.option("--deploy", metavar="TIME", help="Compare the time before and after this instant.")
@click.option("--before", default="1h", show_default=True, help="With --deploy: how far back.")
@click.option("--after", default="1h", show_default=True, help="With --deploy: how far ahead.")
@click.option("--top", type=click.IntRange(min=1), default=20, show_default=True, help="Rows.")
@output_options()
def attribute(**options: Any) -> int:
    """Who spent the budget: by label, status, incident or deploy, adding up exactly.

    \b
    errorbudget attribute access.log --by route --by status
    errorbudget attribute -s slos.yaml access.log --incidents incidents.csv
    errorbudget attribute -s slos.yaml access.log --deploy 2026-03-04T10:00Z
    """  # noqa: D301 - \b is click's mark for lines to keep
    from errorbudget.report.answers import attribution_section, deploy_section, paper_of

    if sum(bool(options[name]) for name in ("by", "incidents", "deploy")) > 1:
        raise click.UsageError("give --by, --incidents or --deploy, one of them")
    by = options["by"] or ("status",)
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
            [effect.to_dict() for effect in effects],
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

    stretches: Any = known_incidents(options["incidents"])
    results = [run(slo, data, by if stretches is None else stretches, at=at) for slo, data in found]
    deliver(
        "errorbudget.attribution/1",
        [result.to_dict() for result in results],
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
    )
    return _code(result.counts.total for result in results)


@click.command()
@study_options
@click.option("--incidents", metavar="FILE", help="Known ones, from CSV or JSON; else found.")
@click.option("--threshold", metavar="BURN", help="Find where 5m burned faster than this.")
@click.option("--merge", default="30m", show_default=True, help="Closer ones are one.")
@click.option(
    "--min-cost", default="1%", show_default=True, help="Leave out what spent no more of a budget."
)
@output_options()
def incidents(**options: Any) -> int:
    """The incident ledger: start, length, peak burn, and what each cost of the budget.

    \b
    errorbudget incidents -s slos.yaml access.log
    errorbudget incidents -s slos.yaml access.log -f csv -o incidents.csv
    """  # noqa: D301 - \b is click's mark for lines to keep
    from errorbudget.report.answers import ledger_section, paper_of
    from errorbudget.studies.ledger import incident_ledger

    found, at = histories(options, reach=lambda slo: slo.period_ns)
    known = known_incidents(options["incidents"])
    ledgers = [
        incident_ledger(
            slo,
            data,
            incidents=known,
            threshold=options["threshold"],
            merge=0 if options["merge"] in ("0", "0s") else options["merge"],
            min_cost=options["min_cost"],
            at=at,
        )
        for slo, data in found
    ]
    deliver(
        "errorbudget.incidents/1",
        [ledger.to_dict() for ledger in ledgers],
        lambda: paper_of("Incidents", map(ledger_section, ledgers)),
        lambda: [
            {"slo": ledger.slo.name, **entry}
            for ledger in ledgers
            for entry in ledger.to_dict()["incidents"]
        ],
        options,
    )
    return _code(ledger.counts.total for ledger in ledgers)


def _code(totals: Any) -> int:
    if any(totals):
        return OK
    say("no data: no event takes part in any of the SLOs there")
    return NO_DATA
