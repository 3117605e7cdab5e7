"""The screen itself: all passes of one picture, in their order.

In: a ``Scene`` for each picture, and paintings as they are finished. Out: light in a window, or
a picture to read back. All OpenGL on the thread that made it.
"""

from __future__ import annotations

import logging

import cv2
import moderngl
import numpy as np

from mirror.canonical import Mesh
from mirror.closeable import Closeable
from mirror.errors import ScreenError
from mirror.screen.contexts import Offscreen, Surface, finish, give_back, hold
from mirror.screen.finish import Finish
from mirror.screen.glimpse import Glimpse
from mirror.screen.overlay import Overlay
from mirror.screen.paintings import Paintings
from mirror.screen.placing import place
from mirror.screen.portraits import SOFTWARE, PortraitPass
from mirror.screen.water import Water
from mirror.screen.window import Window
from mirror.settings import ScreenSettings
from mirror.signals import Bytes, Scene

log = logging.getLogger(__name__)

SIZES = "1 to 16384 pixels"


def shared(size: tuple[int, int], share: float) -> tuple[int, int]:
    """A picture's size with a share of its rows, never less than 90 of them, in its own format."""
    if share >= 1.0:
        return size
    rows = min(size[1], max(90, round(size[1] * share)))
    return max(1, round(size[0] * rows / size[1])), rows


class Targets:
    """What depends on the size of the screen: framebuffers, water, finish. Release it."""

    def __init__(
        self, context: moderngl.Context, size: tuple[int, int], settings: ScreenSettings,
        water: Water | None = None,
    ) -> None:  # fmt: skip
        self.size, self.placing = size, place(size, settings)
        picture = self.placing.picture
        self.portraits = context.texture(picture, 4)
        self.portraits.repeat_x = self.portraits.repeat_y = False
        self._depth = context.depth_renderbuffer(picture)
        self.portraits_target = context.framebuffer([self.portraits], self._depth)
        self.shown = context.texture(size, 4)
        self.shown_target = context.framebuffer([self.shown])
        self.shown_target.clear()
        self.water = water or Water(context, picture)
        self.finish = Finish(context, self.placing, settings)
        self.overlay = Overlay(context, self.placing)

    def release(self, with_water: bool = True) -> None:
        """Give everything back; the water can be kept for other targets."""
        give_back(self.portraits_target, self.shown_target)
        give_back(self.portraits, self._depth, self.shown)
        give_back(self.water if with_water else None, self.finish, self.overlay)


