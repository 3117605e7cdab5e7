"""The One Euro filter: calm at rest, quick in movement, for whole arrays at once.

In come an array, its time and what was known before; out goes what is known now. Pure; any
thread may call it. Every step works in seconds, so the rate may change at any time.

Casiez, Roussel, Vogel: "1 Euro Filter: A Simple Speed-based Low-pass Filter for Noisy Input in
Interactive Systems", CHI 2012.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Doubles = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Smoothed:
    """What the filter knows at one moment; all arrays have the shape of its input.

    value: the filtered input. speed: its filtered change a second. time_s: of the last input.
    """

    value: Doubles
    speed: Doubles
    time_s: float


def begin(value: npt.ArrayLike, time_s: float) -> Smoothed:
    """Start at a value, at rest."""
    start = np.array(value, np.float64)
    return Smoothed(start, np.zeros_like(start), time_s)


def follow(
    last: Smoothed,
    value: npt.ArrayLike,
    time_s: float,
    min_cutoff_hz: float,
    beta: float,
    derivative_cutoff_hz: float,
    unit: float = 1.0,
) -> Smoothed:
    """Take in one more value, of the shape of the last.

    unit: the speed that opens the filter is counted in this many of the input's units a second.
    Giving a face's height lets one setting suit near and far faces. A time that does not advance
    changes nothing.
    """
    step_s = time_s - last.time_s
    if step_s <= 0:
        return last
    new = np.asarray(value, np.float64)
    change = (new - last.value) / step_s
    speed = last.speed + _weight(derivative_cutoff_hz, step_s) * (change - last.speed)
    cutoff_hz = min_cutoff_hz + beta * np.abs(speed) / unit
    return Smoothed(last.value + _weight(cutoff_hz, step_s) * (new - last.value), speed, time_s)


def _weight(cutoff_hz: float | Doubles, step_s: float) -> Doubles:
    """How much of the way a first-order low-pass goes towards its input in one step."""
    turn = 2 * math.pi * np.asarray(cutoff_hz) * step_s
    return np.asarray(turn / (1 + turn))
