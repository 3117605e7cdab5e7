"""Who is there: made-up faces come, flicker, cross, jump and go, at many frame rates."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator

import numpy as np
import pytest

from mirror import MARKERS
from mirror.errors import ShapeError
from mirror.markers.sitters import SitterTracker
from mirror.settings import MarkerSettings
from mirror.signals import Floats, Sitter, Sitters

ASPECT = 16 / 9
SETTINGS = MarkerSettings()
RATES_HZ = (10, 15, 24, 30, 60)
Faces = Callable[[float], list[Floats]]


def face(x: float, y: float = 0.5, height: float = 0.3) -> Floats:
    """A face whose middle is at (x, y) and whose height is given, all in picture heights."""
    grid = np.random.default_rng(3).uniform(-0.5, 0.5, (MARKERS, 3)) * (0.8, 1.0, 0.5)
    grid[0, :2], grid[1, :2] = (-0.4, -0.5), (0.4, 0.5)  # so that its box is known
    markers = (grid * height + (x, y, 0)) / (ASPECT, 1, ASPECT)
    return markers.astype(np.float32)


def middle(sitter: Sitter) -> np.ndarray:
    """The middle of a sitter's face, picture heights."""
    low, high = sitter.markers[:, :2].min(axis=0), sitter.markers[:, :2].max(axis=0)
    return (low + high) / 2 * (sitter.aspect, 1)


def regular(rate_hz: float, length_s: float, start_s: float = 100.0) -> Iterator[float]:
    return (start_s + n / rate_hz for n in range(round(length_s * rate_hz) + 1))


def film(
    faces: Faces, times_s: Iterable[float], settings: MarkerSettings = SETTINGS
) -> list[Sitters]:
    """What the tracker says about faces(t), at each of the times; t counts from the first."""
    tracker, seen, first_s = SitterTracker(settings), [], None
    for time_s in times_s:
        first_s = time_s if first_s is None else first_s
        seen.append(tracker.update(faces(time_s - first_s), ASPECT, time_s))
    return seen


def visits(seen: list[Sitters]) -> dict[int, list[float]]:
    """id -> arrival and, if it came, leaving; seconds from the first moment."""
    found: dict[int, list[float]] = {}
    for now in seen:
        for id_ in now.arrived:
            assert id_ not in found
            found[id_] = [now.time_s - seen[0].time_s]
        for id_ in now.left:
            found[id_].append(now.time_s - seen[0].time_s)
    return found


@pytest.mark.parametrize("rate_hz", RATES_HZ)
def test_a_visit_is_the_same_at_every_frame_rate(rate_hz: int) -> None:
    seen = film(lambda t: [face(0.9)] if 1 <= t < 5 else [], regular(rate_hz, 8))
    ((arrived_s, left_s),) = visits(seen).values()
    step_s = 1 / rate_hz
    assert 1 + SETTINGS.arrive_s - 1e-6 <= arrived_s <= 1 + SETTINGS.arrive_s + step_s + 1e-6
    assert 5 + SETTINGS.leave_s - step_s - 1e-6 <= left_s <= 5 + SETTINGS.leave_s + step_s + 1e-6


def test_a_visit_is_the_same_at_irregular_steps() -> None:
    times_s = 100 + np.cumsum(np.random.default_rng(5).uniform(0.01, 0.12, 150))
    seen = film(lambda t: [face(0.9)] if 1 <= t < 5 else [], times_s.tolist())
    ((arrived_s, left_s),) = visits(seen).values()
    assert 1 + SETTINGS.arrive_s - 0.01 <= arrived_s <= 1.7
    assert 5 + SETTINGS.leave_s - 0.12 <= left_s <= 5 + SETTINGS.leave_s + 0.13


@pytest.mark.parametrize("rate_hz", (15, 24, 30, 60))
def test_a_flickering_detection_is_one_visit(rate_hz: int) -> None:
    rng = np.random.default_rng(11)
    seen = film(lambda t: [face(0.9)] if rng.random() < 0.6 else [], regular(rate_hz, 30))
    assert list(visits(seen)) == [1]
    assert visits(seen)[1][0] < 3
    assert all(len(now.sitters) == 1 for now in seen if now.time_s > 103)


@pytest.mark.parametrize("rate_hz", RATES_HZ)
def test_half_a_second_hidden_behind_a_hand_is_one_visit(rate_hz: int) -> None:
    hidden = film(lambda t: [] if t % 1.5 < 0.5 else [face(0.9)], regular(rate_hz, 20))
    assert list(visits(hidden)) == [1]


