"""
Work that is done again and again beside the requests.

A daemon thread of its own: what it does may be slow or fail, and no request waits for it. A failure
is counted, logged, and forgotten by the next round. A fork waits for the round that is on its way,
so that no child is born in the middle of one.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from errorbudget.durations import SECOND_NS, DurationLike, parse_duration
from errorbudget.live import forks

__all__ = ["LOGGER", "Ticker"]

_PATIENCE_S = 10.0

LOGGER = logging.getLogger("errorbudget.live")


class Ticker:
    """
    Calls *work* every so often, in a thread of its own, until it is stopped.

    Args:
        work: What to do.
        every: How long to wait between one end and the next beginning.
        name: Name of the thread, also in the log.

    Attributes:
        failures: How often *work* raised.
        last_error: What it raised last, or None.
    """

    def __init__(self, work: Callable[[], object], every: DurationLike, name: str) -> None:
        self.failures = 0
        self.last_error: Exception | None = None
        self._work = work
        self._every_s = parse_duration(every) / SECOND_NS
        self._name = name
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None
        self._busy = threading.RLock()
        self._resting = False
        forks.pause(self)

    def before_fork(self) -> None:
        """Wait for the round that is on its way, and begin no other; called by itself."""
        self._resting = self._busy.acquire(timeout=_PATIENCE_S)

    def after_fork_in_parent(self) -> None:
        """Go on; called by itself."""
        if self._resting:
            self._busy.release()

    def after_fork(self) -> None:
        """Stand still in the child until it is started; called by itself."""
        self._busy = threading.RLock()
        self._thread = None

    @property
    def running(self) -> bool:
        """Whether its thread is alive in this process."""
        return self._thread is not None and self._thread.is_alive()

    def resume(self) -> None:
        """Begin in a forked child, unless it was stopped before."""
        if not self._stopped.is_set():
            self.start()

    def start(self) -> None:
        """Begin; a ticker that runs goes on."""
        if not self.running:
            self._stopped = threading.Event()
            self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
            self._thread.start()

    def stop(self, timeout_s: float | None = 5.0) -> None:
        """End, after the round that is on its way."""
        self._stopped.set()
        thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.join(timeout_s)

    def attempt(self) -> None:
        """Do the work once, now and here; a failure is counted and logged."""
        with self._busy:
            try:
                self._work()
            except Exception as error:
                self.failures += 1
                self.last_error = error
                LOGGER.warning("%s failed: %s", self._name, error, exc_info=True)

    def _run(self) -> None:
        stopped = self._stopped
        while not stopped.wait(self._every_s):
            self.attempt()
