"""The filter for a site, from markers of somebody who stands still: the least that calms them.

Markers come in with their times, the One Euro filter's settings go out. Every candidate is tried
with the program's own filter on what was seen, so the choice needs no theory of the noise. Pure;
called by the light step.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mirror.markers import one_euro
from mirror.markers.one_euro import Doubles
from mirror.settings import MarkerSettings

#: What trembles: movement faster than the sway of somebody who stands still, taken as what is
#: left after a running mean over this time.
SWAY_S = 0.6
#: Tremor that is not seen: root of the mean square, in face heights. A portrait of half a screen's
#: height, 540 pixels, then trembles by half a pixel.
CALM = 0.001
#: Candidates: how much speed opens the filter (less follows worse), and its cutoff at rest. A
#: lower cutoff would calm more, and the mirror would drag.
BETAS = (10.0, 6.0)
CUTOFFS_HZ = (2.0, 1.5, 1.0, 0.7, 0.5)
#: Where none is calm enough, a quick one that is nearly as calm as the calmest is better: what is
#: left then is the person's own movement, which no filter should take away.
NEARLY = 1.3
#: Nobody stands still for long: the stillest stretch of this length is taken, a fresh one
#: beginning so often.
STRETCH_S, BEGINS_EVERY_S = 2.0, 0.2
#: Only so many markers are tried: all of them tremble alike.
MARKERS_TRIED = 80
#: Fewer pictures tell nothing.
LEAST_PICTURES = 24


@dataclass(frozen=True)
class Steadied:
    """raw, calmed: tremor before and after the filter, face heights, in the stillest stretch.
    min_cutoff_hz, beta: of the filter. enough: the tremor left is not seen. moved: how far the face
    went in that stretch, in face heights: who walks about cannot be measured."""

    raw: float
    calmed: float
    min_cutoff_hz: float
    beta: float
    enough: bool
    moved: float


def steady(
    times_s: Doubles, markers: Doubles, heights: Doubles, settings: MarkerSettings
) -> Steadied | None:
    """The most responsive filter that calms markers of somebody who stands still.

    times_s: (N,). markers: (N, M, 2), any unit; heights: (N,), of the face, in the same unit.
    None for too few pictures.
    """
    if len(times_s) < LEAST_PICTURES:
        return None
    unit = float(np.median(heights))
    few = markers[:, :: max(1, markers.shape[1] // MARKERS_TRIED)] / unit  # (N, m, 2)
    still = _stillest(times_s, few)
    raw = tremor(times_s[still], few[still])
    moved = float(np.hypot(*np.ptp(few[still].mean(axis=1), axis=0)))
    tried = []
    for beta in BETAS:
        for cutoff_hz in CUTOFFS_HZ:
            calmed = _filtered(times_s, few, cutoff_hz, beta, settings)[still]
            left = tremor(times_s[still], calmed)
            tried.append(Steadied(raw, left, cutoff_hz, beta, left <= CALM, moved))
            if left <= CALM:
                return tried[-1]
    least = min(each.calmed for each in tried)
    return next(each for each in tried if each.calmed <= NEARLY * least)


def _stillest(times_s: Doubles, markers: Doubles) -> npt.NDArray[np.bool_]:
    """Which of (N, M, 2) markers are of the stillest stretch: (N,) bool; all of a short watch."""
    begins = np.arange(times_s[0], times_s[-1] - STRETCH_S, BEGINS_EVERY_S)
    stretches = [(times_s >= begin) & (times_s <= begin + STRETCH_S) for begin in begins]
    full = [each for each in stretches if each.sum() >= LEAST_PICTURES]
    if not full:
        return np.ones(len(times_s), bool)
    return min(full, key=lambda each: tremor(times_s[each], markers[each]))


def tremor(times_s: Doubles, markers: Doubles) -> float:
    """How much markers tremble: (N, M, 2) -> in their unit, the median over all markers."""
    window = np.abs(times_s[:, None] - times_s) <= SWAY_S / 2  # (N, N)
    flat = markers.reshape(len(times_s), -1)  # (N, M * 2)
    slow = (window @ flat) / window.sum(axis=1, keepdims=True)
    inside = (times_s >= times_s[0] + SWAY_S / 2) & (times_s <= times_s[-1] - SWAY_S / 2)
    fast = (flat - slow)[inside].reshape(int(inside.sum()), -1, 2)
    return float(np.median(np.sqrt((fast**2).sum(axis=2).mean(axis=0)))) if len(fast) else 0.0


def _filtered(
    times_s: Doubles, markers: Doubles, cutoff_hz: float, beta: float, settings: MarkerSettings
) -> Doubles:
    """What the piece would see of them."""
    state = one_euro.begin(markers[0], float(times_s[0]))
    out = [state.value]
    for time_s, value in zip(times_s[1:], markers[1:]):
        state = one_euro.follow(
            state, value, float(time_s), cutoff_hz, beta, settings.derivative_cutoff_hz
        )
        out.append(state.value)
    return np.array(out)
