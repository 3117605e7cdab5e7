"""The river: six slow streams; portraits surface, drift and sink; those near a sitter answer."""

from __future__ import annotations

import numpy as np

from mirror import SCHOOLS
from mirror.pieces.arrangement import (
    FAINTEST,
    Arrangement,
    Moment,
    draw,
    follow,
    hashed,
    smoothstep,
    sway,
)
from mirror.river.streams import TALL_BELOW, positions
from mirror.signals import Floats

#: A parcel surfaces and sinks once in so many seconds, each at its own pace.
RISE_S = (38.0, 75.0)
#: The share of that time that it can be seen.
SEEN = 0.45
#: Height of a portrait's square in screen heights, from far to near.
FAR, NEAR = 0.26, 0.48
#: Height of the square of a portrait that has risen for a sitter, in each stream. The larger lie in
#: front: one of them is nearest to the sitter, and it is of the school that answers most plainly.
HELD = np.array([0.54, 0.56, 0.56, 0.52, 0.70, 0.54], np.float32)
#: From this format on portraits have the sizes above; on narrower screens they are smaller.
ROOMY = 4 / 3
#: Its middle is so much of its square's height from the picture's border: no face is cut.
WHOLE = 0.38
#: A sitter holds portraits within this share of the disturbed water wholly, further out less.
FIRM, LOOSE = 0.55, 1.25
#: In each stream one portrait rises for a sitter; another that is this much further along it, in
#: screen heights, does not. Between the two the one gives way to the other.
GIVES_WAY = 0.09
#: Its neighbours in the stream, within about so much, look like it: they sink for it wholly.
ALIKE = 0.3
#: Where in each stream it rises, downstream of the sitter, so that the six stand around and not
#: above one another, in screen heights.
ASIDE = (0.34, -0.25, 0.12, -0.44, -0.08, 0.42)
#: Reach of a sitter at a good distance, which that is meant for.
REACH = 0.42
#: Around a sitter the other portraits sink: by so much of their opacity.
SINKS = 0.7


def arrange(moment: Moment) -> Arrangement:
    """Place every parcel's portrait; see ``Moment``."""
    parcel = np.arange(len(moment.stream))
    centre = positions(moment.stream, moment.place, moment.time_s, moment.aspect)
    hold = holds(moment, centre)  # (N, P)
    firm = hold.max(axis=0) if len(hold) else np.zeros(len(parcel), np.float32)
    depth = hashed(parcel, moment.seed, 1)
    tide = surfacing(parcel, moment)
    rises, gives_way = rising(moment, centre, hold)
    opacity = (
        smoothstep(1 - SEEN, 1 - 0.4 * SEEN, tide) * (0.45 + 0.55 * depth) * (1 - SINKS * firm)
    ) * (1 - gives_way)
    if moment.stay is not None:
        opacity = opacity * moment.stay
    opacity = np.maximum(opacity, 0.97 * rises)
    height = (FAR + (NEAR - FAR) * depth**1.5) * (0.86 + 0.14 * tide)
    held = HELD[moment.stream]
    height = np.maximum(height, height + (held - height) * rises) * room(moment.aspect)
    centre = centre + rises[:, None] * (_inside(centre, height, moment.aspect) - centre)
    order = np.argsort(depth * (1 - rises) + (2 + held) * rises, kind="stable")
    order = order[opacity[order] > FAINTEST]  # most parcels are sunk
    latent = sway(moment.latent[order], order, moment.time_s, moment.seed)
    latent = follow(latent, moment.stream[order], hold[:, order], moment.visits)
    return draw(moment, order, latent, centre[order], height[order], opacity[order])


def _inside(centre: Floats, height: Floats, aspect: float) -> Floats:
    """The nearest places at which the picture's border cuts no face.  (P, 2), (P,) -> (P, 2)"""
    edge = np.minimum(WHOLE * height, 0.5 * min(aspect, 1.0))[:, None]
    return np.asarray(np.clip(centre, edge, np.array([aspect, 1.0], np.float32) - edge))


def room(aspect: float) -> float:
    """How large portraits are on a screen of this format: as its area grows, up to 1."""
    return min(1.0, (aspect / ROOMY) ** 0.5)


def holds(moment: Moment, centre: Floats) -> Floats:
    """How firmly each visit holds each parcel.  (N, P)"""
    if not moment.visits:
        return np.zeros((0, len(centre)), np.float32)
    rows = []
    for visit in moment.visits:
        away = np.linalg.norm(centre - visit.place, axis=1) / visit.reach
        rows.append(visit.presence * (1 - smoothstep(FIRM, LOOSE, away)))
    return np.stack(rows).astype(np.float32)


def rising(moment: Moment, centre: Floats, hold: Floats) -> tuple[Floats, Floats]:
    """How far each parcel has risen for a sitter, the nearest of every stream wholly, and how far
    it gives way to the one that has.  (P,) and (P,)"""
    rises, gives_way = np.zeros((2, len(centre)), np.float32)
    along = 1 if moment.aspect < TALL_BELOW else 0
    for visit, held in zip(moment.visits, hold):
        for stream in range(len(SCHOOLS)):
            mine = moment.stream == stream
            wanted = visit.place[along] + ASIDE[stream] * visit.reach / REACH
            away = np.abs(centre[mine, along] - wanted)
            behind = away - away.min()
            rises[mine] = np.maximum(rises[mine], held[mine] * np.exp(-((behind / GIVES_WAY) ** 2)))
            alike = held[mine] * np.exp(-((behind / ALIKE) ** 2))
            gives_way[mine] = np.maximum(gives_way[mine], alike)
    return rises, gives_way


def surfacing(parcel: np.ndarray, moment: Moment) -> Floats:
    """0 (sunk) to 1 (risen), a slow tide of each parcel's own."""
    period_s = RISE_S[0] + (RISE_S[1] - RISE_S[0]) * hashed(parcel, moment.seed, 2)
    turn = moment.time_s / period_s.astype(np.float64) + hashed(parcel, moment.seed, 3)
    return (0.5 - 0.5 * np.cos(2 * np.pi * (turn % 1.0))).astype(np.float32)
