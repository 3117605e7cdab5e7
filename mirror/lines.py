"""Lids and lips are drawn with a line, as painters draw them and sculptors cut them.

In: the canonical frame. Out: where in a texture the lines are, and how dark a school's training
portraits have them. Mixtures blur just these, the thinnest lines of a face, by which a look and a
word are seen; a school that hardly marks them, like marble, gets them stronger. Where they are
faintest, the outlines of lips and nostrils are drawn as well, or nobody sees such a mouth speak,
and brows and the rim of the face, or nobody is known by them.
Pure numpy and OpenCV; no torch, so that sketches have them, too.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import cv2
import numpy as np

from mirror.canonical import Frame
from mirror.signals import Bytes, Floats

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
#: A school whose lines are no stronger than this marks its features; one with lines as strong as
#: the second is as faint as marble.
CLEAR, FAINT = 0.35, 0.6
#: How dark the outlines of lips and nostrils are where features are faintest, and how wide, texture
#: pixels. Lips that are dark all over are taken for a mouth that is open.
LIPS_OUTLINED, NOSTRILS_OUTLINED, OUTLINE_PX = 0.15, 0.3, 1.25
#: FaceMesh's own numbers: around the lips, and along the nose's wings and nostrils.
OUTER_LIPS = (
    *(61, 185, 40, 39, 37, 0, 267, 269, 270, 409),
    *(291, 375, 321, 405, 314, 17, 84, 181, 91, 146),
)
NOSTRILS = (64, 98, 97, 2, 326, 327, 294)
#: How dark brows and the face's rim are where features are faintest; how wide and how soft, texture
#: pixels.
BROWS_DARK, BROWS_PX, BROWS_SOFT_PX = 0.15, 4.0, 1.2
RIM_DARK, RIM_PX, RIM_SOFT_PX = 0.6, 2.5, 1.5
#: FaceMesh's own numbers: the upper and the lower edge of both brows.
BROWS = (
    ((70, 63, 105, 66, 107), (46, 53, 52, 65, 55)),
    ((300, 293, 334, 296, 336), (276, 283, 282, 295, 285)),
)
#: So far from the lips is next to them, and so softly it ends, texture pixels.
NEXT_PX, NEXT_SOFT_PX = 7, 4.0
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
    return _small(drawn)


@lru_cache(maxsize=4)
def outlines(frame: Frame) -> Floats:
    """What a faint school is drawn besides: lips, wings of the nose, nostrils. (256, 256) float32,
    0 to 1; how much darker each place is where the school is as faint as can be."""
    side = TEXTURE_PX * FINER
    uv = np.round((frame.mean[:, :2] + 1) / 2 * side).astype(np.int32)
    lips, nose = np.zeros((side, side), np.uint8), np.zeros((side, side), np.uint8)
    wide = round(OUTLINE_PX * FINER)
    cv2.polylines(lips, [uv[list(OUTER_LIPS)]], True, (255,), wide, cv2.LINE_AA)
    cv2.polylines(nose, [uv[list(NOSTRILS)]], False, (255,), wide, cv2.LINE_AA)
    return np.asarray(np.maximum(LIPS_OUTLINED * _small(lips), NOSTRILS_OUTLINED * _small(nose)))


@lru_cache(maxsize=4)
def contours(frame: Frame) -> Floats:
    """How much darker a faint school's brows and the rim of its faces are: (256, 256) float32, 0
    to 1, where the school is as faint as can be. By them people are told apart."""
    uv = (frame.mean[:, :2] + 1) / 2 * (TEXTURE_PX * FINER)
    brows = [(uv[list(upper)] + uv[list(lower)]) / 2 for upper, lower in BROWS]
    brow = _stroke(brows, False, BROWS_PX, BROWS_SOFT_PX)
    rim = _stroke([uv[frame.oval]], True, RIM_PX, RIM_SOFT_PX)
    return np.asarray(1 - (1 - BROWS_DARK * brow) * (1 - RIM_DARK * rim), np.float32)


def mouth(frame: Frame) -> Floats:
    """What moves as one speaks: the lips and what is next to them. (256, 256) float32, 0 to 1"""
    uv = np.round((frame.mean[:, :2] + 1) / 2 * TEXTURE_PX).astype(np.int32)
    lips = np.zeros((TEXTURE_PX, TEXTURE_PX), np.float32)
    cv2.fillPoly(lips, [uv[list(OUTER_LIPS)]], (1.0,))
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * NEXT_PX + 1, 2 * NEXT_PX + 1))
    return np.asarray(cv2.GaussianBlur(cv2.dilate(lips, disc), (0, 0), NEXT_SOFT_PX), np.float32)


def drawn(frame: Frame, strength: float) -> Floats:
    """What the colours of a texture are multiplied by where its lines have some strength:
    (256, 256) float32, 0 to 1."""
    ink = (1 - strength * lines(frame)) * (1 - faintness(strength) * outlines(frame))
    return np.asarray(ink, np.float32)


def faintness(strength: float) -> float:
    """How faint a school's features are that is given lines of such a strength: 0 to 1."""
    return min(1.0, max(0.0, (strength - CLEAR) / (FAINT - CLEAR)))


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


def _stroke(lines: Sequence[Floats], closed: bool, wide_px: float, soft_px: float) -> Floats:
    """Lines in finely drawn pixels, (N, 2) each: (256, 256) float32, 1 where it is darkest."""
    large = np.zeros((TEXTURE_PX * FINER,) * 2, np.uint8)
    whole = [np.round(line).astype(np.int32) for line in lines]
    cv2.polylines(large, whole, closed, (255,), round(wide_px * FINER), cv2.LINE_AA)
    small = cv2.resize(large, (TEXTURE_PX, TEXTURE_PX), interpolation=cv2.INTER_AREA)
    soft = cv2.GaussianBlur(small.astype(np.float32), (0, 0), soft_px)
    return np.asarray(soft / soft.max(), np.float32)


def _small(large: Bytes) -> Floats:
    """Softened, and at the texture's own size: uint8 -> (256, 256) float32, 0 to 1."""
    soft = cv2.GaussianBlur(large, (0, 0), SOFT_PX * FINER)
    small = cv2.resize(soft, (TEXTURE_PX, TEXTURE_PX), interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.float32) / np.float32(255)


def _pixel(place: Floats) -> tuple[int, int]:
    x, y = np.round(place).astype(int).tolist()
    return x, y
