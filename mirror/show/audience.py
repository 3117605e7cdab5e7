"""Who is before the screen, and through which eyes the show sees them.

In: what the eyes give. Out: glances, and sitters under ids that no visitor had before a restart;
visits are counted here. The show's thread; the eyes have their own.
"""

from __future__ import annotations

import dataclasses
import threading
from contextlib import AbstractContextManager, ExitStack, nullcontext

from mirror.clock import Clock
from mirror.report import Report
from mirror.settings import Settings
from mirror.show.ahead import Attending, Read
from mirror.show.eyes import Eyes, LiveEyes, Nobody, open_eyes
from mirror.show.glances import Glance
from mirror.show.plan import Plan, choose_eyes, renumbered
from mirror.show.replaying import SessionEyes
from mirror.signals import Sitters


class Audience:
    """newest_id: of all visitors so far. source_s: the source's time of the newest glance."""

    def __init__(
        self, plan: Plan, clock: Clock, report: Report, newest_id: int, gate: threading.Event,
        stack: ExitStack,
    ) -> None:  # fmt: skip
        """newest_id: of the visitors before a restart. gate: the eyes open when it does."""
        self._plan, self._clock, self._report, self._stack = plan, clock, report, stack
        self.eyes: Eyes = open_eyes(plan, clock, report, gate)
        stack.callback(self.eyes.close)
        self.newest_id = self._ids_before = newest_id
        self.source_s = 0.0
        self._told_s = clock.now_s()

    @property
    def recorded(self) -> bool:
        """Whether a session plays, rather than somebody being there."""
        return isinstance(self.eyes, SessionEyes)

    @property
    def silent_s(self) -> float:
        """For how long the eyes have given nothing, not even an empty room."""
        return self._clock.now_s() - self._told_s

    @property
    def next_s(self) -> float:
        """A session's time of the sitters still to come; infinite after the last, or without."""
        return self.eyes.next_s if isinstance(self.eyes, SessionEyes) else float("inf")

    def told(self, glance: Glance) -> Sitters:
        """Who is there now, under their ids of this show."""
        self._told_s, sitters = self._clock.now_s(), glance.sitters
        if self._ids_before:  # whoever is there after a restart is somebody new
            sitters = renumbered(sitters, 0.0, self._ids_before)
        self.newest_id = max([self.newest_id, *sitters.arrived])
        self.source_s = sitters.time_s - (self.eyes.origin_s or 0.0)
        for id in sitters.arrived:
            self._report.visit_started(id, self.source_s)
        for id in sitters.left:
            self._report.visit_ended(id, self.source_s)
        return sitters

    def begin(self, read: Read, attending: Attending) -> None:
        """A session's time 0 is now. read: what is read in markers; where a session plays as
        fast as it can, that may be done ahead. attending: when it will be asked for."""
        if isinstance(self.eyes, SessionEyes):
            self.eyes.begin(self._clock.now_s())
            if self._plan.reads_ahead:
                self.eyes.read_ahead(read, attending)

    @property
    def last_s(self) -> float:
        """A session's time of the sitters given last."""
        return self.eyes.last_s if isinstance(self.eyes, SessionEyes) else 0.0

    def delay(self, seconds: float) -> None:
        """What is still to come of a session comes so much later."""
        if isinstance(self.eyes, SessionEyes):
            self.eyes.delay(seconds)

    def admit(self, settings: Settings) -> bool:
        """A piece that needs eyes has come after one that did not: returns whether they are new."""
        if not isinstance(self.eyes, Nobody):
            return False
        eyes, source, session = choose_eyes(settings, self._plan.options)
        plan = dataclasses.replace(self._plan, eyes=eyes, source=source, session=session)
        self.eyes = open_eyes(plan, self._clock, self._report)
        self._stack.callback(self.eyes.close)
        return True

    def undisturbed(self) -> AbstractContextManager[None]:
        """Reads no markers meanwhile, where the eyes are a camera's."""
        return self.eyes.undisturbed() if isinstance(self.eyes, LiveEyes) else nullcontext()
