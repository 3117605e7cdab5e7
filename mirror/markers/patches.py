"""Square pieces of a picture: where a network looks, and the way back to the picture.

In come pictures and places in them; out go small square pictures. Called by the markers thread.
Coordinates are picture pixels, origin at the top left corner of the top left pixel (its centre
lies at 0.5, 0.5), x right, y down.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np

from mirror.signals import Bytes, Floats


@dataclass(frozen=True)
class Patch:
    """A square of a picture, possibly turned.

    x_px, y_px: its middle. side_px: its side. angle_rad: how far it is turned clockwise.
    """

    x_px: float
    y_px: float
    side_px: float
    angle_rad: float = 0.0

    def scaled(self, factor: float) -> Patch:
        """The same middle and angle, another side."""
        return Patch(self.x_px, self.y_px, self.side_px * factor, self.angle_rad)


def whole(picture: Bytes) -> Patch:
    """The smallest upright square that holds all of the picture."""
    height, width = picture.shape[:2]
    return Patch(width / 2, height / 2, max(width, height))


def tiles(picture: Bytes, part: float, overlap: float = 0.35) -> list[Patch]:
    """Upright squares of a part of the picture's shorter side that together cover it.

    overlap: how much of its side a tile shares with the next at least.
    """
    height, width = picture.shape[:2]
    side = min(width, height) * part

    def middles(length: float) -> Floats:
        count = 1 + math.ceil((length - side) / (side * (1 - overlap)) - 1e-9)
        return np.linspace(side / 2, length - side / 2, count, dtype=np.float32)

    return [Patch(float(x), float(y), side) for y in middles(height) for x in middles(width)]


def to_picture(patch: Patch, points: Floats) -> Floats:
    """Points of a patch, (M, 2) or (M, 3) in units of its side, as picture pixels.

    x and y count from the patch's top left corner; z, if any, has no origin and is only scaled.
    """
    turn = _turn(patch)
    found = points * np.float32(patch.side_px)
    found[:, :2] = (points[:, :2] - 0.5) @ (turn.T * patch.side_px) + (patch.x_px, patch.y_px)
    return found.astype(np.float32)


def cut(picture: Bytes, patch: Patch, size_px: int, replicate: bool = False) -> Bytes:
    """The patch as a (size_px, size_px, 3) uint8 picture of its own, upright.

    Outside the picture it is black, or repeats the border. A patch more than twice as fine as
    wanted is averaged down first: taking single pixels of it would make still faces tremble.
    """
    shrink = max(1, int(patch.side_px / size_px))
    near, left_px, top_px = _neighbourhood(picture, patch, shrink)
    if near is None:
        return np.zeros((size_px, size_px, 3), np.uint8)
    step = _turn(patch) * (patch.side_px / size_px / shrink)
    middle = (np.array([patch.x_px - left_px, patch.y_px - top_px])) / shrink
    offset = middle - step @ np.full(2, (size_px - 1) / 2) - 0.5
    border = cv2.BORDER_REPLICATE if replicate else cv2.BORDER_CONSTANT
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    matrix = np.column_stack([step, offset])  # (2, 3)
    return cv2.warpAffine(near, matrix, (size_px, size_px), flags=flags, borderMode=border)  # type: ignore[return-value]


def _turn(patch: Patch) -> np.ndarray:
    """The (2, 2) rotation from the patch's own axes to the picture's."""
    cosine, sine = math.cos(patch.angle_rad), math.sin(patch.angle_rad)
    return np.array([[cosine, -sine], [sine, cosine]])


def _neighbourhood(picture: Bytes, patch: Patch, shrink: int) -> tuple[Bytes | None, float, float]:
    """The upright part of the picture round a patch, shrunk; and its top left corner."""
    height, width = picture.shape[:2]
    reach = patch.side_px / 2 * np.abs(_turn(patch)).sum(axis=1).max() + 2 * shrink
    left, right = _span(patch.x_px, reach, width, shrink)
    top, bottom = _span(patch.y_px, reach, height, shrink)
    if left >= right or top >= bottom:
        return None, 0, 0
    near = picture[top:bottom, left:right]
    if shrink > 1:
        size = ((right - left) // shrink, (bottom - top) // shrink)
        near = cv2.resize(near, size, interpolation=cv2.INTER_AREA)  # type: ignore[assignment]
    return near, left, top


def _span(middle_px: float, reach_px: float, length_px: int, multiple: int) -> tuple[int, int]:
    """From and to along one axis, inside the picture, a whole multiple long."""
    start = min(max(0, math.floor(middle_px - reach_px)), length_px)
    end = max(min(length_px, math.ceil(middle_px + reach_px)), start)
    return start, start + (end - start) // multiple * multiple
