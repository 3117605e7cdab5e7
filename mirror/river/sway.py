"""Sway: which visitor pulls which parcel, how strongly, and towards what.

Beside a visitor a parcel goes towards that visitor's latent (``hold``). Where it drifts out of
reach it is let go towards a mixture: the company, which is everybody present in equal parts, and
its own source (``gift``). So the portraits near a visitor are that visitor's, what floats away is
a child of all who stand there, nobody downstream overwrites whoever stands upstream, and nobody
owns the river however long they stay. A visitor far away (small reach) pulls slowly and gets a
small share, yet stirs.

In: visits and where the parcels are. Out: mixing weights. Pure; called by the show's thread.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from mirror.errors import ShapeError
from mirror.exact import Doubles, halving
from mirror.river.streams import STREAMS, Indices, nearness
from mirror.settings import RiverSettings
from mirror.signals import Floats, Visit, check

_STILL = 1e-7  # a pull that would move a parcel by less in one step is none
# Nearness at which a visitor has a parcel whole, and where others begin to have a part in it.
_BESIDE, _AT_REACH = 0.9, 0.55
_FASTEST = 20.0  # face heights a second; a quicker face is a faulty one


@dataclass(frozen=True)
class Mixture:
    """What becomes of the parcels that visitors touch.

    touched: (T,) int64. keep, source: (T, 1) float32, shares of what was there and of the
    parcel's source. shares: (V, T, 1) float32, of each visit. All shares of a parcel sum to 1.
    """

    touched: Indices
    keep: Floats
    source: Floats
    shares: Floats


def admit(visit: Visit, width: int) -> Visit:
    """The visit, held to its ranges.

    Raises ShapeError when its arrays are of another shape, or when a number in it is not finite:
    one such number would spread through the whole river.
    """
    check(f"latents of visit {visit.id}", visit.left_behind, (STREAMS, width))
    check(f"place of visit {visit.id}", visit.place, (2,))
    if visit.id < 1:
        raise ShapeError("a visit's id", str(visit.id), "1 or more")
    rest = (*visit.place.tolist(), visit.presence, visit.motion, visit.reach)
    if not (all(map(math.isfinite, rest)) and np.isfinite(visit.left_behind).all()):
        raise ShapeError(f"visit {visit.id}", "a number that is not finite", "finite numbers")
    presence = min(max(float(visit.presence), 0.0), 1.0)
    motion = min(max(float(visit.motion), 0.0), _FASTEST)
    reach = max(visit.reach, 1e-3)
    return replace(visit, presence=presence, motion=motion, reach=reach)


def mixture(
    visits: Sequence[Visit], near: Doubles, settings: RiverSettings, time_s: float
) -> Mixture:
    """The pulls of all visitors together, exact for any time.

    near: (V, P) float64, see ``streams.nearness``. Towards targets x_i at rates r_i, in halvings a
    second, x goes by dx/dt = ln 2 sum r_i (x_i - x); so with R = sum r_i, after a time t, 2**(-R t)
    of it is left and each x_i has (1 - 2**(-R t)) r_i / R.
    """
    size = np.array([min(v.reach / settings.near_reach, 1.0) for v in visits])
    weight = np.array([v.presence for v in visits]) * size * size * size * size  # (V,)
    company = weight / max(_total(weight), 1e-30)  # what each is of all who are present
    rate = near * (weight[:, None] / settings.inject_half_life_s)  # (V, P)
    (touched,) = np.nonzero(_total(rate) * time_s > _STILL)
    rate, near = rate.take(touched, axis=1), near.take(touched, axis=1)  # (V, T)
    beside = (near - _AT_REACH) / (_BESIDE - _AT_REACH)
    beside = np.minimum(np.maximum(beside, 0.0), 1.0)
    beside = beside * beside * (3.0 - 2.0 * beside)  # 1 beside the visitor, 0 where reach ends
    own = rate * beside * (settings.hold * size * size)[:, None]
    shared = _total(rate * (1.0 - beside)) * (settings.gift * _total(company * size * size))
    pull = own + shared * company[:, None]  # (V, T)
    total = _total(rate)
    left = halving(total * time_s)
    keep = left.astype(np.float32)
    shares = (pull * ((1.0 - left) / total)).astype(np.float32)
    # The source has what is left, so that the rounded shares still sum to one.
    source = (1.0 - keep.astype(np.float64) - _total(shares.astype(np.float64))).astype(np.float32)
    return Mixture(touched, keep[:, None], source[:, None], shares[:, :, None])


def stirred(
    turbulence: Floats,
    visits: Sequence[Visit],
    near: Doubles,
    rises: Sequence[float],
    settings: RiverSettings,
    time_s: float,
) -> Floats:
    """Turbulence a time later: arrivals and movement stir, and it decays. (P,) float32, 0 to 1.

    rises: by how much each presence grew, a second. Exact for steady stirring: calmness, what is
    missing to 1, is halved ``arrival_stir`` times by an arrival and ``motion_stir`` times by a
    face height moved, beside the visitor.
    """
    stir = np.zeros(len(turbulence))
    for visit, bell, rise in zip(visits, near, rises):
        moved = settings.motion_stir * visit.motion * visit.presence
        stir += bell * bell * (settings.arrival_stir * rise + moved)
    total = stir + 1.0 / settings.calm_half_life_s
    left = halving(total * time_s)
    return (turbulence * left + (1.0 - left) * stir / total).astype(np.float32)


def nearby(visits: Sequence[Visit], where: Floats) -> Doubles:
    """Nearness of all parcels to each visit: (V, P) float64, 0 to 1."""
    places = np.array([visit.place for visit in visits])[:, None]  # (V, 1, 2)
    return nearness(where, places, np.array([[visit.reach] for visit in visits]))


def _total(rows: Doubles) -> Doubles:
    """The sum over the first axis, added in its order; of one row, itself."""
    return rows[0] if len(rows) == 1 else np.add.reduce(rows, axis=0)
