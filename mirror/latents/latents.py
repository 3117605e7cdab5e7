"""Latents: what a set of markers becomes for each of the six schools.

The layout of a river latent, in this one place (float32, one width D for all six models)::

    [0:3]            pose: yaw, pitch, roll in radians
    [3:3+478*3]      shape: deviation from the canonical mean, portrait units, pose removed
    [-48:]           appearance: a code of the school's own model, one standard deviation = 1

Shape is kept whole, not projected onto a few components, so that a lip that opens and a lid that
closes arrive; only the *proportions* in it, read from the markers that expression leaves in
place, are bent by a school's accent. The accent is the optimal transport map between two
Gaussians, which is linear (Knott, Smith 1984; Peyré, Cuturi 2019, remark 2.31).

In: markers of a sitter. Out: (F, D) latents. Pure numpy; called by the markers thread.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from mirror import MARKERS
from mirror.canonical import Frame
from mirror.exact import Doubles
from mirror.signals import Floats, check

APPEARANCE = 48
POSE = slice(0, 3)
SHAPE = slice(3, 3 + 3 * MARKERS)
CODE = slice(3 + 3 * MARKERS, 3 + 3 * MARKERS + APPEARANCE)
WIDTH = CODE.stop

#: Formats that a camera's picture may have when nobody says which it was.
USUAL_ASPECTS = (16 / 9, 4 / 3, 1.0, 3 / 4, 9 / 16)

#: Latents lie on a grid of one part in so many; see ``rounded``.
GRID = 16384.0

#: A visitor further from the schools' mean than this many standard deviations counts as this far.
FURTHEST = 3.0


@dataclass(frozen=True, eq=False)
class SchoolGeometry:
    """How one school draws proportions, and what it expects of them.

    mean: (478, 3) float32, the school's mean shape, as a deviation from the canonical mean.
    basis: (K, 478, 3) float32, its shape basis, each scaled to one standard deviation.
    pose_scale: (3,) float32, how far its sitters turn, radians.
    reader: (K, 1434) float32, proportions of a shape, in the pooled basis of all schools.
    accent, accent_shift: (1434, K), (1434,) float32, what the accent adds to a shape.
    expects: (K, 48) float32, appearance that the school expects of proportions; whitened.
    """

    mean: Floats
    basis: Floats
    pose_scale: Floats
    reader: Floats
    accent: Floats
    accent_shift: Floats
    expects: Floats


def join(pose: Floats, shape: Floats, code: Floats) -> Floats:
    """One latent, or many, from its parts: (..., 3), (..., 478, 3), (..., 48) -> (..., D)."""
    flat = shape.reshape(shape.shape[:-2] + (3 * MARKERS,))  # (..., 1434)
    return np.concatenate([pose, flat, code], axis=-1).astype(np.float32)


def split(latent: Floats) -> tuple[Floats, Floats, Floats]:
    """The parts of latents: (..., D) -> (..., 3), (..., 478, 3), (..., 48)."""
    shape = latent[..., SHAPE]
    return latent[..., POSE], shape.reshape(shape.shape[:-1] + (MARKERS, 3)), latent[..., CODE]


@lru_cache(maxsize=4)
def steadiness(frame: Frame) -> Floats:
    """(478,) weights of markers that hold still while a face speaks and blinks.

    Lips, chin, lids and irises count for little; temples, bridge of the nose and the corners of
    the eyes for much. Read off the mean face, so that no list of numbers has to be kept; on a
    grid, because processors do not agree on the last bits.
    """
    mean = frame.mean.astype(np.float64)
    mouth = mean[frame.inner_lips].mean(axis=0)
    eye_y = mean[np.concatenate([frame.left_eye, frame.right_eye]), 1].mean()
    low = np.clip((mean[:, 1] - eye_y) / (mouth[1] - eye_y), 0, 2)
    weight = 1.0 / (1.0 + 6.0 * low**3)
    for loop in (frame.right_eye, frame.left_eye):
        centre, half = mean[loop].mean(axis=0), np.ptp(mean[loop, 0]) / 2
        near = np.hypot((mean[:, 0] - centre[0]) / half, (mean[:, 1] - centre[1]) / half)
        weight *= np.where(near < 0.9, 0.15, 1.0)
    weight[468:] = 0.0
    return (np.round(weight / weight.sum() * 2**30) / 2**30).astype(np.float32)


def isotropic(markers: Floats, aspect: float) -> Floats:
    """Markers with x, y and z in one unit, the picture's height.  (478, 3) -> (478, 3)"""
    return markers * np.array([aspect, 1.0, aspect], np.float32)


