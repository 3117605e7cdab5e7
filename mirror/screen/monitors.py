"""Monitors by name: what is plugged in, which one is meant, and whether that has changed.

The main thread, as every window system wants it, after glfw has begun.
"""

from __future__ import annotations

from ctypes import addressof
from dataclasses import dataclass
from typing import Any

import glfw

from mirror.errors import ScreenError
from mirror.screen.edid import identities, list_edids
from mirror.screen.spanning import Area, around, names


@dataclass(frozen=True)
class MonitorFacts:
    """name: by which a site file means it. plug: the window system's own name. place, size: its
    part of the desktop, pixels. size_mm: what it says of itself, (0, 0) if nothing."""

    name: str
    plug: str
    place: tuple[int, int]
    size: tuple[int, int]
    size_mm: tuple[int, int]
    rate_hz: int

    def __str__(self) -> str:
        """One line for a list."""
        (x, y), (width, height), (wide, high) = self.place, self.size, self.size_mm
        mode = f"{width}x{height} at {self.rate_hz} Hz"
        plug = f" in {self.plug}" if self.plug != self.name else ""
        return f"{self.name}{plug}: {mode}, {wide}x{high} mm, at {x},{y} of the desktop"


class Monitors:
    """The monitors of this computer, and the news of them."""

    def __init__(self) -> None:
        # One callback for all: glfw keeps the last, and each window asks what it missed.
        glfw.set_monitor_callback(_hear)
        self._heard = _news[0]

    def changed(self) -> bool:
        """Whether a monitor came or went since the last call."""
        before, self._heard = self._heard, _news[0]
        return before != self._heard

    def named(self) -> dict[str, Any]:
        """Name -> monitor, from the left: what a monitor says of itself where that is sure, else
        the name of its plug.
        """
        plugs = self.plugs()
        sizes = {name: glfw.get_monitor_physical_size(each) for name, each in plugs.items()}
        told = identities(sizes, list_edids())
        found = {told.get(name, name): monitor for name, monitor in plugs.items()}
        _known.update(found, plugs)
        return found

    def plugs(self) -> dict[str, Any]:
        """The window system's name -> monitor, from the left.

        Two monitors may share a name there: ``NAME#2`` is the second of them.
        """
        found: dict[str, Any] = {}
        for monitor in sorted(glfw.get_monitors(), key=glfw.get_monitor_pos):
            own = text(glfw.get_monitor_name(monitor))
            number = 1 + sum(1 for known in found if known.split("#")[0] == own)
            found[own if number == 1 else f"{own}#{number}"] = monitor
        return found

    def name_of(self, monitor: Any) -> str:
        """The name by which a site file means a monitor; '' for none."""
        return next((name for name, known in self.named().items() if _same(known, monitor)), "")

    def find(self, name: str) -> Any:
        """The monitor of that name ('' is the first); raises ScreenError with the names there are.

        None for '' where there is none at all, and for one that was there before and is not now: it
        is waited for.
        """
        if not name:
            monitors = glfw.get_monitors()
            return monitors[0] if monitors else None
        named = self.named()
        found = {**self.plugs(), **named}
        if name in _known and name not in found:
            return None
        if name not in found:
            raise ScreenError(
                "screen.monitor", repr(name), ", ".join(named) or "no monitor is connected"
            )
        return found[name]

    def area(self, setting: str) -> Area | None:
        """What a setting that means several monitors covers; see ``spanning.py``.

        Those that were there before and are not now are left out; None if none is left. Raises
        ScreenError with the names there are.
        """
        found = [self.find(name) for name in names(setting, list(self.named()))]
        areas = [area_of(monitor) for monitor in found if monitor]
        return around(areas) if areas else None

    def at(self, place: tuple[int, int]) -> Any:
        """The monitor that a window's corner lies on; None if none."""
        for monitor in glfw.get_monitors():
            x, y, width, height = area_of(monitor)
            if x <= place[0] < x + width and y <= place[1] < y + height:
                return monitor
        return None


def area_of(monitor: Any) -> Area:
    """Where a monitor lies on the desktop."""
    size = glfw.get_video_mode(monitor).size
    return *glfw.get_monitor_pos(monitor), size.width, size.height


def _same(one: Any, other: Any) -> bool:
    """Whether two of glfw's pointers point to one monitor: each call makes new ones."""
    return bool(one and other) and addressof(one.contents) == addressof(other.contents)


#: The names of all monitors that this program has seen.
_known: set[str] = set()
#: How often monitors came or went.
_news = [0]


def _hear(monitor: Any, event: int) -> None:
    _news[0] += 1


def list_monitors() -> list[MonitorFacts]:
    """What is plugged in, from the left; begins glfw and ends it. Raises ScreenError."""
    if not glfw.init():
        raise ScreenError("monitors", "no display can be opened", "a desktop", "set DISPLAY")
    try:
        monitors = Monitors()
        both = zip(monitors.named().items(), monitors.plugs())
        return [_facts(name, plug, monitor) for (name, monitor), plug in both]
    finally:
        glfw.terminate()


def _facts(name: str, plug: str, monitor: Any) -> MonitorFacts:
    mode = glfw.get_video_mode(monitor)
    return MonitorFacts(
        name,
        plug,
        glfw.get_monitor_pos(monitor),
        (mode.size.width, mode.size.height),
        glfw.get_monitor_physical_size(monitor),
        mode.refresh_rate,
    )


def text(words: Any) -> str:
    """What glfw tells, as text."""
    return words.decode(errors="replace") if isinstance(words, bytes) else str(words)
