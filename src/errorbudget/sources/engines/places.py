"""
Files of this machine and of stores such as `s3://`, each asked in one way.

A store is what fsspec knows one by: it lists, and it opens the head of a file. Which engine then
reads from it, and how, is the business of `openers`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any
from urllib.parse import urlsplit
from urllib.request import url2pathname

from errorbudget.addresses import without_secrets
from errorbudget.errors import (
    ErrorBudgetError,
    InvalidInputError,
    MissingDependencyError,
    SourceUnavailableError,
)

__all__ = ["facts", "file_system", "listed", "local", "open_binary", "scheme_of", "size"]

_CHANGES = ("ETag", "etag", "mtime", "LastModified", "last_modified", "updated", "created")
"""What stores call the thing that is another one once a file has changed."""


def scheme_of(path: str) -> str:
    """
    The scheme of a store's address; empty for a file of this machine.

    Example:
        >>> scheme_of("s3://logs/day.parquet"), scheme_of("logs/day.parquet")
        ('s3', '')
    """
    return path.partition("://")[0].lower() if "://" in path else ""


def local(path: str) -> str:
    """The path itself, and that of a `file://` address."""
    return url2pathname(urlsplit(path).path) if scheme_of(path) == "file" else path


def _checked(path: str) -> None:
    """
    Refuse an address that carries a secret: it would end up in messages and in kept counts.

    Raises:
        InvalidInputError: It does.
    """
    for each in path.split("::"):  # as in simplecache::https://...
        try:
            parts = urlsplit(each)
        except ValueError as error:
            raise InvalidInputError(f"an address cannot be read: {error}") from None
        web = parts.scheme in ("http", "https")  # elsewhere a user may be a container
        if parts.password is not None or (web and (parts.query or without_secrets(each) != each)):
            raise InvalidInputError(
                f"the address {without_secrets(each)} came with a user, a password or a query; "
                "leave them out, and put credentials where fsspec and the engine look for them, "
                "such as the environment"
            )


@contextmanager
def _reaching(path: str) -> Iterator[None]:
    try:
        yield
    except ErrorBudgetError:
        raise
    except Exception as error:  # each store has errors of its own
        first = next((line.strip() for line in str(error).splitlines() if line.strip()), "")
        raise SourceUnavailableError(
            f"cannot read {path}: {first or type(error).__name__}"
        ) from error


def file_system(path: str) -> tuple[Any, str]:
    """
    The store that *path* lies in, as fsspec has it, and what the store calls the path.

    Raises:
        MissingDependencyError: fsspec is not installed, or what it needs for this store.
        InvalidInputError: There is no such store, or the address carries a secret.
    """
    _checked(path)
    scheme = scheme_of(path)
    try:
        from fsspec.core import url_to_fs
    except ImportError:
        raise MissingDependencyError.for_extra(f"{scheme}:// paths", "fsspec", "stores") from None
    try:
        store, inner = url_to_fs(path)
    except ImportError as error:
        raise MissingDependencyError(f"{scheme}:// paths need more: {error}") from None
    except ValueError as error:
        raise InvalidInputError(f"{path} lies in no store that fsspec knows: {error}") from None
    return store, str(inner)


def listed(path: str) -> tuple[str, ...]:
    """
    The files that an address names: itself, those of a pattern, or all of a folder.

    Raises:
        SourceUnavailableError: The store cannot be reached, or has no such files.
    """
    store, inner = file_system(path)
    with _reaching(path):
        store.invalidate_cache()  # what came since the last look is there too
        if any(mark in inner for mark in "*[") or (
            "?" in inner and scheme_of(path) not in ("http", "https")
        ):
            found = [each for each in store.glob(inner) if store.isfile(each)]
        elif store.isfile(inner):
            return (path,)
        else:
            found = store.find(inner) if store.isdir(inner) else []
        if not found:
            raise SourceUnavailableError(f"there are no files at {path}")
        return tuple(sorted(str(store.unstrip_protocol(each)) for each in found))


@contextmanager
def open_binary(path: str) -> Iterator[IO[bytes]]:
    """A file's bytes, wherever it lies."""
    if not scheme_of(path):
        with Path(path).open("rb") as file:
            yield file
        return
    store, inner = file_system(path)
    with _reaching(path):
        opened = store.open(inner, "rb")
    with opened as file:
        yield file


def size(path: str) -> int:
    """Bytes of a file."""
    return int(facts(path)[1])


def facts(path: str) -> list[Any]:
    """Path, bytes, and what changes when the file does; None where the store does not say."""
    if not scheme_of(path):
        fact = os.stat(path)  # noqa: PTH116 - a path as it was given
        return [path, fact.st_size, fact.st_mtime_ns]
    store, inner = file_system(path)
    with _reaching(path):
        info = store.info(inner)
    told = next((info[name] for name in _CHANGES if info.get(name) is not None), None)
    return [path, int(info.get("size") or 0), None if told is None else str(told)]
