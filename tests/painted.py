"""A face painted by a few lines of OpenCV, for tests that must not change with the models."""

from __future__ import annotations

import cv2
import numpy as np

from mirror.canonical import Mesh, live_vertices
from mirror.signals import Bytes, Floats, Portraits, Scene, Stir

SIDE = 256


def face(mesh: Mesh, skin: tuple[int, int, int] = (205, 160, 130)) -> Bytes:
    """A canonical texture: dark hair, skin, eyes and lips where the mesh has them."""
    fine = 4
    picture = np.zeros((SIDE * fine, SIDE * fine, 3), np.uint8)
    alpha = np.zeros((SIDE * fine, SIDE * fine), np.uint8)
    place = np.round(mesh.uv * SIDE * fine).astype(np.int32)
    middle = SIDE * fine // 2
    picture[:] = (90, 60, 40)
    cv2.ellipse(alpha, (middle, middle), (380, 440), 0, 0, 360, (255,), -1)
    cv2.fillPoly(picture, [place[mesh.frame.oval]], skin)
    for loop, iris in ((mesh.frame.right_eye, 468), (mesh.frame.left_eye, 473)):
        cv2.fillPoly(picture, [place[loop]], (235, 230, 220))
        cv2.circle(picture, tuple(int(i) for i in place[iris]), 14, (40, 30, 25), -1)
    cv2.polylines(picture, [place[mesh.frame.inner_lips]], True, (150, 50, 50), 14)
    cv2.circle(picture, tuple(int(i) for i in place[1]), 16, (225, 185, 150), -1)
    picture = cv2.resize(picture, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    alpha = cv2.resize(
        cv2.GaussianBlur(alpha, (0, 0), 40), (SIDE, SIDE), interpolation=cv2.INTER_AREA
    )
    return np.dstack([picture, alpha])


def plain(colour: tuple[int, int, int]) -> Bytes:
    """One colour all over, opaque."""
    texture = np.full((SIDE, SIDE, 4), 255, np.uint8)
    texture[:, :, :3] = colour
    return texture


def live(
    mesh: Mesh, yaw: float = 0, pitch: float = 0, mouth: float = 0, lids: float = 1, roll: float = 0
) -> Floats:
    """Vertices of a face that turns (radians), opens its mouth (portrait units) and its eyes (0 to
    1).  (V, 3)"""
    frame = mesh.frame
    shape = np.zeros((1, 478, 3), np.float32)
    half = len(frame.inner_lips) // 2
    shape[0, frame.inner_lips[half + 1 :], 1] = mouth
    shape[0, frame.inner_lips[1:half], 1] = -0.2 * mouth
    for loop in (frame.right_eye, frame.left_eye):
        middle = frame.mean[loop, 1].mean()
        shape[0, loop, 1] = (middle - frame.mean[loop, 1]) * (1 - lids)
    pose = np.array([[yaw, pitch, roll]], np.float32)
    return live_vertices(mesh, pose, shape)[0]


def portraits(
    vertices: list[Floats],
    centres: list[tuple[float, float]],
    heights: list[float],
    opacity: list[float] | None = None,
    slots: list[int] | None = None,
) -> Portraits:
    """Portraits, back to front."""
    count = len(vertices)
    return Portraits(
        slot=np.array(range(count) if slots is None else slots, np.int32),
        centre=np.array(centres, np.float32).reshape(count, 2),
        height=np.array(heights, np.float32),
        opacity=np.ones(count, np.float32) if opacity is None else np.array(opacity, np.float32),
        vertices=np.stack(vertices).astype(np.float32),
    )


def nobody(mesh: Mesh) -> Portraits:
    """No portraits at all."""
    return Portraits(
        np.zeros(0, np.int32),
        np.zeros((0, 2), np.float32),
        np.zeros(0, np.float32),
        np.zeros(0, np.float32),
        np.zeros((0, len(mesh.uv), 3), np.float32),
    )


def scene(
    of: Portraits, time_s: float = 0.0, dt_s: float = 1 / 30, stirs: tuple[Stir, ...] = (),
    turbulence: float = 0.0,
) -> Scene:  # fmt: skip
    """A scene without an overlay."""
    return Scene(time_s, dt_s, of, stirs, turbulence)
