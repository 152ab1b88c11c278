"""
State that outlives the process: a file that is there whole or not at all.

A draft is written beside the file, forced to the disk, and takes its place in one step; then the
folder is forced too. Whoever is killed at any moment leaves either the old file or the new one.
"""

from __future__ import annotations

import os
import threading
from contextlib import suppress
from types import TracebackType
from typing import TYPE_CHECKING, Self

from errorbudget.durations import DurationLike
from errorbudget.errors import SourceUnavailableError
from errorbudget.live import forks
from errorbudget.live.answers import check_tracker
from errorbudget.live.paths import as_path
from errorbudget.live.ticker import Ticker

if TYPE_CHECKING:
    from errorbudget.live.state import State
    from errorbudget.live.tracker import Tracker

__all__ = ["Keeper", "load_state", "save_state"]


def save_state(state: State, path: str | os.PathLike[str]) -> None:
    """
    Write *state* to *path*, whole or not at all.

    Raises:
        InvalidInputError: *path* is no path.
        SourceUnavailableError: It cannot be written; an older file stays as it was.
    """
    target = as_path(path)
    # A name of its own for every writer: two threads may save at once.
    draft = target.with_name(f".{target.name}.{os.getpid()}.{threading.get_ident()}.part")
    try:
        draft.unlink(missing_ok=True)
        with draft.open("xb") as sink:  # a link that someone laid there is not followed
            sink.write(state.to_bytes())
            sink.flush()
            os.fsync(sink.fileno())
        draft.replace(target)
        if os.name == "posix":
            folder = os.open(target.parent, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)
    except OSError as error:
        with suppress(OSError):  # where nothing can be written, nothing can be removed
            draft.unlink()
        raise SourceUnavailableError(f"cannot write {path}: {error.strerror}") from None


def load_state(path: str | os.PathLike[str]) -> State | None:
    """
    The state that was saved in *path*, or None where there is none.

    Raises:
        InvalidInputError: *path* is no path.
        SourceUnavailableError: It cannot be read.
        SourceFormatError: It is damaged, or no state.
    """
    from errorbudget.live.state import State

    try:
        saved = as_path(path).read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise SourceUnavailableError(f"cannot read {path}: {error.strerror}") from None
    return State.from_bytes(saved)


class Keeper:
    """
    Keeps a tracker's state in a file: loads it, and saves it every so often.

    One process keeps one file. A forked child does not: its tracker begins empty, and saving it
    would throw away what the parent holds. Workers of one service share a budget through
    `live.shared`.

    Args:
        tracker: What to keep; what the file holds is added to it.
        path: The file.
        every: How long to wait between saves; a process that is killed loses no more than this and
            the time of one write.

    Attributes:
        ticker: The thread that saves, with its `failures`.

    Raises:
        SourceFormatError: The file is damaged; remove it to begin anew.
        SourceUnavailableError: The file cannot be read or written.
        InvalidInputError: The file counts other events than the tracker, or *path* is no path.
    """

    def __init__(
        self, tracker: Tracker, path: str | os.PathLike[str], every: DurationLike = "10s"
    ) -> None:
        check_tracker(tracker)
        self.tracker = tracker
        self.path = as_path(path)
        self.ticker = Ticker(self.save, every, f"errorbudget keeper of {self.path.name}")
        self._forked = False
        self._saving = threading.Lock()
        saved = load_state(self.path)
        for draft in self.path.parent.glob(f".{self.path.name}.*.part"):
            with suppress(OSError):  # left behind by a process that was killed
                draft.unlink()
        if saved is not None:
            tracker.resume(saved)
        self.save()  # here first: what cannot be written is known at the start
        forks.watch(self)
        self.ticker.start()

    def after_fork(self) -> None:
        """Leave the file to the parent; called by itself in a forked child."""
        self._forked = True

    def save(self) -> None:
        """
        Save now.

        Raises:
            SourceUnavailableError: The file cannot be written.
        """
        if self._forked:
            return
        with self._saving:  # the newest state is written last
            save_state(self.tracker.state(), self.path)

    def close(self) -> None:
        """Stop, and save a last time."""
        self.ticker.stop()
        self.save()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
