"""The lens: corners of a flat board as a camera sees them come in, how it bends them goes out.

A board on a screen is flat, so one picture of it from anywhere is a homography, and what is left
over is the lens. Both are fitted at once. Pure numpy and scipy, any thread.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import least_squares

from mirror.site.keystone import Doubles, homography, project


@dataclass(frozen=True)
class Lens:
    """Radial distortion about the middle of the picture: a place at the radius r of half diagonals
    is seen at r (1 + k1 r^2 + k2 r^4) (Brown, Close-Range Camera Calibration, 1971).

    size: of the picture, (W, H) pixels.
    """

    size: tuple[int, int]
    k1: float = 0.0
    k2: float = 0.0

    def bend(self, places: Doubles) -> Doubles:
        """Where the lens shows places of a picture without one: (N, 2) pixels -> (N, 2)."""
        middle, half = self._frame
        away = (np.asarray(places, np.float64) - middle) / half
        squared = (away * away).sum(axis=1, keepdims=True)
        bent = away * (1 + squared * (self.k1 + squared * self.k2))
        return np.asarray(middle + half * bent)

    def straighten(self, places: Doubles) -> Doubles:
        """The way back: (N, 2) pixels -> (N, 2), to a thousandth of a pixel.

        Newton's method on the radius; beyond where the lens folds, the nearest it can.
        """
        middle, half = self._frame
        away = (np.asarray(places, np.float64) - middle) / half
        seen = np.linalg.norm(away, axis=1, keepdims=True)
        radius = seen.copy()
        for _ in range(12):
            s = radius * radius
            slope = np.maximum(1 + s * (3 * self.k1 + 5 * s * self.k2), 0.1)
            radius = np.clip(
                radius - (radius * (1 + s * (self.k1 + s * self.k2)) - seen) / slope, 0, 3
            )
        return np.asarray(middle + half * away * radius / np.maximum(seen, 1e-12))

    @property
    def _frame(self) -> tuple[Doubles, float]:
        size = np.array(self.size, np.float64)
        return size / 2, float(np.hypot(*size)) / 2


@dataclass(frozen=True)
class View:
    """How a camera sees a screen.

    matrix: (3, 3), from pixels of the screen to pixels of a picture without a lens. lens: what
    bends them. residual_px: root of the mean square of what neither explains.
    """

    matrix: Doubles
    lens: Lens
    residual_px: float


def fit_view(screen: Doubles, camera: Doubles, size: tuple[int, int]) -> View:
    """The view that explains corners best, both (N, 2) pixels, N at least 8.

    size: of the camera's picture. A corner that is far off hardly counts. Raises SettingsError
    when the corners determine nothing.
    """
    begin = homography(screen, camera)

    def model(numbers: Doubles) -> tuple[Doubles, Lens]:
        matrix = np.append(numbers[:8] * scale, begin[2, 2]).reshape(3, 3)  # (3, 3)
        return matrix, Lens(size, *numbers[8:])

    def off(numbers: Doubles) -> Doubles:
        matrix, lens = model(numbers)
        return np.asarray((lens.bend(project(matrix, screen)) - camera).ravel())

    scale = np.maximum(np.abs(begin.ravel()[:8]), 1e-6)
    first = np.append(begin.ravel()[:8] / scale, (0.0, 0.0))  # (10,)
    found = least_squares(off, first, loss="soft_l1", f_scale=0.5, x_scale="jac")
    matrix, lens = model(found.x)
    left = off(found.x).reshape(-1, 2)
    return View(matrix, lens, float(np.sqrt((left**2).sum(axis=1).mean())))
