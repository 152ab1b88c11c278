"""
What can be asked, and how an answer is put together: the half of a client that does no waiting.

`Client` and `AsyncClient` differ only in how they drive an `exchange`.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

from errorbudget.counters import Rules
from errorbudget.durations import DAY_NS, SECOND_NS, DurationLike, parse_duration
from errorbudget.errors import (
    ErrorBudgetError,
    InvalidInputError,
    SourceResponseError,
    SourceUnavailableError,
)
from errorbudget.sources.prometheus.answers import Answer, read_answer
from errorbudget.sources.prometheus.connection import Connection
from errorbudget.sources.prometheus.exchange import Exchange, Retry, exchange
from errorbudget.sources.prometheus.fetched import Fetched, Missing
from errorbudget.sources.prometheus.http import Response
from errorbudget.sources.prometheus.keep import Folder
from errorbudget.sources.prometheus.ranges import MAX_POINTS, Stretch, split_grid, split_span
from errorbudget.times import TimeLike, to_ns

__all__ = ["Question", "Questions", "assembled", "rules_of"]

_MS = 1_000_000
_POSTED = ("query", "query_range", "query_exemplars", "format_query", "series", "labels")
"""Pages of the API that may be asked by POST: /api/v1/...; all others know GET alone."""
_DAY_MS = DAY_NS // _MS


def to_ms(time_like: TimeLike) -> int:
    """An instant in the server's own resolution [ms UTC]; finer ones are cut."""
    return to_ns(time_like) // _MS


def seconds(ms: int) -> str:
    """An instant or a span as the API takes it: seconds, with three decimals at most."""
    whole, rest = divmod(abs(ms), 1000)
    sign = "-" if ms < 0 else ""
    return f"{sign}{whole}.{rest:03d}" if rest else f"{sign}{whole}"


def rules_of(version: str) -> Rules:
    """
    Which rules of extrapolation a server follows.

    Example:
        >>> rules_of("2.42.0"), rules_of("2.53.3"), rules_of("3.5.3+ds1")
        ('prom2.42', 'prom2.53', 'prom3')
    """
    import re

    found = re.match(r"v?(\d+)\.(\d+)", version)
    if not found:
        raise SourceResponseError(f'"{version}" is not the version of a Prometheus server')
    major, minor = int(found[1]), int(found[2])
    return "prom3" if major >= 3 else "prom2.53" if minor >= 51 else "prom2.42"


@dataclass(frozen=True, slots=True)
class Question:
    """One request: path, parameters, and the stretch that it is a piece of."""

    path: str
    params: Mapping[str, str]
    stretch: Stretch | None = None


