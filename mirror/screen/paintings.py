"""The paintings that portraits wear: texture arrays, two layers for each slot, cross-faded.

In: textures as the models paint them (straight alpha). Out: arrays on the graphics card, and for
each slot how far the newest painting has come through. Every painting is kept in three sizes, so
that a small portrait does not glitter.

The thread that owns the OpenGL context.
"""

from __future__ import annotations

import cv2
import moderngl
import numpy as np
import numpy.typing as npt

from mirror.canonical import Mesh
from mirror.screen.contexts import give_back
from mirror.screen.reach import Reach
from mirror.screen.varnishing import SIDE, Varnisher
from mirror.signals import Bytes, Floats, check

SIDES = (SIDE, SIDE // 2, SIDE // 4)


class Paintings:
    """Two layers for each slot, in three sizes. Owns textures; release them.

    Layer ``2 * slot + k``: one of the two holds the newest painting, the other the one before.
    """

    def __init__(
        self, context: moderngl.Context, mesh: Mesh, slots: int, cross_fade_s: float, reach: Reach
    ) -> None:
        self.slots, self.cross_fade_s = slots, cross_fade_s
        self.arrays = [context.texture_array((side, side, 2 * slots), 4) for side in SIDES]
        for array in self.arrays:
            array.repeat_x = array.repeat_y = False
            array.filter = moderngl.LINEAR, moderngl.LINEAR
        self._shown: dict[int, tuple[Bytes, Bytes]] = {}  # before, newest; premultiplied
        self._since_s = np.full(slots, -np.inf)
        self._newest = np.zeros(slots, np.int32)
        self._reach, self._varnisher = reach, Varnisher(mesh)
        self._reaches = np.zeros((slots, 2, 36), np.int64)  # of both layers

    def varnish(self, texture: Bytes, slot: int) -> Bytes:
        """What a painting needs before it is hung; any thread may do it.

        texture: (256, 256, 4) uint8 RGBA, straight alpha. Returns it premultiplied.
        """
        check("texture", texture, (SIDE, SIDE, 4), np.uint8)
        return self._varnisher.prepare(texture, slot)

    def hang(self, slot: int, newest: Bytes, time_s: float, at_once: bool = False) -> None:
        """Take the newest painting of a slot, varnished.

        It comes through over cross_fade_s, starting from what is seen now, be that half way
        between two others. The first painting of a slot comes out of nothing. at_once: it is
        there already.
        """
        check("painting", newest, (SIDE, SIDE, 4), np.uint8)
        seen = self._seen(slot, time_s)
        if seen is None:
            seen = np.zeros_like(newest) if self.cross_fade_s > 0 else newest
            self._write(slot, int(self._newest[slot]), seen)
        elif self._shown[slot][1] is not seen:
            self._write(slot, int(self._newest[slot]), seen)
        self._newest[slot] = 1 - self._newest[slot]
        self._write(slot, int(self._newest[slot]), newest)
        self._shown[slot] = seen, newest
        self._since_s[slot] = time_s - (self.cross_fade_s if at_once else 0.0)

    def progress(self, time_s: float) -> Floats:
        """(slots,) float32: how far the newest painting of each slot has come through, 0 to 1."""
        if self.cross_fade_s <= 0:
            return np.ones(self.slots, np.float32)
        part = np.clip((time_s - self._since_s) / self.cross_fade_s, 0, 1)
        return (part * part * (3 - 2 * part)).astype(np.float32)

    def layers(self) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]]:
        """(slots,) int32 each: the layer of the painting before and of the newest."""
        first = 2 * np.arange(self.slots, dtype=np.int32)
        return first + 1 - self._newest, first + self._newest

    def reach(self, slot: npt.NDArray[np.int32], progress: Floats) -> npt.NDArray[np.int64]:
        """How many steps outwards there is paint, see ``reach.py``: (S,) slots and how far their
        newest paintings have come through -> (S, 36)."""
        newest = self._reaches[slot, self._newest[slot]]
        before = self._reaches[slot, 1 - self._newest[slot]]
        return np.where(progress[:, None] < 1, np.maximum(newest, before), newest)

    def painted(self) -> npt.NDArray[np.bool_]:
        """(slots,) bool: which slots have ever been painted."""
        return np.isfinite(self._since_s)

    def newest(self) -> dict[int, Bytes]:
        """The newest painting of each slot that has one, varnished."""
        return {slot: newest for slot, (_, newest) in self._shown.items()}

    def release(self) -> None:
        """Give everything back."""
        give_back(
            *self.arrays,
        )

    def _seen(self, slot: int, time_s: float) -> Bytes | None:
        """What the slot shows at this time, premultiplied; None if it was never painted."""
        if slot not in self._shown:
            return None
        before, newest = self._shown[slot]
        part = float(self.progress(time_s)[slot])
        if part >= 1.0:
            return newest
        return np.asarray(cv2.addWeighted(before, 1 - part, newest, part, 0), np.uint8)

    def _write(self, slot: int, which: int, premultiplied: Bytes) -> None:
        picture = premultiplied
        for side, array in zip(SIDES, self.arrays):
            if picture.shape[0] != side:
                picture = np.asarray(
                    cv2.resize(picture, (side, side), interpolation=cv2.INTER_AREA)
                )
            array.write(picture.tobytes(), viewport=(0, 0, 2 * slot + which, side, side, 1))
        self._reaches[slot, which] = self._reach.measure(picture)
