"""Does it look like the school, and not like any one portrait of it?

In: painted and real textures of one school in the canonical frame. Out: numbers. Colours are
compared as they are seen, on black and by their coverage. Pure numpy and OpenCV.
"""

from __future__ import annotations

import cv2
import numpy as np

from mirror.canonical import Mesh
from mirror.faces.regions import face_mask
from mirror.signals import Bytes, Floats

#: Side at which portraits are compared with one another: who it is, not how it is painted.
COMPARED_PX = 32
#: Training portraits that lie nearer to one another than all but so many of them.
NEAREST = 0.01
LIGHT = np.array([0.299, 0.587, 0.114], np.float32)


def seen(texture: Bytes) -> Floats:
    """(S, S, 4) straight alpha -> (S, S, 3) float32 in [0, 1], on black."""
    colour = texture.astype(np.float32) / 255
    return np.asarray(colour[..., :3] * colour[..., 3:])


def small(textures: Bytes, side: int) -> Floats:
    """(N, S, S, 4) -> (N, side, side, 3) float32, on black."""
    shrunk = [cv2.resize(seen(t), (side, side), interpolation=cv2.INTER_AREA) for t in textures]
    return np.stack(shrunk).astype(np.float32)


def fine_energy(textures: Bytes, mesh: Mesh) -> float:
    """Mean energy of the two finest bands of a Laplacian pyramid (Burt, Adelson 1983), in the face.

    textures: (N, S, S, 4) uint8.
    """
    side = textures.shape[1]
    masks = face_mask(mesh, side), face_mask(mesh, side // 2)
    total = 0.0
    for texture in textures:
        level = seen(texture) @ LIGHT
        for mask in masks:
            below = cv2.pyrDown(level)
            band = level - cv2.pyrUp(below)
            total += float(np.square(band[mask]).mean())
            level = np.asarray(below, np.float32)
    return total / len(textures)


def sharp(painted: Bytes, real: Bytes, mesh: Mesh) -> float:
    """Energy of the finest two bands of painted textures over that of real ones."""
    return fine_energy(painted, mesh) / fine_energy(real, mesh)


def distances(one: Floats, other: Floats) -> Floats:
    """Root mean square between every two: (N, ...), (M, ...) -> (N, M)."""
    a, b = (x.reshape(len(x), -1).astype(np.float64) for x in (one, other))
    squared = (a**2).sum(axis=1)[:, None] + (b**2).sum(axis=1) - 2 * a @ b.T
    return np.sqrt(np.maximum(squared, 0) / a.shape[1])


def copied(painted: Bytes, real: Bytes) -> float:
    """Share of painted textures nearer to a real one than 1 % of real ones are to another real one.

    A real one's mirror image counts as itself.
    """
    copies, originals = small(painted, COMPARED_PX), small(real, COMPARED_PX)
    away = np.minimum(distances(copies, originals), distances(copies, originals[:, :, ::-1]))
    return float((away.min(axis=1) < nearness(originals)).mean())


def nearness(originals: Floats) -> float:
    """How near to one another but 1 % of portraits, made small, never are.

    originals: (N, 32, 32, 3), see ``small``.
    """
    among = np.minimum(distances(originals, originals), distances(originals, originals[:, :, ::-1]))
    np.fill_diagonal(among, np.inf)
    return float(np.quantile(among.min(axis=1), NEAREST))


def varied(painted: Bytes, real: Bytes) -> float:
    """Mean distance between painted textures over that between real ones."""
    return _spread(small(painted, COMPARED_PX)) / _spread(small(real, COMPARED_PX))


def _spread(pictures: Floats) -> float:
    pairs = np.triu_indices(len(pictures), 1)
    return float(distances(pictures, pictures)[pairs].mean())
