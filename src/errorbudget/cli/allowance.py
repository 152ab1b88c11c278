"""`errorbudget allowance`: how much failure a target allows, and the other way round."""

from __future__ import annotations

import json
from collections.abc import Iterable
from fractions import Fraction

import click

from errorbudget.allowances import EVEN_TRAFFIC, Allowance, nines, nines_table, target_for
from errorbudget.allowances import allowance as allowed
from errorbudget.cli import OK
from errorbudget.figures import count, decimal, percent
from errorbudget.figures import seconds as span

__all__ = ["allowance"]


@click.command()
@click.argument("targets", nargs=-1)
@click.option("--window", default="30d", show_default=True, help="What it is judged over.")
@click.option("--rate", help='Traffic, as "1000/s" or "24000/day", to have events too.')
@click.option("--nines", "table", is_flag=True, help="The table from one nine to six.")
@click.option("--guide", is_flag=True, help="The guide's own table, with every figure right.")
@click.option("--downtime", metavar="LENGTH", help="The other way round: which target is this?")
@click.option("--per", metavar="LENGTH", help="In how long that downtime is allowed.")
@click.option("--at", metavar="TIME", help="An instant of a calendar window, which needs it.")
@click.option(
    "-f", "--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True
)
def allowance(
    targets: tuple[str, ...],
    window: str,
    rate: str | None,
    table: bool,
    guide: bool,
    downtime: str | None,
    per: str | None,
    at: str | None,
    form: str,
) -> int:
    """How much failure TARGETS allow, in time and in events.

    \b
    errorbudget allowance 99.9% --window 30d --rate 50/s
    errorbudget allowance --nines
    errorbudget allowance --downtime 5m --per 1w
    """  # noqa: D301 - \b is click's mark for lines to keep
    from errorbudget.allowances import guide_table
    from errorbudget.cli.inputs import instant

    asked = [bool(targets), table, guide, downtime is not None]
    if sum(asked) != 1:
        raise click.UsageError(
            "give either targets (99.9%), --nines, --guide, or --downtime with --per"
        )
    if downtime is not None:
        if per is None:
            raise click.UsageError("--downtime wants --per, as: --downtime 5m --per 1w")
        return _inverse(downtime, per, form)
    if per is not None:
        raise click.UsageError("--per belongs to --downtime")
    if table:
        rows: Iterable[Allowance] = nines_table(window=window, rate=rate, at=instant(at))
    elif guide:
        rows = guide_table()
    else:
        rows = [allowed(target, window=window, rate=rate, at=instant(at)) for target in targets]
    every = list(rows)
    click.echo(_as_json(every) if form == "json" else _as_text(every))
    return OK


def _inverse(downtime: str, per: str, form: str) -> int:
    target = target_for(downtime, per)
    if form == "json":
        data = {
            "downtime": downtime,
            "per": per,
            "target": float(target.ratio),
            "target_exact": str(target.ratio),
            "nines": nines(target),
        }
        click.echo(json.dumps(data, indent=2))
    else:
        click.echo(
            f"{downtime} in {per} is a target of {percent(target.ratio, 4)}, "
            f"{decimal(nines(target), 2)} nines (exactly {target.ratio}); {EVEN_TRAFFIC}"
        )
    return OK


def _as_json(rows: list[Allowance]) -> str:
    def plain(value: Fraction | None) -> float | None:
        return None if value is None else float(value)

    return json.dumps(
        [
            {
                "name": row.name or str(row.target),
                "target": float(row.target.ratio),
                "window": row.window.to_text(),
                "nines": row.nines if row.share else None,
                "periods": [
                    {
                        "period": period.period,
                        "downtime_s": float(period.downtime_s),
                        "events": plain(period.events),
                        "total_events": plain(period.total),
                    }
                    for period in row.rows()
                ],
            }
            for row in rows
        ],
        indent=2,
    )


def _as_text(rows: list[Allowance]) -> str:
    if rows[0].rate is None:
        tables = [_table(_by_target(rows))]
    else:
        tables = [f"{_name(row)}\n{_table(_by_period(row))}" for row in rows]
    return "\n\n".join([*tables, f"A month is 30 days; {EVEN_TRAFFIC}."])


def _name(row: Allowance) -> str:
    return str(row.target) if not row.name or row.name == str(row.target) else row.name


def _by_target(rows: list[Allowance]) -> list[list[str]]:
    """One line a target, one column a period."""
    periods = [_period(period.period, rows[0]) for period in rows[0].rows()]
    return [
        ["target", "nines", *periods],
        *(
            [
                _name(row),
                decimal(row.nines, 2),
                *(span(period.downtime_s, 2) for period in row.rows()),
            ]
            for row in rows
        ),
    ]


def _by_period(row: Allowance) -> list[list[str]]:
    """One line a period, with events beside time."""
    return [
        ["", "downtime", "bad events", "of"],
        *(
            [
                _period(period.period, row),
                span(period.downtime_s, 2),
                count(period.events),
                count(period.total),
            ]
            for period in row.rows()
        ),
    ]


def _table(lines: list[list[str]]) -> str:
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if column == 0 else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        )
        for line in lines
    )


def _period(name: str, row: Allowance) -> str:
    return str(row.window) if name == "window" else name