def fit_pose(points: Floats, mean: Floats, weight: Floats) -> tuple[Floats, float, Floats, float]:
    """The similarity that carries the mean onto points, least squares, weighted.

    points, mean: (M, 3). weight: (M,), sums to 1. Returns rotation (3, 3), scale, translation
    (3,) and the residual (root mean square, in units of the mean), in float64. Umeyama 1991.
    """
    heavy = np.asarray(weight, np.float64)
    centre_p, centre_m = heavy @ points, heavy @ mean
    p, m = points - centre_p, mean - centre_m
    u, s, vt = np.linalg.svd((p * heavy[:, None]).T @ m)
    sign = np.array([1.0, 1.0, np.sign(np.linalg.det(u @ vt))])
    rotation = (u * sign) @ vt
    spread = float(np.sum(heavy[:, None] * m * m))
    scale = float(np.sum(s * sign)) / spread
    power = float(np.sum(heavy[:, None] * p * p))
    residual = np.sqrt(max(power / scale**2 - spread, 0.0)) if scale > 0 else np.inf
    translation = centre_p - scale * rotation @ centre_m
    return rotation, scale, translation, float(residual)


def angles(rotation: Floats) -> Floats:
    """Yaw, pitch and roll of a rotation, the inverse of ``canonical.rotations``.  (3, 3) -> (3,)"""
    pitch = np.arcsin(np.clip(rotation[2, 1], -1.0, 1.0))
    yaw = np.arctan2(-rotation[2, 0], rotation[2, 2])
    roll = np.arctan2(-rotation[0, 1], rotation[1, 1])
    return rounded(np.array([yaw, pitch, roll]))


def rounded(values: Floats) -> Floats:
    """Float64 values on a grid of 1/16384, as float32: whatever another processor computes in its
    last bits, it comes to the same latents."""
    return (np.round(values * GRID) / GRID).astype(np.float32)


def guess_aspect(markers: Floats, frame: Frame) -> float:
    """The usual picture format in which these markers look most like a face."""
    weight = steadiness(frame)

    def misfit(aspect: float) -> float:
        return fit_pose(isotropic(markers, aspect), frame.mean, weight)[3]

    return min(USUAL_ASPECTS, key=misfit)


def remove_pose(markers: Floats, aspect: float, frame: Frame) -> tuple[Floats, Floats]:
    """Pose and shape of one face.

    markers: (478, 3) float32, image-normalised. aspect: width over height of their picture.
    Returns pose (3,) in radians and shape (478, 3), deviation from the canonical mean.
    """
    check("markers", markers, (MARKERS, 3))
    points = isotropic(markers, aspect)
    rotation, scale, translation, _ = fit_pose(points, frame.mean, steadiness(frame))
    shape = (points.astype(np.float64) - translation) @ rotation / scale - frame.mean
    return angles(rotation), rounded(shape)


def read_shape(geometry: SchoolGeometry, shape: Floats, accent: float) -> tuple[Floats, Floats]:
    """What one school makes of a sitter's shape.

    shape: (478, 3). accent: 0 (none) to 1 (whole). Returns the bent shape (478, 3) and the
    appearance code (48,) that the school expects of such proportions.
    """
    bent, codes = _read((geometry,), shape, accent)
    return bent[0], codes[0]


def read_all(
    geometries: Sequence[SchoolGeometry],
    frame: Frame,
    markers: Floats,
    aspect: float,
    accent: float,
) -> Floats:
    """One sitter's latent for each school.  (478, 3) -> (F, D)"""
    pose, shape = remove_pose(markers, aspect, frame)
    bent, codes = _read(tuple(geometries), shape, accent)
    return join(np.repeat(pose[None], len(bent), axis=0), bent, codes)


def _read(
    geometries: tuple[SchoolGeometry, ...], shape: Floats, accent: float
) -> tuple[Floats, Floats]:
    """Bent shapes (F, 478, 3) and codes (F, 48)."""
    together = _together(geometries)
    flat = shape.ravel().astype(np.float64)
    proportions = (together.reader @ flat).reshape(len(geometries), -1)  # (F, K)
    norm = np.linalg.norm(proportions, axis=1, keepdims=True)
    proportions *= np.minimum(1.0, FURTHEST * np.sqrt(proportions.shape[1]) / (norm + 1e-6))
    bend = together.shift + [a @ p for a, p in zip(together.accent, proportions)]  # (F, 1434)
    codes = np.stack([p @ e for e, p in zip(together.expects, proportions)])  # (F, 48)
    bent = flat + accent * bend
    return rounded(bent.reshape(len(bent), MARKERS, 3)), rounded(codes)


@dataclass(frozen=True, eq=False)
class _Together:
    """The geometries of several schools, stacked, in float64. reader: (F * K, 1434)."""

    reader: Doubles
    accent: Doubles
    shift: Doubles
    expects: Doubles


@lru_cache(maxsize=16)
def _together(geometries: tuple[SchoolGeometry, ...]) -> _Together:
    def stacked(name: str) -> Doubles:
        return np.stack([getattr(each, name) for each in geometries]).astype(np.float64)

    reader = np.concatenate([each.reader for each in geometries]).astype(np.float64)
    return _Together(reader, *(stacked(name) for name in ("accent", "accent_shift", "expects")))
