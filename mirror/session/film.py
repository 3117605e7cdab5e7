"""Draws a recording as a film: its pictures, where it has them, or else the markers as a mesh.

In: a session and a new .mp4's name. Out: the film, in the session's own time. It shows what the
camera's stage handed on, not the piece: for that there is ``mirror replay --film``. Any thread.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt

from mirror.canonical import load_frame
from mirror.errors import SessionError
from mirror.session.read import Session
from mirror.signals import Bytes, Sitters

HEIGHT_PX = 540
GROUND, LINE = 18, (150, 190, 170)
_SHIFT = 4  # OpenCV draws on sixteenths of a pixel

Edges = npt.NDArray[np.int32]


def film(session: Session, out: Path) -> int:
    """Write the film; returns the number of its pictures. Raises SessionError or SettingsError."""
    from mirror.film import Film  # noqa: PLC0415  PyAV is slow to import and seldom needed

    if out.exists():
        raise SessionError(str(out), "exists already", "a new file")
    count = 0
    with Film(out) as made:
        for time_s, picture in pictures(session):
            made.add(picture, time_s)
            count += 1
    if not count:
        raise SessionError(str(session.path), "nothing in it to be drawn", "a moment or a picture")
    return count


def pictures(session: Session) -> Iterator[tuple[float, Bytes]]:
    """Times and pictures, (H, W, 3) uint8 RGB."""
    if session.header.pictures:
        for frame in session.pictures():
            yield frame.time_s, frame.picture
        return
    edges, aspect = surface_edges(), 0.0
    for sitters in session.sitters():
        for sitter in sitters.sitters:
            aspect = aspect or sitter.aspect  # all pictures of a film have one size
        yield sitters.time_s, draw(sitters, edges, aspect or 16 / 9)


def surface_edges() -> Edges:
    """The edges of the face's surface, each once: (E, 2) int32 numbers of markers."""
    surface = load_frame().surface
    sides = np.concatenate([surface[:, [0, 1]], surface[:, [1, 2]], surface[:, [2, 0]]])
    return np.unique(np.sort(sides, axis=1), axis=0).astype(np.int32)


def draw(sitters: Sitters, edges: Edges, aspect: float) -> Bytes:
    """Every sitter's mesh on a dark ground.  -> (540, W, 3) uint8 RGB"""
    import cv2  # noqa: PLC0415  only films need it

    width_px = 2 * round(HEIGHT_PX * min(max(aspect, 0.2), 5.0) / 2)
    picture = np.full((HEIGHT_PX, width_px, 3), GROUND, np.uint8)
    for sitter in sitters.sitters:
        points = np.nan_to_num(sitter.markers[:, :2]).clip(-4, 5) * [width_px, HEIGHT_PX]
        ends = np.round(points * (1 << _SHIFT)).astype(np.int32)[edges]  # (E, 2, 2)
        cv2.polylines(picture, list(ends), False, LINE, 1, cv2.LINE_AA, _SHIFT)
    return picture
