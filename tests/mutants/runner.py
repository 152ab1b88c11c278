"""
Runs the tests that reach a mutant, in a process that lives for that mutant alone.

Pytest collects once, in a parent that never runs a test itself. A first child runs all tests under
coverage and says which lines each reaches and how long it takes. Then a child for each mutant
compiles the changed module, gives the functions that are already loaded their changed code, and
runs the tests that reach the changed line: those of the module's own files first, then the quickest
of the others, until one fails or `Plan.seconds` of tests have passed. So an import, a collection
and a failing test are paid for once, and most mutants cost a tenth of a second.

What is made while tests are collected was made by unchanged code: a mutant that only such objects
would show lives on. That errs to the strict side.
"""

from __future__ import annotations

import ast
import functools
import gc
import os
import pickle
import resource
import signal
import tempfile
import time
import types
import warnings
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import coverage
import pytest

from tests.mutants.operators import Mutant

Outcome = str
KILLED, TIMEOUT, SURVIVED, UNREACHED = "killed", "timeout", "survived", "unreached"
_LIVES, _DIES, _BROKEN = 10, 11, 12
_GUESTS = {
    "buckets": "counters",
    "over_time": "counters",
    "characters": "errors",
    "arrivals": "live_tracker",
    "deferred": "live_answers",
    "forks": "live_ticker",
    "paths": "live_keeper",
    "prometheus": "live_export",
    "redis_store": "live_shared",
    "shared": "live_sharing",
    "sqlite_store": "live_shared",
    "store": "live_shared",
    "telemetry": "live_export",
}
"""Rooms whose tests are written in another's file."""
MEMORY = 3 << 30
"""What a child may have beside what it was born with [bytes]: a mutant may ask for anything."""


@dataclass(frozen=True)
class Plan:
    """What is to be run, and how hard to look."""

    mutants: list[Mutant]
    trees: dict[str, Any]
    """Each module's tree, in which its mutants are made."""
    source: Path
    """The folder of the package."""
    jobs: int = 2
    seconds: float = 3.0
    """How long the tests of other files may take, for one mutant, as measured without it."""
    minutes: float = float("inf")
    """After so long no further mutant is begun; those left have no outcome."""
    progress: Callable[[str], None] = print


@dataclass
class Found:
    """What became of each mutant, by its key."""

    outcomes: dict[str, Outcome] = field(default_factory=dict)
    tests: int = 0
    cpu_s: dict[str, float] = field(default_factory=dict)


def run(plan: Plan, files: Iterable[str]) -> Found:
    """Collect *files* once and judge every mutant by their tests."""
    loop = _Loop(plan)
    options = ["-q", "-o", "addopts=", "-o", "tmp_path_retention_policy=none", "--tb=native"]
    plugins = ["benchmark", "cacheprovider", "faulthandler", "xdist", "cov", "randomly"]
    options += [word for name in plugins for word in ("-p", f"no:{name}")]
    options += ["--assert=plain", "-s", "-m", "not slow"]
    code = pytest.main([*options, *files], plugins=[loop])
    if code != 0 or loop.problem:
        raise SystemExit(loop.problem or f"tests could not be collected: pytest says {code}")
    return loop.found


