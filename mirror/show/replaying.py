"""The eyes of a show that plays recorded or synthetic sitters.

In: sitters in order of time. Out: glances, none passed over, so that a replay is exact. The show's
thread.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from typing import Optional

from mirror.clock import Clock
from mirror.latents.visitors import Reading
from mirror.show.ahead import Ahead, Attending, Read, Source
from mirror.show.glances import Glance
from mirror.signals import Sitters

#: The sitters of a moment, and what is read in them where that was done before.
Seen = tuple[Optional[Sitters], Optional[Sequence[Optional[Reading]]]]
#: Most sitters given at once. On a machine that had fallen behind a fast session by minutes, all
#: that were due took 150 MB, which the system never got back.
MOST_DUE = 1000
#: After the last of a recording.
END: Seen = (None, None)


class SessionEyes:
    """Recorded or synthetic sitters, each given when the clock has reached its time."""

    def __init__(self, source: Source, clock: Clock) -> None:
        """source: makes sitters in order of time, from 0 s on."""
        self._source, self._clock = source, clock
        self._start_s = clock.now_s()
        self._told: Iterator[Seen] = ((each, None) for each in source())
        self._given = 1
        self._ahead: Ahead | None = None
        self._next: Sitters | None
        self._next, self._readings = next(self._told, END)
        self._here: tuple[int, ...] = ()
        self._paused = self._missed = False
        self.ended = self._next is None
        self.origin_s: float | None = 0.0
        self.last_s = 0.0  # the session's time of the sitters given last

    @property
    def state(self) -> str:
        """No camera: a session."""
        return "paused" if self._paused else "session"

    def glances(self, timeout_s: float) -> list[Glance]:
        """The sitters whose time has come; none is passed over, so that a replay is exact. If
        they are very many, the rest comes after the next picture."""
        now_s = self._clock.now_s()
        due: list[Glance] = []
        while self._is_due(now_s) and len(due) < MOST_DUE:
            assert self._next is not None
            seen = self._seen(self._next)
            due.append(Glance(seen, now_s, self._readings if seen.sitters else None))
            self._here, self.last_s = tuple(each.id for each in seen.sitters), seen.time_s
            self._next, self._readings = next(self._told, END)
            self._given += 1
        if self.ended and self._here:  # a recording that was cut: nobody is there for the rest
            due.append(Glance(Sitters(now_s - self._start_s, left=self._here), now_s))
            self._here = ()
        self.ended = self._next is None
        if not due:
            self._clock.sleep_s(min(timeout_s, self._until_next_s(now_s)))
        return due

    def read_ahead(self, read: Read, attending: Attending) -> None:
        """From now on let a process decode and read the sitters still to come, see ``ahead``."""
        self._told = self._ahead = Ahead(self._source, read, attending, self._given)

    def _seen(self, sitters: Sitters) -> Sitters:
        """What is told of recorded sitters: while paused, nobody is there. Afterwards whoever came
        meanwhile arrives, and whoever was told to have left does not leave once more."""
        if self._paused:
            self._missed = True
            return Sitters(sitters.time_s, left=self._here)
        if not self._missed:
            return sitters
        here = {sitter.id for sitter in sitters.sitters}
        self._missed = False
        return dataclasses.replace(
            sitters,
            arrived=tuple(sorted(here - set(self._here))),
            left=tuple(id for id in self._here if id not in here),
        )

    def _is_due(self, now_s: float) -> bool:
        return self._next is not None and self._start_s + self._next.time_s <= now_s + 1e-9

    def _until_next_s(self, now_s: float) -> float:
        if self._next is None:
            return float("inf")
        return max(0.0, self._start_s + self._next.time_s - now_s)

    @property
    def next_s(self) -> float:
        """The session's time of the sitters still to be given; infinite after the last."""
        return self._next.time_s if self._next is not None else float("inf")

    def begin(self, now_s: float) -> None:
        """The session's time 0 is now."""
        self._start_s = now_s

    def delay(self, seconds: float) -> None:
        """Everything that is still to come comes so much later."""
        self._start_s += seconds

    def pause(self, paused: bool) -> None:
        """Show nobody, or go on."""
        self._paused = paused

    def faults(self) -> dict[str, int]:
        """A recording has no faults of its own."""
        return {}

    def close(self) -> None:
        """End the process that reads ahead."""
        if self._ahead is not None:
            self._ahead.close()
