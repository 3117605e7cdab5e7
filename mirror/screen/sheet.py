"""A mesh as it is drawn: in three grades of detail, the face before the ground, the mouth and the
eyes with vertices of their own.

In: the canonical ``Mesh``. Out: the arrays that ``portrait.vert`` reads. Pure numpy.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mirror.canonical import FACE, Ints, Mesh
from mirror.screen.lighter import (
    every_second,
    face_triangles,
    fewer_lips,
    ground_triangles,
)
from mirror.signals import Floats

RIGHT_IRIS, LEFT_IRIS = 468, 473

RINGS = 7


@dataclass(frozen=True)
class Grade:
    """One degree of detail: which rings and rays of the ground it has, and its triangles.

    triangles: (T, 3) int32, the face before the ground: what is nearest is drawn first, so that
    nothing hidden shows through a portrait that fades.
    """

    rings: tuple[int, ...]
    step: int
    triangles: Ints


@dataclass(frozen=True)
class Sheet:
    """W drawn vertices, and triangles in three grades, finest first.

    pair: (W, 2) int32, each stands half way between two vertices of the mesh. uv: (W, 2) float32.
    part: (W, 4) float32: middle of the mouth, right eye, left eye (0 or 1), gap of the lips in the
    painting.
    """

    pair: Ints
    uv: Floats
    part: Floats
    grades: tuple[Grade, ...]


@dataclass(frozen=True)
class _Loops:
    """The loops of one grade."""

    eyes: tuple[Ints, Ints]
    lips: Ints
    oval: Ints

    def all(self) -> list[Ints]:
        return [*self.eyes, self.lips, self.oval]


#: The last mesh that was made into a sheet: a process rarely sees another.
_known: list[tuple[Mesh, Sheet]] = []


def sheet_of(mesh: Mesh) -> Sheet:
    """The sheet of a mesh, built when it is first asked for; any thread."""
    for known, sheet in _known:
        if known is mesh:
            return sheet
    sheet = build_sheet(mesh)
    _known[:] = [(mesh, sheet)]
    return sheet


def build_sheet(mesh: Mesh) -> Sheet:
    """Give the mouth and the eyes vertices of their own, and the mouth a line in its middle."""
    frame = mesh.frame
    whole = _Loops((frame.right_eye, frame.left_eye), frame.inner_lips, frame.oval)
    few = _Loops(
        (every_second(frame.right_eye), every_second(frame.left_eye)),
        fewer_lips(frame.inner_lips),
        every_second(frame.oval),
    )
    features = _Features(mesh)
    fine = features.add(whole)
    rough = features.add(few)
    inner = tuple(range(RINGS))
    light = face_triangles(mesh, 340, whole.all(), whole.all())
    tiny = face_triangles(mesh, 130, whole.all(), few.all())
    pair, uv, part = features.vertices()
    faces = (mesh.triangles[mesh.kind == FACE], fine, inner, 1), (light, fine, (1, 3, 5, 6), 1), (
        tiny, rough, (1, 4, 6), 2,
    )  # fmt: skip
    grades = []
    for face, eyes_and_mouth, rings, step in faces:
        ground = ground_triangles(frame.oval, rings, step)
        triangles = np.concatenate([face, eyes_and_mouth, ground])
        grades.append(Grade(rings, step, _wound_alike(triangles, uv)))
    return Sheet(pair, uv, part, tuple(grades))


def lids(mesh: Mesh, vertices: Floats) -> Floats:
    """How far the lids stand apart: area between them over the square of their width.

    vertices: (P, V, 3), portrait units. Returns (P, 2): right, left.
    """
    found = []
    for loop in (mesh.frame.right_eye, mesh.frame.left_eye):
        ring = vertices[:, loop, :2]  # (P, L, 2)
        after = np.roll(ring, -1, axis=1)
        area = np.sum(ring[..., 0] * after[..., 1] - ring[..., 1] * after[..., 0], axis=1) / 2
        width = np.ptp(ring[..., 0], axis=1) + 1e-6
        found.append(np.abs(area) / (width * width))
    return np.stack(found, axis=1).astype(np.float32)


class _Features:
    """Vertices that eyes and mouths have for themselves, collected grade by grade."""

    def __init__(self, mesh: Mesh) -> None:
        self._mesh = mesh
        own = np.arange(len(mesh.uv), dtype=np.int32)
        self._pairs = [np.stack([own, own], axis=1)]  # (V, 2)
        self._parts = [np.zeros((len(own), 4), np.float32)]

    def add(self, loops: _Loops) -> Ints:
        """Triangles of both eyes and the mouth within these loops."""
        right = self._append(*_eye(loops.eyes[0], RIGHT_IRIS, 1))
        left = self._append(*_eye(loops.eyes[1], LEFT_IRIS, 2))
        return np.concatenate([right, left, self._append(*_mouth(self._mesh, loops.lips))])

    def vertices(self) -> tuple[Ints, Floats, Floats]:
        """pair, uv and part of all so far."""
        pair, uv = np.concatenate(self._pairs), self._mesh.uv
        middle = (uv[pair[:, 0]] + uv[pair[:, 1]]) / 2
        return pair, middle.astype(np.float32), np.concatenate(self._parts)

    def _append(self, pair: Ints, part: Floats, triangles: Ints) -> Ints:
        first = sum(map(len, self._pairs))
        self._pairs.append(pair)
        self._parts.append(part)
        return triangles + first


def _eye(loop: Ints, centre: int, column: int) -> tuple[Ints, Floats, Ints]:
    """A fan from the lids to the iris: pairs, parts and triangles of vertices of its own."""
    ring = np.concatenate([loop, [centre]]).astype(np.int32)
    part = np.zeros((len(ring), 4), np.float32)
    part[:, column] = 1
    numbers = np.arange(len(loop), dtype=np.int32)
    middle = np.full(len(loop), len(loop), np.int32)
    return (
        np.stack([ring, ring], axis=1),
        part,
        np.stack([numbers, np.roll(numbers, -1), middle], 1),
    )


def _mouth(mesh: Mesh, loop: Ints) -> tuple[Ints, Floats, Ints]:
    """Upper lip, a line half way, lower lip: three rows of vertices from corner to corner.

    loop: inner lips in order round; the first and the one half way round are the corners.
    """
    half = len(loop) // 2
    upper = loop[: half + 1]
    lower = np.concatenate([loop[:1], loop[half:][::-1]])
    rows = [np.stack(pair, axis=1) for pair in ((upper, upper), (upper, lower), (lower, lower))]
    part = np.zeros((3, half + 1, 4), np.float32)
    part[1, :, 0] = 1
    part[1, :, 3] = np.linalg.norm(mesh.rest[upper, :2] - mesh.rest[lower, :2], axis=1)
    a = np.arange(half, dtype=np.int32)
    quads = []
    for row in (0, half + 1):
        near, far = a + row, a + row + half + 1
        quads += [np.stack([near, near + 1, far + 1], 1), np.stack([near, far + 1, far], 1)]
    return np.concatenate(rows).astype(np.int32), part.reshape(-1, 4), np.concatenate(quads)


def _wound_alike(triangles: Ints, uv: Floats) -> Ints:
    """Triangles turned so that all are wound clockwise as seen, y down."""
    a, b, c = (uv[triangles[:, i]] for i in range(3))
    ab, ac = b - a, c - a
    turned = triangles.copy()
    wrong = ab[:, 0] * ac[:, 1] - ab[:, 1] * ac[:, 0] < 0
    turned[wrong] = triangles[wrong][:, [0, 2, 1]]
    return np.ascontiguousarray(turned, np.int32)
