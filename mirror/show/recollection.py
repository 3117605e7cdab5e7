"""What a show has to do with the river that was saved: it looks at it, takes it up, and saves its
own.

In: the plan's state file, if there is one. Out: at first the saved portraits standing still, drawn
from sketches, then the river itself as soon as the models are there; from then on it is saved about
once a second. A river that cannot be taken up is one line in the log. The show's thread.
"""

from __future__ import annotations

import contextlib
import dataclasses
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from typing import Any

import numpy as np

from mirror.canonical import Mesh
from mirror.control.commands import Command, command
from mirror.errors import SettingsError, StateError
from mirror.memory.memory import EVERY_S, Kept, Memory, kept, read, taken_up
from mirror.memory.sketches import LIKE, Sketches, Still
from mirror.pieces import PIECES, Moment
from mirror.pieces.arrangement import nothing
from mirror.places import weights_folder
from mirror.river.river import RiverState
from mirror.river.source import Density
from mirror.settings import Settings
from mirror.show.plan import Plan
from mirror.signals import Bytes, Floats, Portraits
from mirror.watch.alone import alone

log = logging.getLogger(__name__)

#: Sketches hung for one picture, just after a restart: each costs two milliseconds.
AT_ONCE = 8


class Recollection:
    """One for a run. time_s, newest_id: of what was saved; 0 when nothing was. settings: the
    plan's, with what show control had asked for since, if site and flags still ask for the same.
    standing: that, as commands."""

    def __init__(self, plan: Plan, weights: Mapping[str, str], stack: ExitStack) -> None:
        """Raises SettingsError when another program holds the file."""
        self._plan, self._weights, self._stack = plan, weights, stack
        self._memory: Memory | None = None
        self._kept: Kept | None = None
        self._still: Still | None = None
        self._sketches: Sketches | None = None
        self._sketched: dict[int, Floats] = {}
        self._due_s = 0.0
        self.settings = plan.settings
        self.standing: tuple[Command, ...] = ()
        self._asked = asked(plan.settings)
        path = plan.options.state
        if path is None:
            return
        stack.enter_context(alone(path))
        try:
            self._kept = read(path)
            if self._kept is not None:
                self._check(self._kept)
                self._still = None if plan.stepped else Still(self._kept, plan.settings.river)
        except StateError as error:
            self._kept = None
            log.warning("the river begins anew: %s", error)
        if self._kept is not None and dict(self._kept.asked) == self._asked:
            self.standing = tuple(_commands(self._kept.standing))
            self.settings = _with(plan.settings, self.standing)
        self.time_s = self._kept.time_s if self._kept else 0.0
        self.newest_id = self._kept.newest_id if self._kept else 0
        self._memory = stack.enter_context(Memory(path))

    time_s = 0.0
    newest_id = 0

    @property
    def stands_still(self) -> bool:
        """Whether there are saved portraits to be seen until the models are there."""
        return self._still is not None

    def river(self, densities: Sequence[Density], seed: int, aspect: float) -> RiverState | None:
        """The river as it was saved; None when there is none that can be taken up."""
        memory, self._kept = self._kept, None
        if memory is None:
            return None
        try:
            return taken_up(memory, self.settings.river, densities, seed, aspect)
        except StateError as error:
            log.warning("the river begins anew: %s", error)
            return None

    def is_due(self, time_s: float) -> bool:
        """Whether the river is to be saved again. time_s: the piece's."""
        return self._memory is not None and time_s >= self._due_s

    def keep(
        self, river: RiverState, time_s: float, newest_id: int, standing: Mapping[str, Any]
    ) -> None:
        """Save the river, where there is a file for it. standing: what show control has asked
        for, by the words of ``commands``."""
        if self._memory is None:
            return
        self._due_s = time_s + EVERY_S
        self._memory.keep(kept(river, time_s, newest_id, self._weights, standing, self._asked))

    def close(self) -> None:
        """Wait until what was kept last is on the disk."""
        if self._memory is not None:
            self._memory.close()

    def portraits(
        self, time_s: float, aspect: float, mesh: Mesh, varnish: Callable[[Bytes, int], Bytes]
    ) -> Portraits:
        """Until the models are there: the portraits that were saved, standing where they were."""
        still, settings = self._still, self.settings
        if still is None:
            return nothing(len(mesh.rest))
        moment = Moment(
            time_s, aspect, still.stream, still.place, still.latent, still.turbulence, (), mesh,
            settings.seed,
        )  # fmt: skip
        arrangement = PIECES[settings.piece](moment)
        if self._sketches is None:
            seen = np.zeros(len(still.stream))
            seen[arrangement.parcel] = arrangement.portraits.opacity
            order = np.argsort(-seen, kind="stable").tolist()
            folder = weights_folder(settings.faces.weights)
            self._sketches = Sketches(folder, still, order, mesh.frame, varnish)
            self._stack.callback(self._sketches.close)
        return arrangement.portraits

    def sketches(self, sketched: Callable[[int, Floats], bool] | None) -> list[tuple[int, Bytes]]:
        """Slot and texture of sketches to hang now, where no painting hangs yet.

        sketched: ``Wishes.sketched``, once there is somebody who paints.
        """
        if self._sketches is None:
            return []
        ready = []
        for slot, code, texture in self._sketches.take(AT_ONCE):
            self._sketched[slot] = LIKE * code
            if sketched is None or sketched(slot, self._sketched[slot]):
                ready.append((slot, texture))
        return ready

    def hand_over(self, sketched: Callable[[int, Floats], bool]) -> None:
        """Tell whoever paints from now on what hangs already."""
        for slot, code in self._sketched.items():
            sketched(slot, code)

    def _check(self, memory: Kept) -> None:
        """Hold the saved river to the models that are there now; raises StateError."""
        # A damaged model may have been mended since, or the other way round: the others decide.
        if any(memory.weights.get(name, sha) != sha for name, sha in self._weights.items()):
            raise StateError("the saved river", "of other models", "one of these models")


def asked(settings: Settings) -> dict[str, Any]:
    """What the site and the flags ask for, of what show control may ask too."""
    return {
        "piece": settings.piece,
        "seed": settings.seed,
        "half-life": settings.river.fade_half_life_s,
    }


def _commands(standing: Mapping[str, Any]) -> Iterator[Command]:
    """What was saved, as commands that are allowed; what is not is left out."""
    for name, value in standing.items():
        with contextlib.suppress(SettingsError):
            yield command(name, value)


def _with(settings: Settings, standing: Sequence[Command]) -> Settings:
    """The settings as show control had changed them."""
    values = {each.name: each.value for each in standing}
    half_life_s = values.get("half-life", settings.river.fade_half_life_s)
    return dataclasses.replace(
        settings,
        piece=values.get("piece", settings.piece),
        seed=values.get("seed", settings.seed),
        river=dataclasses.replace(settings.river, fade_half_life_s=half_life_s),
    )
