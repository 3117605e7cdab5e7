"""The filter for a site: as calm as it must be, as quick as it can be."""

from __future__ import annotations

import numpy as np
import pytest
from rooms import empty_room, somebody

from calibration.looking import Looker
from calibration.steadying import CALM, CUTOFFS_HZ, Steadied, steady, tremor
from mirror.markers.one_euro import Doubles
from mirror.settings import MarkerSettings
from mirror.signals import Floats, Frame

RATE_HZ, COUNT = 30.0, 120
TIMES_S = np.arange(COUNT) / RATE_HZ


def noisy_markers(face: Floats, noise: float, drift: float = 0.0) -> Doubles:
    """Markers of a face 1 high, trembling by chance, and swaying: (COUNT, 478, 2)."""
    rng = np.random.default_rng(4)
    points = face[:, :2].astype(np.float64)
    points = (points - points.mean(axis=0)) / np.ptp(points[:, 1])
    sway = drift * np.sin(2 * np.pi * 0.3 * TIMES_S)[:, None, None]
    return points + sway + rng.normal(0, noise, (COUNT, len(points), 2))


def steadied(markers: Doubles) -> Steadied:
    found = steady(TIMES_S, markers, np.ones(COUNT), MarkerSettings())
    assert found is not None
    return found


def test_more_noise_gets_a_calmer_filter(face: Floats) -> None:
    noises = (0.0005, 0.0018, 0.003)
    found = [steadied(noisy_markers(face, noise)) for noise in noises]
    cutoffs = [each.min_cutoff_hz for each in found]
    assert cutoffs[0] == CUTOFFS_HZ[0]
    assert cutoffs == sorted(cutoffs, reverse=True)
    assert cutoffs[-1] < cutoffs[0]
    for noise, each in zip(noises, found):
        assert each.raw == pytest.approx(noise * np.sqrt(2), rel=0.15)
        assert each.enough
        assert each.calmed <= CALM


def test_noise_beyond_every_filter_is_not_called_calm(face: Floats) -> None:
    found = steadied(noisy_markers(face, 0.02))
    assert not found.enough
    assert found.calmed < found.raw


def test_movement_that_no_filter_calms_does_not_make_the_mirror_drag(face: Floats) -> None:
    """Somebody who nods a little, three times a second: slower than any filter here takes away."""
    nod = 0.006 * np.sin(2 * np.pi * 3.0 * TIMES_S)[:, None, None]
    found = steadied(noisy_markers(face, 0.0005) + nod)
    assert not found.enough
    assert found.min_cutoff_hz > min(CUTOFFS_HZ)


def test_the_sway_of_somebody_who_stands_is_no_tremor(face: Floats) -> None:
    still, swaying = (tremor(TIMES_S, noisy_markers(face, 0.001, by)) for by in (0.0, 0.01))
    assert swaying == pytest.approx(still, rel=0.25)


def test_the_stillest_moment_counts(face: Floats) -> None:
    """Somebody walks up, stands for two seconds and a half, and leaves."""
    markers = noisy_markers(face, 0.001)
    walk = np.concatenate([np.linspace(1, 0, 20), np.zeros(80), np.linspace(0, 1, 20)])
    assert steadied(markers + walk[:, None, None]).moved < 0.01
    assert steadied(markers + np.linspace(0, 2, COUNT)[:, None, None]).moved > 0.5


def test_a_moment_is_too_short(face: Floats) -> None:
    markers = noisy_markers(face, 0.001)[:10]
    assert steady(TIMES_S[:10], markers, np.ones(10), MarkerSettings()) is None


def test_a_real_face_before_a_noisy_sensor_trembles_more() -> None:
    rng = np.random.default_rng(1)
    picture = somebody(empty_room(640, 480), 0.5, 0.55, 0.6)
    raw = []
    for noise in (1.0, 14.0):
        with Looker(MarkerSettings()) as looker:
            for number in range(28):
                shot = np.clip(picture + rng.normal(0, noise, picture.shape), 0, 255)
                looker.look(Frame(shot.astype(np.uint8), number, number / RATE_HZ))
        times_s = np.array([sight.time_s for sight in looker.sights])
        points = np.array([sight.markers for sight in looker.sights])
        raw.append(tremor(times_s, points / looker.sights[0].height_px))
    assert raw[1] > 1.5 * raw[0]
