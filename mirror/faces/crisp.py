"""A face made crisp: its detail, as the finisher left it, stronger than it is, contours and grain.

In: finished textures of a school whose features are faint. Out: the same, sharper within the face.
Faint schools are calmed (``atelier/linear.py``), and what is calm is soft and smooth as wax. What
was taken away were ghosts of features; grain, which stone and plaster have, brings back the fine
detail without them.
"""

from __future__ import annotations

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from mirror.canonical import Mesh
from mirror.faces.regions import TEXTURE_PX, soft_face
from mirror.lines import contours, mouth
from mirror.signals import Floats

#: Fine is what a Gaussian of this many texture pixels takes away; it is added so often again where
#: features are faintest.
FINE_PX, AGAIN = 1.2, 1.2
#: The same for broader detail, by which noses and brows are modelled; not at the mouth, where it
#: hides how far the lips are open.
BROAD_PX, BROAD_AGAIN = 4.0, 0.5
#: A Gaussian is cut off after so many of its deviations.
CUT = 2.5
#: Grain: noise of which a Gaussian of so many texture pixels is taken away, so strong where
#: features are faintest; a standard deviation, as a share of the colour. Any seed does.
GRAIN_PX, GRAIN, GRAIN_SEED = 1.0, 0.045, 3


def grain() -> Floats:
    """Fine noise that is the same at every call: (256, 256) float32, mean 0, deviation 1."""
    size = (TEXTURE_PX, TEXTURE_PX)
    noise = np.random.default_rng(GRAIN_SEED).standard_normal(size).astype(np.float32)
    fine = noise - cv2.GaussianBlur(noise, (0, 0), GRAIN_PX)
    return np.asarray((fine - fine.mean()) / fine.std(), np.float32)


class Crisp:
    """Unsharp masking within the face, twice, contours and grain."""

    def __init__(self, mesh: Mesh, faint: float, device: torch.device) -> None:
        """faint: 0, where nothing is done, to 1."""
        self._faint = faint
        if faint <= 0:
            return
        where = faint * soft_face(mesh, TEXTURE_PX)
        beside = where * (1 - mouth(mesh.frame))
        drawn = (1 + GRAIN * where * grain()) * (1 - faint * contours(mesh.frame))
        self._fine, self._broad, self._drawn = (
            torch.from_numpy(np.asarray(each, np.float32)).to(device)
            for each in (AGAIN * where, BROAD_AGAIN * beside, drawn)
        )
        self._taps = [_gaussian(px).to(device) for px in (FINE_PX, BROAD_PX)]

    def __call__(self, texture: Tensor) -> Tensor:
        """Textures (B, 4, 256, 256) in [0, 1], straight alpha, which is left as it is."""
        if self._faint <= 0:
            return texture
        colour = crisp = texture[:, :3]
        for where, taps in zip((self._fine, self._broad), self._taps):
            crisp = crisp + where * (colour - _softened(colour, taps))
        crisp = (crisp.clamp(0, 1) * self._drawn).clamp(0, 1)
        return torch.cat([crisp, texture[:, 3:]], dim=1)


def _gaussian(px: float) -> Tensor:
    """Its taps, an odd number; they sum to 1."""
    taps = 2 * round(CUT * px) + 1
    return torch.from_numpy(cv2.getGaussianKernel(taps, px, cv2.CV_32F)[:, 0])


def _softened(colour: Tensor, taps: Tensor) -> Tensor:
    """(B, 3, H, W) -> the same; edges are repeated."""
    edge = len(taps) // 2
    wide = F.pad(colour, (edge, edge, edge, edge), mode="replicate")
    across = F.conv2d(wide, taps.view(1, 1, 1, -1).expand(3, -1, -1, -1), groups=3)
    return F.conv2d(across, taps.view(1, 1, -1, 1).expand(3, -1, -1, -1), groups=3)
