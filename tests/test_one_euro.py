"""The One Euro filter against its authors' own package, and what time does to it."""

from __future__ import annotations

import numpy as np
import pytest
from OneEuroFilter import OneEuroFilter

from mirror.markers import one_euro


def walk(count: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    """Irregular times (count,) from 1 s on, and a noisy movement (count, width)."""
    rng = np.random.default_rng(7)
    times_s = 1.0 + np.cumsum(rng.uniform(0.004, 0.12, count))
    steps = rng.normal(0, 1, (count, width)) * (rng.random((count, 1)) < 0.3)
    return times_s, np.cumsum(steps, axis=0) + rng.normal(0, 0.05, (count, width))


def filtered(
    times_s: np.ndarray,
    values: np.ndarray,
    settings: tuple[float, float, float],
    unit: float = 1.0,
) -> np.ndarray:
    now = one_euro.begin(values[0], float(times_s[0]))
    path = [now.value]
    for time_s, value in zip(times_s[1:], values[1:]):
        now = one_euro.follow(now, value, float(time_s), *settings, unit=unit)
        path.append(now.value)
    return np.array(path)


@pytest.mark.parametrize("settings", [(1.0, 10.0, 4.0), (1.7, 0.0, 1.0), (0.05, 100.0, 30.0)])
def test_it_gives_what_the_authors_package_gives(settings: tuple[float, float, float]) -> None:
    times_s, values = walk(300, 5)
    ours = filtered(times_s, values, settings)
    for channel in range(values.shape[1]):
        theirs = OneEuroFilter(30.0, settings[0], settings[1], settings[2])
        path = [theirs(float(x), float(t)) for t, x in zip(times_s, values[:, channel])]
        np.testing.assert_allclose(ours[:, channel], path, rtol=1e-9, atol=1e-9)


def test_an_array_of_any_shape_is_filtered_number_by_number() -> None:
    times_s, values = walk(40, 12)
    flat = filtered(times_s, values, (1.0, 10.0, 4.0))
    shaped = filtered(times_s, values.reshape(40, 4, 3), (1.0, 10.0, 4.0))
    np.testing.assert_array_equal(flat.reshape(40, 4, 3), shaped)


def test_in_units_of_its_own_size_a_small_movement_is_filtered_like_a_large_one() -> None:
    times_s, values = walk(80, 3)
    large = filtered(times_s, values, (1.0, 10.0, 4.0), unit=1.0)
    small = filtered(times_s, values / 16, (1.0, 10.0, 4.0), unit=1 / 16)
    np.testing.assert_allclose(small * 16, large, rtol=1e-12, atol=1e-12)


def test_a_time_that_does_not_advance_changes_nothing() -> None:
    start = one_euro.begin(np.zeros(3), 5.0)
    assert one_euro.follow(start, np.ones(3), 5.0, 1.0, 1.0, 1.0) is start
    assert one_euro.follow(start, np.ones(3), 4.0, 1.0, 1.0, 1.0) is start


def test_after_a_long_pause_it_starts_where_the_input_is() -> None:
    late = one_euro.follow(one_euro.begin([0.0], 0.0), [1.0], 60.0, 1.0, 10.0, 4.0)
    assert late.value[0] == pytest.approx(1.0, abs=0.01)


def test_what_was_known_before_is_not_overwritten() -> None:
    values = np.zeros(4)
    start = one_euro.begin(values, 0.0)
    values += 1
    one_euro.follow(start, values, 0.1, 1.0, 10.0, 4.0)
    np.testing.assert_array_equal(start.value, np.zeros(4))
    np.testing.assert_array_equal(start.speed, np.zeros(4))
