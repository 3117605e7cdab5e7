"""Latents: what a set of markers becomes for each of the six schools.

The layout of a river latent, in this one place (float32, one width D for all six models)::

    [0:3]            pose: yaw, pitch, roll in radians
    [3:3+478*3]      shape: deviation from the canonical mean, portrait units, pose removed
    [-48:]           appearance: a code of the school's own model, one standard deviation = 1

Shape is kept whole, not projected onto a few components, so that a lip that opens and a lid that
closes arrive; only the *proportions* in it, read from the markers that expression leaves in
place, are bent by a school's accent, and said louder (``emphasis``). The accent is the optimal
transport map between two Gaussians, which is linear (Knott, Smith 1984; Peyré, Cuturi 2019,
remark 2.31).

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

#: So many faces are read together: more would not fit into a processor's own memory.
_AT_ONCE = 16


@dataclass(frozen=True, eq=False)
class SchoolGeometry:
    """How one school draws proportions, and what it expects of them.

    mean: (478, 3) float32, the school's mean shape, as a deviation from the canonical mean.
    basis: (K, 478, 3) float32, its shape basis, each scaled to one standard deviation.
    pose_scale: (3,) float32, how far its sitters turn, radians.
    reader: (K, 1434) float32, proportions of a shape, in the pooled basis of all schools.
    accent, accent_shift: (1434, K), (1434,) float32, what the accent adds to a shape.
    expects: (K, 48) float32, appearance that the school expects of proportions; whitened.
    emphasis: (1434, K) float32, what emphasis adds to a shape; None: nothing.
    """

    mean: Floats
    basis: Floats
    pose_scale: Floats
    reader: Floats
    accent: Floats
    accent_shift: Floats
    expects: Floats
    emphasis: Floats | None = None


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
    rest = _Rest.of(mean, weight)
    rotation, scale, centred = _fit(points[None].astype(np.float64), rest)
    power = float(np.sum(rest.heavy[:, None] * centred[0] ** 2))
    size = float(scale[0])
    residual = np.sqrt(max(power / size**2 - rest.spread, 0.0)) if size > 0 else np.inf
    translation = rest.heavy @ points - size * rotation[0] @ rest.centre
    return rotation[0], size, translation, float(residual)


@dataclass(frozen=True, eq=False)
class _Rest:
    """What a fit needs of the face at rest, in float64. heavy: (M,) weights. centre: (3,).
    mean: (M, 3), from the centre. weighted: (M, 3), the same times the weights. spread: its
    variance."""

    heavy: Doubles
    centre: Doubles
    mean: Doubles
    weighted: Doubles
    spread: float

    @classmethod
    def of(cls, mean: Floats, weight: Floats) -> _Rest:
        heavy = np.asarray(weight, np.float64)
        centre = heavy @ mean
        away = mean - centre
        weighted = heavy[:, None] * away
        return cls(heavy, centre, away, weighted, float(np.sum(weighted * away)))


@lru_cache(maxsize=4)
def _rest(frame: Frame) -> _Rest:
    return _Rest.of(frame.mean, steadiness(frame))


def _fit(points: Doubles, rest: _Rest) -> tuple[Doubles, Doubles, Doubles]:
    """Rotations (N, 3, 3) and scales (N,) that carry the face at rest onto points (N, M, 3), and
    the points less their middle (N, M, 3)."""
    centred = points - (rest.heavy @ points)[:, None]
    u, s, vt = np.linalg.svd(centred.transpose(0, 2, 1) @ rest.weighted)
    mirrored = np.sign(np.linalg.det(u @ vt))  # (N,)
    u[:, :, 2] *= mirrored[:, None]
    s[:, 2] *= mirrored
    return u @ vt, s.sum(axis=1) / rest.spread, centred


def angles(rotation: Floats | Doubles) -> Floats:
    """Yaw, pitch and roll of rotations, the inverse of ``canonical.rotations``.

    (..., 3, 3) -> (..., 3)
    """
    pitch = np.arcsin(np.clip(rotation[..., 2, 1], -1.0, 1.0))
    yaw = np.arctan2(-rotation[..., 2, 0], rotation[..., 2, 2])
    roll = np.arctan2(-rotation[..., 0, 1], rotation[..., 1, 1])
    return rounded(np.stack([yaw, pitch, roll], axis=-1))


def rounded(values: Floats | Doubles) -> Floats:
    """Float64 values on a grid of 1/16384, as float32: whatever another processor computes in its
    last bits, it comes to the same latents."""
    return (np.round(values * GRID) / GRID).astype(np.float32)


def on_grid(value: float) -> float:
    """One number, as ``rounded`` has it."""
    return round(value * GRID) / GRID


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
    pose, shape = remove_poses(markers[None], [aspect], frame)
    return pose[0], shape[0]


def remove_poses(markers: Floats, aspects: Sequence[float], frame: Frame) -> tuple[Floats, Floats]:
    """Poses and shapes of many faces, each as ``remove_pose`` has it.

    markers: (N, 478, 3) float32. aspects: N. Returns (N, 3) and (N, 478, 3).
    """
    rest = _rest(frame)
    units = np.array([[[aspect, 1.0, aspect]] for aspect in aspects], np.float32)  # (N, 1, 3)
    rotation, scale, centred = _fit((markers * units).astype(np.float64), rest)
    shape = centred @ (rotation / scale[:, None, None]) - rest.mean
    return angles(rotation), rounded(shape)


def read_shape(geometry: SchoolGeometry, shape: Floats, accent: float) -> tuple[Floats, Floats]:
    """What one school makes of a sitter's shape.

    shape: (478, 3). accent: 0 (none) to 1 (whole). Returns the bent shape (478, 3) and the
    appearance code (48,) that the school expects of such proportions.
    """
    latent = np.empty((1, 1, WIDTH), np.float32)
    schools = _together((geometry,), accent)
    flat = shape.reshape(1, 3 * MARKERS).astype(np.float64)
    _read(schools, flat, _proportions(schools, flat), latent[:, :, SHAPE], latent[:, :, CODE])
    _, bent, code = split(latent[0, 0])
    return bent, code


def read_all(
    geometries: Sequence[SchoolGeometry],
    frame: Frame,
    markers: Floats,
    aspect: float,
    accent: float,
) -> Floats:
    """One sitter's latent for each school.  (478, 3) -> (F, D)"""
    check("markers", markers, (MARKERS, 3))
    return read_many(geometries, frame, markers[None], [aspect], accent)[0][0]


