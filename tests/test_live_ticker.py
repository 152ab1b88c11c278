"""Work beside the requests: begun, ended, and at rest while a process forks."""

from __future__ import annotations

import threading
from weakref import WeakValueDictionary

import pytest

from errorbudget.live import forks, ticker
from errorbudget.live.ticker import Ticker


def made(work: object = None) -> Ticker:
    return Ticker(work or (lambda: None), "1h", "test ticker")  # type: ignore[arg-type]


def test_it_runs_in_one_thread_until_it_is_stopped() -> None:
    """A daemon with its name; started twice it is one, stopped it begins no more in a child."""
    one = made()
    assert (one.running, one.failures, one.last_error) == (False, 0, None)
    assert one._every_s == 3_600
    one.stop()
    one.start()
    thread = one._thread
    assert thread is not None
    assert (thread.name, thread.daemon) == ("test ticker", True)
    one.start()
    assert one._thread is thread
    assert one.running
    one.stop()
    assert not one.running
    one.resume()
    assert not one.running
    one.start()
    assert one.running
    one.after_fork()
    assert not one.running
    one.resume()
    assert one.running
    one.stop()


def test_what_it_does_may_stop_it() -> None:
    """Its own thread is not waited for."""
    done = threading.Event()

    def work() -> None:
        one.stop()
        done.set()

    one = Ticker(work, "1ms", "test ticker")
    one.start()
    assert done.wait(5)
    thread = one._thread
    assert thread is not None
    thread.join(5)
    assert (one.running, one.failures) == (False, 0)


def test_how_long_a_stop_waits() -> None:
    """Five seconds for the round that is on its way, unless told otherwise."""
    waited: list[float | None] = []

    class Slow(threading.Thread):
        def join(self, timeout: float | None = None) -> None:
            waited.append(timeout)

    one = made()
    one._thread = Slow()
    one.stop()
    one.stop(0.5)
    one.stop(None)
    assert waited == [5.0, 0.5, None]


def test_a_failure_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    """With what was raised; it is counted each time."""

    def work() -> None:
        raise RuntimeError("disk on fire")

    one = made(work)
    for failures in (1, 2):
        one.attempt()
        assert one.failures == failures
    record = caplog.records[-1]
    assert record.getMessage() == "test ticker failed: disk on fire"
    assert record.exc_info is not None
    assert record.exc_info[1] is one.last_error


def test_a_fork_waits_for_a_round_but_not_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    """While a process forks no round begins; one that takes too long is not waited for."""
    monkeypatch.setattr(ticker, "_PATIENCE_S", 0.01)
    one = made()
    one.after_fork_in_parent()  # nothing rests yet
    begun, leave, ended = threading.Event(), threading.Event(), threading.Event()

    def round_of(inside: threading.Event) -> None:
        with one._busy:
            inside.set()
            leave.wait(2)

    one.before_fork()
    other = threading.Thread(target=round_of, args=(begun,))
    other.start()
    assert not begun.wait(0.02)
    one.after_fork_in_parent()
    assert begun.wait(5)
    one.before_fork()
    assert other.is_alive()  # in its round
    one.after_fork_in_parent()
    leave.set()
    other.join(5)
    other = threading.Thread(target=round_of, args=(ended,))
    other.start()
    assert ended.wait(5)
    other.join(5)


def test_who_is_told_of_a_fork(monkeypatch: pytest.MonkeyPatch) -> None:
    """In the order in which they were made, as long as something else holds them."""
    told: list[tuple[str, str]] = []

    class Thing:
        def __init__(self, name: str) -> None:
            self.name = name

        def before_fork(self) -> None:
            told.append((self.name, "before"))

        def after_fork_in_parent(self) -> None:
            told.append((self.name, "parent"))

        def after_fork(self) -> None:
            told.append((self.name, "child"))

    monkeypatch.setattr(forks, "_watched", WeakValueDictionary())
    monkeypatch.setattr(forks, "_paused", WeakValueDictionary())
    first, second, third = (Thing(name) for name in "abc")
    forks.watch(first)
    forks.pause(second)
    forks.watch(third)
    del third
    forks._rest()
    forks._go_on()
    forks._begin_anew()
    assert told == [("b", "before"), ("b", "parent"), ("a", "child"), ("b", "child")]
    one = made()
    assert [*forks._paused.values()] == [second, one]
