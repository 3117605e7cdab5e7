"""A portrait becomes a texture in the canonical frame: eyes on eyes, mouth on mouth.

The mesh that warps a painted texture to a live face is used backwards here, so that both
directions agree to the pixel. The side that a three-quarter view hides is filled from the visible
one, mirrored, weighted by visibility.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from mirror import MARKERS
from mirror.atelier.portraits import Portrait
from mirror.canonical import Mesh, live_vertices
from mirror.latents.latents import angles, fit_pose, isotropic, steadiness
from mirror.signals import Floats

#: A vertex whose surface shows less than LEAST of its frontal area is hidden; above MOST, seen.
LEAST, MOST = 0.35, 0.8
#: Where the soft border of the texture begins and ends, from the middle (0) to the edge (1).
FADE_FROM, FADE_TO = 0.62, 0.97


@dataclass(frozen=True)
class Unwarped:
    """texture: (S, S, 4) float32 in [0, 1], RGB and alpha, straight. pose: (3,) radians.
    shape: (478, 3) float32, deviation from the canonical mean."""

    texture: Floats
    pose: Floats
    shape: Floats


class Unwarper:
    """Holds, for one mesh and size, which triangle covers each pixel and with what weights."""

    def __init__(self, mesh: Mesh, size: int) -> None:
        self.mesh, self.size = mesh, size
        self.corner, self.weight = cover(mesh, size)  # (S, S, 3) int32, (S, S, 3) float32
        self._steady = steadiness(mesh.frame)
        self._border = soft_border(size)
        self._face = self._interpolate(_is_face(mesh))[..., None] > 0.5

    def unwarp(self, portrait: Portrait) -> Unwarped:
        """One portrait in the canonical frame."""
        high, wide = portrait.picture.shape[:2]
        points = isotropic(portrait.markers, wide / high)
        rotation, scale, shift, _ = fit_pose(points, self.mesh.frame.mean, self._steady)
        pose = angles(rotation)
        shape = ((points - shift) @ rotation / scale - self.mesh.frame.mean).astype(np.float32)
        live = live_vertices(self.mesh, pose[None], shape[None])[0]  # (V, 3)
        live_px = (live[:, :2] * scale + self._settle(points, live, scale)) * high
        texture = self._resample(portrait, live_px)
        texture = self._fill_hidden(texture, self._visibility(live))
        texture[..., 3] *= self._border
        return Unwarped(texture, pose, shape)

    def _settle(self, points: Floats, live: Floats, scale: float) -> Floats:
        """Where the portrait's square lies on its picture: the markers fall on the markers."""
        return np.asarray((points[:468, :2] - scale * live[:468, :2]).mean(axis=0))

    def _interpolate(self, values: Floats) -> Floats:
        """Values at vertices (V, ...) -> at pixels (S, S, ...)."""
        picked = values[self.corner]  # (S, S, 3, ...)
        weight = self.weight.reshape(self.weight.shape + (1,) * (picked.ndim - 3))
        return np.asarray((picked * weight).sum(axis=2), np.float32)

    def _resample(self, portrait: Portrait, live_px: Floats) -> Floats:
        place = self._interpolate(live_px)  # (S, S, 2)
        smooth = cv2.GaussianBlur(place, (0, 0), self.size / 64)
        place = np.where(self._face, place, smooth)
        rgb = portrait.picture.astype(np.float32) / 255.0
        rgba = np.dstack([rgb, portrait.matte])
        step = float(np.median(np.linalg.norm(np.diff(place[:, :, :], axis=1), axis=2)))
        if step > 1.3:
            rgba = cv2.GaussianBlur(rgba, (0, 0), 0.4 * step)
        x, y = place[..., 0], place[..., 1]
        found = cv2.remap(rgba, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        return np.asarray(found, np.float32)

    def _visibility(self, live: Floats) -> Floats:
        """(V,) 0 hidden to 1 seen: the share of its frontal area that each vertex shows."""
        seen = _vertex_areas(self.mesh, live) / np.maximum(
            _vertex_areas(self.mesh, self.mesh.rest), 1e-9
        )
        share = self._least_around(np.clip((seen - LEAST) / (MOST - LEAST), 0, 1))
        oval = share[self.mesh.frame.oval]
        rings = (len(self.mesh.rest) - MARKERS) // len(oval)
        away = np.clip(np.linspace(-0.6, 1.0, rings), 0, 1)[:, None]
        share[MARKERS:] = (oval[None] * (1 - away) + away).ravel()
        return share.astype(np.float32)

    def _least_around(self, share: Floats) -> Floats:
        """Each vertex as hidden as the most hidden of its neighbours: the rim of a turned face
        already shows what lies behind it."""
        least = share.copy()
        for a, b in ((0, 1), (1, 2), (2, 0), (1, 0), (2, 1), (0, 2)):
            np.minimum.at(least, self.mesh.triangles[:, a], share[self.mesh.triangles[:, b]])
        return least

    def _fill_hidden(self, texture: Floats, share: Floats) -> Floats:
        own = cv2.GaussianBlur(self._interpolate(share), (0, 0), self.size / 40)
        own = own * own * (3 - 2 * own)
        other = own[:, ::-1]
        fill = ((1 - own) * other / np.maximum(other + own, 1e-3))[..., None]
        return texture * (1 - fill) + texture[:, ::-1] * fill


def _is_face(mesh: Mesh) -> Floats:
    return (np.arange(len(mesh.rest)) < MARKERS).astype(np.float32)


def _vertex_areas(mesh: Mesh, vertices: Floats) -> np.ndarray:
    """Signed area of the triangles around each vertex, as seen by the viewer.  (V,)"""
    t = mesh.triangles
    a, b, c = (vertices[t[:, i], :2] for i in range(3))
    ab, ac = b - a, c - a
    area = ab[:, 0] * ac[:, 1] - ab[:, 1] * ac[:, 0]
    total = np.zeros(len(vertices))
    for i in range(3):
        np.add.at(total, t[:, i], area)
    return total


def cover(mesh: Mesh, size: int) -> tuple[np.ndarray, Floats]:
    """Which triangle of the mesh at rest covers each texture pixel, and the pixel's weights.

    Returns corners (S, S, 3) int32 and barycentric weights (S, S, 3) float32.
    """
    index = np.full((size, size), -1, np.int32)
    places = mesh.uv * size
    for number, triangle in enumerate(mesh.triangles):
        corners = np.round(places[triangle] * 16 - 8).astype(np.int32)
        cv2.fillConvexPoly(index, corners, (number,), lineType=cv2.LINE_4, shift=4)
    if (index < 0).any():
        index = _grow(index)
    corner = mesh.triangles[index]  # (S, S, 3)
    y, x = np.mgrid[:size, :size] + 0.5
    a, b, c = (places[corner[..., i]] for i in range(3))
    ab, ac, ap = b - a, c - a, np.stack([x, y], axis=-1) - a
    det = ab[..., 0] * ac[..., 1] - ab[..., 1] * ac[..., 0]
    v = (ap[..., 0] * ac[..., 1] - ap[..., 1] * ac[..., 0]) / det
    w = (ab[..., 0] * ap[..., 1] - ab[..., 1] * ap[..., 0]) / det
    return corner, np.stack([1 - v - w, v, w], axis=-1).astype(np.float32)


def _grow(index: np.ndarray) -> np.ndarray:
    """Give pixels that no triangle covers the number of the nearest that one does."""
    gap = (index < 0).astype(np.uint8)
    _, labels = cv2.distanceTransformWithLabels(gap, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
    owner = np.zeros(labels.max() + 1, np.int32)
    owner[labels[gap == 0]] = index[gap == 0]
    return owner[labels]


def soft_border(size: int) -> Floats:
    """(S, S) 1 in the middle, 0 at the edge: a portrait never shows the square it is painted on."""
    y, x = (np.mgrid[:size, :size] + 0.5) / size * 2 - 1
    radius = (np.abs(x) ** 3.0 + np.abs(y) ** 3.0) ** (1 / 3.0)
    t = np.clip((FADE_TO - radius) / (FADE_TO - FADE_FROM), 0, 1)
    return (t * t * (3 - 2 * t)).astype(np.float32)
