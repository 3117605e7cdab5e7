"""Noise and varnish: pictures that the water and the finish are made with, computed at the start.

Pure numpy and OpenCV; any thread.
"""

from __future__ import annotations

import cv2
import numpy as np

from mirror.screen.placing import Placing
from mirror.signals import Bytes, Floats

TILE = 256


def clouds(seed: int = 11) -> Bytes:
    """Tiling noise, (256, 256, 4) uint8: two soft clouds, streaks along x, grain."""
    noise = np.random.default_rng(seed)
    layers = [field(noise, 2.6), field(noise, 2.6), field(noise, 2.0, stretch=7.0)]
    layers.append(0.75 * field(noise, 0.0) - 0.25 * field(noise, 1.0))
    return np.stack([_to_bytes(layer) for layer in layers], axis=-1)  # (256, 256, 4)


def field(
    noise: np.random.Generator, slope: float, stretch: float = 1.0, side: int = TILE
) -> Floats:
    """Tiling noise whose power falls as 1 / f**slope; mean 0, deviation 1.  (side, side)

    stretch: how many times longer than high its forms are.
    """
    f = np.hypot(np.fft.fftfreq(side)[None] * stretch, np.fft.fftfreq(side)[:, None])
    f[0, 0] = np.inf
    spectrum = np.fft.fft2(noise.standard_normal((side, side))) / f ** (slope / 2)
    found = np.fft.ifft2(spectrum).real
    return np.asarray(found / found.std(), np.float32)


def varnish(placing: Placing, seed: int = 5) -> Bytes:
    """What lies over the whole screen, (H, W, 3) uint8.

    First the weave of the canvas with fine cracks, about 128; then the light, which falls off
    gently towards the rim of the picture; last, how much of a pixel may be lit at all.
    """
    size = width, height = placing.size
    noise = np.random.default_rng(seed)
    y, x = np.mgrid[:height, :width].astype(np.float32)
    thread = 2.6 * max(1.0, height / 720)
    weave = np.sin(x * (2 * np.pi / thread)) * np.sin(y * (2 * np.pi / thread))
    tile = field(noise, 1.2)
    rough = np.tile(tile, (height // TILE + 1, width // TILE + 1))[:height, :width]
    surface = 128 + 9 * weave + 12 * rough - 34 * _cracks(size, noise)
    u, v = _on_picture(placing, x / width, y / height)
    light = 1 - 0.26 * np.clip(0.42 * u * u + 0.58 * v * v, 0, 1) ** 1.4
    lit = np.full((height, width), 255, np.uint8) if placing.light is None else placing.light
    return np.stack([_clip(surface), _clip(255 * light), lit], axis=-1)  # (H, W, 3)


def _on_picture(placing: Placing, x: Floats, y: Floats) -> tuple[Floats, Floats]:
    """Places on the screen as places in the picture, -1 to 1 from rim to rim."""
    if placing.straight:
        return x * 2 - 1, y * 2 - 1
    rays = [row[0] * x + row[1] * y + row[2] for row in placing.site.astype(np.float32)]
    return rays[0] / rays[2] * 2 - 1, rays[1] / rays[2] * 2 - 1


def _cracks(size: tuple[int, int], noise: np.random.Generator) -> Floats:
    """Craquelure: borders between the cells of scattered points, 0 to 1, finer here, gone there."""
    width, height = size
    scale = max(1.0, height / 540)  # drawn small and enlarged, so that 4K starts as fast
    w, h = max(8, int(width / scale)), max(8, int(height / scale))
    cells = np.full((h, w), 255, np.uint8)
    count = max(12, w * h // 420)
    cells[noise.integers(0, h, count), noise.integers(0, w, count)] = 0
    _, labels = cv2.distanceTransformWithLabels(
        cells, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )  # fmt: skip
    edge = (labels != np.roll(labels, 1, 0)) | (labels != np.roll(labels, 1, 1))
    tile = field(noise, 3.0)
    presence = np.clip(cv2.resize(tile, (w, h), interpolation=cv2.INTER_CUBIC) * 0.7 - 0.2, 0, 1)
    return np.asarray(
        cv2.resize(edge.astype(np.float32) * presence, size, interpolation=cv2.INTER_LINEAR)
    )


def _to_bytes(layer: Floats) -> Bytes:
    """Deviation 1 becomes 48 of 255, about 128."""
    return _clip(128 + 48 * layer)


def _clip(values: Floats) -> Bytes:
    return np.clip(values + 0.5, 0, 255).astype(np.uint8)
