"""Passersby: two halves (or two screens), endless portraits that nobody sat for. Each half shows
one portrait; before it has gone, the next has come up through it, and the one becomes the other."""

from __future__ import annotations

import numpy as np

from mirror import SCHOOLS
from mirror.pieces.arrangement import Arrangement, Moment, draw, hashed, melt, smoothstep, sway

#: A portrait's time in its half, seconds; the two halves keep different time, so they never agree.
STAY_S = (23.0, 29.0)
#: The share of its time in which a portrait comes and in which it goes.
COMES, GOES = 0.3, 0.3


def arrange(moment: Moment) -> Arrangement:
    """Place the portraits of both halves; see ``Moment``."""
    tall = moment.aspect < 1.0
    parcel, centre, opacity, latent = [], [], [], []
    for half in (0, 1):
        middle = (moment.aspect / 2, 0.27 + 0.48 * half) if tall else (
            moment.aspect * (0.26 + 0.48 * half), 0.53)  # fmt: skip
        numbers, weights, part = _present(moment.time_s, STAY_S[half])
        those = np.array([_chosen(moment, half, number) for number in numbers])
        alive = sway(moment.latent[those], those, moment.time_s, moment.seed)
        latent.append(melt(alive, part))
        parcel += list(those)
        centre += [middle] * len(those)
        opacity += weights
    chosen = np.array(parcel)
    size = min(1.3, 0.95 * moment.aspect) if not tall else min(0.72, 1.5 * moment.aspect)
    height = np.full(len(chosen), size, np.float32)
    return draw(
        moment, chosen, np.concatenate(latent), np.array(centre, np.float32), height,
        np.array(opacity, np.float32),
    )  # fmt: skip


def _present(time_s: float, stay_s: float) -> tuple[list[int], list[float], float]:
    """The portraits of one half and their weights: one stays, its successor rises over it; and how
    far the one has become the other."""
    turn = int(np.floor(time_s / stay_s))
    part = np.float32(time_s / stay_s - turn)
    gone = COMES * 0.6 + GOES
    rises = float(smoothstep(0.0, COMES, part))
    sinks = 1.0 - float(smoothstep(COMES * 0.6, gone, part))
    if sinks > 0 and turn > 0:
        return [turn - 1, turn], [sinks, rises], float(smoothstep(0.0, gone, part))
    return [turn], [rises], 1.0


def _chosen(moment: Moment, half: int, number: int) -> int:
    """A parcel drawn by lot; the left half shows three schools, the right half the others."""
    school = 3 * half + int(hashed(np.array([number]), moment.seed, 10 + half)[0] * 3)
    mine = np.flatnonzero(moment.stream == school % len(SCHOOLS))
    return int(mine[int(hashed(np.array([number]), moment.seed, 20 + half)[0] * len(mine))])
