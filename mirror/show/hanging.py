"""What hangs on the screen: which portraits are drawn where, and what is painted next.

In: the river. Out: ``Portraits`` for one picture; paintings are hung on the screen as they come.
The show's thread, which owns OpenGL; painting has its own.
"""

from __future__ import annotations

import dataclasses
from contextlib import ExitStack

import numpy as np

from mirror.canonical import Mesh
from mirror.clock import Clock
from mirror.latents.latents import CODE
from mirror.painting.loading import Models
from mirror.painting.painter import Studio
from mirror.painting.wishes import Wishes, Workshop
from mirror.pieces import PIECES, Arrangement, Moment
from mirror.pieces.arrangement import nothing
from mirror.report import Report
from mirror.river.river import RiverState, on_shell
from mirror.river.streams import Indices
from mirror.screen import LastingScreen, Unseen
from mirror.settings import Settings
from mirror.show.course import Course
from mirror.show.ladder import Ladder
from mirror.show.recollection import Recollection
from mirror.signals import Floats, Portraits


class Hanging:
    """workshop: None until the models are there; until then the saved portraits hang."""

    def __init__(
        self, screen: LastingScreen | Unseen, mesh: Mesh, recollection: Recollection,
        ladder: Ladder, report: Report,
    ) -> None:  # fmt: skip
        self._screen, self._mesh, self._recollection = screen, mesh, recollection
        self._ladder, self._report = ladder, report
        self.workshop: Workshop | None = None

    def open(
        self, models: Models, stream: Indices, clock: Clock, threaded: bool, stack: ExitStack
    ) -> None:
        """Begin to paint, if the models can. stream: (P,) each parcel's. threaded: see
        ``Workshop``."""
        if not models.faces:
            return
        wishes = Wishes(list(models.faces), stream, sketches=threaded)
        studio = Studio(models.faces, clock, self._screen.varnish)
        self.workshop = Workshop(studio, wishes, threaded)
        self._recollection.hand_over(self.workshop.sketched)
        stack.callback(self.workshop.close)
        shells = [dataclasses.astuple(model.shell) for model in models.faces.values()]
        self._shell = np.array(shells, np.float32)[stream].T  # (3, P): norm, low, high

    def portraits(self, course: Course, settings: Settings, now_s: float, rests: bool) -> Portraits:
        """For the next picture, at a time of the piece. rests: nothing is to be seen moving."""
        workshop, screen = self.workshop, self._screen
        for slot, texture in self._recollection.sketches(workshop.sketched if workshop else None):
            screen.hang(slot, texture, at_once=True)
        if course.river is None or workshop is None:
            return self._recollection.portraits(now_s, screen.aspect, self._mesh, screen.varnish)
        if rests:
            return nothing(len(self._mesh.rest))
        arrangement = self._arrange(course, course.river, settings, now_s)
        self._paint(course.river, arrangement, workshop)
        return arrangement.portraits

    def _arrange(
        self, course: Course, river: RiverState, settings: Settings, now_s: float
    ) -> Arrangement:
        moment = Moment(
            now_s, self._screen.aspect, river.stream, river.place, river.latent,
            river.turbulence, course.visits, self._mesh, settings.seed,
            self._ladder.staying(np.arange(len(river.stream)), settings.seed),
        )  # fmt: skip
        return PIECES[settings.piece](moment)

    def _paint(self, river: RiverState, arrangement: Arrangement, workshop: Workshop) -> None:
        opacity: Floats = np.zeros(len(river.stream), np.float32)
        opacity[arrangement.parcel] = arrangement.portraits.opacity
        codes = on_shell(river.latent[:, CODE], *self._shell)
        for done in workshop.paint(codes, opacity, self._ladder.paints_every_s):
            self._screen.hang(done.job.slot, done.texture)
            self._report.stage("faces", done.ms)
            self._report.painted()

    @property
    def painting(self) -> bool:
        """Whether paintings can come."""
        return self.workshop.alive if self.workshop else True

    def faults(self) -> dict[str, int]:
        """How often painting failed, by school."""
        return self.workshop.faults() if self.workshop else {}
