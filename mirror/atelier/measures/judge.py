"""The judge: FaceMesh looks at a portrait as it looks at a visitor, each picture by itself.

In: a portrait's picture. Out: markers, and what they say about mouth, yaw and eyes. Distances are
taken in the picture's plane, as anybody would who sees it; sizes are those of the mean face fitted
to the markers that hold still, so that a turned head has no smaller mouth.
"""

from __future__ import annotations

import numpy as np

from mirror.canonical import Frame
from mirror.latents.latents import angles, fit_pose, isotropic, steadiness
from mirror.markers.markers import find_faces
from mirror.signals import Bytes, Floats

#: FaceMesh's own numbers: middles of the inner lips, and of the upper and lower lids.
LIPS = (13, 14)
LIDS = ((159, 145), (386, 374))
SURFACE = 468


def look(picture: Bytes) -> Floats | None:
    """The markers of the face in a square picture, in its heights (478, 3); None if none is found.

    picture: (S, S, 3) uint8 RGB.
    """
    faces = find_faces(picture)
    return isotropic(faces[0], 1.0) if faces else None


def eye_distance(points: Floats, frame: Frame) -> float:
    """Between the middles of the eyes, in the picture.  (478, 3) -> the unit of points"""
    right, left = (points[loop, :2].mean(axis=0) for loop in (frame.right_eye, frame.left_eye))
    return float(np.linalg.norm(right - left))


def distance(found: Floats, wanted: Floats, frame: Frame) -> float:
    """How far found markers lie from those wanted: the median over the surface, in eye distances.

    Both (478, 3); found is first laid on wanted by the best similarity in the picture's plane
    (least squares over all 468 markers of the surface).
    """
    z, w = (_centred(points) for points in (found, wanted))
    turn = np.vdot(z, w) / np.vdot(z, z)  # rotation and scale in one complex number
    apart = np.abs(turn * z - w)
    return float(np.median(apart)) / eye_distance(wanted, frame)


def _centred(points: Floats) -> np.ndarray:
    """(468,) complex: x + iy about their mean."""
    flat = points[:SURFACE, 0].astype(np.float64) + 1j * points[:SURFACE, 1]
    return np.asarray(flat - flat.mean())


def expression(points: Floats, frame: Frame) -> Floats:
    """How far the mouth is open, the yaw in radians, and how far the eyes are open.

    points: (478, 3). Returns (3,) float64; openings in portrait units.
    """
    rotation, scale, _, _ = fit_pose(points, frame.mean, steadiness(frame))

    def gap(pair: tuple[int, int]) -> float:
        return float(np.linalg.norm(points[pair[0], :2] - points[pair[1], :2])) / scale

    return np.array([gap(LIPS), angles(rotation)[0], sum(gap(lids) for lids in LIDS) / 2])


def proportions(points: Floats, frame: Frame) -> Floats:
    """A face's proportions, pose removed: (1434,), to be compared by their distance.

    Markers count by how still they hold while a face speaks and blinks, so that an expression is
    not taken for a proportion.
    """
    weight = steadiness(frame)
    rotation, scale, shift, _ = fit_pose(points, frame.mean, weight)
    shape = (points - shift) @ rotation / scale - frame.mean  # (478, 3)
    return np.asarray((shape * np.sqrt(weight)[:, None]).ravel())
