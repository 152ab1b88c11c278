"""
How many small mistakes the tests would notice: `make mutants`.

    python -m tests.mutants --floors 0 1                every mutant of two floors
    python -m tests.mutants burn.py 'kernels/*'         of some modules
    python -m tests.mutants --sample 40 --least 90      forty of them by a seed; 1 below 90 %
    python -m tests.mutants --keep                      renew what the page is written from

The floors are those of the import contract in `pyproject.toml`. Needs `os.fork`: Linux or macOS.
"""

from __future__ import annotations

import argparse
import ast
import fnmatch
import importlib
import itertools
import json
import math
import os
import random
import re
import sys
import time
import tomllib
from collections import Counter
from pathlib import Path

# A profile of its own (tests/conftest.py), and no threads that a fork would leave behind.
os.environ["HYPOTHESIS_PROFILE"] = "few"
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from tests.mutants import page
from tests.mutants.operators import Mutant, mutants_of
from tests.mutants.runner import KILLED, SURVIVED, TIMEOUT, UNREACHED, Plan, own_files, run

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "errorbudget"
KEPT = Path(__file__).with_name("kept.json")
FLOORS = 4
BESIDE = ("golden", "front_door_laws", "bad_input")
"""Test files that look at the lowest floors without being named for a room."""


def rooms() -> list[list[str]]:
    """The names on each of the lowest floors."""
    config = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    (contract,) = config["tool"]["importlinter"]["contracts"]
    return [re.findall(r"\((\w+)\)", line) for line in contract["layers"][: -FLOORS - 1 : -1]]


def floors() -> dict[str, int]:
    """The floor of each module, by its path within the package."""
    found = {}
    for floor, names in enumerate(rooms()):
        for name in names:
            path = SOURCE / name
            for file in sorted(path.rglob("*.py")) if path.is_dir() else [path.with_suffix(".py")]:
                found[file.relative_to(SOURCE).as_posix()] = floor
    return found


def files_asked(modules: list[str], *, own: bool) -> list[str]:
    """The tests that are asked: of *modules* alone, or of all rooms of the lowest floors."""
    names = {name for floor in rooms() for name in floor} | set(BESIDE)
    wanted = set().union(*(own_files(module) for module in modules))
    found = []
    for path in sorted((ROOT / "tests").glob("test_*.py")):
        stem = path.stem.removeprefix("test_")
        if path.stem in wanted or (
            not own and any(stem == name or stem.startswith(f"{name}_") for name in names)
        ):
            found.append(str(path))
    return found


def sampled(mutants: list[Mutant], size: int, seed: int) -> list[Mutant]:
    """One by chance of each of *size* equal stretches: every module has its share."""
    chance = random.Random(seed)
    edges = [i * len(mutants) // size for i in range(size + 1)]
    return [mutants[chance.randrange(*pair)] for pair in itertools.pairwise(edges)]


def score(outcomes: Counter[str]) -> float:
    """Percent of the mutants that a test noticed."""
    total = sum(outcomes.values())
    return 100 * (outcomes[KILLED] + outcomes[TIMEOUT]) / total if total else 100.0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__)
    parser.add_argument("modules", nargs="*", help="paths within the package; default: all")
    parser.add_argument("--floors", nargs="+", type=int, default=list(range(FLOORS)))
    parser.add_argument("--sample", type=int, help="so many of the mutants, chosen by the seed")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=3.0, help="of other files' tests, at most")
    parser.add_argument("--minutes", type=float, help="of running, in an order by the seed")
    parser.add_argument("--own", action="store_true", help="the modules' own test files only")
    parser.add_argument("--least", type=float, help="fail below this score in percent")
    parser.add_argument("--again", action="store_true", help="only those kept as alive")
    parser.add_argument("--keep", action="store_true", help=f"write {KEPT.name}")
    return parser.parse_args()


