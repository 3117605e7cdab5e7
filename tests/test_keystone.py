"""Keystone and rotation: the maths, and that the piece's screen follows the site file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mirror.errors import SettingsError
from mirror.screen.placing import place
from mirror.settings import STRAIGHT, ScreenSettings
from mirror.site.keystone import CORNERS, convex, homography, onto_screen, picture_size, project
from mirror.site.site import read_site

ASKEW = ((0.1, 0.05), (0.97, 0.2), (0.9, 0.8), (0.03, 0.98))


def test_four_places_are_carried_exactly_where_they_belong() -> None:
    assert project(homography(CORNERS, ASKEW), CORNERS) == pytest.approx(np.array(ASKEW), abs=1e-9)


def test_of_many_places_a_wrong_one_hardly_counts() -> None:
    rng = np.random.default_rng(0)
    truth = homography(CORNERS, ASKEW)
    places = rng.random((200, 2))
    seen = project(truth, places) + rng.normal(0, 0.001, (200, 2))
    found = homography(places, seen)
    assert np.abs(project(found, CORNERS) - ASKEW).max() < 0.001


@pytest.mark.parametrize(
    "places", [CORNERS[:3], [(0, 0), (0.5, 0.5), (1, 1), (0.2, 0.2)], [(0.5, 0.5)] * 4]
)
def test_places_that_determine_nothing_are_refused(places: list[tuple[float, float]]) -> None:
    with pytest.raises(SettingsError, match="no three on a line"):
        homography(places, list(CORNERS)[: len(places)])


@pytest.mark.parametrize(
    ("turn_deg", "top_left"), [(0, (0, 0)), (90, (1, 0)), (180, (1, 1)), (270, (0, 1))]
)
def test_a_turned_picture_begins_in_another_corner(
    turn_deg: int, top_left: tuple[float, float]
) -> None:
    assert project(onto_screen(STRAIGHT, turn_deg), [(0, 0)])[0] == pytest.approx(top_left)
    tall = turn_deg % 180 == 90
    assert picture_size((160, 90), turn_deg) == ((90, 160) if tall else (160, 90))


def test_a_bow_tie_is_no_keystone() -> None:
    assert convex(STRAIGHT)
    assert convex(ASKEW)
    assert not convex((STRAIGHT[0], STRAIGHT[2], STRAIGHT[1], STRAIGHT[3]))
    assert not convex(STRAIGHT[::-1])
    assert not convex(((0, 0), (1, 0), (0.1, 0.1), (0, 1)))


def test_the_light_stops_at_the_keystone_and_at_the_mask() -> None:
    light = place((160, 90), ScreenSettings(keystone=ASKEW)).light
    assert light is not None
    corners = np.array(ASKEW) * (160, 90)
    around = np.roll(corners, -1, axis=0)
    area = abs(np.sum(corners[:, 0] * around[:, 1] - corners[:, 1] * around[:, 0])) / 2
    assert light.sum() / 255 == pytest.approx(area, rel=0.002)
    half = place((160, 90), ScreenSettings(mask=((0, 0), (0.5, 0), (0.5, 1), (0, 1)))).light
    assert half is not None
    assert np.all(half[:, :79] == 255)
    assert np.all(half[:, 82:] == 0)
    assert place((160, 90), ScreenSettings()).light is None


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("keystone = [[0, 0], [1, 0], [1, 1]]", "4 places"),
        ("keystone = [[0, 0], [1, 0], [0, 1], [1, 1]]", "four corners that go clockwise"),
        ("keystone = [[0, 0], [1, 0], [1, 9], [0, 1]]", "from -1 to 2"),
        ("keystone = 3", "4 places"),
        ('keystone = [[0, 0], [1, "0"], [1, 1], [0, 1]]', "4 places"),
        ("mask = [[0, 0], [1, 1]]", "none or 3 to 64 places"),
        ("turn_deg = 45", "0, 90, 180, 270"),
    ],
)
def test_a_site_file_with_a_screen_that_cannot_be_is_refused(
    tmp_path: Path, line: str, told: str
) -> None:
    path = tmp_path / "foyer.toml"
    path.write_text(f"[screen]\n{line}\n")
    with pytest.raises(SettingsError) as refused:
        read_site(str(path))
    assert told in str(refused.value)
    assert f"foyer.toml:2 [screen] {line.split(maxsplit=1)[0]}" in str(refused.value)


def test_whole_numbers_do_for_places(tmp_path: Path) -> None:
    path = tmp_path / "foyer.toml"
    path.write_text("[screen]\nkeystone = [[0, 0], [1, 0], [1, 0.9], [0, 1]]\n")
    assert read_site(str(path)).screen.keystone == ((0.0, 0.0), (1.0, 0.0), (1.0, 0.9), (0.0, 1.0))
