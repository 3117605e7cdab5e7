"""A face looked at as light falls on it: pictures with markers come in, ``Sight``s go out.

A picture is measured and dropped. What stays of it are a few numbers and the markers, and those
only until the step is over: nothing of a person is written anywhere. Called by the light step,
from the thread that reads the markers.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from mirror.markers.markers import FaceReader
from mirror.markers.one_euro import Doubles
from mirror.settings import MarkerSettings
from mirror.signals import Bytes, Floats, Frame

#: Brightness from which a pixel holds no drawing any more, and under which it is black.
CLIPPED, BLACK = 250, 6
#: Skin is measured between these markers: the face's outline, without hair and neck.
OVAL = (
    10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377, 152,
    148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109,
)  # fmt: skip
#: Forehead and chin: the line that parts the left half of a face from the right one.
FOREHEAD, CHIN = 10, 152
#: Faces are measured at no more than this height.
LOOK_PX = 160
#: What is round a face, out to so many face heights, is what it stands before.
AROUND = 1.0


@dataclass(frozen=True)
class Sight:
    """A face in one picture.

    time_s: of the picture. markers: (478, 2) float64, picture pixels. height_px: of the face, its
    longer side. brightness, low, high: median, 5 % and 95 % of the skin, 0 to 255. clipped: share
    of it without drawing. left, right: mean of its halves, left and right in the picture.
    around: median brightness of what is round it. faces: how many there are. cut: part of the
    face is beyond the picture's edge.
    """

    time_s: float
    markers: Doubles
    height_px: float
    brightness: float
    low: float
    high: float
    clipped: float
    left: float
    right: float
    around: float
    faces: int
    cut: bool


@dataclass(frozen=True)
class Room:
    """A picture as a whole: median brightness, 0 to 255, and shares of clipped and black pixels."""

    brightness: float
    clipped: float
    black: float


class Looker:
    """Reads the faces of pictures one after another. A context manager; ``close`` ends it.

    sights: of those in which a face was. rooms: of all pictures. first: which picture was the
    first with a face.
    """

    def __init__(self, settings: MarkerSettings) -> None:
        self._reader = FaceReader(settings)
        self.sights: list[Sight] = []
        self.rooms: list[Room] = []
        self.first = 0

    def __enter__(self) -> Looker:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Free the networks."""
        self._reader.close()

    @property
    def looked(self) -> int:
        """How many pictures were looked at."""
        return len(self.rooms)

    def look(self, frame: Frame) -> None:
        """Look at one more picture."""
        faces = self._reader.read(frame.picture)
        self.rooms.append(room_of(frame.picture))
        if faces:
            self.first = self.first if self.sights else len(self.rooms) - 1
            markers = max(faces, key=lambda face: float(np.ptp(face[:, 1])))
            self.sights.append(sight_of(frame.picture, markers, len(faces), frame.time_s))


def sight_of(picture: Bytes, markers: Floats, faces: int = 1, time_s: float = 0.0) -> Sight:
    """Measure the light on one face of a (H, W, 3) uint8 RGB picture.

    markers: (478, 3) float32, image-normalised, as ``FaceReader.read`` gives them.
    """
    height, width = picture.shape[:2]
    points = np.asarray(markers[:, :2], np.float64) * (width, height)  # (478, 2)
    low, high = points.min(axis=0), points.max(axis=0)
    size = float((high - low).max())
    cut = bool((low < 0).any() or (high > (width, height)).any())
    grey, shift, scale = _near(picture, low, high, size)
    outline = ((points[list(OVAL)] - shift) * scale).astype(np.int32)
    skin = np.zeros(grey.shape, np.uint8)
    cv2.fillPoly(skin, [outline], (255,))
    face, around = grey[skin > 0], grey[cv2.dilate(skin, np.ones((5, 5), np.uint8)) == 0]
    left = _left_of(grey.shape, (points[[FOREHEAD, CHIN]] - shift) * scale)
    if not len(face):
        face = around = grey.ravel()
    five, half, most = np.percentile(face, (5, 50, 95))
    return Sight(
        time_s, points, size, float(half), float(five), float(most),
        float((face >= CLIPPED).mean()), _mean(grey, (skin > 0) & left),
        _mean(grey, (skin > 0) & ~left), float(np.median(around)) if len(around) else float(half),
        faces, cut,
    )  # fmt: skip


def room_of(picture: Bytes) -> Room:
    """Measure a whole picture, every eighth pixel of it."""
    grey = cv2.cvtColor(np.ascontiguousarray(picture[::8, ::8]), cv2.COLOR_RGB2GRAY)
    clipped, black = float((grey >= CLIPPED).mean()), float((grey <= BLACK).mean())
    return Room(float(np.median(grey)), clipped, black)


def _near(
    picture: Bytes, low: Doubles, high: Doubles, size: float
) -> tuple[npt.NDArray[np.uint8], Doubles, float]:
    """The face and what is round it, in grey: pixels, where they begin, and their scale."""
    height, width = picture.shape[:2]
    first = np.clip(low - AROUND * size, 0, (width - 2, height - 2)).astype(int)
    last = np.clip(high + AROUND * size, first + 2, (width, height)).astype(int)
    part = picture[first[1] : last[1], first[0] : last[0]]
    scale = min(1.0, LOOK_PX / max(size, 1.0))
    if scale < 1.0:
        wide, tall = (max(2, round(n * scale)) for n in part.shape[1::-1])
        part = np.asarray(cv2.resize(part, (wide, tall), interpolation=cv2.INTER_AREA), np.uint8)
    grey = np.asarray(cv2.cvtColor(np.ascontiguousarray(part), cv2.COLOR_RGB2GRAY), np.uint8)
    return grey, first.astype(np.float64), scale


def _left_of(shape: tuple[int, ...], line: Doubles) -> npt.NDArray[np.bool_]:
    """Which pixels lie left of the line from forehead to chin: (H, W) bool."""
    (x0, y0), (x1, y1) = line
    y, x = np.mgrid[: shape[0], : shape[1]]
    return np.asarray((x - x0) * (y1 - y0) < (x1 - x0) * (y - y0))


def _mean(grey: npt.NDArray[np.uint8], where: npt.NDArray[np.bool_]) -> float:
    return float(grey[where].mean()) if where.any() else 0.0
