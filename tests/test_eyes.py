"""Eyes: films, cameras and recordings all give the show the same, and pictures end there."""

from __future__ import annotations

import gc
import threading
import time
from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from http_camera import HttpCamera, encode
from rooms import RATE_HZ, empty_room, somebody, visit, write_film

from mirror.camera import parse_source
from mirror.clock import MonotonicClock, SteppedClock
from mirror.markers.markers import FaceReader
from mirror.options import RunOptions
from mirror.report import Report
from mirror.session.synthetic import synthesise
from mirror.settings import CameraSettings, Settings
from mirror.show import eyes as module
from mirror.show.eyes import Eyes, FrameByFrame, LiveEyes, Nobody, open_eyes
from mirror.show.glances import Glance
from mirror.show.plan import make_plan
from mirror.show.replaying import MOST_DUE, SessionEyes
from mirror.signals import Bytes, Floats, Frame, Sitters

#: Short times, so that a test sees in a second what an exhibition sees in ten.
SETTINGS = Settings(
    camera=CameraSettings(
        read_timeout_s=0.5, frozen_after_s=0.6, reopen_first_s=0.1, reopen_most_s=0.4
    )
)


def until(fact: Callable[[], object], limit_s: float = 60.0) -> bool:
    """Wait for a fact; whether it came about."""
    end_s = time.monotonic() + limit_s
    while not (there := bool(fact())) and time.monotonic() < end_s:
        time.sleep(0.01)
    return there


def all_glances(eyes: Eyes, clock: SteppedClock | None = None) -> list[Glance]:
    """Everything until the end."""
    found: list[Glance] = []
    while not eyes.ended:
        found += eyes.glances(0.0)
        if clock:
            clock.sleep_s(1 / 30)
    return found


def events(glances: list[Glance]) -> tuple[list[int], list[int]]:
    """The ids that arrived, and those that left."""
    arrived = [id for glance in glances for id in glance.sitters.arrived]
    return arrived, [id for glance in glances for id in glance.sitters.left]


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Nobody for a second, somebody for two, nobody for 1.2."""
    return write_film(tmp_path_factory.mktemp("films") / "visit.mp4", visit(1.0, 2.0, 1.2))


@pytest.fixture(scope="module")
def cut_film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A film that ends while somebody is there."""
    return write_film(tmp_path_factory.mktemp("films") / "cut.mp4", visit(0.2, 1.2, 0.0))


# Frame by frame


@pytest.fixture
def frames(clock: SteppedClock) -> Iterator[Callable[[Path], FrameByFrame]]:
    opened: list[FrameByFrame] = []

    def open_one(path: Path, loop: bool = False) -> FrameByFrame:
        source = parse_source(str(path))
        opened.append(FrameByFrame(source, SETTINGS, clock, Report(), loop))
        return opened[-1]

    yield open_one
    for each in opened:
        each.close()


def test_a_film_frame_by_frame_gives_one_visit_at_its_time(
    film: Path, frames: Callable[[Path], FrameByFrame]
) -> None:
    glances = all_glances(frames(film))
    assert events(glances) == ([1], [1])
    came = next(g.sitters.time_s for g in glances if g.sitters.arrived)
    went = next(g.sitters.time_s for g in glances if g.sitters.left)
    assert 1.0 <= came < 2.0
    assert 3.0 <= went < 4.2
    times = [glance.sitters.time_s for glance in glances[:-1]]
    assert times == pytest.approx(np.arange(len(times)) / RATE_HZ, abs=1e-3)
    assert len(times) == round(4.2 * RATE_HZ)


def test_a_film_frame_by_frame_is_the_same_at_every_run(
    cut_film: Path, frames: Callable[[Path], FrameByFrame]
) -> None:
    one, two = (all_glances(frames(cut_film)) for _ in range(2))
    assert len(one) == len(two)
    for a, b in zip(one, two):
        assert a.sitters.time_s == b.sitters.time_s
        assert [s.id for s in a.sitters.sitters] == [s.id for s in b.sitters.sitters]
        for mine, other in zip(a.sitters.sitters, b.sitters.sitters):
            assert (mine.markers == other.markers).all()


