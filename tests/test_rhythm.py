"""The rhythm of a camera: its rate and unrest from the times at which pictures came."""

from __future__ import annotations

import numpy as np
import pytest

from calibration.rhythm import places_in_time, rhythm
from mirror.errors import SourceError
from mirror.markers.one_euro import Doubles


def arrivals(rate_hz: float, seconds: float, late_s: float, lost: float) -> tuple[Doubles, Doubles]:
    """When pictures of a regular sensor come: late by chance, some of them never; and which."""
    rng = np.random.default_rng(int(rate_hz))
    exposures = np.arange(round(rate_hz * seconds))
    exposures = exposures[rng.random(len(exposures)) >= lost]
    late = np.abs(rng.normal(0, late_s, len(exposures)))
    return 1000.0 + np.maximum.accumulate(exposures / rate_hz + late), exposures - exposures[0]


@pytest.mark.parametrize("rate_hz", [8.0, 15.0, 24.0, 25.0, 29.97, 30.0, 50.0, 60.0])
def test_the_rate_is_found_within_half_a_percent(rate_hz: float) -> None:
    times_s, _ = arrivals(rate_hz, 6.0, 0.1 / rate_hz, 0.0)
    found = rhythm(times_s, np.arange(len(times_s), dtype=float))
    assert found.rate_hz == pytest.approx(rate_hz, rel=0.005)
    assert found.sensor_hz == pytest.approx(rate_hz, rel=0.005)
    assert 0 < found.jitter_ms < 200 / rate_hz


@pytest.mark.parametrize("rate_hz", [24.0, 30.0, 60.0])
def test_lost_pictures_lower_the_rate_but_not_the_sensors(rate_hz: float) -> None:
    times_s, exposures = arrivals(rate_hz, 6.0, 0.1 / rate_hz, 0.1)
    found = rhythm(times_s, np.arange(len(times_s), dtype=float))
    assert found.rate_hz == pytest.approx(0.9 * rate_hz, rel=0.04)
    places, sensor_hz, doubt = places_in_time(times_s)
    assert sensor_hz == pytest.approx(rate_hz, rel=0.003)
    assert abs(sensor_hz / rate_hz - 1) < 5 * doubt
    assert (places == exposures).all()


def test_a_burst_at_the_beginning_does_not_count() -> None:
    times_s = np.concatenate([np.full(20, 5.0), 5.0 + np.arange(1, 150) / 30])
    assert rhythm(times_s, np.arange(len(times_s), dtype=float)).rate_hz == pytest.approx(30, 0.01)


def test_pictures_that_we_missed_ourselves_change_nothing() -> None:
    numbers = np.arange(0, 200, 2, dtype=float)
    found = rhythm(numbers / 30, numbers)
    assert found.rate_hz == pytest.approx(30.0, rel=0.001)


@pytest.mark.parametrize("count", [0, 1, 12])
def test_too_few_pictures_have_no_rhythm(count: int) -> None:
    with pytest.raises(SourceError, match="--seconds"):
        rhythm(np.arange(count) / 15, np.arange(count, dtype=float))
