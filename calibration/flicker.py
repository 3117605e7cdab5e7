"""Light that flickers, as a camera sees it: rows of brightness come in, a frequency goes out.

Lamps on 50 Hz mains flicker at 100 Hz, on 60 Hz mains at 120 Hz. A camera of 30 pictures a second
is far too slow to see that as it is, but it sees its **alias**: 100 Hz comes round as 10 Hz
(100 = 3 x 30 + 10), and 120 Hz, being 4 x 30, stands still and cannot be seen at all; at 25
pictures a second it is the other way round. Which of the two it is follows from three things:

- the alias, exact to a fraction of a hertz because the camera's rate was measured first;
- the way in which the bands of a **rolling shutter** travel: rows are exposed one after another,
  so the phase grows down the picture, and an alias that runs backwards is told from one that runs
  forwards. A camera that exposes all rows at once shows no bands;
- how many bands there are: a slow light, blinking at 10 Hz, has none.

What remains open is said: ``Flicker.blind_hz`` names the light that this rate cannot see. The cure
is the same in all cases, an exposure of whole periods of the light.

Pure; called by the camera step.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mirror.markers.one_euro import Doubles

#: What lamps do on 50 and on 60 Hz mains; and those that light up at every other half wave.
LAMPS_HZ, LAME_LAMPS_HZ = (100.0, 120.0), (50.0, 60.0)
#: An alias slower than this cannot be told from clouds and from people who move.
SLOWEST_HZ = 0.7
#: Power of the flicker's line over that of an ordinary line, and its least share of brightness.
CLEAR, LEAST_SHARE = 25.0, 0.002
#: Light changes a whole picture at once, a person who moves does not: so alike (0 to 1) the
#: columns of a picture must go. Of eight columns that go as they like it is 1 in 8.
ALIKE = 0.5
#: From so many bands on, over the height of a picture, light is no slow light.
BANDS = 0.75
#: The phase of the bands must fit so well (0 to 1) for them to count.
REGULAR = 0.8
#: Fewer pictures tell nothing.
LEAST_PICTURES = 32

_FINE = 8  # lines looked at, for each one that the length of the watch can tell apart


@dataclass(frozen=True)
class Flicker:
    """light_hz: of the light, 0.0: no flicker was seen. share: its amplitude, as a share of the
    brightness. seen_hz: its alias, as it is seen. bands: of a rolling shutter over the height of
    the picture, 0.0: none. certain: no other lamp would look like this. blind_hz: lamps that
    cannot be seen at this rate."""

    light_hz: float
    share: float
    seen_hz: float
    bands: float
    certain: bool
    blind_hz: tuple[float, ...]


def alias(light_hz: float, rate_hz: float) -> float:
    """Cycles a picture, -0.5 to 0.5, by which a light seems to go on: negative: backwards."""
    cycles = light_hz / rate_hz
    return float(cycles - np.round(cycles))


def flicker(
    rows: npt.NDArray[np.float32], places: Doubles, rate_hz: float, doubt: float = 0.0
) -> Flicker:
    """Look for flicker in (N, R, C) mean brightness, 0 to 255, of R bands of rows of N pictures,
    each in C columns.

    places: (N,) which exposure of a regular camera each was; rate_hz, doubt: exposures a second,
    and by what share of it that may be wrong. See ``rhythm.places_in_time``.
    """
    blind = tuple(hz for hz in LAMPS_HZ if abs(alias(hz, rate_hz)) * rate_hz < SLOWEST_HZ)
    none = Flicker(0.0, 0.0, 0.0, 0.0, False, blind)
    if len(rows) < LEAST_PICTURES:
        return none
    waves = _waves(rows, places)
    length = float(places[-1] - places[0])
    lines = np.arange(SLOWEST_HZ / rate_hz, 0.5, 1 / (_FINE * length))
    turns = np.exp(-2j * np.pi * lines[:, None] * places)  # (K, N)
    window = np.hanning(len(places))
    columns = (turns * window) @ waves * (2 / window.sum())  # (K, R * C)
    columns = columns.reshape(len(lines), *rows.shape[1:])  # (K, R, C)
    amplitudes = columns.mean(axis=2)  # (K, R)
    power = (np.abs(amplitudes) ** 2).mean(axis=1)
    alike = power / np.maximum((np.abs(columns) ** 2).mean(axis=(1, 2)), 1e-15)
    best = int(np.where(alike < ALIKE, 0.0, power).argmax())
    share = float(np.sqrt(power[best]))
    if share < LEAST_SHARE or power[best] < CLEAR * np.median(power) or alike[best] < ALIKE:
        return none
    seen, bands = float(lines[best]), _bands(amplitudes[best])
    light_hz, certain = _lamp(seen, bands, rate_hz, 1.5 / length, 3 * doubt)
    return Flicker(light_hz, share, seen * rate_hz, abs(bands), certain, blind)


def _waves(rows: npt.NDArray[np.float32], places: Doubles) -> Doubles:
    """How much brighter or darker than usual each part is, slow changes removed: (N, R * C)."""
    logs = np.log(np.asarray(rows, np.float64) + 1.0).reshape(len(rows), -1)
    centred = (places - places.mean()) / max(1.0, np.ptp(places))
    slow = np.polynomial.polynomial.polyvander(centred, 3)  # (N, 4)
    fitted, *_ = np.linalg.lstsq(slow, logs, rcond=None)
    return np.asarray(logs - slow @ fitted)


def _bands(amplitudes: npt.NDArray[np.complex128]) -> float:
    """How many waves the flicker makes down the picture: (R,) amplitudes of its rows.

    Positive where lower rows, exposed later, are ahead: the alias runs forwards. 0.0 where rows do
    not follow one another.
    """
    weights = np.abs(amplitudes)
    height = np.arange(len(amplitudes)) / len(amplitudes)
    tries = np.arange(-8.0, 8.0, 0.05)
    fits = np.abs(np.exp(-2j * np.pi * tries[:, None] * height) @ amplitudes) / weights.sum()
    best = int(fits.argmax())
    return float(tries[best]) if fits[best] > REGULAR and abs(tries[best]) > BANDS else 0.0


def _lamp(
    seen: float, bands: float, rate_hz: float, room: float, doubt: float
) -> tuple[float, bool]:
    """Which lamp it is, and whether no other could be; otherwise the light as it is seen.

    seen: cycles a picture, 0 to 0.5. room: by how much it may be wrong, and doubt: by how much
    more for each cycle from picture to picture, because of the rate.
    """
    for lamps in (LAMPS_HZ, LAME_LAMPS_HZ):
        near = [
            hz
            for hz in lamps
            if _alike(alias(hz, rate_hz), seen, bands, room + doubt * hz / rate_hz)
        ]
        if near:
            return near[0], len(near) == 1
    return seen * rate_hz, False


def _alike(cycles: float, seen: float, bands: float, room: float) -> bool:
    """Whether an alias is the one seen, and runs the way that the bands do, if there are any."""
    forwards = cycles * bands >= 0 or 0.5 - abs(cycles) < room  # half a cycle has no direction
    return abs(abs(cycles) - seen) < room and forwards
