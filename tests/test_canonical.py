"""The canonical frame and its mesh: what goes in at one place comes out there too."""

from __future__ import annotations

import shutil
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save

from mirror import MARKERS
from mirror.canonical import (
    EYE,
    FACE,
    FRAME_FILE,
    GROUND,
    MOUTH,
    Floats,
    Ints,
    Mesh,
    build_mesh,
    live_vertices,
    load_frame,
    load_mesh,
    rotations,
)
from mirror.cards import write_weights
from mirror.errors import ShapeError, WeightsError
from mirror.latents.latents import GRID, angles, steadiness
from mirror.places import weights_folder

FLIP = np.array([-1, 1, 1], np.float32)


def poses(count: int, most: float = 1.0) -> Floats:
    """Poses up to so many radians in every direction; roll goes round."""
    rng = np.random.default_rng(3)
    return (rng.uniform(-1, 1, (count, 3)) * (most, most, 3.0 * most)).astype(np.float32)


def shapes(count: int, spread: float = 0.02) -> Floats:
    rng = np.random.default_rng(4)
    return rng.normal(0, spread, (count, MARKERS, 3)).astype(np.float32)


def still(count: int = 1) -> tuple[Floats, Floats]:
    return np.zeros((count, 3), np.float32), np.zeros((count, MARKERS, 3), np.float32)


def areas(triangles: Ints, vertices: Floats) -> Floats:
    """Twice the signed area of each triangle as seen; positive is clockwise, y down."""
    a, b, c = (vertices[triangles[:, i], :2].astype(np.float64) for i in range(3))
    ab, ac = b - a, c - a
    return ab[:, 0] * ac[:, 1] - ab[:, 1] * ac[:, 0]


def edges(triangles: Ints) -> Counter[frozenset[int]]:
    """How many triangles each edge belongs to."""
    return Counter(frozenset((int(t[i]), int(t[(i + 1) % 3]))) for t in triangles for i in range(3))


def around(loop: Ints) -> set[frozenset[int]]:
    """The edges of a closed loop."""
    return {frozenset((int(a), int(b))) for a, b in zip(loop, np.roll(loop, -1))}


def euler(triangles: Ints) -> int:
    """Vertices - edges + triangles: 1 for a disk, 1 less for each hole in it."""
    return len(np.unique(triangles)) - len(edges(triangles)) + len(triangles)


# Turning


def test_angles_are_the_inverse_of_rotations() -> None:
    wanted = poses(200, 1.04)
    found = np.stack([angles(rotation) for rotation in rotations(wanted)])
    assert np.abs(found - wanted).max() < 0.51 / GRID + 1e-5


def test_rotations_turn_and_do_not_stretch_or_mirror() -> None:
    turn = rotations(poses(50)).astype(np.float64)
    assert np.abs(turn @ turn.transpose(0, 2, 1) - np.eye(3)).max() < 1e-5
    assert np.abs(np.linalg.det(turn) - 1).max() < 1e-5


@pytest.mark.parametrize(
    ("pose", "point", "goes"),
    [
        ((0.3, 0, 0), (0, 0, -1), (-np.sin(0.3), 0, -np.cos(0.3))),  # the nose goes left
        ((0, 0.3, 0), (0, 0, -1), (0, np.sin(0.3), -np.cos(0.3))),  # the nose goes down
        ((0, 0, 0.3), (0, -1, 0), (np.sin(0.3), -np.cos(0.3), 0)),  # the forehead goes right
    ],
)
def test_yaw_pitch_and_roll_turn_about_their_axes(pose, point, goes) -> None:  # type: ignore[no-untyped-def]
    turn = rotations(np.array([pose], np.float32))[0]
    assert turn @ np.array(point, np.float32) == pytest.approx(goes, abs=1e-6)


# The live mesh


def test_the_mesh_at_rest_is_the_canonical_frame(mesh: Mesh) -> None:
    live = live_vertices(mesh, *still())[0]
    assert np.abs(live[:, :2] - mesh.rest[:, :2]).max() < 1e-6
    irises = np.isin(np.arange(len(live)), (468, 473))  # they are laid between the lids' depth
    assert np.abs(live - mesh.rest)[~irises].max() < 1e-6
    assert np.abs(live - mesh.rest)[irises].max() < 0.01


def test_markers_without_pose_are_mean_plus_shape(mesh: Mesh) -> None:
    shape = shapes(5, 0.005)
    live = live_vertices(mesh, still(5)[0], shape)
    wanted = mesh.frame.mean + shape
    assert np.abs(live - np.concatenate([wanted, live[:, MARKERS:]], axis=1))[:, :468].max() < 1e-6


def test_a_mirrored_pose_gives_the_mirrored_mesh(mesh: Mesh) -> None:
    pose, shape = poses(10, 0.6), shapes(10)
    mirrored = np.empty_like(shape)
    mirrored[:, mesh.frame.partner] = shape * FLIP
    one = live_vertices(mesh, pose, shape)
    other = live_vertices(mesh, pose * np.array([-1, 1, -1], np.float32), mirrored)
    partner = np.linalg.norm((mesh.rest * FLIP)[:, None] - mesh.rest[None], axis=2).argmin(axis=1)
    assert sorted(partner) == list(range(len(mesh.rest)))
    assert (partner[:MARKERS] == mesh.frame.partner).all()
    assert np.abs(other[:, partner] - one * FLIP).max() < 1e-4


