"""Squaring: how a camera sees a screen comes in, where the picture's corners must go comes out.

Two aims. Without marks on the wall the picture becomes the largest upright rectangle that the
screen can show, as the camera sees it: then the camera must stand straight before the wall. With
four marks it goes exactly between them, wherever the camera stands. Pure, any thread.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.optimize import linprog

from mirror.errors import SettingsError
from mirror.settings import Points
from mirror.site.keystone import CORNERS, Doubles, as_points, convex, picture_size, project


@dataclass(frozen=True)
class Squared:
    """keystone: corners on the screen, as a site file has them. turn_deg: how far the picture must
    be turned on the screen to stand upright. aim: (4, 2), where the picture's own corners, from
    its top left clockwise, will be seen, in pixels of a picture without a lens."""

    keystone: Points
    turn_deg: int
    aim: Doubles


def square(
    matrix: Doubles, screen: tuple[int, int], marks: Doubles | None = None, mirrored: bool = False
) -> Squared:
    """Where the corners go.

    matrix: (3, 3), from pixels of the screen (W, H) to those of the camera. marks: (4, 2), where
    the corners shall be seen, from the picture's top left clockwise. mirrored: the camera swaps
    left and right. Raises SettingsError when the screen cannot show the picture there.
    """
    turn_deg = turned(matrix, screen, mirrored)
    if marks is None:
        size = picture_size(screen, turn_deg)
        aim = largest(project(matrix, CORNERS * screen), size[0] / size[1])
        aim = aim[[1, 0, 3, 2]] if mirrored else aim
    else:
        aim = marks
    placed = project(np.linalg.inv(matrix), aim) / screen  # (4, 2), from the picture's top left
    keystone = np.roll(placed, turn_deg // 90, axis=0)  # from the screen's top left
    points = as_points(keystone)
    if not convex(points):
        raise SettingsError("calibrate screen", f"corners {points}", "four marks, 1 at top left")
    if keystone.min() < -0.02 or keystone.max() > 1.02:
        raise SettingsError(
            "calibrate screen", f"the picture would reach beyond the screen: corners {points}",
            "marks inside the light", "move the marks inwards, or the projector back",
        )  # fmt: skip
    return Squared(as_points(keystone.clip(0, 1)), turn_deg, aim)


def turned(matrix: Doubles, screen: tuple[int, int], mirrored: bool = False) -> int:
    """How far the picture must be turned on the screen to be seen upright: 0, 90, 180 or 270."""
    left, right = project(matrix, [(0, screen[1] / 2), (screen[0], screen[1] / 2)])
    x, y = (right - left) * (-1 if mirrored else 1, 1)
    return -round(math.degrees(math.atan2(y, x)) / 90) % 4 * 90


def largest(corners: Doubles, aspect: float) -> Doubles:
    """The largest upright rectangle of a width over height inside a convex quadrilateral (4, 2).

    Its corners from the top left clockwise, (4, 2). A linear programme in its place and height.
    """
    middle = corners.mean(axis=0)
    rows, limits = [], []
    for (a, b), (c, d) in zip(corners, np.roll(corners, -1, axis=0)):
        normal = np.array([d - b, a - c]) / math.hypot(c - a, d - b)
        if normal @ (middle - (a, b)) > 0:
            normal = -normal  # outwards
        for x, y in CORNERS - 0.5:
            rows.append([*normal, normal @ (x * aspect, y)])
            limits.append(normal @ (a, b))
    best = linprog([0, 0, -1], np.array(rows), limits, bounds=[(None, None)] * 2 + [(0, None)])
    x, y, height = best.x
    return np.asarray((CORNERS - 0.5) * (aspect * height, height) + (x, y))
