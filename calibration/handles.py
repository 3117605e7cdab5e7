"""Handles: corners of the picture and of the mask that a technician pulls where they belong.

In: what a hand did with mouse and keys. Out: the settings of the screen that follow, and what to
draw over the test pattern. Pure, and knows nothing of windows; called by ``calibrate screen``.
"""

from __future__ import annotations

import dataclasses
import math

import cv2
import numpy as np

from mirror.screen.touches import Touch
from mirror.settings import STRAIGHT, Points, ScreenSettings
from mirror.signals import Bytes
from mirror.site.keystone import CORNERS, as_points, convex, homography, project

#: How near the mouse must be to a handle, as a share of the shorter side of the screen.
NEAR = 0.06
MOST_HANDLES, MOST_MASK = 16, 64
STEPS = {"left": (-1, 0), "right": (1, 0), "up": (0, -1), "down": (0, 1)}
WARM, COLD, INK = (242, 178, 64), (96, 190, 230), (235, 233, 225)

HELP = (
    "corners: drag, or Tab and arrows (Shift: ten pixels)",
    "c: one more handle   r: turn   i: straight again   m: mask",
    "Enter: save   Esc: leave as it was",
)
HELP_MASK = (
    "mask: click sets a corner, drag or arrows move it",
    "Backspace: one corner less   m: back to the picture",
    "Enter: save   Esc: leave as it was",
)


