"""Where things are in a canonical texture: the face, hair, clothes.

In: the mesh. Out: masks.
"""

from __future__ import annotations

import cv2
import numpy as np
import torch
from torch import Tensor

from mirror.canonical import Mesh
from mirror.signals import Bools, Floats

#: Side of a texture, pixels.
TEXTURE_PX = 256
#: How softly the face ends at its oval, texture pixels; what is worn begins so far within it.
SOFT_PX, WITHIN_PX = 6.0, 9
#: Nothing is worn at the texture's rim; from so many pixels within it on it is worn wholly.
RIM_PX = 16
#: Hair ends and clothes begin at this share of the face's height, and so softly, texture pixels.
COLLAR, COLLAR_SOFT_PX = 0.8, 7.0


def face_mask(mesh: Mesh, side: int) -> Bools:
    """(side, side) bool: inside the face's oval."""
    mask = np.zeros((side, side), np.uint8)
    cv2.fillPoly(mask, [np.round(mesh.uv[mesh.frame.oval] * side).astype(np.int32)], [1])
    return mask.astype(bool)


def soft_face(mesh: Mesh, side: int) -> Floats:
    """How much of each pixel of a texture is face: (side, side) float32, 0 to 1."""
    softness = SOFT_PX * side / TEXTURE_PX
    face = face_mask(mesh, side).astype(np.float32)
    return np.asarray(cv2.GaussianBlur(face, (0, 0), softness), np.float32)


class Regions:
    """Where hair and clothes are in a texture of some size. side: its pixels."""

    def __init__(self, mesh: Mesh, side: int = TEXTURE_PX) -> None:
        oval = face_mask(mesh, TEXTURE_PX).astype(np.float32)
        inner = cv2.erode(oval, np.ones((WITHIN_PX, WITHIN_PX)))
        away = np.minimum(np.arange(TEXTURE_PX), np.arange(TEXTURE_PX)[::-1])
        inland = np.clip(np.minimum(away[None], away[:, None]) / RIM_PX, 0, 1)
        worn = (1 - cv2.GaussianBlur(inner, (0, 0), SOFT_PX)) * inland
        rows = np.flatnonzero(oval.any(axis=1))
        collar = rows[0] + COLLAR * (rows[-1] - rows[0])
        hair = 1 / (1 + np.exp((np.arange(TEXTURE_PX) - collar) / COLLAR_SOFT_PX))[:, None]
        parts = np.stack([worn * hair, worn * (1 - hair)]).astype(np.float32)
        size = (side, side)
        small = [cv2.resize(part, size, interpolation=cv2.INTER_AREA) for part in parts]
        self.parts = torch.from_numpy(np.stack(small))[:, None]  # (2, 1, S, S)

    @property
    def worn(self) -> Tensor:
        """How much of each pixel is worn: (1, S, S), 0 to 1."""
        return self.parts.sum(dim=0)
