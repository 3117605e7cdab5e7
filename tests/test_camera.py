"""The camera held to a real camera on the network, to one that is not there, and to a pipe."""

from __future__ import annotations

import contextlib
import gc
import logging
import os
import threading
import time
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from http_camera import QUICK, HttpCamera, camera_threads, encode, jpegs, pictures, until

from mirror.camera import KINDS, Camera, Source, parse_source
from mirror.clock import MonotonicClock
from mirror.errors import SourceError
from mirror.settings import CameraSettings
from mirror.signals import Frame


@contextlib.contextmanager
def watched(
    shots: list[bytes] | None = None, settings: CameraSettings = QUICK
) -> Iterator[tuple[HttpCamera, Camera]]:
    """A camera on the network that runs, and ours that watches it."""
    with (
        HttpCamera(shots or jpegs()) as server,
        Camera(parse_source(server.url), settings, MonotonicClock()) as camera,
    ):
        yield server, camera


def test_the_newest_frame_is_given_mirrored_with_its_time() -> None:
    clock = MonotonicClock()
    with HttpCamera(jpegs()) as server, Camera(parse_source(server.url), QUICK, clock) as camera:
        start_s = clock.now_s()
        first = camera.wait(-1, 5)
        assert np.abs(first.picture[4:20, -24:-8] - np.array([254.0, 0, 0])).mean() < 6
        assert start_s - 1 < first.time_s <= clock.now_s()
        later = camera.wait(first.number + 5, 5)
        assert later.number > first.number + 5
        assert later.time_s > first.time_s
        assert camera.newest(later.number + 1000) is None
        assert camera.wait(later.number + 1000, 0.05) is None
        assert camera.state == "running"
        assert (camera.achieved.width_px, camera.achieved.format) == (320, "mjpeg")
        assert camera.faults == dict.fromkeys(KINDS, 0)


def test_a_camera_that_hangs_is_blocked_and_recovers() -> None:
    with watched() as (server, camera):
        number = camera.wait(-1, 5).number
        server.turn("hang")
        assert until(lambda: camera.state == "blocked")
        assert until(lambda: camera.faults["blocked_read"] > 1)  # also while it is opened
        assert camera.newest() is None  # no picture is kept while there is no camera
        server.turn("run")
        assert until(lambda: camera.newest(number) is not None)
        assert camera.state == "running"
        assert camera.faults["reopened"] == 1


def test_a_camera_that_is_gone_is_found_within_5_s_of_its_return() -> None:
    with watched(settings=CameraSettings()) as (server, camera):
        assert camera.wait(-1, 5) is not None
        server.turn("refuse")
        assert until(lambda: camera.faults["gone"] == 3)  # the next pause is the longest, 4 s
        assert camera.state == "gone"
        assert camera.faults["failed_read"] == 1
        server.turn("run")
        assert until(lambda: camera.state == "running", 5.0)
        assert camera.faults["reopened"] == 1
        assert camera.wait(camera.newest().number + 15, 5) is not None
        server.cut()  # after good frames the pause is short again
        assert until(lambda: camera.faults["reopened"] == 2, 3.0)


def test_a_camera_that_comes_late_is_waited_for() -> None:
    with HttpCamera(jpegs()) as server:
        server.turn("refuse")
        with Camera(parse_source(server.url), QUICK, MonotonicClock()) as camera:
            assert until(lambda: camera.state == "gone")
            server.turn("run")
            assert camera.wait(-1, 5).number == 0
            assert camera.faults["reopened"] == 0


def test_a_frozen_camera_is_counted_once_and_seen_to_thaw() -> None:
    with watched() as (server, camera):
        camera.wait(-1, 5)
        server.turn("freeze")
        assert until(lambda: camera.state == "frozen")
        opened = server.opened
        assert until(lambda: server.opened > opened + 1)  # it is tried again, and still frozen
        assert until(lambda: camera.state == "frozen")
        assert camera.newest() is None
        assert camera.faults["frozen"] == 1
        server.turn("run")
        assert until(lambda: camera.state == "running")


@pytest.mark.parametrize("mode", ["truncate", "flip", "junk"])
def test_damaged_pictures_are_counted_and_never_given_on(mode: str) -> None:
    shots = pictures(320, 240, 24)
    with watched([encode(shot) for shot in shots]) as (server, camera):
        seen, given = -1, []
        for _ in range(4):
            frame = camera.wait(seen, 5)
            seen = frame.number
            given.append(frame.picture[:, ::-1].astype(float))
            already = camera.faults["corrupt"]
            server.turn(mode)
            assert until(lambda: camera.faults["corrupt"] > already + 1)  # noqa: B023
            seen = camera.newest(seen - 1).number
            given.append(camera.newest().picture[:, ::-1].astype(float))
            server.turn("run")
        server.turn(mode)
        assert until(lambda: camera.state == "failed")  # nothing else came for too long
        server.turn("run")
        assert until(lambda: camera.state == "running")
    for picture in given:
        assert min(np.abs(picture - shot).mean() for shot in shots) < 4


def test_a_size_that_changes_on_the_way_is_passed_on_and_counted() -> None:
    with watched(jpegs(320, 240)) as (server, camera):
        camera.wait(-1, 5)
        server.shots = jpegs(400, 300)
        assert until(lambda: camera.newest().picture.shape == (300, 400, 3))
        assert camera.state == "running"
        assert camera.faults["wrong_size"] == 1
        assert camera.faults["reopened"] == 0


