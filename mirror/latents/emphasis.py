"""Emphasis: a portrait says a sitter's proportions louder than they are, as a caricature does.

Paint swallows a part of them: what is found again in a drawn portrait is drawn towards the mean
face. People, too, know a face more readily when what sets it apart is exaggerated a little
(Rhodes, Brennan, Carey 1987). Only what left and right have in common is said louder: the rest is
how a head is turned rather than whose it is.

In: a school's geometry. Out: a linear map. Pure numpy.
"""

from __future__ import annotations

import numpy as np

from mirror import MARKERS
from mirror.latents.latents import SchoolGeometry
from mirror.signals import Floats

#: Ridge of the regression, in units of a mean proportion's variance.
RIDGE = 0.01
#: Its result lies on a grid of one part in so many: processors do not agree on the last bits.
FINE = 2.0**20


def emphasised(geometry: SchoolGeometry, partner: np.ndarray, strength: float) -> Floats:
    """What the proportions of a sitter add to their shape, so that it is further from the mean.

    partner: (478,) int, see ``canonical.Frame``. strength: 0 adds nothing, 1 doubles them. Returns
    (1434, K) float32: the regression of the symmetric part of shapes on their proportions, over
    what the school's sitters look like, times the strength.
    """
    sitters = np.concatenate([geometry.basis, geometry.mean[None]]).astype(np.float64)
    mirrored = sitters[:, partner] * (-1.0, 1.0, 1.0)
    proportions = sitters.reshape(len(sitters), 3 * MARKERS) @ geometry.reader.T  # (K + 1, K)
    gram = proportions.T @ proportions
    gram += RIDGE * np.trace(gram) / len(gram) * np.eye(len(gram))
    symmetric = 0.5 * (sitters + mirrored).reshape(len(sitters), 3 * MARKERS)
    louder = strength * np.linalg.solve(gram, proportions.T @ symmetric).T
    return (np.round(louder * FINE) / FINE).astype(np.float32)
