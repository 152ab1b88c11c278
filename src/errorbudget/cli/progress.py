"""A progress bar that appears on a terminal when something takes longer than a second."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

from errorbudget.cli.outputs import is_terminal

__all__ = ["Meter", "meter"]

PATIENCE_S = 1.0


class Meter:
    """
    Told how far something is; draws only when it is slow and somebody watches.

    Args:
        what: What is being done, as "reading".
        unit: "bytes", or what else is counted.
        enabled: Whether to draw at all.
    """

    def __init__(self, what: str, unit: str, *, enabled: bool) -> None:
        self._what, self._unit, self._enabled = what, unit, enabled
        self._began = time.monotonic()
        self._bar: Progress | None = None
        self._task: TaskID | None = None

    def __call__(self, done: int, total: int | None) -> None:
        """*done* of *total* is behind us; None is an unknown total."""
        if not self._enabled or time.monotonic() - self._began < PATIENCE_S:
            return
        if self._bar is None or self._task is None:
            self._start(total)
        if self._bar is not None and self._task is not None:
            self._bar.update(self._task, completed=done, total=total)

    def _start(self, total: int | None) -> None:
        from rich import progress
        from rich.console import Console

        amount = (
            progress.DownloadColumn() if self._unit == "bytes" else progress.MofNCompleteColumn()
        )
        self._bar = progress.Progress(
            progress.TextColumn("{task.description}"),
            progress.BarColumn(),
            amount,
            progress.TimeRemainingColumn(compact=True),
            console=Console(stderr=True),
            transient=True,
        )
        self._task = self._bar.add_task(self._what, total=total)
        self._bar.start()

    def stop(self) -> None:
        """Take the bar away."""
        if self._bar is not None:
            self._bar.stop()


@contextmanager
def meter(what: str, unit: str = "bytes", *, enabled: bool = True) -> Iterator[Meter]:
    """A `Meter` that is taken away at the end, whatever happens; silent unless on a terminal."""
    found = Meter(what, unit, enabled=enabled and is_terminal(sys.stderr))
    try:
        yield found
    finally:
        found.stop()
