"""Where answers go: standard output, or a file that is there whole or not at all."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TextIO

import click

from errorbudget.errors import InvalidInputError, SourceUnavailableError
from errorbudget.live.paths import as_path
from errorbudget.sources.atomic_files import write_blocks

__all__ = ["is_terminal", "write"]

_OUTPUTS = ("out", "truth")
"""Options that name what is written, and so may be there from the last time."""


def is_terminal(stream: TextIO | None) -> bool:
    """Whether a person looks at *stream*; a closed one is None in Python."""
    return stream is not None and stream.isatty()


def _keep_inputs(out: str) -> None:
    """Refuse to write over a file that this command reads, by whatever name."""
    context = click.get_current_context(silent=True)
    if context is None or not Path(out).exists():
        return
    for option, value in context.params.items():
        names = value if isinstance(value, tuple) else (value,)
        for name in names if option not in _OUTPUTS else ():
            if isinstance(name, str) and Path(name).is_file() and Path(name).samefile(out):
                raise InvalidInputError(f"{out} is read here; choose another name to write to")


def write(content: str | bytes, out: str | None) -> None:
    """
    Write an answer.

    Args:
        content: Text for people; bytes stay as they are, whatever the terminal's encoding.
        out: Path of a file; None or "-" is standard output.

    Raises:
        InvalidInputError: *out* is a file that the command reads, or an address.
        SourceUnavailableError: *out* is a directory, lies in none, or cannot be written.
    """
    if out is not None and out != "-":
        folder = as_path(out).parent
        _keep_inputs(out)
        if not folder.is_dir():
            raise SourceUnavailableError(
                f"cannot write {out}: there is no folder {folder}; make it first, or check the name"
            )
        write_blocks([content.encode() if isinstance(content, str) else content], out)
        return
    if sys.stdout is None:
        raise SourceUnavailableError("standard output is closed; name a file with -o")
    if isinstance(content, str):
        sys.stdout.write(content)
        return
    sys.stdout.flush()
    sys.stdout.buffer.write(content)
    sys.stdout.buffer.flush()
