"""The course that the river takes through one run: it springs, flows, and meets sitters.

Three times meet here. The piece's (``PieceTime``); the river's, which begins when it springs; and
a recorded session's, which begins when the river does or when its eyes open. The show's thread.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from functools import partial

from mirror.canonical import Frame
from mirror.latents.visitors import Reading, Visitors
from mirror.painting.loading import Models
from mirror.report import Report
from mirror.river.river import RiverState, advance, attending_s, start, state_hash
from mirror.session.proof import Proof
from mirror.settings import RiverSettings, Settings
from mirror.show.piece_time import PieceTime
from mirror.signals import Sitter, Sitters, Stir, Visit

#: A time of the river's that was the piece's on its way may be off by so much.
ROUNDING_S = 1e-9


class Course:
    """river: None until the models are there. sitters: as they were met last, on the river's
    time. aspect: of the screen, width over height. proof: see ``session.proof``."""

    def __init__(self, frame: Frame, time: PieceTime, report: Report) -> None:
        self._frame, self._time, self._report = frame, time, report
        self.river: RiverState | None = None
        self.sitters = Sitters(0.0)
        self.proof, self.aspect = Proof(()), 1.0
        self._visitors: Visitors | None = None
        self._start_s = 0.0  # the river's time 0, in the piece's
        self._session_s = 0.0  # a session's time 0, in the river's

    def spring(
        self, models: Models, settings: Settings, aspect: float, found: RiverState | None
    ) -> RiverState:
        """A river that was found, or one that begins now, at its source."""
        self.aspect = aspect
        river = self._flows(models, settings, found)
        self._session_s = river.time_s
        return river

    def spring_anew(self, models: Models, settings: Settings) -> None:
        """Another river, from its source; the session goes on."""
        self._session_s -= self._time.now_s - self._start_s
        self._flows(models, settings)

    def _flows(
        self, models: Models, settings: Settings, found: RiverState | None = None
    ) -> RiverState:
        """Whatever river it is, it has seen nobody."""
        self.river = found or start(
            settings.river, models.densities, settings.seed, self.aspect
        )  # fmt: skip
        self._start_s = self._time.now_s - self.river.time_s
        self._visitors = Visitors(
            models.geometries, self._frame, settings.faces.accent, settings.mirror
        )
        return self.river

    def begin_session(self) -> None:
        """A session begins now, beside a river that flows already."""
        if self.river is not None:
            self._session_s = self._time.now_s - self._start_s

    def met_s(self, session_s: float | None) -> float:
        """The river's time at which sitters are met: now, or as a session says."""
        if session_s is not None:
            return session_s + self._session_s
        return self._time.now_s - self._start_s

    def river_s(self, clock_s: float) -> float:
        """The river's time at a time of the clock; any thread may ask."""
        return self._time.at_s(clock_s) - self._start_s

    def piece_s(self, river_s: float) -> float:
        """A time of the river, in the piece's."""
        return river_s + self._start_s

    @property
    def reader(self) -> Callable[[Sequence[Sitter], Sequence[bool]], list[Reading | None]]:
        """What reads the markers of sitters, once the river springs; any thread or process may."""
        assert self._visitors is not None
        return self._visitors.read

    def attending(self, settings: RiverSettings) -> Callable[[], Iterator[float]]:
        """What tells the times of a session at which the river will ask who is there, if it flows
        on as it is set to; any thread or process may."""
        river = self.river
        assert river is not None
        state = river.moment, river.attended_s, river.turned_s, settings.step_hz
        return partial(_in_session, partial(attending_s, *state), self._session_s)

    def meet(
        self, sitters: Sitters, now_s: float, readings: Sequence[Reading | None] | None = None,
        later: bool = False,
    ) -> None:  # fmt: skip
        """From now on, a time of the river's, it knows of these sitters. readings: of theirs,
        where they were read before. later: what the schools make of them is computed only if the
        river, or a picture, asks for it."""
        assert self._visitors is not None
        known = {sitter.id for sitter in self.sitters.sitters}
        here = tuple(each.id for each in sitters.sitters if each.id not in known)
        self.sitters = dataclasses.replace(sitters, time_s=now_s, arrived=here)
        self._visitors.meet(self.sitters, self.aspect, readings)
        if not later:
            with self._report.timed("latents"):
                self._visitors.present()

    @property
    def visits(self) -> list[Visit]:
        """Whoever was met last, as they are drawn."""
        return self._visitors.present() if self._visitors is not None else []

    def horizon_s(self, next_s: float, proves_to_end: bool) -> float:
        """How far the river may flow, in the piece's time: up to now, but in a replay not past
        sitters still to come, nor past the end of what was recorded.

        next_s: a session's time of sitters still to come. proves_to_end: it has been given out,
        and only recorded hashes are still to be held against the river.
        """
        if self.river is None:
            return self._time.now_s
        if proves_to_end:
            next_s = self.river.time_s if self.proof.due_s is None else self.proof.due_s
        return min(self._time.now_s, self._start_s + self._session_s + next_s)

    def flow(
        self, until_s: float, settings: RiverSettings, alone: bool = False
    ) -> RiverState | None:
        """Flow on to a time of the piece, in whole steps; returns the river, if there is one.

        alone: nobody has kept a river that was returned before, so that it need not be copied.
        """
        if self.river is None:
            return None
        assert self._visitors is not None
        river_s, present = until_s - self._start_s, self._visitors.attend
        with self._report.timed("river"):
            while (due_s := self.proof.due_s) is not None and due_s <= river_s + ROUNDING_S:
                self.river = advance(self.river, settings, present, due_s, alone)
                self.proof.compare(state_hash(self.river))
            self.river = advance(self.river, settings, present, river_s, alone)
        return self.river

    @property
    def stirs(self) -> tuple[Stir, ...]:
        """The pushes that sitters give the water now."""
        return self._visitors.stirs() if self._visitors is not None else ()

    @property
    def turbulence(self) -> float:
        """Of all parcels, their mean."""
        return float(self.river.turbulence.mean()) if self.river is not None else 0.0

    @property
    def hash(self) -> str:
        """sha256 of the river's state; empty until there is one."""
        return state_hash(self.river) if self.river is not None else ""


def _in_session(river_s: Callable[[], Iterator[float]], session_s: float) -> Iterator[float]:
    """Times of the river, in a session that began then."""
    return (time_s - session_s for time_s in river_s())
