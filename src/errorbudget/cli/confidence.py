"""`errorbudget confidence`: how sure the figures are, and whether this is burn or noise."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from errorbudget.cli import NO_DATA, OK, say
from errorbudget.cli.study import deliver, histories, output_options, study_options
from errorbudget.errors import InvalidInputError, InvalidTargetError

if TYPE_CHECKING:
    from errorbudget.studies.confidence import Confidence
    from errorbudget.studies.noise import BurnVerdict, LeastTraffic

__all__ = ["confidence"]


@click.command()
@click.option("--level", default="95%", show_default=True, help="How often they hold the truth.")
@click.option(
    "--method",
    type=click.Choice(["wilson", "clopper-pearson", "jeffreys"]),
    default="wilson",
    show_default=True,
    help="Right on average, never too narrow, or between.",
)
@click.option("--alpha", default="1%", show_default=True, help="False-page rate of one look.")
@output_options()
@study_options
def confidence(**options: Any) -> int:
    """How far the truth may lie from SLI, budget and burn rate; and: is this burn or noise?

    \b
    errorbudget confidence -s slos.yaml access.log
    """  # noqa: D301 - \b is click's mark for lines to keep
    from errorbudget.report.answers import confidence_section, paper_of
    from errorbudget.studies.confidence import confidence_of

    found, at = histories(options, reach=lambda slo: slo.period_ns)
    answers = []
    for slo, data in found:
        sure = confidence_of(slo, data, at=at, level=options["level"], method=options["method"])
        answers.append((slo, sure, *_judged(sure, options)))
    deliver(
        "errorbudget.confidence/1",
        lambda: [
            {
                "slo": slo.name,
                **sure.to_dict(),
                "burn_or_noise": None if verdict is None else verdict.to_dict(),
                "least_traffic": None if least is None else least.to_dict(),
            }
            for slo, sure, verdict, least in answers
        ],
        lambda: paper_of("How sure is that?", [confidence_section(*each) for each in answers]),
        lambda: [
            {
                "slo": slo.name,
                "figure": figure,
                "low": None if ends is None else ends[0],
                "high": None if ends is None else ends[1],
                "verdict": sure.verdict,
            }
            for slo, sure, *_ in answers
            for figure in ("sli", "burn_rate", "remaining_ratio")
            for ends in (sure.to_dict()[figure],)
        ],
        options,
    )
    if all(sure.verdict == "no_data" for _, sure, *_ in answers):
        say("no data: no event takes part in any of the SLOs at that instant")
        return NO_DATA
    return OK


def _judged(
    sure: Confidence, options: dict[str, Any]
) -> tuple[BurnVerdict | None, LeastTraffic | None]:
    """Burn or noise, and the least traffic; None where the target or the units have neither."""
    from errorbudget.studies.noise import burn_or_noise, least_traffic

    target = 1 - sure.error
    try:
        verdict = burn_or_noise(
            sure.counts, target, alpha=options["alpha"], dispersion=sure.dispersion
        )
    except InvalidInputError:
        if type(sure.counts.total) is int:
            raise
        verdict = None
    try:
        least = least_traffic(target)
    except (InvalidTargetError, InvalidInputError):
        least = None
    return verdict, least
