"""A blocking client: a few threads fetch, and the caller never waits past the deadline."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Any, Self

from errorbudget.counters import Rules
from errorbudget.durations import DurationLike
from errorbudget.errors import ErrorBudgetError, SourceUnavailableError
from errorbudget.sources.prometheus.answers import Answer
from errorbudget.sources.prometheus.connection import Connection
from errorbudget.sources.prometheus.exchange import Retry, Wait
from errorbudget.sources.prometheus.fetched import Fetched
from errorbudget.sources.prometheus.http import HttpTransport, Request, Response, Transport
from errorbudget.sources.prometheus.questions import Question, Questions, assembled, rules_of
from errorbudget.sources.prometheus.ranges import MAX_POINTS
from errorbudget.times import TimeLike

__all__ = ["Client"]


class Client(Questions):
    """
    Asks a server that speaks Prometheus' HTTP API.

    Args:
        server: Address, or a `Connection` with credentials.
        timeout: For one attempt.
        deadline: For one call, all its pieces and retries together; nothing waits longer.
        retry: How often and how soon to try again.
        concurrency: How many requests may be under way at once.
        method: POST, or GET where a proxy takes nothing else.
        most_points: Points of a series in one answer.
        keep: Folder of pieces that came; what broke off goes on from there, in any process.
        transport: Anything from `Request` to `Response`; by default real connections.
        clock: A clock that only goes forward [s].
        sleep: Waits [s].
        draw: Random numbers in [0, 1) that spread the retries.

    Example:
        >>> body = b'{"status":"success","data":{"resultType":"scalar","result":[0,"42"]}}'
        >>> client = Client("http://127.0.0.1:9090", transport=lambda _: Response(200, body=body))
        >>> client.query("42", at="1970-01-01T00:00:00Z").only()
        42.0
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
        transport: Transport | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
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
        self._transport = transport
        self._own: HttpTransport | None = None
        self._sleep = sleep

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections that this client opened."""
        if self._own is not None:
            self._own.close()
            self._own = self._transport = None

    def query(self, query: str, *, at: TimeLike) -> Answer:
        """
        The answer at one instant.

        Args:
            query: PromQL.
            at: The instant.

        Raises:
            SourceUnavailableError: The server does not answer in time.
            SourceResponseError: It answers with an error.
        """
        return self._one(self._instant(query, at))

    def ask(self, path: str, params: Mapping[str, str]) -> Answer:
        """Any page of the API, such as `/api/v1/rules`, with the server's own parameters."""
        return self._one(Question(path, params))

    def query_range(
        self, query: str, *, start: TimeLike, end: TimeLike, step: DurationLike
    ) -> Fetched:
        """
        The answers on a grid, of any length, both ends included.

        Args:
            query: PromQL.
            start: First instant.
            end: Last instant.
            step: Distance of the instants.

        Returns:
            What came and what did not: a piece that fails does not take the others with it.
        """
        return self.resume(self._whole(query, start, end, step))

    def samples(self, selector: str, *, start: TimeLike, end: TimeLike) -> Fetched:
        """
        The raw samples of a selector in (start, end], with their own times, a day per request.

        Args:
            selector: A selector without a range, such as `http_requests_total{job="api"}`.
            start: Where to begin.
            end: Where to end.
        """
        return self.resume(self.unasked(selector, start=start, end=end))

    def resume(self, fetched: Fetched) -> Fetched:
        """The same with what is missing asked for again; what came is kept."""
        return self.resume_all([fetched])[0]

    def resume_all(self, wholes: Sequence[Fetched]) -> list[Fetched]:
        """Several of these together, under one deadline."""
        return assembled(wholes, self._all(self._questions(wholes)))

    def version(self) -> str:
        """The version that the server says it has, such as "2.53.3"."""
        data = self._one(Question("/api/v1/status/buildinfo", {})).data
        return str(data["version"]) if isinstance(data, dict) and "version" in data else ""

    def rules(self) -> Rules:
        """Which rules of extrapolation the server follows, by its version."""
        return rules_of(self.version())

    def _transported(self) -> Transport:
        if self._transport is None:
            self._transport = self._own = HttpTransport(self.connection.tls)
        return self._transport

    def _drive(self, question: Question, deadline: float) -> Answer:
        kept = self._kept(question)
        if kept is not None:
            return kept
        transport = self._transported()
        steps = self._exchange(question, deadline)
        outcome: Any = None
        while True:
            try:
                wanted = steps.send(outcome)
            except StopIteration as done:
                return self._read(done.value, question)
            outcome = self._done(transport, wanted)

    def _done(self, transport: Transport, wanted: Request | Wait) -> Response | Exception | None:
        if isinstance(wanted, Wait):
            self._sleep(wanted.seconds)
            return None
        try:
            return transport(wanted)
        except (OSError, ErrorBudgetError) as error:
            return error

    def _one(self, question: Question) -> Answer:
        [outcome] = self._all([question])
        if isinstance(outcome, ErrorBudgetError):
            raise outcome
        return outcome

    def _all(self, questions: Sequence[Question]) -> list[Answer | ErrorBudgetError]:
        """Every question's answer or error, in order, before the deadline."""
        if not questions:
            return []
        self._transported()  # what is not installed is said here, not by a thread
        deadline = self._deadline()
        # The caller waits on threads, not on sockets: one that hangs is left behind at the
        # deadline. A pool's threads would hold up the end of the process; daemons do not.
        futures: list[Future[Answer]] = [Future() for _ in questions]
        waiting: SimpleQueue[tuple[Future[Answer], Question]] = SimpleQueue()
        for pair in zip(futures, questions, strict=True):
            waiting.put(pair)
        for _ in range(min(self.concurrency, len(questions))):
            Thread(
                target=self._work,
                args=(waiting, deadline),
                name="errorbudget-prometheus",
                daemon=True,
            ).start()
        try:
            return [self._outcome(future, deadline) for future in futures]
        finally:
            for future in futures:
                future.cancel()

    def _work(self, waiting: SimpleQueue[tuple[Future[Answer], Question]], deadline: float) -> None:
        """Answer questions until none waits."""
        while True:
            try:
                future, question = waiting.get_nowait()
            except Empty:
                return
            if not future.set_running_or_notify_cancel():
                continue
            try:
                future.set_result(self._drive(question, deadline))
            except BaseException as error:  # noqa: BLE001 - the caller gets it, whatever it is
                future.set_exception(error)

    def _outcome(self, future: Future[Answer], deadline: float) -> Answer | ErrorBudgetError:
        try:
            return future.result(timeout=max(0.0, deadline - self._clock()) + 0.05)
        except ErrorBudgetError as error:
            return error
        except FutureTimeoutError:
            future.cancel()
            return SourceUnavailableError(
                f"{self.connection.url} did not answer before the deadline"
            )
