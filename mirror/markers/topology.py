"""The face's surface as FaceMesh knows it: triangles and outlines between its markers.

Nothing comes in; out go indices of markers. Any thread may call it. MediaPipe's table of edges is
read from its installed file: it is plain Python, and importing mediapipe for it would cost a
second at start.
"""

from __future__ import annotations

import functools
import itertools
from collections import Counter, defaultdict
from collections.abc import Iterable
from importlib import util
from pathlib import Path
from types import ModuleType

import numpy as np
import numpy.typing as npt


@functools.cache
def surface_triangles() -> npt.NDArray[np.int32]:
    """The face's surface, (852, 3) int32 indices of markers, wound clockwise on the screen.

    A disk with three holes (both eyes, the mouth), bounded by the oval. FaceMesh publishes edges;
    the triangles are the edges' 3-cliques, less the two that are triangulated again inside.
    """
    neighbours: dict[int, set[int]] = defaultdict(set)
    for one, other in _connections().FACEMESH_TESSELATION:
        neighbours[one].add(other)
        neighbours[other].add(one)
    cliques: list[tuple[int, ...]] = [
        (one, two, three)
        for one in sorted(neighbours)
        for two in sorted(neighbours[one])
        for three in sorted(neighbours[one] & neighbours[two])
        if one < two < three
    ]
    shared = Counter(edge for clique in cliques for edge in itertools.combinations(clique, 2))
    faces = [c for c in cliques if any(shared[e] < 3 for e in itertools.combinations(c, 2))]
    triangles = np.array(_wound_alike(faces, contours()["oval"]), np.int32)
    triangles.flags.writeable = False
    return triangles


def contours() -> dict[str, list[int]]:
    """Closed outlines as indices of markers, ordered clockwise on the screen.

    oval (36); left_eye, right_eye (16 each) and inner_lips (20), which bound the surface's holes;
    outer_lips (20); left_iris, right_iris (4 each). Left and right are the sitter's own in a
    picture that is not mirrored: left_eye lies right on the screen.
    """
    edges = _connections()
    return {  # where each begins, and a marker that is passed on the first half of the way
        "oval": _loop(edges.FACEMESH_FACE_OVAL, 10, 454),
        "left_eye": _loop(edges.FACEMESH_LEFT_EYE, 362, 386),
        "right_eye": _loop(edges.FACEMESH_RIGHT_EYE, 33, 159),
        "outer_lips": _loop(edges.FACEMESH_LIPS, 61, 0),
        "inner_lips": _loop(edges.FACEMESH_LIPS, 78, 13),
        "left_iris": _loop(edges.FACEMESH_LEFT_IRIS, 476, 475),
        "right_iris": _loop(edges.FACEMESH_RIGHT_IRIS, 471, 470),
    }


@functools.cache
def _connections() -> ModuleType:
    """FaceMesh's published edges, without importing the package around them."""
    package = util.find_spec("mediapipe")
    if package is None or package.origin is None:
        raise ModuleNotFoundError("mediapipe is not installed: run make setup")
    path = Path(package.origin).parent / "python" / "solutions" / "face_mesh_connections.py"
    spec = util.spec_from_file_location("face_mesh_connections", path)
    if spec is None or spec.loader is None:
        raise ModuleNotFoundError(f"{path} cannot be read as Python")
    module = util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _loop(edges: Iterable[tuple[int, int]], start: int, early: int) -> list[int]:
    """Walk the closed outline through start, in the direction that meets early sooner."""
    neighbours: dict[int, list[int]] = defaultdict(list)
    for one, other in sorted(edges):
        neighbours[one].append(other)
        neighbours[other].append(one)
    loop, following = [start], neighbours[start][0]
    while following != start:
        loop.append(following)
        one, other = neighbours[following]
        following = other if one == loop[-2] else one
    backwards = loop.index(early) > len(loop) / 2
    return [start, *reversed(loop[1:])] if backwards else loop


def _wound_alike(faces: list[tuple[int, ...]], oval: list[int]) -> list[tuple[int, ...]]:
    """The triangles turned so that all follow the oval's sense, spreading from edge to edge."""
    beside: dict[frozenset[int], list[int]] = defaultdict(list)
    for number, face in enumerate(faces):
        for edge in itertools.combinations(face, 2):
            beside[frozenset(edge)].append(number)
    wound: dict[int, tuple[int, ...]] = {}
    waiting = [(beside[frozenset(oval[:2])][0], oval[0], oval[1])]
    while waiting:
        number, one, two = waiting.pop()
        if number in wound:
            continue
        (three,) = set(faces[number]) - {one, two}
        wound[number] = (one, two, three)
        for a, b in ((one, two), (two, three), (three, one)):
            waiting.extend((n, b, a) for n in beside[frozenset((a, b))] if n not in wound)
    return [wound[number] for number in range(len(faces))]
