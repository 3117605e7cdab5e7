"""The contact sheet: what the six models paint, side by side, to be judged by eye.

In: the models, and the training portraits where somebody has them. Out: one PNG. A block for each
school: training portraits beside how the model remembers them, portraits drawn by lot from what
the river's source may be, mixtures of two, and a walk from one to another, all drawn as on the
screen. Below, one visitor's markers through all six. Numbers never tell whether a portrait is
worth looking at. The atelier's thread; needs OpenGL.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from mirror import SCHOOLS
from mirror.atelier.portraits import gather
from mirror.atelier.train import school_folder
from mirror.atelier.unwarp import Unwarper
from mirror.canonical import live_vertices
from mirror.faces import FaceModel, load_faces
from mirror.film import beside, write_still
from mirror.latents.latents import APPEARANCE, CODE, WIDTH, split
from mirror.painting.loading import density
from mirror.progress import Bar
from mirror.screen import portray
from mirror.session.puppet import PROPORTIONS, Pose, make_puppet, place
from mirror.signals import Bytes, Floats

CELL_PX = 128
#: Of a portrait's square, the middle is shown: this share of its side.
SHOWN = 0.76
#: Cells in a row, how many of them training portraits have, and a walk.
COLUMNS, REMEMBERED, WALKED = 17, 6, 8
GAP_PX, MARGIN_PX, CAPTION_PX, TITLE_PX = 10, 44, 22, 40
GROUND, TITLE, CAPTION = (13, 10, 8), (206, 186, 154), (128, 116, 98)

#: What the visitor does, and what it is called.
MOMENTS = (
    ("at rest", Pose(jaw=0.02, lids=0.05)),
    ("turned", Pose(yaw=0.42, jaw=0.02)),
    ("speaking", Pose(yaw=-0.15, jaw=0.24)),
    ("eyes closed, head tilted", Pose(roll=0.2, pitch=0.12, lids=1.0)),
)


@dataclass(frozen=True)
class Strip:
    """A few portraits in a row, and what is written over them.

    cells: each (CELL_PX, CELL_PX, 3) uint8 RGB.
    """

    caption: str
    cells: list[Bytes]


def sheet(
    out: Path, images: Path | None = None, seed: int = 3, schools: Sequence[str] = SCHOOLS
) -> None:
    """Draw the sheet.

    out: ends in .png. images: a folder with a folder of training portraits for each school; without
    it, only what the models remember of them is shown. schools: those that are drawn. Raises
    WeightsError, ScreenError, PortraitsError, and SettingsError when the file cannot be written.
    """
    beside(out, ".png")  # refused now rather than after a minute of painting
    if images is not None:
        for school in schools:
            school_folder(images, school, only=False)
    loaded = load_faces()
    faces = {school: loaded[school] for school in schools}
    blocks = []
    with Bar("painting", len(faces) + 1) as tick:
        for school, model in faces.items():
            blocks.append(_block(school, _school_rows(model, images, seed)))
            tick()
        blocks.append(_block("one visitor, heard by all six", _visitor_rows(faces, seed)))
        tick()
    write_still(out, np.concatenate([_space(MARGIN_PX // 2), *blocks, _space(MARGIN_PX // 2)]))


def _school_rows(model: FaceModel, images: Path | None, seed: int) -> list[list[Strip]]:
    """Two rows of strips."""
    lot = np.random.default_rng(seed)
    count = len(model.training_codes) // 2  # the other half are mirror images
    chosen = np.sort(lot.choice(count, REMEMBERED, replace=count < REMEMBERED))
    remembered = Strip("training portraits, as remembered", _frontal(model, chosen))
    drawn = Strip("drawn by lot", [_portray(model, latent) for latent in _latents(model, lot)])
    walk = _walk(model, lot)
    if images is None:
        return [[remembered, drawn], [_mixtures(model, lot, 3), walk]]
    real = Strip("training portraits", _real(model, images, chosen))
    return [[real, drawn], [remembered, _mixtures(model, lot, 1), walk]]


def _frontal(model: FaceModel, chosen: np.ndarray) -> list[Bytes]:
    """Training codes painted, in the school's mean shape, looking straight ahead."""
    codes = model.training_codes[chosen]
    return [_portray(model, _still(model, code), copies=True) for code in codes]


def _real(model: FaceModel, images: Path, chosen: np.ndarray) -> list[Bytes]:
    """The training portraits themselves, in the canonical frame."""
    unwarper = Unwarper(model.mesh, CELL_PX * 2)
    portraits = gather(school_folder(images, model.school, only=False)).portraits
    vertices = live_vertices(model.mesh, *_parts(_still(model, model.training_codes[0])))[0]
    textures = [unwarper.unwarp(portraits[i % len(portraits)]).texture for i in chosen]
    painted = [np.round(texture * 255).astype(np.uint8) for texture in textures]
    return [_middle(portray(model.mesh, texture, vertices, _whole_px())) for texture in painted]


def _latents(model: FaceModel, lot: np.random.Generator) -> list[Floats]:
    """Latents as the river's source may be."""
    of = density(model)
    return [
        of.latent(lot.standard_normal(of.coordinates), 1.0) for _ in range(COLUMNS - REMEMBERED)
    ]