class _Loop:
    """A plugin of pytest that stands in the place of its run of the tests."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.found = Found()
        self.problem = ""
        self.failed = False
        self.in_mutant = False

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note a failure; in a mutant that is all there is to know."""
        if report.failed:
            self.failed = True
            if self.in_mutant:
                os._exit(_DIES)

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Judge the mutants."""
        plan, items = self.plan, session.items
        self.found.tests = len(items)
        began = time.perf_counter()
        seen = _in_child(lambda: self._baseline(items))
        plan.progress(f"{len(items)} tests looked at in {time.perf_counter() - began:.0f} s")
        for name in seen["failed"]:  # such as one that looks at the clock, under coverage
            plan.progress(f"not asked, for it fails without any mutant: {name}")
        tests = _Tests(items, seen["durations"], seen["reached"])
        loaded = _loaded_functions(plan.source)
        gc.collect()
        gc.freeze()
        waiting = []
        for mutant in plan.mutants:
            chosen = tests.reaching(mutant, plan.seconds)
            waiting.append(_Work(mutant, chosen, [tests.durations[i] for i in chosen]))
        self._judge([*_controls(waiting), *waiting], items, loaded)
        return True

    def _baseline(self, items: list[pytest.Item]) -> dict[str, Any]:
        """Which test reaches which lines, how long each takes, and which fail."""
        cov = coverage.Coverage(
            data_file=None, config_file=False, source=[str(self.plan.source)], messages=False
        )
        durations: list[float] = []
        failed: dict[int, str] = {}
        cov.start()
        for i, item in enumerate(items):
            cov.switch_context(str(i))
            began, self.failed = time.process_time(), False
            _run_one(item, items[i + 1] if i + 1 < len(items) else None)
            durations.append(time.process_time() - began)
            if self.failed:
                failed[i] = item.nodeid
        cov.stop()
        data = cov.get_data()
        reached = {}
        for file in data.measured_files():
            name = Path(file).relative_to(self.plan.source).as_posix()
            lines = data.contexts_by_lineno(file)
            reached[name] = {
                line: [int(one) for one in contexts if one and int(one) not in failed]
                for line, contexts in lines.items()
            }
        return {"durations": durations, "failed": [*failed.values()], "reached": reached}

    def _judge(self, waiting: list[_Work], items: list[pytest.Item], loaded: _Loaded) -> None:
        """Keep `jobs` children busy until every mutant has its outcome."""
        running: dict[int, tuple[_Work, float]] = {}
        queue: Iterator[_Work] = iter(waiting)
        done, began, shown = 0, time.monotonic(), time.monotonic()
        while not self.problem:
            if time.monotonic() - began > 60 * self.plan.minutes:
                queue = iter(())
            while len(running) < self.plan.jobs and (work := next(queue, None)) is not None:
                if not work.tests:
                    self.found.outcomes[work.mutant.key] = UNREACHED
                    continue
                pid = os.fork()
                if pid == 0:
                    self._be(work, [items[i] for i in work.tests], loaded)
                running[pid] = (work, time.monotonic() + 120 + 60 * work.seconds)
            if not running:
                return
            pid, status, used = os.wait4(-1, os.WNOHANG)
            if pid in running:
                work = running.pop(pid)[0]
                self._note(work, status)
                self.found.cpu_s[work.mutant.key] = used.ru_utime + used.ru_stime
                done += 1
            elif pid == 0:
                now = time.monotonic()
                for late in [pid for pid, (_, deadline) in running.items() if deadline < now]:
                    os.killpg(late, signal.SIGKILL)
                time.sleep(0.002)
            if time.monotonic() - shown > 20:
                shown = time.monotonic()
                self.plan.progress(f"{done} of {len(waiting)} in {shown - began:.0f} s")

    def _note(self, work: _Work, status: int) -> None:
        if os.WIFEXITED(status) and os.WEXITSTATUS(status) == _BROKEN:
            self.plan.progress(f"could not be made: {work.mutant.key}")
            self.found.outcomes[work.mutant.key] = UNREACHED
        elif not work.control:
            self.found.outcomes[work.mutant.key] = _outcome(status)
        elif _outcome(status) != SURVIVED:
            self.problem = f"tests of {work.mutant.module} fail here without any mutant"

    def _be(self, work: _Work, items: list[pytest.Item], loaded: _Loaded) -> None:
        """Be that mutant, until a test fails or none is left; never comes back."""
        status = _BROKEN
        try:
            os.setpgid(0, 0)
            _quiet()
            size = (
                int(Path("/proc/self/statm").read_text("utf-8").split()[0]) * resource.getpagesize()
            )
            resource.setrlimit(resource.RLIMIT_AS, (size + MEMORY, size + MEMORY))
            if not work.control:
                work.mutant.apply()
                loaded.change(work.mutant, self.plan.trees[work.mutant.module])
            self.in_mutant, status = True, _DIES
            for item, following, cpu_s in zip(items, [*items[1:], None], work.cpu_s, strict=True):
                _limit(cpu_s)
                _run_one(item, following)
            status = _LIVES
        finally:
            os._exit(status)


@dataclass(frozen=True)
class _Work:
    """One child: a mutant and the tests that it is asked, or, as a control, no mutant at all."""

    mutant: Mutant
    tests: list[int]
    cpu_s: list[float]
    control: bool = False

    @property
    def seconds(self) -> float:
        """How long the tests take without it, of processor."""
        return sum(self.cpu_s)


def _controls(waiting: list[_Work]) -> list[_Work]:
    """For each room the longest work without its mutant, which has to live."""
    longest: dict[str, _Work] = {}
    for work in waiting:
        room = work.mutant.module.partition("/")[0]
        if room not in longest or longest[room].seconds < work.seconds:
            longest[room] = replace(work, control=True)
    return list(longest.values())


def _run_one(item: pytest.Item, following: pytest.Item | None) -> None:
    item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)


def _limit(cpu_s: float) -> None:
    """End this process when its next test takes much more than *cpu_s*: it may never end."""
    limit = int(time.process_time() + 2 + 5 * cpu_s)
    resource.setrlimit(resource.RLIMIT_CPU, (limit, resource.RLIM_INFINITY))


def _outcome(status: int) -> Outcome:
    if os.WIFSIGNALED(status):
        late = os.WTERMSIG(status) in (signal.SIGXCPU, signal.SIGKILL)
        return TIMEOUT if late else KILLED
    return SURVIVED if os.WEXITSTATUS(status) == _LIVES else KILLED


def _quiet() -> None:
    nothing = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nothing, descriptor)


def _in_child(work: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """What *work* answers in a process of its own, so that nothing of it stays in this one."""
    with tempfile.NamedTemporaryFile() as file:
        pid = os.fork()
        if pid == 0:
            try:
                _quiet()
                Path(file.name).write_bytes(pickle.dumps(work()))
            finally:
                os._exit(0)
        os.waitpid(pid, 0)
        return pickle.loads(Path(file.name).read_bytes())


class _Tests:
    """Which tests reach a line, and in which order they are asked."""

    def __init__(
        self,
        items: list[pytest.Item],
        durations: list[float],
        reached: dict[str, dict[int, list[int]]],
    ) -> None:
        self.durations = durations
        self.reached = reached
        self.files = [item.path.stem for item in items]

    def reaching(self, mutant: Mutant, seconds: float) -> list[int]:
        """The tests of the module's own files, then the quickest others, for *seconds* of them."""
        lines = self.reached.get(mutant.module, {})
        found = {test for line in mutant.lines for test in lines.get(line, ())}
        own = own_files(mutant.module)
        chosen, spent = [], 0.0
        for test in sorted(found, key=lambda i: (self.files[i] not in own, self.durations[i])):
            foreign = self.files[test] not in own
            if foreign and chosen and spent + self.durations[test] > seconds:
                break
            chosen.append(test)
            spent += self.durations[test] if foreign else 0
        return chosen


