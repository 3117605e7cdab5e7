"""Rivers, visitors and moments for tests of the pieces."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from mirror import MARKERS, SCHOOLS
from mirror.canonical import Mesh
from mirror.latents.latents import APPEARANCE, join
from mirror.pieces import Moment
from mirror.pieces.arrangement import hashed
from mirror.signals import Floats, Visit

#: Parcels of the river in these tests, and how long they take from source to mouth.
PARCELS, LOOP_S = 24, 150.0
STREAM = np.repeat(np.arange(6), PARCELS // 6)
WIDE = 16 / 9


Coming = Callable[[float], Sequence[Visit]]


def nobody(time_s: float) -> Sequence[Visit]:
    return ()


def latents() -> Floats:
    """Portraits that look about a little, of faces that differ a little."""
    rng = np.random.default_rng(1)
    return join(
        rng.normal(0, 0.15, (PARCELS, 3)),
        rng.normal(0, 0.005, (PARCELS, MARKERS, 3)),
        rng.normal(0, 1, (PARCELS, APPEARANCE)),
    )


LATENTS = latents()


def moment(
    mesh: Mesh, time_s: float, come: Coming = nobody, aspect: float = WIDE, seed: int = 1
) -> Moment:
    """The river at a time: parcels drift downstream and come round."""
    start = hashed(np.arange(PARCELS), seed, 7)
    place = (start + time_s / LOOP_S) % 1.0
    still = np.zeros(PARCELS, np.float32)
    return Moment(
        time_s, aspect, STREAM, place.astype(np.float32), LATENTS, still, come(time_s), mesh, seed
    )


def visit(id: int, x: float, presence: float, y: float = 0.5) -> Visit:
    pose = np.full((6, 3), 0.3, np.float32)
    shape = np.full((6, MARKERS, 3), 0.002, np.float32)
    told = join(pose, shape, np.zeros((6, APPEARANCE), np.float32))
    return Visit(id, np.array([x, y], np.float32), told, presence, 0.3, 0.4)


def somebody(aspect: float, time_s: float) -> Sequence[Visit]:
    """One in the middle, all the time."""
    return (visit(1, aspect / 2, 1.0),)


def ramp(time_s: float, come_s: float, go_s: float) -> float:
    """Presence as sitters have it: up in 0.4 s, down in 0.8 s."""
    return float(np.clip(min((time_s - come_s) / 0.4, (go_s - time_s) / 0.8), 0, 1))


def arrive_and_leave(time_s: float) -> Sequence[Visit]:
    """One comes and goes; another comes meanwhile, passes in front of the first, and stays."""
    guests = [
        visit(1, 0.7, ramp(time_s, 0.5, 3.5)),
        visit(2, 1.4 - 0.4 * max(0.0, time_s - 1.5), ramp(time_s, 1.5, 9.0)),
    ]
    return [guest for guest, from_s in zip(guests, (0.5, 1.5)) if time_s >= from_s][
        1 if time_s > 3.5 else 0 :
    ]


def a_crowd(time_s: float) -> Sequence[Visit]:
    """Four come one after another and leave in another order."""
    times = ((0.2, 2.4), (0.7, 4.0), (1.2, 2.9), (1.6, 3.4))
    places = (0.9, 0.3, 1.5, 1.1)
    return [
        visit(id, x, ramp(time_s, come_s, go_s))
        for id, (x, (come_s, go_s)) in enumerate(zip(places, times), 1)
        if come_s <= time_s <= go_s
    ]


def crowded(here: Moment) -> Moment:
    """The same with as many parcels as in the show: one of every stream is near."""
    each = 16
    place = np.tile(np.arange(each, dtype=np.float32) / each, len(SCHOOLS))
    return replace(
        here,
        stream=np.repeat(np.arange(len(SCHOOLS)), each),
        place=place, latent=np.tile(LATENTS, (len(place) // PARCELS, 1)),
        turbulence=np.zeros(len(place), np.float32),
    )  # fmt: skip
