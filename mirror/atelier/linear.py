"""The first rung of a face model: mean and principal components of canonical textures.

Components are found at half size, where they hold all that a few dozen portraits agree on; the
mean is kept at full size.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
import torch

from mirror.atelier.measures import likeness
from mirror.canonical import Mesh
from mirror.faces.regions import soft_face
from mirror.latents.latents import APPEARANCE
from mirror.lines import mouth
from mirror.signals import Floats

#: Side of the stored components, and of the mean and the painted texture, pixels.
COMPONENT_PX, TEXTURE_PX = 128, 256
#: What lies outside the sitter counts for so little when components are found.
GROUND_WEIGHT = 0.12
#: Paintings keep so many times as far from every training portrait as the two that are most alike:
#: a third more, because sketches are compared, and only near the mean, where the distance is right
#: within a fifth; and the finisher brings a painting nearer again.
FURTHER = 1.35
#: The faintest school's faces lose this share of whatever a Gaussian of so many pixels takes away,
#: their mouths a larger one.
CALM, MOUTH_CALM, WIDE_PX = 0.675, 0.84, 5.0


@dataclass(frozen=True)
class LinearModel:
    """mean: (256, 256, 4) float32. components: (48, 128, 128, 4) float32, scaled to one standard
    deviation. codes: (2N, 48) of the training textures and of their mirror images,
    whitened. explained: share of variance. apart: how near nobody may come to these textures, see
    ``faces/originals.py``."""

    mean: Floats
    components: Floats
    codes: Floats
    explained: float
    apart: float


def learn_linear(textures: Floats) -> LinearModel:
    """Principal components of a school.

    textures: (N, 256, 256, 4) float32 in [0, 1], straight alpha; their mirror images are added
    here. Components beyond what N portraits can give are zero.
    """
    whole = np.concatenate([textures, textures[:, :, ::-1]])
    half = np.stack([_halve(t) for t in whole])  # (2N, 128, 128, 4)
    weight = np.sqrt(GROUND_WEIGHT + half[..., 3:].mean(axis=0))  # (128, 128, 1)
    rows = torch.from_numpy(((half - half.mean(axis=0)) * weight).reshape(len(half), -1))
    values, vectors = torch.linalg.eigh((rows @ rows.T).double())
    count = min(APPEARANCE, len(textures) - 1)
    values, vectors = values.flip(0)[:count], vectors.flip(1)[:, :count]
    scale = np.sqrt(len(whole) - 1)
    codes = np.zeros((len(whole), APPEARANCE), np.float32)
    codes[:, :count] = vectors.float().numpy() * scale
    components = np.zeros((APPEARANCE,) + half.shape[1:], np.float32)
    flat = (half - half.mean(axis=0)).reshape(len(half), -1)
    components[:count] = (vectors.float().numpy().T @ flat / scale).reshape(
        (count,) + half.shape[1:]
    )
    explained = float(values.sum() / (rows.double() ** 2).sum())
    small = likeness.small(np.round(textures * 255).astype(np.uint8), likeness.COMPARED_PX)
    apart = FURTHER * likeness.nearness(small)
    return LinearModel(whole.mean(axis=0), components, codes, explained, apart)


def calmed(model: LinearModel, mesh: Mesh, faint: float) -> LinearModel:
    """The same model, its faces drawn towards the mean in all that is fine.

    Where a school hardly marks its features, what mixtures keep of them are ghosts: two noses and
    three mouths, of which nobody can tell who speaks. Colours and light, which are wide, stay.
    faint: 0, where nothing is done, to 1.
    """
    if faint <= 0:
        return model
    lips = cv2.resize(mouth(mesh.frame), (COMPONENT_PX, COMPONENT_PX), interpolation=cv2.INTER_AREA)
    calm = np.maximum(CALM * soft_face(mesh, COMPONENT_PX), MOUTH_CALM * lips)
    away = faint * calm[..., None]  # (128, 128, 1)
    fine = np.stack([each - cv2.GaussianBlur(each, (0, 0), WIDE_PX) for each in model.components])
    return replace(model, components=(model.components - away * fine).astype(np.float32))


def _halve(texture: Floats) -> Floats:
    return np.asarray(
        cv2.resize(texture, (COMPONENT_PX, COMPONENT_PX), interpolation=cv2.INTER_AREA), np.float32
    )