def read_many(
    geometries: Sequence[SchoolGeometry],
    frame: Frame,
    markers: Floats,
    aspects: Sequence[float],
    accent: float,
) -> tuple[Floats, Floats]:
    """Many sitters' latents for each school, the same as one at a time, and their proportions.

    (N, 478, 3), N -> (N, F, D), (N, P, K). P is 1 where all schools read proportions alike, else
    F; see ``rebend``. Read together, each costs a sixth of what it costs alone: the schools'
    matrices are fetched once for ``_AT_ONCE`` of them.
    """
    schools = _together(tuple(geometries), accent)
    latents = np.empty((len(markers), len(geometries), WIDTH), np.float32)
    found = np.empty((len(markers), schools.readers, schools.count), np.float32)
    for first in range(0, len(markers), _AT_ONCE):
        part = slice(first, first + _AT_ONCE)
        pose, shape = remove_poses(markers[part], aspects[part], frame)
        flat = shape.reshape(len(shape), 3 * MARKERS).astype(np.float64)
        proportions = _proportions(schools, flat)
        some = latents[part]
        some[:, :, POSE] = pose[:, None]
        _read(schools, flat, proportions, some[:, :, SHAPE], some[:, :, CODE])
        found[part] = rounded(proportions)
    return latents, found


def rebend(
    geometries: Sequence[SchoolGeometry], shapes: Floats, change: Floats, accent: float
) -> Floats:
    """Shapes as schools would have bent them, had a sitter's proportions been others.

    shapes: (F, 1434), as read. change: (P, K), of what ``read_many`` calls proportions. What
    schools do to a shape is linear in them. Returns (F, 1434) float32, on the grid.
    """
    schools = _together(tuple(geometries), accent)
    bend = _each(change.astype(np.float64)[None], schools.bend)[0]  # (F, 1434), in parts of it
    bend += shapes.astype(np.float64) * GRID
    bent = np.empty(shapes.shape, np.float32)
    _settle(bend, bent)
    return bent


def _proportions(schools: _Together, flat: Doubles) -> Doubles:
    """Proportions of shapes (N, 1434), nobody's further from the mean than may be: (N, P, K)."""
    proportions = (flat @ schools.reader).reshape(len(flat), schools.readers, schools.count)
    norm = np.sqrt(np.add.reduce(proportions * proportions, axis=2, keepdims=True))
    proportions *= np.minimum(1.0, FURTHEST * np.sqrt(schools.count) / (norm + 1e-6))
    return proportions


def _read(
    schools: _Together, flat: Doubles, proportions: Doubles, bent: Floats, codes: Floats
) -> None:
    """What schools make of shapes (N, 1434): written into bent (N, F, 1434), codes (N, F, 48)."""
    bend = _each(proportions, schools.bend)  # (N, F, 1434), in parts of the grid
    bend += schools.shift
    bend += (flat * GRID)[:, None]
    _settle(bend, bent)
    _settle(_each(proportions, schools.expects), codes)


def _each(proportions: Doubles, map: Doubles) -> Doubles:
    """Proportions through each school's map.  (N, P, K), (F, K, X) -> (N, F, X)"""
    return np.matmul(proportions.transpose(1, 0, 2), map).transpose(1, 0, 2)


def _settle(values: Doubles, out: Floats) -> None:
    """Values in parts of the grid, rounded to whole ones; overwrites them. The same as
    ``rounded``, for a power of two scales without rounding."""
    np.rint(values, out=values)
    np.multiply(values, 1.0 / GRID, out=out, casting="same_kind")


@dataclass(frozen=True, eq=False)
class _Together:
    """The geometries of F schools side by side, in float64. count: K. readers: P, 1 if all
    schools read alike, else F. reader: (1434, P * K). bend: (F, K, 1434), by accent and emphasis,
    shift: (F, 1434), expects: (F, K, 48), these three times GRID."""

    count: int
    readers: int
    reader: Doubles
    bend: Doubles
    shift: Doubles
    expects: Doubles


@lru_cache(maxsize=16)
def _together(geometries: tuple[SchoolGeometry, ...], accent: float) -> _Together:
    def stacked(name: str) -> Doubles:
        return np.stack([getattr(each, name) for each in geometries]).astype(np.float64)

    bend = accent * stacked("accent")  # (F, 1434, K)
    for number, geometry in enumerate(geometries):
        if geometry.emphasis is not None:
            bend[number] += geometry.emphasis
    readers = [each.reader for each in geometries]
    if all(np.array_equal(reader, readers[0]) for reader in readers):
        readers = readers[:1]
    reader = np.concatenate(readers).T.astype(np.float64, order="C")
    return _Together(
        len(readers[0]),
        len(readers),
        reader,
        bend.transpose(0, 2, 1).copy() * GRID,
        stacked("accent_shift") * (accent * GRID),
        stacked("expects") * GRID,
    )
