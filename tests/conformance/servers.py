"""
Prometheus and Alertmanager: what servers and tools answered.

A case waits, and never passes, while the check, the samples or the tool that it needs is not there.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from errorbudget.errors import MissingDependencyError
from tests.conformance.cases import Case
from tests.conformance.verdicts import Result
from tests.shared import shared_path

__all__ = ["CHECKS", "compare_true_counts", "compare_truth"]


def _check(name: str) -> Callable[..., Any] | str:
    """The check called *name*, or why there is none."""
    try:
        module = import_module("tests.conformance.prometheus_cases")
    except ImportError as error:
        return f"no check of Prometheus' answers: {error}"
    return getattr(module, name, f"no check called {name} yet")


def _asked(name: str, *arguments: Any) -> Result:
    check = _check(name)
    if isinstance(check, str):
        return Result("WAITING", (check,))
    try:
        found = check(*arguments)
    except pytest.skip.Exception as missing:
        return Result("WAITING", (str(missing),))
    except MissingDependencyError as missing:
        return Result("WAITING", (str(missing),))
    differences = (found,) if isinstance(found, str) else tuple(found or ())
    return Result("FAIL", differences) if differences else Result("PASS")


def _beside(folder: Path, name: str) -> Path | None:
    """A file that a case names: in its own folder, in that of the servers, or among shared data."""
    roots = [folder, folder / "prometheus", folder.parent / "prometheus"]
    with suppress(pytest.skip.Exception):
        roots.append(shared_path("prometheus"))
    return next((root / name for root in roots if (root / name).exists()), None)


def promql(case: Case) -> Result:
    return _asked("check_promql_case", case.whole)


def http(case: Case) -> Result:
    return _asked("check_http_case", case.id, case.whole)


def alertmanager(case: Case) -> Result:
    name = str(case.whole["file"])
    path = _beside(case.folder, name)
    if path is None:
        return Result("WAITING", (f"missing: {name}",))
    return _asked("check_alertmanager_case", case.whole, path.parents[len(Path(name).parts) - 1])


def alert_timeline(case: Case) -> Result:
    name = f"data/{case.inputs.get('profile')}.samples.parquet"
    samples = _beside(case.folder, name)
    if samples is None:
        return Result("WAITING", (f"missing: {name}; prom_history.py makes it",))
    return _asked("check_alert_timeline", case.whole["path"], samples)


def counters(case: Case) -> Result:
    name = str(case.inputs["file"])
    path = _beside(case.folder, name) or _beside(case.folder, f"data/{name}")
    if path is None:
        return Result("WAITING", (f"missing: {name}",))
    return _asked("check_counters_case", case.whole, path.parents[len(Path(name).parts) - 1])


def compare_truth(truth: Path, samples: Path) -> tuple[list[str], list[str]]:
    """
    One line per expression of a truth file, and the lines that differ.

    Raises:
        MissingDependencyError: The check is not there.
    """
    check = _check("compare_truth")
    if isinstance(check, str):
        raise MissingDependencyError(check)
    lines, failures = check(truth, samples)
    return list(lines), list(failures)


def compare_true_counts(exact: Path, samples: Path) -> tuple[list[str], list[str]]:
    """
    One line per counter of a table of true counts, and the lines that differ.

    Raises:
        MissingDependencyError: What reads Parquet is not there.
    """
    from tests.conformance.true_counts import compare_true_counts

    return compare_true_counts(exact, samples)


CHECKS: dict[str, Callable[[Case], Result]] = {
    "promql": promql,
    "prometheus http": http,
    "alertmanager": alertmanager,
    "alert timeline": alert_timeline,
    "prometheus counters": counters,
}