class Handles:
    """The technician's hand on one screen. ended: 'save' or 'leave' once one was asked for."""

    def __init__(self, settings: ScreenSettings, size: tuple[int, int]) -> None:
        """size: of the screen, (W, H) pixels."""
        self._settings, self._size = settings, np.array(size, np.float64)
        self._straight: list[tuple[float, float]] = list(STRAIGHT)  # in the picture before turning
        self._pulled: list[tuple[float, float]] = list(settings.keystone)  # on the screen
        self._mask: list[tuple[float, float]] = list(settings.mask)
        self._masking = self._held = False
        self._chosen = 0
        self.ended = ""

    @property
    def size(self) -> tuple[int, int]:
        """Of the screen, pixels."""
        return int(self._size[0]), int(self._size[1])

    @property
    def settings(self) -> ScreenSettings:
        """The settings as they follow from the handles."""
        mask = tuple(self._mask) if len(self._mask) >= 3 else ()
        return dataclasses.replace(self._settings, keystone=self._keystone(), mask=mask)

    @property
    def residual_px(self) -> float:
        """How far the handle that fits worst is from where the picture has it, pixels."""
        matrix = homography(self._straight, self._pulled)
        off = (project(matrix, self._straight) - self._pulled) * self._size
        return float(np.linalg.norm(off, axis=1).max())

    def take(self, touch: Touch) -> None:
        """What follows from one touch; one that would tear the picture changes nothing."""
        before = list(self._pulled)
        if touch.kind == "key":
            self._key(touch)
        elif touch.kind == "press":
            self._press(self._place(touch))
        elif touch.kind == "release":
            self._held = False
        elif self._held:
            self._move_to(self._place(touch))
        if not convex(self._keystone()):
            self._pulled = before

    def _keystone(self) -> Points:
        if len(self._pulled) == 4:
            return as_points(self._pulled)
        return as_points(project(homography(self._straight, self._pulled), CORNERS))

    def _place(self, touch: Touch) -> tuple[float, float]:
        return touch.x / float(self._size[0]), touch.y / float(self._size[1])

    def _all(self) -> list[tuple[float, float]]:
        return self._mask if self._masking else self._pulled

    def _press(self, place: tuple[float, float]) -> None:
        """Take hold of the nearest handle; a mask gets a new corner where there is none."""
        short = float(self._size.min())
        away = [math.dist(self._size * place, self._size * each) / short for each in self._all()]
        if away and min(away) <= NEAR:
            self._chosen = away.index(min(away))
        elif self._masking and len(self._mask) < MOST_MASK:
            self._chosen = self._new_corner(place)
        else:
            return
        self._held = True
        self._move_to(place)

    def _new_corner(self, place: tuple[float, float]) -> int:
        """A corner of the mask, in the edge that it lengthens least; where it stands."""
        count = len(self._mask)
        longer = [
            math.dist(self._mask[n], place) + math.dist(place, self._mask[(n + 1) % count])
            - math.dist(self._mask[n], self._mask[(n + 1) % count])
            for n in range(count)
        ]  # fmt: skip
        at = longer.index(min(longer)) + 1 if count >= 3 else count
        self._mask.insert(at, place)
        return at

    def _move_to(self, place: tuple[float, float]) -> None:
        x, y = (min(1.0, max(0.0, share)) for share in place)
        self._all()[self._chosen] = x, y

    def _key(self, touch: Touch) -> None:
        key, handles = touch.key, self._all()
        if key in ("enter", "escape"):
            self.ended = "save" if key == "enter" else "leave"
        elif key in STEPS and handles:
            step = np.array(STEPS[key]) * (10 if touch.shift else 1) / self._size
            x, y = handles[self._chosen]
            self._move_to((x + step[0], y + step[1]))
        elif key == "tab" and handles:
            self._chosen = (self._chosen + (-1 if touch.shift else 1)) % len(handles)
        elif key == "m":
            self._masking, self._chosen = not self._masking, 0
        elif key == "backspace" and self._masking and self._mask:
            self._mask.pop(self._chosen)
            self._chosen = max(0, self._chosen - 1)
        elif not self._masking:
            self._picture_key(touch)

    def _picture_key(self, touch: Touch) -> None:
        if touch.key == "r":
            turn_deg = (self._settings.turn_deg + 90) % 360
            self._settings = dataclasses.replace(self._settings, turn_deg=turn_deg)
        elif touch.key == "i":
            self._straight, self._pulled, self._chosen = list(STRAIGHT), list(STRAIGHT), 0
        elif touch.key == "c" and len(self._pulled) < MOST_HANDLES:
            place = self._place(touch)
            matrix = homography(self._straight, self._pulled)
            straight = project(np.linalg.inv(matrix), [place])[0]
            self._straight.append((float(straight[0]), float(straight[1])))
            self._pulled.append(place)
            self._chosen = len(self._pulled) - 1

    def draw(self) -> Bytes:
        """What lies over the test pattern: handles and help, (H, W, 4) uint8, straight alpha."""
        width, height = (int(side) for side in self._size)
        drawn = np.zeros((height, width, 4), np.uint8)
        unit = max(1.0, min(width, height) / 360)
        if self._mask:
            places = np.round(np.array(self._mask) * self._size).astype(np.int32)
            cv2.polylines(drawn, [places], len(self._mask) > 2, (*COLD, 255), 1, cv2.LINE_AA)
        for number, (x, y) in enumerate(self._all()):
            middle, ink = (round(x * width), round(y * height)), COLD if self._masking else WARM
            chosen = number == self._chosen
            cv2.circle(drawn, middle, round(9 * unit), (0, 0, 0, 160), -1, cv2.LINE_AA)
            cv2.circle(
                drawn, middle, round(7 * unit), (*ink, 255), -1 if chosen else 2, cv2.LINE_AA
            )
            dot = (0, 0, 0, 255) if chosen else (*ink, 255)
            cv2.circle(drawn, middle, max(1, round(unit)), dot, -1, cv2.LINE_AA)
        self._write(drawn, unit)
        return drawn

    def _write(self, drawn: Bytes, unit: float) -> None:
        """The help, under the middle of the picture."""
        lines = HELP_MASK if self._masking else HELP
        face, scale = cv2.FONT_HERSHEY_SIMPLEX, 0.34 * unit
        step = round(14 * unit)
        wide = max(cv2.getTextSize(line, face, scale, 1)[0][0] for line in lines)
        x, y = np.mean(self._keystone(), axis=0) * self._size
        left, top = round(x - wide / 2), round(y + 0.24 * drawn.shape[0])
        high = step * len(lines) + step // 2
        cv2.rectangle(
            drawn, (left - step, top), (left + wide + step, top + high), (0, 0, 0, 190), -1
        )
        for row, line in enumerate(lines, 1):
            place = left, top + step * row
            cv2.putText(drawn, line, place, face, scale, (*INK, 255), 1, cv2.LINE_AA)
