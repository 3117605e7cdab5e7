"""The bed of the river: six meandering streams, where they lie, and who is beside whom.

A place runs from 0, beyond one border of the screen, to 1, beyond the other, so that nobody sees
the loop being closed. Positions are in screen heights from the top left corner. On a tall screen
the streams fall from top to bottom, as six columns. In: places and time. Out: positions and pairs
of neighbours. Pure; called by the show's thread.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from mirror import SCHOOLS
from mirror.exact import Doubles, normals, wave
from mirror.signals import Floats

Indices = npt.NDArray[np.int64]

STREAMS = len(SCHOOLS)
TALL_BELOW = 0.8  # width over height at which streams become columns
HIDDEN = 0.3  # how far a stream runs on beyond either border, in screen heights
SHORE = 0.16  # middle of the outermost streams, as a share of the screen's breadth
# How far streams bend, as a share of the breadth: the first two together, as a river does, the
# third each for itself. Lengths in screen heights; periods in seconds, prime, so that the bends
# never meet again; what each stream is ahead of the one before, in turns.
BEND = np.array([0.035, 0.015, 0.012])
LENGTH = np.array([2.3, 1.1, 0.83])
PERIOD_S = np.array([97.0, -151.0, -61.0])
AHEAD = np.array([0.03, 0.05, 0.37])
_AHEAD = np.arange(STREAMS)[:, None] * AHEAD  # (6, 3)
_SHARE = SHORE + np.arange(STREAMS) * ((1 - 2 * SHORE) / (STREAMS - 1))  # middle of each stream
#: Streams run at their own speed, so that neighbours across the water change.
SPEEDS = (1.0, 0.91, 1.07, 0.95, 1.11, 0.97)
TURNS = 4  # kinds of neighbours: see ``neighbours``


@dataclass(frozen=True)
class Bed:
    """Which parcel belongs to which stream; this never changes.

    stream: (P,) int64, ascending. first: the first parcel of each stream, and P. speed: (P,)
    float64, in loops per ``loop_s``. along: pairs of neighbours within streams, even and odd;
    parcels of a stream keep their order round the loop.
    """

    stream: Indices
    first: tuple[int, ...]
    speed: Doubles
    along: tuple[tuple[Indices, Indices], ...]

    @property
    def counts(self) -> list[int]:
        """Parcels of each stream."""
        return [end - start for start, end in zip(self.first, self.first[1:])]


def bed(parcels: int) -> Bed:
    """So many parcels (6 or more), shared out over the six streams as evenly as can be."""
    counts = [parcels // STREAMS + (s < parcels % STREAMS) for s in range(STREAMS)]
    first = tuple(int(n) for n in np.cumsum([0, *counts]))
    stream = np.repeat(np.arange(STREAMS, dtype=np.int64), counts)  # (P,)
    return Bed(stream, first, np.array(SPEEDS)[stream], (_along(first, 0), _along(first, 1)))


def first_places(of: Bed, seed: int) -> Doubles:
    """Where parcels begin: (P,) float64 in 0 to 1, evenly along a stream but never in a grid."""
    lot = normals(seed, (0, 2), (len(of.stream) + STREAMS, 1))[:, 0]
    places = []
    for s, count in enumerate(of.counts):
        own = lot[of.first[s] : of.first[s + 1]]
        even = np.arange(count) + 0.1 * own + lot[len(of.stream) + s]
        places.append(even / count)
    place = np.concatenate(places)  # (P,)
    return place - np.floor(place)


def positions(stream: Any, place: Any, time_s: float, aspect: float) -> Floats:
    """Where parcels are on a screen: (P, 2) float32, x and y in screen heights.

    stream: (P,) int, 0 to 5. place: (P,) float, 0 to 1. aspect: width over height. Smooth in
    place and in time, slope included, except where the loop closes, off the screen.
    """
    stream, place = np.asarray(stream), np.asarray(place, np.float64)
    tall = aspect < TALL_BELOW
    length, breadth = (1.0, aspect) if tall else (aspect, 1.0)
    along = place * (length + 2 * HIDDEN) - HIDDEN
    turns = along[:, None] / LENGTH  # (P, 3)
    turns += (_AHEAD - time_s / PERIOD_S).take(stream, axis=0)
    bends = BEND * wave(turns)
    share = _SHARE.take(stream) + bends[:, 0] + bends[:, 1] + bends[:, 2]
    where = np.empty((len(along), 2), np.float32)
    where[:, 0 if tall else 1], where[:, 1 if tall else 0] = share * breadth, along
    return where


def nearness(where: Floats, place: Floats, reach: float | Doubles) -> Doubles:
    """How near parcels are to a visitor: (P,) float64, 1 at the visitor, 0 beyond 1.5 reaches.

    1 - (d / 1.5 reach)^2: a bell without an exponential, and nothing at all far away; 5/9 where
    the reach ends. Places (V, 1, 2) and reaches (V, 1) of many visitors give (V, P).
    """
    place = np.asarray(place, np.float64)
    x, y = where[:, 0] - place[..., 0], where[:, 1] - place[..., 1]  # (P,) or (V, P)
    near = 1.0 - (x * x + y * y) / (2.25 * reach * reach)
    return np.maximum(near, 0.0)


def neighbours(of: Bed, place: Doubles, turn: int) -> tuple[Indices, Indices]:
    """Pairs of neighbours, no parcel in two of them: two (N,) int64 arrays of parcels.

    turn 0 and 1: next to each other within a stream, even and odd pairs. turn 2 and 3: at about
    the same place of two streams side by side. After all four, everybody has met both neighbours
    of its stream and those of the streams beside it.
    """
    return of.along[turn] if turn < 2 else _across(of, place, turn - 2)


def _along(first: Sequence[int], odd: int) -> tuple[Indices, Indices]:
    """Pairs within streams. With an odd count the ring stays open between mouth and source."""
    one, other = [], []
    for start, end in zip(first, first[1:]):
        count = end - start
        a = np.arange(odd, count - 1 + odd, 2, dtype=np.int64)
        if count % 2 or count == 2:
            a = a[a < count - 1]
        one.append(start + a)
        other.append(start + (a + 1) % max(count, 1))
    return np.concatenate(one), np.concatenate(other)


def _across(of: Bed, place: Doubles, odd: int) -> tuple[Indices, Indices]:
    """Pairs between streams: their rings are laid side by side where their places agree."""
    turned = []
    for s in range(odd, STREAMS - 1, 2):
        start, beside, end = of.first[s : s + 3]
        gap = float(place[start]) - float(place[beside])
        turned.append(math.floor(gap * (end - beside) + 0.5))
    return _beside(of.first, odd, tuple(turned))


@functools.lru_cache(maxsize=256)
def _beside(first: tuple[int, ...], odd: int, turned: tuple[int, ...]) -> tuple[Indices, Indices]:
    """The same, each second ring turned by so many parcels: rings drift slowly. Read only."""
    one, other = [], []
    for s, by in zip(range(odd, STREAMS - 1, 2), turned):
        start, beside, end = first[s : s + 3]
        i = np.arange(min(beside - start, end - beside), dtype=np.int64)
        one.append(start + i)
        other.append(beside + (i + by) % (end - beside))
    return np.concatenate(one), np.concatenate(other)
