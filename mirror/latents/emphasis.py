"""Emphasis: a portrait says a sitter's proportions louder than they are, as a caricature does.

Paint swallows a part of them: what is found again in a drawn portrait is drawn towards the mean
face. People, too, know a face more readily when what sets it apart is exaggerated a little
(Rhodes, Brennan, Carey 1987). Only what left and right have in common is said louder: the rest is
how a head is turned rather than whose it is. And lips are moved as they are, not widened, closed or
twisted: by them one speaks.

In: a school's geometry. Out: a linear map. Pure numpy.
"""

from __future__ import annotations

import numpy as np

from mirror import MARKERS
from mirror.canonical import Frame
from mirror.exact import Doubles
from mirror.latents.latents import SchoolGeometry
from mirror.signals import Floats

#: Ridge of the regression, in units of a mean proportion's variance.
RIDGE = 0.01
#: What is nearer to the middle of the lips than the first moves as one with them, what is further
#: away than the second by itself; in halves of the width of their opening, and less high than wide.
LIPS, BESIDE, HIGH = 1.1, 1.75, 0.8
#: Its result lies on a grid of one part in so many: processors do not agree on the last bits.
FINE = 2.0**20


def emphasised(geometry: SchoolGeometry, frame: Frame, strength: float) -> Floats:
    """What the proportions of a sitter add to their shape, so that it is further from the mean.

    strength: 0 adds nothing, 1 doubles them. Returns (1434, K) float32: the regression of the
    symmetric part of shapes on their proportions, over what the school's sitters look like, times
    the strength.
    """
    sitters = np.concatenate([geometry.basis, geometry.mean[None]]).astype(np.float64)
    mirrored = sitters[:, frame.partner] * (-1.0, 1.0, 1.0)
    proportions = sitters.reshape(len(sitters), 3 * MARKERS) @ geometry.reader.T  # (K + 1, K)
    gram = proportions.T @ proportions
    gram += RIDGE * np.trace(gram) / len(gram) * np.eye(len(gram))
    symmetric = 0.5 * (sitters + mirrored).reshape(len(sitters), 3 * MARKERS)
    louder = strength * np.linalg.solve(gram, proportions.T @ symmetric)  # (K, 1434)
    whole = _lips_as_one(louder.reshape(-1, MARKERS, 3), frame).reshape(len(gram), 3 * MARKERS).T
    return (np.round(whole * FINE) / FINE).astype(np.float32)


def _lips_as_one(moves: Doubles, frame: Frame) -> Doubles:
    """The same movements of a face, its lips only shifted.  (K, 478, 3) -> (K, 478, 3)"""
    mean = frame.mean.astype(np.float64)
    lips = mean[frame.inner_lips]
    middle, half = lips.mean(axis=0), np.ptp(lips[:, 0]) / 2
    away = np.hypot((mean[:, 0] - middle[0]) / half, (mean[:, 1] - middle[1]) / (HIGH * half))
    part = np.clip((BESIDE - away) / (BESIDE - LIPS), 0, 1)
    part = (part * part * (3 - 2 * part))[:, None]  # (478, 1), 1 at the lips
    shift = moves[:, away <= LIPS].mean(axis=1)[:, None]  # (K, 1, 3)
    return np.asarray(moves + part * (shift - moves))
