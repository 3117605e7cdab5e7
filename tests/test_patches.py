"""Patches: what is cut out of a picture lies where it is said to lie."""

from __future__ import annotations

import math

import numpy as np
import pytest

from mirror.markers import patches
from mirror.markers.patches import Patch


def spot(x: int, y: int, width: int = 320, height: int = 200, reach: int = 4) -> np.ndarray:
    """A dark picture with one white square; its middle is at (x + 0.5, y + 0.5)."""
    picture = np.zeros((height, width, 3), np.uint8)
    picture[y - reach : y + reach + 1, x - reach : x + reach + 1] = 255
    return picture


@pytest.mark.parametrize("size_px", (40, 96, 192))
@pytest.mark.parametrize("angle", (0.0, 0.4, -1.3, math.pi))
def test_a_point_found_in_a_patch_is_led_back_to_where_it_is(size_px: int, angle: float) -> None:
    picture = spot(140, 90)
    patch = Patch(150, 84, 120, angle)
    light = patches.cut(picture, patch, size_px)[:, :, 0].astype(float)
    y, x = np.indices(light.shape) + 0.5
    found = [(light * x).sum() / light.sum() / size_px, (light * y).sum() / light.sum() / size_px]
    (back,) = patches.to_picture(patch, np.array([found], np.float32))
    np.testing.assert_allclose(back, (140.5, 90.5), atol=0.15)


def test_depth_is_scaled_and_not_moved() -> None:
    (back,) = patches.to_picture(Patch(50, 60, 20, 0.7), np.array([[0.5, 0.5, -0.25]], np.float32))
    np.testing.assert_allclose(back, (50, 60, -5), atol=1e-4)


def test_outside_the_picture_is_black_or_repeats_the_border() -> None:
    white = np.full((100, 100, 3), 255, np.uint8)
    corner = Patch(0, 0, 60)
    assert patches.cut(white, corner, 30)[:14, :14].max() == 0
    assert patches.cut(white, corner, 30, replicate=True).min() == 255
    assert patches.cut(white, Patch(-500, -500, 60), 30).max() == 0


@pytest.mark.parametrize("shape", [(720, 1280), (1280, 720), (480, 640), (97, 131)])
@pytest.mark.parametrize("part", (1.0, 0.5, 0.3))
def test_tiles_cover_the_picture_and_stay_inside(shape: tuple[int, int], part: float) -> None:
    picture = np.zeros((*shape, 3), np.uint8)
    seen = np.zeros(shape, bool)
    for tile in patches.tiles(picture, part):
        half = tile.side_px / 2
        assert half - 1e-3 <= tile.x_px <= shape[1] - half + 1e-3
        assert half - 1e-3 <= tile.y_px <= shape[0] - half + 1e-3
        top, left = math.floor(tile.y_px - half), math.floor(tile.x_px - half)
        seen[top : math.ceil(tile.y_px + half), left : math.ceil(tile.x_px + half)] = True
    assert seen.all()


def test_the_whole_picture_lies_in_its_patch() -> None:
    patch = patches.whole(np.zeros((100, 300, 3), np.uint8))
    assert (patch.x_px, patch.y_px, patch.side_px) == (150, 50, 300)
