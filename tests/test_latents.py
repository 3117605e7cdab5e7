"""Latents: pose, shape and appearance of a face, read from markers and from nothing else."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
from processors import outputs

from mirror import MARKERS, SCHOOLS
from mirror.canonical import Mesh, live_vertices, rotations
from mirror.errors import ShapeError
from mirror.faces import FaceModel
from mirror.latents.latents import (
    _AT_ONCE,
    APPEARANCE,
    CODE,
    FURTHEST,
    GRID,
    POSE,
    SHAPE,
    USUAL_ASPECTS,
    WIDTH,
    SchoolGeometry,
    angles,
    fit_pose,
    guess_aspect,
    isotropic,
    join,
    read_all,
    read_many,
    read_shape,
    rebend,
    remove_pose,
    split,
    steadiness,
)
from mirror.session.puppet import Pose, make_puppet
from mirror.session.synthetic import synthesise
from mirror.settings import FaceSettings
from mirror.signals import Floats

RNG = np.random.default_rng
#: As the piece has it.
ACCENT = FaceSettings().accent


@pytest.fixture(scope="module")
def geometries(faces: dict[str, FaceModel]) -> dict[str, SchoolGeometry]:
    return {school: model.geometry for school, model in faces.items()}


@pytest.fixture(scope="module")
def shape(face: Floats, mesh: Mesh) -> Floats:
    """The shape of a real face."""
    return remove_pose(face, 1.0, mesh.frame)[1]


def without_pose(mesh: Mesh, shape: Floats) -> Floats:
    """A shape less whatever a turn, a shift or another size could explain of it."""
    mean = mesh.frame.mean
    rotation, scale, shift, _ = fit_pose(mean + shape, mean, steadiness(mesh.frame))
    return ((mean + shape - shift) @ rotation / scale - mean).astype(np.float32)


def photographed(
    points: Floats, aspect: float, scale: float = 0.3, shift: tuple[float, ...] = (0.6, 0.4, 0.1)
) -> Floats:
    """Portrait units to image-normalised markers of a picture of such a format."""
    return ((scale * points + np.array(shift)) / (aspect, 1.0, aspect)).astype(np.float32)


# The layout


def test_the_layout_is_pose_then_shape_then_appearance() -> None:
    assert WIDTH == 3 + 3 * MARKERS + APPEARANCE == 1485
    assert (slice(0, 3), slice(3, 1437), slice(1437, 1485)) == (POSE, SHAPE, CODE)


@pytest.mark.parametrize("ahead", [(), (6,), (2, 5)])
def test_join_and_split_are_inverse(ahead: tuple[int, ...]) -> None:
    rng = RNG(1)
    parts = [
        rng.normal(size=(*ahead, *each)).astype(np.float32)
        for each in ((3,), (MARKERS, 3), (APPEARANCE,))
    ]
    latent = join(*parts)
    assert latent.shape == (*ahead, WIDTH)
    assert latent.dtype == np.float32
    assert all((a == b).all() for a, b in zip(split(latent), parts))
    assert (join(*split(latent)) == latent).all()
    assert (latent[..., CODE] == parts[2]).all()


# Pose


@pytest.mark.parametrize("aspect", USUAL_ASPECTS)
def test_what_was_rendered_is_read_again(mesh: Mesh, aspect: float) -> None:
    """Markers made from pose, shape, size and place give pose and shape back."""
    rng = RNG(2)
    for _ in range(12):
        pose = (rng.uniform(-1, 1, 3) * (0.9, 0.6, 1.5)).astype(np.float32)
        shape = without_pose(mesh, rng.normal(0, 0.01, (MARKERS, 3)).astype(np.float32))
        points = live_vertices(mesh, pose[None], shape[None])[0, :MARKERS]
        markers = photographed(points, aspect, rng.uniform(0.05, 0.6))
        read_pose, read = remove_pose(markers, aspect, mesh.frame)
        exact = np.setdiff1d(np.arange(MARKERS), (468, 473))  # irises are held between the lids
        assert np.abs(read_pose - pose).max() < 1e-3
        assert np.abs(read - shape)[exact].max() < 1e-3


def test_place_size_and_turn_of_the_picture_leave_the_shape_alone(
    face: Floats, mesh: Mesh, shape: Floats
) -> None:
    points = isotropic(face, 1.0)
    roll = rotations(np.array([[0, 0, 0.7]], np.float32))[0]
    moved = photographed(points @ roll.T, 4 / 3, 0.5, (-0.2, 0.7, 3.0))
    pose, read = remove_pose(moved, 4 / 3, mesh.frame)
    assert np.abs(read - shape).max() < 1e-3
    assert pose[2] - remove_pose(face, 1.0, mesh.frame)[0][2] == pytest.approx(0.7, abs=1e-3)


def test_a_real_face_that_looks_ahead_is_read_as_such(face: Floats, mesh: Mesh) -> None:
    pose, shape = remove_pose(face, 1.0, mesh.frame)
    assert np.abs(pose).max() < 0.15
    assert np.abs(shape).max() < 0.15


def test_a_speaking_mouth_and_closed_lids_hardly_turn_the_head(mesh: Mesh) -> None:
    puppet = make_puppet(mesh.frame, np.zeros(8))
    before, _ = remove_pose(photographed(puppet.face(Pose()), 1.0), 1.0, mesh.frame)
    busy = puppet.face(Pose(jaw=0.3, lids=1.0, smile=1.0))
    after, _ = remove_pose(photographed(busy, 1.0), 1.0, mesh.frame)
    assert np.abs(after - before).max() < 0.05


def test_the_fit_is_exact_for_the_mean_itself_and_never_a_mirror_image(mesh: Mesh) -> None:
    mean, weight = mesh.frame.mean, steadiness(mesh.frame)
    turn = rotations(np.array([[0.5, -0.3, 1.0]], np.float32))[0]
    rotation, scale, shift, residual = fit_pose(2.5 * mean @ turn.T + (1, 2, 3), mean, weight)
    assert np.abs(rotation - turn).max() < 1e-5
    assert (scale, residual) == (pytest.approx(2.5, rel=1e-5), pytest.approx(0, abs=1e-3))
    assert shift == pytest.approx([1, 2, 3], abs=1e-4)
    inside_out = fit_pose(mean * (1, 1, -1), mean, weight)[0]
    assert np.linalg.det(inside_out) == pytest.approx(1, abs=1e-5)


def test_steady_markers_count_and_moving_ones_hardly(mesh: Mesh) -> None:
    weight = steadiness(mesh.frame)
    assert weight.sum() == pytest.approx(1.0, abs=1e-5)
    assert (weight >= 0).all()
    assert (weight[468:] == 0).all()
    forehead, chin, lip = weight[10], weight[152], weight[mesh.frame.inner_lips].max()
    assert chin < lip < 0.2 * forehead
    assert weight[159] < 0.3 * weight[168]  # a lid, and the bridge of the nose


@pytest.mark.parametrize("markers", [np.zeros((468, 3), np.float32), np.zeros((MARKERS, 3))])
def test_markers_of_another_shape_or_kind_are_refused(mesh: Mesh, markers: Floats) -> None:
    with pytest.raises(ShapeError, match="markers"):
        remove_pose(markers, 1.0, mesh.frame)


# The format of the picture


@pytest.mark.parametrize("aspect", USUAL_ASPECTS)
@pytest.mark.parametrize("yaw", [-0.35, 0.0, 0.35])
def test_the_format_of_the_picture_is_guessed_from_the_face(
    face: Floats, mesh: Mesh, aspect: float, yaw: float
) -> None:
    turn = rotations(np.array([[yaw, 0.1, 0.05]], np.float32))[0]
    points = isotropic(face, 1.0) @ turn.T
    assert guess_aspect(photographed(points, aspect), mesh.frame) == aspect


# What a school makes of it


def test_half_an_accent_bends_half_as_much(
    geometries: dict[str, SchoolGeometry], shape: Floats
) -> None:
    for geometry in geometries.values():
        none, half, whole = (read_shape(geometry, shape, bent)[0] for bent in (0.0, 0.5, 1.0))
        half, whole = half - none, whole - none
        assert np.abs(2 * half - whole).max() < 3 / GRID
        assert np.abs(whole).max() > 1e-3


def test_every_school_hears_another_face(
    geometries: dict[str, SchoolGeometry], face: Floats, mesh: Mesh
) -> None:
    latents = read_all(list(geometries.values()), mesh.frame, face, 1.0, 1.0)
    assert latents.shape == (len(SCHOOLS), WIDTH)
    assert latents.dtype == np.float32
    assert (latents[:, POSE] == latents[0, POSE]).all()
    for one in range(len(SCHOOLS)):
        for other in range(one):
            assert np.abs(latents[one, SHAPE] - latents[other, SHAPE]).max() > 1e-3
            assert np.abs(latents[one, CODE] - latents[other, CODE]).max() > 0.1


def test_many_faces_read_together_are_each_as_if_alone(
    geometries: dict[str, SchoolGeometry], mesh: Mesh
) -> None:
    """To the last bit, whatever the others are: a replay reads many at once, a show one or two."""
    schools = list(geometries.values())
    seen = [each for moment in synthesise(30.0, 1) for each in moment.sitters][::20]
    assert len(seen) > 2 * _AT_ONCE + 1
    markers, aspects = np.stack([each.markers for each in seen]), [each.aspect for each in seen]
    together, proportions = read_many(schools, mesh.frame, markers, aspects, ACCENT)
    count = len(schools[0].reader)
    assert together.shape == (len(seen), len(SCHOOLS), WIDTH)
    assert proportions.shape == (len(seen), 1, count)
    for each, latents in zip(seen, together):
        alone = read_all(schools, mesh.frame, each.markers, each.aspect, ACCENT)
        assert alone.tobytes() == latents.tobytes()
    nobody, none = read_many(schools, mesh.frame, markers[:0], [], ACCENT)
    assert (nobody.shape, none.shape) == ((0, len(SCHOOLS), WIDTH), (0, 1, count))


def test_a_shape_can_be_bent_by_other_proportions_than_its_own(
    geometries: dict[str, SchoolGeometry], mesh: Mesh
) -> None:
    """All that proportions do is taken away, or that of another person put in its place."""
    schools = list(geometries.values())
    seen = [each for moment in synthesise(30.0, 1) for each in moment.sitters][::200]
    markers, aspects = np.stack([each.markers for each in seen]), [each.aspect for each in seen]
    latents, proportions = read_many(schools, mesh.frame, markers, aspects, ACCENT)
    shapes = latents[:, :, SHAPE]
    for one, other in itertools.combinations(range(len(seen)), 2):
        change = proportions[other] - proportions[one]
        assert (rebend(schools, shapes[one], np.zeros_like(change), ACCENT) == shapes[one]).all()
        bent = rebend(schools, shapes[one], change, ACCENT)
        own = [remove_pose(each.markers, each.aspect, mesh.frame)[1] for each in seen]
        added = bent - own[one].reshape(1, -1)
        assert added == pytest.approx(shapes[other] - own[other].reshape(1, -1), abs=3 / GRID)


def test_schools_may_read_proportions_each_in_its_own_way(
    geometries: dict[str, SchoolGeometry], face: Floats, mesh: Mesh
) -> None:
    """The schools of this program share one reader, and it is applied once; others need not."""
    one, other = list(geometries.values())[:2]
    other = replace(other, reader=other.reader[::-1].copy())
    both = read_all([one, other], mesh.frame, face, 1.0, ACCENT)
    for geometry, latent in zip((one, other), both):
        assert (read_all([geometry], mesh.frame, face, 1.0, ACCENT)[0] == latent).all()


def test_an_opened_mouth_arrives_through_every_accent(
    geometries: dict[str, SchoolGeometry], mesh: Mesh
) -> None:
    """What an accent bends are proportions: of the gap of the lips it takes a fifth at most."""
    puppet = make_puppet(mesh.frame, RNG(5).uniform(-0.5, 0.5, 8))
    for geometry in geometries.values():
        gaps = []
        for jaw in (0.0, 0.3):
            markers = photographed(puppet.face(Pose(jaw=jaw)), 1.0)
            bent, _ = read_shape(geometry, remove_pose(markers, 1.0, mesh.frame)[1], ACCENT)
            live = mesh.frame.mean + bent
            gaps.append((live[14, 1] - live[13, 1], markers[14, 1] - markers[13, 1]))
        (before, unbent_before), (after, unbent_after) = gaps
        assert after - before == pytest.approx((unbent_after - unbent_before) / 0.3, rel=0.2)


@pytest.mark.parametrize("pose", [Pose(jaw=0.05), Pose(smile=0.7), Pose(lids=1.0), Pose(yaw=0.4)])
def test_an_expression_changes_the_appearance_less_than_another_person_does(
    faces: dict[str, FaceModel], mesh: Mesh, pose: Pose
) -> None:
    def code(model: FaceModel, proportions: np.ndarray, pose: Pose) -> Floats:
        markers = photographed(make_puppet(mesh.frame, proportions).face(pose), 1.0)
        return model.read(markers, aspect=1.0)[CODE]

    people = RNG(6).uniform(-1, 1, (6, 8))
    for model in faces.values():
        still = np.stack([code(model, each, Pose()) for each in people])
        moving = np.stack([code(model, each, pose) for each in people])
        by_expression = np.linalg.norm(moving - still, axis=1).mean()
        by_person = np.linalg.norm(still[:, None] - still[None], axis=2).sum() / 30
        assert by_expression < 0.65 * by_person


def test_the_strangest_face_counts_as_one_at_the_rim(
    geometries: dict[str, SchoolGeometry], shape: Floats
) -> None:
    """Past the rim, twice as strange changes nothing any more."""
    strange = RNG(7).normal(0, 0.2, shape.shape).astype(np.float32)
    for geometry in geometries.values():
        read = np.linalg.norm(geometry.reader @ strange.ravel())
        assert read > FURTHEST * np.sqrt(len(geometry.reader))
        one, two = read_shape(geometry, strange, 1.0), read_shape(geometry, 2 * strange, 1.0)
        assert one[1] == pytest.approx(two[1], abs=1e-2)
        assert one[0] - strange == pytest.approx(two[0] - 2 * strange, abs=1e-4)


def test_a_face_that_says_nothing_of_itself_gets_finite_numbers(
    geometries: dict[str, SchoolGeometry],
) -> None:
    for geometry in geometries.values():
        nobody = replace(geometry, reader=np.zeros_like(geometry.reader))
        bent, code = read_shape(nobody, np.zeros((MARKERS, 3), np.float32), 1.0)
        assert np.isfinite(bent).all()
        assert (code == 0).all()


def test_angles_survive_a_gimbal_that_is_nearly_locked() -> None:
    pose = np.array([0.4, 1.5, -0.3], np.float32)
    assert angles(rotations(pose[None])[0]) == pytest.approx(pose, abs=1e-2)


HEARD = """
import hashlib
from mirror.faces import load_faces
from mirror.latents.latents import read_all
from mirror.session.synthetic import synthesise
faces = load_faces()
geometries, frame = [f.geometry for f in faces.values()], next(iter(faces.values())).mesh.frame
told = hashlib.sha256()
for moment in list(synthesise(20.0, 1))[::12]:
    for sitter in moment.sitters:
        told.update(read_all(geometries, frame, sitter.markers, sitter.aspect, 0.35).tobytes())
print(told.hexdigest())
"""


def test_a_plainer_processor_hears_the_same() -> None:
    """To the last bit: a recorded evening must flow the same way wherever it is played."""
    assert len(outputs(HEARD)) == 1
