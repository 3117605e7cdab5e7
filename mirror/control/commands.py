"""What may be asked of a running show: words with their limits, and the box that they wait in.

In: a word and a value, from a key or from a network. Out: a ``Command`` that is allowed, or a
SettingsError that says what is. The box may be filled by any thread; the show empties it at the
border between two pictures. It holds the newest command of each word, so it can never grow.
"""

from __future__ import annotations

import math
import threading
from dataclasses import dataclass
from typing import Any

from mirror.errors import SettingsError
from mirror.settings import RiverSettings, Settings
from mirror.site.site import checked

#: What stands for yes and no where a switch is meant.
YES, NO = ("on", "true", "yes", "1"), ("off", "false", "no", "0")
#: ``hours``: as the site's opening hours say.
OPENING = ("open", "closed", "hours")
ON_OR_OFF = "on or off, true or false, 1 or 0"

#: Every word, in the order in which they are told, with what it does.
WORDS = {
    "piece": "river, uncanny or passersby; the light goes down for the change",
    "brightness": "0 to 1, a share of the site's own brightness",
    "pause": "look away: nobody is seen while it is on",
    "black": "the picture is dark",
    "freeze": "the picture stands still, and the piece's time with it",
    "opening": "open, closed, or hours: as the site's opening hours say",
    "seed": "0 to 2147483647: another river, from its source",
    "half-life": "0.1 to 1000000 seconds until half of a visit has faded",
}


@dataclass(frozen=True)
class Command:
    """name: one of ``WORDS``. value: of the type that the word takes, within its limits."""

    name: str
    value: Any


def command(name: str, value: Any, place: str = "") -> Command:
    """A command that is allowed; raises SettingsError that names ``place`` or the word."""
    place = place or name
    if name in ("pause", "black", "freeze"):
        return Command(name, _switch(place, value))
    if name == "brightness":
        return Command(name, _share(place, value))
    if name == "opening":
        if value not in OPENING:
            raise SettingsError(place, _told(value), ", ".join(OPENING))
        return Command(name, value)
    if isinstance(value, float) and name == "seed" and value.is_integer():
        value = int(value)  # many consoles send every number as a float
    if name == "half-life":
        return Command(name, checked(place, RiverSettings, "fade_half_life_s", value))
    if name in ("piece", "seed"):
        return Command(name, checked(place, Settings, name, value))
    raise SettingsError(place, "unknown word", ", ".join(WORDS))


def _switch(place: str, value: Any) -> bool:
    """True or false from a console's button, toggle, fader or text."""
    if isinstance(value, str) and value.lower() in YES + NO:
        return value.lower() in YES
    if isinstance(value, (bool, int, float)) and value in (0, 1):
        return bool(value)
    raise SettingsError(place, _told(value), ON_OR_OFF)


def _share(place: str, value: Any) -> float:
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not number or not math.isfinite(value) or not 0 <= value <= 1:
        raise SettingsError(place, _told(value), "a number from 0 to 1")
    return float(value)


def _told(value: Any) -> str:
    """A value as it was found, on one short line."""
    return ascii(value)[:60]


class Inbox:
    """Commands that wait for the show: the newest of each word, in the order they came."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: dict[str, Command] = {}

    def put(self, command: Command) -> None:
        """Any thread: the show will hear it before its next picture."""
        with self._lock:
            self._waiting.pop(command.name, None)
            self._waiting[command.name] = command

    def take(self) -> list[Command]:
        """The show's thread: what has come since the last time."""
        if not self._waiting:
            return []
        with self._lock:
            waiting, self._waiting = self._waiting, {}
            return list(waiting.values())
