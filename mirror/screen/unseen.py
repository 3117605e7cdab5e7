"""No screen at all: for a replay that only proves the river, and so needs no OpenGL.

In: what a ``Screen`` is given. Out: nothing. The show's thread.
"""

from __future__ import annotations

from mirror.closeable import Closeable
from mirror.settings import ScreenSettings
from mirror.signals import Bytes, Scene
from mirror.site.keystone import picture_size


class Unseen(Closeable):
    """Has the format of a ``Screen``, and shows nothing."""

    renderer = "nothing drawn"
    software = should_close = False
    failures = 0

    def __init__(self, size: tuple[int, int], settings: ScreenSettings) -> None:
        """size: of the screen that there would be, pixels."""
        width, height = picture_size(size, settings.turn_deg)
        self.aspect = width / height

    def varnish(self, texture: Bytes, slot: int) -> Bytes:
        """The painting as it is."""
        return texture

    def hang(self, slot: int, varnished: Bytes, at_once: bool = False) -> None:
        """A painting that nobody will see."""

    def present(self, scene: Scene) -> bool:
        """Nothing is presented."""
        return False

    def picture(self) -> Bytes:
        """There is none."""
        raise AssertionError("nothing is drawn, so there is no picture")

    def glimpse(self, width: int) -> Bytes:
        """Nor a smaller one."""
        return self.picture()

    def keys(self) -> list[str]:
        """No keys."""
        return []

    def stay(self) -> None:
        """There is no window to stay."""

    def stay_awake(self) -> None:
        """Nor a display to wake."""

    def close(self) -> None:
        """Nothing is held."""
