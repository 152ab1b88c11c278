"""
Buckets added up in an SQLite file, for the workers of one machine.

One file instead of one snapshot per worker: adding is what a database does in one transaction, a
worker that is gone leaves nothing to be collected, and nobody has to find the others. It needs
nothing that Python does not bring. The file has to be on a local disk.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager

import numpy as np

from errorbudget.durations import DAY_NS
from errorbudget.errors import SourceUnavailableError
from errorbudget.live.paths import as_path
from errorbudget.live.shared import key_of
from errorbudget.live.state import FeedState, State

__all__ = ["SqliteStore"]

_TABLES = """
CREATE TABLE IF NOT EXISTS feeds (
    feed TEXT PRIMARY KEY, first INTEGER NOT NULL, left_out INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS buckets (
    feed TEXT NOT NULL, ending INTEGER NOT NULL,
    good INTEGER NOT NULL, bad INTEGER NOT NULL, version INTEGER NOT NULL,
    PRIMARY KEY (feed, ending)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS changed ON buckets (feed, version);
CREATE TABLE IF NOT EXISTS writers (
    writer TEXT PRIMARY KEY, batch INTEGER NOT NULL, at_ns INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS totals (
    id INTEGER PRIMARY KEY CHECK (id = 1), version INTEGER NOT NULL, dropped_late INTEGER NOT NULL
);
INSERT OR IGNORE INTO totals VALUES (1, 0, 0);
"""
_ADD_BUCKET = """
INSERT INTO buckets VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE
SET good = good + excluded.good, bad = bad + excluded.bad, version = excluded.version
"""
_ADD_FEED = """
INSERT INTO feeds VALUES (?, ?, ?) ON CONFLICT DO UPDATE
SET first = min(first, excluded.first), left_out = left_out + excluded.left_out
"""


class SqliteStore:
    """
    A shared budget in an SQLite file.

    Every exchange opens the file anew, so that nothing is carried over a fork.

    Args:
        path: The file; it is made when it is not there.
        patience_s: How long to wait for another worker's turn [s].

    Raises:
        InvalidInputError: *path* is no path.
        SourceUnavailableError: The file cannot be made, or is something else.
    """

    def __init__(self, path: str | os.PathLike[str], patience_s: float = 5.0) -> None:
        self.path = as_path(path)
        self.patience_s = patience_s
        with self._opened() as database:
            database.execute("PRAGMA journal_mode = WAL")
            database.executescript(_TABLES)

    @contextmanager
    def _opened(self) -> Iterator[sqlite3.Connection]:
        try:
            with closing(
                sqlite3.connect(self.path, timeout=self.patience_s, isolation_level=None)
            ) as database:
                database.execute("PRAGMA synchronous = NORMAL")
                yield database
        except sqlite3.Error as error:
            raise SourceUnavailableError(f"cannot share through {self.path}: {error}") from error

    @contextmanager
    def _transaction(self, kind: str) -> Iterator[sqlite3.Connection]:
        with self._opened() as database:
            database.execute(f"BEGIN {kind}")
            try:
                yield database
            except BaseException:
                database.execute("ROLLBACK")
                raise
            database.execute("COMMIT")

    def push(self, writer: str, batch: int, changes: State, keep_from: dict[str, int]) -> None:
        """
        Add *changes*, unless this batch of this writer was added before.

        Raises:
            SourceUnavailableError: The file does not answer in time.
        """
        with self._transaction("IMMEDIATE") as database:
            known = database.execute("SELECT batch FROM writers WHERE writer = ?", (writer,))
            if (known.fetchone() or (0,))[0] >= batch:
                return
            database.execute(
                "INSERT OR REPLACE INTO writers VALUES (?, ?, ?)", (writer, batch, changes.at_ns)
            )
            database.execute(
                "UPDATE totals SET version = version + 1, dropped_late = dropped_late + ?",
                (changes.dropped_late,),
            )
            version = database.execute("SELECT version FROM totals").fetchone()[0]
            for feed in changes.feeds:
                key = key_of(feed)
                database.execute(_ADD_FEED, (key, feed.first, feed.left_out))
                rows = zip(feed.ends.tolist(), feed.good.tolist(), feed.bad.tolist(), strict=True)
                database.executemany(_ADD_BUCKET, ((key, *row, version) for row in rows))
                database.execute(
                    "DELETE FROM buckets WHERE feed = ? AND ending <= ?", (key, keep_from[key])
                )
            database.execute("DELETE FROM writers WHERE at_ns < ?", (changes.at_ns - DAY_NS,))

    def pull(self, since: int, feeds: tuple[FeedState, ...]) -> tuple[int, State]:
        """
        The buckets of *feeds* that changed after version *since*.

        Raises:
            SourceUnavailableError: The file does not answer in time.
        """
        found = []
        with self._transaction("DEFERRED") as database:
            version, late = database.execute("SELECT version, dropped_late FROM totals").fetchone()
            for feed in feeds:
                key = key_of(feed)
                told = database.execute("SELECT first, left_out FROM feeds WHERE feed = ?", (key,))
                first, left_out = told.fetchone() or (feed.first, 0)
                rows = database.execute(
                    "SELECT ending, good, bad FROM buckets WHERE feed = ? AND version > ? "
                    "ORDER BY ending",
                    (key, since),
                ).fetchall()
                columns = np.array(rows, dtype=np.int64).reshape(-1, 3).T
                found.append(feed.holding(first, left_out, *columns))
        return version, State(tuple(found), 0, late)
