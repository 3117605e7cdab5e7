"""The first paintings after a restart: the saved portraits again, before torch has been loaded.

In: what was saved of the river. Out: where its portraits were, and linear sketches of them, made
by numpy from the models' own files. torch takes two seconds to come; a visitor who is there must
not look at empty water meanwhile. One thread sketches, the best seen first; the show's thread asks.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import numpy as np
from safetensors.numpy import load as load_arrays

from mirror import SCHOOLS
from mirror.canonical import Frame
from mirror.cards import read_weights
from mirror.errors import StateError, WeightsError
from mirror.latents.latents import CODE, WIDTH
from mirror.lines import drawn
from mirror.memory.memory import Kept
from mirror.river.streams import bed
from mirror.settings import RiverSettings
from mirror.signals import Bytes, Floats

log = logging.getLogger(__name__)

TEXTURE_PX = 256
#: A sketch counts as a painting that is this far from what is wanted: it is painted anew in time.
LIKE = 0.85


class Sketcher:
    """Linear sketches of one school, as its model paints them before they are finished. They hang
    for a second or two: nothing is kept away from the training portraits yet."""

    def __init__(self, folder: Path, school: str, frame: Frame) -> None:
        """Raises WeightsError, KeyError or ValueError for a model that cannot be used."""
        card, stored = read_weights(folder, school)
        tensors = load_arrays(stored)
        components = tensors["components"]  # (48, 128, 128, 4)
        self._components = components.reshape(len(components), -1).astype(np.float32)
        self._scale = tensors["component_scale"].astype(np.float32)
        self._mean = tensors["mean_texture"].astype(np.float32)
        self._side = components.shape[1]
        self._lined = drawn(frame, card.get("line", 0.0))[..., None]
        self._low, self._high = float(card["shell"]["low"]), float(card["shell"]["high"])

    def sketch(self, codes: Floats) -> Bytes:
        """Codes (B, 48) -> (B, 256, 256, 4) uint8, straight alpha."""
        norm = np.linalg.norm(codes, axis=1, keepdims=True)
        held = codes * (np.clip(norm, self._low, self._high) / np.maximum(norm, 1e-6))
        flat = (held * self._scale).astype(np.float32) @ self._components
        large = [cv2.resize(each, (TEXTURE_PX, TEXTURE_PX)) for each in
                 flat.reshape(len(codes), self._side, self._side, 4)]  # fmt: skip
        made = np.clip(self._mean + 255.0 * np.stack(large), 0, 255)
        made[..., :3] *= self._lined
        return np.round(made).astype(np.uint8)


class Still:
    """A saved river that stands still: its streams, places, latents and turbulence."""

    def __init__(self, memory: Kept, settings: RiverSettings) -> None:
        """Raises StateError for a river of another size."""
        water = np.asarray(memory.arrays["water"], np.float32)
        if water.shape != (settings.parcels, WIDTH + 1 + settings.visit_slots):
            raise StateError("the saved river", str(water.shape), "one of this site's size")
        self.stream = bed(settings.parcels).stream
        self.place = np.asarray(memory.arrays["place"])
        self.latent = water[:, :WIDTH]
        self.turbulence = np.asarray(memory.arrays["turbulence"], np.float32)


class Sketches:
    """Sketches on their way. ``take`` gives those that are ready; close it."""

    def __init__(
        self, folder: Path, still: Still, order: Sequence[int], frame: Frame,
        varnish: Callable[[Bytes, int], Bytes],
    ) -> None:  # fmt: skip
        """order: slots, the best seen first."""
        self._folder, self._still, self._order, self._varnish = folder, still, order, varnish
        self._frame = frame
        self._ready: list[tuple[int, Floats, Bytes]] = []
        self._lock = threading.Lock()
        self._closing = False
        self._thread = threading.Thread(target=self._run, name="sketches", daemon=True)
        self._thread.start()

    def take(self, most: int) -> list[tuple[int, Floats, Bytes]]:
        """Slot, code and varnished texture of sketches not yet taken."""
        with self._lock:
            taken, self._ready = self._ready[:most], self._ready[most:]
            return taken

    def close(self) -> None:
        """Sketch no more."""
        self._closing = True
        self._thread.join(timeout=5)

    def _run(self) -> None:
        try:
            self._sketch_all()
        except Exception as error:  # noqa: BLE001 - without sketches there are paintings, later
            log.warning("no sketches of the saved river: %s", error)

    def _sketch_all(self) -> None:
        sketchers: dict[int, Sketcher | None] = {}
        for slot in self._order:
            if self._closing:
                return
            stream = int(self._still.stream[slot])
            if stream not in sketchers:
                sketchers[stream] = self._sketcher(SCHOOLS[stream])
            if (sketcher := sketchers[stream]) is None:
                continue
            code = self._still.latent[slot, CODE].copy()
            texture = self._varnish(sketcher.sketch(code[None])[0], slot)
            with self._lock:
                self._ready.append((slot, code, texture))

    def _sketcher(self, school: str) -> Sketcher | None:
        """None for a damaged model: the stage of faces tells of it."""
        try:
            return Sketcher(self._folder, school, self._frame)
        except WeightsError:
            return None
