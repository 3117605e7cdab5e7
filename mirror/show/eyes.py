"""Where sitters come from: a live source, a file frame by frame, or a recorded session.

All three give the show the same thing: the newest ``Sitters`` with the time that the frame they
were found in was in hand. A picture of a visitor ends here.
"""

from __future__ import annotations

import dataclasses
import logging
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Protocol

from mirror.camera import Camera, Faults, Source, every_frame
from mirror.clock import Clock, precise_s
from mirror.markers.markers import FaceReader
from mirror.markers.sitters import SitterTracker
from mirror.report import Report
from mirror.settings import Settings
from mirror.show.glances import Glance
from mirror.show.plan import Plan, recorded_sitters
from mirror.show.replaying import SessionEyes
from mirror.signals import Frame, Sitters

log = logging.getLogger(__name__)

#: Reading waits no longer than this for a picture that is being drawn, seconds.
LONGEST_DRAWING_S = 0.1
#: Pauses before a failed reader of markers is built again, seconds.
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.5, 30.0
#: A reader that worked for so long was well: its failure is a first one again.
WELL_S = 30.0


class Eyes(Protocol):
    """What the show asks of whoever watches the room."""

    ended: bool
    origin_s: float | None  # the time of the first frame; None until there was one

    @property
    def state(self) -> str:
        """What the camera does, in a word; see ``Vitals``."""
        ...

    def glances(self, timeout_s: float) -> list[Glance]:
        """The sitters not yet given, in order; waits for them at most so long."""
        ...

    def pause(self, paused: bool) -> None:
        """Look away, or look again."""
        ...

    def faults(self) -> dict[str, int]:
        """Everything that went wrong so far, counted by kind."""
        ...

    def close(self) -> None:
        """Let go of the camera."""
        ...


class LiveEyes:
    """A camera's thread, and a second one that finds the markers; the newest frame wins."""

    def __init__(
        self, source: Source, settings: Settings, clock: Clock, report: Report, loop: bool,
        gate: threading.Event | None = None,
    ) -> None:  # fmt: skip
        """gate: begin only when it is set, see ``Show``."""
        self._gate = gate
        self._settings, self._clock, self._report = settings, clock, report
        self._open = lambda: Camera(source, settings.camera, clock, loop)
        self._camera: Camera | None = None
        self._tracker = SitterTracker(settings.markers)
        self._condition = threading.Condition()
        self._newest: Glance | None = None
        self._faults: Counter[str] = Counter()
        self._paused = self._closing = False
        self.ended = False
        self._may_read = threading.Event()
        self._may_read.set()
        self.origin_s: float | None = None
        # Records pictures, when that is asked for: frames with their time on the clock.
        self.witness: Callable[[Frame], None] | None = None
        self._thread = threading.Thread(target=self._run, name="markers", daemon=True)
        self._thread.start()

    @property
    def state(self) -> str:
        """What the camera does, in a word."""
        camera = self._camera
        return "paused" if self._paused else camera.state if camera else "opening"

    def glances(self, timeout_s: float) -> list[Glance]:
        """The newest sitters, if not given yet; waits for them at most so long."""
        with self._condition:
            if self._newest is None and timeout_s > 0:
                self._condition.wait(timeout_s)
            newest, self._newest = self._newest, None
            return [newest] if newest else []

    @contextmanager
    def undisturbed(self) -> Iterator[None]:
        """Begin no reading meanwhile: where one core draws and reads, taking turns brings
        a movement to the screen in half the time that it takes when both are done at once."""
        self._may_read.clear()
        try:
            yield
        finally:
            self._may_read.set()

    def pause(self, paused: bool) -> None:
        """Look away, or look again; while paused, sitters leave."""
        self._paused = paused

    def faults(self) -> dict[str, int]:
        """Faults of the camera, and of the markers stage."""
        return {**(self._camera.faults if self._camera else {}), **self._faults}

    def close(self) -> None:
        """End both threads."""
        self._closing = True
        if self._gate is not None:
            self._gate.set()
        self._thread.join(timeout=10)
        if self._camera:
            self._camera.close()

    def _run(self) -> None:
        if self._gate is not None:
            self._gate.wait()
        pause_s, begun_s = FIRST_PAUSE_S, self._clock.now_s()
        while not self._closing:
            try:
                with FaceReader(self._settings.markers) as reader:
                    begun_s = self._clock.now_s()
                    self._camera = self._camera or self._open()  # now, so that no frame is missed
                    self._watch(reader, self._camera)
            except Exception as error:  # noqa: BLE001 - whatever MediaPipe raises, the river flows on
                self._faults["markers"] += 1
                if self._clock.now_s() - begun_s > WELL_S:
                    pause_s = FIRST_PAUSE_S
                level = logging.ERROR if self._faults["markers"] == 1 else logging.DEBUG
                log.log(level, "reading markers failed, again in %.1f s: %s", pause_s, error)
                self._clock.sleep_s(pause_s)
                pause_s = min(2 * pause_s, LONGEST_PAUSE_S)

    def _watch(self, reader: FaceReader, camera: Camera) -> None:
        seen = -1
        while not self._closing:
            frame = None if self._paused else camera.wait(seen, 0.2)
            if frame is None:
                self.ended = camera.ended  # nobody is there for the rest
                self._nobody()
                if self._paused or self.ended:
                    self._clock.sleep_s(0.1)
                continue
            if not self._may_read.is_set():
                self._may_read.wait(LONGEST_DRAWING_S)
                frame = camera.newest(frame.number) or frame
            seen, start_s = frame.number, precise_s()
            if self.witness is not None:
                self.witness(frame)
            faces = reader.read(frame.picture)
            aspect, time_s = frame.aspect, frame.time_s
            self.origin_s = time_s if self.origin_s is None else self.origin_s
            del frame  # the picture of the visitor ends here
            self._give(self._tracker.update(faces, aspect, time_s), time_s)
            self._report.stage("markers", (precise_s() - start_s) * 1000)

    def _nobody(self) -> None:
        """No frame came: whoever was there is lost little by little."""
        now_s = self._clock.now_s()
        self._give(self._tracker.update([], 1.0, now_s), now_s)

    def _give(self, sitters: Sitters, hand_s: float) -> None:
        with self._condition:
            if self._newest is not None:  # events of a glance that nobody took must not be lost
                older = self._newest.sitters
                sitters = Sitters(
                    sitters.time_s, sitters.sitters, older.arrived + sitters.arrived,
                    older.left + sitters.left,
                )  # fmt: skip
            self._newest = Glance(sitters, hand_s)
            self._condition.notify()


