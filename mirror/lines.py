"""Lids and lips are drawn with a line, as painters draw them and sculptors cut them.

In: the canonical frame. Out: where in a texture the lines are, and how dark a school's training
portraits have them. Mixtures blur just these, the thinnest lines of a face, by which a look and a
word are seen; a school that hardly marks them, like marble, gets them stronger. Pure numpy and
OpenCV; no torch, so that sketches have them, too.
"""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np

from mirror.canonical import Frame
from mirror.signals import Floats

#: Side of a texture, pixels, and how finely lines are drawn before they are made small.
TEXTURE_PX, FINER = 256, 8
#: Width of the line at the upper lid and at the lips, texture pixels; the lower lid's is thinner,
#: and weaker.
WIDTH_PX, LOWER = 1.5, 0.55
LIPS, LOWER_LID = 200, 150  # of 255
SOFT_PX = 0.6
#: A line's strength is this over the contrast that training portraits have there, but no more than
#: MOST: then paintings' lids and lips are about twice as marked as the mixtures'.
MARKED, MOST = 0.07, 0.7
_LIGHT = np.array([0.299, 0.587, 0.114], np.float32)


@lru_cache(maxsize=4)
def lines(frame: Frame) -> Floats:
    """How much of a line there is at each place of a texture: (256, 256) float32, 0 to 1."""
    side = TEXTURE_PX * FINER
    drawn = np.zeros((side, side), np.uint8)
    uv = (frame.mean[:, :2] + 1) / 2 * side
    for loop in (frame.right_eye, frame.left_eye):
        middle = uv[loop, 1].mean()
        for one, other in zip(loop, np.roll(loop, -1)):
            upper = (uv[one, 1] + uv[other, 1]) / 2 < middle
            width, dark = (WIDTH_PX, 255) if upper else (WIDTH_PX * LOWER, LOWER_LID)
            ends = _pixel(uv[one]), _pixel(uv[other])
            cv2.line(drawn, *ends, (dark,), round(width * FINER), cv2.LINE_AA)
    lips = np.round(uv[frame.inner_lips]).astype(np.int32)
    cv2.polylines(drawn, [lips], True, (LIPS,), round(WIDTH_PX * FINER), cv2.LINE_AA)
    soft = cv2.GaussianBlur(drawn, (0, 0), SOFT_PX * FINER)
    small = cv2.resize(soft, (TEXTURE_PX, TEXTURE_PX), interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.float32) / np.float32(255)


def contrast(textures: Floats, frame: Frame) -> float:
    """How much darker lids and lips are than what is round them, the median: 0 to 1.

    textures: (N, 256, 256, 4) float32 in [0, 1], RGB and straight alpha.
    """
    line = lines(frame)
    near = cv2.dilate((line > 0.3).astype(np.uint8), np.ones((9, 9), np.uint8)) > 0
    round_it = near & (line < 0.05)
    light = textures[..., :3] @ _LIGHT  # (N, 256, 256)
    on = (light * line).sum(axis=(1, 2)) / line.sum()
    beside = light[:, round_it].mean(axis=1)
    return float(np.median(1.0 - on / np.maximum(beside, 1e-3)))


def strength(marked: float) -> float:
    """How strong a school's lines are drawn, whose training portraits have such a contrast."""
    return round(min(MOST, MARKED / max(marked, 1e-3)), 3)


def _pixel(place: Floats) -> tuple[int, int]:
    x, y = np.round(place).astype(int).tolist()
    return x, y
