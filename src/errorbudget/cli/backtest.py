"""`errorbudget backtest`: what alert policies would have done on a history."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import click

from errorbudget.cli import NO_DATA, OK, say
from errorbudget.cli.study import (
    deliver,
    histories,
    known_incidents,
    output_options,
    study_options,
)

if TYPE_CHECKING:
    from errorbudget.alerts import AlertPolicy
    from errorbudget.cli.progress import Meter
    from errorbudget.slo import SLO

__all__ = ["backtest"]

SWEEP: dict[str, Any] = {
    "budget": ["0.5%", "1%", "2%", "5%", "10%"],
    "long": ["30m", "1h", "3h", "6h", "1d"],
    "short": ["1/12", None],
    "hold": ["0s", "5m"],
}
_TABLES = ("own", "workbook", "workbook-three", "guide")


@click.command()
@click.option(
    "--policy",
    "policies",
    multiple=True,
    type=click.Choice(_TABLES),
    help="Alerts to try, several times; by default the SLO's own, the Workbook's and the guide's.",
)
@click.option("--sweep", is_flag=True, help="Try up to a hundred variants.")
@click.option("--incidents", metavar="FILE", help="What truly happened: CSV or JSON.")
@click.option(
    "--costly",
    default="2%",
    show_default=True,
    help="Without --incidents: part of the budget that makes a stretch one.",
)
@click.option("--step", metavar="LENGTH", help="How often alerts look; by default each bin.")
@click.option(
    "--false-pages",
    default="1",
    show_default=True,
    metavar="N",
    help="False pages in 30 days, repeats of open ones too, that are put up with.",
)
@click.option("--detail", is_flag=True, help="List incidents and false pages of every policy.")
@output_options()
@study_options
def backtest(**options: Any) -> int:
    """What alert policies would have done: pages, what they missed and what they made up.

    A page is true when it speaks of an incident: one of --incidents, or a stretch that truly spent
    more than --costly of the budget.

    \b
    errorbudget backtest -s slos.yaml access.log --sweep
    errorbudget backtest -s slos.yaml access.log --incidents incidents.csv
    """  # noqa: D301 - \b is click's mark for lines to keep
    from errorbudget.cli.progress import meter
    from errorbudget.report.alert_answers import backtest_sections
    from errorbudget.report.answers import paper_of
    from errorbudget.studies.backtest import backtest as run
    from errorbudget.studies.pareto import policy_sweep
    from errorbudget.times import to_ns

    found, at = histories(options, reach=lambda slo: slo.period_ns, starts=True)
    incidents = [known_incidents(options["incidents"], slo) for slo, _ in found]
    results = []
    tried = [_policies(slo, options) for slo, _ in found]
    before, whole = 0, sum(map(len, tried))
    with meter("trying", "policies", enabled=not options["no_progress"]) as progress:
        for (slo, data), policies, known in zip(found, tried, incidents, strict=True):
            progress(before, whole)
            results.append(
                run(
                    slo,
                    data,
                    policies,
                    incidents=known,
                    costly=options["costly"],
                    step=options["step"],
                    start=None if options["start"] is None else to_ns(options["start"]),
                    end=at,
                    progress=partial(_tell, progress, before, whole),
                )
            )
            before += len(policies)
    for (slo, _), known, result in zip(found, incidents, results, strict=True):
        outside = 0 if known is None else len(known) - len(result.incidents)
        if outside:
            say(f'SLO "{slo.name}": incidents outside of this history are left out: {outside}')
    chosen = [result.recommend(options["false_pages"]) for result in results]
    pairs = list(zip(results, chosen, strict=True))
    untried = [
        len(policy_sweep(**SWEEP)) - len(_swept(slo)) if options["sweep"] else 0 for slo, _ in found
    ]
    deliver(
        "errorbudget.backtest/1",
        lambda: [
            {
                **result.to_dict(),
                "front": [each.name for each in result.front()],
                "recommendation": best.to_dict(),
            }
            for result, best in pairs
        ],
        lambda: paper_of(
            "Alert policies on this history",
            [
                section
                for (result, best), without in zip(pairs, untried, strict=True)
                for section in backtest_sections(
                    result,
                    best,
                    untried=without,
                    detail=[each.name for each in result]
                    if options["detail"]
                    else list(dict.fromkeys((result[0].name, best.policy.name))),
                )
            ],
        ),
        lambda: [
            {"slo": result.slo.name, **each.summary()} for result in results for each in result
        ],
        options,
    )
    if not any(result.counts for result in results):
        say("no data: no event takes part in any of the SLOs")
        return NO_DATA
    return OK


def _tell(progress: Meter, before: int, whole: int, done: int, _: int) -> None:
    progress(before + done, whole)


def _swept(slo: SLO) -> list[AlertPolicy]:
    """The variants that a healthy service does not set off."""
    from errorbudget.studies.pareto import policy_sweep

    return policy_sweep(**SWEEP, window=slo.period_ns)


def _policies(slo: SLO, options: dict[str, Any]) -> list[AlertPolicy]:
    """What to try, the SLO's own first; names differ."""
    from errorbudget.alerts import GUIDE, WORKBOOK, WORKBOOK_THREE

    tables = {
        "own": slo.alerts,
        "workbook": WORKBOOK,
        "workbook-three": WORKBOOK_THREE,
        "guide": GUIDE,
    }
    names = options["policies"] or ("own", "workbook", "guide")
    wanted = [table for name in names if (table := tables[name]) is not None]
    if options["sweep"]:
        wanted += _swept(slo)
    return list({policy.name: policy for policy in reversed(wanted)}.values())[::-1]