def main() -> int:
    """Choose, run, print, keep."""
    given = _arguments()
    where = floors()
    modules = [
        name
        for name, floor in where.items()
        if floor in given.floors
        and (not given.modules or any(fnmatch.fnmatch(name, one) for one in given.modules))
    ]
    trees = {name: ast.parse((SOURCE / name).read_text("utf-8")) for name in modules}
    of_module = {name: mutants_of(name, tree) for name, tree in trees.items()}
    mutants = [one for found in of_module.values() for one in found]
    if given.again:
        alive = {key for one in page.kept().values() for key in page.alive(one)}
        mutants = [one for one in mutants if one.key in alive]
    if given.sample is not None and given.sample < len(mutants):
        mutants = sampled(mutants, given.sample, given.seed)
    for name in modules:
        importlib.import_module("errorbudget." + name.removesuffix(".py").replace("/", "."))
    files = files_asked(sorted({one.module for one in mutants}), own=given.own)
    if not files:  # pytest would run all there are
        raise SystemExit("these modules have no test files of their own")
    print(f"{len(mutants)} mutants of {len(modules)} modules, {len(files)} files of tests")
    began = time.perf_counter()
    chance, minutes = random.Random(given.seed), given.minutes
    order = mutants if minutes is None else chance.sample(mutants, len(mutants))
    plan = Plan(order, trees, SOURCE, given.jobs, given.seconds, minutes or math.inf)
    found = run(plan, files)
    mutants = [one for one in mutants if one.key in found.outcomes]
    _show(mutants, found.outcomes)
    cpu_s = sorted(found.cpu_s.values())
    print(f"{time.perf_counter() - began:.0f} s, {sum(cpu_s):.0f} s of processor, of that")
    print(f"{sum(cpu_s[-len(cpu_s) // 10 :]):.0f} s for a tenth of the mutants")
    if given.keep:
        _keep(where, mutants, of_module, found.outcomes, again=given.again)
    total = Counter(found.outcomes.values())
    print(f"score {score(total):.1f} %: " + ", ".join(f"{n} {name}" for name, n in total.items()))
    return int(given.least is not None and score(total) < given.least)


def _show(mutants: list[Mutant], outcomes: dict[str, str]) -> None:
    for one in mutants:
        if outcomes[one.key] in (SURVIVED, UNREACHED):
            print(f"{outcomes[one.key]:9} {one.lines.start:4} {one.key}")
    for name in dict.fromkeys(one.module for one in mutants):
        counted = Counter(outcomes[one.key] for one in mutants if one.module == name)
        print(f"{name:28} {score(counted):5.1f} % of {sum(counted.values())}")


def _keep(
    where: dict[str, int],
    mutants: list[Mutant],
    of_module: dict[str, list[Mutant]],
    outcomes: dict[str, str],
    *,
    again: bool,
) -> None:
    """Renew the modules that were run, or, *again*, what is known of those that lived."""
    kept = page.kept() if KEPT.exists() else {}
    for name in dict.fromkeys(one.module for one in mutants):
        here = [one.key for one in mutants if one.module == name]
        counted = Counter(outcomes[key] for key in here)
        old = kept[name] if again else {"run": len(here), KILLED: 0, TIMEOUT: 0}
        kept[name] = {
            "floor": where[name],
            "mutants": len(of_module[name]),
            "run": old["run"],
            KILLED: old[KILLED] + counted[KILLED],
            TIMEOUT: old[TIMEOUT] + counted[TIMEOUT],
        }
        for kind in (SURVIVED, UNREACHED):
            waiting = [key for key in old.get(kind, []) if key not in outcomes]
            kept[name][kind] = waiting + [key for key in here if outcomes[key] == kind]
    order = [name for name in where if name in kept]
    text = json.dumps({name: kept[name] for name in order}, indent=1, ensure_ascii=False)
    KEPT.write_text(text + "\n", "utf-8")


if __name__ == "__main__":
    sys.exit(main())
