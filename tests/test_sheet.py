"""The contact sheet shows every kind of portrait of every school, and a visitor."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from mirror import SCHOOLS
from mirror.atelier import sheet as sheets
from mirror.atelier.sheet import CELL_PX, COLUMNS, GROUND, draw_markers, sheet
from mirror.canonical import load_mesh
from mirror.errors import PortraitsError, SettingsError
from mirror.places import weights_folder


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> np.ndarray:
    path = tmp_path_factory.mktemp("sheet") / "sheet.png"
    sheet(path, schools=["salon"])
    assert [each.name for each in path.parent.iterdir()] == ["sheet.png"]
    stored = cv2.imread(str(path), cv2.IMREAD_COLOR)
    return np.asarray(cv2.cvtColor(stored, cv2.COLOR_BGR2RGB))


def test_a_school_has_a_block_and_so_has_the_visitor(drawn: np.ndarray) -> None:
    row = sheets.CAPTION_PX + CELL_PX + sheets.GAP_PX
    block = sheets.TITLE_PX + 2 * row + sheets.GAP_PX
    assert drawn.shape[0] == 2 * (sheets.MARGIN_PX // 2) + 2 * block
    for top in (0, block):
        assert drawn[sheets.MARGIN_PX // 2 + top :][: sheets.TITLE_PX].max() > 100


def test_every_cell_of_a_schools_first_row_holds_a_portrait(drawn: np.ndarray) -> None:
    top = sheets.MARGIN_PX // 2 + sheets.TITLE_PX + sheets.CAPTION_PX
    band = drawn[top : top + CELL_PX]
    lefts = [sheets.MARGIN_PX + n * CELL_PX for n in range(COLUMNS)]
    lefts = [x + (2 * sheets.GAP_PX if n >= sheets.REMEMBERED else 0) for n, x in enumerate(lefts)]
    for left in lefts:
        middle = band[CELL_PX // 4 : -CELL_PX // 4, left + CELL_PX // 4 : left + 3 * CELL_PX // 4]
        assert middle.max() > 100 and middle.std() > 10


def test_between_the_portraits_there_is_only_dark(drawn: np.ndarray) -> None:
    assert (drawn[:, : sheets.MARGIN_PX - 2] == GROUND).all()
    assert (drawn[:, -sheets.MARGIN_PX // 2 :] == GROUND).all()


def test_a_visitor_is_drawn_as_markers_and_nothing_else() -> None:
    frame = load_mesh(weights_folder()).frame
    markers = (frame.mean / 2 + (0.5, 0.5, 0.0)).astype(np.float32)
    picture = draw_markers(markers, frame.surface)
    assert picture.shape == (CELL_PX, CELL_PX, 3)
    face = markers[:468, :2] * CELL_PX
    low, high = face.min(axis=0) - 2, face.max(axis=0) + 2
    lit = np.argwhere(np.abs(picture.astype(int) - GROUND).max(axis=2) > 8)[:, ::-1]
    assert len(lit) > 1000
    assert (lit >= low).all() and (lit <= high).all()


def test_another_kind_of_file_is_refused_before_it_is_begun(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="png"):
        sheet(tmp_path / "sheet.jpg", schools=[])
    assert list(tmp_path.iterdir()) == []


def test_a_folder_without_the_schools_portraits_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PortraitsError, match=SCHOOLS[0]):
        sheet(tmp_path / "sheet.png", images=tmp_path, schools=SCHOOLS[:1])
    assert list(tmp_path.iterdir()) == []
