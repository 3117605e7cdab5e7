"""How far out from the face a painting has any paint: the ground beyond it need not be drawn.

Most of a portrait's square is empty, and a processor pays for empty triangles too. The vertices
beyond the last paint of their ray are drawn together into one point, where they have no area.

In: alpha of a painting. Out: which vertices to draw. Pure numpy and OpenCV; any thread.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from mirror import MARKERS
from mirror.canonical import Mesh
from mirror.screen.lighter import RAYS
from mirror.screen.sheet import RINGS, Grade
from mirror.signals import Bytes

SIDE = 64

Bands = npt.NDArray[np.int64]


class Reach:
    """Knows where the bands of the ground lie in a painting."""

    def __init__(self, mesh: Mesh, grades: tuple[Grade, ...]) -> None:
        self._bands = draw_bands(mesh)
        self._grades = grades
        oval = np.asarray(mesh.frame.oval, np.int64)
        rings = MARKERS + np.arange(RINGS * RAYS, dtype=np.int64).reshape(RINGS, RAYS)
        self._vertices = np.concatenate([oval[None], rings])  # (1 + 7, 36): the oval, then rings

    def measure(self, small: Bytes) -> Bands:
        """How many bands of each sector have paint: (64, 64, 4) uint8 -> (36,), 0 to 7."""
        paint = cv2.dilate(small[:, :, 3], np.ones((3, 3), np.uint8)) > 0
        found = np.bincount(self._bands[paint] + 1, minlength=1 + RINGS * RAYS)[1:]
        painted = found.reshape(RINGS, RAYS) > 0
        return np.asarray((painted * np.arange(1, RINGS + 1)[:, None]).max(axis=0))

    def gather(self, bands: Bands, grade: int) -> Bands:
        """Which vertex each ring vertex is drawn at.

        bands: (P, 36), of each portrait. Returns (P, 252) vertex numbers, in the mesh's order.
        """
        rings, step = self._grades[grade].rings, self._grades[grade].step
        sectors = bands.reshape(len(bands), -1, step).max(axis=2)  # (P, 36 / step)
        needed = np.maximum(sectors, np.roll(sectors, 1, axis=1))  # either side of each ray
        needed = np.repeat(needed, step, axis=1)  # (P, 36)
        last = np.searchsorted(np.array(rings) + 1, needed)  # number within the grade's rings
        outermost = np.where(needed == 0, 0, np.array(rings)[np.minimum(last, len(rings) - 1)] + 1)
        row = np.minimum(np.arange(1, RINGS + 1)[None, :, None], outermost[:, None])  # (P, 7, 36)
        return np.asarray(self._vertices[row, np.arange(RAYS)]).reshape(len(bands), -1)


def draw_bands(mesh: Mesh) -> npt.NDArray[np.int64]:
    """Which band (ring * 36 + ray) each place of a painting lies in, -1 in the face.  (64, 64)"""
    rings = np.arange(RINGS * RAYS).reshape(RINGS, RAYS) + MARKERS
    loops = np.concatenate([np.asarray(mesh.frame.oval)[None], rings])  # (8, 36)
    place = np.round(mesh.uv[loops] * SIDE * 16 - 8).astype(np.int32)  # in sixteenths of a pixel
    bands = np.full((SIDE, SIDE), -1, np.int32)
    for ring in reversed(range(RINGS)):
        for ray in range(RAYS):
            after = (ray + 1) % RAYS
            quad = [
                place[ring, ray],
                place[ring, after],
                place[ring + 1, after],
                place[ring + 1, ray],
            ]
            cv2.fillConvexPoly(bands, np.array(quad), (ring * RAYS + ray,), shift=4)
    face = np.zeros((SIDE, SIDE), np.uint8)
    cv2.fillConvexPoly(face, place[0], (1,), shift=4)
    edge = cv2.erode(face, np.ones((3, 3), np.uint8))
    bands[edge > 0] = -1
    return bands.astype(np.int64)
