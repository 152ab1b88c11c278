"""
What every test may rely on: how missing things are treated, and Hypothesis' profiles.

A test that wants something which is not there is skipped with a reason that begins with
`missing:` and says how to get it. Where everything must be there, ERRORBUDGET_REQUIRE_ALL=1
turns each such skip into a failure, so that nothing is left out unnoticed.
"""

from __future__ import annotations

import importlib.metadata
import os
import re
from collections.abc import Generator
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings

from errorbudget.errors import MissingDependencyError

REQUIRE_ALL = os.environ.get("ERRORBUDGET_REQUIRE_ALL", "") == "1"

# Installed under another name than they are imported by.
_MODULES = {
    "opentelemetry-api": "opentelemetry",
    "opentelemetry-sdk": "opentelemetry",
    "prometheus-client": "prometheus_client",
    "promql-parser": "promql_parser",
    "python-dateutil": "dateutil",
    "ruamel-yaml": "ruamel",
}
_WITH_TESTS = {
    "jsonschema",
    "jupytext",
    "nbclient",
    "nbformat",
    "opentelemetry",
    "playwright",
    "promql_parser",
    "pytest_benchmark",
    "scipy",
    "slack_sdk",
    "starlette",
    "sybil",
}


def _optional_modules() -> dict[str, str]:
    """Each module that need not be installed, and the command that installs it."""
    cures = dict.fromkeys(_WITH_TESTS, "make test (or the dependency group `dev`)")
    for requirement in importlib.metadata.requires("errorbudget") or []:
        found = re.fullmatch(r"([\w.-]+).*extra == ['\"](\w+)['\"]", requirement)
        if found and found[2] != "all" and not found[1].startswith("errorbudget"):
            name = re.sub(r"[-_.]+", "-", found[1]).lower()
            module = _MODULES.get(name, name)
            cures[module] = f"pip install 'errorbudget[{found[2]}]'"
    return cures


OPTIONAL = _optional_modules()

settings.register_profile(
    "dev", deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("ci", settings.get_profile("dev"), derandomize=True, print_blob=True)
settings.register_profile(
    "nightly", settings.get_profile("dev"), max_examples=3_000, print_blob=True
)
# For mutants and for what has run in full beside: the same few inputs, and a failure as it comes.
settings.register_profile(
    "few",
    settings.get_profile("dev"),
    max_examples=15,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci" if os.environ.get("CI") else "dev"))


def _what_is_missing(error: BaseException) -> str | None:
    """Why *error* means that an optional part is absent; None when it means anything else."""
    if isinstance(error, MissingDependencyError):
        return f"missing: {error}"
    if isinstance(error, ModuleNotFoundError) and error.name:
        cure = OPTIONAL.get(error.name.partition(".")[0])
        return f"missing: {error.name}; {cure}" if cure else None
    return None


def _judge(report: Any, error: BaseException | None, where: str) -> None:
    """Turn an absent optional part into a skip, and, where all must be there, into a failure."""
    if report.failed and error is not None and (reason := _what_is_missing(error)):
        report.outcome = "skipped"
        report.longrepr = (where, 0, f"Skipped: {reason}")
    if REQUIRE_ALL and report.skipped and isinstance(report.longrepr, tuple):
        reason = report.longrepr[2].removeprefix("Skipped: ")
        if reason.startswith("missing:"):
            report.outcome = "failed"
            report.longrepr = (
                f"{where}\nERRORBUDGET_REQUIRE_ALL=1, so this may not be skipped: {reason}"
            )


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Tests that no other system can run."""
    if os.name != "posix" and item.get_closest_marker("posix"):
        pytest.skip("forks, signals, links and pipes are tried on POSIX alone")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files with slow tests first: of several processes none is left with one at the end."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Tests."""
    report = yield
    _judge(report, call.excinfo.value if call.excinfo else None, item.nodeid)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Whole files, when the import at their top fails."""
    report = yield
    call = getattr(report, "call", None)
    error = call.excinfo.value if call is not None and call.excinfo else None
    # Pytest wraps an import failure of a test file; the cause is what we want to know.
    _judge(report, getattr(error, "__cause__", None) or error, collector.nodeid)
    return report
