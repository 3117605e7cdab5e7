"""A face made crisp: its fine detail, as the finisher left it, stronger than it is.

In: finished textures of a school whose features are faint. Out: the same, sharper within the face.
Faint schools are calmed (``atelier/linear.py``), and what is calm is soft.
"""

from __future__ import annotations

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from mirror.canonical import Mesh
from mirror.faces.wardrobe import face_mask

#: Fine is what a Gaussian of this many texture pixels takes away; it is added so often again where
#: features are faintest.
FINE_PX, TAPS, AGAIN = 1.2, 7, 1.2
#: How softly it begins at the face's oval, texture pixels.
SOFT_PX = 6.0


def soft_face(mesh: Mesh, side: int) -> np.ndarray:
    """How much of each pixel of a texture is face: (side, side) float32, 0 to 1."""
    softness = SOFT_PX * side / 256
    return cv2.GaussianBlur(face_mask(mesh, side).astype(np.float32), (0, 0), softness)


class Crisp:
    """Unsharp masking within the face."""

    def __init__(self, mesh: Mesh, faint: float, device: torch.device) -> None:
        """faint: 0, where nothing is done, to 1."""
        self._where: Tensor | None = None
        if faint > 0:
            where = AGAIN * faint * soft_face(mesh, 256)
            self._where = torch.from_numpy(where).to(device)
        tap = torch.from_numpy(cv2.getGaussianKernel(TAPS, FINE_PX, cv2.CV_32F)).to(device)
        self._across = tap.view(1, 1, 1, TAPS).expand(3, 1, 1, TAPS)
        self._down = tap.view(1, 1, TAPS, 1).expand(3, 1, TAPS, 1)

    def __call__(self, texture: Tensor) -> Tensor:
        """Textures (B, 4, 256, 256) in [0, 1], straight alpha, which is left as it is."""
        if self._where is None:
            return texture
        colour, edge = texture[:, :3], TAPS // 2
        wide = F.pad(colour, (edge, edge, edge, edge), mode="replicate")
        soft = F.conv2d(F.conv2d(wide, self._across, groups=3), self._down, groups=3)
        crisp = (colour + self._where * (colour - soft)).clamp(0, 1)
        return torch.cat([crisp, texture[:, 3:]], dim=1)
