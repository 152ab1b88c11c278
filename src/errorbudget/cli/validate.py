"""`errorbudget validate`: is this file of SLOs right?"""

from __future__ import annotations

import json
import warnings
from typing import Any

import click

from errorbudget.cli import NO, OK, say
from errorbudget.cli.inputs import specs_room
from errorbudget.errors import DoubtfulTargetWarning, InvalidInputError, SpecError

__all__ = ["validate"]


@click.command()
@click.argument("specs", nargs=-1, required=True)
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text")
@click.option("--allow-env", is_flag=True, help="Fill in ${env:NAME} from the environment.")
@click.option("--strict", is_flag=True, help="Doubts count as mistakes.")
def validate(specs: tuple[str, ...], form: str, allow_env: bool, strict: bool) -> int:
    """Check files of SLOs: each mistake with its line and cure. Exit code 1 when one is wrong.

    Reads the native format, OpenSLO, Sloth, Pyrra, slo-generator and slo-kit; - is standard input.
    """
    room = specs_room("checking a file of SLOs")
    answers = []
    for path in specs:
        answer: dict[str, Any] = {"file": path, "problems": [], "warnings": [], "slos": []}
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DoubtfulTargetWarning)
                spec = room.load_path(path, allow_env=allow_env)
        except InvalidInputError as error:
            problems = getattr(error, "problems", ()) if isinstance(error, SpecError) else ()
            answer["problems"] = [problem.to_dict() for problem in problems] or [
                {"message": str(error)}
            ]
            answer["lines"] = [str(problem) for problem in problems] or [str(error)]
        else:
            answer["format"] = spec.format
            answer["warnings"] = list(spec.warnings)
            answer["losses"] = [loss.to_dict() for loss in spec.losses]
            answer["slos"] = [str(slo) for slo in spec]
            answer["tables"] = [table.name for table in spec.tables]
        answer["valid"] = not answer["problems"] and not (strict and answer["warnings"])
        answers.append(answer)
        if form == "text":
            _tell(answer)  # at once: a later file may be missing
    if form == "json":
        shown = [{k: v for k, v in answer.items() if k != "lines"} for answer in answers]
        click.echo(json.dumps(shown, indent=2, ensure_ascii=False, default=str))
    return OK if all(answer["valid"] for answer in answers) else NO


def _tell(answer: dict[str, Any]) -> None:
    for line in answer.get("lines", ()):
        say(line)
    for line in answer["warnings"]:
        say(f"doubtful: {line}")
    if not answer["valid"]:
        return
    slos = answer["slos"]
    many = "1 SLO" if len(slos) == 1 else f"{len(slos)} SLOs"
    if answer["tables"]:
        many += f", table of alerts: {', '.join(answer['tables'])}"
    kind = "" if answer["format"] == "errorbudget" else f" ({answer['format']})"
    click.echo(f"{answer['file']}: valid, {many}{kind}")
    for slo in slos:
        click.echo(f"  {slo}")
    if answer["losses"]:
        click.echo(f"  not carried: {len(answer['losses'])}; errorbudget convert lists them")
