"""From sitters to visits: what each person in front of the camera does to the river.

In: ``Sitters`` and the schools' geometries. Out: one ``Visit`` a sitter, and the pushes that
their movement gives the water. What is remembered of a sitter is where the face was and mostly
is, how fast it moved, and, slowly averaged, its height, its proportions and how it looks at rest;
all of it is forgotten when the sitter leaves.

Where everybody is and how fast they move is kept up at every moment. What the schools make of them
takes far longer to compute, and is computed when somebody asks: the river does some ten times a
second, and only then do height, proportions and appearance settle. So the river is the same however
often sitters are drawn, and whether or not it hears of the moments between.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mirror import MARKERS
from mirror.canonical import Frame
from mirror.exact import Doubles
from mirror.latents.floor import Place, place_of, reach_of, weight_of
from mirror.latents.latents import CODE, SHAPE, SchoolGeometry, on_grid, read_many, rebend
from mirror.settings import MirrorSettings
from mirror.signals import Floats, Sitter, Sitters, Stir, Visit, check

#: A person's proportions do not change: they are averaged over so long, and with them how schools
#: bend them and the appearance that follows, so that a smile does not call up another person.
SETTLES_S = 6.0
#: Lips as high apart as this share of their width count for half of what closed ones do: who
#: leaves is remembered by the river as a face at rest, not as the word that was spoken last.
LIPS_APART = 0.12
#: Where sitters appear as the camera sees them.
STANDARD = MirrorSettings()
#: Who nods does not go farther away: a face's height is averaged, with this half-life.
HEIGHT_HALF_LIFE_S = 0.4
#: Who sways stays where they are: their place is averaged, with this half-life.
STANDS_HALF_LIFE_S = 2.5
#: A push on the water lasts until the next glance, and no faster than this (screen heights a s).
FASTEST = 2.5


#: Markers that reach over less, or more, of a picture than this are no face's.
LEAST, MOST = 1e-6, 1e3


@dataclass(frozen=True, eq=False)
class Reading:
    """What markers tell by themselves. middle: (2,) float64 of the face, and tall, its height, in
    its picture. latents: (F, D) float32, and the proportions that they were bent by, (P, K)
    float32; None where they were not computed."""

    middle: Doubles
    tall: float
    latents: Floats | None = None
    proportions: Floats | None = None


@dataclass
class _Memory:
    """What is known of one sitter while here. place, velocity: at seen_s; stands: the place
    averaged. tall, rest, proportions: the settled height, latents, (F, D) float32, and proportions,
    (P, K) float32, at settled_s; None until the river attends. calm_s: how long the face of rest
    was looked at, lips apart counting for less."""

    place: Place
    seen_s: float
    stands: Place
    velocity: Place = (0.0, 0.0)
    tall: float | None = None
    rest: Floats | None = None
    proportions: Floats | None = None
    calm_s: float = 0.0
    since_s: float = 0.0
    settled_s: float = 0.0


@dataclass
class _Present:
    """A sitter with a face. steady: the face's height without its nodding. latents, proportions:
    as read; None until somebody asks for them."""

    sitter: Sitter
    place: Place
    tall: float
    steady: float
    latents: Floats | None
    proportions: Floats | None


class Visitors:
    """Turns glances into visits. One for a run; called by the show's thread."""

    def __init__(
        self, geometries: Sequence[SchoolGeometry], frame: Frame, accent: float,
        mirror: MirrorSettings = STANDARD,
    ) -> None:  # fmt: skip
        self._geometries, self._frame, self._accent = geometries, frame, accent
        self._mirror = mirror
        self._known: dict[int, _Memory] = {}
        self._present: list[_Present] = []
        self._time_s, self._aspect = 0.0, 1.0

    def visits(
        self, sitters: Sitters, aspect: float, readings: Sequence[Reading | None] | None = None
    ) -> list[Visit]:
        """``meet`` and ``attend`` in one, for whoever attends at every moment."""
        self.meet(sitters, aspect, readings)
        return self.attend()

    def meet(
        self, sitters: Sitters, aspect: float, readings: Sequence[Reading | None] | None = None
    ) -> None:
        """From now on these sitters are here. aspect: width over height of the screen. readings:
        what ``read`` found in them before; with latents or without.

        Raises ShapeError for markers of another shape.
        """
        here = {sitter.id for sitter in sitters.sitters}
        self._known = {id: memory for id, memory in self._known.items() if id in here}
        self._time_s, self._aspect = sitters.time_s, aspect
        if readings is None:
            readings = self.read(sitters.sitters, [False] * len(sitters.sitters))
        self._present = []
        for sitter, reading in zip(sitters.sitters, readings):
            if reading is not None:
                self._present.append(self._follow(sitter, reading))

    def present(self) -> list[Visit]:
        """One visit for each sitter with a face, as they are now."""
        self._compute()
        return [self._visit(each) for each in self._present]

    def attend(self) -> list[Visit]:
        """The same for the river: their appearance settles by the time since it last attended."""
        self._compute()
        for each in self._present:
            self._settle(self._known[each.sitter.id], each)
        return self.present()

    def read(
        self, sitters: Sequence[Sitter], wanted: Sequence[bool] | None = None
    ) -> list[Reading | None]:
        """What is read in the markers of sitters, of one moment or of many: the same for each as
        if it were alone, at a sixth of the cost. None where there is no face in them: numbers that
        are not finite, or all markers in one place. Any thread may call it.

        wanted: of whom latents are computed, too; None: of all. Raises ShapeError for markers of
        another shape.
        """
        if not sitters:
            return []
        for sitter in sitters:
            check("a sitter's markers", sitter.markers, (MARKERS, 3))
        markers = np.stack([sitter.markers for sitter in sitters])  # (N, 478, 3)
        planes = np.ascontiguousarray(markers.transpose(0, 2, 1))  # (N, 3, 478), summed quicker
        sizes = planes.max(axis=2) - planes.min(axis=2)  # (N, 3)
        middles = planes[:, :2, :468].mean(axis=2, dtype=np.float64)  # (N, 2)
        faces = [
            bool(smallest > LEAST and largest < MOST) and _is_sound(sitter)
            for sitter, smallest, largest in zip(
                sitters, sizes[:, :2].min(axis=1), sizes.max(axis=1)
            )
        ]
        chosen = [n for n, face in enumerate(faces) if face and (wanted is None or wanted[n])]
        found: dict[int, tuple[Floats, Floats]] = {}
        if chosen:
            found = dict(zip(chosen, zip(*self._latents([sitters[n] for n in chosen]))))
        return [
            Reading(middle, tall, *found.get(n, (None, None))) if faces[n] else None
            for n, (middle, tall) in enumerate(zip(middles, sizes[:, 1].tolist()))
        ]

    def stirs(self) -> tuple[Stir, ...]:
        """The pushes that sitters give the water now."""
        return tuple(Stir(each.place, each.velocity, 0.16) for each in self._known.values())

    def _latents(self, sitters: Sequence[Sitter]) -> tuple[Floats, Floats]:
        """Latents of sitters with a face, for each school, and their proportions.

        (N, F, D), (N, P, K)
        """
        markers = np.stack([sitter.markers for sitter in sitters])  # (N, 478, 3)
        aspects = [sitter.aspect for sitter in sitters]
        return read_many(self._geometries, self._frame, markers, aspects, self._accent)

    def _compute(self) -> None:
        """Latents of everybody who is present."""
        unread = [each for each in self._present if each.latents is None]
        if unread:
            latents, proportions = self._latents([each.sitter for each in unread])
            for number, each in enumerate(unread):
                each.latents, each.proportions = latents[number], proportions[number]

    def _visit(self, present: _Present) -> Visit:
        sitter, known = present.sitter, self._known[present.sitter.id]
        assert present.latents is not None and present.proportions is not None
        latents = present.latents.copy()
        rest = latents
        if known.rest is not None and known.proportions is not None:
            change = known.proportions - present.proportions
            latents[:, SHAPE] = rebend(self._geometries, latents[:, SHAPE], change, self._accent)
            latents[:, CODE] = known.rest[:, CODE]
            rest = known.rest.copy()
        weight = weight_of(present.place, present.tall, self._aspect, self._mirror)
        return Visit(
            id=sitter.id,
            place=np.array(present.place, np.float32),
            latents=latents,
            rest=rest,
            stands=np.array(known.stands, np.float32),
            presence=sitter.presence * weight,
            motion=sitter.motion,
            reach=reach_of(present.tall, self._mirror),
        )

    def _follow(self, sitter: Sitter, reading: Reading) -> _Present:
        """Where a sitter is now; it is remembered, and how fast the face moves."""
        known, time_s = self._known.get(sitter.id), self._time_s
        steady = reading.tall
        if known is not None and known.tall is not None:
            kept = 2 ** (-max(0.0, time_s - known.settled_s) / HEIGHT_HALF_LIFE_S)
            steady = on_grid(kept * known.tall + (1 - kept) * reading.tall)
        place = place_of(reading.middle, steady, sitter.aspect, self._aspect, self._mirror)
        if known is None:
            self._known[sitter.id] = _Memory(place, time_s, place)
        else:
            _move(known, place, time_s)
        return _Present(sitter, place, reading.tall, steady, reading.latents, reading.proportions)

    def _settle(self, memory: _Memory, present: _Present) -> None:
        """What settles goes towards what was read, by the time since it last did."""
        assert present.latents is not None and present.proportions is not None
        time_s = self._time_s
        if memory.rest is None or memory.proportions is None:
            memory.rest, memory.proportions = present.latents.copy(), present.proportions.copy()
            memory.tall = present.steady
            memory.since_s = memory.settled_s = time_s
            return
        dt_s = time_s - memory.settled_s
        if dt_s > 0:
            window_s = min(SETTLES_S, max(time_s - memory.since_s, 1e-3))  # a plain mean at first
            nearer = min(1.0, dt_s / window_s)
            change = present.latents - memory.rest
            calm_s = dt_s * calmness(present.latents[0, SHAPE], self._frame)
            memory.calm_s = min(memory.calm_s + calm_s, SETTLES_S)
            change[:, : CODE.start] *= calm_s / memory.calm_s
            change[:, CODE] *= nearer
            memory.rest += change
            memory.proportions += nearer * (present.proportions - memory.proportions)
            memory.tall, memory.settled_s = present.steady, time_s


