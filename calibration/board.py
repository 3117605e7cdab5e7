"""Codes that a camera can read: the chessboard on the screen, the marks on the wall, the flashes.

In: sizes and the camera's pictures. Out: pictures to show or to print, and where in the camera's
picture each place of them is seen. OpenCV's ChArUco boards; pure, any thread.

Pixels count from the corner of the first one, not from its middle: a picture of W pixels reaches
from 0 to W.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from mirror.signals import Bytes
from mirror.site.keystone import Doubles

#: Squares along the shorter side of the screen: fewer are seen from afar, more measure finer.
SHORT_SIDE = 9
#: Places at which it is shown in turn; one more has codes of its own, to look at what was laid.
PLACES, LAID = 4, 4
#: Most squares in a row: there are 1000 codes in all.
MOST_SQUARES = 36
#: How bright the white of a board is: full white on a dark wall blinds most cameras.
WHITE = 190
#: Fewer corners than this say too little about a lens.
LEAST = 12
#: The marks on the wall, from the top left clockwise, and how they are told from the board.
MARKS = 4
#: How many flashes can be told apart.
FLASHES = 1000


@dataclass(frozen=True)
class Seen:
    """Corners found: where they are on the screen and in the camera's picture, (N, 2) pixels."""

    screen: Doubles
    camera: Doubles
    mirrored: bool


class Board:
    """A chessboard with codes that covers a screen and is cut off at its rim.

    Shown at four places, half a square apart, it has four times the corners, each with another
    error of the pixels that it falls on.
    """

    def __init__(self, screen: tuple[int, int], place: int = 0) -> None:
        """screen: (W, H) pixels. place: 0 to PLACES - 1, or LAID."""
        self.side_px = side = max(8, min(screen) // SHORT_SIDE, max(screen) // (MOST_SQUARES - 2))
        across, down = (min(length // side + 2, MOST_SQUARES) for length in screen)
        codes = across * down // 2
        self._board = cv2.aruco.CharucoBoard(
            (across, down), 1.0, 0.75, cv2.aruco.getPredefinedDictionary(cv2.aruco.DICT_4X4_1000),
            np.arange(codes) + codes * place,  # so that a late picture is not mistaken
        )  # fmt: skip
        self._screen = screen
        self._left_px, self._top_px = (
            -side // 4 - side // 2 * step for step in (place % 2, place // 2 % 2)
        )
        parameters = cv2.aruco.DetectorParameters()
        parameters.cornerRefinementMethod = cv2.aruco.CORNER_REFINE_SUBPIX
        self._detector = cv2.aruco.CharucoDetector(self._board, detectorParams=parameters)

    def draw(self, white: int = WHITE) -> Bytes:
        """The picture for the screen, (H, W, 3) uint8; white: how bright, of 255."""
        across, down = self._board.getChessboardSize()
        drawn = self._board.generateImage((across * self.side_px, down * self.side_px))
        drawn = drawn[-self._top_px :, -self._left_px :][: self._screen[1], : self._screen[0]]
        rest = [(0, whole - part) for whole, part in zip(self._screen[::-1], drawn.shape)]
        whole = np.pad(drawn, [(a, max(0, b)) for a, b in rest], constant_values=255)
        return np.repeat((whole // 255 * white)[:, :, None], 3, axis=2).astype(np.uint8)

    def find(self, picture: Bytes) -> Seen | None:
        """Where the corners are seen in a camera's picture, (H, W, 3) uint8 RGB; None if hardly.

        A picture that shows the board swapped left to right, as in a mirror, is read too.
        """
        grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
        for mirrored in (False, True):
            looked = np.ascontiguousarray(grey[:, ::-1]) if mirrored else grey
            places, numbers, _, _ = self._detector.detectBoard(looked)
            if numbers is None or len(numbers) < LEAST:
                continue
            camera = places.reshape(-1, 2).astype(np.float64)  # (N, 2), counted from corners
            if mirrored:
                camera[:, 0] = grey.shape[1] - camera[:, 0]
            return Seen(self._places(numbers.ravel()), camera, mirrored)
        return None

    def _places(self, numbers: Any) -> Doubles:
        squares = np.array(self._board.getChessboardCorners(), np.float64)[numbers, :2]  # (N, 2)
        return np.asarray(squares * self.side_px + (self._left_px, self._top_px))


def draw_marks(dots_per_inch: int = 150) -> Bytes:
    """The four marks for the wall on a sheet of A4, to be cut out.  (H, W) uint8"""
    inch = dots_per_inch / 25.4
    sheet = np.full((round(297 * inch), round(210 * inch)), 255, np.uint8)
    side = round(80 * inch)
    for number in range(MARKS):
        mark = cv2.aruco.generateImageMarker(_marks(), number, side)
        left = round((15 if number in (0, 3) else 115) * inch)
        top = round((30 if number < 2 else 150) * inch)
        sheet[top : top + side, left : left + side] = mark
        word = ("1 top left", "2 top right", "3 bottom right", "4 bottom left")[number]
        place = left, top - round(5 * inch)
        cv2.putText(sheet, word, place, cv2.FONT_HERSHEY_SIMPLEX, inch / 6, (0,), 2, cv2.LINE_AA)
    return sheet


def find_marks(picture: Bytes) -> Doubles | None:
    """The outer corners of the four marks on the wall, from the top left clockwise: (4, 2).

    None unless each is seen once. The outer corner of the first mark is its own top left one.
    """
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    corners, numbers, _ = cv2.aruco.ArucoDetector(_marks()).detectMarkers(grey)
    if numbers is None or sorted(numbers.ravel()) != list(range(MARKS)):
        return None
    found = {int(n): mark.reshape(4, 2)[int(n)] for n, mark in zip(numbers.ravel(), corners)}
    rough = np.array([found[n] for n in range(MARKS)], np.float32).reshape(-1, 1, 2)
    until = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 40, 1e-3)
    fine = cv2.cornerSubPix(grey, np.ascontiguousarray(rough), (3, 3), (-1, -1), until)
    return np.asarray(fine.reshape(MARKS, 2), np.float64) + 0.5


def draw_flash(screen: tuple[int, int], number: int, white: int = WHITE) -> Bytes:
    """One code that fills most of the screen, (H, W, 3) uint8; number: 0 to FLASHES - 1.

    Every code is about as bright as the next: nothing flickers, only the pattern changes.
    """
    side = int(min(screen) * 0.8)
    drawn = np.full((screen[1], screen[0]), white, np.uint8)
    mark = cv2.aruco.generateImageMarker(_flashes(), number, side)
    left, top = (screen[0] - side) // 2, (screen[1] - side) // 2
    drawn[top : top + side, left : left + side] = mark // 255 * white
    return np.repeat(drawn[:, :, None], 3, axis=2)  # (H, W, 3)


def find_flash(picture: Bytes) -> int | None:
    """The number of the code in a camera's picture, (H, W, 3) uint8 RGB; None if it shows none."""
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    for looked in (grey, np.ascontiguousarray(grey[:, ::-1])):
        _, numbers, _ = cv2.aruco.ArucoDetector(_flashes()).detectMarkers(looked)
        if numbers is not None and len(numbers) == 1:
            return int(numbers[0, 0])
    return None


@functools.lru_cache(maxsize=1)
def _marks() -> cv2.aruco.Dictionary:
    return cv2.aruco.getPredefinedDictionary(cv2.aruco.DICT_6X6_50)


@functools.lru_cache(maxsize=1)
def _flashes() -> cv2.aruco.Dictionary:
    return cv2.aruco.getPredefinedDictionary(cv2.aruco.DICT_5X5_1000)
