"""A camera that watches the screen: the newest pictures of it, while the screen goes on.

The thread that draws; the camera has its own.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator

from mirror.camera import Camera, parse_source
from mirror.clock import Clock, MonotonicClock
from mirror.closeable import Closeable
from mirror.errors import SourceError
from mirror.settings import CameraSettings
from mirror.signals import Frame

#: A look for a new picture of the camera takes so long at most.
LOOK_S = 1 / 60
#: Between them the screen is drawn so often: without a graphics card, drawing costs.
DRAW_S = 0.1
#: A camera may take so long to give its first picture.
OPENS_S = 20.0


class Onlooker(Closeable):
    """A camera as it is, not mirrored. A context manager."""

    def __init__(self, source: str, settings: CameraSettings, clock: Clock | None = None) -> None:
        """source: as in the site file. Raises SourceError for one that cannot be a camera."""
        if not source:
            raise SourceError(
                "calibrate", "no camera is named", "a camera that sees the screen",
                "--source http://... or /dev/v4l/by-id/...",
            )  # fmt: skip
        self.clock = clock or MonotonicClock()
        plain = dataclasses.replace(settings, mirror=False)
        self._source = parse_source(source)
        self._camera = Camera(self._source, plain, self.clock)
        self._number = -1

    def frames(self, seconds: float, meanwhile: Callable[[], None]) -> Iterator[Frame]:
        """New pictures, for so many seconds; meanwhile: is called ten times a second."""
        now_s = self.clock.now_s()
        end_s, due_s = now_s + seconds, now_s
        while now_s < end_s:
            if now_s >= due_s:
                due_s = now_s + DRAW_S
                meanwhile()
            frame = self._camera.wait(self._number, LOOK_S)
            if frame is not None:
                self._number = frame.number
                yield frame
            now_s = self.clock.now_s()

    def first(self, meanwhile: Callable[[], None]) -> Frame:
        """The first picture; raises SourceError when none comes."""
        for frame in self.frames(OPENS_S, meanwhile):
            return frame
        raise SourceError(
            str(self._source), f"no picture in {OPENS_S:g} s ({self.state})",
            "a camera that is plugged in and free", "calibrate camera",
        )  # fmt: skip

    @property
    def state(self) -> str:
        """What the camera does, in a word."""
        return self._camera.state

    def close(self) -> None:
        """Let go of the camera."""
        self._camera.close()
