"""What a piece is given and what it gives back, and the steps that all three share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mirror.canonical import Mesh, live_vertices
from mirror.latents.latents import APPEARANCE, split
from mirror.signals import Floats, Portraits, Visit

#: Heads turned further than FADES dissolve, and are gone at GONE, radians.
FADES, GONE = 0.85, 1.25
#: How far a head that nobody moves turns, nods and tilts, radians.
SWAY = (0.09, 0.035, 0.03)
#: Portraits less opaque than this cannot be seen.
FAINTEST = 0.004


@dataclass(frozen=True)
class Moment:
    """One moment of the piece.

    time_s: the piece's own time. aspect: of the screen. stream: (P,) int; place: (P,) 0 to 1;
    latent: (P, D); turbulence: (P,), of every parcel. visits: who is there now. seed: of the run.
    stay: (P,) 0 to 1, under load some parcels are left out; None: all of them stay.
    """

    time_s: float
    aspect: float
    stream: np.ndarray
    place: np.ndarray
    latent: Floats
    turbulence: Floats
    visits: Sequence[Visit]
    mesh: Mesh
    seed: int
    stay: Floats | None = None


@dataclass(frozen=True)
class Arrangement:
    """portraits: what is drawn. parcel: (P,) int, the parcel that each portrait is; its painting
    lies in the slot of that number."""

    portraits: Portraits
    parcel: np.ndarray


def smoothstep(low: float, high: float, x: npt.ArrayLike) -> Floats:
    """0 below low, 1 above high, smooth between (Perlin's cubic)."""
    t = np.clip((np.asarray(x, np.float32) - low) / (high - low), 0, 1)
    return np.asarray(t * t * (3 - 2 * t), np.float32)


def hashed(numbers: np.ndarray, seed: int, salt: int) -> Floats:
    """A number in [0, 1) for each whole number, the same on every machine (Wang's hash)."""
    x = np.asarray(numbers).astype(np.uint64) * np.uint64(0x9E3779B1)
    x ^= np.uint64((seed * 0x85EBCA6B + salt * 0xC2B2AE35) & 0xFFFFFFFF)
    for shift in (16, 13, 16):
        x = ((x ^ (x >> np.uint64(shift))) * np.uint64(0x7FEB352D)) & np.uint64(0xFFFFFFFF)
    return (x >> np.uint64(8)).astype(np.float32) / np.float32(2**24)  # 24 bits: never 1


def sway(latent: Floats, parcel: np.ndarray, time_s: float, seed: int) -> Floats:
    """Latents whose heads are never quite still: a slow turn of a few degrees, each its own.

    latent: (P, D) of the parcels given. Returns a new (P, D).
    """
    swaying = latent.copy()
    for axis, reach in enumerate(SWAY):
        period_s = 7.0 + 12.0 * hashed(parcel, seed, 40 + axis).astype(np.float64)
        turn = time_s / period_s + hashed(parcel, seed, 50 + axis)
        wave = np.sin(2 * np.pi * turn) + 0.5 * np.sin(2 * np.pi * (2.3 * turn + 0.4))
        swaying[:, axis] += (reach * wave).astype(np.float32)
    return swaying


def follow(latent: Floats, stream: np.ndarray, hold: Floats, visits: Sequence[Visit]) -> Floats:
    """Latents whose geometry follows the newest markers, ahead of the river that carries them.

    latent: (P, D) of the portraits drawn. hold: (N, P), how firmly each visit holds each
    portrait, 0 to 1. Returns (P, D); appearance stays the river's own.
    """
    if not len(visits):
        return latent
    firm = hold.max(axis=0)[:, None]  # (P, 1)
    share = hold / np.maximum(hold.sum(axis=0), 1e-6)  # (N, P)
    wanted = np.stack([visit.latents[stream] for visit in visits])  # (N, P, D)
    live = np.einsum("np,npd->pd", share, wanted)
    held = latent + firm * (live - latent)
    held[:, -APPEARANCE:] = latent[:, -APPEARANCE:]
    return held.astype(np.float32)


def melt(latent: Floats, part: float) -> Floats:
    """Latents of portraits of which the first gives way to the second: while it does, both have
    one geometry, which goes from the one's to the other's, so that eyes lie on eyes.

    latent: (2, D), or (1, D) where nobody gives way. part: 0 (as the first) to 1. Returns the same
    shape; appearances stay their own.
    """
    if len(latent) < 2:
        return latent
    melted = latent.copy()
    melted[:, :-APPEARANCE] += part * (latent[1, :-APPEARANCE] - latent[0, :-APPEARANCE])
    melted[1, :-APPEARANCE] = melted[0, :-APPEARANCE]
    return melted


def draw(
    moment: Moment,
    parcel: np.ndarray,
    latent: Floats,
    centre: Floats,
    height: Floats,
    opacity: Floats,
) -> Arrangement:
    """Portraits back to front in the order given, those that cannot be seen left out."""
    pose, shape, _ = split(latent)
    turned = np.hypot(pose[:, 0], pose[:, 1])
    opacity = opacity * (1 - smoothstep(FADES, GONE, turned))
    seen = opacity > FAINTEST
    portraits = Portraits(
        slot=parcel[seen].astype(np.int32),
        centre=centre[seen].astype(np.float32),
        height=height[seen].astype(np.float32),
        opacity=opacity[seen].astype(np.float32),
        vertices=live_vertices(
            moment.mesh, np.ascontiguousarray(pose[seen]), np.ascontiguousarray(shape[seen])
        ),
    )
    return Arrangement(portraits, parcel[seen])


def nothing(vertices: int) -> Portraits:
    """No portraits at all. vertices: V of the mesh."""
    zero = np.zeros(0, np.float32)
    return Portraits(
        np.zeros(0, np.int32), np.zeros((0, 2), np.float32), zero, zero,
        np.zeros((0, vertices, 3), np.float32),
    )  # fmt: skip
