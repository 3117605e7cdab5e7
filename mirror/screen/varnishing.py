"""A painting made ready for the water, once, when it arrives, not at every pixel of every frame.

In: a texture as a model paints it (straight alpha). Out: the same with colours that agree with
its neighbours', an edge that dissolves like dry paint, light that ends before the paint does (a
bright ground behind a head would leave a halo), clothes as thin as a glaze where they are dark,
and the tooth of the canvas. Pure numpy and OpenCV; any thread.
"""

from __future__ import annotations

import cv2
import numpy as np

from mirror.canonical import Mesh
from mirror.screen.clouds import field
from mirror.signals import Bytes, Floats

SIDE = 256

#: What is soft is computed at this size and enlarged.
MASK = 128

#: What all schools lean towards, and how far: the chroma and the lightness of flesh by candle.
FLESH = np.array([1.0, 0.80, 0.64], np.float32)
LEAN = 0.38
LIGHT, LIGHT_LEAN = 0.44, 0.40

#: Hair within the first of these of a face is painted whole, however dark; beyond the second what
#: is dark is as thin as a glaze. In sides of the square.
HAIR = 0.08, 0.22

WEIGHTS = np.array([0.299, 0.587, 0.114], np.float32)


class Varnisher:
    """Keeps the pictures that every painting is made ready with."""

    def __init__(self, mesh: Mesh) -> None:
        noise = np.random.default_rng(7)
        fine, coarse = field(noise, 1.2, side=MASK), field(noise, 2.2, side=MASK)
        self._tooth = 1 + 0.03 * fine
        self._dissolve = np.clip(0.10 + 0.06 * coarse + 0.04 * fine, 0.0, 0.3)
        self._window = _window() / np.float32(255)
        self._face = draw_face(mesh)
        self._core = self._face > 0.95
        self._head = _around(self._face)

    def prepare(self, texture: Bytes, slot: int) -> Bytes:
        """(256, 256, 4) straight alpha -> premultiplied.

        slot: moves the tooth of the canvas, so that no two portraits share it.
        """
        half = np.asarray(cv2.resize(texture, (MASK, MASK), interpolation=cv2.INTER_AREA), np.uint8)
        gains = self._gains(half)
        light, alpha = self._masks(half, gains, slot)
        parts = np.dstack([light[:, :, None] * gains, alpha])  # (128, 128, 4)
        opaque = texture.copy()
        opaque[:, :, 3] = 255
        # OpenCV rounds and clips in the same go, ten times faster than numpy.
        return np.asarray(cv2.multiply(opaque, cv2.resize(parts, (SIDE, SIDE)), dtype=cv2.CV_8U))

    def _masks(self, half: Bytes, gains: Floats, slot: int) -> tuple[Floats, Floats]:
        """What colours are multiplied by, and alpha.  (128, 128) each"""
        shift = (slot * 19) % MASK, (slot * 53) % MASK
        edge = np.roll(self._dissolve, shift, axis=(0, 1))
        matte = half[:, :, 3] * self._window
        deep = cv2.GaussianBlur(
            cv2.resize(matte, (32, 32), interpolation=cv2.INTER_AREA), (0, 0), 1.1
        )
        rim = _ease(0.12, 0.90, np.asarray(cv2.resize(deep, (MASK, MASK)), np.float32))
        rim += (1 - rim) * self._face
        # A haze of half a matte is no paint: what is less than a third there goes altogether.
        alpha = _ease(0.0, 0.62, matte - edge - 0.12) * rim
        brightness = half[:, :, :3] @ (WEIGHTS * gains / 255)
        # Dark clothes and hair thin out into the water; the face stays whole.
        thin = np.clip(0.30 + 2.6 * brightness, 0, 1)
        alpha *= thin + (1 - thin) * self._head
        light = np.roll(self._tooth, shift, axis=(0, 1)) * np.clip(0.25 + 0.95 * rim, 0, 1) * alpha
        return light.astype(np.float32), alpha.astype(np.float32)

    def _gains(self, half: Bytes) -> Floats:
        """(3,): brings the face's mean colour part of the way to that of flesh by candle."""
        core = half[self._core, :3].astype(np.float32) / 255  # (N, 3)
        mean = core.mean(axis=0) + np.float32(1e-3)
        light = float(mean @ WEIGHTS)
        wanted = FLESH * (light / float(FLESH @ WEIGHTS))
        tint = (wanted / mean) ** LEAN
        gains = np.clip(tint * (LIGHT / light) ** LIGHT_LEAN, 0.6, 1.7)
        # No light may run into one channel's end before the others': it would change its hue.
        brightest = float(((mean + 1.8 * core.std(axis=0)) * gains).max())
        return np.asarray(gains * min(1.0, 0.95 / brightest), np.float32)


def draw_face(mesh: Mesh) -> Floats:
    """1 in the face, falling softly to 0 around its oval.  (128, 128) float32"""
    face = np.zeros((MASK, MASK), np.float32)
    outline = np.round(mesh.uv[mesh.frame.oval] * MASK * 16).astype(np.int32)
    cv2.fillPoly(face, [outline], (1.0,), shift=4)
    soft = cv2.GaussianBlur(cv2.dilate(face, np.ones((5, 5), np.uint8)), (0, 0), 3.5)
    return np.asarray(np.maximum(soft, face), np.float32)


def _around(face: Floats) -> Floats:
    """1 in the face and in the hair next to it, falling softly to 0 further out.  (128, 128)"""
    outside = np.where(face > 0.5, 0, 1).astype(np.uint8)
    away = cv2.distanceTransform(outside, cv2.DIST_L2, 5) / MASK
    return np.maximum(face, _ease(HAIR[1], HAIR[0], away))


def _window() -> Floats:
    """1 in the middle of the square, 0 at its border.  (128, 128)"""
    y, x = (np.mgrid[:MASK, :MASK].astype(np.float32) + 0.5) / MASK * 2 - 1
    sides, top, foot = _ease(1.0, 0.74, np.abs(x)), _ease(-1.0, -0.80, y), _ease(0.98, 0.42, y)
    return np.asarray(sides * top * foot, np.float32)


def _ease(zero: float, one: float, value: Floats) -> Floats:
    part = np.clip((value - zero) / (one - zero), 0, 1)
    return (part * part * (3 - 2 * part)).astype(np.float32)