def calmness(shape: Floats, frame: Frame) -> float:
    """How nearly a face is at rest, 1 to 0, by how far its lips are apart: (1434,) -> float."""
    lips = (shape.reshape(MARKERS, 3) + frame.mean)[frame.inner_lips].astype(np.float64)  # (L, 3)
    wide, high = np.ptp(lips[:, 0]), np.ptp(lips[:, 1])
    apart = float(high / max(wide, 1e-6)) / LIPS_APART
    squared = apart * apart  # processors do not agree on the last bits of powers
    return max(1.0 / (1.0 + squared * squared), 1e-3)


def _move(known: _Memory, place: Place, time_s: float) -> None:
    """Somebody known is here now: their velocity, smoothed, and where they stand."""
    dt_s = time_s - known.seen_s
    if dt_s > 0:
        x, y = (place[0] - known.place[0]) / dt_s, (place[1] - known.place[1]) / dt_s
        speed = math.hypot(x, y)
        slower = min(1.0, FASTEST / speed) if speed > 0 else 1.0
        nearer = 1 - 2 ** (-dt_s / 0.08)
        u, v = known.velocity
        known.velocity = u + nearer * (x * slower - u), v + nearer * (y * slower - v)
        kept = 2 ** (-dt_s / STANDS_HALF_LIFE_S)
        there_x, there_y = known.stands
        known.stands = (
            kept * there_x + (1 - kept) * place[0],
            kept * there_y + (1 - kept) * place[1],
        )
        known.place, known.seen_s = place, time_s


def _is_sound(sitter: Sitter) -> bool:
    """Whether the numbers beside the markers can be reckoned with: a recording may hold others."""
    return sitter.aspect > 0 and math.isfinite(sitter.aspect + sitter.presence + sitter.motion)