class Questions:
    """
    What both clients know.

    Args:
        server: Address, or a `Connection` with credentials.
        timeout: For one attempt.
        deadline: For one call, all its pieces and retries together.
        retry: How often and how soon to try again.
        concurrency: How many requests may be under way at once.
        method: POST, or GET where a proxy takes nothing else.
        most_points: Points of a series in one answer.
        keep: Folder of pieces that came; what broke off goes on from there.
        clock: A clock that only goes forward [s].
        draw: Random numbers in [0, 1) that spread the retries.
    """

    def __init__(
        self,
        server: str | Connection,
        *,
        timeout: DurationLike = "1m",
        deadline: DurationLike = "5m",
        retry: Retry | None = None,
        concurrency: int = 4,
        method: str = "POST",
        most_points: int = MAX_POINTS,
        keep: str | Path | None = None,
        clock: Callable[[], float] = time.monotonic,
        draw: Callable[[], float] = random.random,
    ) -> None:
        if concurrency < 1:
            raise InvalidInputError(f"concurrency must be at least 1, got {concurrency}")
        if method not in {"GET", "POST"}:
            raise InvalidInputError(f'method must be "GET" or "POST", got {method!r}')
        self.connection = server if isinstance(server, Connection) else Connection(server)
        self.retry = retry or Retry()
        self.concurrency = concurrency
        self._timeout_s = parse_duration(timeout) / SECOND_NS
        self._deadline_s = parse_duration(deadline) / SECOND_NS
        self._method = method
        self._most_points = most_points
        self._folder = None if keep is None else Folder(keep, self.connection)
        self._clock = clock
        self._draw = draw
        self._until: float | None = None

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.connection.url!r})"

    def one_deadline(self) -> Self:
        """Let the deadline begin now, once for all further calls."""
        self._until = self._clock() + self._deadline_s
        return self

    def unasked(self, selector: str, *, start: TimeLike, end: TimeLike) -> Fetched:
        """The raw samples of a selector in (start, end], all still missing; to be resumed."""
        return self._whole(selector, start, end, None)

    def _deadline(self) -> float:
        return self._clock() + self._deadline_s if self._until is None else self._until

    def _exchange(self, question: Question, deadline: float) -> Exchange:
        plain = question.path.removeprefix("/api/v1/") not in _POSTED
        return exchange(
            self.connection,
            question.path,
            question.params,
            retry=self.retry,
            request_s=self._timeout_s,
            deadline=deadline,
            clock=self._clock,
            method="GET" if plain else self._method,
            draw=self._draw,
        )

    def _read(self, response: Response, question: Question) -> Answer:
        query = question.params.get("query")
        answer = read_answer(response, query=query, hide=self.connection.hidden)
        if self._folder and question.stretch and not answer.warnings:
            self._folder.put(question.path, question.params, question.stretch, response)
        return answer

    def _kept(self, question: Question) -> Answer | None:
        """The answer to a piece that came before."""
        if self._folder is None or question.stretch is None:
            return None
        kept = self._folder.get(question.path, question.params)
        return None if kept is None else read_answer(kept, query=question.params.get("query"))

    def _instant(self, query: str, at: TimeLike) -> Question:
        return Question("/api/v1/query", {"query": query, "time": seconds(to_ms(at))})

    def _whole(
        self, query: str, start: TimeLike, end: TimeLike, step: DurationLike | None
    ) -> Fetched:
        """An answer of which everything is still missing."""
        stretch = Stretch(to_ms(start), to_ms(end))
        if step is None:
            return _missing(Fetched(query, stretch, None), split_span(*stretch.ends, _DAY_MS))
        step_ms, rest = divmod(parse_duration(step), _MS)
        if rest:
            raise InvalidInputError(f"a step is whole milliseconds, got {step!r}")
        pieces = split_grid(*stretch.ends, step_ms, self._most_points)
        return _missing(Fetched(query, stretch, step_ms), pieces)

    def _questions(self, wholes: Iterable[Fetched]) -> list[Question]:
        """What is missing of each."""
        return [self._question(whole, one.stretch) for whole in wholes for one in whole.missing]

    def _question(self, fetched: Fetched, piece: Stretch) -> Question:
        if fetched.step_ms is None:
            # A range selector in an instant query is the one way to raw samples and their own
            # times.
            length = piece.end_ms - piece.start_ms
            query = f"{fetched.query}[{length}ms]"
            params = {"query": query, "time": seconds(piece.end_ms)}
            return Question("/api/v1/query", params, piece)
        params = {
            "query": fetched.query,
            "start": seconds(piece.start_ms),
            "end": seconds(piece.end_ms),
            "step": seconds(fetched.step_ms),
        }
        return Question("/api/v1/query_range", params, piece)


def assembled(
    wholes: Iterable[Fetched], outcomes: Iterable[Answer | ErrorBudgetError]
) -> list[Fetched]:
    """Each with the outcomes of what was missing of it, in the order of the questions."""
    left = iter(outcomes)
    return [
        replace(whole, missing=()).with_answers(
            [(one.stretch, next(left)) for one in whole.missing]
        )
        for whole in wholes
    ]


def _missing(fetched: Fetched, pieces: Iterable[Stretch]) -> Fetched:
    error = SourceUnavailableError("not asked for yet")
    return replace(fetched, missing=tuple(Missing(piece, error) for piece in pieces))
