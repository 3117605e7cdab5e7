"""The technician's screen: test pattern, codes for a camera, handles to pull at.

In: the settings of the screen and pictures to lay over it. Out: light, and what a hand did with
mouse and keys. All OpenGL on the thread that made it.
"""

from __future__ import annotations

import os

import moderngl
import numpy as np

from mirror.closeable import Closeable
from mirror.errors import ScreenError
from mirror.screen.contexts import Offscreen, Surface, give_back, hold
from mirror.screen.placing import columns, place
from mirror.screen.shaders import compile_program
from mirror.screen.touches import Touch
from mirror.screen.window import Window
from mirror.settings import ScreenSettings
from mirror.signals import Bytes, check
from mirror.site.keystone import Doubles

#: What tells a program its display, on X11 and on Wayland.
DISPLAYS = ("DISPLAY", "WAYLAND_DISPLAY")


class Chart(Closeable):
    """Owns a window or an offscreen context; a context manager, or close it."""

    def __init__(self, kind: str, size: tuple[int, int], settings: ScreenSettings) -> None:
        """Open it. kind: 'window' or 'offscreen'; size (W, H) pixels. Raises ScreenError."""
        if kind == "window" and not any(os.environ.get(name) for name in DISPLAYS):
            raise ScreenError(
                "calibrate", "no display (DISPLAY is not set)", "the desktop that the piece is "
                "shown on", "from another computer: DISPLAY=:0 calibrate ...",
            )  # fmt: skip
        self._surface: Surface = Window(size, settings) if kind == "window" else Offscreen(size)
        self._window = self._surface if isinstance(self._surface, Window) else None
        self._closed = False
        self._target: moderngl.Framebuffer | None = None
        self._placed: tuple[tuple[int, int], ScreenSettings] | None = None
        self._picture: moderngl.Texture | None = None
        self._light: moderngl.Texture | None = None
        if self._window:
            self._window.show_pointer()
        try:
            with hold(self._surface):
                context = self._context = self._surface.context
                self._pattern = compile_program(context, "finish.vert", "pattern.frag")
                self._chart = compile_program(context, "finish.vert", "chart.frag")
                self._passes = [
                    context.vertex_array(program, []) for program in (self._pattern, self._chart)
                ]
                self._renew(self._surface.size)
        except BaseException:
            self._surface.close()
            raise

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the screen in pixels."""
        return self._size

    @property
    def monitor(self) -> str:
        """The name of the monitor that is covered, or on which the window lies; '' if none."""
        return self._window.monitor if self._window else ""

    @property
    def should_close(self) -> bool:
        """Whether somebody closed the window."""
        return self._surface.should_close

    def show_pattern(self, settings: ScreenSettings, over: Bytes | None = None) -> None:
        """Show the test pattern as the settings lay it. over: a picture of the screen's size."""
        with hold(self._surface):
            self._begin(settings)
            self._pattern["picture_px"] = tuple(float(side) for side in self._placing.picture)
            self._pattern["site"] = columns(self._placing.site)
            self._pattern["light"] = 1
            self._passes[0].render(vertices=3)
            if over is not None:
                self._lay(over, np.eye(3), 0.0)
            self._surface.present(self._shown)

    def show_picture(self, picture: Bytes, settings: ScreenSettings | None = None) -> None:
        """Show a picture, pixel by pixel, or as the settings lay it.

        picture: (H, W, 3 or 4) uint8, RGB or with straight alpha. Raises ShapeError.
        """
        with hold(self._surface):
            self._begin(settings or ScreenSettings())
            self._lay(picture, self._placing.site, 1.0)
            self._surface.present(self._shown)

    def finish(self) -> None:
        """Wait until all that was drawn is done."""
        with hold(self._surface):
            self._context.finish()

    def picture(self) -> Bytes:
        """What is shown: (H, W, 3) uint8 RGB, origin top left."""
        assert self._target is not None
        with hold(self._surface):
            data = self._target.read(components=4)
        rows = np.frombuffer(data, np.uint8).reshape(self._size[1], self._size[0], 4)  # (H, W, 4)
        return np.ascontiguousarray(rows[:, :, :3])

    def touches(self) -> list[Touch]:
        """What a hand did since the last call; places in pixels of the screen."""
        return self._window.touches() if self._window else []

    def heed(self) -> None:
        """Let the window system have its say; what a hand did meanwhile is forgotten."""
        self.touches()

    def close(self) -> None:
        """Give everything back; may be called twice."""
        if self._closed:
            return
        self._closed = True
        with hold(self._surface):
            self._drop()
            give_back(*self._passes, self._pattern, self._chart)
        self._surface.close()

    def _renew(self, size: tuple[int, int]) -> None:
        """Everything that depends on the size of the screen."""
        self._drop()
        self._size = size
        self._shown = self._context.texture(size, 4)
        self._target = self._context.framebuffer([self._shown])
        self._light = self._context.texture(size, 1)
        self._placed = None

    def _drop(self) -> None:
        if self._target is not None:
            give_back(self._target, self._shown)
        give_back(self._picture, self._light)
        self._target = self._picture = self._light = None

    def _begin(self, settings: ScreenSettings) -> None:
        """Clear the screen, and know how the settings lay a picture on it."""
        size = self._surface.size
        if size != self._size and all(side > 0 for side in size):
            self._renew(size)
        assert self._target is not None and self._light is not None
        if self._placed != (self._size, settings):
            self._placing = place(self._size, settings)
            lit = self._placing.light
            whole = np.full(self._size[::-1], 255, np.uint8) if lit is None else lit
            self._light.write(whole.tobytes(), alignment=1)
            self._placed = self._size, settings
        self._target.use()
        self._target.clear()
        self._light.use(1)

    def _lay(self, picture: Bytes, site: Doubles, masked: float) -> None:
        """Blend a picture over what is there. masked: 1 where only the lit part may show it."""
        check("a picture", picture, (None, None, None), np.uint8)
        size, parts = (picture.shape[1], picture.shape[0]), picture.shape[2]
        if self._picture is None or (self._picture.size, self._picture.components) != (size, parts):
            give_back(self._picture)
            self._picture = self._context.texture(size, parts)
            self._picture.repeat_x = self._picture.repeat_y = False
        self._picture.write(np.ascontiguousarray(picture).tobytes(), alignment=1)
        self._picture.use(0)
        self._chart["picture"], self._chart["light"] = 0, 1
        self._chart["site"], self._chart["masked"] = columns(site), masked
        self._context.enable_only(moderngl.BLEND)
        self._context.blend_func = moderngl.ONE, moderngl.ONE_MINUS_SRC_ALPHA
        self._passes[1].render(vertices=3)
        self._context.enable_only(moderngl.NOTHING)
