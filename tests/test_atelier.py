"""The atelier: a folder of ordinary pictures becomes a face model, or a reason why not."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest

from mirror import MARKERS, SCHOOLS
from mirror.atelier import linear, proportions
from mirror.atelier.frame import FACE_DROP, FACE_HEIGHT, learn_frame
from mirror.atelier.portraits import (
    CROP_HEIGHTS,
    CROP_PX,
    Gathering,
    Portrait,
    crop,
    gather,
    picture_files,
    prepare,
    read_sources,
)
from mirror.atelier.train import quantise, school_folder, train
from mirror.atelier.unwarp import Unwarper, cover, soft_border
from mirror.canonical import (
    FRAME_FILE,
    Frame,
    Mesh,
    build_mesh,
    live_vertices,
    load_frame,
    rotations,
)
from mirror.cards import read_weights
from mirror.errors import PortraitsError
from mirror.faces import FaceModel, load_faces
from mirror.latents.latents import APPEARANCE
from mirror.places import weights_folder
from mirror.screen import portray
from mirror.session.puppet import make_puppet
from mirror.signals import Bytes, Floats

RNG = np.random.default_rng
GROUNDS = ((200, 190, 170), (40, 50, 60), (90, 110, 90))


def write(path: Path, picture: Bytes) -> None:
    assert cv2.imwrite(str(path), picture[..., ::-1])


def painted(
    model: FaceModel, number: int, pose: Sequence[float], size: int
) -> tuple[Bytes, Bytes, Floats]:
    """A portrait of one of our own models: picture, texture, and its markers in the picture."""
    mesh = model.mesh
    person = make_puppet(mesh.frame, RNG(number).uniform(-1, 1, 8)).rest - mesh.frame.mean
    turn = np.array([pose], np.float32)
    vertices = live_vertices(mesh, turn, person[None].astype(np.float32))[0]
    texture = model.paint(model.random_codes(1, number))[0]
    picture = portray(mesh, texture, vertices, size, GROUNDS[number % len(GROUNDS)])
    markers = vertices[:MARKERS] / 2 + np.array((0.5, 0.5, 0.0), np.float32)
    return picture, texture, markers.astype(np.float32)


@pytest.fixture(scope="module")
def pictures(faces: dict[str, FaceModel], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as somebody might bring it: nine portraits, and four files that are none."""
    folder = tmp_path_factory.mktemp("pictures")
    models = [faces[school] for school in ("chiaroscuro", "salon", "limner")]
    for n in range(9):
        yaw = (0.0, 0.2, -0.2, 0.1, -0.1, 0.3, 0.0, 0.05, -0.3)[n]
        picture, _, _ = painted(models[n % 3], n, (yaw, 0.05, 0.02), (180, 256, 420)[n // 3])
        if n == 4:  # a wide one, with the sitter at its side
            wide = np.full((300, 500, 3), 120, np.uint8)
            wide[30 : 30 + len(picture), 20 : 20 + len(picture)] = picture
            picture = wide
        write(folder / f"portrait-{n}.{'png' if n % 2 else 'jpg'}", picture)
    small, _, _ = painted(models[0], 20, (0.0, 0.0, 0.0), 100)
    far = np.full((400, 400, 3), 200, np.uint8)
    far[150:250, 150:250] = small
    write(folder / "far-away.png", far)
    write(folder / "wall.png", np.full((200, 200, 3), 128, np.uint8))
    (folder / "broken.jpg").write_bytes(b"\xff\xd8\xff this is no picture")
    (folder / "notes.txt").write_text("not looked at", encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def gathering(pictures: Path) -> Gathering:
    return gather(pictures)


# Pictures


def test_pictures_that_cannot_be_used_are_counted_with_their_reasons(
    gathering: Gathering,
) -> None:
    assert len(gathering.portraits) == 9
    assert gathering.left_out == {
        "not a picture": 1,
        "no face found": 1,
        "face too small": 1,
    }


def test_every_portrait_is_a_square_around_its_face(gathering: Gathering) -> None:
    for portrait in gathering.portraits:
        assert portrait.picture.shape == (CROP_PX, CROP_PX, 3)
        assert portrait.markers.shape == (MARKERS, 3)
        assert portrait.matte.shape == (CROP_PX, CROP_PX)
        assert 0 <= portrait.matte.min() <= portrait.matte.max() <= 1
        low, high = portrait.markers[:468, :2].min(axis=0), portrait.markers[:468, :2].max(axis=0)
        assert (low + high)[0] / 2 == pytest.approx(0.5, abs=0.04)
        assert (high - low)[1] == pytest.approx(1 / CROP_HEIGHTS, rel=0.12)
        x, y = (portrait.markers[1, :2] * CROP_PX).astype(int)
        assert portrait.matte[y, x] > 0.5  # the nose belongs to a person


def test_a_crop_beyond_the_picture_repeats_its_border() -> None:
    picture = np.zeros((100, 80, 3), np.uint8)
    picture[:, :40] = 200
    markers = np.zeros((MARKERS, 3), np.float32)
    markers[:, :2] = RNG(1).uniform(0.2, 0.8, (MARKERS, 2))
    square = crop(picture, markers)
    assert square.shape == (CROP_PX, CROP_PX, 3)
    assert (square[:, 0] == 200).all()
    assert (square[:, -1] == 0).all()
    assert (square[0] == square[-1]).all()


def test_a_large_picture_is_averaged_down() -> None:
    """One pixel of a chequered picture would make the crop black or white by chance."""
    chequered = (np.indices((3000, 3000)).sum(axis=0) % 2 * 255).astype(np.uint8)
    markers = np.zeros((MARKERS, 3), np.float32)
    markers[:, :2] = RNG(1).uniform(0.3, 0.7, (MARKERS, 2))
    square = crop(np.repeat(chequered[..., None], 3, axis=2), markers)
    assert np.abs(square.astype(float) - 127.5).max() < 40


def test_a_picture_says_why_it_cannot_be_used(pictures: Path) -> None:
    assert prepare(pictures / "wall.png") == "no face found"
    assert prepare(pictures / "broken.jpg") == "not a picture"
    assert prepare(pictures / "far-away.png") == "face too small"


def test_only_pictures_are_looked_at_by_name(pictures: Path) -> None:
    names = [path.name for path in picture_files(pictures)]
    assert names == sorted(names)
    assert "notes.txt" not in names
    assert len(names) == 12


@pytest.mark.parametrize("what", ["nothing", "a file", "no pictures", "no faces"])
def test_a_folder_without_usable_pictures_is_refused(
    what: str, tmp_path: Path, pictures: Path
) -> None:
    folder = tmp_path / "folder"
    if what == "a file":
        folder.write_text("", encoding="utf-8")
    elif what != "nothing":
        folder.mkdir()
    if what == "no faces":
        shutil.copy(pictures / "wall.png", folder)
    with pytest.raises(PortraitsError) as refused:
        gather(folder)
    assert str(folder) in refused.value.where
    assert refused.value.found
    assert refused.value.allowed
    assert refused.value.attempt


@pytest.mark.parametrize("above", [False, True])
def test_sources_come_from_a_table_beside_or_above(tmp_path: Path, above: bool) -> None:
    folder = tmp_path / "panel"
    folder.mkdir()
    table = (tmp_path if above else folder) / "portraits.csv"
    table.write_text("file,source,title\npanel/a.jpg,A museum,Ä\nb.jpg,,\n", encoding="utf-8")
    assert read_sources(folder) == {"a.jpg": "A museum", "b.jpg": ""}
    assert read_sources(tmp_path / "elsewhere" / "deep") == {}


# The frame


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


# Training


@pytest.fixture(scope="module")
def trained(pictures: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of weights, with one school trained anew among the others."""
    folder = tmp_path_factory.mktemp("weights")
    for path in weights_folder().iterdir():
        (folder / path.name).symlink_to(path)
    train(["panel"], pictures, folder)
    return folder


def test_training_writes_weights_and_a_card_that_vouches_for_them(trained: Path) -> None:
    card, stored = read_weights(trained, "panel")
    assert card["sha256"] == hashlib.sha256(stored).hexdigest()
    assert card["bytes"] == len(stored) < 5_000_000
    assert card["school"] == "panel"
    assert card["portraits"] == 9
    assert card["sources"] == {"unnamed": 9}
    assert sum(card["left_out"].values()) == 3
    assert card["settings"]["components"] == 8
    assert not (trained / "panel.safetensors").is_symlink()


def test_training_one_school_touches_no_other(trained: Path) -> None:
    written = [path.name for path in trained.iterdir() if not path.is_symlink()]
    assert sorted(written) == ["panel.json", "panel.safetensors"]


def test_a_trained_school_loads_and_paints_faces(trained: Path, face: Floats) -> None:
    model = load_faces(trained, device="cpu")["panel"]
    textures = model.paint(model.random_codes(3, 1))
    assert textures[:, 110:180, 110:146, 3].min() > 200
    assert np.abs(textures[0].astype(int) - textures[1]).mean() > 1
    assert model.portray(model.read(face)).std() > 10


def test_training_twice_teaches_the_same(trained: Path, pictures: Path, tmp_path: Path) -> None:
    """Not bit for bit, for sums of threads are not; but the same sitters are painted alike."""
    for path in trained.iterdir():
        (tmp_path / path.name).symlink_to(path.resolve())
    card = train(["panel"], pictures, tmp_path)["panel"]
    one, two = (load_faces(each, device="cpu")["panel"] for each in (trained, tmp_path))
    sitters = [model.paint(model.training_codes[:9]).astype(int) for model in (one, two)]
    assert np.abs(sitters[0] - sitters[1]).max() <= 4
    assert card["portraits"] == one.card["portraits"]


def test_training_in_an_empty_folder_learns_a_frame_too(pictures: Path, tmp_path: Path) -> None:
    out = tmp_path / "new" / "weights"
    images = tmp_path / "images"
    images.mkdir()
    (images / "stone").symlink_to(pictures)
    cards = train(["stone"], images, out)
    assert list(cards) == ["stone"]
    assert isinstance(load_frame(out), Frame)
    assert sorted(path.name for path in out.iterdir()) == [
        "frame.json", FRAME_FILE, "stone.json", "stone.safetensors",
    ]  # fmt: skip


@pytest.mark.parametrize("what", ["no faces", "no folder", "another school"])
def test_training_that_fails_leaves_the_old_files_whole(
    what: str, tmp_path: Path, pictures: Path
) -> None:
    out, images = tmp_path / "weights", tmp_path / "images"
    shutil.copytree(weights_folder(), out)
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    (images / "panel").mkdir(parents=True)
    shutil.copy(pictures / "wall.png", images / "panel")
    schools = {"no faces": ["panel"], "no folder": ["panel", "stone"], "another school": ["op-art"]}
    with pytest.raises(PortraitsError):
        train(schools[what], images, out)
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before


def test_training_that_fails_makes_no_folder(tmp_path: Path, pictures: Path) -> None:
    images = tmp_path / "images"
    images.mkdir()
    shutil.copy(pictures / "wall.png", images)
    with pytest.raises(PortraitsError):
        train(["panel"], images, tmp_path / "weights")
    assert not (tmp_path / "weights").exists()


def test_too_few_portraits_are_refused_before_anything_is_written(
    tmp_path: Path, pictures: Path
) -> None:
    images = tmp_path / "images"
    images.mkdir()
    for name in ("portrait-0.jpg", "portrait-1.png"):
        shutil.copy(pictures / name, images)
    with pytest.raises(PortraitsError):
        train(["panel"], images, tmp_path / "weights")
    assert not (tmp_path / "weights").exists()


def test_a_schools_folder_is_the_one_of_its_name_or_the_only_one(tmp_path: Path) -> None:
    picture = np.zeros((4, 4, 3), np.uint8)
    for folder in (tmp_path / "panel", tmp_path):
        folder.mkdir(exist_ok=True)
        write(folder / "a.png", picture)
    assert school_folder(tmp_path, "panel", only=True) == tmp_path / "panel"
    assert school_folder(tmp_path, "stone", only=True) == tmp_path
    with pytest.raises(PortraitsError, match="stone"):
        school_folder(tmp_path, "stone", only=False)


def test_a_card_can_be_read_by_anybody(trained: Path) -> None:
    card = json.loads((trained / "panel.json").read_text(encoding="utf-8"))
    assert set(card) >= {"format", "school", "portraits", "left_out", "sources", "trained"}
    assert card["school"] in SCHOOLS
