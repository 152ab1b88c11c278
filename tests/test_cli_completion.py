"""Completion in real shells: commands, options, files and the names of SLOs."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("click", reason="missing: click; pip install 'errorbudget[cli]'")

pytestmark = pytest.mark.posix

SPEC = "slos: [{name: api-fast, target: 99%, window: 1d, sli: {kind: availability}}]"


def _environment(folder: Path, **extra: str) -> dict[str, str]:
    """A PATH on which `errorbudget` is this one."""
    program = folder / "bin" / "errorbudget"
    if not program.exists():
        program.parent.mkdir()
        program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m errorbudget "$@"\n')
        program.chmod(0o755)
    return {**os.environ, "PATH": f"{program.parent}:{os.environ['PATH']}", **extra}


def _shell(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"missing: {name}; apt-get install {name}")
    return found


def _in(shell: str, text: str, folder: Path) -> str:
    done = subprocess.run(
        [_shell(shell), "-c", text],
        capture_output=True,
        text=True,
        cwd=folder,
        env=_environment(folder),
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        (["rep"], "report"),
        (["report", "--wat"], "--watch"),
        (["report", "-f", "sla"], "slack"),
        (["report", "-s", "slos.yaml", "--slo", "api"], "api-fast"),
    ],
)
def test_bash_completes(words: list[str], wanted: str, tmp_path: Path) -> None:
    """What the documentation says to put into ~/.bashrc works in bash."""
    pytest.importorskip(
        "ruamel.yaml", reason="missing: ruamel.yaml; pip install 'errorbudget[specs]'"
    )
    (tmp_path / "slos.yaml").write_text(SPEC)
    typed = " ".join(["errorbudget", *words])
    said = _in(
        "bash",
        'eval "$(_ERRORBUDGET_COMPLETE=bash_source errorbudget)"\n'
        f"COMP_WORDS=({typed}); COMP_CWORD={len(words)}\n"
        '_errorbudget_completion errorbudget; printf "%s\\n" "${COMPREPLY[@]}"',
        tmp_path,
    )
    assert wanted in said.split()


@pytest.mark.slow
@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_other_shells_complete(shell: str, tmp_path: Path) -> None:
    """Zsh takes the script; fish completes with it."""
    _shell(shell)
    if shell == "zsh":
        said = _in(
            shell,
            "autoload -Uz compinit && compinit -D -u\n"
            'eval "$(_ERRORBUDGET_COMPLETE=zsh_source errorbudget)"\n'
            "print ${_comps[errorbudget]}\n"
            "export COMP_WORDS='errorbudget rep' COMP_CWORD=1\n"
            "_ERRORBUDGET_COMPLETE=zsh_complete errorbudget",
            tmp_path,
        )
        assert said.split()[0] == "_errorbudget_completion"
    else:
        said = _in(
            shell,
            "env _ERRORBUDGET_COMPLETE=fish_source errorbudget | source\n"
            "complete -C 'errorbudget rep'",
            tmp_path,
        )
    assert "report" in said.split()
