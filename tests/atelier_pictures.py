"""Portraits of our own models, as pictures that somebody might bring."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from mirror import MARKERS
from mirror.canonical import live_vertices
from mirror.faces import FaceModel
from mirror.screen import portray
from mirror.session.puppet import make_puppet
from mirror.signals import Bytes, Floats

RNG = np.random.default_rng
GROUNDS = ((200, 190, 170), (40, 50, 60), (90, 110, 90))


def write(path: Path, picture: Bytes) -> None:
    assert cv2.imwrite(str(path), picture[..., ::-1])


def painted(
    model: FaceModel, number: int, pose: Sequence[float], size: int
) -> tuple[Bytes, Bytes, Floats]:
    """A portrait of one of our own models: picture, texture, and its markers in the picture."""
    mesh = model.mesh
    person = make_puppet(mesh.frame, RNG(number).uniform(-1, 1, 8)).rest - mesh.frame.mean
    turn = np.array([pose], np.float32)
    vertices = live_vertices(mesh, turn, person[None].astype(np.float32))[0]
    texture = model.paint(model.random_codes(1, number))[0]
    picture = portray(mesh, texture, vertices, size, GROUNDS[number % len(GROUNDS)])
    markers = vertices[:MARKERS] / 2 + np.array((0.5, 0.5, 0.0), np.float32)
    return picture, texture, markers.astype(np.float32)


def fill(folder: Path, faces: dict[str, FaceModel]) -> None:
    """A folder as somebody might bring it: nine portraits, and four files that are none."""
    models = [faces[school] for school in ("chiaroscuro", "salon", "limner")]
    for n in range(9):
        yaw = (0.0, 0.2, -0.2, 0.1, -0.1, 0.3, 0.0, 0.05, -0.3)[n]
        picture, _, _ = painted(models[n % 3], n, (yaw, 0.05, 0.02), (180, 256, 420)[n // 3])
        if n == 4:  # a wide one, with the sitter at its side
            wide = np.full((300, 500, 3), 120, np.uint8)
            wide[30 : 30 + len(picture), 20 : 20 + len(picture)] = picture
            picture = wide
        write(folder / f"portrait-{n}.{'png' if n % 2 else 'jpg'}", picture)
    small, _, _ = painted(models[0], 20, (0.0, 0.0, 0.0), 100)
    far = np.full((400, 400, 3), 200, np.uint8)
    far[150:250, 150:250] = small
    write(folder / "far-away.png", far)
    write(folder / "wall.png", np.full((200, 200, 3), 128, np.uint8))
    (folder / "broken.jpg").write_bytes(b"\xff\xd8\xff this is no picture")
    (folder / "notes.txt").write_text("not looked at", encoding="utf-8")
