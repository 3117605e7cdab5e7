"""Arithmetic that gives the same bits everywhere: right, and the same at each call."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from mirror.exact import halving, left_after, normals, wave


def test_halving_is_the_power_of_two() -> None:
    counts = np.linspace(0, 60, 10_001)
    assert np.abs(halving(counts) / np.exp2(-counts) - 1).max() < 2e-11


def test_nothing_is_lost_in_no_time_and_all_in_the_end() -> None:
    assert halving(np.zeros(3)).tolist() == [1.0, 1.0, 1.0]
    assert 0 <= halving(np.array([1e9]))[0] < 1e-300
    assert left_after(139.0, 139.0) == 0.5


def test_a_short_time_loses_little_to_the_last_digit() -> None:
    lost = 1 - halving(np.array([1e-6]))[0]
    assert lost == pytest.approx(np.log(2) * 1e-6, rel=1e-6)


def test_the_wave_is_a_sine_and_comes_back() -> None:
    turns = np.linspace(-3, 3, 6001)
    assert np.abs(wave(turns) - np.sin(2 * np.pi * turns)).max() < 0.002
    assert np.allclose(wave(turns + 7), wave(turns), atol=1e-12)


def test_the_wave_has_no_kink() -> None:
    slope = np.diff(wave(np.linspace(-1, 1, 20_001))) * 10_000
    assert np.abs(np.diff(slope)).max() < 0.01


def test_normals_are_normal_and_bounded() -> None:
    lot = normals(5, (9, 0), (4000, 50))
    assert abs(lot.mean()) < 0.01
    assert lot.std() == pytest.approx(1, abs=0.01)
    assert np.abs(lot).max() < 4.9
    assert np.mean(lot**3) == pytest.approx(0, abs=0.03)


def test_normals_are_sums_of_philox_s_own_numbers_in_any_thread() -> None:
    """Whatever was drawn before: the generator is used again, and belongs to its thread."""
    raw = np.random.Philox(key=[7, 0], counter=[0, 0, 9, 4]).random_raw(2 * 6)
    wanted = raw.astype("<u8").view("<u2").reshape(2, 3, 8).sum(axis=2) - 8 * 32767.5
    with ThreadPoolExecutor(3) as pool:
        drawn = list(pool.map(lambda _: [normals(7, (9, 4), (2, 3)) for _ in range(50)], range(6)))
    for lot in (lot for each in drawn for lot in each):
        assert lot == pytest.approx(wanted / 53509.92, rel=1e-12)
        assert np.array_equal(lot, drawn[0][0])


def test_normals_depend_on_seed_and_counter_alone() -> None:
    first = normals(5, (9, 0), (2, 3))
    assert np.array_equal(first, normals(5, (9, 0), (2, 3)))
    assert not np.any(first == normals(6, (9, 0), (2, 3)))
    assert not np.any(first == normals(5, (10, 0), (2, 3)))
    assert not np.any(first == normals(5, (9, 1), (2, 3)))
