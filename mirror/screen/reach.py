"""How far out from the face a painting has any paint: the ground beyond it need not be drawn.

Most of a portrait's square is empty, and a processor pays for what is empty, too. So every ray of
the ground is cut where the paint on either side of it ends; whatever lies beyond is drawn together
into that point, where it has no area.

In: alpha of a painting, and live vertices. Out: the vertices as they are drawn. Pure numpy and
OpenCV; any thread.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from mirror import MARKERS
from mirror.canonical import RINGS, Ints, Mesh
from mirror.screen.lighter import RAYS
from mirror.screen.sheet import Grade
from mirror.signals import Bytes, Floats

SIDE = 64
#: From the oval of the face to the border of the square there are so many steps; every ring lies
#: on one of them.
STEPS = 100
#: Paint is looked for in bands of so many steps.
BAND = 4
#: Bands are drawn so much finer, and looked up in the middle of each pixel.
FINER = 4
#: Paint of no more than this, of 255, is not seen.
UNSEEN = 2
#: A vertex is told how far it faces, at most 1, and how far out it lies: this, times the steps.
TOLD = 2.0

Steps = npt.NDArray[np.int64]


class Reach:
    """Knows where the bands of the ground lie in a painting.

    outward: (V, 2) float32, how far each ring vertex goes in the painting with every step, other
    vertices nowhere. start: (V, 2) float32, where it sets out from: the oval; others stay where
    they are. Both in [0, 1] of the painting's side.
    """

    def __init__(self, mesh: Mesh, grades: tuple[Grade, ...]) -> None:
        oval = np.asarray(mesh.frame.oval, np.int64)
        rings = MARKERS + np.arange(len(RINGS) * RAYS, dtype=np.int64).reshape(len(RINGS), RAYS)
        self._loops = np.concatenate([oval[None], rings])  # (1 + 7, 36)
        inner, border = mesh.uv[oval], mesh.uv[rings[-1]]
        self.start, self.outward = mesh.uv.copy(), np.zeros_like(mesh.uv)
        self.start[rings], self.outward[rings] = inner, (border - inner) / STEPS
        self._bands, self._grades = draw_bands(inner, border), grades
        # Every step lies between two loops: the first of them, and how far it is to the second.
        self._at = np.array([0, *(round(STEPS * ring) for ring in RINGS)])
        self._from = np.clip(np.searchsorted(self._at, np.arange(STEPS + 1)) - 1, 0, None)
        beyond = np.arange(STEPS + 1) - self._at[self._from]
        self._part = (beyond / np.diff(self._at)[self._from]).astype(np.float32)

    def measure(self, small: Bytes) -> Steps:
        """How many steps outwards each sector has paint: (64, 64, 4) uint8 -> (36,), 0 to 100."""
        paint = cv2.dilate(small[:, :, 3], np.ones((3, 3), np.uint8)) > UNSEEN
        bands = STEPS // BAND
        found = np.bincount(self._bands[paint] + 1, minlength=1 + bands * RAYS)[1:]
        painted = found.reshape(bands, RAYS) > 0
        return np.asarray((painted * np.arange(1, bands + 1)[:, None]).max(axis=0) * BAND)

    def cut(self, rows: Floats, chosen: Steps, reach: Steps, grade: int) -> None:
        """Draw no ground where there is no paint.

        rows: (P, V or more, 4) float32, contiguous, places and how far they face, 0 to 1. Of the
        chosen rows (C,) the rings that this grade draws are changed in place: moved inwards, and
        TOLD for each step added to how far they face. reach: (C, 36) steps, of each chosen one.
        """
        drawn = self._grades[grade]
        sectors = reach.reshape(len(reach), -1, drawn.step).max(axis=2)  # (C, R), R = 36 / step
        needed = np.maximum(sectors, np.roll(sectors, 1, axis=1))  # either side of each ray
        rings = np.array(drawn.rings)
        steps = np.minimum(needed[:, None], self._at[rings + 1][:, None])  # (C, K, R)
        rays = np.arange(0, RAYS, drawn.step)
        first, part = self._from[steps], self._part[steps][..., None]
        start = chosen[:, None, None] * rows.shape[1]
        flat = rows.reshape(-1, 4)
        nearer = np.take(flat, start + self._loops[first, rays], axis=0)  # (C, K, R, 4)
        farther = np.take(flat, start + self._loops[first + 1, rays], axis=0)
        farther -= nearer
        farther *= part
        farther += nearer
        farther[..., 3] += TOLD * steps
        flat[start + self._loops[rings[:, None] + 1, rays]] = farther


def draw_bands(inner: Floats, border: Floats) -> Ints:
    """Which band (number * 36 + sector) each place of a painting lies in, -1 in the face.  (64, 64)

    inner, border: (36, 2), the ends of the rays in a painting of side 1.
    """
    count = STEPS // BAND
    out = np.linspace(0, 1, count + 1)[:, None, None]
    side = SIDE * FINER
    loops = np.round((inner + out * (border - inner)) * side * 16 - 8)  # in sixteenths of a pixel
    place = loops.astype(np.int32)
    bands = np.full((side, side), -1, np.int32)
    for band in reversed(range(count)):
        for ray in range(RAYS):
            after = (ray + 1) % RAYS
            quad = place[[band, band, band + 1, band + 1], [ray, after, after, ray]]
            cv2.fillConvexPoly(bands, quad, (band * RAYS + ray,), shift=4)
    face = np.zeros((side, side), np.uint8)
    cv2.fillConvexPoly(face, place[0], (1,), shift=4)
    bands[cv2.erode(face, np.ones((FINER, FINER), np.uint8)) > 0] = -1
    return np.ascontiguousarray(bands[FINER // 2 :: FINER, FINER // 2 :: FINER])
