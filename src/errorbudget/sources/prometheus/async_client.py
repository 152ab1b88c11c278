"""The client for asyncio: the same questions, decisions and answers as `Client`."""

from __future__ import annotations

import asyncio
import inspect
import random
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

from errorbudget.counters import Rules
from errorbudget.durations import DurationLike
from errorbudget.errors import ErrorBudgetError, SourceUnavailableError
from errorbudget.sources.prometheus.answers import Answer
from errorbudget.sources.prometheus.connection import Connection
from errorbudget.sources.prometheus.exchange import Retry, Wait
from errorbudget.sources.prometheus.fetched import Fetched
from errorbudget.sources.prometheus.http import (
    AsyncHttpTransport,
    AsyncTransport,
    Request,
    Response,
    Transport,
)
from errorbudget.sources.prometheus.questions import Question, Questions, assembled, rules_of
from errorbudget.sources.prometheus.ranges import MAX_POINTS
from errorbudget.times import TimeLike

__all__ = ["AsyncClient"]


class AsyncClient(Questions):
    """
    `Client` for asyncio; arguments as there.

    Args:
        server: Address, or a `Connection` with credentials.
        timeout: For one attempt.
        deadline: For one call, all its pieces and retries together.
        retry: How often and how soon to try again.
        concurrency: How many requests may be under way at once.
        method: POST, or GET where a proxy takes nothing else.
        most_points: Points of a series in one answer.
        keep: Folder of pieces that came; what broke off goes on from there, in any process.
        transport: From `Request` to `Response` or an awaitable of one; a plain function runs in a
        thread. clock: A clock that only goes forward [s].
        sleep: Waits [s].
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
        transport: AsyncTransport | Transport | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        draw: Callable[[], float] = random.random,
    ) -> None:
        super().__init__(
            server,
            timeout=timeout,
            deadline=deadline,
            retry=retry,
            concurrency=concurrency,
            method=method,
            most_points=most_points,
            keep=keep,
            clock=clock,
            draw=draw,
        )
        self._transport: Any = transport
        self._own: AsyncHttpTransport | None = None
        self._sleep = sleep

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections that this client opened."""
        if self._own is not None:
            await self._own.close()
            self._own = self._transport = None

    async def query(self, query: str, *, at: TimeLike) -> Answer:
        """The answer at one instant; see `Client.query`."""
        return await self._one(self._instant(query, at))

    async def ask(self, path: str, params: Mapping[str, str]) -> Answer:
        """Any page of the API; see `Client.ask`."""
        return await self._one(Question(path, params))

    async def query_range(
        self, query: str, *, start: TimeLike, end: TimeLike, step: DurationLike
    ) -> Fetched:
        """The answers on a grid of any length; see `Client.query_range`."""
        return await self.resume(self._whole(query, start, end, step))

    async def samples(self, selector: str, *, start: TimeLike, end: TimeLike) -> Fetched:
        """The raw samples of a selector in (start, end]; see `Client.samples`."""
        return await self.resume(self.unasked(selector, start=start, end=end))

    async def resume(self, fetched: Fetched) -> Fetched:
        """The same with what is missing asked for again."""
        return (await self.resume_all([fetched]))[0]

    async def resume_all(self, wholes: Sequence[Fetched]) -> list[Fetched]:
        """Several of these together, under one deadline."""
        return assembled(wholes, await self._all(self._questions(wholes)))

    async def version(self) -> str:
        """The version that the server says it has."""
        data = (await self._one(Question("/api/v1/status/buildinfo", {}))).data
        return str(data["version"]) if isinstance(data, dict) and "version" in data else ""

    async def rules(self) -> Rules:
        """Which rules of extrapolation the server follows, by its version."""
        return rules_of(await self.version())

    def _transported(self) -> Any:
        if self._transport is None:
            self._transport = self._own = AsyncHttpTransport(self.connection.tls)
        return self._transport

    async def _send(self, request: Request) -> Response:
        transport = self._transported()
        if inspect.isfunction(transport) and not inspect.iscoroutinefunction(transport):
            found = await asyncio.to_thread(transport, request)
        else:
            found = transport(request)
        response: Response = await found if inspect.isawaitable(found) else found
        return response

    async def _done(self, wanted: Request | Wait) -> Response | Exception | None:
        if isinstance(wanted, Wait):
            await self._sleep(wanted.seconds)
            return None
        try:
            return await asyncio.wait_for(self._send(wanted), wanted.timeout_s)
        except (OSError, ErrorBudgetError) as error:
            return error

    async def _drive(self, question: Question, deadline: float) -> Answer:
        kept = self._kept(question)
        if kept is not None:
            return kept
        steps = self._exchange(question, deadline)
        outcome: Any = None
        while True:
            try:
                wanted = steps.send(outcome)
            except StopIteration as done:
                return self._read(done.value, question)
            outcome = await self._done(wanted)

    async def _one(self, question: Question) -> Answer:
        [outcome] = await self._all([question])
        if isinstance(outcome, ErrorBudgetError):
            raise outcome
        return outcome

    async def _all(self, questions: Sequence[Question]) -> list[Answer | ErrorBudgetError]:
        self._transported()
        deadline = self._deadline()
        free = asyncio.Semaphore(self.concurrency)

        async def answered(question: Question) -> Answer | ErrorBudgetError:
            try:
                async with free, asyncio.timeout(max(0.0, deadline - self._clock()) + 0.05):
                    return await self._drive(question, deadline)
            except ErrorBudgetError as error:
                return error
            except TimeoutError:
                return SourceUnavailableError(
                    f"{self.connection.url} did not answer before the deadline"
                )

        return list(await asyncio.gather(*map(answered, questions)))
