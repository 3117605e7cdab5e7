"""The water: latents and dye of all parcels, side by side, and all that ever happens to them.

A row is a parcel: (D) latent, then (1 + S) dye, the source's and each visit's. Whatever is done to
a row is done to both halves with one weight, so the dye is exact by construction. Rows are only
added and multiplied, in place, a few at a time so that a processor keeps them at hand. In: water
that nobody else has seen yet. Called by ``river.py`` only.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mirror.exact import Doubles
from mirror.river.streams import STREAMS, Indices
from mirror.river.sway import Mixture
from mirror.signals import Floats, Visit

_BLOCK = 128  # rows worked on at once


def fade(water: Floats, target: Floats, left: float) -> None:
    """Water goes nearer to its source; so much of it is left.

    water, target: (N, D + 1 + S) float32. left: 0 to 1.
    """
    keep = np.float32(left)
    for first in range(0, len(water), _BLOCK):
        block = water[first : first + _BLOCK]
        block *= keep
        block += target[first : first + _BLOCK] * (np.float32(1) - keep)


def inject(
    water: Floats,
    target: Floats,
    stream: Indices,
    visits: Sequence[Visit],
    columns: Sequence[int],
    mix: Mixture,
) -> None:
    """Parcels that visitors touch become their mixture with the visitors and their own source.

    water, target: (P, D + 1 + S) float32. stream: (P,) int64, which of a visit's latents a parcel
    takes. columns: the column of water that each visit dyes.
    """
    bringing = np.zeros((len(visits), STREAMS, water.shape[1]), np.float32)
    for brought, visit, column in zip(bringing, visits, columns):
        brought[:, : visit.latents.shape[1]] = visit.left_behind
        brought[:, column] = 1.0  # all of it is this visit's
    for first in range(0, len(mix.touched), _BLOCK):
        part = slice(first, first + _BLOCK)
        touched = mix.touched[part]
        rows = water.take(touched, axis=0)  # (T, D + 1 + S)
        rows *= mix.keep[part]
        drawn = target.take(touched, axis=0)
        drawn *= mix.source[part]
        rows += drawn
        for brought, share in zip(bringing, mix.shares[:, part]):
            drawn = brought.take(stream[touched], axis=0)  # (T, D + 1 + S)
            drawn *= share
            rows += drawn
        water[touched] = rows


def exchange(water: Floats, a: Indices, b: Indices, weight: Doubles) -> None:
    """Parcels a and b come nearer to each other; each pair keeps its sum.

    water: (P, D + 1 + S) float32. a, b, weight: (N,), no parcel twice; weight 0 to 1/2.
    """
    for first in range(0, len(a), _BLOCK):
        part = slice(first, first + _BLOCK)
        one, other = water.take(a[part], axis=0), water.take(b[part], axis=0)  # (N, D + 1 + S)
        moved = other - one
        moved *= weight[part].astype(np.float32)[:, None]
        one += moved
        other -= moved
        water[a[part]], water[b[part]] = one, other


def restate(water: Floats, width: int) -> None:
    """Dye sums to one: what no visit has is the source's. Mends float32's last bits.

    water: (P, D + 1 + S) float32. width: D.
    """
    water[:, width] = 1.0 - np.add.reduce(water[:, width + 1 :], axis=1)
