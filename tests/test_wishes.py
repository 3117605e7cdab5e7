"""Wishes: what is missed most is painted first, and nothing is painted twice for nothing."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import numpy as np
import pytest

from mirror import SCHOOLS
from mirror.clock import MonotonicClock, SteppedClock
from mirror.faces import FaceModel
from mirror.faces.wardrobe import Dress
from mirror.latents.latents import APPEARANCE
from mirror.painting.painter import Painted, Studio
from mirror.painting.wishes import (
    HARDLY_SEEN,
    JOBS_AT_ONCE,
    PAINTED_A_STEP,
    STALE,
    Wishes,
    Workshop,
)
from mirror.signals import Floats

#: Two parcels of each school.
STREAM = np.repeat(np.arange(6), 2)
PARCELS = len(STREAM)


def codes(seed: int = 1, length: float = 7.0) -> Floats:
    drawn = np.random.default_rng(seed).normal(size=(PARCELS, APPEARANCE))
    drawn *= length / np.linalg.norm(drawn, axis=1, keepdims=True)
    return drawn.astype(np.float32)


def turned(code: Floats, share: float) -> Floats:
    """A code moved by a share of its length, its length kept (for small shares)."""
    aside = np.roll(code, 1) * np.where(np.arange(APPEARANCE) % 2, 1, -1)
    aside -= code * (aside @ code) / (code @ code)
    return (code + share * np.linalg.norm(code) * aside / np.linalg.norm(aside)).astype(np.float32)


def anybody(school: str) -> bool:
    return school in SCHOOLS


def fulfil(wishes: Wishes, wanted: Floats) -> None:
    """Everything is painted as it is wanted now."""
    blank = np.zeros((256, 256, 4), np.uint8)
    for each in wishes.jobs(wanted, np.ones(PARCELS, np.float32), anybody, PARCELS):
        wishes.fulfil(Painted(each, blank, 1.0))


@pytest.fixture
def wishes() -> Wishes:
    return Wishes(SCHOOLS, STREAM)


@pytest.fixture
def seen() -> Floats:
    """How well each parcel is seen: the last one best."""
    return np.linspace(0.0, 1.0, PARCELS, dtype=np.float32)


def test_at_first_everything_is_missed_the_best_seen_most(wishes: Wishes, seen: Floats) -> None:
    jobs = wishes.jobs(codes(), seen, anybody, PARCELS)
    assert [job.slot for job in jobs] == list(range(PARCELS))[::-1]
    assert [job.school for job in jobs] == [SCHOOLS[s] for s in STREAM[::-1]]
    assert all((job.code == codes()[job.slot]).all() for job in jobs)


def test_no_more_jobs_than_asked_for(wishes: Wishes, seen: Floats) -> None:
    assert len(wishes.jobs(codes(), seen, anybody, 3)) == 3
    assert wishes.jobs(codes(), seen, anybody, 0) == []


def test_what_is_painted_is_not_missed(wishes: Wishes, seen: Floats) -> None:
    fulfil(wishes, codes())
    assert wishes.jobs(codes(), seen, anybody, PARCELS) == []


def test_a_painting_is_renewed_when_its_appearance_has_moved(wishes: Wishes, seen: Floats) -> None:
    fulfil(wishes, codes())
    now = codes()
    now[4], now[7] = turned(now[4], 0.9 * STALE), turned(now[7], 1.2 * STALE)
    assert [job.slot for job in wishes.jobs(now, seen, anybody, PARCELS)] == [7]


def test_slow_drift_is_renewed_in_the_end(wishes: Wishes, seen: Floats) -> None:
    fulfil(wishes, codes())
    now, steps = codes(), 0
    while not wishes.jobs(now, seen, anybody, PARCELS):
        now[3], steps = turned(now[3], 0.1 * STALE), steps + 1
        assert steps < 40
    assert steps > 5


def test_of_two_alike_the_better_seen_comes_first(wishes: Wishes) -> None:
    fulfil(wishes, codes())
    now, opacity = codes(), np.zeros(PARCELS, np.float32)
    now[2], now[9] = turned(now[2], 0.3), turned(now[9], 0.3)
    opacity[9] = 0.8
    assert [job.slot for job in wishes.jobs(now, opacity, anybody, PARCELS)] == [9, 2]


def test_of_two_equally_seen_the_more_changed_comes_first(wishes: Wishes, seen: Floats) -> None:
    fulfil(wishes, codes())
    now = codes()
    now[2], now[9] = turned(now[2], 0.5), turned(now[9], 0.2)
    jobs = wishes.jobs(now, np.ones(PARCELS, np.float32), anybody, PARCELS)
    assert [job.slot for job in jobs] == [2, 9]


def test_what_nobody_sees_is_painted_when_nothing_else_is_missed(wishes: Wishes) -> None:
    jobs = wishes.jobs(codes(), np.zeros(PARCELS, np.float32), anybody, PARCELS)
    assert len(jobs) == PARCELS


def test_a_resting_school_is_passed_over_without_taking_a_place(
    wishes: Wishes, seen: Floats
) -> None:
    jobs = wishes.jobs(codes(), seen, lambda school: school != "stone", 4)
    assert len(jobs) == 4
    assert "stone" not in [job.school for job in jobs]


def test_a_job_keeps_its_code_when_the_river_flows_on(wishes: Wishes, seen: Floats) -> None:
    now = codes()
    (job,) = wishes.jobs(now, seen, anybody, 1)
    now[:] = 0
    assert np.linalg.norm(job.code) > 1


def test_codes_of_no_length_do_no_harm(wishes: Wishes, seen: Floats) -> None:
    nothing = np.zeros((PARCELS, APPEARANCE), np.float32)
    fulfil(wishes, nothing)
    assert wishes.jobs(nothing, seen, anybody, PARCELS) == []


# The workshop


def paint_all(workshop: Workshop, wanted: Floats, seen: Floats, calls: int = 100) -> list[Painted]:
    """Ask until every parcel has its painting."""
    done: list[Painted] = []
    for _ in range(calls):
        done += workshop.paint(wanted, seen)
    return done


def test_without_a_thread_a_few_are_painted_at_each_call_the_same_at_every_run(
    faces: dict[str, FaceModel], seen: Floats
) -> None:
    runs = []
    for _ in range(2):
        studio = Studio(faces, SteppedClock())
        workshop = Workshop(studio, Wishes(SCHOOLS, STREAM), threaded=False)
        first = workshop.paint(codes(), seen)
        assert len(first) == PAINTED_A_STEP
        runs.append(first + paint_all(workshop, codes(), seen, 5))
        workshop.close()
    slots = [painted.job.slot for painted in runs[0]]
    assert sorted(slots) == list(range(PARCELS))
    assert slots == [painted.job.slot for painted in runs[1]]
    assert all((a.texture == b.texture).all() for a, b in zip(*runs))


def until(fact: Callable[[], object], limit_s: float = 60.0) -> bool:
    end_s = time.monotonic() + limit_s
    while not (there := bool(fact())) and time.monotonic() < end_s:
        time.sleep(0.002)
    return there


def test_with_a_thread_everything_is_painted_beside_the_show(
    faces: dict[str, FaceModel], seen: Floats
) -> None:
    workshop = Workshop(Studio(faces, MonotonicClock()), Wishes(SCHOOLS, STREAM), threaded=True)
    slots: set[int] = set()

    def all_there() -> bool:
        slots.update(painted.job.slot for painted in workshop.paint(codes(), seen))
        return len(slots) == PARCELS

    try:
        assert workshop.paint(codes(), seen) == []  # nothing is waited for
        assert until(all_there)  # the painter makes way for whatever else this machine does
    finally:
        workshop.close()


def test_the_thread_is_given_only_what_it_can_begin_soon(
    faces: dict[str, FaceModel], seen: Floats
) -> None:
    workshop = Workshop(Studio(faces, MonotonicClock()), Wishes(SCHOOLS, STREAM), threaded=True)
    workshop.paint(codes(), seen)
    assert workshop._painter is not None
    assert len(workshop._painter._wanted) <= JOBS_AT_ONCE
    workshop.close()
    assert not workshop._painter.alive


def test_a_damaged_model_leaves_its_parcels_unpainted_and_no_others(
    faces: dict[str, FaceModel], seen: Floats
) -> None:
    class Damaged:
        def dress(self, codes: Floats) -> list[None]:
            return [None] * len(codes)

        def paint(
            self, codes: Floats, finished: bool = True, *, worn: Sequence[None] | None = None
        ) -> np.ndarray:
            raise RuntimeError("damaged")

    studio = Studio({**faces, "powder": Damaged()}, SteppedClock())
    workshop = Workshop(studio, Wishes(SCHOOLS, STREAM), threaded=False)
    done = paint_all(workshop, codes(), seen, 12)
    assert {painted.job.school for painted in done} == set(SCHOOLS) - {"powder"}
    assert len(done) == PARCELS - 2
    assert studio.failures == {"powder": 1}


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_painter_that_dies_is_followed_by_another(
    faces: dict[str, FaceModel], seen: Floats, caplog: pytest.LogCaptureFixture
) -> None:
    """A thread ends when what it runs raises what no model should: SystemExit."""

    class Deadly(FaceModel):
        def dress(self, codes: Floats) -> list[Dress | None]:
            raise SystemExit

    studio = Studio({**faces}, MonotonicClock())
    healthy = dict(studio.models)
    studio.models = {name: Deadly.__new__(Deadly) for name in faces}
    workshop = Workshop(studio, Wishes(SCHOOLS, STREAM), threaded=True)
    try:
        end_s = time.monotonic() + 20
        while workshop.alive and time.monotonic() < end_s:
            workshop.paint(codes(), seen)
            time.sleep(0.01)
        assert not workshop.alive
        studio.models = healthy
        while not (done := workshop.paint(codes(), seen)) and time.monotonic() < end_s:
            time.sleep(0.01)
        assert done
        assert workshop.faults() == {"painter": 1}
        assert len(caplog.records) == 1
    finally:
        workshop.close()


def test_where_nothing_hangs_a_sketch_comes_first_and_is_finished_later(seen: Floats) -> None:
    wishes = Wishes(SCHOOLS, STREAM, sketches=True)
    first = wishes.jobs(codes(), seen, anybody, PARCELS)
    assert not any(job.finished for job in first)
    for job in first[1:]:
        wishes.fulfil(Painted(job, np.zeros((256, 256, 4), np.uint8), 1.0))
    again = wishes.jobs(codes(), seen, anybody, PARCELS)
    assert again[0].slot == first[0].slot
    assert [job.finished for job in again] == [False] + [True] * (PARCELS - 1)


def test_where_nothing_hangs_yet_nobody_waits_for_the_pace(
    faces: dict[str, FaceModel], seen: Floats
) -> None:
    """A late machine begins with an empty river otherwise. What hangs already has time."""
    wishes = Wishes(SCHOOLS, STREAM, sketches=True)
    workshop = Workshop(Studio(faces, MonotonicClock()), wishes, threaded=True)
    done: list[Painted] = []

    def all_there() -> bool:
        done.extend(workshop.paint(codes(), seen, every_s=1000.0))
        return len({painted.job.slot for painted in done}) == PARCELS

    assert until(all_there)
    assert not wishes.lacking(lambda _: True)
    hung = len(done)
    for _ in range(100):
        done += workshop.paint(codes(), seen, every_s=1000.0)
        time.sleep(0.005)
    assert len(done) <= hung + JOBS_AT_ONCE  # no more than was under way
    workshop.close()


def test_who_can_be_seen_keeps_hair_and_clothes() -> None:
    wishes = Wishes(SCHOOLS, STREAM)
    opacity = np.linspace(0, 1, PARCELS, dtype=np.float32)
    jobs = wishes.jobs(codes(), opacity, lambda school: True, PARCELS)
    assert len(jobs) == PARCELS
    assert {job.slot for job in jobs if job.seen} == set(np.flatnonzero(opacity > HARDLY_SEEN))
