"""
Every example of the docs, the README and the docstrings is run.

Python blocks run in order, sharing names within a page, and so do those that the page prints the
answer of (`exec="1"`, computed anew when the docs are built). A `console` block runs when the line
before it is `<!-- run -->`: each `$ errorbudget ...` line is a command, what follows is what it
prints, `...` stands for anything, and an exit code other than 0 is followed by `$ echo $?`. A page
works in a folder of its own, so it may write files.
"""

from __future__ import annotations

import doctest
import os
import re
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from sybil import Document, Example, Region, Sybil
from sybil.document import PythonDocStringDocument
from sybil.parsers.doctest import DocTestParser
from sybil.parsers.markdown import PythonCodeBlockParser, SkipParser
from sybil.sybil import SybilCollection

FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
RUN_CONSOLE = re.compile(
    r"^<!-- run -->\n```console\n(?P<session>.*?)^```$", re.MULTILINE | re.DOTALL
)


COMPUTED = re.compile(r"^```python exec=[^\n]*\n(?P<code>.*?)^```$", re.MULTILINE | re.DOTALL)


def computed_parser(document: Document) -> Iterable[Region]:
    """Each Python block whose output the built page shows."""
    for found in COMPUTED.finditer(document.text):
        yield Region(found.start(), found.end(), found["code"], run_code)


def run_code(example: Example) -> None:
    """Run one block; an exception fails it."""
    exec(compile(example.parsed, f"{example.path}:{example.line}", "exec"), example.namespace)


def console_parser(document: Document) -> Iterable[Region]:
    """Each console block that asks to be run."""
    for found in RUN_CONSOLE.finditer(document.text):
        yield Region(found.start(), found.end(), found["session"], run_session)


def run_session(example: Example) -> str | None:
    """Run each command of one console block; what differs from the page, or None."""
    exit_code = 0
    for step in re.split(r"^\$ ", example.parsed, flags=re.MULTILINE)[1:]:
        command, _, expected = step.partition("\n")
        if command == "echo $?":
            shown, exit_code = str(exit_code), 0
        elif exit_code:
            return f"exit code {exit_code} before $ {command}, and no `echo $?` that says so"
        else:
            exit_code, shown = run_errorbudget(command)
        if not doctest.OutputChecker().check_output(expected.strip(), shown.strip(), FLAGS):
            return f"$ {command}\nexpected:\n{expected}\ngot:\n{shown}"
    return f"exit code {exit_code} at the end: {shown}" if exit_code else None


def run_errorbudget(command: str) -> tuple[int, str]:
    """The exit code of *command*, which is one of ours, and all that it prints."""
    program, *arguments = shlex.split(command)
    if program != "errorbudget":
        raise ValueError(f"only errorbudget is run in console blocks, not {program!r}")
    done = subprocess.run(
        [sys.executable, "-m", "errorbudget", *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        env={**os.environ, "NO_COLOR": "1", "COLUMNS": "100", "PYTHONUTF8": "1"},
        timeout=120,
        check=False,
    )
    return done.returncode, done.stdout


def enter_page(namespace: dict[str, Any]) -> None:
    namespace["__home__"] = Path.cwd()
    namespace["__folder__"] = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
    os.chdir(namespace["__folder__"].name)


def leave_page(namespace: dict[str, Any]) -> None:
    os.chdir(namespace["__home__"])
    namespace["__folder__"].cleanup()


MARKDOWN = {
    "parsers": [
        PythonCodeBlockParser(doctest_optionflags=FLAGS),
        computed_parser,
        console_parser,
        SkipParser(),
    ],
    "setup": enter_page,
    "teardown": leave_page,
}
README = Sybil(pattern="README.md", excludes=["docs/*"], **MARKDOWN)
DOCS = Sybil(path="docs", pattern="*.md", **MARKDOWN)
DOCSTRINGS = Sybil(
    path="src",
    pattern="*.py",
    parsers=[DocTestParser(optionflags=FLAGS)],
    document_types={".py": PythonDocStringDocument},
)

pytest_collect_file = SybilCollection((README, DOCS, DOCSTRINGS)).pytest()
