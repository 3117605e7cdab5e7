"""Keystone and rotation: where the picture lies on the screen, and what is left of it there.

Places are shares of a width and a height, 0 to 1 from the top left corner, y down; on the screen
of what the computer sends to it, in the picture of what the piece draws. A homography is (3, 3)
float64 and carries (x, y, 1) to a place times its third number. Pure numpy, any thread; read by
the screen, written by the calibration.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from mirror.errors import SettingsError
from mirror.settings import STRAIGHT, Points

Doubles = npt.NDArray[np.float64]

#: Corners of a picture or screen, from the top left clockwise.
CORNERS = np.array(STRAIGHT)
#: A corner that bends the picture by less than this (sine of its angle) makes it a triangle.
_FLAT = 0.02


def picture_size(screen: tuple[int, int], turn_deg: int) -> tuple[int, int]:
    """Width and height of the picture that a screen of a size shows, in pixels."""
    return screen if turn_deg % 180 == 0 else (screen[1], screen[0])


def onto_screen(keystone: Points, turn_deg: int) -> Doubles:
    """From places in the picture to places on the screen.

    keystone: where the corners seen at the top left, top right, bottom right and bottom left of
    the screen lie. turn_deg: 0, 90, 180 or 270, how far the picture is turned clockwise on it.
    Raises SettingsError for corners that no picture can have.
    """
    if not convex(keystone):
        raise SettingsError("[screen] keystone", str(keystone), "four corners, clockwise")
    turned = np.roll(np.array(keystone, np.float64), -(turn_deg // 90), axis=0)  # (4, 2)
    return homography(CORNERS, turned)


def homography(source: Any, target: Any) -> Doubles:
    """The homography that carries source to target, both (N, 2), N at least 4.

    With more than four pairs, the one that comes nearest to all of them (normalised direct linear
    transform: Hartley, In Defence of the Eight-Point Algorithm, 1997). Raises SettingsError when
    the places do not determine one.
    """
    ours, theirs = _normal(source), _normal(target)
    a, b = project(ours, source), project(theirs, target)
    rows = []
    for (x, y), (u, v) in zip(a, b):
        rows.append((x, y, 1, 0, 0, 0, -u * x, -u * y, -u))
        rows.append((0, 0, 0, x, y, 1, -v * x, -v * y, -v))
    _, strength, vectors = np.linalg.svd(np.array(rows), full_matrices=True)
    if len(rows) < 8 or strength[7] < 1e-9 * strength[0]:
        raise SettingsError("keystone", "places on one line", "four or more, no three on a line")
    found = np.linalg.inv(theirs) @ vectors[-1].reshape(3, 3) @ ours  # (3, 3)
    return np.asarray(found / found[2, 2])


def project(matrix: Doubles, places: Any) -> Doubles:
    """Places (N, 2) as a homography carries them: (N, 2) float64."""
    flat = np.asarray(places, np.float64).reshape(-1, 2)
    carried = np.column_stack([flat, np.ones(len(flat))]) @ matrix.T  # (N, 3)
    return np.asarray(carried[:, :2] / carried[:, 2:])


def convex(corners: Sequence[tuple[float, float]]) -> bool:
    """Whether four places are the corners of a picture, in clockwise order (y down)."""
    for n in range(4):
        (x, y), (u, v), (s, t) = (corners[(n + k) % 4] for k in range(3))
        lengths = math.hypot(u - x, v - y) * math.hypot(s - u, t - v)
        if (u - x) * (t - v) - (v - y) * (s - u) <= _FLAT * lengths:
            return False
    return True


def as_points(places: Any) -> Points:
    """Places (N, 2) as a site file holds them: to a hundred thousandth."""
    return tuple((round(float(x), 5), round(float(y), 5)) for x, y in np.asarray(places))


def _normal(places: Any) -> Doubles:
    """The similarity that brings places about the origin, at a mean distance of sqrt(2)."""
    flat = np.asarray(places, np.float64).reshape(-1, 2)
    middle = flat.mean(axis=0)
    spread = float(np.linalg.norm(flat - middle, axis=1).mean())
    scale = math.sqrt(2) / spread if spread else 1.0
    return np.array([[scale, 0, -scale * middle[0]], [0, scale, -scale * middle[1]], [0, 0, 1]])