def test_after_the_end_of_a_film_nobody_is_there(
    cut_film: Path, clock: SteppedClock, frames: Callable[[Path], FrameByFrame]
) -> None:
    eyes = frames(cut_film)
    before = all_glances(eyes, clock)
    assert before[-1].sitters.sitters
    after: list[Glance] = []
    for _ in range(60):
        after += eyes.glances(0.0)
        clock.sleep_s(1 / 30)
    presences = [s.presence for glance in after for s in glance.sitters.sitters]
    assert presences == sorted(presences, reverse=True)
    assert events(after) == ([], [1])
    assert not after[-1].sitters.sitters
    assert after[-1].sitters.time_s > before[-1].sitters.time_s


def test_a_film_that_loops_goes_on(
    cut_film: Path, frames: Callable[..., FrameByFrame], clock: SteppedClock
) -> None:
    eyes = frames(cut_film, loop=True)
    times = [eyes.glances(0.0)[0].sitters.time_s for _ in range(40)]
    assert times == pytest.approx(np.arange(40) / RATE_HZ, abs=1e-3)
    assert not eyes.ended


# A live source


@pytest.fixture
def live() -> Iterator[Callable[..., LiveEyes]]:
    opened: list[LiveEyes] = []

    def open_one(text: str, loop: bool = False) -> LiveEyes:
        source = parse_source(text)
        opened.append(LiveEyes(source, SETTINGS, MonotonicClock(), Report(), loop))
        return opened[-1]

    yield open_one
    for each in opened:
        each.close()


@pytest.fixture(scope="module")
def shots() -> list[bytes]:
    """Somebody who sways, as a network camera sends it."""
    room = empty_room()
    moved = [somebody(room, 0.5 + 0.05 * np.sin(n / 4)) for n in range(25)]
    return [encode(picture) for picture in moved]


def here(eyes: LiveEyes) -> tuple[int, ...] | None:
    """Who is there in the newest glance; None when there is no new one."""
    glances = eyes.glances(0.2)
    return tuple(s.id for s in glances[-1].sitters.sitters) if glances else None


def test_a_real_camera_that_goes_and_comes_back(
    shots: list[bytes], live: Callable[..., LiveEyes]
) -> None:
    with HttpCamera(shots) as camera:
        eyes = live(camera.url)
        assert until(lambda: here(eyes) == (1,))
        assert eyes.state == "running"
        camera.turn("refuse")
        assert until(lambda: here(eyes) == ())  # the sitter is lost, and the river flows on
        assert until(lambda: sum(eyes.faults().values()) > 0)
        camera.turn("run")
        assert until(lambda: here(eyes) == (2,), 5.0)
        assert "markers" not in eyes.faults()


def test_a_camera_that_hangs_is_told(shots: list[bytes], live: Callable[..., LiveEyes]) -> None:
    with HttpCamera(shots) as camera:
        eyes = live(camera.url)
        assert until(lambda: here(eyes) == (1,))
        camera.turn("hang")
        assert until(lambda: eyes.faults()["blocked_read"] > 0)
        assert until(lambda: here(eyes) == ())


def test_pausing_looks_away(shots: list[bytes], live: Callable[..., LiveEyes]) -> None:
    with HttpCamera(shots) as camera:
        eyes = live(camera.url)
        assert until(lambda: here(eyes) == (1,))
        eyes.pause(True)
        assert eyes.state == "paused"
        assert until(lambda: here(eyes) == ())
        eyes.pause(False)
        assert until(lambda: here(eyes) == (2,))


def test_a_film_in_its_own_time_is_seen_and_ends(film: Path, live: Callable[..., LiveEyes]) -> None:
    eyes, glances = live(str(film)), []
    began_s = time.monotonic()
    while not eyes.ended and time.monotonic() < began_s + 20:
        glances += eyes.glances(0.1)
    glances += eyes.glances(0.0)
    assert events(glances) == ([1], [1])
    assert eyes.origin_s is not None
    came = next(g.sitters.time_s for g in glances if g.sitters.arrived) - eyes.origin_s
    assert 1.0 <= came < 2.0