class FrameByFrame:
    """A file's every frame, one at each glance, on the file's own time: for measuring."""

    def __init__(
        self, source: Source, settings: Settings, clock: Clock, report: Report, loop: bool
    ) -> None:
        self._clock, self._faults = clock, Faults(str(source))
        self._frames = every_frame(source, settings.camera, loop, self._faults)
        self._reader = FaceReader(settings.markers)
        self._tracker = SitterTracker(settings.markers)
        self._report = report
        self.ended = False
        self.origin_s: float | None = 0.0
        self.witness: Callable[[Frame], None] | None = None  # as LiveEyes has it
        self._behind_s = 0.0  # how far the file's time is behind the clock

    @property
    def state(self) -> str:
        """A file is read, or has ended."""
        return "ended" if self.ended else "running"

    def glances(self, timeout_s: float) -> list[Glance]:
        """The next frame's sitters; after the end of the file they are lost little by little."""
        with self._report.timed("camera"):
            frame = next(self._frames, None)
        hand_s = self._clock.now_s()
        if frame is None:
            self.ended = True
            return [Glance(self._tracker.update([], 1.0, hand_s - self._behind_s), hand_s)]
        self._behind_s = hand_s - frame.time_s
        if self.witness is not None:
            self.witness(dataclasses.replace(frame, time_s=hand_s))
        with self._report.timed("markers"):
            faces = self._reader.read(frame.picture)
            sitters = self._tracker.update(faces, frame.aspect, frame.time_s)
        return [Glance(sitters, hand_s)]

    def pause(self, paused: bool) -> None:
        """A measurement does not pause."""

    def faults(self) -> dict[str, int]:
        """Damaged pictures, counted by kind."""
        return self._faults.counts

    def close(self) -> None:
        """Let go of the file."""
        self._reader.close()


class Nobody:
    """An empty room: for a piece that needs no camera."""

    def __init__(self, clock: Clock) -> None:
        self._clock, self.ended = clock, False
        self.origin_s: float | None = 0.0

    @property
    def state(self) -> str:
        """No camera at all."""
        return "nobody"

    def glances(self, timeout_s: float) -> list[Glance]:
        """Nobody comes; waits."""
        self._clock.sleep_s(timeout_s)
        return []

    def pause(self, paused: bool) -> None:
        """Nobody is not watched."""

    def faults(self) -> dict[str, int]:
        """Nothing can go wrong."""
        return {}

    def close(self) -> None:
        """Nothing is held open."""


def open_eyes(
    plan: Plan, clock: Clock, report: Report, gate: threading.Event | None = None
) -> Eyes:
    """Whoever the plan says watches the room. gate: a camera is opened only when it is set."""
    loop = plan.options.loop
    if plan.eyes == "session":
        return SessionEyes(partial(recorded_sitters, plan), clock)
    if plan.source is None:
        return Nobody(clock)
    if plan.eyes == "frames":
        return FrameByFrame(plan.source, plan.settings, clock, report, loop)
    return LiveEyes(plan.source, plan.settings, clock, report, loop, gate)