def test_a_camera_of_this_computer_that_is_not_there_is_waited_for() -> None:
    for address in (99, "/dev/v4l/by-id/usb-nobody-video-index0"):
        with Camera(Source("device", address), QUICK, MonotonicClock()) as camera:
            assert until(lambda: camera.faults["gone"] > 1)
            assert camera.state == "gone"
            assert camera.newest() is None
    assert until(lambda: not camera_threads())


def test_the_first_fault_of_a_kind_is_a_warning_and_the_rest_is_quiet(
    caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    with Camera(Source("device", 99), QUICK, MonotonicClock()) as camera:
        assert until(lambda: camera.faults["gone"] > 2)
    levels = [record.levelno for record in caplog.records if "gone" in record.message]
    assert levels[0] == logging.WARNING
    assert set(levels[1:]) == {logging.DEBUG}
    assert capfd.readouterr() == ("", "")  # neither OpenCV nor FFmpeg writes to the terminal


def test_passwords_are_not_told(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with HttpCamera(jpegs()) as server:
        port = server.port
    source = parse_source(f"http://ada:geheim@127.0.0.1:{port}/video?pwd=geheim")
    with Camera(source, QUICK, MonotonicClock()) as camera:
        assert until(lambda: camera.faults["gone"] > 1)
    assert f"127.0.0.1:{port}/video" in caplog.text
    assert "geheim" not in caplog.text + str(source) + repr(source)
    with pytest.raises(SourceError) as told:
        parse_source("ftp://ada:geheim@host/film.mp4")
    assert "geheim" not in str(told.value)


def feed(pipe: Path, shots: list[bytes], stop: Callable[[], object]) -> None:
    """Write pictures into a pipe until a fact has come about; whoever waits for it wakes."""
    end_s = time.monotonic() + 8
    while not stop() and time.monotonic() < end_s:
        try:
            with os.fdopen(os.open(pipe, os.O_WRONLY | os.O_NONBLOCK), "wb") as writer:
                os.set_blocking(writer.fileno(), True)
                for shot in shots:
                    writer.write(shot)
        except OSError:  # nobody reads, or nobody reads any more
            time.sleep(0.02)


def test_reads_that_never_come_back_are_given_up_and_deliver_nothing(tmp_path: Path) -> None:
    # Opening a pipe that nobody writes to blocks in the operating system: no timeout ends it.
    pipe = tmp_path / "camera.mjpeg"
    os.mkfifo(pipe)
    settings = CameraSettings(
        read_timeout_s=0.2, frozen_after_s=5.0, reopen_first_s=0.05, reopen_most_s=0.1
    )
    camera = Camera(Source("url", str(pipe)), settings, MonotonicClock())
    try:
        assert until(lambda: camera.faults["blocked_read"] == 3)
        time.sleep(0.6)
        assert camera.faults["blocked_read"] == 3  # no more are begun while none comes back
        assert camera_threads().count("camera take") == 3
        assert camera.state == "blocked"
        with contextlib.suppress(BrokenPipeError), pipe.open("wb") as writer:
            writer.write(jpegs(64, 48, 1)[0])  # the three wake and find a picture
        assert until(lambda: camera.faults["blocked_read"] > 3)  # they ended, others were begun
        assert camera.newest() is None
        feed(pipe, jpegs(64, 48), stop=lambda: camera.newest() is not None)
        assert camera.newest().picture.shape == (48, 64, 3)
    finally:
        closing = threading.Thread(target=camera.close)
        closing.start()
        feed(pipe, [], stop=lambda: not camera_threads())
        closing.join()
    assert not camera_threads()


def test_thousands_of_frames_leave_nothing_behind() -> None:
    def alive() -> int:
        return sum(type(thing) is Frame for thing in gc.get_objects())

    with HttpCamera(jpegs(64, 48), rate_hz=2000.0) as server:
        with Camera(parse_source(server.url), QUICK, MonotonicClock()) as camera:
            assert until(lambda: (camera.newest() or camera.wait(-1, 1)).number > 300)
            tracemalloc.start()
            before = tracemalloc.get_traced_memory()[0]
            start = camera.newest().number
            assert until(lambda: camera.newest().number > start + 2000, 15.0)
            grown = tracemalloc.get_traced_memory()[0] - before
            tracemalloc.stop()
            assert alive() <= 3
            assert grown < 40 * 64 * 48 * 3  # 2000 pictures would be fifty times as much
        assert camera.newest() is None


def test_no_thread_is_left_after_closing() -> None:
    with watched() as (_, camera):
        assert camera.wait(-1, 5) is not None
        assert camera_threads()
        camera.close()
        assert not camera_threads()
        camera.close()
        assert camera.wait(-1, 5) is None  # nobody waits for a closed camera


def test_a_camera_closed_while_it_hangs_ends_by_itself() -> None:
    with HttpCamera(jpegs()) as server:
        with Camera(parse_source(server.url), QUICK, MonotonicClock()) as camera:
            camera.wait(-1, 5)
            server.turn("hang")
            assert until(lambda: camera.state == "blocked")
        assert until(lambda: not camera_threads())


def test_a_camera_closed_while_it_is_opened_is_closed() -> None:
    with HttpCamera(jpegs()) as server:
        server.turn("hang")
        for _ in range(3):
            Camera(parse_source(server.url), QUICK, MonotonicClock()).close()
        assert until(lambda: not camera_threads())
