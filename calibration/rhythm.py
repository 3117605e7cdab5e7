"""How regularly pictures come: the times at which they came in; rate and unrest out.

Pure; called by the camera step.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mirror.errors import SourceError
from mirror.markers.one_euro import Doubles

#: Fewer pictures tell nothing of a rate.
LEAST_PICTURES = 8
#: What comes in this time after the first picture was waiting somewhere on the way, and says
#: nothing of the camera's rate: a network camera's first half second comes in one go.
SETTLING_S = 0.8


@dataclass(frozen=True)
class Rhythm:
    """rate_hz: pictures a second. sensor_hz: exposures a second; higher where pictures get lost.
    jitter_ms: standard deviation of the time between two.
    longest_ms: the longest time between two. pictures: how many were counted."""

    rate_hz: float
    sensor_hz: float
    jitter_ms: float
    longest_ms: float
    pictures: int


def rhythm(times_s: Doubles, numbers: Doubles) -> Rhythm:
    """The rhythm of pictures, from the (N,) times at which they came and their (N,) numbers.

    The rate is the sensor's, less what got lost, so that the unrest of the first and the last
    picture does not matter. Raises SourceError if there are too few.
    """
    kept = settled(times_s)
    times_s, numbers = times_s[kept], numbers[kept]
    if len(times_s) < LEAST_PICTURES:
        raise SourceError(
            "the camera", f"{len(times_s)} pictures came", f"at least {LEAST_PICTURES}",
            "measure for longer, --seconds 20",
        )  # fmt: skip
    steps_s = np.diff(times_s)[np.diff(numbers) == 1]  # a picture that we missed is our fault
    jitter_ms, longest_ms = 0.0, 0.0
    if len(steps_s):
        jitter_ms, longest_ms = float(steps_s.std() * 1e3), float(steps_s.max() * 1e3)
    places, sensor_hz, _ = places_in_time(times_s)
    came = float((numbers[-1] - numbers[0]) / places[-1])
    return Rhythm(came * sensor_hz, sensor_hz, jitter_ms, longest_ms, len(times_s))


def settled(times_s: Doubles) -> npt.NDArray[np.bool_]:
    """Which pictures came after those that had waited on the way: (N,) bool."""
    return times_s >= times_s[0] + SETTLING_S if len(times_s) else np.zeros(0, bool)


def places_in_time(times_s: Doubles) -> tuple[Doubles, float, float]:
    """Which exposure each picture was, (N,) whole numbers as floats; exposures a second; and by
    what share of it that rate may be wrong.

    A sensor exposes at even distances; the network and the computer deliver as they can, and some
    pictures get lost on the way. Each picture is taken to be the next exposure, or later by as
    many as there is room for.
    """
    rate_hz, phase = _beat(times_s)
    places = np.round(times_s * rate_hz - phase)
    for n in range(len(places) - 2, -1, -1):  # of two in one place, the first came late
        places[n] = min(places[n], places[n + 1] - 1.0)
    places -= places[0]
    period_s, doubt_s = _period_s(places, times_s - times_s[0])
    return places, 1.0 / period_s, doubt_s / period_s


def _period_s(places: Doubles, times_s: Doubles) -> tuple[float, float]:
    """The time from one exposure to the next, and the standard error of that.

    A picture may come late, never early: the latest quarter is left out of the line's second fit.
    """
    fit = np.polyfit(places, times_s, 1)
    late_s = times_s - np.polyval(fit, places)
    kept = late_s <= np.percentile(late_s, 75)
    fit = np.polyfit(places[kept], times_s[kept], 1)
    spread_s = float((times_s[kept] - np.polyval(fit, places[kept])).std())
    return float(fit[0]), spread_s / max(1e-9, float(places[kept].std() * np.sqrt(kept.sum())))


def _beat(times_s: Doubles) -> tuple[float, float]:
    """The rate near the usual one with which most times keep step (the peak of their spectrum),
    and by how much of a beat they come after it."""
    usual_hz = 1.0 / max(1e-4, float(np.median(np.diff(times_s))))
    fine_hz = 0.1 / max(1e-3, float(np.ptp(times_s)))
    rates = np.arange(0.9 * usual_hz, 1.1 * usual_hz, max(fine_hz, usual_hz / 5000))
    sums = np.exp(2j * np.pi * rates[:, None] * times_s).sum(axis=1)
    best = int(np.abs(sums).argmax())
    return float(rates[best]), float(np.angle(sums[best]) / (2 * np.pi))