def test_after_the_end_of_a_film_in_its_own_time_nobody_is_there(
    cut_film: Path, live: Callable[..., LiveEyes]
) -> None:
    eyes = live(str(cut_film))
    assert until(lambda: here(eyes) == (1,))
    assert until(lambda: eyes.ended)
    assert until(lambda: here(eyes) == ())


def test_an_arrival_that_nobody_looked_at_is_not_lost(
    film: Path, live: Callable[..., LiveEyes]
) -> None:
    eyes = live(str(film))
    assert until(lambda: eyes.ended, 20)
    assert until(lambda: eyes._newest is not None and eyes._newest.sitters.left)
    (glance,) = eyes.glances(0.0)  # nothing is queued: the newest, with all that happened
    assert events([glance]) == ([1], [1])


def test_whatever_the_markers_stage_raises_it_is_built_again(
    shots: list[bytes], live: Callable[..., LiveEyes], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Faulty(FaceReader):
        reads = 0

        def read(self, picture: Bytes) -> list[Floats]:
            Faulty.reads += 1
            if Faulty.reads == 5:
                raise RuntimeError("a calculator failed")
            return super().read(picture)

    monkeypatch.setattr(module, "FaceReader", Faulty)
    with HttpCamera(shots) as camera:
        eyes = live(camera.url)
        assert until(lambda: here(eyes) == (1,), 12.0)
        assert eyes.faults()["markers"] == 1


def test_closing_ends_all_threads(shots: list[bytes]) -> None:
    before = {thread.name for thread in threading.enumerate()}
    with HttpCamera(shots) as camera:
        source = parse_source(camera.url)
        eyes = LiveEyes(source, SETTINGS, MonotonicClock(), Report(), False)
        assert until(lambda: eyes.glances(0.1))
        eyes.close()
    assert until(lambda: {thread.name for thread in threading.enumerate()} <= before)


def test_no_picture_outlives_the_markers_stage(film: Path) -> None:
    """Not in a glance, and nowhere else once the eyes are closed."""
    source = parse_source(str(film))
    eyes = FrameByFrame(source, SETTINGS, SteppedClock(), Report(), False)
    glances = all_glances(eyes)
    eyes.close()
    del eyes
    gc.collect()
    assert len(glances) > 40
    assert [each for each in gc.get_objects() if type(each) is Frame] == []
    room = empty_room().shape
    held = [each for each in gc.get_objects() if type(each) is np.ndarray]
    assert [each.shape for each in held if each.shape == room] == []


# Recordings


@lru_cache(maxsize=1)
def synthetic() -> tuple[Sitters, ...]:
    """Twelve seconds of a room in which somebody comes and goes."""
    return tuple(synthesise(12.0, seed=2))


def test_a_recording_is_given_in_its_own_time_and_nothing_is_passed_over(
    clock: SteppedClock,
) -> None:
    recorded = synthetic()
    eyes = SessionEyes(lambda: iter(recorded), clock)
    given: list[Glance] = []
    while not eyes.ended:
        found = eyes.glances(0.0)
        assert all(glance.sitters.time_s <= clock.now_s() + 1e-6 for glance in found)
        given += found
        clock.sleep_s(0.1)  # three moments at once
    assert tuple(glance.sitters for glance in given) == recorded


def test_whoever_has_fallen_far_behind_is_given_a_part_at_a_time(clock: SteppedClock) -> None:
    moments = [Sitters(n / 100) for n in range(2 * MOST_DUE + 500)]
    eyes = SessionEyes(lambda: iter(moments), clock)
    clock.sleep_s(3600.0)
    given = [eyes.glances(0.0) for _ in range(3)]
    assert [len(part) for part in given] == [MOST_DUE, MOST_DUE, 500]
    assert [glance.sitters for part in given for glance in part] == moments
    assert eyes.ended


def test_waiting_for_a_recording_lasts_no_longer_than_to_its_next_moment(
    clock: SteppedClock,
) -> None:
    eyes = SessionEyes(synthetic, clock)
    assert len(eyes.glances(10.0)) == 1  # at 0 s
    assert eyes.glances(10.0) == []
    assert clock.now_s() == pytest.approx(1 / 30)
    assert len(eyes.glances(0.0)) == 1


def test_a_recording_begins_when_it_is_told(clock: SteppedClock) -> None:
    eyes = SessionEyes(synthetic, clock)
    clock.sleep_s(100.0)
    eyes.begin(clock.now_s())
    assert len(eyes.glances(0.0)) == 1


def test_a_paused_recording_shows_nobody(clock: SteppedClock) -> None:
    recorded = [sitters for sitters in synthetic() if sitters.sitters]
    eyes = SessionEyes(lambda: iter(recorded), clock)
    clock.set_s(recorded[0].time_s)
    assert eyes.glances(0.0)[0].sitters.sitters
    eyes.pause(True)
    clock.set_s(recorded[3].time_s)
    assert [glance.sitters.sitters for glance in eyes.glances(0.0)] == [(), (), ()]


def test_after_the_end_of_a_cut_recording_nobody_is_there(clock: SteppedClock) -> None:
    recorded = synthetic()
    last = max(n for n, sitters in enumerate(recorded) if sitters.sitters and not sitters.left)
    eyes = SessionEyes(lambda: iter(recorded[: last + 1]), clock)
    given = all_glances(eyes, clock)
    there = tuple(sitter.id for sitter in given[-1].sitters.sitters)
    assert there
    (glance,) = eyes.glances(0.0)
    assert (glance.sitters.sitters, glance.sitters.left) == ((), there)
    assert eyes.glances(0.0) == []


def test_an_empty_recording_has_ended(clock: SteppedClock) -> None:
    assert SessionEyes(lambda: iter(()), clock).ended


def test_an_empty_room_stays_empty(clock: SteppedClock) -> None:
    eyes = Nobody(clock)
    assert eyes.glances(0.5) == []
    assert (clock.now_s(), eyes.ended, eyes.faults()) == (0.5, False, {})


# Whose eyes


@pytest.mark.parametrize(
    ("piece", "source", "realtime", "kind"),
    [
        ("river", "film", False, FrameByFrame),
        ("river", "film", True, LiveEyes),
        ("river", "", True, SessionEyes),
        ("passersby", "", True, Nobody),
        ("passersby", "film", False, FrameByFrame),
    ],
)
def test_the_plan_says_who_watches_the_room(
    piece: str,
    source: str,
    realtime: bool,
    kind: type,
    film: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("mirror.show.plan.list_devices", list)  # whatever this computer has
    named = str(film) if source else ""
    options: dict[str, Any] = {"source": named, "piece": piece, "realtime": realtime}
    plan = make_plan(
        Settings(), RunOptions(**options, screen="offscreen", report=tmp_path / "a.json")
    )
    eyes = open_eyes(plan, MonotonicClock(), Report())
    assert type(eyes) is kind
    eyes.close()


def test_whoever_came_while_a_session_was_paused_arrives_afterwards(clock: SteppedClock) -> None:
    """Nobody is lost and nobody leaves twice: arrivals and leavings are balanced at every time."""
    recorded = list(synthesise(40.0, 3))
    plain = {id for sitters in recorded for id in sitters.arrived}
    eyes, here, arrived = SessionEyes(lambda: iter(recorded), clock), set(), set()
    for n in range(41 * 30):
        clock.sleep_s(1 / 30)
        eyes.pause(n % 300 >= 150)
        for glance in eyes.glances(0.0):
            assert not here & set(glance.sitters.arrived)
            assert set(glance.sitters.left) <= here
            here = (here | set(glance.sitters.arrived)) - set(glance.sitters.left)
            arrived |= set(glance.sitters.arrived)
            assert {sitter.id for sitter in glance.sitters.sitters} == here
    assert arrived <= plain
    assert len(arrived) >= 2