def own_files(module: str) -> set[str]:
    """The test files over *module*: `test_sli_ratio`, `test_sli`, and `test_ratio` of its twin."""
    parts = module.removesuffix(".py").split("/")
    joined = ["_".join(parts[: i + 1]) for i in range(len(parts))]
    return {f"test_{name}" for name in (*joined, *parts[1:], _GUESTS.get(parts[-1], parts[-1]))}


class _Loaded:
    """The functions of the package as they are loaded, to be given other code."""

    def __init__(self, source: Path, functions: dict[str, list[types.FunctionType]]) -> None:
        self.source = source
        self.functions = functions

    def change(self, mutant: Mutant, tree: Any) -> None:
        """Give each function that *mutant* is in its code from the changed *tree*."""
        file = str(self.source / mutant.module)
        outermost = mutant.outermost
        name = mutant.function.partition(".<locals>.")[0]
        affected = [
            function
            for function in self.functions.get(file, [])
            if function.__qualname__ == name
            or function.__qualname__.startswith(f"{name}.<locals>.")
        ]
        # A changed function has the cells of the old one, whether it still looks into them or not.
        cells = {cell for function in affected for cell in function.__code__.co_freevars}
        if cells and not any("<locals>" in function.__qualname__ for function in affected):
            outermost.body += ast.parse(f"if 0: {', '.join(sorted(cells))}").body
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            codes = {_place(code): code for code in _codes(compile(tree, file, "exec"))}
        changed = False
        for function in affected:
            code = codes.get(_place(function.__code__))
            if code is None:
                continue
            function.__code__ = code
            changed = True
            if mutant.owner is outermost.args and function.__qualname__ == name:
                _change_default(function, mutant)
        if not changed:
            raise LookupError(f"nothing loaded is {mutant.key}")


def _change_default(function: types.FunctionType, mutant: Mutant) -> None:
    arguments = mutant.outermost.args
    if mutant.place == "defaults":
        assert function.__defaults__ is not None
        function.__defaults__ = tuple(
            new.value if isinstance(new, ast.Constant) else old
            for new, old in zip(arguments.defaults, function.__defaults__, strict=True)
        )
    else:
        for argument, new in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
            if isinstance(new, ast.Constant):
                function.__kwdefaults__[argument.arg] = new.value


def _place(code: types.CodeType) -> tuple[str, int]:
    return code.co_qualname, code.co_firstlineno


def _codes(code: types.CodeType) -> Iterator[types.CodeType]:
    for one in code.co_consts:
        if isinstance(one, types.CodeType):
            yield one
            yield from _codes(one)


def _loaded_functions(source: Path) -> _Loaded:
    """Every function of the package that is loaded, with what was remembered forgotten."""
    functions: dict[str, list[types.FunctionType]] = defaultdict(list)
    for one in gc.get_objects():
        if isinstance(one, types.FunctionType) and one.__code__.co_filename.startswith(str(source)):
            functions[one.__code__.co_filename].append(one)
        elif isinstance(one, functools._lru_cache_wrapper):
            one.cache_clear()
    return _Loaded(source, functions)
