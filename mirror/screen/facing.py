"""How far each vertex of a live mesh still faces the viewer, against how it was painted.

A cheek that turns away grows dark before it ends, as a painter would round it off, and so the
outline of a turned head is soft. In: live vertices. Out: one number a vertex. Pure numpy.
"""

from __future__ import annotations

import numpy as np

from mirror import MARKERS
from mirror.canonical import FACE, Mesh
from mirror.signals import Floats

#: Markers that span the head: temples, and forehead to chin.
RIGHT, LEFT, TOP, CHIN = 234, 454, 10, 152

#: How much of the oval's shade falls on the rings around it, or a bright seam would show.
RINGS = (0.95, 0.8, 0.5, 0.2)


class Facing:
    """Knows the normals of the mean face."""

    def __init__(self, mesh: Mesh) -> None:
        self._normals = normals(mesh)  # (478, 3)
        self._rest = -self._normals[:, 2]  # (478,)
        self._oval = mesh.frame.oval
        # A nose has its own light and shade: only what is near the outline is rounded off.
        away = mesh.rest[:MARKERS, None, :2] - mesh.rest[None, self._oval, :2]
        self._near = np.clip(1.3 - np.linalg.norm(away, axis=2).min(axis=1) / 0.16, 0, 1)
        self._axes_at_rest = np.linalg.inv(_axes(mesh.rest[None])[0])

    def measure(self, vertices: Floats) -> Floats:
        """(P, V, 3 or more) -> (P, V) float32, 0.25 turned away, 1 as painted."""
        turn = self._axes_at_rest @ _axes(vertices[:, :, :3])  # (P, 3, 3), rest to live, row form
        towards = -(turn[:, :, 2] @ self._normals.T)  # (P, 478)
        # Turned away: it has lost something, and not much is left.
        lost = np.minimum(self._rest - towards, 0.45 - towards)
        part = np.clip(1 - lost / 0.55, 0, 1)
        found = np.ones(vertices.shape[:2], np.float32)
        found[:, :MARKERS] -= 0.75 * self._near * (1 - part * part * (3 - 2 * part))
        shade = 1 - found[:, self._oval]  # (P, 36)
        for ring, falls in enumerate(RINGS):
            start = MARKERS + ring * shade.shape[1]
            found[:, start : start + shade.shape[1]] -= falls * shade
        return found


def normals(mesh: Mesh) -> Floats:
    """Unit normals of the mean face, towards the viewer (z negative).  (478, 3) float32"""
    triangles, rest = mesh.triangles[mesh.kind == FACE], mesh.rest
    a, b, c = (rest[triangles[:, i]] for i in range(3))
    found = np.zeros((len(rest), 3), np.float32)
    for corner in range(3):
        np.add.at(found, triangles[:, corner], np.cross(c - a, b - a))  # wound clockwise, y down
    found[np.abs(found).sum(axis=1) == 0] = (0, 0, -1)  # irises and rings are in no face triangle
    lengths = np.linalg.norm(found, axis=1, keepdims=True)
    return np.asarray((found / lengths)[:MARKERS], np.float32)


def _axes(vertices: Floats) -> Floats:
    """Right, down and inward of heads, as rows of unit length.  (P, V, 3) -> (P, 3, 3)"""
    across = vertices[:, LEFT] - vertices[:, RIGHT]
    down = vertices[:, CHIN] - vertices[:, TOP]
    across = across / (np.linalg.norm(across, axis=1, keepdims=True) + 1e-9)
    inward = np.cross(across, down)
    inward = inward / (np.linalg.norm(inward, axis=1, keepdims=True) + 1e-9)
    return np.stack([across, np.cross(inward, across), inward], axis=1)
