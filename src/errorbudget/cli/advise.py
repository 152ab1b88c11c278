"""`errorbudget advise`: which target fits, and a proposal to agree on."""

from __future__ import annotations

from typing import Any

import click

from errorbudget.cli import NO_DATA, OK, say
from errorbudget.cli.study import deliver, histories, output_options, study_options
from errorbudget.durations import DAY_NS
from errorbudget.errors import InvalidInputError, InvalidSeriesError, NoDataError

__all__ = ["advise"]


@click.command()
@click.option(
    "--candidate",
    "candidates",
    multiple=True,
    metavar="TARGET",
    help="A target to try, several times; by default 90% to 99.99%.",
)
@click.option(
    "--months",
    type=click.IntRange(min=1),
    default=3,
    show_default=True,
    help="Months of consistent performance that a change asks for.",
)
@click.option("--proposal", is_flag=True, help="Write the proposal, in Markdown.")
@output_options()
@study_options
def advise(**options: Any) -> int:
    """Which target fits: what each would have meant, a recommendation, and a proposal.

    \b
    errorbudget advise -s slos.yaml access.log
    errorbudget advise -s slos.yaml access.log --slo api --proposal -o proposal.md
    """  # noqa: D301 - \b is click's mark for lines to keep
    from errorbudget.cli.outputs import write
    from errorbudget.report.answers import advice_sections, paper_of
    from errorbudget.studies.advice import USUAL
    from errorbudget.studies.advice import advise as run

    if options["proposal"] and options["form"] not in (None, "markdown"):
        raise click.UsageError("a proposal is Markdown; leave out --format")
    found, at = histories(
        options, reach=lambda slo: max((options["months"] + 1) * 30 * DAY_NS, slo.period_ns)
    )
    advices = []
    silent = 0
    for slo, data in found:
        try:
            advice = run(
                slo,
                data,
                targets=options["candidates"] or USUAL,
                months=options["months"],
                at=at,
            )
        except NoDataError as error:
            silent += 1
            say(f'SLO "{slo.name}": {error}')
        except InvalidSeriesError as error:
            if len(found) == 1:
                raise
            say(f"left out: {error}")
        else:
            if advice.counts:
                advices.append(advice)
            else:
                silent += 1
                say(f'SLO "{slo.name}": {advice.reasons[0]}')
    if not advices:
        if silent:
            return NO_DATA
        raise InvalidInputError("none of these SLOs counts events, which advice is made from")
    if options["proposal"]:
        text = "\n".join(advice.proposal() for advice in advices)
        write(text.encode(), options["out"])
        return OK
    deliver(
        "errorbudget.advice/1",
        lambda: [advice.to_dict() for advice in advices],
        lambda: paper_of(
            "Which target fits?", [part for advice in advices for part in advice_sections(advice)]
        ),
        lambda: [
            {"slo": advice.slo.name, **row}
            for advice in advices
            for row in advice.to_dict()["candidates"]
        ],
        options,
    )
    return OK
