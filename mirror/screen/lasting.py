"""A screen that is built again when OpenGL fails: a lost context, a driver that was reset.

In and out: as ``Screen``. What can be carried over is: the newest painting of every slot. The
water begins again. One that fails again soon is left alone for growing pauses, and one that
cannot be built at all is an error, for whoever started the program. The thread that made it.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable
from typing import Any

from mirror.clock import Clock, MonotonicClock
from mirror.closeable import Closeable
from mirror.errors import MirrorError, ScreenError
from mirror.pauses import Pauses
from mirror.screen.screen import Screen
from mirror.signals import Bytes, Scene

log = logging.getLogger(__name__)

WELL = "GL_NO_ERROR"
#: Pauses before a screen that failed again is built again, and tries at each.
FIRST_PAUSE_S, LONGEST_PAUSE_S, TRIES = 1.0, 30.0, 3
#: A screen that lasted for so long is well: the next failure is the first again.
WELL_S = 60.0


class LastingScreen(Closeable):
    """A ``Screen`` and whatever follows it. A context manager; ``failures`` counts."""

    def __init__(self, make: Callable[[], Screen], clock: Clock | None = None) -> None:
        """make: opens a screen; raises ScreenError."""
        self._make, self._clock = make, clock or MonotonicClock()
        self._now = make()
        self._pauses = Pauses(FIRST_PAUSE_S, LONGEST_PAUSE_S)
        self._well = True
        self._built_s = self._again_s = self._clock.now_s()
        self.failures = 0

    def __getattr__(self, name: str) -> Any:
        """Whatever else a screen can do, the one that is there now does."""
        return getattr(self._now, name)

    def varnish(self, texture: Bytes, slot: int) -> Bytes:
        """As ``Screen.varnish``, of the screen that is there when it is called."""
        return self._now.varnish(texture, slot)

    def hang(self, slot: int, varnished: Bytes, at_once: bool = False) -> None:
        """As ``Screen.hang``."""
        try:
            self._now.hang(slot, varnished, at_once)
        except MirrorError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever the driver's binding raises
            self._failed(error, True)

    def present(self, scene: Scene) -> bool:
        """Draw a picture, wait until it is done; whether it was presented."""
        if not self._well and not self._build():
            return False
        try:
            self._now.draw(scene)
            self._now.finish()
            fault = self._now.fault()
        except MirrorError:
            raise
        except Exception as error:  # noqa: BLE001 - the same
            self._failed(error, True)
            return False
        if fault != WELL:
            self._failed(fault)
        elif self.failures and self._clock.now_s() - self._built_s > WELL_S:
            self._pauses.reset()
        return True

    def _failed(self, what: object, trace: bool = False) -> None:
        self.failures += 1
        self._well = False
        level = logging.ERROR if self.failures == 1 else logging.DEBUG
        log.log(level, "OpenGL failed, the screen is built again: %s", what, exc_info=trace)

    def _build(self) -> bool:
        """Another screen with the same paintings; False while it is too soon."""
        if self._clock.now_s() < self._again_s:
            return False
        paintings = self._now.newest_paintings()
        with contextlib.suppress(Exception):  # there may be nothing left to give back to
            self._now.close()
        for left in reversed(range(TRIES)):
            try:
                self._now = self._make()
                break
            except ScreenError:
                if not left:
                    raise
                self._clock.sleep_s(0.1)
        for slot, painting in paintings.items():
            self._now.hang(slot, painting, at_once=True)
        self._well, self._built_s = True, self._clock.now_s()
        self._again_s = self._built_s + self._pauses.take()
        return True

    def close(self) -> None:
        """Give everything back; may be called twice."""
        if self._well:
            self._now.close()
            return
        with contextlib.suppress(Exception):
            self._now.close()
