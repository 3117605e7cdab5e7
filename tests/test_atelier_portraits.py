"""A folder of ordinary pictures becomes portraits, or a reason why not."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from mirror import MARKERS
from mirror.atelier.portraits import (
    CROP_HEIGHTS,
    CROP_PX,
    Gathering,
    crop,
    gather,
    picture_files,
    prepare,
    read_sources,
)
from mirror.errors import PortraitsError

RNG = np.random.default_rng


@pytest.fixture(scope="module")
def gathering(pictures: Path) -> Gathering:
    return gather(pictures)


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
