"""`errorbudget report --watch`: the report again and again, over a log that is being written."""

from __future__ import annotations

import io
import signal
import sys
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import click

from errorbudget.cli import OK
from errorbudget.cli.outputs import is_terminal
from errorbudget.errors import ErrorBudgetError, NoDataError

if TYPE_CHECKING:
    from errorbudget.events import Events
    from errorbudget.report.document import Document

__all__ = ["watch"]

_AT_MOST_BUSY = 0.5
_SPARE = 20
"""Kept beyond what a window reaches: one in so many parts of it, so that its start was seen."""


class _Followed:
    """Reads logs as they grow, in the place of `inputs.read`."""

    def __init__(self) -> None:
        self._logs: list[Any] = []
        self._events: Events | None = None

    @property
    def lost(self) -> str:
        """What could not be read, in words; empty where all was."""
        lines = sum(log.lost_lines for log in self._logs)
        return f"{lines:,} lines could not be read" if lines else ""

    def __call__(
        self, options: Mapping[str, Any], *, labels: Any, values: Any, at: int | None
    ) -> Events:
        from errorbudget.cli.inputs import read
        from errorbudget.sources.following import FollowedLog, joined

        def piece(file: Any, unit: str | None) -> Events:
            given = options["duration_unit"] or unit
            own = {**options, "files": (file,), "duration_unit": given, "no_progress": True}
            return read(own, labels=labels, values=values, at=at)

        if not self._logs:
            if not options["files"]:
                raise click.UsageError("no files: name the log to watch, such as access.log")
            if "-" in options["files"]:
                raise click.UsageError("--watch follows files; standard input (-) is read once")
            self._logs = [FollowedLog(path, piece) for path in options["files"]]
        came = [events for log in self._logs for events in log.more()]
        if came:
            self._events = joined(came if self._events is None else [self._events, *came])
        if self._events is None:
            raise NoDataError("waiting for the first request")
        return self._events

    def close(self) -> None:
        """Let go of the files."""
        for log in self._logs:
            log.close()

    def forget(self, start_ns: int, at_ns: int) -> None:
        """Let go of events that no window reaches any more, once they are worth the copying."""
        events = self._events
        if events is None or not len(events):
            return
        old = events.time < start_ns - (at_ns - start_ns) // _SPARE
        if int(old.sum()) * _SPARE > len(events):
            self._events = events.take(~old)


def watch(options: Mapping[str, Any], *, every: str, title: str) -> int:
    """
    Show the report until Ctrl-C, which ends it without a complaint.

    On a terminal the screen is drawn anew; into a pipe goes a summary whenever the figures change.
    """
    from errorbudget.cli.inputs import gathered
    from errorbudget.cli.prometheus_options import earliest
    from errorbudget.durations import parse_duration
    from errorbudget.report.document import document

    pause_s = parse_duration(every) / 1e9
    reader = _Followed()
    command = click.get_current_context().command

    def look() -> Document:
        # What a look opens is closed at its end, not at the end of the day.
        with click.Context(command) as context:
            context.params = dict(options)
            found = gathered({**options, "no_progress": True}, shown=True, reader=reader)
        shown = document(
            found.slos, found.events, at=found.at, defaults=found.defaults, title=title
        )
        at_ns = shown.report.at_ns
        reader.forget(min(earliest(slo, at_ns) for slo in found.slos), at_ns)
        return shown

    def leave(*_: Any) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, leave)
    try:
        if is_terminal(sys.stdout):
            _on_terminal(look, pause_s, lambda: reader.lost)
        else:
            _into_pipe(look, pause_s)
    except KeyboardInterrupt:
        return OK
    finally:
        signal.signal(signal.SIGTERM, before)
        reader.close()
    return OK


def _rest(pause_s: float, began: float) -> None:
    """Wait, and never be busy for more than half of the time."""
    took = time.monotonic() - began
    time.sleep(max(pause_s - took, took * (1 / _AT_MOST_BUSY - 1), 0.05))


def _looked(look: Callable[[], Document], first: bool) -> tuple[Document | None, str]:
    """The document, or why there is none now; the first look must succeed or have no data."""
    try:
        return look(), ""
    except NoDataError as error:
        return None, str(error)
    except ErrorBudgetError as error:
        if first:
            raise
        return None, str(error)


def _on_terminal(look: Callable[[], Document], pause_s: float, doubt: Callable[[], str]) -> None:
    from rich.console import Console
    from rich.live import Live
    from rich.text import Text

    from errorbudget.cli.screen import brief_screen

    # Once before the screen is taken: a wrong question is answered as usual.
    began = time.monotonic()
    found, trouble = _looked(look, first=True)
    with Live(
        console=Console(markup=False, emoji=False, highlight=False),
        screen=True,
        auto_refresh=False,
        vertical_overflow="crop",
    ) as live:
        shown = found
        while True:
            shown = found or shown
            # What fits is drawn whole: the document's own text, line by line.
            lines = [] if shown is None else brief_screen(shown).splitlines()
            clock = time.strftime("%H:%M:%S")
            parts = [f"{clock}  every {pause_s:g} s, Ctrl-C ends", trouble, doubt()]
            status = "; ".join(part for part in parts if part)
            height = max(2, live.console.height)
            kept = lines[: height - 2] if len(lines) > height - 1 else lines
            if len(kept) < len(lines):
                kept.append(f"and {len(lines) - len(kept)} more lines; make the window higher")
            text = Text.from_ansi("\n".join([status, *kept]), no_wrap=True)
            live.update(text, refresh=True)
            _rest(pause_s, began)
            began = time.monotonic()
            found, trouble = _looked(look, first=False)


def _into_pipe(look: Callable[[], Document], pause_s: float) -> None:
    from errorbudget.cli.screen import brief_screen

    said, first = "", True
    while True:
        began = time.monotonic()
        found, trouble = _looked(look, first)
        text = f"{trouble}\n" if found is None else brief_screen(found)
        if text != said:
            said, first = text, False
            click.echo(text)
            if isinstance(sys.stdout, io.TextIOBase):
                sys.stdout.flush()
        first = False
        _rest(pause_s, began)
