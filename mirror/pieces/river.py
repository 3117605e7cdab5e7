"""The river: six slow streams; portraits surface, drift and sink; those near a sitter answer."""

from __future__ import annotations

from dataclasses import dataclass

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
from mirror.river.streams import HIDDEN, TALL_BELOW, positions
from mirror.signals import Floats, Visit

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
#: Cut by so much of its height a portrait begins to go into the water, and has gone.
LEAVES = 0.0, 0.28
#: A sitter holds portraits within this share of the disturbed water wholly, further out less.
FIRM, LOOSE = 0.55, 1.35
#: In each stream one portrait rises for a sitter; another that is about this much further from
#: where it rises does not. Between the two the one gives way to the other. As a share of the
#: distance from one portrait to the next, but not less than so many screen heights.
GIVES_WAY, GIVES_WAY_LEAST = 0.32, 0.045
#: Its neighbours in the stream, within about so much, look like it: they sink for it wholly.
ALIKE = 0.3
#: Where in each stream it rises, downstream of the sitter, so that the six stand around and not
#: above one another, in screen heights.
ASIDE = (0.32, -0.25, 0.18, -0.37, -0.08, 0.38)
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
    rising = rise(moment, centre, hold)
    opacity = (
        smoothstep(1 - SEEN, 1 - 0.4 * SEEN, tide) * (0.45 + 0.55 * depth) * (1 - SINKS * firm)
    ) * (1 - rising.gives_way)
    if moment.stay is not None:
        opacity = opacity * moment.stay
    opacity = np.maximum(opacity, 0.97 * rising.rises)
    height = (FAR + (NEAR - FAR) * depth**1.5) * (0.86 + 0.14 * tide)
    held, rises = HELD[moment.stream], rising.rises
    height = np.maximum(height, height + (held - height) * rises) * room(moment.aspect)
    centre = centre + rising.moves
    inside = _inside(centre, height, moment.aspect)
    along = flows_along(moment.aspect)
    opacity = opacity * _uncut(centre[:, along], inside[:, along], height, rises)
    inward = np.where(np.arange(2) == along, rises[:, None], np.float32(1))
    centre = centre + inward * (inside - centre)
    order = np.argsort(depth * (1 - rises) + (2 + held) * rises, kind="stable")
    order = order[opacity[order] > FAINTEST]  # most parcels are sunk
    latent = sway(moment.latent[order], order, moment.time_s, moment.seed)
    latent = follow(latent, moment.stream[order], rising.hold[:, order], moment.visits)
    return draw(moment, order, latent, centre[order], height[order], opacity[order])


def _inside(centre: Floats, height: Floats, aspect: float) -> Floats:
    """The nearest places at which the picture's border cuts no face.  (P, 2), (P,) -> (P, 2)"""
    edge = np.minimum(WHOLE * height, 0.5 * min(aspect, 1.0))[:, None]
    return np.asarray(np.clip(centre, edge, np.array([aspect, 1.0], np.float32) - edge))


def _uncut(along: Floats, inside: Floats, height: Floats, rises: Floats) -> Floats:
    """How much is left of portraits that the border would cut: they come out of the water, and go
    into it, before it does. What has risen is pulled in instead.  All (P,)"""
    out = np.abs(along - inside) / height
    return np.asarray(1 - (1 - rises) * smoothstep(*LEAVES, out), np.float32)


def flows_along(aspect: float) -> int:
    """The axis along which the streams run on a screen of this format: 0 is x, 1 is y."""
    return 1 if aspect < TALL_BELOW else 0


def room(aspect: float) -> float:
    """How large portraits are on a screen of this format: nearly as its area grows, up to 1."""
    return min(1.0, (aspect / ROOMY) ** 0.55)


def holds(moment: Moment, centre: Floats) -> Floats:
    """How firmly each visit holds each parcel.  (N, P)"""
    rows = [firmness(visit, centre) for visit in moment.visits]
    return np.array(rows, np.float32).reshape(len(rows), len(centre))


def firmness(visit: Visit, places: Floats) -> Floats:
    """How firmly a visit holds what is at places, 0 to 1.  (P, 2) -> (P,)"""
    away = np.linalg.norm(places - visit.place, axis=1) / visit.reach
    return np.asarray(visit.presence * (1 - smoothstep(FIRM, LOOSE, away)), np.float32)


@dataclass(frozen=True)
class Rising:
    """What sitters do to each parcel's portrait.

    rises: (P,) how far it has come up and forward, 0 to 1. moves: (P, 2) from its own place to that
    where it is held. gives_way: (P,) how far it sinks for one that has risen, 0 to 1. hold: (N, P),
    how firmly each visit holds it, there.
    """

    rises: Floats
    moves: Floats
    gives_way: Floats
    hold: Floats


def rise(moment: Moment, centre: Floats, hold: Floats) -> Rising:
    """In every stream one portrait rises for a sitter, and is held beside them while the stream
    flows on; when the next is as near it comes up in the same place, and the one melts into the
    other: both move as the sitter does, so eyes lie on eyes.

    centre: (P, 2). hold: (N, P).
    """
    rises, gives_way, weight = np.zeros((3, len(centre)), np.float32)
    moves = np.zeros((len(centre), 2), np.float32)
    along = flows_along(moment.aspect)
    length = (1.0 if along else moment.aspect) + 2 * HIDDEN
    follows = hold.copy()
    for number, (visit, held) in enumerate(zip(moment.visits, hold)):
        # Whoever sways takes the same portraits along; where they stand decides which.
        stands = visit.place if visit.stands is None else visit.stands
        for stream in range(len(SCHOOLS)):
            mine = np.flatnonzero(moment.stream == stream)
            aside = ASIDE[stream] * visit.reach / REACH
            away = np.abs(centre[mine, along] - (stands[along] + aside))
            behind = away - away.min()
            apart = length / max(len(mine), 1)
            gives = max(GIVES_WAY * apart, GIVES_WAY_LEAST)
            part = np.exp(-((behind / gives) ** 2))
            part /= part.sum()
            middle = part @ centre[mine]  # (2,), across the stream where it is held
            middle[along] = visit.place[along] + aside
            near = 1 - smoothstep(FIRM, LOOSE, away / max(visit.reach, apart))
            up = firmness(visit, middle[None])[0] * near * smoothstep(0.0, 0.5, part)
            # What has come up half way is seen as the sitter's: it follows wholly.
            follows[number, mine] = np.maximum(held[mine], smoothstep(0.0, 0.5, up))
            moves[mine] += (up**3)[:, None] * (middle - centre[mine])
            weight[mine] += up**2
            rises[mine] = np.maximum(rises[mine], up)
            alike = held[mine] * np.exp(-((behind / ALIKE) ** 2))
            gives_way[mine] = np.maximum(gives_way[mine], alike)
    moves /= np.maximum(weight, 1e-6)[:, None]
    return Rising(rises, moves, gives_way, follows)


def surfacing(parcel: np.ndarray, moment: Moment) -> Floats:
    """0 (sunk) to 1 (risen), a slow tide of each parcel's own."""
    period_s = RISE_S[0] + (RISE_S[1] - RISE_S[0]) * hashed(parcel, moment.seed, 2)
    turn = moment.time_s / period_s.astype(np.float64) + hashed(parcel, moment.seed, 3)
    return (0.5 - 0.5 * np.cos(2 * np.pi * (turn % 1.0))).astype(np.float32)