@pytest.mark.parametrize("rate_hz", RATES_HZ)
def test_a_false_face_of_a_moment_never_arrives(rate_hz: int) -> None:
    once = film(lambda t: [face(0.4)] if 1 <= t < 1.19 else [], regular(rate_hz, 4))
    rarely = film(lambda t: [face(0.4)] if t % 1.0 < 0.11 else [], regular(rate_hz, 30))
    assert visits(once) == visits(rarely) == {}


def test_two_sightings_do_not_make_a_visit_however_far_apart_they_are() -> None:
    seen = film(lambda t: [face(0.9)], [100.0, 100.7])
    assert visits(seen) == {}


def test_a_lost_face_is_held_and_its_presence_falls_to_nothing() -> None:
    seen = film(lambda t: [face(0.9 + 0.1 * min(t, 2))] if t < 2 else [], regular(30, 3))
    lost = [now for now in seen if now.time_s > 102.01 and now.sitters]
    held = [now.sitters[0] for now in lost]
    for sitter in held:
        np.testing.assert_array_equal(sitter.markers, held[0].markers)
    assert all(a.presence > b.presence for a, b in zip(held, held[1:]))
    assert all(a.motion > b.motion for a, b in zip(held, held[1:]))
    assert held[0].presence > 0.9
    assert held[-1].presence < 0.1
    assert seen[-1].sitters == ()


def test_presence_rises_from_nothing_to_all() -> None:
    presences = [
        s.presence for now in film(lambda t: [face(0.9)], regular(30, 3)) for s in now.sitters
    ]
    assert presences[0] == 0
    assert presences[-1] == 1
    assert presences == sorted(presences)


def test_ids_count_up_and_are_not_used_again() -> None:
    seen = film(lambda t: [face(0.9)] if t % 3 < 1.5 else [], regular(30, 12))
    assert list(visits(seen)) == [1, 2, 3, 4]


def test_a_camera_that_was_gone_for_a_minute_finds_another_sitter() -> None:
    times_s = [*regular(30, 2), *regular(30, 2, start_s=162)]
    seen = film(lambda t: [face(0.9)], times_s)
    ((_, left_s), (arrived_s,)) = visits(seen).values()
    assert left_s == pytest.approx(62)
    assert arrived_s == pytest.approx(62 + SETTINGS.arrive_s, abs=0.04)


def test_a_clock_that_jumps_far_back_lets_everybody_leave() -> None:
    seen = film(lambda t: [face(0.9)], [*regular(30, 2), *regular(30, 2, start_s=10)])
    assert [now.time_s for now in seen if now.left] == [10]
    assert [id_ for now in seen for id_ in now.arrived] == [1, 2]


def test_a_late_frame_changes_no_visit() -> None:
    times_s = [time_s - (0.05 if n % 7 == 3 else 0) for n, time_s in enumerate(regular(30, 5))]
    assert list(visits(film(lambda t: [face(0.9)], times_s))) == [1]


