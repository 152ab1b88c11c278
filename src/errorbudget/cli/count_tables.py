"""Files that are tables of counts, for the one objective that they were counted for."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from errorbudget.cli import say
from errorbudget.errors import InvalidInputError

if TYPE_CHECKING:
    from errorbudget.series import CountSeries
    from errorbudget.slo import SLO

__all__ = ["of_table"]


def of_table(
    options: Mapping[str, Any], slos: Sequence[SLO], at: int | None
) -> tuple[CountSeries, SLO]:
    """
    The counts that the options name, and their objective.

    Args:
        options: The values of `data_options` and `objective_options`.
        slos: The objectives to choose from; without any a default is judged.
        at: The instant that --at names [ns UTC].

    Raises:
        UsageError: Options ask for what counts do not have.
        InvalidInputError: There are several objectives, or one without good and bad events.
        ErrorBudgetError: The files cannot be read as counts.
    """
    from errorbudget.cli.inputs import chosen, pairs
    from errorbudget.cli.progress import meter
    from errorbudget.sli import RatioSLI
    from errorbudget.slo import SLO
    from errorbudget.sources.count_table import read_count_table

    files = options["files"]
    if options["where"]:
        raise click.UsageError(f"--where is for events, and {files[0]} is a table of counts")
    if len(slos) > 1:
        raise InvalidInputError(
            f"{files[0]} is a table of counts, of one objective; say which with --slo; there are "
            f"{', '.join(slo.name for slo in slos)}"
        )
    if not slos:
        default = SLO(
            "good-events",
            target=options["target"] or "99.9%",
            window=options["window"] or "30d",
            sli=RatioSLI(),
            description="Events that their source calls good.",
        )
        slos = chosen([default], options["names"])
    (slo,) = slos
    if not isinstance(slo.sli, RatioSLI):
        raise InvalidInputError(
            f'SLO "{slo.name}" ({slo.sli}) has no good and bad events, and {files[0]} is a table '
            "of them"
        )
    now = time.time_ns()
    with meter("reading", enabled=not options["no_progress"]) as progress:
        found = read_count_table(
            files,
            format=options["input_format"],
            columns=pairs("--columns", options["columns"].split(","))
            if options["columns"]
            else None,
            time_unit=options["time_unit"],
            zone=options["zone"],
            now=now if at is None else max(now, at),
            progress=progress,
        )
    say(f'{", ".join(files)}: a table of counts, taken for SLO "{slo.name}": {found.series!r}')
    for note in found.notes:
        say(note)
    return found.series, slo
