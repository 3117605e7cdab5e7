"""The source: an autonomous walk through what each school could paint, for each parcel its own.

It is a mean-reverting random walk (Ornstein, Uhlenbeck) in the few coordinates that a school
varies in: pose, the components of its shape basis, its appearance code. The walk is stepped on
its own clock, one group of parcels after another, each once in ``source_refresh_s``; numbers drawn
depend on seed and tick alone. So it takes the same path at any rate of steps or pictures, it never
comes round again, and it asks little of the computer. In: densities and time. Out: one target
latent for each parcel. Pure; called by the show's thread.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mirror.errors import ShapeError
from mirror.exact import Doubles, left_after, normals, wave
from mirror.river.streams import STREAMS, Bed
from mirror.settings import RiverSettings
from mirror.signals import Floats, check

#: No coordinate of the walk counts for more than so many standard deviations.
FURTHEST = 3.5
_GROUPS = 24  # parcels are refreshed in so many groups at most


@dataclass(frozen=True)
class Density:
    """What one school could paint: a Gaussian in few coordinates around its mean.

    mean: (D,) float32, the school's mean latent. pose_scale: (A,) float32, one standard deviation
    of each angle, radians. shape_basis: (K, S) float32, each row scaled to one standard deviation.
    appearance_scale: (C,) float32. D = A + S + C, in this order.
    """

    mean: Floats
    pose_scale: Floats
    shape_basis: Floats
    appearance_scale: Floats

    def __post_init__(self) -> None:
        check("a density's pose scale", self.pose_scale, (None,))
        check("a density's shape basis", self.shape_basis, (None, None))
        check("a density's appearance scale", self.appearance_scale, (None,))
        parts = len(self.pose_scale) + self.shape_basis.shape[1] + len(self.appearance_scale)
        check("a density's mean", self.mean, (parts,))

    @property
    def coordinates(self) -> int:
        """How many coordinates the walk has in this school."""
        return len(self.pose_scale) + len(self.shape_basis) + len(self.appearance_scale)

    def latent(self, coordinates: Doubles, gain: float) -> Floats:
        """The latent at coordinates, in standard deviations: (coordinates,) float64 -> (D,).

        gain: multiplies the distance from the mean.
        """
        code = np.maximum(np.minimum(coordinates[: self.coordinates], FURTHEST), -FURTHEST) * gain
        code32 = code.astype(np.float32)
        a, k = len(self.pose_scale), len(self.shape_basis)
        latent = self.mean.copy()  # (D,)
        latent[:a] += self.pose_scale * code32[:a]
        end = len(latent) - len(self.appearance_scale)
        # Not a matrix product: a sum over rows has one order, on every processor.
        latent[a:end] += np.add.reduce(self.shape_basis * code32[a : a + k, None], axis=0)
        latent[end:] += self.appearance_scale * code32[a + k :]
        return latent


@dataclass(frozen=True)
class Source:
    """Where the walk is. tick: how many groups were refreshed so far.

    gain: how far the source goes beyond its school's spread, see ``overdrive``. coordinates:
    (P, widest) float64, in standard deviations. target: (P, D + 1 + S) float32, the latents there
    and their dye, which is all the source's.
    """

    seed: int
    tick: int
    gain: float
    coordinates: Doubles
    target: Floats


def overdrive(of: Bed, settings: RiverSettings) -> float:
    """How much wider than its school the source must walk, so that calm water is as wide as it.

    Water that follows a wandering source, slowly, and is exchanged between neighbours, spreads
    less than the source does: by f^2 / ((f + l)(f + l + s)) of its variance, f and s being the
    rates of fading and forgetting and l the rates at which the exchange smooths, one for each
    mode of six rings of parcels side by side (stationary variance of a linear filter driven by an
    Ornstein-Uhlenbeck process).
    """
    fade, forget = 1 / settings.fade_half_life_s, 1 / settings.source_half_life_s
    ring = max(of.counts)
    along = 2 - 2 * wave(np.arange(ring) / ring + 0.25)
    across = 2 - 2 * wave(np.arange(STREAMS) / (2 * STREAMS) + 0.25)
    smooth = (along[:, None] + across) * (0.5 / settings.spill_half_life_s) + fade
    kept = float(np.mean(fade * fade / (smooth * (smooth + forget))))
    return round(1 / math.sqrt(kept), 6)


def spring(
    of: Bed, densities: Sequence[Density], settings: RiverSettings, seed: int
) -> tuple[Source, Floats]:
    """The source at time 0, and the first water: (P, D + 1 + S) float32, latents and dye.

    densities: six, of one width D. Raises ShapeError when they are not.
    """
    if len(densities) != STREAMS:
        raise ShapeError("the river's densities", str(len(densities)), str(STREAMS))
    for density in densities:
        check("a density's mean", density.mean, densities[0].mean.shape)
    widest = max(density.coordinates for density in densities)
    shape = (len(of.stream), widest)
    gain = overdrive(of, settings)
    coordinates, first = normals(seed, (0, 0), shape), normals(seed, (0, 1), shape)
    schools = [densities[s] for s in of.stream]
    width = len(densities[0].mean)
    target, water = np.zeros((2, shape[0], width + 1 + settings.visit_slots), np.float32)
    target[:, width] = water[:, width] = 1.0  # all of it is the source's
    target[:, :width] = [d.latent(c, gain) for d, c in zip(schools, coordinates)]
    water[:, :width] = [d.latent(c, 1.0) for d, c in zip(schools, first)]
    return Source(seed, 0, gain, coordinates, target), water


def walk(
    source: Source,
    of: Bed,
    densities: Sequence[Density],
    settings: RiverSettings,
    time_s: float,
    consume: bool = False,
) -> Source:
    """The source at a later time. Exact for any step: c' = k c + sqrt(1 - k^2) noise.

    consume: the source given is used up, its arrays written to; nobody else may hold it.
    """
    parcels = len(source.coordinates)
    groups = min(parcels, _GROUPS)
    tick = math.floor(time_s * groups / settings.source_refresh_s + 1e-6)
    if tick <= source.tick:
        return source
    keep = left_after(settings.source_refresh_s, settings.source_half_life_s)
    push = math.sqrt(1 - keep * keep)
    coordinates, target = source.coordinates, source.target
    if not consume:
        coordinates, target = coordinates.copy(), target.copy()
    for n in range(source.tick, tick):
        rows = coordinates[n % groups :: groups]
        rows *= keep
        rows += push * normals(source.seed, (n + 1, 0), (len(rows), rows.shape[1]))
    for n in range(max(source.tick, tick - groups), tick):
        for p in range(n % groups, parcels, groups):
            latent = densities[of.stream[p]].latent(coordinates[p], source.gain)
            target[p, : len(latent)] = latent
    return Source(source.seed, tick, source.gain, coordinates, target)
