"""Who steers the show: keys, show control and the opening hours.

In: keys, and commands that wait in the conductor's inbox. Out: settings, and parts of the rig,
changed between two pictures. The show's thread.
"""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Callable, Iterable
from typing import Any

from mirror.control.commands import Command, command
from mirror.control.conductor import IN_THE_DARK, Conductor, Standing
from mirror.control.porter import Porter
from mirror.show.rig import Rig
from mirror.watch.heartbeat import supervised

log = logging.getLogger(__name__)


class Steering:
    """settings: as they are now. ended_by: who ends the show. overlay: the stages are shown.
    paused: nobody is looked at. dark: closed, and nothing is to be seen."""

    def __init__(self, rig: Rig) -> None:
        self._rig = rig
        settings = self.settings = rig.recollection.settings
        self.conductor = Conductor(
            Standing(settings.piece, settings.seed, settings.river.fade_half_life_s)
        )
        self.porter = Porter(settings.hours)
        self.stopping = self.overlay = self.paused = self.dark = False
        self.ended_by = ""
        self._carries_out: dict[str, Callable[[Any], None]] = {
            "pause": self._pause,
            "freeze": self._freeze,
            "half-life": self._fade,
            "piece": self._play,
            "seed": self._spring,
        }
        for each in rig.recollection.standing:
            if each.name not in IN_THE_DARK:  # those are in the settings already
                self.conductor.inbox.put(each)

    def stop(self, by: str) -> None:
        """End after the picture in work; any thread may ask."""
        self.stopping, self.ended_by = True, by

    @property
    def rests(self) -> bool:
        """Whether nothing moves, on purpose."""
        return self._rig.time.stands or self.dark

    @property
    def opening(self) -> str:
        """In a word."""
        return "open" if self.porter.open else "closed" if self.dark else "closing"

    @property
    def standing(self) -> dict[str, object]:
        """What show control has asked for, to be taken up after a restart."""
        standing = self.conductor.standing
        return {**standing.told(), "piece": self.porter.by_day(standing.piece)}

    def heed_keys(self, keys: Iterable[str]) -> None:
        """Do what was pressed. keys: see ``screen.window``."""
        for key in keys:
            if key == "quit":
                self.stop("key")
            elif key == "close":
                self._close_window()
            elif key == "overlay":
                self.overlay = not self.overlay
            elif key == "still":
                self._rig.outputs.want_still()
            elif key == "pause":
                self.conductor.inbox.put(command("pause", not self.paused))

    def heed_hours(self) -> None:
        """Open and close."""
        conductor, standing = self.conductor, self.conductor.standing
        piece = self.porter.look(self._rig.clock.now_s(), standing.opening, standing.piece)
        if piece != standing.piece:
            conductor.inbox.put(command("piece", piece))
        if self.porter.dark != conductor.closed:
            conductor.closed = self.porter.dark
            if not self._rig.pulse.newest.pictures:  # begun when closed: not one bright picture
                conductor.light = 0.0
            self._look_away()
        self.dark = conductor.closed and conductor.light <= 0.0

    def heed_commands(self) -> None:
        """Carry out what was asked for."""
        for asked in self.conductor.due(self._rig.clock.now_s()):
            if self._is_refused(asked):
                log.warning("%s stays as it is while a session is recorded or replayed", asked.name)
                continue
            if asked.name in self._carries_out:  # the others are the conductor's own
                self._carries_out[asked.name](asked.value)
            self.conductor.stands(asked)

    def _is_refused(self, asked: Command) -> bool:
        fixed = self._rig.recording.on or self._rig.plan.proves
        return fixed and asked.name in ("seed", "half-life")

    def _pause(self, paused: bool) -> None:
        self.paused = paused
        self._look_away()

    def _freeze(self, frozen: bool) -> None:
        self._rig.audience.delay(self._rig.time.freeze(frozen))

    def _fade(self, half_life_s: float) -> None:
        river = dataclasses.replace(self.settings.river, fade_half_life_s=half_life_s)
        self.settings = dataclasses.replace(self.settings, river=river)

    def _play(self, piece: str) -> None:
        """A piece that needs nobody looks at nobody; another one needs eyes."""
        self.settings = dataclasses.replace(self.settings, piece=piece)
        self._rig.pulse.note(piece=piece)
        if piece != "passersby" and self._rig.audience.admit(self.settings):
            self._rig.course.begin_session()
        self._look_away()

    def _spring(self, seed: int) -> None:
        self.settings = dataclasses.replace(self.settings, seed=seed)
        models = self._rig.loading.result() if self._rig.course.river is not None else None
        if models is not None:
            self._rig.course.spring_anew(models, self.settings)

    def _look_away(self) -> None:
        """Look at nobody while that is asked for, closed, or no use to the piece."""
        closed = self.conductor.closed or self.settings.piece == "passersby"
        self._rig.audience.eyes.pause(self.paused or closed)

    def _close_window(self) -> None:
        """The window was closed with the mouse; a show that is supervised stays."""
        if supervised():
            log.warning("the window was asked to close: it stays; the key is Esc")
            self._rig.screen.stay()
        else:
            self.stop("window")
