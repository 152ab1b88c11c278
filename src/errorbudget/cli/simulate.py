"""`errorbudget simulate`: the log of traffic that never happened, with its incidents named."""

from __future__ import annotations

import json

import click

from errorbudget.cli import OK

__all__ = ["simulate"]


@click.command()
@click.option("-o", "--out", metavar="PATH", required=True, help="Log to write; .gz packs it.")
@click.option("--days", type=float, default=30, show_default=True)
@click.option("--seed", type=int, default=30, show_default=True, help="Same seed, same log.")
@click.option("--start", metavar="TIME", help="First instant; 2026-03-01T00:00:00Z by default.")
@click.option(
    "--log-format",
    type=click.Choice(["combined", "json", "csv"]),
    default="combined",
    show_default=True,
)
@click.option("--truth", metavar="PATH", help="Write what each incident truly did, as JSON.")
def simulate(
    out: str, days: float, seed: int, start: str | None, log_format: str, truth: str | None
) -> int:
    """Write the request log of a shop with six named incidents."""
    from errorbudget.cli.outputs import write
    from errorbudget.cli.progress import meter
    from errorbudget.sources.log_writer import LOG_FORMATS, write_log
    from errorbudget.studies.simulate import SHOP_START, shop

    found = shop(SHOP_START if start is None else start, days, seed)
    chosen = next(name for name in LOG_FORMATS if name == log_format)
    with meter("writing", "lines") as progress:
        write_log(found.events, out, chosen, progress=progress)
    if truth is not None:
        write(json.dumps(found.to_dict(), indent=2) + "\n", truth)
    click.echo(found.describe())
    click.echo(f"wrote {out}" + (f" and {truth}" if truth else ""))
    return OK
