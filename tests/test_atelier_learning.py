"""What is learnt from portraits: frame, textures, proportions."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from atelier_pictures import painted

from mirror import MARKERS
from mirror.atelier import linear, proportions
from mirror.atelier.frame import FACE_DROP, FACE_HEIGHT, learn_frame
from mirror.atelier.portraits import Portrait
from mirror.atelier.train import quantise
from mirror.atelier.unwarp import Unwarper, cover, soft_border
from mirror.canonical import Mesh, build_mesh, rotations
from mirror.errors import PortraitsError
from mirror.faces import FaceModel
from mirror.latents.latents import APPEARANCE
from mirror.session.puppet import make_puppet
from mirror.signals import Floats

RNG = np.random.default_rng


def turned_faces(mean: Floats, count: int, most: float) -> list[Floats]:
    """A face seen from many sides, from near and far."""
    rng = RNG(3)
    poses = rng.uniform(-1, 1, (count, 3)).astype(np.float32) * (most, most, 0.4)
    found = []
    for turn in rotations(poses.astype(np.float32)):
        noise = rng.normal(0, 0.002, mean.shape)
        found.append(rng.uniform(0.1, 2) * (mean + noise) @ turn.T + rng.normal(0, 1, 3))
    return found


def test_the_frame_is_the_mean_of_faces_seen_from_all_sides(mesh: Mesh) -> None:
    wanted = mesh.frame
    frame = learn_frame(turned_faces(wanted.mean, 30, 0.3))
    assert (frame.partner == wanted.partner).all()
    assert np.abs(frame.mean[frame.partner] * (-1, 1, 1) - frame.mean).max() < 1e-5
    middle = (frame.mean[:468].min(axis=0) + frame.mean[:468].max(axis=0)) / 2
    assert middle == pytest.approx([0, FACE_DROP, 0], abs=1e-5)
    assert np.ptp(frame.mean[:468, 1]) == pytest.approx(FACE_HEIGHT, abs=1e-5)
    assert np.abs(frame.mean - wanted.mean).max() < 0.02
    assert build_mesh(frame).triangles.shape == mesh.triangles.shape


def test_a_frame_says_what_people_differ_in(mesh: Mesh) -> None:
    """Learnt anew from people who differ in two ways, heads turned, it finds these two again."""
    rng, found = RNG(4), []
    two = mesh.frame.people[:2]
    for turn in rotations(rng.uniform(-0.3, 0.3, (200, 3)).astype(np.float32)):
        person = mesh.frame.mean + np.tensordot(rng.normal(0, 1, 2), two, 1)
        found.append(rng.uniform(0.1, 2) * person @ turn.T + rng.normal(0, 1, 3))
    frame = learn_frame(found)
    sizes = np.linalg.norm(frame.people.reshape(8, -1), axis=1)
    assert sizes[2:].max() < 0.2 * sizes[1]
    span = np.linalg.qr(frame.people[:2].reshape(2, -1).T)[0]
    for way in two.reshape(2, -1):
        assert np.linalg.norm(span.T @ way) > 0.9 * np.linalg.norm(way)
    assert np.linalg.norm(frame.people[0]) == pytest.approx(np.linalg.norm(two[0]), rel=0.25)


def test_a_frame_cannot_be_learnt_from_profiles(mesh: Mesh) -> None:
    turned = rotations(np.array([[0.9, 0, 0], [-0.9, 0, 0], [0.8, 0, 0], [1.0, 0, 0]], np.float32))
    with pytest.raises(PortraitsError, match="straight ahead"):
        learn_frame([mesh.frame.mean @ turn.T for turn in turned] * 2 + [mesh.frame.mean])


# Textures


@pytest.fixture(scope="module")
def unwarper(mesh: Mesh) -> Unwarper:
    return Unwarper(mesh, 256)


def test_every_pixel_lies_in_a_triangle_of_the_mesh(mesh: Mesh) -> None:
    corner, weight = cover(mesh, 256)
    assert corner.shape == weight.shape == (256, 256, 3)
    assert weight.sum(axis=2) == pytest.approx(np.ones((256, 256)), abs=1e-4)
    outside = -weight.min(axis=2)  # a pixel on the rim of a triangle may belong to the next
    assert (outside > 0.1).mean() < 0.03
    assert (outside > 1.0).mean() < 0.002
    place = (mesh.uv[corner] * weight[..., None]).sum(axis=2) * 256
    y, x = np.mgrid[:256, :256] + 0.5
    assert np.abs(place - np.stack([x, y], axis=-1)).max() < 1e-2


def test_the_border_of_a_texture_is_clear_and_its_middle_is_not() -> None:
    border = soft_border(256)
    rim = np.concatenate([border[0], border[-1], border[:, 0], border[:, -1]])
    assert rim.max() == 0
    assert (border[70:190, 70:190] == 1).all()
    assert np.abs(np.diff(border, axis=0)).max() < 0.05


@pytest.mark.parametrize(("yaw", "most"), [(0.0, 0.02), (0.45, 0.03), (-0.45, 0.03)])
def test_unwarping_is_the_inverse_of_painting(
    faces: dict[str, FaceModel], unwarper: Unwarper, yaw: float, most: float
) -> None:
    """Also of a turned head, whose hidden side is filled from the visible one."""
    model = faces["limner"]
    picture, texture, markers = painted(model, 4, (yaw, 0.0, 0.1), 448)
    portrait = Portrait("one", picture, markers, np.ones((448, 448), np.float32))
    unwarped = unwarper.unwarp(portrait)
    assert unwarped.texture.shape == (256, 256, 4)
    assert unwarped.pose == pytest.approx([yaw, 0.0, 0.1], abs=0.05)
    face = (slice(95, 170), slice(92, 164))
    difference = unwarped.texture[face][..., :3] - texture[face][..., :3] / 255.0
    difference -= difference.mean(axis=(0, 1))  # the screen's varnish
    assert np.abs(difference).mean() < most
    shifted = unwarped.texture[face][..., :3] - np.roll(texture, 3, axis=1)[face][..., :3] / 255.0
    shifted -= shifted.mean(axis=(0, 1))
    assert np.abs(shifted).mean() > 1.4 * np.abs(difference).mean()  # three pixels would be seen


def test_the_hidden_side_is_filled_from_the_visible_one(
    faces: dict[str, FaceModel], unwarper: Unwarper
) -> None:
    """Of a head turned far away, both cheeks have what the visible one shows."""
    picture, _, markers = painted(faces["limner"], 4, (0.75, 0.0, 0.0), 448)
    portrait = Portrait("one", picture, markers, np.ones((448, 448), np.float32))
    texture = unwarper.unwarp(portrait).texture[..., :3]
    cheek, other = texture[130:150, 84:92], texture[130:150, ::-1][:, 84:92]
    assert np.abs(cheek - other).mean() < 0.05


def test_a_linear_model_gives_back_what_it_was_taught() -> None:
    rng = RNG(4)
    textures = cv2.resize(rng.random((16, 16, 24), np.float32), (256, 256))
    textures = np.ascontiguousarray(textures.transpose(2, 0, 1).reshape(6, 4, 256, 256))
    textures = textures.transpose(0, 2, 3, 1)  # (6, 256, 256, 4)
    textures[..., 3] = 1
    model = linear.learn_linear(textures)
    assert model.codes.shape == (12, APPEARANCE)
    assert (model.codes[:, 5:] == 0).all()  # six portraits span five components
    assert (model.components[5:] == 0).all()
    assert np.abs(model.codes.mean(axis=0)).max() < 1e-4
    assert model.codes[:, :5].std(axis=0) == pytest.approx(np.ones(5), rel=0.1)
    assert 0.3 < model.explained <= 1
    assert model.mean == pytest.approx(model.mean[:, ::-1], abs=1e-5)  # mirror images count too
    half = cv2.resize(model.mean, (128, 128), interpolation=cv2.INTER_AREA)
    for n in (0, 3):
        wanted = cv2.resize(textures[n], (128, 128), interpolation=cv2.INTER_AREA)
        found = half + np.tensordot(model.codes[n], model.components, 1)
        assert np.abs(found - wanted).mean() < np.abs(half - wanted).mean()


def test_quantised_components_are_right_within_half_a_step() -> None:
    components = RNG(5).normal(size=(3, 8, 8, 4)).astype(np.float32)
    components[2] = 0
    steps, scale = quantise(components)
    restored = steps.numpy() * scale.numpy()[:, None, None, None]
    assert np.abs(restored - components).max(axis=(1, 2, 3)) == pytest.approx(
        scale.numpy() / 2, rel=0.2, abs=1e-6
    )
    assert (restored[2] == 0).all()


# Proportions


def covariance(seed: int, size: int = 6) -> Floats:
    spread = RNG(seed).normal(size=(size, 2 * size))
    return spread @ spread.T / size


def test_transport_carries_one_gaussian_onto_another() -> None:
    one, other = covariance(1), covariance(2)
    carry = proportions.transport(one, other)
    assert carry @ one @ carry.T == pytest.approx(other, abs=1e-8)
    assert carry == pytest.approx(carry.T, abs=1e-8)  # symmetric and positive: the optimal one
    assert np.linalg.eigvalsh(carry).min() > 0
    assert proportions.transport(one, one) == pytest.approx(np.eye(6), abs=1e-8)


@pytest.fixture(scope="module")
def shapes(mesh: Mesh) -> Floats:
    """The shapes of forty people, (40, 478, 3)."""
    mean = mesh.frame.mean
    people = [make_puppet(mesh.frame, RNG(n).uniform(-1, 1, 8)).rest - mean for n in range(40)]
    return np.stack(people).astype(np.float32)


def test_proportions_are_read_in_standard_deviations(mesh: Mesh, shapes: Floats) -> None:
    pool = proportions.Pool(shapes, mesh.frame)
    read = pool.read(shapes)
    assert read.shape == (40, proportions.COMPONENTS)
    assert np.abs(read.mean(axis=0)).max() < 1e-6
    assert 0.5 < read[:, :4].std(axis=0).min() <= read[:, :4].std(axis=0).max() < 1.1


def test_a_schools_accent_carries_all_people_onto_its_own(mesh: Mesh, shapes: Floats) -> None:
    """Whoever is bent by the whole accent lies, on average, where the school's sitters lie."""
    pool = proportions.Pool(shapes, mesh.frame)
    pooled = pool.read(shapes)
    broad = np.argsort(pooled[:, 0])[-15:]  # a school of the broadest
    codes = RNG(6).normal(size=(15, APPEARANCE)).astype(np.float32)
    poses = RNG(7).normal(0, 0.2, (15, 3))
    geometry = proportions.learn_geometry(pool, shapes[broad], poses, codes, pooled)
    read = shapes.reshape(40, -1) @ geometry.reader.T - pool.reader @ pool.mean
    bent = shapes.reshape(40, -1) + read @ geometry.accent.T + geometry.accent_shift
    found = pool.read(bent.reshape(shapes.shape))[:, 0]
    everybody, school = pooled[:, 0].mean(), pooled[broad, 0].mean()
    assert 0.5 < (found.mean() - everybody) / (school - everybody) < 1.1
    assert found.std() < pooled[:, 0].std()
    assert geometry.basis.shape == (proportions.COMPONENTS, MARKERS, 3)
    assert (geometry.pose_scale <= np.array((0.45, 0.2, 0.15), np.float32)).all()
