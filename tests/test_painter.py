"""Painting: the newest request wins, and a model that fails stops nobody but itself."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import pytest

from mirror import SCHOOLS
from mirror.clock import SteppedClock
from mirror.faces import FaceModel
from mirror.latents.latents import APPEARANCE
from mirror.painting.painter import FIRST_PAUSE_S, LONGEST_PAUSE_S, Job, Painted, Painter, Studio
from mirror.signals import Bytes, Floats


class Plain:
    """A model that paints one shade, the first number of a code; it can be held up or damaged."""

    def __init__(self) -> None:
        self.shades: list[int] = []
        self.may_go_on = threading.Event()
        self.may_go_on.set()
        self.error: Exception | None = None

    def dress(self, codes: Floats) -> list[None]:
        return [None] * len(codes)

    def paint(
        self, codes: Floats, finished: bool = True, *, worn: Sequence[None] | None = None
    ) -> Bytes:
        self.shades.append(int(codes[0, 0]))
        self.may_go_on.wait(10)
        if self.error:
            raise self.error
        return np.full((len(codes), 256, 256, 4), int(codes[0, 0]), np.uint8)


def job(shade: int, school: str = "panel", slot: int = 0) -> Job:
    return Job(slot, school, np.full(APPEARANCE, shade, np.float32))


def until(fact: Callable[[], object], limit_s: float = 60.0) -> bool:
    """Wait for a fact; whether it came about."""
    end_s = time.monotonic() + limit_s
    while not (there := bool(fact())) and time.monotonic() < end_s:
        time.sleep(0.005)
    return there


def shades(done: Sequence[Painted]) -> list[int]:
    return [int(each.texture[0, 0, 0]) for each in done]


@pytest.fixture
def models() -> dict[str, Plain]:
    return {school: Plain() for school in SCHOOLS}


@pytest.fixture
def studio(models: dict[str, Plain], clock: SteppedClock) -> Studio:
    return Studio(models, clock)


@pytest.fixture
def painter(studio: Studio, models: dict[str, Plain]) -> Iterator[Painter]:
    made = Painter(studio)
    yield made
    for model in models.values():
        model.may_go_on.set()
    made.close()


# The studio


def test_jobs_are_painted_with_their_schools_model(studio: Studio) -> None:
    jobs = [job(n, school, slot=n) for n, school in enumerate(SCHOOLS)]
    done = studio.paint(jobs)
    assert [each.job for each in done] == jobs
    assert shades(done) == [0, 1, 2, 3, 4, 5]
    assert all(each.texture.shape == (256, 256, 4) for each in done)
    assert all(each.ms >= 0 for each in done)


def test_the_real_models_paint_in_the_studio(
    faces: dict[str, FaceModel], clock: SteppedClock
) -> None:
    studio = Studio(faces, clock)
    codes = {school: model.random_codes(1, seed=1)[0] for school, model in faces.items()}
    done = studio.paint([Job(n, school, code) for n, (school, code) in enumerate(codes.items())])
    for each in done:
        alone = faces[each.job.school].paint(codes[each.job.school][None])[0]
        assert (each.texture == alone).all()


def test_hair_and_clothes_stay_while_a_portrait_is_seen(faces: dict[str, FaceModel]) -> None:
    """Unseen it is given what suits what it has become."""
    model, clock = faces["salon"], SteppedClock()
    studio = Studio(dict(faces), clock)
    codes = list(model.random_codes(12, 3))
    one = codes[0]
    other = next(code for code in codes if model.dress(code[None]) != model.dress(one[None]))

    def painted(code: Floats, seen: bool) -> Bytes:
        return studio.paint([Job(5, "salon", code, seen=seen)])[0].texture

    worn = model.dress(one[None])
    assert (painted(one, seen=True) == model.paint(one[None])[0]).all()  # nothing was worn before
    assert (painted(other, seen=True) == model.paint(other[None], worn=worn)[0]).all()
    assert (painted(other, seen=False) == model.paint(other[None])[0]).all()
    held = model.dress(other[None])
    assert (painted(one, seen=True) == model.paint(one[None], worn=held)[0]).all()


@pytest.mark.parametrize("error", [RuntimeError("CUDA"), MemoryError(), ValueError("nan")])
def test_a_damaged_model_is_left_out_and_the_others_go_on(
    studio: Studio, models: dict[str, Plain], error: Exception
) -> None:
    models["salon"].error = error
    jobs = [job(n, school) for n, school in enumerate(SCHOOLS)]
    assert shades(studio.paint(jobs)) == [0, 1, 2, 4, 5]
    assert studio.failures == {"salon": 1}
    assert [studio.can_paint(school) for school in SCHOOLS] == [True, True, True, False, True, True]


def test_the_pauses_grow_up_to_the_longest(
    studio: Studio, models: dict[str, Plain], clock: SteppedClock
) -> None:
    models["panel"].error = RuntimeError("damaged")
    pauses_s = []
    for _ in range(9):
        assert studio.can_paint("panel")
        assert studio.paint([job(1)]) == []
        failed_s = clock.now_s()
        while not studio.can_paint("panel"):
            assert studio.paint([job(1)]) == []  # not even tried
            clock.sleep_s(0.25)
        pauses_s.append(clock.now_s() - failed_s)
    assert pauses_s[:4] == [FIRST_PAUSE_S * 2**n for n in range(4)]
    assert pauses_s[-2:] == [LONGEST_PAUSE_S] * 2
    assert len(models["panel"].shades) == 9
    assert studio.failures["panel"] == 9


def test_a_model_that_fails_for_weeks_is_still_tried(
    studio: Studio, models: dict[str, Plain], clock: SteppedClock
) -> None:
    models["panel"].error = RuntimeError("damaged")
    for _ in range(1100):  # 2.0 ** 1100 is no number any more
        studio.paint([job(1)])
        clock.sleep_s(LONGEST_PAUSE_S)
    assert studio.failures["panel"] == 1100
    assert studio.can_paint("panel")


def test_a_model_that_came_back_is_trusted_again(
    studio: Studio, models: dict[str, Plain], clock: SteppedClock
) -> None:
    for _ in range(4):
        models["panel"].error = RuntimeError("damaged")
        studio.paint([job(1)])
        assert not studio.can_paint("panel")
        clock.sleep_s(FIRST_PAUSE_S)  # never more than the first pause
        models["panel"].error = None
        assert shades(studio.paint([job(7)])) == [7]
    assert studio.failures["panel"] == 4


def test_a_failure_is_logged_once_and_then_counted(
    studio: Studio,
    models: dict[str, Plain],
    clock: SteppedClock,
    caplog: pytest.LogCaptureFixture,
) -> None:
    models["stone"].error = RuntimeError("no such tensor")
    with caplog.at_level(logging.INFO, "mirror.painting.painter"):
        for _ in range(3):
            studio.paint([job(1, "stone")])
            clock.sleep_s(LONGEST_PAUSE_S)
    (told,) = [record.getMessage() for record in caplog.records]
    assert "stone" in told
    assert "no such tensor" in told


def test_a_school_without_a_model_is_not_painted(clock: SteppedClock) -> None:
    studio = Studio({"panel": Plain()}, clock)
    assert not studio.can_paint("limner")
    assert shades(studio.paint([job(1, "limner"), job(2, "panel")])) == [2]
    assert studio.failures == {}


# The thread


def test_a_request_is_painted_in_its_order_beside_the_caller(painter: Painter) -> None:
    painter.request([job(shade) for shade in (3, 1, 2)])
    assert until(lambda: painter.idle)
    assert shades(painter.take_finished(99)) == [3, 1, 2]
    assert painter.take_finished(99) == []


def test_the_newest_request_replaces_the_one_that_waits(
    painter: Painter, models: dict[str, Plain]
) -> None:
    models["panel"].may_go_on.clear()
    painter.request([job(1), job(2), job(3)])
    assert until(lambda: models["panel"].shades == [1])
    painter.request([job(4)])
    painter.request([job(5), job(6)])
    models["panel"].may_go_on.set()
    assert until(lambda: painter.idle)
    assert models["panel"].shades == [1, 5, 6]  # 2, 3 and 4 were never begun
    assert shades(painter.take_finished(99)) == [1, 5, 6]


def test_what_is_finished_can_be_taken_while_the_next_is_painted(
    painter: Painter, models: dict[str, Plain]
) -> None:
    models["stone"].may_go_on.clear()
    painter.request([job(1), job(2, "stone")])
    assert until(lambda: models["stone"].shades)
    assert not painter.idle
    assert shades(painter.take_finished(99)) == [1]
    models["stone"].may_go_on.set()
    assert until(lambda: painter.idle)
    assert shades(painter.take_finished(99)) == [2]


def test_a_damaged_model_does_not_end_the_thread(
    painter: Painter, models: dict[str, Plain], studio: Studio
) -> None:
    models["panel"].error = RuntimeError("damaged")
    painter.request([job(n, school) for n, school in enumerate(SCHOOLS)])
    assert until(lambda: painter.idle)
    assert shades(painter.take_finished(99)) == [1, 2, 3, 4, 5]
    assert painter.alive
    assert studio.failures == {"panel": 1}


def test_closing_ends_the_thread_even_with_work_waiting(studio: Studio) -> None:
    painter = Painter(studio)
    painter.request([job(n) for n in range(1000)])
    assert painter.alive
    painter.close()
    assert not painter.alive
    assert "painter" not in [thread.name for thread in threading.enumerate()]


def test_closing_waits_for_the_texture_in_work(studio: Studio, models: dict[str, Plain]) -> None:
    painter = Painter(studio)
    models["panel"].may_go_on.clear()
    painter.request([job(9)])
    assert until(lambda: models["panel"].shades)
    threading.Timer(0.1, models["panel"].may_go_on.set).start()
    painter.close()
    assert shades(painter.take_finished(99)) == [9]


def test_many_requests_from_a_hasty_caller_lose_nothing_that_was_finished(
    painter: Painter, models: dict[str, Plain]
) -> None:
    taken = []
    for n in range(300):
        painter.request([job(n % 250)])
        taken += painter.take_finished(99)
    assert until(lambda: painter.idle)
    taken += painter.take_finished(99)
    assert shades(taken) == models["panel"].shades
    assert shades(taken)[-1] == 299 % 250
