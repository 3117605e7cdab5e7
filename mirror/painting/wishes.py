"""Which paintings are missed most: what the river has become, against what is on the screen.

In: the appearance of every parcel and how well it is seen. Out: jobs for the painter, the most
missed first. The show's thread.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

import numpy as np

from mirror.memory.sketches import LIKE
from mirror.painting.painter import FIRST_PAUSE_S, LONGEST_PAUSE_S, Job, Painted, Painter, Studio
from mirror.pauses import Pauses
from mirror.signals import Floats

log = logging.getLogger(__name__)

#: A painting is renewed when its appearance has moved by this share of the shell's radius.
STALE = 0.1
#: A parcel that cannot be seen still wants a painting, for when it surfaces.
UNSEEN = 0.04
#: From this opacity on a portrait is seen: it keeps its hair and clothes until it has sunk.
HARDLY_SEEN = 0.03
#: Paintings for one drawn picture where there is no thread, and jobs handed to it where there is.
PAINTED_A_STEP, JOBS_AT_ONCE = 3, 2
#: Paintings hung for one drawn picture: each costs the show's thread two milliseconds.
HUNG_AT_ONCE = 1


class Wishes:
    """Remembers what was painted last in every slot."""

    def __init__(self, schools: Sequence[str], stream: np.ndarray, sketches: bool = False) -> None:
        """schools: by stream. stream: (P,) of every parcel; parcel and slot share a number.
        sketches: where nothing hangs yet a quick sketch is wished for first."""
        self._sketches = sketches
        self._school = [schools[int(s)] for s in stream]
        self._painted: dict[int, Floats] = {}

    def jobs(
        self, codes: Floats, opacity: Floats, can: Callable[[str], bool], most: int
    ) -> list[Job]:
        """The paintings missed most.

        codes: (P, 48) float32 as they would be painted now. opacity: (P,) 0 to 1, of the parcels
        on the screen. can: whether a school's model paints at the moment. most: so many at most.
        """
        missed = np.array([self._missed(slot, code) for slot, code in enumerate(codes)])
        want = missed * (UNSEEN + opacity)
        order = np.argsort(-want, kind="stable")
        chosen = [int(s) for s in order if missed[s] > STALE and can(self._school[s])][:most]
        return [
            Job(
                slot, self._school[slot], codes[slot].copy(), not self._blank(slot),
                seen=bool(opacity[slot] > HARDLY_SEEN),
            )
            for slot in chosen
        ]  # fmt: skip

    def fulfil(self, painted: Painted) -> None:
        """A painting has come."""
        job = painted.job
        self._painted[job.slot] = job.code if job.finished else LIKE * job.code

    def sketched(self, slot: int, code: Floats) -> bool:
        """Something like a painting may hang there: the slot is missed less then. False when it
        has been painted already."""
        return self._painted.setdefault(slot, code) is code

    def lacking(self, can: Callable[[str], bool]) -> bool:
        """Whether nothing hangs yet in a slot that could be painted."""
        return any(n not in self._painted and can(each) for n, each in enumerate(self._school))

    def _blank(self, slot: int) -> bool:
        return self._sketches and slot not in self._painted

    def _missed(self, slot: int, code: Floats) -> float:
        old = self._painted.get(slot)
        if old is None:
            return 4.0
        return float(np.linalg.norm(code - old) / max(float(np.linalg.norm(code)), 1e-6))


class Workshop:
    """Studio and wishes together: told what the river is, it answers with finished paintings.

    threaded: paint beside the show, newest request first; otherwise a few at each call, which is
    slower to answer but the same at every run.
    """

    def __init__(self, studio: Studio, wishes: Wishes, threaded: bool) -> None:
        self.studio, self._wishes = studio, wishes
        self.sketched = wishes.sketched
        self._painter = Painter(studio) if threaded else None
        self._deaths, self._pauses, self._again_s = 0, Pauses(FIRST_PAUSE_S, LONGEST_PAUSE_S), 0.0
        self._asked_s = float("-inf")

    def paint(self, codes: Floats, opacity: Floats, every_s: float = 0.0) -> list[Painted]:
        """Paintings finished since the last call; see ``Wishes.jobs`` for what is given.

        every_s: no more than one painting is begun in so long, to spare the machine; but where
        nothing hangs yet something is hung at once.
        """
        self._revive()
        done = self._finished(codes, opacity)
        for painted in done:
            self._wishes.fulfil(painted)
        now_s = self.studio.now_s()
        if every_s and self._wishes.lacking(self.studio.can_paint):
            every_s = 0.0
        painter = self._painter
        idle = painter is not None and painter.idle and not done
        if painter and idle and now_s - self._asked_s >= every_s:
            self._asked_s = now_s
            painter.request(self._jobs(codes, opacity, 1 if every_s else JOBS_AT_ONCE))
        return done

    @property
    def alive(self) -> bool:
        """Whether paintings can come: the painter's thread runs, where there is one."""
        return self._painter is None or self._painter.alive

    def faults(self) -> dict[str, int]:
        """How often each school failed, and how often the painter's thread died."""
        died = {"painter": self._deaths} if self._deaths else {}
        return {**self.studio.failures, **died}

    def _revive(self) -> None:
        """A painter that died is followed by another, after a pause that grows."""
        if self.alive or (now_s := self.studio.now_s()) < self._again_s:
            return
        self._deaths += 1
        self._again_s = now_s + self._pauses.take()
        level = logging.ERROR if self._deaths == 1 else logging.DEBUG
        log.log(level, "the painter's thread has died: another one begins")
        self._painter = Painter(self.studio)

    def close(self) -> None:
        """End the thread."""
        if self._painter is not None:
            self._painter.close()

    def _finished(self, codes: Floats, opacity: Floats) -> list[Painted]:
        if self._painter is not None:
            return self._painter.take_finished(HUNG_AT_ONCE)
        return self.studio.paint(self._jobs(codes, opacity, PAINTED_A_STEP))

    def _jobs(self, codes: Floats, opacity: Floats, most: int) -> list[Job]:
        return self._wishes.jobs(codes, opacity, self.studio.can_paint, most)
