"""
Pieces that came, as files: what broke off goes on in another process, where it stopped.

A piece is kept when nothing was said against it and it ended an hour before the server's own time,
as samples may come late. Its file holds the server's answer, and its name says nothing: it is a
hash of the address, the user, the tenant and the question. No secret is in either, so whoever asks
by other tokens or headers wants a folder of their own.
"""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import json
import os
import tempfile
import time
import zlib
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from pathlib import Path

from errorbudget.durations import HOUR_NS, SECOND_NS
from errorbudget.errors import SourceUnavailableError
from errorbudget.live.paths import as_path
from errorbudget.sources.prometheus.connection import Basic, Connection
from errorbudget.sources.prometheus.http import MAX_BYTES, Response
from errorbudget.sources.prometheus.ranges import Stretch

__all__ = ["Folder"]

_SETTLED_S = HOUR_NS // SECOND_NS


class Folder:
    """
    A folder of pieces; it is made when it is not there.

    Args:
        path: Where.
        connection: The server that is asked.

    Raises:
        InvalidInputError: *path* is an address.
        SourceUnavailableError: The folder cannot be made or written.
    """

    def __init__(self, path: str | Path, connection: Connection) -> None:
        self._path, self._connection = as_path(path), connection
        try:
            self._path.mkdir(parents=True, exist_ok=True)
            self._sweep()
        except OSError as error:
            raise self._refused(error) from None

    def get(self, path: str, params: Mapping[str, str]) -> Response | None:
        """The answer that is kept; None where there is none, or no whole one."""
        try:
            with gzip.open(self._file(path, params)) as file:
                body = file.read(MAX_BYTES + 1)  # no more than a server may answer
        except (OSError, EOFError, zlib.error):
            return None
        return Response(200, body=body) if 0 < len(body) <= MAX_BYTES else None

    def put(
        self, path: str, params: Mapping[str, str], stretch: Stretch, response: Response
    ) -> None:
        """Keep an answer, if its piece is long enough ago to be whole."""
        try:
            now_s = parsedate_to_datetime(response.headers.get("date", "")).timestamp()
        except (TypeError, ValueError):
            return
        if stretch.end_ms > (now_s - _SETTLED_S) * 1000:
            return
        try:
            handle, half = tempfile.mkstemp(dir=self._path, suffix=".half")
            with os.fdopen(handle, "wb") as file:
                file.write(gzip.compress(response.body, 1, mtime=0))
            Path(half).replace(self._file(path, params))
        except OSError as error:
            raise self._refused(error) from None

    def _sweep(self) -> None:
        """Take away what a killed process left half written; a living one needs a moment for it."""
        for half in self._path.glob("*.half"):
            with contextlib.suppress(FileNotFoundError):
                if time.time() - half.stat().st_mtime > _SETTLED_S:
                    half.unlink()

    def _file(self, path: str, params: Mapping[str, str]) -> Path:
        asked = self._connection
        user = asked.auth.user if isinstance(asked.auth, Basic) else None
        key = [asked.url, user, asked.tenant, dict(asked.params), path, dict(params)]
        name = hashlib.sha256(json.dumps(key, sort_keys=True).encode()).hexdigest()
        return self._path / f"{name}.json.gz"

    def _refused(self, error: OSError) -> SourceUnavailableError:
        return SourceUnavailableError(
            f"cannot keep pieces in {self._path}: {error.strerror or error}; choose another folder"
        )
