"""
Files that are there whole or not at all.

Text goes to a neighbour with a hidden name, which takes the place of the old file in one step once
everything is written; whoever reads meanwhile sees the old file, and a failure leaves it alone.
"""

from __future__ import annotations

import gzip
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Literal

from errorbudget.errors import SourceUnavailableError
from errorbudget.live.paths import as_path

__all__ = ["write_blocks"]


def write_blocks(blocks: Iterable[bytes], path: str | os.PathLike[str]) -> None:
    """
    Write *blocks* to *path*, compressed when its name ends in `.gz`.

    The same blocks give the same bytes: the gzip header carries neither a time nor a name. A device
    or a pipe, such as `/dev/stdout`, is written to directly.

    Args:
        blocks: The content, piece by piece; only one piece is held at a time.
        path: Where to; an existing file is replaced.

    Raises:
        InvalidInputError: *path* is an address, or cannot name a file.
        SourceUnavailableError: *path* is a directory, or cannot be written.
    """
    target = Path(os.path.realpath(as_path(path)))
    if target.is_dir():
        raise SourceUnavailableError(f"{path} is a directory; name a file in it")
    if target.exists() and not target.is_file():
        _write(blocks, target, shown=path)
        return
    draft = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        draft.unlink(missing_ok=True)  # of a process that was killed
        _write(blocks, draft, shown=path, mode="xb", packed=target.suffix.lower() == ".gz")
        draft.replace(target)
    finally:
        draft.unlink(missing_ok=True)


def _write(
    blocks: Iterable[bytes],
    target: Path,
    *,
    shown: object,
    mode: Literal["wb", "xb"] = "wb",
    packed: bool = False,
) -> None:
    try:
        sink = target.open(mode)  # a link that someone laid in a draft's place is not followed
    except OSError as error:
        raise SourceUnavailableError(f"cannot write {shown}: {error.strerror}") from None
    with sink:
        if not packed:
            for block in blocks:
                sink.write(block)
            return
        with gzip.GzipFile("", "wb", compresslevel=6, fileobj=sink, mtime=0) as press:
            for block in blocks:
                press.write(block)
