"""From sitters to visits: what each person in front of the camera does to the river.

In: ``Sitters`` and the schools' geometries. Out: one ``Visit`` a sitter, and the pushes that
their movement gives the water. What is remembered of a sitter is where the face was, how fast it
moved and its slowly averaged proportions; all of it is forgotten when the sitter leaves.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mirror import MARKERS
from mirror.canonical import Frame
from mirror.exact import Doubles
from mirror.latents.floor import place_of, ramp, weight_of
from mirror.latents.latents import CODE, SchoolGeometry, on_grid, read_many
from mirror.settings import MirrorSettings
from mirror.signals import Floats, Sitter, Sitters, Stir, Visit, check

#: Appearance follows proportions, which do not change: they are averaged over so long, so that a
#: smile does not call up another person.
SETTLES_S = 6.0
#: Where sitters appear as the camera sees them.
STANDARD = MirrorSettings()
#: Radius of the disturbed water in screen heights, for the farthest and the nearest faces.
REACH = (0.2, 0.52)
#: The height of the nearest faces, as a share of the picture.
NEAREST = 0.5
#: Who nods does not go farther away: a face's height is averaged, with this half-life.
HEIGHT_HALF_LIFE_S = 0.4
#: A push on the water lasts until the next glance, and no faster than this (screen heights a s).
FASTEST = 2.5


#: Markers that reach over less, or more, of a picture than this are no face's.
LEAST, MOST = 1e-6, 1e3


@dataclass
class _Memory:
    """What is known of one sitter while here."""

    place: Floats
    velocity: Floats
    code: Floats
    tall: float
    seen_s: float
    since_s: float


@dataclass(frozen=True, eq=False)
class Reading:
    """What markers tell by themselves. latents: (F, D). middle: (2,) float64 of the face, and
    tall, its height, in its picture."""

    latents: Floats
    middle: Doubles
    tall: float


class Visitors:
    """Turns glances into visits. One for a run; called by the show's thread."""

    def __init__(
        self, geometries: Sequence[SchoolGeometry], frame: Frame, accent: float,
        mirror: MirrorSettings = STANDARD,
    ) -> None:  # fmt: skip
        self._geometries, self._frame, self._accent = geometries, frame, accent
        self._mirror = mirror
        self._known: dict[int, _Memory] = {}

    def visits(
        self, sitters: Sitters, aspect: float, readings: Sequence[Reading | None] | None = None
    ) -> list[Visit]:
        """One visit for each sitter with a face. aspect: width over height of the screen.
        readings: what ``read`` found in them before; they are used up."""
        here = {sitter.id for sitter in sitters.sitters}
        self._known = {id: memory for id, memory in self._known.items() if id in here}
        if readings is None:
            readings = self.read(sitters.sitters)
        return [
            self._visit(sitter, reading, sitters.time_s, aspect)
            for sitter, reading in zip(sitters.sitters, readings)
            if reading is not None
        ]

    def read(self, sitters: Sequence[Sitter]) -> list[Reading | None]:
        """What is read in the markers of sitters, of one moment or of many: the same for each as
        if it were alone, at a sixth of the cost. None where there is no face in them: numbers that
        are not finite, or all markers in one place. Any thread may call it.

        Raises ShapeError for markers of another shape.
        """
        if not sitters:
            return []
        for sitter in sitters:
            check("a sitter's markers", sitter.markers, (MARKERS, 3))
        markers = np.stack([sitter.markers for sitter in sitters])  # (N, 478, 3)
        planes = np.ascontiguousarray(markers.transpose(0, 2, 1))  # (N, 3, 478), summed quicker
        sizes = planes.max(axis=2) - planes.min(axis=2)  # (N, 3)
        faces = [
            bool(smallest > LEAST and largest < MOST) and _is_sound(sitter)
            for sitter, smallest, largest in zip(
                sitters, sizes[:, :2].min(axis=1), sizes.max(axis=1)
            )
        ]
        if not all(faces):
            some = iter(self.read([each for each, face in zip(sitters, faces) if face]))
            return [next(some) if face else None for face in faces]
        aspects = [sitter.aspect for sitter in sitters]
        latents = read_many(self._geometries, self._frame, markers, aspects, self._accent)
        middles = planes[:, :2, :468].mean(axis=2, dtype=np.float64)  # (N, 2)
        return [Reading(*each) for each in zip(latents, middles, sizes[:, 1].tolist())]

    def stirs(self) -> tuple[Stir, ...]:
        """The pushes that sitters give the water now."""
        return tuple(
            Stir(
                (float(memory.place[0]), float(memory.place[1])),
                (float(memory.velocity[0]), float(memory.velocity[1])),
                0.16,
            )
            for memory in self._known.values()
        )

    def _visit(self, sitter: Sitter, reading: Reading, time_s: float, aspect: float) -> Visit:
        latents, tall = reading.latents, reading.tall
        steady = self._steady(sitter.id, tall, time_s)
        place = place_of(reading.middle, steady, sitter.aspect, aspect, self._mirror)
        memory = self._remember(sitter.id, place, latents[:, CODE], steady, time_s)
        latents[:, CODE] = memory.code
        return Visit(
            id=sitter.id,
            place=place.astype(np.float32),
            latents=latents,
            presence=sitter.presence * weight_of(place, tall, aspect, self._mirror),
            motion=sitter.motion,
            reach=REACH[0] + (REACH[1] - REACH[0]) * ramp(tall, self._mirror.near_height, NEAREST),
        )

    def _steady(self, id: int, tall: float, time_s: float) -> float:
        """The height of a face without its nodding."""
        known = self._known.get(id)
        if known is None:
            return tall
        kept = 2 ** (-max(0.0, time_s - known.seen_s) / HEIGHT_HALF_LIFE_S)
        return on_grid(kept * known.tall + (1 - kept) * tall)

    def _remember(
        self, id: int, place: Floats, code: Floats, tall: float, time_s: float
    ) -> _Memory:
        known = self._known.get(id)
        if known is None:
            known = _Memory(place, np.zeros(2, np.float32), code.copy(), tall, time_s, time_s)
            self._known[id] = known
            return known
        dt_s = time_s - known.seen_s
        if dt_s <= 0:
            return known
        window_s = min(SETTLES_S, max(time_s - known.since_s, 1e-3))  # a plain mean at first
        known.code += min(1.0, dt_s / window_s) * (code - known.code)
        velocity = (place - known.place) / dt_s
        speed = math.hypot(*velocity.tolist())
        velocity *= min(1.0, FASTEST / speed) if speed > 0 else 1.0
        known.velocity += (1 - 2 ** (-dt_s / 0.08)) * (velocity - known.velocity)
        known.place, known.tall, known.seen_s = place, tall, time_s
        return known


def _is_sound(sitter: Sitter) -> bool:
    """Whether the numbers beside the markers can be reckoned with: a recording may hold others."""
    return sitter.aspect > 0 and math.isfinite(sitter.aspect + sitter.presence + sitter.motion)
