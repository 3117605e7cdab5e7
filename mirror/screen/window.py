"""A window by glfw: where the visitor's picture goes, and where the technician's keys come from.

The main thread, as every window system wants it.
"""

from __future__ import annotations

import logging
from collections import deque
from typing import Any

import glfw
import moderngl

from mirror.errors import ScreenError
from mirror.screen.awake import Awake
from mirror.screen.contexts import forget, leave, take
from mirror.screen.monitors import Monitors
from mirror.screen.opening import GLFW, create, hear, no_window
from mirror.screen.shaders import compile_program
from mirror.screen.spanning import Area, is_several
from mirror.screen.touches import Touch, name_of_key
from mirror.settings import ScreenSettings

log = logging.getLogger(__name__)

KEYS = {
    glfw.KEY_ESCAPE: "quit",
    glfw.KEY_Q: "quit",
    glfw.KEY_F: "full_screen",
    glfw.KEY_D: "overlay",
    glfw.KEY_S: "still",
    glfw.KEY_SPACE: "pause",
}

#: How many windows are open: the last one that closes ends glfw.
_open: list[Window] = []

#: What glfw wants for "none".
NONE: Any = None


class Window:
    """A window and its OpenGL context; close it."""

    def __init__(self, size: tuple[int, int], settings: ScreenSettings) -> None:
        """Open a window; raises ScreenError without a display or OpenGL 3.3."""
        leave()
        glfw.set_error_callback(hear)
        if not glfw.init():
            raise no_window("no display can be opened")
        self._asked: list[str] = []
        self._touched: deque[Touch] = deque(maxlen=256)
        self._pointer = 0.0, 0.0
        self._windowed = (100, 100, *size)
        self._monitors = Monitors()
        self._covers, self._wanted = settings.full_screen, settings.monitor
        self._spans: Area | None = None  # what is covered, where that is more than one monitor
        # Around the window: glfw too turns the display's rest off while it covers a monitor, and
        # puts back what it found.
        self._awake = Awake() if settings.awake else None
        try:
            self._handle = create(size, settings, self._monitors)
        except ScreenError:
            self._end()
            raise
        if not self._handle:
            self._end()
            raise no_window("no window with OpenGL 3.3 can be opened")
        _open.append(self)
        take(self)
        self.context = moderngl.create_context(require=330, **GLFW)
        if self._covers and is_several(self._wanted):
            self._span(self._monitors.area(self._wanted))
        if self._covers and not self._wanted:
            self._wanted = self.monitor  # wherever it comes back, it is looked for by name
        glfw.set_key_callback(self._handle, self._on_key)
        glfw.set_mouse_button_callback(self._handle, self._on_button)
        glfw.set_cursor_pos_callback(self._handle, self._on_move)
        glfw.set_input_mode(self._handle, glfw.CURSOR, glfw.CURSOR_HIDDEN)
        glfw.swap_interval(1)
        self._program = compile_program(self.context, "whole.vert", "present.frag")
        self._whole = self.context.vertex_array(self._program, [])
        glfw.poll_events()

    @property
    def size(self) -> tuple[int, int]:
        """Of the framebuffer in pixels; (0, 0) while the window is iconified."""
        width, height = glfw.get_framebuffer_size(self._handle)
        return int(width), int(height)

    @property
    def should_close(self) -> bool:
        """Whether the window manager, or a key, asked for the end."""
        return bool(glfw.window_should_close(self._handle))

    def make_current(self) -> None:
        """Aim the thread's OpenGL calls here."""
        glfw.make_context_current(self._handle)

    def release_current(self) -> None:
        """Aim the thread's OpenGL calls at nothing."""
        glfw.make_context_current(NONE)

    def present(self, picture: moderngl.Texture) -> None:
        """Show a picture (first row on top), and hear what was pressed meanwhile."""
        width, height = self.size
        if width and height:
            self.context.screen.use()
            self.context.screen.viewport = 0, 0, width, height
            picture.use(0)
            self._program["picture"] = 0
            self._whole.render(vertices=3)
        glfw.swap_buffers(self._handle)
        self._poll()

    def keys(self) -> list[str]:
        """What was asked for since the last call; 'full_screen' has been done already."""
        self._poll()
        asked, self._asked = self._asked, []
        if self.should_close and "quit" not in asked:
            asked.append("close")
        return asked

    def touches(self) -> list[Touch]:
        """What a hand did with mouse and keys since the last call, at most 256 of the latest."""
        self._poll()
        touched = list(self._touched)
        self._touched.clear()
        return touched

    def show_pointer(self) -> None:
        """Let the mouse be seen, for a technician."""
        glfw.set_input_mode(self._handle, glfw.CURSOR, glfw.CURSOR_NORMAL)

    @property
    def monitor(self) -> str:
        """The name of the monitor that the window is on, or the setting that means several; ''
        while there is none."""
        if self._spans:
            return self._wanted
        covered = glfw.get_window_monitor(self._handle)
        return self._monitors.name_of(
            covered or self._monitors.at(glfw.get_window_pos(self._handle))
        )

    def stay_awake(self) -> None:
        """Keep the display from sleeping, should anything have turned that back."""
        if self._awake is not None:
            self._awake.again()

    def stay(self) -> None:
        """Do not close, whoever asked for it."""
        glfw.set_window_should_close(self._handle, False)

    def full_screen(self) -> None:
        """Cover the monitor that the window is on, or those that are meant; or come back."""
        if self._spans or glfw.get_window_monitor(self._handle):
            self._covers, self._spans = False, None
            self._frame(True)
            glfw.set_window_monitor(self._handle, NONE, *self._windowed, 0)
            return
        place, size = glfw.get_window_pos(self._handle), glfw.get_window_size(self._handle)
        self._windowed = (*place, *size)
        if is_several(self._wanted):
            self._covers = True
            self._span(self._monitors.area(self._wanted))
            return
        monitor = self._monitors.at(place) or glfw.get_primary_monitor()
        if monitor:
            self._covers, self._wanted = True, self._monitors.name_of(monitor)
            self._cover(monitor)

    def _cover(self, monitor: Any) -> None:
        mode = glfw.get_video_mode(monitor)
        glfw.set_window_monitor(
            self._handle, monitor, 0, 0, mode.size.width, mode.size.height, mode.refresh_rate
        )
        glfw.swap_interval(1)

    def _span(self, area: Area | None) -> None:
        """Cover several monitors: no window system has a mode for that, so the window loses its
        frame and lies over everything else there."""
        if area is None or area == self._spans:
            return
        self._spans = area
        self._frame(False)
        glfw.set_window_monitor(self._handle, NONE, *area, 0)
        glfw.swap_interval(1)

    def _frame(self, there: bool) -> None:
        glfw.set_window_attrib(self._handle, glfw.DECORATED, there)
        glfw.set_window_attrib(self._handle, glfw.FLOATING, not there)

    def _poll(self) -> None:
        """Hear the window system; when a monitor came or went, go back to the one that is meant.

        Without it the window system leaves the window wherever it fell.
        """
        glfw.poll_events()
        if not self._monitors.changed():
            return
        named = self._monitors.named()
        if is_several(self._wanted):
            log.warning("monitors: %s; the picture is meant for %s", list(named), self._wanted)
            if self._covers:
                self._span(self._monitors.area(self._wanted))
            return
        self._wanted = self._wanted or next(iter(named), "")
        monitor = {**self._monitors.plugs(), **named}.get(self._wanted)
        log.warning("monitors: %s; the picture is meant for %s", list(named), self._wanted or "any")
        if monitor and self._covers and not glfw.get_window_monitor(self._handle):
            self._cover(monitor)

    def close(self) -> None:
        """Give everything back; may be called twice."""
        if self not in _open:
            return
        self._whole.release()
        self._program.release()
        self.context.release()
        forget(self)
        glfw.destroy_window(self._handle)
        _open.remove(self)
        self._end()

    def _end(self) -> None:
        """What is to be done when the window is gone, or never was."""
        if self._awake is not None:
            self._awake.close()
        if not _open:
            glfw.terminate()

    def _on_move(self, window: Any, x: float, y: float) -> None:
        # In pixels of the framebuffer, which on some screens are finer than the window's units.
        wide, high = glfw.get_window_size(self._handle)
        width, height = self.size
        self._pointer = x * width / max(1, wide), y * height / max(1, high)
        self._touched.append(Touch("move", *self._pointer))

    def _on_button(self, window: Any, button: int, action: int, modifiers: int) -> None:
        if button == glfw.MOUSE_BUTTON_LEFT:
            kind = "press" if action == glfw.PRESS else "release"
            self._touched.append(Touch(kind, *self._pointer))

    def _on_key(self, window: Any, key: int, code: int, action: int, modifiers: int) -> None:
        if action != glfw.RELEASE and (word := name_of_key(key)):
            shift = bool(modifiers & glfw.MOD_SHIFT)
            self._touched.append(Touch("key", *self._pointer, word, shift))
        name = KEYS.get(key)
        if action != glfw.PRESS or name is None:
            return
        self._asked.append(name)
        if name == "full_screen":
            self.full_screen()
        if name == "quit":
            glfw.set_window_should_close(self._handle, True)