def _mixtures(model: FaceModel, lot: np.random.Generator, pairs: int) -> Strip:
    """Two sitters with their mixture between them."""
    cells = []
    for one, other in _pairs(model, lot, pairs):
        between = (one, (one + other) / 2, other)
        cells += [_portray(model, _still(model, code), copies=True) for code in between]
    return Strip("two, and between them their mixture", cells)


def _walk(model: FaceModel, lot: np.random.Generator) -> Strip:
    """From one sitter to another."""
    ((one, other),) = _pairs(model, lot, 1)
    shares = np.linspace(0, 1, WALKED, dtype=np.float32)
    codes = [(1 - share) * one + share * other for share in shares]
    cells = [_portray(model, _still(model, code), copies=True) for code in codes]
    return Strip("a walk from one to another", cells)


def _pairs(model: FaceModel, lot: np.random.Generator, count: int) -> list[tuple[Floats, Floats]]:
    """Codes of sitters, two by two."""
    codes = model.training_codes[: len(model.training_codes) // 2]
    rows = [lot.choice(len(codes), 2, replace=False) for _ in range(count)]
    return [(codes[a], codes[b]) for a, b in rows]


def _still(model: FaceModel, code: Floats) -> Floats:
    """A latent of an appearance in the school's mean shape."""
    latent = np.zeros(WIDTH, np.float32)
    latent[: WIDTH - APPEARANCE] = density(model).mean[: WIDTH - APPEARANCE]
    latent[CODE] = code
    return latent


def _parts(latent: Floats) -> tuple[Floats, Floats]:
    pose, shape, _ = split(latent[None])
    return pose, shape


def _portray(model: FaceModel, latent: Floats, copies: bool = False) -> Bytes:
    return _middle(model.portray(latent, _whole_px(), copies))


def _whole_px() -> int:
    """Side of a portrait's whole square."""
    return round(CELL_PX / SHOWN / 2) * 2


def _middle(picture: Bytes) -> Bytes:
    """The middle of a portrait: around it there is only dark."""
    edge = (len(picture) - CELL_PX) // 2
    return picture[edge : edge + CELL_PX, edge : edge + CELL_PX]


def _visitor_rows(faces: dict[str, FaceModel], seed: int) -> list[list[Strip]]:
    """The visitor's markers, and beside them what each school makes of them.

    The appearance is that of the visitor at rest: the show averages it, so that a smile does not
    call up another person.
    """
    frame = next(iter(faces.values())).mesh.frame
    lot = np.random.default_rng(seed)
    puppet = make_puppet(frame, lot.uniform(-1, 1, PROPORTIONS))
    strips: list[Strip] = []
    at_rest: dict[str, Floats] = {}
    for name, pose in MOMENTS:
        markers = place(puppet.face(pose), (0.5, 0.46), 0.62, 1.0)
        cells = [draw_markers(markers, frame.surface)]
        for school, model in faces.items():
            latent = model.read(markers, 1.0)
            latent[CODE] = at_rest.setdefault(school, latent[CODE].copy())
            cells.append(_portray(model, latent))
        strips.append(Strip(name, cells))
    return [strips[:2], strips[2:]]


def draw_markers(markers: Floats, surface: np.ndarray) -> Bytes:
    """A face as the program knows it: its markers and nothing else.

    markers: (478, 3) image-normalised, of a square picture. surface: (T, 3) triangles.
    """
    fine = 4
    points = np.round(markers[:, :2] * CELL_PX * fine).astype(np.int32)
    picture = np.full((CELL_PX * fine, CELL_PX * fine, 3), GROUND, np.uint8)
    lines = [points[triangle].reshape(-1, 1, 2) for triangle in surface]
    cv2.polylines(picture, lines, True, (78, 68, 56), 2, cv2.LINE_AA)
    for x, y in points:
        cv2.circle(picture, (int(x), int(y)), 3, TITLE, -1, cv2.LINE_AA)
    small = cv2.resize(picture, (CELL_PX, CELL_PX), interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.uint8)


def _block(title: str, rows: list[list[Strip]]) -> Bytes:
    """A title, and rows of strips under it."""
    head = _space(TITLE_PX)
    _write(head, title, (MARGIN_PX, TITLE_PX - 12), 0.8, TITLE)
    return np.concatenate([head, *(_row(row) for row in rows), _space(GAP_PX)])


def _row(strips: list[Strip]) -> Bytes:
    row = _space(CAPTION_PX + CELL_PX + GAP_PX)
    left = MARGIN_PX
    for strip in strips:
        _write(row, strip.caption, (left + 2, CAPTION_PX - 7), 0.42, CAPTION)
        for cell in strip.cells:
            row[CAPTION_PX : CAPTION_PX + CELL_PX, left : left + CELL_PX] = cell
            left += CELL_PX
        left += 2 * GAP_PX
    return row


def _space(height: int) -> Bytes:
    """An empty band of the sheet."""
    wide = 2 * MARGIN_PX + COLUMNS * CELL_PX + 4 * GAP_PX
    return np.full((height, wide, 3), GROUND, np.uint8)


def _write(
    picture: Bytes, text: str, at: tuple[int, int], size: float, colour: tuple[int, ...]
) -> None:
    cv2.putText(picture, text, at, cv2.FONT_HERSHEY_SIMPLEX, size, colour, 1, cv2.LINE_AA)
