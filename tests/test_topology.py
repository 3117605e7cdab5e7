"""The face's surface: a disk with three holes, and outlines that bound it."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from mirror.markers.topology import contours, surface_triangles

HOLES = ("left_eye", "right_eye", "inner_lips")


def edges_of(triangles: np.ndarray) -> Counter[tuple[int, int]]:
    """Directed edges, and how many triangles go along each."""
    pairs = np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]])
    return Counter((int(a), int(b)) for a, b in pairs)


def along(loop: list[int]) -> set[tuple[int, int]]:
    return set(zip(loop, loop[1:] + loop[:1]))


def test_there_are_852_triangles_over_all_468_markers_of_the_surface() -> None:
    triangles = surface_triangles()
    assert (triangles.shape, triangles.dtype) == ((852, 3), np.dtype(np.int32))
    assert set(triangles.ravel().tolist()) == set(range(468))


def test_all_triangles_are_wound_alike() -> None:
    edges = edges_of(surface_triangles())
    assert set(edges.values()) == {1}  # a neighbour goes along the shared edge the other way


def test_the_surface_is_a_disk_with_three_holes() -> None:
    directed = set(edges_of(surface_triangles()))
    edges = {frozenset(edge) for edge in directed}
    assert 468 - len(edges) + 852 == 1 - 3  # Euler characteristic: a disk has 1, a hole takes 1
    border = {(a, b) for a, b in directed if (b, a) not in directed}
    loops = contours()
    holes = set().union(*({(b, a) for a, b in along(loops[name])} for name in HOLES))
    assert border == along(loops["oval"]) | holes


def test_the_surface_is_one_piece() -> None:
    triangles = surface_triangles()
    reached, before = {0}, 0
    while len(reached) > before:
        before = len(reached)
        touched = np.isin(triangles, list(reached)).any(axis=1)
        reached |= set(triangles[touched].ravel().tolist())
    assert len(reached) == 468


@pytest.mark.parametrize(
    ("name", "count"),
    [
        ("oval", 36),
        ("left_eye", 16),
        ("right_eye", 16),
        ("outer_lips", 20),
        ("inner_lips", 20),
        ("left_iris", 4),
        ("right_iris", 4),
    ],
)
def test_an_outline_goes_once_round(name: str, count: int) -> None:
    loop = contours()[name]
    assert len(loop) == len(set(loop)) == count


def test_nobody_can_change_the_triangles_for_all_others() -> None:
    with pytest.raises(ValueError, match="read-only"):
        surface_triangles()[0, 0] = 1