def test_the_mean_face_is_symmetric_and_partners_are_mutual(mesh: Mesh) -> None:
    partner = mesh.frame.partner
    assert (partner[partner] == np.arange(MARKERS)).all()
    assert np.abs(mesh.frame.mean[partner] - mesh.frame.mean * FLIP).max() < 1e-6


def test_the_border_ring_never_moves(mesh: Mesh) -> None:
    live = live_vertices(mesh, poses(20), shapes(20, 0.1))
    border = mesh.rest[-36:]
    assert np.abs(np.abs(border[:, :2]).max(axis=1) - 1).max() < 1e-6
    assert np.abs(live[:, -36:] - border).max() < 1e-6


def test_the_rings_near_the_head_turn_more_than_those_far_away(mesh: Mesh) -> None:
    turned = live_vertices(mesh, np.array([[0.4, 0, 0]], np.float32), still()[1])[0]
    moved = np.linalg.norm(turned - mesh.rest, axis=1)[MARKERS:].reshape(7, 36).mean(axis=1)
    assert (np.diff(moved) <= 1e-6).all()
    assert moved[0] > 0.05


@pytest.mark.parametrize("shut", [0.0, 0.5, 1.0])
def test_irises_stay_between_the_lids(mesh: Mesh, shut: float) -> None:
    frame, shape = mesh.frame, shapes(20)
    for loop, iris in ((frame.right_eye, 468), (frame.left_eye, 473)):
        middle = (frame.mean + shape)[:, loop].mean(axis=1, keepdims=True)
        shape[:, loop] += shut * (middle - (frame.mean + shape)[:, loop]) * (0, 1, 1)
        shape[:, iris, :2] += np.array([0.2, -0.3], np.float32)
    live = live_vertices(mesh, still(20)[0], shape)
    for loop, iris in ((frame.right_eye, 468), (frame.left_eye, 473)):
        low, high = live[:, loop].min(axis=1), live[:, loop].max(axis=1)
        inside = (live[:, iris] >= low - 1e-6) & (live[:, iris] <= high + 1e-6)
        assert inside.all()


@pytest.mark.parametrize(
    ("pose", "shape"),
    [
        (np.zeros((2, 3), np.float32), np.zeros((3, MARKERS, 3), np.float32)),
        (np.zeros((2, 3)), np.zeros((2, MARKERS, 3), np.float32)),
        (np.zeros((2, 4), np.float32), np.zeros((2, MARKERS, 3), np.float32)),
        (np.zeros((2, 3), np.float32), np.zeros((2, 468, 3), np.float32)),
    ],
)
def test_arrays_of_another_shape_or_kind_are_refused(
    mesh: Mesh, pose: Floats, shape: Floats
) -> None:
    with pytest.raises(ShapeError):
        live_vertices(mesh, pose, shape)


# Triangles


def test_the_mesh_covers_the_texture_square_once(mesh: Mesh) -> None:
    for triangles in (mesh.triangles, mesh.coarse):
        found = areas(triangles, mesh.rest)
        assert found.min() > 0  # all wound alike at rest
        assert found.sum() / 2 == pytest.approx(4.0, abs=1e-3)  # nothing twice, no gap
    assert mesh.uv.min() == 0.0
    assert mesh.uv.max() == 1.0
    assert np.abs(mesh.uv * 2 - 1 - mesh.rest[:, :2]).max() < 1e-6


def test_no_edge_belongs_to_more_than_two_triangles_and_only_the_border_to_one(mesh: Mesh) -> None:
    border = set(range(len(mesh.rest) - 36, len(mesh.rest)))
    for triangles in (mesh.triangles, mesh.coarse):
        counted = edges(triangles)
        assert set(counted.values()) == {1, 2}
        rim = {edge for edge, count in counted.items() if count == 1}
        assert set().union(*rim) == border
        assert len(rim) == 36
        assert euler(triangles) == 1


def test_the_face_with_eyes_and_mouth_closed_is_a_disk_within_the_oval(mesh: Mesh) -> None:
    for triangles, kind in ((mesh.triangles, mesh.kind), (mesh.coarse, mesh.coarse_kind)):
        face = triangles[kind != GROUND]
        rim = {edge for edge, count in edges(face).items() if count == 1}
        assert euler(face) == 1
        assert rim == around(mesh.frame.oval)


def test_the_face_alone_has_three_holes(mesh: Mesh) -> None:
    frame = mesh.frame
    face = mesh.triangles[mesh.kind == FACE]
    rim = {edge for edge, count in edges(face).items() if count == 1}
    holes = around(frame.right_eye) | around(frame.left_eye) | around(frame.inner_lips)
    assert euler(face) == 1 - 3
    assert rim == holes | around(frame.oval)


