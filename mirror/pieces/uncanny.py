"""Uncanny: one large portrait for each sitter, moving through the six schools. With nobody there,
portraits of the river come up one after another and look ahead."""

from __future__ import annotations

import numpy as np

from mirror import SCHOOLS
from mirror.pieces.arrangement import Arrangement, Moment, draw, follow, melt, smoothstep, sway
from mirror.signals import Floats, Visit

#: A sitter stays so long in one school; an idle portrait stays so long.
SCHOOL_S, IDLE_S = 14.0, 18.0
#: The share of that time in which one gives way to the next.
GIVES_WAY = 0.35
#: Height of the portrait's square, in screen heights, for one sitter.
HEIGHT = 1.35
#: Two sitters who pass each other change places while they stand nearer than this, screen heights.
PASSING = 0.15


def arrange(moment: Moment) -> Arrangement:
    """Place the large portraits; see ``Moment``."""
    idle = 1.0 - max((visit.presence for visit in moment.visits), default=0.0)
    parts = [_idle(moment, idle)]
    parts += [_sitter(moment, visit, x) for visit, x in zip(moment.visits, _places(moment))]
    parcel, latent, centre, height, opacity = (np.concatenate(part) for part in zip(*parts))
    return draw(moment, parcel, latent, centre, height, opacity)


def _places(moment: Moment) -> list[float]:
    """Where each sitter's portrait hangs: side by side as they stand, x in screen heights.

    Whoever comes makes room as slowly as they come: each has as much of it as of presence.
    """
    if not moment.visits:
        return []
    x = np.array([visit.place[0] for visit in moment.visits])
    room = np.array([visit.presence for visit in moment.visits]) + 1e-6
    left = smoothstep(-PASSING, PASSING, x[:, None] - x[None])  # (N, N), of oneself a half
    return [float(place) for place in moment.aspect * (left @ room) / room.sum()]


def _idle(moment: Moment, strength: float) -> tuple[np.ndarray, ...]:
    turns, part = _turns(moment.time_s, IDLE_S)
    parcel = np.array(
        [_representative(moment, n % len(SCHOOLS), n // len(SCHOOLS)) for n, _ in turns]
    )
    middle = np.tile([moment.aspect / 2, 0.52], (len(parcel), 1))
    opacity = np.array([weight for _, weight in turns]) * strength
    alive = sway(moment.latent[parcel], parcel, moment.time_s, moment.seed)
    return parcel, melt(alive, part), middle, _height(moment, 1, len(parcel)), opacity


def _sitter(moment: Moment, visit: Visit, x: float) -> tuple[np.ndarray, ...]:
    sharing = max(1.0, sum(other.presence for other in moment.visits))
    turns, part = _turns(moment.time_s + 5.0 * visit.id, SCHOOL_S)
    parcel = np.array([_representative(moment, n % len(SCHOOLS), visit.id) for n, _ in turns])
    centre = np.tile([x, 0.52], (len(parcel), 1))
    hold = np.full((1, len(parcel)), 1.0, np.float32)
    latent = follow(moment.latent[parcel], moment.stream[parcel], hold, (visit,))
    opacity = np.array([weight for _, weight in turns]) * visit.presence
    return parcel, melt(latent, part), centre, _height(moment, sharing, len(parcel)), opacity


def _turns(time_s: float, each_s: float) -> tuple[list[tuple[int, float]], float]:
    """Whose turn it is, and the weight of each: the next comes over the last; and how far the one
    has become the other."""
    turn, part = divmod(time_s / each_s, 1.0)
    rise = float(smoothstep(1 - GIVES_WAY, 1.0, np.float32(part)))
    now = [(int(turn), 1.0 - max(0.0, 2 * rise - 1))]
    return now + ([(int(turn) + 1, min(1.0, 2 * rise))] if rise > 0 else []), rise


def _representative(moment: Moment, school: int, number: int) -> int:
    """The parcel that stands for a school: each sitter has another."""
    mine = np.flatnonzero(moment.stream == school)
    return int(mine[number % len(mine)])


def _height(moment: Moment, sharing: float, count: int) -> Floats:
    fits = min(HEIGHT, 1.7 * moment.aspect / sharing)
    return np.full(count, fits, np.float32)
