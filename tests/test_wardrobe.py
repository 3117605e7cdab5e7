"""What is worn: brushwork of the school around faces of nobody."""

from __future__ import annotations

import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from safetensors.torch import load

from mirror import SCHOOLS
from mirror.atelier.linear import FURTHER
from mirror.atelier.measures import likeness
from mirror.atelier.packing import pack
from mirror.canonical import Mesh
from mirror.cards import WARDROBE, read_card, read_weights, write_weights
from mirror.errors import WeightsError
from mirror.faces import FaceModel, load_faces
from mirror.faces.regions import Regions, face_mask
from mirror.faces.wardrobe import GAMMA, NEAREST, Dress, Rack, Wardrobe
from mirror.places import weights_folder
from mirror.signals import Bools, Floats

SITTERS = 12


def stripes(count: int, side: int = 256) -> Floats:
    """Sitters in stripes that run at an angle of each one's own, on a disc. (N, S, S, 4)"""
    y, x = np.mgrid[0:side, 0:side] / side - 0.5
    made = []
    for n in range(count):
        angle = np.pi * n / count
        wave = 0.5 + 0.3 * np.sin(2 * np.pi * 24 * (x * np.cos(angle) + y * np.sin(angle)))
        alpha = 1 / (1 + np.exp((np.hypot(x, y) - 0.4) * 60))
        made.append(np.dstack([wave, 0.6 * wave, 0.4 * wave, alpha]))
    return np.stack(made).astype(np.float32)


def rack_of(textures: Floats, mesh: Mesh, hair: Bools | None = None) -> Rack:
    tensors = load(pack(textures, mesh, hair))
    pictures = np.split(tensors["pictures"].numpy(), tensors["ends"].numpy()[:-1])
    return Rack(pictures, tensors["hair"].numpy())


def wardrobe_of(rack: Rack, mesh: Mesh) -> Wardrobe:
    """Of a school of a dozen sitters whose codes are far from one another."""
    lot = np.random.default_rng(1)
    codes = lot.standard_normal((2 * SITTERS, 48)).astype(np.float32)
    mean = torch.from_numpy(lot.uniform(0.3, 0.7, (4, 64, 64)).astype(np.float32))
    components = 0.05 * torch.from_numpy(lot.standard_normal((48, 4, 64, 64)).astype(np.float32))
    return Wardrobe(rack, mesh, mean, components, codes, 0.0)


@pytest.fixture(scope="module")
def wardrobe(mesh: Mesh) -> Wardrobe:
    return wardrobe_of(rack_of(stripes(SITTERS), mesh), mesh)


def plain(red: float, green: float, blue: float) -> torch.Tensor:
    """A texture of one colour, opaque."""
    colour = torch.tensor([red, green, blue, 1.0])
    return colour[:, None, None].expand(4, 256, 256).contiguous()


def light(texture: torch.Tensor) -> Floats:
    return np.asarray(texture[:3].mean(dim=0).numpy() * texture[3].numpy())


def alike(one: Floats, other: Floats, where: np.ndarray) -> float:
    """Correlation of two pictures at some places."""
    return float(np.corrcoef(one[where], other[where])[0, 1])


def test_what_is_kept_of_a_portrait_has_no_face(mesh: Mesh) -> None:
    textures = stripes(2)
    inner = cv2.erode(face_mask(mesh, 256).astype(np.uint8), np.ones((41, 41))) > 0
    around = Regions(mesh).worn.numpy()[0] > 0.99
    for number in (0, 1):
        encoded = rack_of(textures, mesh).pictures[2 * number]
        kept = cv2.imdecode(encoded, cv2.IMREAD_UNCHANGED).astype(np.float32).mean(axis=2) / 255
        was = textures[number, ..., :3].mean(axis=2) * textures[number, ..., 3]
        assert alike(kept, was, around) > 0.98
        assert abs(alike(kept, was, inner)) < 0.2


def test_hair_is_of_one_and_clothes_of_another_and_the_face_stays(
    wardrobe: Wardrobe, mesh: Mesh
) -> None:
    textures, dress = stripes(SITTERS), Dress(hair=3, clothes=SITTERS + 7)
    dressed = wardrobe.put_on(plain(0.5, 0.3, 0.2), dress)
    drawn = textures[..., :3].mean(axis=3) * textures[..., 3]
    opaque = textures[0, ..., 3] > 0.95
    hair, clothes = ((part[0].numpy() > 0.97) & opaque for part in Regions(mesh).parts)
    assert alike(light(dressed), drawn[3], hair) > 0.95
    assert alike(light(dressed), drawn[7][:, ::-1], clothes) > 0.95  # a mirror image
    assert alike(light(dressed), drawn[7], clothes) < 0.7
    inner = cv2.erode(face_mask(mesh, 256).astype(np.uint8), np.ones((41, 41))) > 0
    assert np.abs(dressed.numpy() - plain(0.5, 0.3, 0.2).numpy())[:, inner].max() < 0.01


@pytest.mark.parametrize("colour", [(0.5, 0.3, 0.2), (0.2, 0.25, 0.4), (0.45, 0.45, 0.3)])
def test_what_is_worn_takes_the_colours_of_the_wearer(
    wardrobe: Wardrobe, mesh: Mesh, colour: tuple[float, float, float]
) -> None:
    around = Regions(mesh).parts[0] * (wardrobe.put_on(plain(*colour), Dress(0, 0))[3:] > 0.9)
    found = wardrobe.put_on(plain(*colour), Dress(0, 0))[:3]
    mean = (found * around).sum(dim=(1, 2)) / around.sum()
    theirs = np.array([0.5, 0.3, 0.2])
    bent = np.clip(np.log(colour) / np.log(theirs), 1 / GAMMA, GAMMA)
    assert mean.numpy() == pytest.approx(theirs**bent, abs=0.06)


def test_what_was_fitted_keeps_its_colours_when_its_wearer_changes(
    wardrobe: Wardrobe, mesh: Mesh
) -> None:
    ruddy, pale = plain(0.5, 0.3, 0.2), plain(0.2, 0.25, 0.4)
    fitted = wardrobe.fit(ruddy, Dress(0, 0))
    assert (fitted.hair, fitted.clothes) == (0, 0)
    assert fitted == wardrobe.fit(ruddy, fitted)
    on_ruddy = wardrobe.put_on(ruddy, fitted)
    assert (on_ruddy - wardrobe.put_on(ruddy, Dress(0, 0))).abs().max() < 1e-4
    around = (Regions(mesh).worn * on_ruddy[3:] > 0.97).expand(3, -1, -1)
    on_pale = wardrobe.put_on(pale, fitted)[:3][around]
    assert (on_pale - on_ruddy[:3][around]).abs().mean() < 0.01
    anew = wardrobe.put_on(pale, Dress(0, 0))[:3][around]
    assert (anew - on_ruddy[:3][around]).abs().mean() > 0.1


def test_black_stays_black_and_white_is_no_more_than_white(wardrobe: Wardrobe) -> None:
    for shade in (0.02, 0.98):
        dressed = wardrobe.put_on(plain(shade, shade, shade), Dress(1, 2))
        assert dressed.isfinite().all()
        assert dressed.min() >= 0
        assert dressed.max() <= 1


def test_the_choice_is_the_same_for_the_same_code_and_of_many_kinds(wardrobe: Wardrobe) -> None:
    codes = np.random.default_rng(5).standard_normal((40, 48)).astype(np.float32)
    chosen = [wardrobe.choose(code) for code in codes]
    assert chosen == [wardrobe.choose(code) for code in codes]
    assert len({each.hair % SITTERS for each in chosen}) >= NEAREST
    assert len({each.clothes % SITTERS for each in chosen}) >= NEAREST
    assert all(0 <= n < 2 * SITTERS for each in chosen for n in (each.hair, each.clothes))


def test_hair_that_is_not_legible_is_nobodys_but_its_clothes_are_worn(mesh: Mesh) -> None:
    hair = np.arange(SITTERS) % 3 == 0
    limited = wardrobe_of(rack_of(stripes(SITTERS), mesh, hair), mesh)
    codes = np.random.default_rng(5).standard_normal((40, 48)).astype(np.float32)
    chosen = [limited.choose(code) for code in codes]
    assert {each.hair % SITTERS for each in chosen} == {0, 3, 6, 9}
    assert len({each.clothes % SITTERS for each in chosen}) > 4


def test_a_rack_without_hair_or_of_another_school_is_refused(mesh: Mesh) -> None:
    with pytest.raises(ValueError, match="no hair"):
        wardrobe_of(rack_of(stripes(SITTERS), mesh, np.zeros(SITTERS, bool)), mesh)
    for rack in (rack_of(stripes(3), mesh), rack_of(stripes(SITTERS), mesh, np.ones(3, bool))):
        with pytest.raises(ValueError, match="portraits"):
            wardrobe_of(rack, mesh)


@pytest.mark.parametrize("school", SCHOOLS)
def test_nobody_becomes_a_training_portrait_by_what_is_worn(
    faces: dict[str, FaceModel], school: str
) -> None:
    """What the school remembers of its sitters is what is compared, small."""
    model = faces[school]
    originals = likeness.small(model.paint(model.training_codes, False, copies=True), 32)
    painted = likeness.small(model.paint(model.random_codes(24, 4)), 32)
    away = likeness.distances(painted, originals).min(axis=1)
    assert np.quantile(away, 0.1) > model.card["apart"] / FURTHER
    # Of two that are nearly black little can be told apart: such a pair may be nearer.
    assert away.min() > 0.75 * model.card["apart"] / FURTHER


def test_clothes_are_held_on_to_only_where_they_are_asked_for(faces: dict[str, FaceModel]) -> None:
    model = faces["limner"]
    one, other = model.random_codes(2, 9)
    worn = model.dress(one[None])
    assert worn == model.dress(one[None])
    assert np.array_equal(model.paint(one[None]), model.paint(one[None], worn=worn))
    if worn == model.dress(other[None]):
        pytest.skip("both are given the same")
    changed = model.paint(other[None], worn=worn)[0]
    assert not np.array_equal(changed, model.paint(other[None])[0])
    face = face_mask(model.mesh, 256)
    inner = cv2.erode(face.astype(np.uint8), np.ones((41, 41))) > 0
    own = model.paint(other[None])[0]
    assert np.abs(changed[inner].astype(int) - own[inner]).max() <= 1


def test_a_sketch_and_what_is_remembered_wear_nothing(faces: dict[str, FaceModel]) -> None:
    model, code = faces["powder"], faces["powder"].random_codes(1, 2)
    other = [Dress(1, 2)]
    assert np.array_equal(model.paint(code, False), model.paint(code, False, worn=other))
    remembered = model.paint(code, copies=True)
    assert np.array_equal(remembered, model.paint(code, copies=True, worn=other))
    assert not np.array_equal(remembered, model.paint(code))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the weights."""
    for path in weights_folder().glob("*.*"):
        shutil.copy(path, tmp_path)
    return tmp_path


def test_without_a_wardrobe_everybody_is_painted_as_the_code_says(folder: Path) -> None:
    for path in folder.glob(f"stone{WARDROBE}.*"):
        path.unlink()
    model = load_faces(folder, device="cpu")["stone"]
    code = model.random_codes(1, 1)
    assert model.dress(code) == [None]
    bare = model.paint(code)
    assert np.array_equal(bare, model.paint(code, worn=[None]))
    assert not np.array_equal(bare, load_faces(device="cpu")["stone"].paint(code))


def test_a_wardrobe_of_another_model_is_refused(folder: Path) -> None:
    """A training that was cut off between the two files leaves such a pair."""
    card, stored = read_weights(folder, f"salon{WARDROBE}")
    write_weights(folder, f"salon{WARDROBE}", stored, {**card, "model": "0" * 64})
    with pytest.raises(WeightsError, match=r"belongs to model 000000000000…"):
        load_faces(folder, device="cpu")
    left = load_faces(folder, device="cpu", strict=False)
    assert set(left) == set(SCHOOLS) - {"salon"}


def test_a_damaged_wardrobe_is_known_before_it_is_used(folder: Path) -> None:
    path = folder / f"panel{WARDROBE}.safetensors"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 4
    path.write_bytes(bytes(content))
    with pytest.raises(WeightsError, match="sha256"):
        load_faces(folder, device="cpu")


def test_a_school_with_its_wardrobe_takes_no_more_than_five_megabytes() -> None:
    for school in SCHOOLS:
        cards = read_card(weights_folder(), school), read_card(weights_folder(), school + WARDROBE)
        assert sum(card["bytes"] for card in cards) <= 5_000_000
