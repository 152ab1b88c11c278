"""`errorbudget review`: what a week, a month or a quarter was like, ready to send."""

from __future__ import annotations

from typing import Any

import click

from errorbudget.cli import NO_DATA, OK, say
from errorbudget.cli.study import (
    known_incidents,
    output_options,
    study_options,
    unfiltered,
    write_form,
)

__all__ = ["review"]


@click.command()
@click.option(
    "--period",
    type=click.Choice(["weekly", "monthly", "quarterly"]),
    default="weekly",
    show_default=True,
    help="7, 30 or 90 days until the end of the data, or --at.",
)
@click.option(
    "--calendar",
    metavar="ZONE",
    help="The last whole week, month or quarter of this zone instead, as UTC or Europe/Berlin.",
)
@click.option("--incidents", metavar="FILE", help="What truly happened: CSV or JSON.")
@click.option("--title", help="Heading of the page.")
@output_options()
@study_options
def review(**options: Any) -> int:
    """What the period was like beside the one before, and what to do: the guide's reviews.

    \b
    errorbudget review --period weekly -s slos.yaml access.log
    errorbudget review --period monthly -s slos.yaml access.log -o review.html
    """  # noqa: D301 - \b is click's mark for lines to keep
    from errorbudget.cli.progress import meter
    from errorbudget.report.review_paper import review_paper
    from errorbudget.studies.review import PERIODS
    from errorbudget.studies.review import review as run

    length = PERIODS[options["period"]].length_ns
    found, at = unfiltered(options, reach=lambda slo: 3 * length + slo.period_ns)
    incidents = options["incidents"] and {
        slo.name: known_incidents(options["incidents"], slo) for slo, _ in found
    }
    with meter("reviewing", "SLOs", enabled=not options["no_progress"]) as progress:
        answer = run(
            [slo for slo, _ in found],
            {slo.name: data for slo, data in found},
            period=options["period"],
            at=at,
            calendar=options["calendar"],
            incidents=incidents,
            progress=progress,
        )
    write_form(
        answer.to_dict,
        lambda: review_paper(answer, options["title"]),
        lambda: [each.summary() for each in answer],
        options,
    )
    if all(each.status.state == "no_data" for each in answer):
        say("no data: no event takes part in any of the SLOs in that period")
        return NO_DATA
    return OK
