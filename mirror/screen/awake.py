"""Keeps the display from sleeping while the piece is shown, on X11.

The X server's own screen saver and power saving are turned off for the time that a window is
open, and put back as they were. On Wayland that is the compositor's, and set there. Nothing here
raises: without the libraries a line in the log says so. The thread that owns the window.
"""

from __future__ import annotations

import contextlib
import ctypes
import logging
from typing import Any

import glfw

log = logging.getLogger(__name__)


class Awake:
    """A display that stays on until ``close``; ``again`` repeats it, should another program have
    turned it back."""

    def __init__(self) -> None:
        self._x11: Any = None
        self._xext: Any = None
        self._display: Any = None
        self._before: tuple[int, ...] | None = None
        self._power_before = False
        try:
            self._display = ctypes.c_void_p(glfw.get_x11_display() or None)
            if self._display:
                self._x11 = ctypes.CDLL("libX11.so.6")
                self._before = self._saver()
                with contextlib.suppress(OSError):
                    self._xext = ctypes.CDLL("libXext.so.6")
                self._power_before = self._power()
        except (OSError, AttributeError, glfw.GLFWError) as error:
            log.info("the display's own rest is left as it is: %s", error)
        self.again()

    def again(self) -> None:
        """Turn screen saver and power saving off."""
        if self._before is None:
            return
        self._x11.XSetScreenSaver(self._display, 0, 0, self._before[2], self._before[3])
        if self._xext is not None and self._power_before:
            self._xext.DPMSDisable(self._display)
        self._x11.XSync(self._display, 0)  # another program may ask at once

    def close(self) -> None:
        """Put both back; may be called twice."""
        before, self._before = self._before, None
        if before is None:
            return
        self._x11.XSetScreenSaver(self._display, *before)
        if self._xext is not None and self._power_before:
            self._xext.DPMSEnable(self._display)
        self._x11.XSync(self._display, 0)  # another program may ask at once

    def _saver(self) -> tuple[int, ...]:
        """Timeout and interval in seconds, blanking, exposures."""
        values = [ctypes.c_int() for _ in range(4)]
        self._x11.XGetScreenSaver(self._display, *(ctypes.byref(value) for value in values))
        return tuple(value.value for value in values)

    def _power(self) -> bool:
        """Whether the display saves power at present."""
        first, second = ctypes.c_int(), ctypes.c_int()
        asked = (self._display, ctypes.byref(first), ctypes.byref(second))
        if self._xext is None or not self._xext.DPMSQueryExtension(*asked):
            return False
        level, on = ctypes.c_ushort(), ctypes.c_ubyte()
        self._xext.DPMSInfo(self._display, ctypes.byref(level), ctypes.byref(on))
        return bool(on.value)
