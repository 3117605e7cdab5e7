"""How a window is opened: what glfw is asked for, what it complains of, how moderngl finds it.

The main thread, as every window system wants it.
"""

from __future__ import annotations

import logging
from typing import Any

import glfw

from mirror.errors import ScreenError
from mirror.screen.monitors import Monitors, text
from mirror.screen.spanning import is_several
from mirror.settings import ScreenSettings

log = logging.getLogger(__name__)

_said: list[str] = []


def hear(code: int, words: Any) -> None:
    """Keep what glfw complains of, for the error that follows from it."""
    _said[:] = [f"{text(words)} ({code:#x})"]
    log.debug("glfw: %s", _said[0])


class _Loader:
    """Where moderngl finds OpenGL's functions: glfw knows, on every window system."""

    @staticmethod
    def load_opengl_function(name: str) -> int:
        return int(glfw.get_proc_address(name) or 0)

    load = load_opengl_function

    def __enter__(self) -> _Loader:
        return self

    def __exit__(self, *error: object) -> None:
        return None

    def release(self) -> None:
        return None


#: How moderngl is told to use the window's context, whatever window system it is.
GLFW: dict[str, Any] = {"context": _Loader()}


def create(size: tuple[int, int], settings: ScreenSettings, monitors: Monitors) -> Any:
    """A window where the settings want it, None if the window system makes none.

    Over several monitors it is laid when it is there. Raises ScreenError for a monitor that is not
    there.
    """
    glfw.default_window_hints()
    glfw.window_hint(glfw.CONTEXT_VERSION_MAJOR, 3)
    glfw.window_hint(glfw.CONTEXT_VERSION_MINOR, 3)
    glfw.window_hint(glfw.OPENGL_PROFILE, glfw.OPENGL_CORE_PROFILE)
    glfw.window_hint(glfw.OPENGL_FORWARD_COMPAT, True)
    glfw.window_hint(glfw.DEPTH_BITS, 0)
    glfw.window_hint(glfw.AUTO_ICONIFY, False)  # a click on another monitor must not hide the work
    if is_several(settings.monitor):
        monitors.area(settings.monitor)  # whoever is not there is told of before a window opens
        return glfw.create_window(*size, "Mirror", None, None)
    asked = settings.monitor or settings.full_screen
    monitor = monitors.find(settings.monitor) if asked else None
    if monitor is None:
        return glfw.create_window(*size, "Mirror", None, None)
    mode = glfw.get_video_mode(monitor)
    if settings.full_screen:
        glfw.window_hint(glfw.REFRESH_RATE, mode.refresh_rate)
        return glfw.create_window(mode.size.width, mode.size.height, "Mirror", monitor, None)
    handle = glfw.create_window(*size, "Mirror", None, None)
    if handle:
        x, y = glfw.get_monitor_pos(monitor)
        glfw.set_window_pos(handle, x + 40, y + 40)
    return handle


def no_window(found: str) -> ScreenError:
    """What is said when there can be no window, with what glfw complained of."""
    said = f": {_said[0]}" if _said else ""
    return ScreenError(
        "window", found + said, "a display with OpenGL 3.3", "--screen offscreen, or set DISPLAY"
    )
