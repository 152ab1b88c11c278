"""`errorbudget demo`: a shop's month with named incidents, from its log to a page."""

from __future__ import annotations

from pathlib import Path

import click

from errorbudget.cli import OK

__all__ = ["demo"]

SPEC = """\
# The objectives of a small shop. Check this file with: errorbudget validate slos.yaml
version: errorbudget/1
defaults:
  window: 30d
  service: shop
  owner: ana@shop.example
slos:
  - name: shop-availability
    description: Customers get an answer; a 5xx is our fault.
    criticality: High
    target: 99.9%
    sli: {kind: availability, exclude: {route: /health/.*}}
    runbook: https://shop.example/runbooks/availability
  - name: checkout-availability
    description: Nobody loses a full cart.
    criticality: Critical
    target: 99.5%
    sli: {kind: availability, where: {route: [/cart, /checkout]}}
  - name: browse-latency
    description: Looking around feels instant.
    criticality: Medium
    target: 95%
    sli: {kind: latency, threshold: 200ms, where: {route: [/, /search, /product]}}
  - name: quantiles
    description: The same as a plain threshold over a week, which has no budget.
    window: 7d
    sli: {kind: latency_quantile, bounds: {p95: 250ms, p99: 500ms}, exclude: {route: /health/.*}}
"""


@click.command()
@click.option("--out", default="demo", show_default=True, help="Folder for log, spec and page.")
@click.option("--days", type=float, default=30, show_default=True)
@click.option("--guide", is_flag=True, help="Print the SLO guide as a file of SLOs, and leave.")
def demo(out: str, days: float, guide: bool) -> int:
    """A shop's month with six incidents: writes its log and SLOs, reports on them, makes a page.

    Takes some seconds, and can be repeated: the same files are written again.
    """
    if guide:
        return _guide()
    from errorbudget.cli.inputs import load_slos, wanted_columns
    from errorbudget.cli.outputs import write
    from errorbudget.cli.progress import meter
    from errorbudget.cli.screen import screen
    from errorbudget.live.paths import as_path
    from errorbudget.report.document import document
    from errorbudget.report.page import to_html
    from errorbudget.sources import read_events
    from errorbudget.sources.log_writer import write_log
    from errorbudget.studies.simulate import shop

    folder = as_path(out)
    log, spec, page = folder / "access.log", folder / "slos.yaml", folder / "report.html"
    _step(f"simulating {days:g} days of a shop's traffic")
    found = shop(days=days)
    folder.mkdir(parents=True, exist_ok=True)
    with meter("writing", "lines") as progress:
        write_log(found.events, log, progress=progress)
    write(SPEC, str(spec))
    _step(f"wrote {log} ({len(found):,} requests) and {spec}")
    click.echo("what truly happened:")
    for line in found.describe().splitlines()[2:]:
        click.echo(line)
    _step(f"errorbudget report -s {spec} {log}")
    slos = load_slos(str(spec))
    labels, values = wanted_columns(slos)
    with meter("reading") as reading:
        events = read_events(str(log), labels=labels, values=values, progress=reading)
    report = document(slos, events, title="A shop's month")
    click.echo(screen(report), nl=False)
    _step(f"errorbudget report -s {spec} {log} -o {page}")
    write(to_html(report).encode(), str(page))
    program = _program()
    click.echo(
        f"wrote {page}: open it in a browser\n\n"
        "Try next:\n"
        f"  {program} report {log}\n"
        f"  {program} gate -s {spec} {log}\n"
        f"  {program} history -s {spec} --slo shop-availability --step 1d {log}\n"
        f"  {program} allowance 99.9% --rate {len(found) / days:.0f}/day\n"
        f"  {program} demo --guide > guide.yaml"
    )
    return OK


def _program() -> str:
    """How this program can be called again from here: by its name, its path, or as a module."""
    import os
    import shutil
    import sys

    called = Path(sys.argv[0])
    if shutil.which("errorbudget") is not None:
        return "errorbudget"
    if called.name == "errorbudget":
        return os.path.relpath(called)
    return f"{sys.executable} -m errorbudget"


def _step(text: str) -> None:
    click.echo(click.style(f"== {text}", bold=True))


def _guide() -> int:
    from errorbudget.cli.inputs import specs_room

    click.echo(specs_room("the guide").guide_text(), nl=False)
    return OK
