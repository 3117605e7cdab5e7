"""Weights and their cards: what is missing or damaged is known before it is used."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

import pytest

from mirror import SCHOOLS
from mirror.cards import (
    FORMAT,
    WARDROBE,
    read_card,
    read_weights,
    verify,
    write_weights,
    write_whole,
)
from mirror.errors import WeightsError
from mirror.faces import load_faces
from mirror.places import weights_folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The program's weights, to be damaged: copies of the cards, links to what is large."""
    for path in weights_folder().iterdir():
        if path.suffix == ".json":
            shutil.copyfile(path, tmp_path / path.name)
        else:
            (tmp_path / path.name).symlink_to(path)
    return tmp_path


def four_parts(error: WeightsError, name: str) -> None:
    assert name in error.where
    assert error.found
    assert error.allowed
    assert "mirror train" in error.attempt


def flip_a_byte(path: Path, at: int) -> None:
    stored = bytearray(path.read_bytes())
    stored[at] ^= 1
    path.unlink()  # the link, not what it leads to
    path.write_bytes(stored)


def test_the_programs_own_weights_are_whole_and_small_enough_to_be_cloned() -> None:
    told = verify()
    assert list(told) == list(SCHOOLS)
    for school, sha256 in told.items():
        path = weights_folder() / f"{school}.safetensors"
        assert hashlib.sha256(path.read_bytes()).hexdigest() == sha256
        assert path.stat().st_size <= 5_000_000


@pytest.mark.parametrize("school", SCHOOLS)
def test_a_card_says_where_a_model_comes_from(school: str) -> None:
    card = read_card(weights_folder(), school)
    assert card["school"] == school
    assert sum(card["sources"].values()) == card["portraits"] > 20
    assert {"trained", "settings", "sha256", "bytes", "shell", "program"} <= card.keys()
    assert card["shell"]["low"] < card["shell"]["norm"] < card["shell"]["high"]


@pytest.mark.parametrize("name", [*SCHOOLS, "frame"])
@pytest.mark.parametrize("at", [20, -1])
def test_one_flipped_byte_is_noticed(folder: Path, name: str, at: int) -> None:
    flip_a_byte(folder / f"{name}.safetensors", at)
    with pytest.raises(WeightsError, match="sha256") as refused:
        verify(folder)
    four_parts(refused.value, f"{name}.safetensors")


@pytest.mark.parametrize("name", ["panel", "frame"])
def test_models_are_not_even_loaded_from_a_damaged_file(folder: Path, name: str) -> None:
    flip_a_byte(folder / f"{name}.safetensors", -1)
    with pytest.raises(WeightsError, match="sha256") as refused:
        load_faces(folder)
    four_parts(refused.value, f"{name}.safetensors")


@pytest.mark.parametrize("missing", ["panel.safetensors", "panel.json", "frame.safetensors"])
def test_a_missing_file_is_noticed(folder: Path, missing: str) -> None:
    (folder / missing).unlink()
    for load in (verify, load_faces):
        with pytest.raises(WeightsError) as refused:
            load(folder)
        four_parts(refused.value, missing)


@pytest.mark.parametrize(
    "card",
    [
        "",
        "{",
        "[]",
        "null",
        "{}",
        '{"format": "mirror-face-1"}',
        '{"format": "mirror-face-1", "sha256": null}',
        '{"format": "mirror-face-9", "sha256": "00"}',
        '{"sha256": "00"}',
    ],
)
def test_a_card_of_another_format_is_refused(folder: Path, card: str) -> None:
    (folder / "panel.json").write_text(card, encoding="utf-8")
    for load in (verify, load_faces):
        with pytest.raises(WeightsError) as refused:
            load(folder)
        four_parts(refused.value, "panel.json")
        assert FORMAT in refused.value.allowed


def test_a_card_that_is_no_text_is_refused(folder: Path) -> None:
    (folder / "panel.json").write_bytes(b"\xff\xfe\x00{")
    with pytest.raises(WeightsError) as refused:
        verify(folder)
    four_parts(refused.value, "panel.json")


def test_weights_that_their_card_vouches_for_but_are_no_model_are_refused(folder: Path) -> None:
    card = read_card(folder, "panel")
    (folder / f"panel{WARDROBE}.json").unlink()  # it belongs to the model that was there
    for stored in (b"", b"not tensors at all", (folder / "frame.safetensors").read_bytes()):
        write_weights(folder, "panel", stored, card)
        assert verify(folder)["panel"] == hashlib.sha256(stored).hexdigest()
        with pytest.raises(WeightsError) as refused:
            load_faces(folder)
        four_parts(refused.value, "panel.safetensors")


def test_a_card_without_its_shell_is_refused(folder: Path) -> None:
    card = read_card(folder, "panel")
    del card["shell"]
    (folder / "panel.json").write_text(json.dumps(card), encoding="utf-8")
    with pytest.raises(WeightsError) as refused:
        load_faces(folder)
    four_parts(refused.value, "panel")


def test_no_folder_at_all_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="no such folder"):
        weights_folder(str(tmp_path / "nowhere"))
    with pytest.raises(WeightsError):
        verify(tmp_path)


def test_what_is_written_can_be_read(tmp_path: Path) -> None:
    told = write_weights(tmp_path, "panel", b"some tensors", {"school": "panel"})
    card, stored = read_weights(tmp_path, "panel")
    assert card == told
    assert stored == b"some tensors"
    assert card["bytes"] == len(stored)
    assert card["format"] == FORMAT
    assert sorted(each.name for each in tmp_path.iterdir()) == ["panel.json", "panel.safetensors"]


def test_a_card_of_before_does_not_survive_in_the_new_one(tmp_path: Path) -> None:
    first = write_weights(tmp_path, "panel", b"some tensors", {"school": "panel"})
    second = write_weights(tmp_path, "panel", b"others", first)
    assert second["sha256"] == hashlib.sha256(b"others").hexdigest()
    assert second["bytes"] == 6


def test_writing_that_fails_leaves_the_old_file_whole(tmp_path: Path) -> None:
    path = tmp_path / "panel.safetensors"
    path.write_bytes(b"old")
    with pytest.raises(TypeError):
        write_whole(path, "text is no bytes")  # type: ignore[arg-type]
    assert path.read_bytes() == b"old"
    assert [each.name for each in tmp_path.iterdir()] == [path.name]
