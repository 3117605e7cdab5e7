"""Where the picture lies on a site's screen: the settings come in, what the passes need goes out.

Called once for each size of the screen, by the thread that draws.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from mirror.settings import STRAIGHT, Points, ScreenSettings
from mirror.signals import Bytes, Floats
from mirror.site.keystone import CORNERS, Doubles, onto_screen, picture_size, project

#: OpenCV draws polygons in sixteenths of a pixel.
_FINE = 4


@dataclass(frozen=True)
class Placing:
    """size: of the screen, picture: of what is drawn, (W, H) pixels. screen: (3, 3), from places
    in the picture to places on the screen; site: the way back. light: (H, W) uint8, how much of
    each pixel of the screen lies on the picture and inside the mask; None where all of it does."""

    size: tuple[int, int]
    picture: tuple[int, int]
    screen: Doubles
    site: Doubles
    light: Bytes | None

    @property
    def straight(self) -> bool:
        """Whether screen and picture are one."""
        return bool(np.array_equal(self.screen, np.eye(3)))


def place(size: tuple[int, int], settings: ScreenSettings) -> Placing:
    """How a screen of a size shows the picture."""
    picture = picture_size(size, settings.turn_deg)
    if settings.keystone == STRAIGHT and settings.turn_deg == 0:
        screen = np.eye(3)
    else:
        screen = onto_screen(settings.keystone, settings.turn_deg)
    site = np.linalg.inv(screen)
    return Placing(size, picture, screen, site / site[2, 2], _light(size, settings, screen))


def columns(matrix: Doubles) -> tuple[float, ...]:
    """A matrix as OpenGL wants it."""
    return tuple(float(number) for number in matrix.T.ravel())


def _light(size: tuple[int, int], settings: ScreenSettings, screen: Doubles) -> Bytes | None:
    if settings.keystone == STRAIGHT and not settings.mask:
        return None
    light = _inside(size, project(screen, CORNERS))
    if settings.mask:
        light *= _filled(size, settings.mask)
    return np.asarray(255 * light + 0.5).astype(np.uint8)


def _inside(size: tuple[int, int], corners: Doubles) -> Floats:
    """How much of each pixel lies between four corners in a round: the edge is one pixel wide."""
    y, x = np.mgrid[: size[1], : size[0]].astype(np.float32) + 0.5
    light = np.ones((size[1], size[0]), np.float32)
    corners = corners * size
    for (a, b), (c, d) in zip(corners, np.roll(corners, -1, axis=0)):
        length = float(np.hypot(c - a, d - b))
        depth = ((c - a) * (y - b) - (d - b) * (x - a)) / length  # to the right of the edge
        light = np.minimum(light, np.clip(depth + 0.5, 0, 1))
    return np.asarray(light, np.float32)


def _filled(size: tuple[int, int], polygon: Points) -> Floats:
    """How much of each pixel lies in a polygon."""
    drawn = np.zeros((size[1], size[0]), np.uint8)
    places = (np.array(polygon) * size - 0.5) * (1 << _FINE)
    cv2.fillPoly(drawn, [np.round(places).astype(np.int32)], (255,), cv2.LINE_AA, _FINE)
    return np.asarray(drawn / np.float32(255), np.float32)
