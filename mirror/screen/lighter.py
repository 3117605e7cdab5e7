"""Lighter meshes for small portraits: fewer triangles, the same vertices.

A processor without a graphics card pays for triangles, not for pixels: one that is smaller than
a few pixels costs as much as one ten times its size. So a face of 40 pixels is drawn with some 150
triangles. Loops (oval, lids, lips) keep their form; inside, the shortest edges collapse first.

In: the canonical ``Mesh``. Out: lists of triangles. Pure; at the start, some 60 ms.
"""

from __future__ import annotations

import heapq
import math

import numpy as np

from mirror import MARKERS
from mirror.canonical import FACE, Ints, Mesh
from mirror.signals import Floats

RAYS = 36


def every_second(loop: Ints) -> Ints:
    """Half of a loop of lids or of the oval, beginning with its first."""
    return loop[::2]


def fewer_lips(loop: Ints) -> Ints:
    """Twelve of the twenty inner lips: the corners, what is beside them, the middles."""
    half = len(loop) // 2
    kept = [0, *range(1, half, 2), half, *range(half + 1, len(loop), 2)]
    return loop[kept]


def face_triangles(mesh: Mesh, target: int, loops: list[Ints], kept: list[Ints]) -> Ints:
    """The face with about so many triangles.

    loops: the ordered loops of the mesh; kept: what stays of each, in its order. Vertices of a
    loop that do not stay merge into a neighbour on the loop. Returns (T, 3) int32.
    """
    collapse = _Collapse(mesh.triangles[mesh.kind == FACE], mesh.rest)
    fixed = {int(i) for loop in loops for i in loop}
    for loop, stay in zip(loops, kept):
        staying = {int(i) for i in stay}
        for at, vertex in enumerate(loop):
            if int(vertex) not in staying:
                near = [int(loop[(at + step) % len(loop)]) for step in (-1, 1, -2, 2)]
                collapse.merge(int(vertex), next(i for i in near if i in staying))
    collapse.shorten(fixed, target)
    return collapse.triangles()


def ground_triangles(oval: Ints, rings: tuple[int, ...], step: int = 1) -> Ints:
    """The ground from the oval outwards over some of the rings, along every ``step``-th ray."""
    rays = np.arange(0, RAYS, step)
    loops = [np.asarray(oval)[rays]] + [MARKERS + RAYS * ring + rays for ring in rings]
    found = []
    for inner, outer in zip(loops[:-1], loops[1:]):
        a, b, c, d = inner, np.roll(inner, -1), np.roll(outer, -1), outer
        found += [np.stack([a, b, c], axis=1), np.stack([a, c, d], axis=1)]
    return np.concatenate(found).astype(np.int32)


class _Collapse:
    """Triangles in the course of being merged, found by their corners."""

    def __init__(self, triangles: Ints, rest: Floats) -> None:
        self._rest = [tuple(float(c) for c in point) for point in rest]
        self._faces = {number: tuple(int(i) for i in t) for number, t in enumerate(triangles)}
        self._of: dict[int, set[int]] = {}
        for number, face in self._faces.items():
            for vertex in face:
                self._of.setdefault(vertex, set()).add(number)

    def triangles(self) -> Ints:
        """What is left.  (T, 3) int32"""
        return np.array([self._faces[number] for number in sorted(self._faces)], np.int32)

    def merge(self, vertex: int, target: int) -> None:
        """Move a vertex onto another; triangles that lose their area go."""
        for number in sorted(self._of.pop(vertex)):
            face = tuple(target if i == vertex else i for i in self._faces[number])
            if len(set(face)) < 3:
                del self._faces[number]
                for corner in set(face) - {vertex}:
                    self._of[corner].discard(number)
            else:
                self._faces[number] = face
                self._of[target].add(number)

    def shorten(self, fixed: set[int], target: int) -> None:
        """Merge free vertices, the cheapest edge first, until few enough triangles are left."""
        queue: list[tuple[float, int, int]] = []
        for vertex in sorted(self._of):
            if vertex not in fixed:
                self._offer(queue, vertex)
        while queue and len(self._faces) > target:
            _, vertex, other = heapq.heappop(queue)
            if vertex not in self._of or other not in self._of or not self._joined(vertex, other):
                continue
            if self._turns_over(vertex, other):
                continue
            around = self._around(vertex)
            self.merge(vertex, other)
            for near in sorted(around - fixed):
                self._offer(queue, near)

    def _offer(self, queue: list[tuple[float, int, int]], vertex: int) -> None:
        """Long edges and vertices at which the surface bends are dear: the nose stays a nose."""
        bend = self._bend(vertex)
        for other in sorted(self._around(vertex)):
            length = math.dist(self._rest[vertex], self._rest[other])
            heapq.heappush(queue, (length * (0.25 + bend), vertex, other))

    def _around(self, vertex: int) -> set[int]:
        return {i for number in self._of[vertex] for i in self._faces[number]} - {vertex}

    def _joined(self, vertex: int, other: int) -> bool:
        return bool(self._of[vertex] & self._of[other])

    def _bend(self, vertex: int) -> float:
        total = [0.0, 0.0, 0.0]
        for number in sorted(self._of[vertex]):
            normal = self._normal(self._faces[number])
            length = math.hypot(*normal) or 1.0
            total = [t + n / length for t, n in zip(total, normal)]
        return 1 - math.hypot(*total) / len(self._of[vertex])

    def _turns_over(self, vertex: int, other: int) -> bool:
        for number in self._of[vertex]:
            face = self._faces[number]
            after = tuple(other if i == vertex else i for i in face)
            if len(set(after)) == 3 and self._normal(face)[2] * self._normal(after)[2] <= 0:
                return True
        return False

    def _normal(self, face: tuple[int, ...]) -> tuple[float, float, float]:
        (ax, ay, az), (bx, by, bz), (cx, cy, cz) = (self._rest[i] for i in face)
        ux, uy, uz, vx, vy, vz = bx - ax, by - ay, bz - az, cx - ax, cy - ay, cz - az
        return uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx
