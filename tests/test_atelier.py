"""The atelier: a folder of ordinary pictures becomes a face model."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from atelier_pictures import write

from mirror import SCHOOLS
from mirror.atelier.train import _finisher_so_far, school_folder, train
from mirror.canonical import FRAME_FILE, Frame, load_frame
from mirror.cards import FINISH, WARDROBE, read_card, read_weights
from mirror.errors import PortraitsError
from mirror.faces import load_faces
from mirror.faces.loading import load_rack
from mirror.places import weights_folder
from mirror.signals import Floats


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
    assert sorted(written) == [
        "panel-wardrobe.json", "panel-wardrobe.safetensors", "panel.json", "panel.safetensors",
    ]  # fmt: skip


def test_a_trained_school_wears_the_most_legible_hair(trained: Path) -> None:
    card = read_card(trained, f"panel{WARDROBE}")
    rack = load_rack(trained, "panel", read_card(trained, "panel"))
    assert rack is not None
    assert rack.hair.sum() == card["hair"] == 6  # of nine
    assert len(rack.pictures) == 18


def test_hair_is_judged_on_sketches_where_the_finisher_is_damaged(
    trained: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert _finisher_so_far(trained) is not None
    assert _finisher_so_far(tmp_path) is None
    assert not caplog.records
    for path in weights_folder().glob(f"{FINISH}.*"):
        (tmp_path / path.name).write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    (tmp_path / f"{FINISH}.json").write_bytes((weights_folder() / f"{FINISH}.json").read_bytes())
    assert _finisher_so_far(tmp_path) is None
    assert "judged on sketches" in caplog.text


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
        "frame.json", FRAME_FILE, "stone-wardrobe.json", "stone-wardrobe.safetensors",
        "stone.json", "stone.safetensors",
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