@pytest.mark.parametrize("rate_hz", (10, 30, 60))
@pytest.mark.parametrize("speed", (0.25, 0.4, 1.0))
def test_sitters_who_cross_keep_their_ids(rate_hz: int, speed: float) -> None:
    """Two walk past each other; while they overlap only one is detected; their order is random."""
    rng = np.random.default_rng(2)

    def crossing(t: float) -> list[Floats]:
        way = speed * max(0.0, t - 1.0)
        left, right = 0.4 + way, 1.4 - way
        faces = [face(left, 0.48, 0.24), face(right, 0.52, 0.28)]
        faces = faces[1:] if abs(left - right) < 0.08 else faces
        return [faces[n] for n in rng.permutation(len(faces))]

    seen = film(crossing, regular(rate_hz, 1 + 0.9 / speed))
    assert sorted(visits(seen)) == [1, 2]
    first = {s.id: middle(s)[0] for now in seen[: rate_hz // 2 + 2] for s in now.sitters}
    last = {s.id: middle(s)[0] for s in seen[-1].sitters}
    came_from_left = min(first, key=lambda id_: first[id_])
    assert last[came_from_left] > last[3 - came_from_left] + 0.5


def test_two_who_stand_still_keep_their_ids_in_any_order() -> None:
    rng = np.random.default_rng(4)
    faces = [face(0.5), face(1.2)]
    seen = film(lambda t: [faces[n] for n in rng.permutation(2)], regular(30, 5))
    places = {s.id: round(float(middle(s)[0]), 2) for now in seen for s in now.sitters}
    for now in seen:
        assert all(middle(s)[0] == pytest.approx(places[s.id], abs=0.01) for s in now.sitters)
    assert len(seen[-1].sitters) == 2


def test_a_face_that_appears_far_from_one_that_was_lost_is_a_new_sitter() -> None:
    seen = film(lambda t: [face(0.3)] if t < 2 else [face(1.4)], regular(30, 5))
    assert list(visits(seen)) == [1, 2]
    assert len(visits(seen)[1]) == 2


def test_a_face_that_appears_much_larger_in_the_same_place_is_a_new_sitter() -> None:
    seen = film(lambda t: [face(0.9, 0.5, 0.12 if t < 2 else 0.4)], regular(30, 5))
    assert list(visits(seen)) == [1, 2]


def test_somebody_who_walks_by_quickly_is_one_sitter() -> None:
    seen = film(
        lambda t: [face(0.2 + 1.2 * (t - 1), 0.5, 0.2)] if 1 < t < 2.2 else [], regular(10, 5)
    )
    assert list(visits(seen)) == [1]


def test_a_face_found_twice_is_one_sitter() -> None:
    twice = film(lambda t: [face(0.9), face(0.93, 0.52, 0.28)], regular(30, 3))
    assert list(visits(twice)) == [1]
    assert max(len(now.sitters) for now in twice) == 1


def test_no_more_sitters_than_are_allowed() -> None:
    five = [face(0.15 + 0.35 * n, 0.5, 0.2) for n in range(5)]
    assert len(film(lambda t: five, regular(30, 2))[-1].sitters) == 4
    one = film(lambda t: five, regular(30, 2), MarkerSettings(sitters=1))
    assert [now for now in one if len(now.sitters) > 1] == []
    assert len(one[-1].sitters) == 1


@pytest.mark.parametrize("rate_hz", (15, 30, 60))
def test_motion_is_told_in_face_heights_a_second(rate_hz: int) -> None:
    walking = film(lambda t: [face(0.3 + 0.3 * t, 0.5, 0.3)], regular(rate_hz, 3))
    assert walking[-1].sitters[0].motion == pytest.approx(1.0, rel=0.05)
    rng = np.random.default_rng(8)

    def trembling(t: float) -> list[Floats]:
        noise = rng.normal(0, 0.0017 * 0.3, (MARKERS, 3)).astype(np.float32)
        return [face(0.9) + noise]

    still = film(trembling, regular(rate_hz, 3))
    assert still[-1].sitters[0].motion < 0.04


def test_a_far_face_is_filtered_like_a_near_one() -> None:
    def path(scale: float) -> np.ndarray:
        seen = film(
            lambda t: [face(0.9 + 0.2 * scale * math.sin(3 * t), 0.5, 0.4 * scale)],
            regular(30, 3),
            MarkerSettings(arrive_s=0.0),
        )
        return np.array([(middle(now.sitters[0])[0] - 0.9) / scale for now in seen])

    np.testing.assert_allclose(path(1.0), path(0.125), atol=1e-4)


@pytest.mark.parametrize("rate_hz", (15, 30, 60))
def test_a_moving_face_lags_by_less_than_a_frame(rate_hz: int) -> None:
    seen = film(lambda t: [face(0.3 + 0.3 * t, 0.5, 0.3)], regular(rate_hz, 2))
    behind_s = (0.9 - middle(seen[-1].sitters[0])[0]) / 0.3
    assert 0 <= behind_s < 1 / rate_hz


def test_a_still_face_trembles_less_than_half_as_much_as_it_was_found() -> None:
    rng = np.random.default_rng(9)
    noise = rng.normal(0, 0.0017 * 0.3, (91, MARKERS, 3)).astype(np.float32)
    found = iter([face(0.9) + one for one in noise])
    seen = film(lambda t: [next(found)], regular(30, 3))
    calm = np.array([now.sitters[0].markers for now in seen[30:]])
    assert calm.std(axis=0).mean() < 0.4 * noise[30:].std(axis=0).mean()


def test_looking_at_nobody_in_another_shape_of_picture_moves_no_sitter() -> None:
    tracker = SitterTracker(SETTINGS)
    for time_s in regular(30, 1):
        before = tracker.update([face(0.9)], ASPECT, time_s)
    after = tracker.update([], 1.0, 101.2)
    np.testing.assert_array_equal(before.sitters[0].markers, after.sitters[0].markers)
    assert after.sitters[0].aspect == ASPECT


def test_markers_of_another_shape_are_an_error() -> None:
    with pytest.raises(ShapeError, match="faces"):
        SitterTracker(SETTINGS).update([np.zeros((468, 3), np.float32)], ASPECT, 0.0)
    with pytest.raises(ShapeError, match="float32"):
        SitterTracker(SETTINGS).update([np.zeros((MARKERS, 3))], ASPECT, 0.0)
