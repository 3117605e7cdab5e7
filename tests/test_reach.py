"""Ground without paint is not drawn, and nothing else is left out."""

from __future__ import annotations

import numpy as np
import pytest

from mirror import MARKERS
from mirror.canonical import Mesh, load_mesh
from mirror.screen.reach import SIDE, STEPS, TOLD, Reach
from mirror.screen.sheet import sheet_of
from mirror.signals import Bytes, Floats


@pytest.fixture(scope="module")
def mesh() -> Mesh:
    return load_mesh()


@pytest.fixture(scope="module")
def reach(mesh: Mesh) -> Reach:
    return Reach(mesh, sheet_of(mesh).grades)


def disc(radius: float) -> Bytes:
    """A painting with paint within so much of its middle, of half its side."""
    y, x = np.mgrid[:SIDE, :SIDE] + 0.5
    inside = np.hypot(x - SIDE / 2, y - SIDE / 2) < radius * SIDE / 2
    return np.where(inside[..., None], 255, 0).astype(np.uint8).repeat(4, axis=2)


def resting(mesh: Mesh) -> Floats:
    """One row of vertices at rest, all of them facing the viewer."""
    facing = np.ones((len(mesh.rest), 1), np.float32)
    return np.concatenate([mesh.rest, facing], axis=1)[None].astype(np.float32)


def places(reach: Reach, rows: Floats) -> Floats:
    """Where in the painting each vertex of the first row looks, as ``portrait.vert`` has it."""
    steps = np.floor(rows[0, :, 3] / TOLD)[:, None]
    return reach.start + steps * reach.outward


def test_no_paint_no_ground(mesh: Mesh, reach: Reach) -> None:
    assert (reach.measure(np.zeros((SIDE, SIDE, 4), np.uint8)) == 0).all()
    rows = resting(mesh)
    reach.cut(rows, np.arange(1), np.zeros((1, 36), np.int64), 0)
    rings = rows[0, MARKERS:].reshape(-1, 36, 4)
    assert (rings == rings[:1]).all()
    assert rings[0] == pytest.approx(rows[0, mesh.frame.oval])


def test_paint_everywhere_leaves_the_mesh_as_it_is(mesh: Mesh, reach: Reach) -> None:
    whole = reach.measure(np.full((SIDE, SIDE, 4), 255, np.uint8))
    assert (whole == STEPS).all()
    rows = resting(mesh)
    reach.cut(rows, np.arange(1), whole[None], 0)
    assert rows[0, :, :3] == pytest.approx(mesh.rest, abs=1e-6)
    assert places(reach, rows) == pytest.approx(mesh.uv, abs=1e-5)
    assert rows[0, :, 3] % TOLD == pytest.approx(np.ones(len(mesh.rest)), abs=1e-4)


@pytest.mark.parametrize("grade", [0, 1, 2])
@pytest.mark.parametrize("radius", [0.75, 0.9])
def test_the_cut_lies_beyond_the_paint_and_not_far(
    mesh: Mesh, reach: Reach, radius: float, grade: int
) -> None:
    found = reach.measure(disc(radius))
    rows = resting(mesh)
    reach.cut(rows, np.arange(1), found[None], grade)
    drawn = sheet_of(mesh).grades[grade]
    outermost = MARKERS + 36 * drawn.rings[-1] + np.arange(0, 36, drawn.step)
    at = places(reach, rows)[outermost]
    assert at == pytest.approx((rows[0, outermost, :2] + 1) / 2, abs=1e-5)  # at rest: where it is
    away = 2 * np.linalg.norm(at - 0.5, axis=1)  # of half a side
    assert (away > radius - 0.03).all()  # 0.03: a pixel of the small painting
    if grade == 0:  # in coarser ones a ray goes as far as the farthest of four sectors
        assert np.median(away) < radius + 0.15


def test_only_the_chosen_rows_are_cut(mesh: Mesh, reach: Reach) -> None:
    rows = np.repeat(resting(mesh), 3, axis=0)
    reach.cut(rows, np.array([1]), np.zeros((1, 36), np.int64), 0)
    assert (rows[[0, 2]] == resting(mesh)).all()
    assert not (rows[1] == resting(mesh)[0]).all()
