"""Where answers go: standard output, or a file that is there whole or not at all."""

from __future__ import annotations

import sys
from pathlib import Path

from errorbudget.errors import SourceUnavailableError
from errorbudget.sources.atomic_files import write_blocks

__all__ = ["write"]


def write(content: str | bytes, out: str | None) -> None:
    """
    Write an answer.

    Args:
        content: Text for people; bytes stay as they are, whatever the terminal's encoding.
        out: Path of a file; None or "-" is standard output.

    Raises:
        SourceUnavailableError: *out* is a directory, or cannot be written.
    """
    if out is not None and out != "-":
        try:
            Path(out).parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise SourceUnavailableError(f"cannot write {out}: {error.strerror}") from error
        write_blocks([content.encode() if isinstance(content, str) else content], out)
        return
    if isinstance(content, str):
        sys.stdout.write(content)
        return
    sys.stdout.flush()
    sys.stdout.buffer.write(content)
    sys.stdout.buffer.flush()
