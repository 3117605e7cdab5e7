"""A damaged model at the start: refused by `mirror run`, and lived with under a supervisor."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from mirror import SCHOOLS
from mirror.cards import verify
from mirror.errors import WeightsError
from mirror.painting.loading import load
from mirror.places import weights_folder
from mirror.settings import FaceSettings


@pytest.fixture
def damaged(tmp_path: Path) -> Path:
    """Models of which the last one has lost a byte."""
    folder = tmp_path / "weights"
    shutil.copytree(weights_folder(), folder)
    path = folder / f"{SCHOOLS[-1]}.safetensors"
    path.write_bytes(path.read_bytes()[:-1])
    return folder


def test_the_stream_of_a_damaged_model_goes_to_the_next_school(damaged: Path) -> None:
    assert list(verify(damaged, strict=False)) == list(SCHOOLS[:-1])
    models = load(damaged, FaceSettings(device="cpu"), strict=False)
    assert list(models.faces) == list(SCHOOLS)
    assert len(models.densities) == len(SCHOOLS)
    assert models.faces[SCHOOLS[-1]] is models.faces[SCHOOLS[0]]


def test_with_a_technician_at_hand_it_is_refused(damaged: Path) -> None:
    for refused in (verify, lambda folder: load(folder, FaceSettings(device="cpu"))):
        with pytest.raises(WeightsError, match=SCHOOLS[-1]):
            refused(damaged)


def test_without_any_model_nothing_can_be_shown(damaged: Path) -> None:
    for school in SCHOOLS[:-1]:
        (damaged / f"{school}.json").unlink()
    with pytest.raises(WeightsError):
        verify(damaged, strict=False)


def test_where_nothing_is_painted_markers_are_read_the_same(damaged: Path) -> None:
    """By numpy alone, and with the same next school in place of a damaged one."""
    settings = FaceSettings(device="cpu")
    painting = load(damaged, settings, strict=False)
    reading = load(damaged, settings, strict=False, paints=False)
    assert list(painting.faces) == list(SCHOOLS)
    assert reading.faces == {}
    for one, other in zip(painting.geometries, reading.geometries):
        for name in one.__dataclass_fields__:
            assert getattr(one, name).tobytes() == getattr(other, name).tobytes()
    for mine, theirs in zip(painting.densities, reading.densities):
        for name in mine.__dataclass_fields__:
            assert getattr(mine, name).tobytes() == getattr(theirs, name).tobytes()
    with pytest.raises(WeightsError):
        load(damaged, settings, paints=False)
