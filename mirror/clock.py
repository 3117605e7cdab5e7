"""The only module that asks the computer what time it is.

Everything else is handed a ``Clock`` or a time. Logic runs on the monotonic clock: it never
jumps when somebody sets the computer's time.
"""

from __future__ import annotations

import datetime
import time
from typing import Protocol


class Clock(Protocol):
    """Where the time comes from: the computer, a film's own time, or a test."""

    def now_s(self) -> float:
        """Seconds since an arbitrary start; never goes backwards."""
        ...

    def sleep_s(self, seconds: float) -> None:
        """Let so many seconds pass."""
        ...


class MonotonicClock:
    """The computer's own monotonic clock."""

    def now_s(self) -> float:
        """Seconds since an arbitrary start."""
        return time.monotonic()

    def sleep_s(self, seconds: float) -> None:
        """Sleep; a negative or zero time returns at once."""
        if seconds > 0:
            time.sleep(seconds)


class PacedClock:
    """The computer's monotonic clock, so many times faster."""

    def __init__(self, speed: float) -> None:
        self._speed = speed

    def now_s(self) -> float:
        """Seconds since an arbitrary start, as this clock counts them."""
        return time.monotonic() * self._speed

    def sleep_s(self, seconds: float) -> None:
        """Sleep for so many of this clock's seconds."""
        if seconds > 0:
            time.sleep(seconds / self._speed)


class SteppedClock:
    """A clock that moves only when told: for films drawn frame by frame, and for tests."""

    def __init__(self, start_s: float = 0.0) -> None:
        self._now_s = start_s

    def now_s(self) -> float:
        """The time reached so far, in seconds."""
        return self._now_s

    def sleep_s(self, seconds: float) -> None:
        """Move the clock forward by so many seconds."""
        self._now_s += max(0.0, seconds)

    def set_s(self, now_s: float) -> None:
        """Move the clock to a time; it never goes backwards."""
        self._now_s = max(self._now_s, now_s)


def utc_now() -> datetime.datetime:
    """Wall-clock time, for names and cards only; never for logic."""
    return datetime.datetime.now(datetime.timezone.utc)


def local_now() -> datetime.datetime:
    """Wall-clock time where the piece hangs, for opening hours only; a changed time zone counts."""
    if hasattr(time, "tzset"):
        time.tzset()
    return datetime.datetime.fromtimestamp(time.time())


def precise_s() -> float:
    """The finest timer, for measuring how long a stage took."""
    return time.perf_counter()
