"""Where a file of the caller's lies."""

from __future__ import annotations

import os
from pathlib import Path

from errorbudget.errors import InvalidInputError

__all__ = ["as_path"]


def as_path(path: str | os.PathLike[str]) -> Path:
    """
    *path* as a `Path`.

    Raises:
        InvalidInputError: It is no path of text, an address, or cannot name a file.

    Example:
        >>> as_path("shop.budget").name
        'shop.budget'
    """
    if isinstance(path, (str, os.PathLike)):
        found = os.fspath(path)
        if isinstance(found, str) and "://" in found:
            raise InvalidInputError(f"{found} is an address; name a file or folder of this machine")
        if isinstance(found, str) and found and "\0" not in found:
            return Path(found)
    raise InvalidInputError(f'a path is a text or a Path, such as "shop.budget", got {path!r}')
