"""What the show records of itself, where ``--record`` asks for it; otherwise nothing.

In: sitters as the river met them, and the river. Out: a session, written by the recorder's own
thread. The show's thread.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import ExitStack

from mirror import __version__
from mirror.clock import Clock, utc_now
from mirror.river.river import RiverState, state_hash
from mirror.session.record import Recorder
from mirror.session.reel import Limits
from mirror.session.schemas import SessionHeader
from mirror.settings import RecordSettings, Settings
from mirror.show.eyes import Eyes, FrameByFrame, LiveEyes
from mirror.show.plan import Plan
from mirror.signals import Sitters
from mirror.site.site import resolved

log = logging.getLogger(__name__)

#: Seconds between two hashes in a recording.
HASH_EVERY_S = 1.0


class Recording:
    """Every call does nothing where nothing is recorded."""

    def __init__(self, plan: Plan, weights: dict[str, str], clock: Clock, stack: ExitStack) -> None:
        self._plan, self._weights, self._clock, self._stack = plan, weights, clock, stack
        self._recorder: Recorder | None = None
        self._faults: dict[str, int] = {}
        self._hashed_s = 0.0

    def begin(
        self, settings: Settings, aspect: float, eyes: Eyes, when: Callable[[float], float]
    ) -> None:
        """Begin the recording that was asked for. aspect: of the screen. when: the river's time at
        a time of the clock."""
        path = self._plan.options.record
        if path is None:
            return
        pictures = self._plan.options.record_pictures and isinstance(eyes, (LiveEyes, FrameByFrame))
        if self._plan.options.record_pictures and not pictures:
            log.warning("no camera looks at anybody: markers are recorded, and no pictures")
        header = SessionHeader(
            settings=resolved(settings), seed=settings.seed, version=__version__,
            weights=self._weights, aspect=aspect, source=settings.camera.source,
            pictures=pictures,
        )  # fmt: skip
        recorder = self._recorder = self._stack.enter_context(
            Recorder(path, header, limits(settings.record), self._clock, self._plan.stepped)
        )
        if pictures and isinstance(eyes, (LiveEyes, FrameByFrame)):
            eyes.witness = lambda frame: recorder.picture(frame, when(frame.time_s))

    @property
    def on(self) -> bool:
        """Whether something is recorded."""
        return self._recorder is not None

    @property
    def pictures(self) -> bool:
        """Whether pictures of people are: the lamp is on."""
        return self._recorder is not None and self._recorder.pictures

    def sitters(self, sitters: Sitters, hand_s: float) -> None:
        """Sitters, on the river's time. hand_s: when their frame was in hand."""
        if self._recorder:
            self._recorder.sitters(sitters, hand_s, wall_ns())

    def river(self, river: RiverState, eyes: Eyes, met_s: float) -> None:
        """The river's hash once a second, and the camera's faults since the last. met_s: the
        river's time of the newest sitters."""
        if self._recorder is None or river.time_s < self._hashed_s:
            return
        self._hashed_s, faults = river.time_s + HASH_EVERY_S, eyes.faults()
        for kind, count in faults.items():
            if count > self._faults.get(kind, 0):
                self._recorder.fault(kind, met_s, f"{count} so far")
        self._faults = faults
        self._hash(self._recorder, river)

    def end(self, river: RiverState | None) -> None:
        """The last hash."""
        if self._recorder and river is not None:
            self._hash(self._recorder, river)
        elif self._plan.options.record:
            log.warning("nothing was recorded: the run ended before the river sprang")

    def _hash(self, recorder: Recorder, river: RiverState) -> None:
        recorder.river_hash(river.moment.steps, river.time_s, state_hash(river))


def limits(record: RecordSettings) -> Limits:
    """How far a recording may go, from the site's settings."""
    return Limits(
        record.rotate_s, record.rotate_mb, record.quota_mb, record.spare_mb, record.oldest_goes
    )


def wall_ns() -> int:
    """Wall clock, nanoseconds since 1970."""
    return int(utc_now().timestamp() * 1e9)