def test_eyes_and_mouth_fill_their_holes(mesh: Mesh) -> None:
    frame = mesh.frame
    eyes = mesh.triangles[mesh.kind == EYE]
    mouth = mesh.triangles[mesh.kind == MOUTH]
    rim = {edge for edge, count in edges(eyes).items() if count == 1}
    assert rim == around(frame.right_eye) | around(frame.left_eye)
    rim = {edge for edge, count in edges(mouth).items() if count == 1}
    assert rim == around(frame.inner_lips)
    assert set(np.unique(mouth)) == set(frame.inner_lips.tolist())


def test_the_coarse_mesh_keeps_the_contours_with_fewer_triangles(mesh: Mesh) -> None:
    frame, kept = mesh.frame, set(edges(mesh.coarse))
    for loop in (frame.oval, frame.right_eye, frame.left_eye, frame.inner_lips):
        assert around(loop) <= kept
    assert len(mesh.coarse) < 0.75 * len(mesh.triangles)
    assert len(mesh.coarse) == len(mesh.coarse_kind)


def test_building_twice_gives_the_same_mesh(mesh: Mesh) -> None:
    again = build_mesh(mesh.frame)
    for name in ("rest", "uv", "triangles", "kind", "coarse", "coarse_kind", "follow", "shaped"):
        assert (getattr(again, name) == getattr(mesh, name)).all()


# The file


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A weights folder with nothing but a copy of the frame and its card."""
    for name in (FRAME_FILE, "frame.json"):
        shutil.copyfile(weights_folder() / name, tmp_path / name)
    return tmp_path


def four_parts(error: WeightsError, folder: Path) -> None:
    assert "frame" in error.where
    assert str(folder) in error.where
    assert error.found
    assert error.allowed
    assert error.attempt


def test_a_copied_frame_gives_the_same_mesh(folder: Path, mesh: Mesh) -> None:
    assert (load_mesh(folder).rest == mesh.rest).all()


def test_a_folder_without_a_frame_is_refused_in_four_parts(tmp_path: Path) -> None:
    with pytest.raises(WeightsError) as refused:
        load_frame(tmp_path)
    four_parts(refused.value, tmp_path)


def test_a_frame_cut_short_is_refused_in_four_parts(folder: Path) -> None:
    path = folder / FRAME_FILE
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(WeightsError) as refused:
        load_frame(folder)
    four_parts(refused.value, folder)


def test_a_frame_with_one_byte_flipped_is_refused_in_four_parts(folder: Path) -> None:
    path = folder / FRAME_FILE
    stored = bytearray(path.read_bytes())
    stored[-1000] ^= 1
    path.write_bytes(stored)
    with pytest.raises(WeightsError, match="sha256") as refused:
        load_frame(folder)
    four_parts(refused.value, folder)


def rewrite(folder: Path, drop: str = "", **changes: np.ndarray) -> None:
    """Another frame, and a card that vouches for it."""
    stored = {**load_file(folder / FRAME_FILE), **changes}
    stored.pop(drop, None)
    write_weights(folder, "frame", save(stored), {})


def test_a_frame_without_one_of_its_arrays_is_refused(folder: Path) -> None:
    rewrite(folder, drop="oval")
    with pytest.raises(WeightsError) as refused:
        load_frame(folder)
    four_parts(refused.value, folder)


def test_a_frame_learnt_before_people_was_has_the_program_s_own(folder: Path, mesh: Mesh) -> None:
    rewrite(folder, drop="people")
    assert (load_frame(folder).people == mesh.frame.people).all()


def test_people_are_symmetric_and_differ_in_order(mesh: Mesh) -> None:
    people, partner = mesh.frame.people, mesh.frame.partner
    assert np.abs(people[:, partner] * (-1, 1, 1) - people).max() < 1e-6
    still = np.sqrt(steadiness(mesh.frame))[:, None]
    sizes = np.linalg.norm((people * still).reshape(len(people), -1), axis=1)
    assert (np.diff(sizes) < 0).all() and sizes[-1] > 0


@pytest.mark.parametrize(
    ("name", "array"),
    [
        ("people", np.zeros((7, MARKERS, 3), np.float32)),
        ("people", np.full((8, MARKERS, 3), np.inf, np.float32)),
        ("mean", np.zeros((468, 3), np.float32)),
        ("mean", np.zeros((MARKERS, 3), np.float64)),
        ("partner", np.zeros(468, np.int32)),
        ("oval", np.zeros(12, np.int32)),
        ("surface", np.full((852, 3), MARKERS, np.int32)),
        ("inner_lips", np.full(20, -1, np.int32)),
        ("mean", np.full((MARKERS, 3), np.nan, np.float32)),
    ],
)
def test_a_frame_of_another_shape_is_refused(folder: Path, name: str, array: np.ndarray) -> None:
    rewrite(folder, **{name: array})
    with pytest.raises(WeightsError) as refused:
        load_frame(folder)
    four_parts(refused.value, folder)
