"""Light that flickers: found at the frequency put in, as far as a camera's rate allows."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from calibration.flicker import alias, flicker
from mirror.markers.one_euro import Doubles


def lit_rows(
    light_hz: float, rate_hz: float, depth: float = 0.05, readout: float = 0.8, moves: bool = True
) -> tuple[npt.NDArray[np.float32], Doubles]:
    """Five seconds of a wall under a lamp, with a sensor's noise, and somebody who sways.

    readout: of a rolling shutter, as a share of the time between two pictures; 0: all at once.
    """
    rng = np.random.default_rng(5)
    places = np.arange(round(5 * rate_hz), dtype=float)
    times_s, down = places / rate_hz, np.arange(48) / 48
    phase = 2 * np.pi * light_hz * (times_s[:, None] + down * readout / rate_hz)
    lamp = 100 * (1 + 0.3 * np.sin(7 * down)) * (1 + depth * np.sin(phase))  # (N, R)
    rows = lamp[..., None] * (1 + rng.normal(0, 0.003, (len(places), 48, 8)))
    if moves:
        rows[:, 10:40, 2:5] *= 1 + 0.3 * np.sin(2 * np.pi * 1.3 * times_s)[:, None, None]
    return rows.astype(np.float32), places


@pytest.mark.parametrize(
    ("light_hz", "rate_hz", "readout"),
    [
        (100.0, 30.0, 0.8), (100.0, 30.0, 0.0), (100.0, 29.97, 0.8), (100.0, 24.0, 0.0),
        (100.0, 60.0, 0.8), (120.0, 25.0, 0.8), (120.0, 25.0, 0.0),
        # At 27.5 a second both look like 10 Hz: only the way the bands travel tells them apart.
        (100.0, 27.5, 0.8), (120.0, 27.5, 0.8),
        # A lamp that lights up at every other half wave.
        (50.0, 30.0, 0.8), (60.0, 25.0, 0.8),
    ],
)  # fmt: skip
def test_the_light_is_found_at_the_frequency_put_in(
    light_hz: float, rate_hz: float, readout: float
) -> None:
    rows, places = lit_rows(light_hz, rate_hz, readout=readout)
    found = flicker(rows, places, rate_hz)
    assert (found.light_hz, found.certain) == (light_hz, True)
    assert found.share == pytest.approx(0.05, rel=0.1)
    assert found.seen_hz == pytest.approx(abs(alias(light_hz, rate_hz)) * rate_hz, abs=0.1)
    assert found.bands == pytest.approx(readout * light_hz / rate_hz, abs=0.15)


@pytest.mark.parametrize(("light_hz", "rate_hz"), [(120.0, 30.0), (100.0, 25.0), (120.0, 24.0)])
def test_light_that_a_rate_cannot_see_is_named(light_hz: float, rate_hz: float) -> None:
    found = flicker(*lit_rows(light_hz, rate_hz), rate_hz)
    assert found.light_hz == 0.0
    assert light_hz in found.blind_hz


def test_without_bands_two_lamps_of_one_alias_are_not_told_apart() -> None:
    found = flicker(*lit_rows(120.0, 27.5, readout=0.0), 27.5)
    assert found.light_hz in (100.0, 120.0)
    assert not found.certain


def test_a_light_that_pulses_slowly_is_taken_for_what_it_is() -> None:
    found = flicker(*lit_rows(7.0, 30.0), 30.0)
    assert found.light_hz == pytest.approx(7.0, abs=0.05)
    assert not found.certain


@pytest.mark.parametrize("rate_hz", [15.0, 25.0, 30.0, 60.0])
def test_somebody_who_moves_in_steady_light_is_no_flicker(rate_hz: float) -> None:
    assert flicker(*lit_rows(100.0, rate_hz, depth=0.0), rate_hz).light_hz == 0.0


def test_pictures_that_got_lost_do_not_matter() -> None:
    rows, places = lit_rows(100.0, 30.0)
    kept = np.random.default_rng(2).random(len(places)) > 0.2
    assert flicker(rows[kept], places[kept], 30.0).light_hz == 100.0


def test_a_moment_is_too_short() -> None:
    rows, places = lit_rows(100.0, 30.0)
    assert flicker(rows[:20], places[:20], 30.0).light_hz == 0.0
