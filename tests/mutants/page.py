"""
The marked part of `docs/explanation/mutants.md`, from what was kept and from why it may live.

    python -m tests.mutants.page            writes it
    python -m tests.mutants.page --check    1 when the page is not what was kept

`kept.json` is written by `python -m tests.mutants --keep`; `lived.toml` by people.
"""

from __future__ import annotations

import json
import sys
import tomllib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
PAGE = HERE.parents[1] / "docs" / "explanation" / "mutants.md"
BEGIN, END = "<!-- kept: written by `python -m tests.mutants.page` -->", "<!-- /kept -->"
FLOORS = ("values", "maths", "kernels", "series")
COLUMNS = ("mutants", "run", "killed", "timeout", "alive", "same")
HEADS = (
    *("mutants", "run", "a test failed", "out of time", "alive", "of those the same"),
    *("score, %", "without the same, %"),
)


def kept() -> dict[str, dict[str, Any]]:
    """What became of the mutants of each module."""
    return json.loads((HERE / "kept.json").read_text("utf-8"))


def groups() -> list[dict[str, Any]]:
    """Why those that live may live."""
    return tomllib.loads((HERE / "lived.toml").read_text("utf-8"))["group"]


def alive(module: dict[str, Any]) -> list[str]:
    """The keys of its mutants that no test noticed."""
    return [*module["survived"], *module["unreached"]]


def _counts(module: dict[str, Any], same: set[str]) -> Counter[str]:
    return Counter(
        mutants=module["mutants"],
        run=module["run"],
        killed=module["killed"],
        timeout=module["timeout"],
        alive=len(alive(module)),
        same=sum(key in same for key in alive(module)),
    )


def totals() -> dict[int, Counter[str]]:
    """What became of the mutants of each floor."""
    same = {key for group in groups() if group["same"] for key in group["mutants"]}
    found: dict[int, Counter[str]] = {}
    for module in kept().values():
        found.setdefault(module["floor"], Counter()).update(_counts(module, same))
    return found


def score(counts: Counter[str], *, without_same: bool = False) -> float:
    """Noticed, of those that were run; without those that change nothing, if so asked."""
    run = counts["run"] - (counts["same"] if without_same else 0)
    return 100 * (counts["killed"] + counts["timeout"]) / run if run else 100.0


def _row(name: str, counts: Counter[str]) -> str:
    cells = [f"{counts[column]:,}" for column in COLUMNS]
    cells += [f"{score(counts):.1f}", f"{score(counts, without_same=True):.1f}"]
    return f"| {name} | " + " | ".join(cells) + " |"


def _table(rows: list[str]) -> list[str]:
    return [f"| | {' | '.join(HEADS)} |", "|---|" + "--:|" * len(HEADS), *rows, ""]


def lines() -> Iterator[str]:
    """The marked part, line by line."""
    why, floors = groups(), totals()
    same = {key for group in why if group["same"] for key in group["mutants"]}
    rows: dict[int, list[str]] = {}
    for name, module in kept().items():
        rows.setdefault(module["floor"], []).append(_row(f"`{name}`", _counts(module, same)))
    yield "## The score\n"
    yield from _table([_row(f"{n} {FLOORS[n]}", floors[n]) for n in sorted(floors)])
    for n in sorted(rows):
        yield f'??? note "Floor {n}, {FLOORS[n]}, by module"\n'
        yield from (f"    {row}" if row else "" for row in _table(rows[n]))
    yield "## Those that live, and why\n"
    for group in why:
        count = len(group["mutants"])
        yield f"**{group['title']}** ({count}). {' '.join(group['why'].split())}\n"
        yield f'??? note "{count} mutants"\n'
        yield from (f"    - {_code(key)}" for key in group["mutants"])
        yield ""


def _code(key: str) -> str:
    """A key as Markdown, whatever stands in the code."""
    place, _, change = key.partition(": `")
    change, _, number = change.rpartition("`")
    before, _, after = change.partition("` → `")
    return f"`{place}`: `` {before} `` → `` {after} ``{number}"


def page() -> str:
    """The page as it should be."""
    text = PAGE.read_text("utf-8")
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return before + BEGIN + "\n\n" + "\n".join(lines()) + "\n" + END + after


def main() -> int:
    """Write the page, or look at it."""
    text = page()
    if "--check" in sys.argv:
        return int(text != PAGE.read_text("utf-8"))
    PAGE.write_text(text, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
