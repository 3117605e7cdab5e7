"""What is asked of the show right now, and how light it is: commands come in, changes go out.

A change that would be seen as a cut (another piece, another river) waits until the light has gone
down, and then comes up with it. In: commands and the time. Out: the commands to carry out before
the next picture. The show's thread; ``standing`` may be read by any.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from mirror.control.commands import Command, Inbox

#: The light goes from full to dark, or back, in so long.
FALL_S = 1.2
#: A change of these is made in the dark.
IN_THE_DARK = ("piece", "seed")


@dataclass(frozen=True)
class Standing:
    """What stands: the last value of each word that was carried out, or is being so."""

    piece: str
    seed: int
    half_life_s: float
    brightness: float = 1.0
    pause: bool = False
    black: bool = False
    freeze: bool = False
    opening: str = "hours"

    def told(self) -> dict[str, object]:
        """By the words that commands have."""
        fields = dataclasses.asdict(self)
        return {name.replace("half_life_s", "half-life"): each for name, each in fields.items()}


class Conductor:
    """light: 0 to 1, a share of the site's brightness, for the next picture."""

    def __init__(self, standing: Standing) -> None:
        self.inbox = Inbox()
        self.standing = standing
        self.light = 1.0
        self.closed = False  # as the porter says
        self._at_s: float | None = None
        self._waiting: dict[str, Command] = {}

    def due(self, now_s: float) -> list[Command]:
        """Let the light go on to now; returns what is to be carried out before the next picture."""
        due = [each for command in self.inbox.take() for each in self._heard(command)]
        self._move(now_s)
        if self._waiting and self.light <= 0.0 and not self.standing.freeze:
            due += self._waiting.values()
            self._waiting = {}
        return due

    def told(self) -> dict[str, object]:
        """What stands now, by word; any thread may ask."""
        return self.standing.told()

    def stands(self, command: Command) -> None:
        """A command was carried out."""
        name = command.name.replace("half-life", "half_life_s")
        self.standing = dataclasses.replace(self.standing, **{name: command.value})

    def _heard(self, command: Command) -> list[Command]:
        """Keep a command, or give it on."""
        if command.name in IN_THE_DARK:
            self._waiting.pop(command.name, None)
            if getattr(self.standing, command.name) != command.value:
                self._waiting[command.name] = command
            return []
        return [command]

    def _move(self, now_s: float) -> None:
        changing = bool(self._waiting) and not self.standing.freeze
        dark = self.standing.black or self.closed or changing
        wanted = 0.0 if dark else self.standing.brightness
        if self._at_s is None:
            self._at_s, self.light = now_s, wanted
        most = max(0.0, now_s - self._at_s) / FALL_S
        self._at_s = now_s
        self.light += min(most, max(-most, wanted - self.light))
