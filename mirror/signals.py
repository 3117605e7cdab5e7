"""The values that travel from stage to stage, and the helper that checks arrays at the borders.

They are frozen: a stage that wants another value makes a new one. No value here holds a picture
of a visitor except ``Frame``, which the markers stage takes and drops.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from mirror.errors import ShapeError

Floats = npt.NDArray[np.float32]
Bytes = npt.NDArray[np.uint8]
Bools = npt.NDArray[np.bool_]


def check(name: str, array: Any, shape: tuple[int | None, ...], dtype: Any = np.float32) -> None:
    """Hold an array to its shape (None: any length) and dtype, else raise ShapeError."""
    if (
        isinstance(array, np.ndarray)
        and array.dtype == dtype
        and array.ndim == len(shape)
        and all(n is None or n == m for n, m in zip(shape, array.shape))
    ):
        return
    found = f"{getattr(array, 'dtype', type(array).__name__)} {getattr(array, 'shape', '')}"
    wanted = f"{np.dtype(dtype).name} {tuple('any' if n is None else n for n in shape)}"
    raise ShapeError(name, found, wanted)


@dataclass(frozen=True)
class Frame:
    """One picture from the camera, already mirrored and RGB.

    picture: (H, W, 3) uint8 RGB, mirrored left to right when the site asks for it.
    number: counts the frames of this source from 0.
    time_s: capture time on the source's clock (monotonic), seconds.
    """

    picture: Bytes
    number: int
    time_s: float

    @property
    def aspect(self) -> float:
        """Width over height of the picture."""
        return self.picture.shape[1] / self.picture.shape[0]


@dataclass(frozen=True)
class Sitter:
    """One person in front of the camera: markers, and nothing else.

    id: a number counted up from 1 for each arrival; says nothing of who it is.
    markers: (478, 3) float32, image-normalised: x by the width, y by the height, origin top left,
        y down; z by the width, negative towards the camera. Filtered.
    aspect: width over height of the picture that the markers were found in.
    presence: 0 to 1, rises after arrival and falls when the face is lost.
    motion: how fast the face moves, in face heights a second, 0 or more.
    """

    id: int
    markers: Floats
    aspect: float
    presence: float
    motion: float


@dataclass(frozen=True)
class Sitters:
    """All sitters at one moment. arrived and left name the ids whose visit began or ended now."""

    time_s: float
    sitters: tuple[Sitter, ...] = ()
    arrived: tuple[int, ...] = ()
    left: tuple[int, ...] = ()


@dataclass(frozen=True)
class Visit:
    """What one sitter does to the river.

    id: the sitter's id. place: (2,) float32, where on the screen (x by the screen's height, from
    the left; y by the screen's height, from the top). latents: (F, D) float32, one for each
    school, as the sitter is at this moment; rest: (F, D) float32, the same of the face at rest,
    which the river takes in; None where it is no other one. presence: 0 to 1. motion: face heights
    a second. reach: radius of the disturbed water, in screen heights; far passers-by have a small
    one. stands: (2,) float32, the place without its swaying; None where it is no other one.
    """

    id: int
    place: Floats
    latents: Floats
    presence: float
    motion: float
    reach: float = 0.35
    rest: Floats | None = None
    stands: Floats | None = None

    @property
    def left_behind(self) -> Floats:
        """(F, D) float32: what the river takes in of this visit."""
        return self.latents if self.rest is None else self.rest


@dataclass(frozen=True)
class Portraits:
    """The portraits of one drawn picture, back to front.

    slot: (P,) int32, which painting (texture slot) each carries.
    centre: (P, 2) float32, in screen heights from the top left corner.
    height: (P,) float32, of the whole texture square, in screen heights.
    opacity: (P,) float32, 0 to 1.
    vertices: (P, V, 3) float32, live mesh in portrait units (see ``canonical.py``).
    """

    slot: npt.NDArray[np.int32]
    centre: Floats
    height: Floats
    opacity: Floats
    vertices: Floats


@dataclass(frozen=True)
class Stir:
    """A push on the water: where (screen heights), how fast (screen heights a second), how wide
    (radius in screen heights)."""

    place: tuple[float, float]
    velocity: tuple[float, float]
    radius: float


@dataclass(frozen=True)
class Scene:
    """Everything the screen needs for one picture.

    time_s, dt_s: the piece's time and the step since the last picture, seconds.
    turbulence: 0 to 1, of the water as a whole. overlay: lines of text for the technician.
    marks: sitters whose markers the overlay shows. lamp: pictures of people are being recorded,
    and whoever is recorded must see that. light: 0 to 1, a share of the site's brightness.
    still: nothing moves. surface: share of its rows that the picture is drawn with. pigment: 0 to
    1, how far the six streams show in the water.
    """

    time_s: float
    dt_s: float
    portraits: Portraits
    stirs: tuple[Stir, ...] = ()
    turbulence: float = 0.0
    overlay: tuple[str, ...] = ()
    marks: tuple[Sitter, ...] = field(default=())
    lamp: bool = False
    light: float = 1.0
    still: bool = False
    surface: float = 1.0
    pigment: float = 1.0
