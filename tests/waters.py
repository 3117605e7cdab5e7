"""A small river for tests: six schools of few coordinates, with witnesses in their latents.

A witness is a component of the latent that only one thing puts a 1 into: a visit, or the source.
Whatever the dye says of that thing can be read again in the latents.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mirror.river import river
from mirror.river.source import Density
from mirror.settings import RiverSettings
from mirror.signals import Visit

ANGLES, SHAPE, CODE = 3, 8, 6
WITNESSES = 4  # the last components: the source's, then three for visits
WIDTH = ANGLES + SHAPE + CODE + WITNESSES
ASPECT = 16 / 9
DAY_S = 86_400.0


def densities(seed: int = 0) -> list[Density]:
    """Six schools, each with a mean and a basis of its own."""
    luck = np.random.default_rng(seed)
    schools = []
    for _ in range(6):
        mean = (0.1 * luck.standard_normal(WIDTH)).astype(np.float32)
        mean[-WITNESSES:] = [1, 0, 0, 0]
        basis = (0.1 * luck.standard_normal((3, SHAPE))).astype(np.float32)
        code = np.array([1.0] * CODE + [0.0] * WITNESSES, np.float32)
        schools.append(Density(mean, np.array([0.3, 0.1, 0.1], np.float32), basis, code))
    return schools


def visit(
    number: int,
    x: float = 0.9,
    y: float = 0.5,
    reach: float = 0.35,
    motion: float = 0.1,
    presence: float = 1.0,
) -> Visit:
    """A visitor whose latents are the same at each call, with the witness of the number."""
    latents = np.random.default_rng(number).standard_normal((6, WIDTH)).astype(np.float32)
    latents[:, -WITNESSES:] = 0
    if number < WITNESSES:
        latents[:, WIDTH - WITNESSES + number] = 1
    return Visit(number, np.array([x, y], np.float32), latents, presence, motion, reach)


def passed(
    state: river.RiverState,
    settings: RiverSettings,
    visits: Sequence[Visit],
    time_s: float,
    rate_hz: float = 30.0,
) -> river.RiverState:
    """The river a time later, in steps of one length."""
    for _ in range(round(time_s * rate_hz)):
        state = river.step(state, settings, visits, 1 / rate_hz)
    return state


def share(state: river.RiverState, number: int) -> float:
    """How much of the whole river is a visit's."""
    return float(state.dye_of(number).mean(dtype=np.float64))


def beside(state: river.RiverState, of: Visit, within: float = 0.25) -> np.ndarray:
    """Which parcels are near a visitor: (P,) bool."""
    away = state.positions - of.place
    return np.hypot(away[:, 0], away[:, 1]) < within