class Screen(Closeable):
    """Draws scenes. Owns a window or an offscreen context; a context manager, or close it.

    renderer: what draws, in the driver's words.
    """

    def __init__(
        self,
        kind: str,
        size: tuple[int, int],
        mesh: Mesh,
        slots: int,
        settings: ScreenSettings,
        cross_fade_s: float,
    ) -> None:
        """Open the screen.

        kind: 'window' or 'offscreen'. size: (W, H) pixels. slots: paintings held at once.
        cross_fade_s: how long one painting takes to give way to the next. Raises ScreenError.
        """
        if kind not in ("window", "offscreen"):
            raise ScreenError("screen.kind", repr(kind), "window or offscreen")
        if not all(1 <= side <= 16384 for side in size):
            raise ScreenError("screen size", f"{size[0]}x{size[1]}", SIZES)
        self._settings, self._time_s = settings, 0.0
        self._glimpse: Glimpse | None = None
        self._surface: Surface = Window(size, settings) if kind == "window" else Offscreen(size)
        self._closed = False
        try:
            with hold(self._surface):
                self._open(mesh, slots, cross_fade_s)
        except BaseException:
            self._surface.close()
            raise
        log.info("screen: %s, %dx%d, %s", kind, *self._size, self.renderer)

    def _open(self, mesh: Mesh, slots: int, cross_fade_s: float) -> None:
        context = self._context = self._surface.context
        most = context.info["GL_MAX_ARRAY_TEXTURE_LAYERS"] // 2
        if not 1 <= slots <= most:
            raise ScreenError("paintings at once", str(slots), f"1 to {most} on this driver")
        self.renderer = str(context.info["GL_RENDERER"])
        self._size = self._surface.size
        self._portraits = PortraitPass(context, mesh, slots)
        self._paintings = Paintings(context, mesh, slots, cross_fade_s, self._portraits.reach)
        self._targets = Targets(context, self._size, self._settings)

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the screen in pixels; a window's changes when it is resized."""
        return self._size

    @property
    def aspect(self) -> float:
        """Width over height of the picture, which may be turned on the screen."""
        width, height = self._targets.placing.picture
        return width / height

    @property
    def software(self) -> bool:
        """Whether the processor draws, not a GPU."""
        return self.renderer.startswith(SOFTWARE)

    @property
    def should_close(self) -> bool:
        """Whether somebody closed the window."""
        return self._surface.should_close

    def paint(self, slot: int, texture: Bytes) -> None:
        """Take the newest painting of a slot: (256, 256, 4) uint8 RGBA, straight alpha.

        It comes through over cross_fade_s from what the slot shows now. Raises ShapeError.
        """
        self.hang(slot, self.varnish(texture, slot))

    def varnish(self, texture: Bytes, slot: int) -> Bytes:
        """Prepare a painting for a slot; any thread may do it, OpenGL is not touched.

        texture: (256, 256, 4) uint8 RGBA, straight alpha. Returns what ``hang`` takes.
        """
        return self._paintings.varnish(texture, slot)

    def hang(self, slot: int, varnished: Bytes, at_once: bool = False) -> None:
        """Take a painting that is varnished already: half of ``paint``. at_once: no cross-fade."""
        if not 0 <= slot < self._paintings.slots:
            raise ScreenError("slot", str(slot), f"0 to {self._paintings.slots - 1}")
        with hold(self._surface):
            self._paintings.hang(slot, varnished, self._time_s, at_once)

    def newest_paintings(self) -> dict[int, Bytes]:
        """What hangs in each slot, as ``hang`` takes it."""
        return self._paintings.newest()

    def draw(self, scene: Scene) -> None:
        """Draw one picture and show it. Raises ShapeError for arrays of another shape."""
        self._time_s = scene.time_s
        with hold(self._surface):
            self._follow_window(scene.surface)
            targets = self._targets
            if not scene.still:
                self._draw_portraits(scene)
                targets.water.flow(scene, self._settings.ripple)
                targets.water.carry(scene, targets.portraits, self._settings.trail_half_life_s)
            targets.shown_target.use()
            targets.finish.draw(scene, targets.portraits, targets.water)
            targets.overlay.draw(scene)
            self._surface.present(targets.shown)

    def finish(self) -> None:
        """Wait until all that was drawn is done."""
        finish(self._surface)

    def picture(self) -> Bytes:
        """What the screen showed last: (H, W, 3) uint8 RGB, origin top left."""
        width, height = self._targets.size
        with hold(self._surface):
            data = self._targets.shown_target.read(components=4)
        rows = np.frombuffer(data, np.uint8).reshape(height, width, 4)  # (H, W, 4)
        picture = np.ascontiguousarray(rows[:, :, :3])
        if self._targets.size == self._size:
            return picture
        return np.asarray(cv2.resize(picture, self._size, interpolation=cv2.INTER_LINEAR), np.uint8)

    def glimpse(self, width: int) -> Bytes:
        """The same, made at most so wide on the GPU: cheap for a large screen."""
        with hold(self._surface):
            if self._glimpse is None:
                self._glimpse = Glimpse(self._context)
            return self._glimpse.take(self._targets.shown, width)

    def fault(self) -> str:
        """OpenGL's own complaint since the last call, 'GL_NO_ERROR' if there is none."""
        with hold(self._surface):
            return str(self._context.error)

    def keys(self) -> list[str]:
        """What was asked for by keys since the last call.

        'quit' (Esc, q), 'close' (the window manager), 'full_screen' (f; done already), 'overlay'
        (d), 'still' (s), 'pause' (space).
        """
        return self._surface.keys()

    def stay(self) -> None:
        """Keep the window open, though it was asked to close."""
        self._surface.stay()

    def stay_awake(self) -> None:
        """Keep the display from sleeping; call it now and then."""
        self._surface.stay_awake()

    def close(self) -> None:
        """Give everything back; may be called twice."""
        if self._closed:
            return
        self._closed = True
        with hold(self._surface):
            give_back(self._targets, self._portraits, self._paintings, self._glimpse)
        self._surface.close()

    def _follow_window(self, share: float) -> None:
        """Make everything anew when the window has another size; the water begins again. When only
        the share of the rows is another one, it flows on."""
        size = self._surface.size
        old = self._targets
        another = size != self._size and all(side > 0 for side in size)
        if another:
            self._size = size
        drawn = shared(self._size, share)
        if another or drawn != old.size:
            # The new before the old: moderngl binds again what was bound while it makes things.
            water = None if another else old.water
            self._targets = Targets(self._context, drawn, self._settings, water)
            self._targets.shown_target.use()
            old.release(with_water=another)

    def _draw_portraits(self, scene: Scene) -> None:
        target = self._targets.portraits_target
        target.use()
        target.clear(0.0, 0.0, 0.0, 0.0, depth=1.0)
        self._portraits.draw(
            scene.portraits, self._paintings, scene.time_s, self._targets.placing.picture
        )
