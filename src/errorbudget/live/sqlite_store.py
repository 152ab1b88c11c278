"""
Buckets added up in an SQLite file, for the workers of one machine.

One file instead of one snapshot per worker: adding is what a database does in one transaction, a
worker that is gone leaves nothing to be collected, and nobody has to find the others. It needs
nothing that Python does not bring. The file has to be on a local disk.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from uuid import uuid4

import numpy as np

from errorbudget.durations import DAY_NS
from errorbudget.errors import InvalidInputError, SourceUnavailableError
from errorbudget.live.paths import as_path
from errorbudget.live.state import FeedState, State
from errorbudget.live.store import Batch, Contents, Counted, key_of

__all__ = ["SqliteStore"]

_LAYOUT = 1  # also in the tables' last line
_TABLES = """
BEGIN IMMEDIATE;
CREATE TABLE IF NOT EXISTS feeds (
    feed TEXT PRIMARY KEY, life TEXT NOT NULL, first INTEGER NOT NULL, left_out INTEGER NOT NULL,
    counted_good INTEGER NOT NULL, counted_bad INTEGER NOT NULL,
    counted_left_out INTEGER NOT NULL, counted_late INTEGER NOT NULL
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
    id INTEGER PRIMARY KEY CHECK (id = 1),
    life TEXT NOT NULL, version INTEGER NOT NULL, dropped_late INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS put_back (
    feed TEXT NOT NULL, life TEXT NOT NULL, writers TEXT NOT NULL, PRIMARY KEY (feed, life)
) WITHOUT ROWID;
INSERT OR IGNORE INTO totals VALUES (1, lower(hex(randomblob(16))), 0, 0);
PRAGMA user_version = 1;
COMMIT;
"""
_ADD_BUCKET = """
INSERT INTO buckets VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE
SET good = good + excluded.good, bad = bad + excluded.bad, version = excluded.version
"""
_ADD_FEED = """
INSERT INTO feeds VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE
SET first = min(first, excluded.first), left_out = left_out + excluded.left_out,
    counted_good = counted_good + excluded.counted_good,
    counted_bad = counted_bad + excluded.counted_bad,
    counted_left_out = counted_left_out + excluded.counted_left_out,
    counted_late = counted_late + excluded.counted_late
"""
_NOTHING_COUNTED = Counted()


class SqliteStore:
    """
    A shared budget in an SQLite file.

    Every exchange opens the file anew, so that nothing is carried over a fork.

    Args:
        path: The file; it is made when it is not there.
        patience_s: How long to wait for another worker's turn [s].

    Raises:
        InvalidInputError: *path* is no path, or *patience_s* no time to wait.
        SourceUnavailableError: The file cannot be made, or is something else.
    """

    def __init__(self, path: str | os.PathLike[str], patience_s: float = 5.0) -> None:
        self.path = as_path(path)
        if not isinstance(patience_s, (int, float)) or not 0 <= patience_s <= 3_600:
            raise InvalidInputError(f"patience_s is from 0 to 3600 seconds, got {patience_s!r}")
        self.patience_s = patience_s
        with self._opened():
            pass  # what cannot be shared through is known at the start

    @contextmanager
    def _opened(self) -> Iterator[sqlite3.Connection]:
        try:
            with closing(
                sqlite3.connect(self.path, timeout=self.patience_s, isolation_level=None)
            ) as database:
                database.execute("PRAGMA synchronous = NORMAL")
                # Each time: the file may have been deleted.
                if database.execute("PRAGMA user_version").fetchone()[0] != _LAYOUT:
                    database.execute("PRAGMA journal_mode = WAL")
                    database.executescript(_TABLES)
                yield database
        except sqlite3.Error as error:
            raise SourceUnavailableError(f"cannot share through {self.path}: {error}") from error

    @contextmanager
    def _transaction(self, kind: str) -> Iterator[sqlite3.Connection]:
        with self._opened() as database:
            database.execute(f"BEGIN {kind}")
            yield database
            database.execute("COMMIT")  # what does not come here is taken back by closing

    def push(self, batch: Batch) -> bool:
        """
        Add *batch*, unless it was added before; False where the file lost what the writer saw.

        Raises:
            SourceUnavailableError: The file does not answer in time.
        """
        changes = batch.changes
        with self._transaction("IMMEDIATE") as database:
            life, version = database.execute("SELECT life, version FROM totals").fetchone()
            newest = _newest(database, batch.writer)
            if life != batch.life or version < batch.version or newest < batch.number - 1:
                return False
            if newest >= batch.number:
                return True
            database.execute(
                "INSERT OR REPLACE INTO writers VALUES (?, ?, ?)",
                (batch.writer, batch.number, changes.at_ns),
            )
            database.execute(
                "UPDATE totals SET version = version + 1, dropped_late = dropped_late + ?",
                (changes.dropped_late,),
            )
            for feed, counted, oldest in zip(
                changes.feeds, batch.counted, batch.keep_from, strict=True
            ):
                self._add(database, life, version + 1, feed, counted)
                database.execute(
                    "DELETE FROM buckets WHERE feed = ? AND ending <= ?", (key_of(feed), oldest)
                )
            database.execute("DELETE FROM writers WHERE at_ns < ?", (changes.at_ns - DAY_NS,))
        return True

    @staticmethod
    def _add(
        database: sqlite3.Connection, life: str, version: int, feed: FeedState, counted: Counted
    ) -> None:
        key = key_of(feed)
        database.execute(_ADD_FEED, (key, life, feed.first, feed.left_out, *counted))
        rows = zip(feed.ends.tolist(), feed.good.tolist(), feed.bad.tolist(), strict=True)
        database.executemany(_ADD_BUCKET, ((key, *row, version) for row in rows))

    def put_back(self, seen: Contents, writer: str, given: int) -> tuple[str, tuple[int, ...]]:
        """
        Give back what was seen of a life that the file lost, unless another did.

        Raises:
            SourceUnavailableError: The file does not answer in time.
        """
        with self._transaction("IMMEDIATE") as database:
            life, version, late = database.execute(
                "SELECT life, version, dropped_late FROM totals"
            ).fetchone()
            behind = version < seen.version or _newest(database, writer) < given
            if (life == seen.life and behind) or life in seen.past:
                life, late = uuid4().hex, 0
            if seen.life in {None, life}:
                return life, (0,) * len(seen.state.feeds)
            marks = database.execute("SELECT 1 FROM put_back WHERE life = ?", (seen.life,))
            late += 0 if marks.fetchone() else seen.state.dropped_late
            database.execute(
                "UPDATE totals SET life = ?, version = version + 1, dropped_late = ?", (life, late)
            )
            writers = json.dumps(dict(seen.writers))
            held = []
            for feed in seen.state.feeds:
                key = key_of(feed)
                mark = database.execute(
                    "SELECT writers FROM put_back WHERE feed = ? AND life = ?", (key, seen.life)
                ).fetchone()
                if mark is None:
                    mark = (writers,)
                    database.execute(
                        "INSERT INTO put_back VALUES (?, ?, ?)", (key, seen.life, writers)
                    )
                    # For those who still know a life before that.
                    database.executemany(
                        "INSERT OR IGNORE INTO put_back VALUES (?, ?, ?)",
                        ((key, *past) for past in seen.past.items()),
                    )
                    old = [
                        database.execute(
                            "DELETE FROM feeds WHERE feed = ? AND life = ?", (key, past)
                        ).rowcount
                        for past in (seen.life, *seen.past)
                    ]
                    if any(old):  # it went back in time: an earlier state of what was seen
                        database.execute("DELETE FROM buckets WHERE feed = ?", (key,))
                    self._add(database, life, version + 1, feed, _NOTHING_COUNTED)
                held.append(json.loads(mark[0]).get(writer, 0))
        return life, tuple(held)

    def pull(self, since: int, feeds: tuple[FeedState, ...]) -> Contents:
        """
        The file's contents; of buckets those of *feeds* that changed after version *since*.

        Raises:
            SourceUnavailableError: The file does not answer in time.
        """
        found, counted = [], []
        with self._transaction("DEFERRED") as database:
            life, version, late = database.execute(
                "SELECT life, version, dropped_late FROM totals"
            ).fetchone()
            writers = dict(database.execute("SELECT writer, batch FROM writers"))
            past = dict(database.execute("SELECT life, writers FROM put_back"))
            for feed in feeds:
                key = key_of(feed)
                told = database.execute(
                    "SELECT first, left_out, counted_good, counted_bad, counted_left_out, "
                    "counted_late FROM feeds WHERE feed = ?",
                    (key,),
                )
                first, left_out, *came = told.fetchone() or (feed.first, 0, 0, 0, 0, 0)
                rows = database.execute(
                    "SELECT ending, good, bad FROM buckets WHERE feed = ? AND version > ? "
                    "ORDER BY ending",
                    (key, since),
                ).fetchall()
                columns = np.array(rows, dtype=np.int64).reshape(-1, 3).T
                found.append(feed.holding(first, left_out, *columns))
                counted.append(Counted(*came))
        state = State(tuple(found), 0, late)
        return Contents(life, version, state, tuple(counted), writers, past)


def _newest(database: sqlite3.Connection, writer: str) -> int:
    """The newest batch of *writer* that is in the file, 0 where none is."""
    found = database.execute("SELECT batch FROM writers WHERE writer = ?", (writer,)).fetchone()
    return 0 if found is None else int(found[0])
