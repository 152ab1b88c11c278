"""
What time it is, for those who may ask.

A tracker reads a clock, and nothing else in the library does. The clock is a function that returns
nanoseconds since the epoch: `time.time_ns`, or for tests and replays a `ManualClock`. What a
tracker makes of it is a `Present`, which never goes back.
"""

from __future__ import annotations

from collections.abc import Callable

from errorbudget.durations import DAY_NS, DurationLike, parse_duration
from errorbudget.errors import InvalidInputError
from errorbudget.times import TimeLike, format_time, to_ns

__all__ = ["Clock", "ManualClock", "Present", "check_clock"]

Clock = Callable[[], int]
"""Nanoseconds since the epoch, UTC."""


def check_clock(clock: Clock) -> None:
    """
    Refuse what does not tell the time as a clock does.

    Raises:
        InvalidInputError: It cannot be called, or returns something else.
    """
    if not callable(clock):
        raise InvalidInputError(
            f"a clock is a function that returns nanoseconds since the epoch, got {clock!r}; "
            'give time.time_ns, or ManualClock("2026-03-01T12:00Z")'
        )
    told = clock()
    if type(told) is not int:
        raise InvalidInputError(
            f"a clock returns whole nanoseconds since the epoch, got {told!r} from {clock!r}; "
            "time.time_ns does"
        )


class ManualClock:
    """
    A clock that stands still until it is moved.

    Args:
        now: Where it stands.

    Example:
        >>> clock = ManualClock("2026-03-01T12:00:00Z")
        >>> clock.advance("90s")
        >>> clock
        ManualClock("2026-03-01T12:01:30Z")
    """

    __slots__ = ("now_ns",)

    def __init__(self, now: TimeLike) -> None:
        self.now_ns = to_ns(now)

    def __call__(self) -> int:
        return self.now_ns

    def advance(self, by: DurationLike) -> None:
        """Move forward by a duration."""
        self.now_ns += parse_duration(by)

    def set(self, now: TimeLike) -> None:
        """Step to another instant, forward or back."""
        self.now_ns = to_ns(now)

    def __repr__(self) -> str:
        return f'ManualClock("{format_time(self.now_ns)}")'


class Present:
    """
    A tracker's present: what the clock says, except that it does not go back.

    When the clock falls back, the present goes on at half speed until the clock has caught up: no
    event changes its bucket, windows go on sliding, and in the end both agree again. A clock that
    falls back by more than a day was plainly wrong before, and is believed at once.

    Args:
        clock_ns: What the clock says [ns].

    Attributes:
        now_ns: The present [ns].
        clock_ns: What the clock said last [ns].

    Example:
        >>> present = Present(1_000)
        >>> present.observe(400), present.observe(600), present.observe(1_600), present.ahead_ns
        (1000, 1100, 1600, 0)
    """

    __slots__ = ("clock_ns", "now_ns")

    MOST_AHEAD_NS = DAY_NS

    def __init__(self, clock_ns: int) -> None:
        self.now_ns = self.clock_ns = clock_ns

    @property
    def ahead_ns(self) -> int:
        """How far the present is ahead of the clock [ns, >= 0]."""
        return self.now_ns - self.clock_ns

    def observe(self, clock_ns: int) -> int:
        """The present, now that the clock says *clock_ns*."""
        now_ns = self.now_ns
        passed = clock_ns - self.clock_ns
        self.clock_ns = clock_ns
        if passed > 0:
            now_ns += passed >> 1
        if not 0 <= now_ns - clock_ns <= self.MOST_AHEAD_NS:
            now_ns = clock_ns
        self.now_ns = now_ns
        return now_ns

    def go_on_from(self, now_ns: int) -> None:
        """Do not lie before *now_ns*, unless that is too far ahead to be true."""
        if self.now_ns < now_ns <= self.clock_ns + self.MOST_AHEAD_NS:
            self.now_ns = now_ns

    def clock_at(self, now_ns: int) -> int:
        """What the clock will say when the present, which lies before it, is *now_ns*."""
        return min(now_ns, self.clock_ns + 2 * (now_ns - self.now_ns))
