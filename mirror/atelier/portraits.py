"""A folder of ordinary pictures becomes a set of portraits that a school can be trained on.

In: a folder. Out: portraits with their markers and person mattes, and how many pictures were
left out and why. The atelier's thread.
"""

from __future__ import annotations

import csv
import logging
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from mirror.errors import PortraitsError
from mirror.markers.markers import find_faces, matte
from mirror.signals import Bytes, Floats

log = logging.getLogger(__name__)

PICTURES = (".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff", ".bmp")
#: A crop is a square of so many heights of the face mesh, its middle a little above the face's.
CROP_HEIGHTS, CROP_RISE = 2.6, 0.12
CROP_PX = 448
#: A face mesh lower than this is too coarse to train on, in pixels.
LEAST_FACE_PX = 56
#: The detector may be less sure of a painting than of a photograph.
CONFIDENCE = 0.3


@dataclass(frozen=True)
class Portrait:
    """One usable portrait.

    name: file name. picture: (S, S, 3) uint8 RGB. markers: (478, 3) float32 image-normalised.
    matte: (S, S) float32 0 to 1, what is person. source: collection, for the card.
    """

    name: str
    picture: Bytes
    markers: Floats
    matte: Floats
    source: str = ""


@dataclass
class Gathering:
    """The portraits of a school, and the count of pictures left out, by reason."""

    portraits: list[Portrait] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)


def gather(folder: Path, tick: Callable[[], None] = lambda: None) -> Gathering:
    """Read every picture of a folder; raises PortraitsError when none is usable."""
    names = picture_files(folder)
    sources = read_sources(folder)
    gathering = Gathering()
    for path in names:
        reason_or_portrait = prepare(path, sources.get(path.name, ""))
        if isinstance(reason_or_portrait, Portrait):
            gathering.portraits.append(reason_or_portrait)
        else:
            gathering.left_out[reason_or_portrait] += 1
            log.info("%s left out: %s", path.name, reason_or_portrait)
        tick()
    if not gathering.portraits:
        raise PortraitsError(
            str(folder), f"none of {len(names)} pictures is usable ({dict(gathering.left_out)})",
            f"faces at least {LEAST_FACE_PX} pixels high", "larger pictures, seen from the front",
        )  # fmt: skip
    return gathering


def picture_files(folder: Path) -> list[Path]:
    """The pictures of a folder, by name; raises PortraitsError when there are none."""
    if not folder.is_dir():
        raise PortraitsError(str(folder), "no such folder", "a folder of pictures", "--images DIR")
    names = sorted(p for p in folder.iterdir() if p.suffix.lower() in PICTURES)
    if not names:
        raise PortraitsError(str(folder), "no pictures", " ".join(PICTURES), "--images DIR")
    return names


def read_sources(folder: Path) -> dict[str, str]:
    """File name -> source collection, from a portraits.csv beside or above the folder."""
    for table in (folder / "portraits.csv", folder.parent / "portraits.csv"):
        if table.is_file():
            with table.open(newline="", encoding="utf-8") as lines:
                rows = csv.DictReader(lines)
                return {Path(r.get("file", "")).name: r.get("source", "") for r in rows}
    return {}


def prepare(path: Path, source: str = "") -> Portrait | str:
    """One portrait, or in a few words why it is not usable."""
    stored: Any = cv2.imread(str(path), cv2.IMREAD_COLOR)  # None when it is no picture
    if stored is None:
        return "not a picture"
    picture = np.ascontiguousarray(stored[:, :, ::-1])
    faces = find_faces(picture, faces=4, confidence=CONFIDENCE)
    if not faces:
        return "no face found"
    markers = max(faces, key=lambda face: float(np.ptp(face[:, 1])))
    if np.ptp(markers[:, 1]) * picture.shape[0] < LEAST_FACE_PX:
        return "face too small"
    square = crop(picture, markers)
    again = find_faces(square, faces=1, confidence=CONFIDENCE)
    if not again:
        return "face lost in the crop"
    return Portrait(path.name, square, again[0], matte(square), source)


def crop(picture: Bytes, markers: Floats) -> Bytes:
    """The square around a face, its border repeated where the picture ends.  (448, 448, 3)"""
    height, width = picture.shape[:2]
    points = markers[:, :2] * (width, height)
    low, high = points.min(axis=0), points.max(axis=0)
    tall = float(high[1] - low[1])
    centre = (low + high) / 2 - (0.0, CROP_RISE * tall)
    scale = CROP_PX / (CROP_HEIGHTS * tall)
    shift = CROP_PX / 2 - scale * centre
    move = np.array([[scale, 0, shift[0]], [0, scale, shift[1]]], np.float32)
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    if scale < 0.5:  # warpAffine does not average: shrink first, or the picture aliases
        shrunk = cv2.resize(picture, None, fx=2 * scale, fy=2 * scale, interpolation=way)
        picture = np.asarray(shrunk, np.uint8)
        move[:, :2] /= 2 * scale
    square = cv2.warpAffine(
        picture, move, (CROP_PX, CROP_PX), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(square, np.uint8)
