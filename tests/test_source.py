"""The source: as wide as its school, on one path at any rate, never still."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from waters import ASPECT, CODE, SHAPE, WIDTH, densities, passed

from mirror.errors import ShapeError
from mirror.river import river
from mirror.river.source import FURTHEST, Density, Source, spring, walk
from mirror.river.streams import bed
from mirror.settings import RiverSettings

SETTINGS = RiverSettings()
LONE = replace(SETTINGS, source_refresh_s=10.0)
SLOW = replace(SETTINGS, source_refresh_s=20.0)


def walked(times_s: np.ndarray, settings: RiverSettings = SETTINGS, parcels: int = 12) -> Source:
    of, schools = bed(parcels), densities()
    source, _ = spring(of, schools, settings, seed=7)
    for time_s in times_s:
        source = walk(source, of, schools, settings, float(time_s))
    return source


def test_the_path_is_the_same_at_any_rate() -> None:
    ends = [walked(np.arange(1, 20 * hz + 1) / hz) for hz in (1, 24, 30, 60, 144)]
    luck = np.random.default_rng(3).random(100)
    ends.append(walked(np.cumsum(luck) * (20 / luck.sum())))
    for end in ends[1:]:
        assert end.tick == ends[0].tick
        assert np.array_equal(end.coordinates, ends[0].coordinates)
        assert np.array_equal(end.target, ends[0].target)


def test_each_parcel_and_each_seed_goes_its_own_way() -> None:
    source = walked(np.array([20.0]))
    assert len(np.unique(source.coordinates[:, 0])) == 12
    other, _ = spring(bed(12), densities(), SETTINGS, seed=8)
    assert not np.any(other.coordinates == walked(np.array([])).coordinates)


def test_the_walk_is_standard_normal_and_forgets_by_its_half_life() -> None:
    of, schools = bed(60), densities()
    source, _ = spring(of, schools, LONE, seed=2)
    path = []
    for n in range(1200):
        source = walk(source, of, schools, LONE, 10.0 * (n + 1))
        path.append(source.coordinates)
    walks = np.array(path).reshape(1200, -1)
    assert walks.mean() == pytest.approx(0, abs=0.05)
    assert walks.var() == pytest.approx(1, abs=0.05)
    after_half_life = np.mean(walks[6:] * walks[:-6])
    assert after_half_life == pytest.approx(0.5, abs=0.05)


def test_a_long_absence_changes_no_law() -> None:
    once = walked(np.array([600.0]))
    assert np.array_equal(once.target, walked(np.arange(1.0, 601.0)).target)


def test_calm_water_is_as_wide_as_its_school() -> None:
    schools = densities()
    state = river.start(SLOW, schools, seed=4, aspect=ASPECT)
    means = np.stack([schools[s].mean for s in state.stream])
    spreads = []
    for n in range(1500):
        state = river.step(state, SLOW, (), 2.0)
        if n > 200 and n % 25 == 0:
            spreads.append(((state.latent - means)[:, 3 + SHAPE : 3 + SHAPE + CODE] ** 2).mean())
    assert np.sqrt(np.mean(spreads)) == pytest.approx(1, abs=0.1)


def test_no_target_goes_beyond_its_bounds() -> None:
    school = densities()[0]
    far = np.full(school.coordinates, 50.0)
    latent = school.latent(far, 2.0) - school.mean
    assert np.allclose(latent[:3], 2 * FURTHEST * school.pose_scale)
    assert latent.shape == (WIDTH,)


def test_a_latent_is_mean_and_basis() -> None:
    school = densities()[1]
    code = np.arange(school.coordinates, dtype=np.float64) / school.coordinates
    latent = school.latent(code, 1.0)
    shape = code[3:6] @ school.shape_basis + school.mean[3 : 3 + SHAPE]
    assert np.allclose(latent[3 : 3 + SHAPE], shape, atol=1e-6)


def test_portraits_give_way_to_new_ones() -> None:
    state = river.start(SETTINGS, densities(), seed=4, aspect=ASPECT)
    later = passed(state, SETTINGS, (), 900.0, rate_hz=2)
    codes = slice(3 + SHAPE, 3 + SHAPE + CODE)
    before, after = state.latent[:, codes], later.latent[:, codes]
    likeness = np.corrcoef(before.ravel(), after.ravel())[0, 1]
    assert abs(likeness) < 0.25


def test_schools_of_different_width_are_refused() -> None:
    schools = densities()
    short = Density(
        schools[0].mean[:-1], schools[0].pose_scale, schools[0].shape_basis, np.ones(9, np.float32)
    )
    with pytest.raises(ShapeError, match="mean"):
        river.start(SETTINGS, [*schools[:5], short], seed=1, aspect=ASPECT)
    with pytest.raises(ShapeError, match="densities"):
        river.start(SETTINGS, schools[:5], seed=1, aspect=ASPECT)
    with pytest.raises(ShapeError, match="mean"):
        Density(
            schools[0].mean[:-1],
            *[getattr(schools[0], n) for n in ("pose_scale", "shape_basis", "appearance_scale")],
        )
