"""Where OpenGL is drawn without a window: contexts on EGL, which need no display.

One thread may own several contexts (a screen, and the small one that single portraits are drawn
on). Only one is current at a time, and OpenGL names the textures of each from 1, so a call in the
wrong one silently reads another's picture: ``hold`` makes a context current for a block and then
gives the thread back to whoever had it.
"""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any, Protocol

import moderngl

from mirror.errors import ScreenError

PACKAGES = "apt-get install libegl1 libgl1 libgl1-mesa-dri"


#: How moderngl is told to open a context without a window.
EGL: dict[str, Any] = {"backend": "egl"}


def give_back(*owned: Any) -> None:
    """Release what was taken from OpenGL, in this order; None stands for what never was."""
    for one in owned:
        if one is not None:
            one.release()


class Surface(Protocol):
    """Something that can be drawn on: an offscreen context or a window."""

    context: moderngl.Context

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels; (0, 0) while it cannot be seen."""
        ...

    @property
    def should_close(self) -> bool:
        """Whether somebody asked for the end."""
        ...

    def make_current(self) -> None:
        """Aim the thread's OpenGL calls at this surface."""
        ...

    def release_current(self) -> None:
        """Aim the thread's OpenGL calls at nothing."""
        ...

    def present(self, picture: moderngl.Texture) -> None:
        """Show a finished picture."""
        ...

    def keys(self) -> list[str]:
        """What was asked for by keys since the last call."""
        ...

    def stay(self) -> None:
        """Do not close, whoever asked for it."""
        ...

    def stay_awake(self) -> None:
        """Keep the display from sleeping."""
        ...

    def close(self) -> None:
        """Give everything back; may be called twice."""
        ...


class _Holders(threading.local):
    """The surfaces held by this thread, innermost last."""

    def __init__(self) -> None:
        self.stack: list[Surface] = []
        self.current: Surface | None = None


_holders = _Holders()


@contextmanager
def hold(surface: Surface) -> Iterator[None]:
    """Make a surface current for a block, then the one that was held around it.

    Outside all blocks the last surface stays current: going from frame to frame costs nothing.
    """
    _holders.stack.append(surface)
    _aim(surface)
    try:
        yield
    finally:
        _holders.stack.pop()
        if _holders.stack:
            _aim(_holders.stack[-1])


def take(surface: Surface) -> None:
    """Make a surface current until another is held."""
    _aim(surface)


def leave() -> None:
    """Make no surface current, before a new one is opened."""
    if _holders.current is not None:
        _holders.current.release_current()
        _holders.current = None


def finish(surface: Surface) -> None:
    """Wait until all that was drawn on a surface is done; Python's other threads go on meanwhile.

    moderngl keeps Python's lock while it waits, and whoever paints or reads markers waits as well:
    with it the slowest hundredth of the pictures took a quarter longer.
    """
    with hold(surface):
        (_driver_finish() or surface.context.finish)()


@lru_cache(maxsize=1)
def _driver_finish() -> Callable[[], None] | None:
    """glFinish of the current thread's driver, called without Python's lock; None if not found."""
    for library in ("libOpenGL.so.0", "libGL.so.1"):
        try:
            found = ctypes.CDLL(library).glFinish
        except (OSError, AttributeError):
            continue
        found.argtypes, found.restype = [], None
        return found
    return None


def forget(surface: Surface) -> None:
    """A surface that is being closed is no longer current."""
    if _holders.current is surface:
        leave()


def _aim(surface: Surface) -> None:
    if _holders.current is surface:
        return
    if _holders.current is not None:
        # A window on GLX and a context on EGL: the first must let go before the second may come.
        _holders.current.release_current()
    surface.make_current()
    _holders.current = surface


class Offscreen:
    """A surface without a window. Owns an EGL context; close it."""

    def __init__(self, size: tuple[int, int]) -> None:
        """Open a context; raises ScreenError when the machine has no EGL."""
        self.size, self.should_close = size, False
        leave()
        try:
            self.context = moderngl.create_context(require=330, standalone=True, **EGL)
        except Exception as error:  # moderngl raises bare Exception for whatever the driver says
            raise ScreenError(
                "offscreen OpenGL", str(error), "EGL with OpenGL 3.3", PACKAGES
            ) from error
        self._closed = False
        _holders.current = self

    def make_current(self) -> None:
        """Aim the thread's OpenGL calls here."""
        self.context.__enter__()

    def release_current(self) -> None:
        """Aim the thread's OpenGL calls at nothing."""
        self.context.__exit__(None, None, None)

    def present(self, picture: moderngl.Texture) -> None:
        """Nothing to show: the picture is read back by whoever wants it."""

    def keys(self) -> list[str]:
        """Nobody has a keyboard here."""
        return []

    def stay(self) -> None:
        """Nobody closes what cannot be seen."""

    def stay_awake(self) -> None:
        """No display."""

    def close(self) -> None:
        """Give the context back."""
        if not self._closed:
            self._closed = True
            forget(self)
            self.context.release()
