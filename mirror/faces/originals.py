"""Nobody's portrait: what is painted keeps away from everybody that a school has learnt from.

In: appearance codes. Out: the same, and those that came too near a training portrait pushed away
from it, straight on, until they are as far from it as two portraits of different people are from
one another. Far from them nothing changes, and a walk stays a walk. Pure numpy.
"""

from __future__ import annotations

import numpy as np

from mirror.exact import Doubles
from mirror.signals import Floats

#: Whoever was pushed away from one may have come too near to another.
_ROUNDS = 4
#: Side at which portraits are compared: who it is, not how it is painted.
COMPARED_PX = 32


class Originals:
    """The portraits that a school has learnt from, and how near nobody comes to them."""

    def __init__(self, codes: Floats, mean: Floats, components: Floats, apart: float) -> None:
        """codes: (N, 48) float32, of the portraits and of their mirror images. mean: (4, S, S)
        float32, RGB and straight alpha in [0, 1]. components: (48, 4, S, S), what one of each code
        adds to it; S a multiple of 32. apart: least distance of a sketch from theirs, root mean
        square over colours on black at 32 pixels; 0 lets them be copied."""
        self.apart = apart
        self._codes = np.asarray(codes, np.float64)
        # The colours that are seen are colour times alpha; of this what changes at the mean.
        seen = components[:, :3] * mean[3] + mean[:3] * components[:, 3:]
        step = seen.shape[-1] // COMPARED_PX
        shape = (len(seen), 3, COMPARED_PX, step, COMPARED_PX, step)
        small = seen.reshape(shape).mean(axis=(3, 5)).reshape(len(seen), -1).astype(np.float64)
        self._metric = small @ small.T / small.shape[1]  # (48, 48)

    def distances(self, codes: Floats | Doubles) -> Doubles:
        """From every original, as their sketches are seen.  (B, 48) -> (B, N) float64"""
        away = np.asarray(codes, np.float64)[:, None] - self._codes  # (B, N, 48)
        return np.sqrt(np.maximum(np.sum((away @ self._metric) * away, axis=2), 0.0))

    def keep_apart(self, codes: Floats) -> Floats:
        """Codes (B, 48) float32, none nearer than ``apart`` to any original."""
        if self.apart <= 0:
            return codes
        moved = np.array(codes, np.float64)
        each = np.arange(len(moved))
        for _ in range(_ROUNDS):
            away = self.distances(moved)
            nearest = away.argmin(axis=1)
            near = away[each, nearest]
            if bool((near >= self.apart).all()):
                break
            further = np.maximum(1.0, self.apart / np.maximum(near, 1e-9))[:, None]
            moved = self._codes[nearest] + further * (moved - self._codes[nearest])
        return np.asarray(moved, np.float32)
