"""Worn skin takes the colour of the face; hair, hats and what is far from the face do not."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from mirror.faces.skin import Skin

SIDE = 256
#: The radius of a round face, pixels, and the row at which its brows begin.
FACE_PX, BROWS = 55, 100
PALE, RUDDY, GREEN = (0.85, 0.78, 0.68), (0.62, 0.38, 0.27), (0.12, 0.25, 0.16)

Colour = tuple[float, float, float]


def radius() -> Tensor:
    """From the middle, pixels: (1, 256, 256)."""
    y, x = np.mgrid[:SIDE, :SIDE] + 0.5 - SIDE / 2
    return torch.from_numpy(np.hypot(x, y).astype(np.float32))[None]


@pytest.fixture(scope="module")
def skin() -> Skin:
    away = (radius() - FACE_PX).clamp(min=0)
    return Skin(away, torch.sigmoid((radius() - FACE_PX + 8) / 3), BROWS)


def picture(inner: Colour, outer: Colour, reach_px: float = FACE_PX + 25) -> Tensor:
    """One colour up to some radius, another beyond, wholly opaque: (4, 256, 256)."""
    within = (radius() < reach_px).float()
    one, other = (torch.tensor(each)[:, None, None] for each in (inner, outer))
    return torch.cat([within * one + (1 - within) * other, torch.ones(1, SIDE, SIDE)])


def ring(low_px: float, high_px: float) -> Tensor:
    return ((radius() >= low_px) & (radius() < high_px))[0]


def mean(colour: Tensor, where: Tensor) -> list[float]:
    return [float(each) for each in colour[:3, where].mean(dim=1)]


def test_skin_is_told_from_a_hat_by_its_colour(skin: Skin) -> None:
    found = skin.where(skin.find(picture(RUDDY, GREEN), torch.tensor(RUDDY)))[0]
    assert float(found[ring(0, FACE_PX + 12)].mean()) > 0.95
    assert float(found[ring(FACE_PX + 35, 120)].mean()) < 0.05


def test_what_is_far_from_the_face_is_no_skin(skin: Skin) -> None:
    found = skin.where(skin.find(picture(RUDDY, RUDDY), torch.tensor(RUDDY)))[0]
    assert float(found[ring(FACE_PX + 65, 125)].max()) < 0.1


@pytest.mark.parametrize(("own", "theirs"), [(PALE, RUDDY), (RUDDY, PALE)])
def test_skin_beside_a_face_takes_its_colour(skin: Skin, own: Colour, theirs: Colour) -> None:
    wearer = skin.find_of_wearer(picture(own, GREEN))
    worn = picture(theirs, GREEN)
    piece = skin.find(worn, torch.tensor(theirs))
    matched = skin.matched(wearer, piece, worn[:3])
    assert mean(matched, ring(FACE_PX, FACE_PX + 20)) == pytest.approx(own, abs=0.03)


def test_a_face_in_light_from_one_side_has_ears_in_it(skin: Skin) -> None:
    right = torch.arange(SIDE) >= SIDE // 2
    lit = picture(PALE, GREEN)
    lit[:3, :, ~right] *= 0.6
    worn = picture(RUDDY, GREEN)
    wearer, piece = skin.find_of_wearer(lit), skin.find(worn, torch.tensor(RUDDY))
    matched = skin.matched(wearer, piece, worn[:3])
    ears = ring(FACE_PX, FACE_PX + 15)
    dark, light = (mean(matched, ears & side[None]) for side in (~right, right))
    assert mean(lit, ears & ~right[None]) == pytest.approx(dark, abs=0.1)
    assert np.mean(light) - np.mean(dark) > 0.2


def test_nothing_burns_out_and_brushwork_stays(skin: Skin) -> None:
    worn = picture(RUDDY, GREEN)
    bright = (torch.arange(SIDE) // 4 % 2 == 0)[:, None].expand(SIDE, SIDE)
    worn[:3, bright] *= 1.4
    wearer, piece = skin.find_of_wearer(picture(PALE, GREEN)), skin.find(worn, torch.tensor(RUDDY))
    matched = skin.matched(wearer, piece, worn[:3])
    assert float(matched.min()) > 0 and float(matched.max()) < 1
    beside = ring(FACE_PX, FACE_PX + 20)
    light, dark = (np.mean(mean(matched, beside & rows)) for rows in (bright, ~bright))
    assert 0.03 < light - dark < np.mean(PALE) * 0.4


def test_a_dark_fringe_on_the_forehead_is_not_the_wearers_skin(skin: Skin) -> None:
    fringed = picture(PALE, GREEN)
    fringed[:3, : BROWS - 14] *= 0.75
    found = skin.where(skin.find_of_wearer(fringed))[0]
    forehead = ring(0, FACE_PX - 5) & (torch.arange(SIDE) < BROWS - 20)[:, None]
    assert float(found[forehead].mean()) < 0.3
    below = ring(0, FACE_PX - 5) & (torch.arange(SIDE) > BROWS)[:, None]
    assert float(found[below].mean()) > 0.9


@pytest.mark.parametrize(("hat", "least", "most"), [(GREEN, 0.08, 0.45), (PALE, 0.0, 0.01)])
def test_what_is_dark_casts_a_shadow_on_the_skin_below_it(
    skin: Skin, hat: Colour, least: float, most: float
) -> None:
    """And less beside it than below, none in the middle of a face, and no brushwork is lost."""
    dressed = picture(PALE, hat, FACE_PX)
    bright = (torch.arange(SIDE) % 2 == 0)[:, None].expand(SIDE, SIDE)
    dressed[:3, bright] += 0.02
    shaded = dressed.clone()
    hair = (radius() > FACE_PX).float()
    skin.shade(skin.find_of_wearer(picture(PALE, GREEN)), shaded, hair)
    shadow = (dressed - shaded)[:3]
    near = ring(FACE_PX - 14, FACE_PX - 6)
    middle = torch.arange(SIDE) - SIDE // 2
    below = near & (middle < -30)[:, None]
    beside = near & (middle.abs() < 20)[:, None]
    taken = [float(shadow[:, where].mean()) / float(np.mean(PALE)) for where in (below, beside)]
    assert least <= taken[0] <= most
    assert taken[1] <= taken[0]
    assert float(shadow[:, ring(0, 20)].abs().max()) < 0.01
    left = shaded[:3].mean(dim=0)
    assert 0.018 < float(left[below & bright].mean() - left[below & ~bright].mean()) < 0.04


def test_a_forehead_that_was_burnt_out_is_a_highlight_at_most(skin: Skin) -> None:
    worn = picture(PALE, GREEN)
    worn[:3, ring(FACE_PX - 8, FACE_PX + 20)] = 1.0
    wearer = skin.find_of_wearer(picture(RUDDY, GREEN))
    matched = skin.matched(wearer, skin.find(worn, torch.tensor(PALE)), worn[:3])
    found = np.mean(mean(matched, ring(FACE_PX, FACE_PX + 14)))
    assert np.mean(RUDDY) < found + 0.02 and found < np.mean(RUDDY) + 0.2
