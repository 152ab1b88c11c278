"""`errorbudget simulate`: the log of traffic that never happened, with its incidents named."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from errorbudget.cli import OK

if TYPE_CHECKING:
    from errorbudget.cli.progress import Meter
    from errorbudget.studies.simulate import Simulation

__all__ = ["simulate"]

_FORMS = {
    ".log": "combined",
    ".json": "json",
    ".jsonl": "json",
    ".ndjson": "json",
    ".csv": "csv",
    ".om": "openmetrics",
}
LEAST_DAYS, MOST_DAYS = 0.001, 106_751
"""A minute and a half; the nanoseconds that an integer holds."""


@click.command()
@click.option("-o", "--out", metavar="PATH", required=True, help="File to write; .gz packs it.")
@click.option("--days", type=float, default=30, show_default=True)
@click.option("--seed", type=int, default=30, show_default=True, help="Same seed, same file.")
@click.option("--start", metavar="TIME", help="First instant; 2026-03-01T00:00:00Z by default.")
@click.option(
    "--log-format",
    type=click.Choice(["combined", "json", "csv", "openmetrics", "counts"]),
    default=None,
    help="A log; counters as a monitoring system reads them; or good and total by minute. By "
    "default a combined log, or what the name given with -o says.",
)
@click.option(
    "--incidents",
    metavar="FILE",
    help="JSON list of incidents instead of the shop's, each with kind, start and duration.",
)
@click.option("--rate", type=float, help="With --incidents: requests a second; 0.5.")
@click.option("--interval", metavar="DURATION", help="With openmetrics: between two readings; 1m.")
@click.option("--instances", type=int, help="With openmetrics: processes behind it; 3.")
@click.option("--truth", metavar="PATH", help="Write what each incident truly did, as JSON.")
def simulate(
    out: str,
    days: float,
    seed: int,
    start: str | None,
    log_format: str | None,
    incidents: str | None,
    rate: float | None,
    interval: str | None,
    instances: int | None,
    truth: str | None,
) -> int:
    """Write the requests of a shop with six named incidents, or with incidents of your own.

    OpenMetrics is for `promtool tsdb create-blocks-from openmetrics`, under the names that
    --prometheus reads; a longer --interval and one of --instances keep it small.

    Kinds: Outage, BrownOut, SlowBurn, Flapping, DeployRegression, RetryStorm, LatencyCreep,
    CounterReset, ScrapeGap, ZeroTrafficNights.
    """
    from errorbudget.cli.outputs import write
    from errorbudget.cli.progress import meter
    from errorbudget.cli.render import form_of
    from errorbudget.sources.log_writer import LOG_FORMATS, write_log
    from errorbudget.sources.openmetrics_writer import write_openmetrics
    from errorbudget.studies.simulate import SHOP_START, shop
    from errorbudget.times import format_time

    if rate is not None and incidents is None:
        raise click.UsageError("--rate belongs to --incidents FILE")
    if out == "-":  # where what was simulated is told
        raise click.UsageError("a simulation wants a file: -o access.log")
    form = log_format or form_of(out, _FORMS, "combined", "--log-format")
    for option, given in (("--interval", interval), ("--instances", instances)):
        if given is not None and form != "openmetrics":
            raise click.UsageError(f"{option} belongs to --log-format openmetrics")
    begin = SHOP_START if start is None else start
    with meter("simulating", "steps") as progress:
        if incidents is None:
            found = shop(begin, days, seed, progress=progress)
        else:
            found = _own(begin, days, seed, incidents, 0.5 if rate is None else rate, progress)
    with meter("writing", "lines") as progress:
        if form == "counts":
            write(_counts(found), out)
        elif form == "openmetrics":
            scrapes = found.scrape(interval or "1m", 3 if instances is None else instances)
            write_openmetrics(scrapes, out, progress=lambda done: progress(done, None))
        else:
            chosen = next(name for name in LOG_FORMATS if name == form)
            write_log(found.events, out, chosen, progress=progress)
    if truth is not None:
        write(json.dumps(found.to_dict(), indent=2) + "\n", truth)
    click.echo(found.describe())
    click.echo(f"wrote {out}" + (f" and {truth}" if truth else ""))
    if form == "openmetrics":
        end = format_time(found.end_ns)
        click.echo(
            "next: promtool tsdb create-blocks-from --max-block-duration=720h openmetrics "
            f"{out} DIR; then --prometheus URL --at {end}"
        )
    return OK


def _own(start: Any, days: float, seed: int, path: str, rate: float, progress: Meter) -> Simulation:
    """Traffic with the incidents of a file."""
    from errorbudget.errors import InvalidInputError, SourceFormatError
    from errorbudget.sources.files import open_bytes
    from errorbudget.studies.simulate import incident_from_dict
    from errorbudget.studies.simulate import simulate as run

    stream, name, _ = open_bytes(path)
    with stream:
        content = stream.read()
    try:
        listed = json.loads(content)
    except ValueError as error:
        raise SourceFormatError(f"{name}: not JSON: {error}") from None
    if not isinstance(listed, list) or not all(isinstance(each, dict) for each in listed):
        raise SourceFormatError(f'{name}: a list was asked for, [{{"kind": "Outage", ...}}]')
    strikes = [incident_from_dict(each) for each in listed]
    if not LEAST_DAYS <= days <= MOST_DAYS:
        raise InvalidInputError(
            f"days must be a number from {LEAST_DAYS} to {MOST_DAYS:,} (292 years), got {days!r}"
        )
    length = f"{round(days * 86_400)}s"
    return run(start, length, rate=rate, incidents=strikes, seed=seed, progress=progress)


def _counts(found: Simulation) -> bytes:
    """Good and total requests by minute, as CSV; a minute is named by its end."""
    from errorbudget.times import format_time

    series = found.counts()
    rows = zip(series.label_ns.tolist(), series.good.tolist(), series.total.tolist(), strict=True)
    lines = [f"{format_time(at)},{good},{total}\n" for at, good, total in rows]
    return ("time,good,total\n" + "".join(lines)).encode()
