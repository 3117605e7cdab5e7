"""Emphasis: a portrait says a sitter's proportions louder, and nothing else."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mirror.canonical import Mesh
from mirror.faces import FaceModel
from mirror.latents.emphasis import emphasised
from mirror.latents.latents import GRID, SchoolGeometry, read_shape, remove_pose, steadiness
from mirror.lines import OUTER_LIPS
from mirror.session.puppet import Pose, make_puppet
from mirror.signals import Floats


@pytest.fixture(scope="module")
def geometries(faces: dict[str, FaceModel]) -> list[SchoolGeometry]:
    return [model.geometry for model in faces.values()]


@pytest.fixture(scope="module")
def shape(face: Floats, mesh: Mesh) -> Floats:
    """The shape of a real face."""
    return remove_pose(face, 1.0, mesh.frame)[1]


def added(geometry: SchoolGeometry, mesh: Mesh, shape: Floats, strength: float) -> Floats:
    """What emphasis alone adds to a shape."""
    louder = emphasised(geometry, mesh.frame, strength)
    return read_shape(replace(geometry, emphasis=louder), shape, 0.0)[0] - shape


def symmetric(mesh: Mesh, shape: Floats) -> Floats:
    mirrored = shape[mesh.frame.partner] * np.array([-1.0, 1.0, 1.0], np.float32)
    return (shape + mirrored) / 2


def test_without_emphasis_and_accent_a_shape_is_kept_exactly(
    geometries: list[SchoolGeometry], mesh: Mesh, shape: Floats
) -> None:
    for geometry in geometries:
        assert (added(geometry, mesh, shape, 0.0) == 0).all()
        assert (read_shape(replace(geometry, emphasis=None), shape, 0.0)[0] == shape).all()


def test_twice_the_emphasis_adds_twice_as_much(
    geometries: list[SchoolGeometry], mesh: Mesh, shape: Floats
) -> None:
    for geometry in geometries:
        once, twice = (added(geometry, mesh, shape, strength) for strength in (0.4, 0.8))
        assert np.abs(2 * once - twice).max() < 3 / GRID
        assert np.abs(twice).max() > 0.005


def test_a_real_face_goes_further_from_the_mean_the_way_it_was_away(
    geometries: list[SchoolGeometry], mesh: Mesh, shape: Floats
) -> None:
    """Along its own proportions it grows by about the strength; it does not become another face."""
    weight = steadiness(mesh.frame)[:, None]
    own = symmetric(mesh, shape)
    for geometry in geometries:
        more = added(geometry, mesh, shape, 1.0)
        along = float((weight * more * own).sum() / (weight * own * own).sum())
        aside = np.sqrt((weight * (more - along * own) ** 2).sum() / (weight * own * own).sum())
        assert 0.6 < along < 1.2
        assert aside < 0.5


def test_only_what_left_and_right_have_in_common_is_emphasised(
    geometries: list[SchoolGeometry], mesh: Mesh, shape: Floats
) -> None:
    for geometry in geometries:
        more = added(geometry, mesh, shape, 1.0)
        assert np.abs(more - symmetric(mesh, more)).max() < 3 / GRID


def test_an_opened_mouth_is_not_taken_for_a_proportion(
    geometries: list[SchoolGeometry], mesh: Mesh
) -> None:
    puppet = make_puppet(mesh.frame, np.zeros(8))
    shut, wide = (
        remove_pose(puppet.face(Pose(jaw=jaw)).astype(np.float32), 1.0, mesh.frame)[1]
        for jaw in (0.0, 0.3)
    )
    for geometry in geometries:
        more = added(geometry, mesh, wide, 1.0) - added(geometry, mesh, shut, 1.0)
        assert np.abs(more).max() < 0.25 * np.abs(wide - shut).max()


def test_lips_are_shifted_by_it_and_not_deformed(
    geometries: list[SchoolGeometry], mesh: Mesh, shape: Floats
) -> None:
    """By their corners and their opening one speaks; the nose beside them is made longer."""
    for geometry in geometries:
        more = added(geometry, mesh, shape, 1.0)
        lips = more[list(OUTER_LIPS)]
        assert np.ptp(lips, axis=0).max() < 3 / GRID
        assert np.ptp(more, axis=0).max() > 0.01
