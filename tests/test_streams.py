"""The bed: six streams that never cross, no visible seam, and true neighbours."""

from __future__ import annotations

import numpy as np
import pytest

from mirror.river.streams import (
    HIDDEN,
    STREAMS,
    TURNS,
    bed,
    first_places,
    nearness,
    neighbours,
    positions,
)

ASPECTS = (0.3, 9 / 16, 0.79, 0.81, 1.0, 16 / 9, 32 / 9, 16 / 3)
TIMES_S = (0.0, 33.3, 1000.0, 3.1e7)
PLACES = np.linspace(0, 1, 401)


def course(stream: int, time_s: float, aspect: float) -> np.ndarray:
    return positions(np.full(len(PLACES), stream), PLACES, time_s, aspect)


@pytest.mark.parametrize("aspect", ASPECTS)
def test_the_loop_closes_beyond_both_borders(aspect: float) -> None:
    tall = aspect < 0.8
    line = course(2, 50.0, aspect)
    along, length = line[:, int(tall)], 1.0 if tall else aspect
    assert along[0] == pytest.approx(-HIDDEN, abs=1e-5)
    assert along[-1] == pytest.approx(length + HIDDEN, abs=1e-5)
    assert np.all(np.diff(along) > 0)  # downstream, never back


@pytest.mark.parametrize("aspect", ASPECTS)
@pytest.mark.parametrize("time_s", TIMES_S)
def test_streams_stay_on_the_screen_and_never_cross(aspect: float, time_s: float) -> None:
    across = np.stack([course(s, time_s, aspect)[:, int(aspect >= 0.8)] for s in range(STREAMS)])
    breadth = aspect if aspect < 0.8 else 1.0
    assert across.min() > 0.05 * breadth
    assert across.max() < 0.95 * breadth
    assert np.diff(across, axis=0).min() > 0.08 * breadth


def test_streams_meander_in_place_and_in_time() -> None:
    line = course(3, 0.0, 16 / 9)[:, 1]
    assert np.ptp(line) > 0.04
    later = course(3, 30.0, 16 / 9)[:, 1]
    assert np.abs(later - line).max() > 0.01


@pytest.mark.parametrize("time_s", TIMES_S)
def test_a_drawn_step_moves_no_parcel_visibly(time_s: float) -> None:
    stream, place = np.arange(6), np.linspace(0.1, 0.9, 6)
    now = positions(stream, place, time_s, 16 / 9)
    then = positions(stream, place, time_s + 1 / 30, 16 / 9)
    assert np.abs(then - now).max() < 0.001


def test_the_course_has_no_corner() -> None:
    line = course(1, 12.0, 16 / 9).astype(np.float64)
    bend = np.diff(line[:, 1], 2) / np.diff(line[:, 0])[1:] ** 2
    assert np.abs(bend).max() < 3.0  # a corner would show as hundreds


def test_parcels_are_shared_out_evenly() -> None:
    assert bed(96).counts == [16] * 6
    assert bed(100).counts == [17, 17, 17, 17, 16, 16]
    assert bed(6).counts == [1] * 6


def test_first_places_fill_each_stream_without_a_grid() -> None:
    of = bed(96)
    places = first_places(of, seed=3).reshape(6, 16)
    assert places.min() >= 0
    assert places.max() < 1
    gaps = np.diff(np.sort(places, axis=1), axis=1) * 16
    assert gaps.min() > 0.2
    assert gaps.max() < 2
    assert gaps.std() > 0.05
    assert not np.array_equal(places.ravel(), first_places(of, seed=4))


@pytest.mark.parametrize("parcels", [6, 7, 12, 17, 18, 30, 96, 101])
def test_pairs_hold_no_parcel_twice(parcels: int) -> None:
    of = bed(parcels)
    for turn in range(TURNS):
        a, b = neighbours(of, first_places(of, 1), turn)
        both = np.concatenate([a, b])
        assert len(np.unique(both)) == len(both)
        assert np.all((both >= 0) & (both < parcels))


def test_every_parcel_meets_all_its_neighbours() -> None:
    of, met = bed(96), np.zeros(96, int)
    for turn in range(TURNS):
        for pair in neighbours(of, first_places(of, 1), turn):
            met[pair] += 1
    assert met.reshape(6, 16).tolist() == [[3] * 16, *[[4] * 16] * 4, [3] * 16]


@pytest.mark.parametrize("seed", range(5))
def test_neighbours_are_beside_each_other(seed: int) -> None:
    of = bed(96)
    luck = np.random.default_rng(seed)
    place = first_places(of, seed) + luck.random(6)[of.stream]  # streams drift apart
    place -= np.floor(place)
    for turn in range(TURNS):
        a, b = neighbours(of, place, turn)
        gap = np.abs(place[a] - place[b])
        gap = np.minimum(gap, 1 - gap) * 16  # in spacings
        assert np.all(np.abs(of.stream[a] - of.stream[b]) == (turn >= 2))
        assert gap.max() < (1.9 if turn < 2 else 1.3)


def test_nearness_falls_from_one_to_nothing() -> None:
    where = np.stack([np.linspace(0, 1, 101), np.zeros(101)], axis=1).astype(np.float32)
    near = nearness(where, np.zeros(2, np.float32), reach=0.4)
    assert near[0] == 1
    assert np.all(np.diff(near) <= 0)
    assert near[59] > 0
    assert np.all(near[61:] == 0)
