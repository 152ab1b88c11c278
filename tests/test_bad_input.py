"""
Bad input: every row of docs/reference/bad-input.md, exactly as it is written there.

The page is the table of the test. After a change of a message, `python -m tests.test_bad_input`
writes the answers anew; what changed is then read in the difference, not trusted.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import io
import os
import re
import shlex
import sys
import tempfile
import time
import warnings
from pathlib import Path
from typing import Any

import pytest

import errorbudget as eb
from errorbudget.cli import main
from errorbudget.durations import parse_duration
from errorbudget.studies.advice import advise
from errorbudget.studies.attribution import attribute
from errorbudget.studies.backtest import backtest
from errorbudget.studies.confidence import confidence, confidence_of
from errorbudget.studies.deploys import deploy_effect
from errorbudget.studies.forecast import forecast
from errorbudget.studies.groups import attribute_groups
from errorbudget.studies.ledger import incident_ledger
from errorbudget.studies.lint import lint
from errorbudget.studies.low_traffic import quiet_alert
from errorbudget.studies.noise import least_bad, least_traffic
from errorbudget.studies.pareto import policy_sweep
from errorbudget.studies.recovery import recovery
from errorbudget.studies.review import review
from errorbudget.studies.simulate import Outage, Route, Season, incident_from_dict, shop, simulate
from errorbudget.studies.spend import daily_spend
from errorbudget.studies.trend import trend
from tests.bad_files import lay

pd = pytest.importorskip("pandas", reason="missing: pandas; pip install 'errorbudget[pandas]'")
pytest.importorskip("click", reason="missing: click; pip install 'errorbudget[cli]'")
pytest.importorskip("rich", reason="missing: rich; pip install 'errorbudget[cli]'")
pytest.importorskip("pydantic", reason="missing: pydantic; pip install 'errorbudget[specs]'")
pytest.importorskip("ruamel.yaml", reason="missing: ruamel; pip install 'errorbudget[specs]'")

PAGE = Path(__file__).parents[1] / "docs" / "reference" / "bad-input.md"
STUDIES = (
    *(advise, attribute, attribute_groups, backtest, confidence_of, daily_spend, deploy_effect),
    *(forecast, incident_ledger, lint, recovery, review),
    *(confidence, least_bad, least_traffic, policy_sweep, quiet_alert, trend),
    *(Outage, Route, Season, incident_from_dict, shop, simulate),
)
ROW = re.compile(r"^\| `(?P<input>.+?)` \| (?P<kind>\w+) \| `(?P<said>.+)` \|$")


def names() -> dict[str, Any]:
    """What the expressions of the page are written with."""
    return {
        "eb": eb,
        "dt": dt,
        "parse_duration": parse_duration,
        **{study.__name__: study for study in STUDIES},
        "slo": eb.SLO("api", target="99.9%", window="30d", sli=eb.Availability()),
        "composite": eb.Composite("journey", "99%", ["api", "cart"]),
        "events": eb.Events(time=["2026-03-01T12:00:00Z"], status=[200]),
        "frame": pd.DataFrame(
            {
                "time": pd.to_datetime(["2026-03-01T12:00:00Z", "2026-03-01T12:00:01Z"]),
                "status": [200, 500],
                "duration_s": [0.1, 0.2],
            }
        ),
    }


def answer(text: str) -> tuple[str, str]:
    """What the library says to *text*: the kind of error or the exit code, and the message."""
    if not text.startswith("errorbudget "):
        try:
            found = eval(text, names())
        except eb.ErrorBudgetError as error:
            return type(error).__name__, str(error)
        pytest.fail(f"{text} gave {found!r}")
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main(shlex.split(text)[1:])
    # `validate` answers on standard output, as that is its job.
    said = err.getvalue() or out.getvalue()
    return str(code), said.strip().removeprefix("errorbudget: ")


def written(text: str) -> str:
    """As it stands in a cell of a table."""
    return text.replace("|", r"\|").replace("\n", " ")


ROWS = [
    (match["input"].replace(r"\|", "|"), match["kind"], match["said"])
    for match in map(ROW.match, PAGE.read_text(encoding="utf-8").splitlines())
    if match
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files, which no row may change."""
    found = tmp_path_factory.mktemp("bad")
    lay(found)
    return found


@pytest.mark.parametrize(("text", "kind", "said"), ROWS, ids=[row[0] for row in ROWS])
@pytest.mark.filterwarnings("ignore::errorbudget.ErrorBudgetWarning")
def test_row(
    text: str, kind: str, said: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Bad input gets the error and the words of the page, soon, and leaves nothing behind."""
    monkeypatch.chdir(folder)
    before = sorted(folder.rglob("*"))
    began = time.perf_counter()
    with Path(os.devnull).open(encoding="utf-8") as nothing:
        monkeypatch.setattr(sys, "stdin", nothing)
        found, words = map(written, answer(text))
    # What click says differs from version to version.
    exact = not said.startswith(("Invalid value", "No such option", "Missing"))
    assert (kind, said if exact else words) == (found, words)
    assert time.perf_counter() - began < 20
    assert sorted(folder.rglob("*")) == before


def test_the_page_is_whole() -> None:
    """The page holds every row that looks like one, no row twice, and hundreds of them."""
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    assert sum(line.startswith("| `") for line in lines) == len(ROWS) >= 400
    assert len({text for text, _, _ in ROWS}) == len(ROWS)
    assert not {kind for _, kind, _ in ROWS} & {"0", "70"}


def renew() -> None:
    """Write the answers of today into the page."""
    lines = []
    with tempfile.TemporaryDirectory() as folder:
        lay(Path(folder))
        os.chdir(folder)
        for line in PAGE.read_text(encoding="utf-8").splitlines():
            if not line.startswith("| `"):
                lines.append(line)
                continue
            text = line.split("`")[1]
            kind, said = answer(text.replace(r"\|", "|"))
            lines.append(f"| `{text}` | {kind} | `{written(said)}` |")
    PAGE.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    renew()
