"""Painting in its own thread: the newest request wins, and slow paint never delays movement.

In: jobs (which slot, which school, which appearance). Out: finished textures, taken by the show's
thread. A school whose model fails is left alone for growing pauses; the other five go on.
"""

from __future__ import annotations

import contextlib
import logging
import os
import sys
import threading
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from mirror.clock import Clock, precise_s
from mirror.signals import Bytes, Floats

log = logging.getLogger(__name__)

#: How far painting gives way to movement where cores are few.
NICE = 10
#: First and longest pause before a failed model is tried again, seconds.
FIRST_PAUSE_S, LONGEST_PAUSE_S = 1.0, 60.0


#: What somebody wears is the model's own business; the studio only holds on to it.
Worn = Any


class Model(Protocol):
    """Whatever paints: codes (B, 48) float32 -> textures (B, 256, 256, 4) uint8."""

    def paint(
        self, codes: Floats, finished: bool = True, *, worn: Sequence[Worn] | None = None
    ) -> Bytes:
        """Canonical textures of appearance codes; not finished: quicker, and less fine."""
        ...

    def dress(self, codes: Floats) -> Sequence[Worn]:
        """What each of the codes shall wear."""
        ...


@dataclass(frozen=True)
class Job:
    """One texture to paint. code: (48,) float32, appearance of the school. finished: False for a
    quick sketch, where nothing hangs yet. seen: whether somebody sees what hangs there: then hair
    and clothes stay the same."""

    slot: int
    school: str
    code: Floats
    finished: bool = True
    seen: bool = False


@dataclass(frozen=True)
class Painted:
    """A finished texture. texture: (256, 256, 4) uint8, varnished if the studio does that; else
    RGBA. ms: what it cost."""

    job: Job
    texture: Bytes
    ms: float


class Studio:
    """Paints jobs with the models, and keeps account of models that fail."""

    def __init__(
        self,
        models: Mapping[str, Model],
        clock: Clock,
        varnish: Callable[[Bytes, int], Bytes] | None = None,
    ) -> None:
        """varnish: what else is done to a texture for its slot, beside the show."""
        self.models, self._clock, self._varnish = models, clock, varnish
        self.failures: Counter[str] = Counter()
        self._in_a_row: Counter[str] = Counter()
        self._resting_until_s: dict[str, float] = {}
        self._worn: dict[int, Worn] = {}

    def paint(self, jobs: Sequence[Job]) -> list[Painted]:
        """Paint jobs, school by school; those of a failing school are left out."""
        by_school: dict[str, list[Job]] = defaultdict(list)
        for job in jobs:
            by_school[job.school].append(job)
        return [done for school, mine in by_school.items() for done in self._school(school, mine)]

    def now_s(self) -> float:
        """The clock that pauses are counted on."""
        return self._clock.now_s()

    def can_paint(self, school: str) -> bool:
        """Whether a school's model is there and not resting after a failure."""
        rest_s = self._resting_until_s.get(school, 0.0)
        return school in self.models and self._clock.now_s() >= rest_s

    def _school(self, school: str, jobs: list[Job]) -> list[Painted]:
        if not self.can_paint(school):
            return []
        start_s = precise_s()
        try:
            done = [self._texture(job) for job in jobs]
        except Exception as error:  # noqa: BLE001 - whatever a damaged model raises, the show goes on
            self._rest(school, error)
            return []
        self._in_a_row.pop(school, None)
        ms = (precise_s() - start_s) * 1000 / len(jobs)
        return [Painted(job, texture, ms) for job, texture in zip(jobs, done)]

    def _texture(self, job: Job) -> Bytes:
        model, code = self.models[job.school], job.code[None]
        if not job.finished:
            texture = model.paint(code, False)[0]
        else:
            if not job.seen or job.slot not in self._worn:
                self._worn[job.slot] = model.dress(code)[0]
            texture = model.paint(code, worn=[self._worn[job.slot]])[0]
        return texture if self._varnish is None else self._varnish(texture, job.slot)

    def _rest(self, school: str, error: Exception) -> None:
        self.failures[school] += 1
        self._in_a_row[school] += 1
        doublings = min(self._in_a_row[school] - 1, 30)
        pause_s = min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2.0**doublings)
        self._resting_until_s[school] = self._clock.now_s() + pause_s
        level = logging.ERROR if self.failures[school] == 1 else logging.DEBUG
        log.log(level, "painting %s failed, again in %.0f s: %s", school, pause_s, error)


class Painter:
    """A thread around a studio. A new request replaces the one that has not been begun."""

    def __init__(self, studio: Studio) -> None:
        self._studio = studio
        self._condition = threading.Condition()
        self._wanted: Sequence[Job] = ()
        self._finished: list[Painted] = []
        self._busy = self._closing = False
        self._thread = threading.Thread(target=self._run, name="painter", daemon=True)
        self._thread.start()

    @property
    def alive(self) -> bool:
        """Whether the painting thread runs."""
        return self._thread.is_alive()

    @property
    def idle(self) -> bool:
        """Whether nothing is being painted or waits for it."""
        with self._condition:
            return not (self._busy or self._wanted)

    def request(self, jobs: Sequence[Job]) -> None:
        """Ask for textures, in this order; replaces a request that waits."""
        with self._condition:
            self._wanted = tuple(jobs)
            self._condition.notify()

    def take_finished(self, most: int) -> list[Painted]:
        """The textures finished and not yet taken, so many at most."""
        with self._condition:
            finished, self._finished = self._finished[:most], self._finished[most:]
            return finished

    def close(self) -> None:
        """End the thread; waits for the texture in work."""
        with self._condition:
            self._closing = True
            self._condition.notify()
        self._thread.join(timeout=10)

    def _run(self) -> None:
        give_way()
        while True:
            with self._condition:
                self._busy = False
                self._condition.wait_for(lambda: self._closing or self._wanted)
                if self._closing:
                    return
                job, self._wanted = self._wanted[0], self._wanted[1:]
                self._busy = True
            done = self._studio.paint([job])
            with self._condition:
                self._finished += done


def give_way() -> None:
    """Let this thread wait for whoever draws and reads markers, where the system has such a thing.

    On Linux niceness belongs to a thread; elsewhere it would slow the whole process.
    """
    if sys.platform == "linux":
        with contextlib.suppress(OSError):  # some containers refuse it
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICE)
