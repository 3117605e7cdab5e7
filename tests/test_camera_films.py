"""Real films, whole and damaged: picture by picture, and in their own time."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from http_camera import QUICK, camera_threads, jpegs, until
from skimage.data import astronaut

from mirror.camera import Camera, Faults, Source, every_frame, parse_source, probe
from mirror.camera.films import FilmTime
from mirror.clock import MonotonicClock, SteppedClock
from mirror.errors import SourceError
from mirror.settings import CameraSettings
from mirror.signals import Frame

AS_IT_IS = CameraSettings(mirror=False)
SHADE = 12  # each picture of a film is so much brighter than the last


def film_pictures(count: int, width_px: int = 160, height_px: int = 120) -> list[np.ndarray]:
    """A face on the left, and on the right a shade of grey that tells the picture's number."""
    face = cv2.resize(astronaut(), (width_px, height_px), interpolation=cv2.INTER_AREA)
    shots = []
    for number in range(count):
        shot = face.copy()
        shot[:, width_px // 2 :] = SHADE * number
        shots.append(shot)
    return shots


def number_in(picture: np.ndarray) -> int:
    """The number that film_pictures wrote into a picture that is not mirrored."""
    return round(float(picture[:, -picture.shape[1] // 3 :].mean()) / SHADE)


def write_film(
    path: Path, shots: list[np.ndarray], rate_hz: int = 10, codec: str = "libx264"
) -> Path:
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=rate_hz)
        stream.height, stream.width = shots[0].shape[:2]
        stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
        for shot in shots:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(shot, format="rgb24")))
        container.mux(stream.encode(None))
    return path


@pytest.fixture
def film(tmp_path: Path) -> Source:
    return parse_source(str(write_film(tmp_path / "film.mp4", film_pictures(12))))


def test_every_frame_comes_once_in_order_at_its_own_time(film: Source) -> None:
    frames = list(every_frame(film, AS_IT_IS))
    assert [frame.number for frame in frames] == list(range(12))
    assert [number_in(frame.picture) for frame in frames] == list(range(12))
    assert [frame.time_s for frame in frames] == pytest.approx([k / 10 for k in range(12)])


def test_two_readings_of_a_film_agree_bit_for_bit(film: Source) -> None:
    for first, second in zip(every_frame(film, AS_IT_IS), every_frame(film, AS_IT_IS)):
        assert first.time_s == second.time_s
        assert np.array_equal(first.picture, second.picture)


def test_a_loop_goes_on_counting(film: Source) -> None:
    frames = every_frame(film, AS_IT_IS, loop=True)
    taken = [next(frames) for _ in range(30)]
    assert [frame.number for frame in taken] == list(range(30))
    assert [number_in(frame.picture) for frame in taken] == [k % 12 for k in range(30)]
    assert [frame.time_s for frame in taken] == pytest.approx([k / 10 for k in range(30)])


def test_a_picture_is_rgb_and_mirrored_once(film: Source) -> None:
    plain = next(every_frame(film, CameraSettings(mirror=False))).picture
    mirrored = next(every_frame(film, CameraSettings(mirror=True))).picture
    assert np.array_equal(mirrored, plain[:, ::-1])
    assert mirrored.flags.c_contiguous
    shown = film_pictures(1)[0].astype(float)
    assert np.abs(plain - shown).mean() < 4
    assert np.abs(plain[..., ::-1] - shown).mean() > 8  # blue is not taken for red


def test_a_film_taken_upright_is_shown_upright(tmp_path: Path) -> None:
    shots = film_pictures(3)
    path = write_film(tmp_path / "phone.mp4", shots)
    turned = path.read_bytes()
    matrix = turned.index(b"tkhd") + 4 + 40  # the track's header, its display matrix
    one = 1 << 16
    quarter = struct.pack(">9i", 0, one, 0, -one, 0, 0, 120 * one, 0, 1 << 30)  # clockwise
    path.write_bytes(turned[:matrix] + quarter + turned[matrix + 36 :])
    source = parse_source(str(path))
    frame = next(every_frame(source, AS_IT_IS))
    facts = probe(source)
    assert frame.picture.shape == (160, 120, 3) == (facts.height_px, facts.width_px, 3)
    assert np.abs(frame.picture - np.rot90(shots[0], -1).astype(float)).mean() < 4


@pytest.mark.parametrize(
    ("name", "codec"), [("a.mp4", "libx264"), ("a.avi", "mjpeg"), ("a.mkv", "mpeg4")]
)
def test_the_facts_of_a_film(tmp_path: Path, name: str, codec: str) -> None:
    path = write_film(tmp_path / name, film_pictures(12), codec=codec)
    facts = probe(parse_source(str(path)))
    assert (facts.width_px, facts.height_px, facts.frames) == (160, 120, 12)
    assert facts.rate_hz == pytest.approx(10.0)
    assert facts.seconds == pytest.approx(1.2, abs=0.01)


def spoil_nothing(whole: bytes) -> bytes:
    return b""


def spoil_end(whole: bytes) -> bytes:
    return whole[: len(whole) // 2]


def spoil_words(whole: bytes) -> bytes:
    return b"This is a diary.\n" * 500


def spoil_noise(whole: bytes) -> bytes:
    return np.random.default_rng(3).bytes(20_000)


def spoil_still(whole: bytes) -> bytes:
    return jpegs(count=1)[0]


@pytest.mark.parametrize("suffix", [".mp4", ".txt", ".jpg"])
@pytest.mark.parametrize("spoil", [spoil_nothing, spoil_end, spoil_words, spoil_noise, spoil_still])
def test_what_is_no_film_is_told_in_four_parts(
    tmp_path: Path, suffix: str, spoil: Callable[[bytes], bytes]
) -> None:
    whole = write_film(tmp_path / "whole.mp4", film_pictures(12)).read_bytes()
    path = tmp_path / f"spoilt{suffix}"
    path.write_bytes(spoil(whole))
    source = parse_source(str(path))
    for attempt in (probe, lambda it: every_frame(it, QUICK),
                    lambda it: Camera(it, QUICK, MonotonicClock())):  # fmt: skip
        with pytest.raises(SourceError) as told:
            attempt(source)
        assert str(path) in told.value.where
        assert all((told.value.found, told.value.allowed, told.value.attempt))


def test_only_files_are_read_frame_by_frame() -> None:
    with pytest.raises(SourceError, match="live"):
        every_frame(Source("url", "http://127.0.0.1:9/"), QUICK)


def test_a_film_vanished_since_is_told(film: Source) -> None:
    Path(str(film.address)).unlink()
    with pytest.raises(SourceError, match="No such file"):
        probe(film)


def test_damaged_pictures_of_a_film_are_left_out_and_counted(tmp_path: Path) -> None:
    shots = film_pictures(12)
    path = write_film(tmp_path / "film.avi", shots, codec="mjpeg")
    whole = bytearray(path.read_bytes())
    starts = [k for k in range(len(whole)) if whole[k : k + 3] == b"\xff\xd8\xff"]
    middle = (starts[5] + starts[6]) // 2
    whole[middle : starts[6] - 64] = bytes(starts[6] - 64 - middle)
    path.write_bytes(whole)
    faults = Faults("film")
    source = parse_source(str(path))
    frames = list(every_frame(source, AS_IT_IS, faults=faults))
    assert [number_in(frame.picture) for frame in frames] == [0, 1, 2, 3, 4, 6, 7, 8, 9, 10, 11]
    assert frames[5].time_s == pytest.approx(0.6)
    assert faults.counts["corrupt"] == 1


def test_a_film_cut_off_plays_as_far_as_it_goes(tmp_path: Path) -> None:
    path = write_film(tmp_path / "film.avi", film_pictures(12), codec="mjpeg")
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    numbers = [number_in(f.picture) for f in every_frame(parse_source(str(path)), AS_IT_IS)]
    assert 2 < len(numbers) < 12
    assert numbers == list(range(len(numbers)))


def test_stamps_are_trusted_as_long_as_they_make_sense() -> None:
    film_time = FilmTime(step_s=0.1)
    stamps = [7.0, 7.1, 7.3, None, 7.5, 7.2, 7.3, 9000.0, 9000.1]
    times = [film_time.of(stamp) for stamp in stamps]
    assert times == pytest.approx([0.0, 0.1, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9])


def test_a_film_waits_for_the_clock(film: Source) -> None:
    clock = SteppedClock(50.0)
    with Camera(film, AS_IT_IS, clock) as camera:
        assert camera.wait(-1, 5).time_s == 50.0
        assert camera.wait(0, 0.15) is None  # the clock stands still
        for number in range(1, 5):
            clock.set_s(50.0 + number / 10)
            frame = camera.wait(number - 1, 5)
            assert (frame.number, number_in(frame.picture)) == (number, number)
            assert frame.time_s == pytest.approx(50.0 + number / 10)
        assert not camera.ended


def test_pictures_that_come_too_late_are_left_out(film: Source) -> None:
    clock = SteppedClock()
    with Camera(film, AS_IT_IS, clock) as camera:
        camera.wait(-1, 5)
        clock.set_s(0.1)
        camera.wait(0, 5)
        clock.set_s(0.31)  # picture 2 has passed
        assert until(lambda: camera.newest(1) is not None and camera.newest(1).number == 3)
        clock.set_s(5.0)  # all have passed: one is shown, so that the picture does not stand still
        assert until(lambda: camera.ended)
        assert camera.newest().number <= 5
        assert camera.state == "ended"


def test_a_film_plays_in_its_own_time_and_ends(film: Source) -> None:
    clock = MonotonicClock()
    frames: list[Frame] = []
    with Camera(film, AS_IT_IS, clock) as camera:
        while not camera.ended:
            frame = camera.wait(frames[-1].number if frames else -1, 2)
            if frame is not None:
                assert clock.now_s() >= frame.time_s
                frames.append(frame)
        end_s = clock.now_s()
    start_s = frames[0].time_s
    assert len(frames) > 6
    assert [f.time_s - start_s for f in frames] == pytest.approx([f.number / 10 for f in frames])
    assert end_s - start_s >= 1.2
    assert not any(camera.faults.values())


def test_a_looped_film_goes_on(film: Source) -> None:
    clock = SteppedClock()
    with Camera(film, AS_IT_IS, clock, loop=True) as camera:
        camera.wait(-1, 5)
        for number in range(1, 15):
            clock.set_s(number / 10 + 0.01)
            assert camera.wait(number - 1, 5).number == number
        assert number_in(camera.newest().picture) == 14 - 12
        assert not camera.ended


def test_a_file_that_is_no_camera_is_not_taken_for_one(film: Source) -> None:
    with Camera(Source("device", film.address), QUICK, MonotonicClock()) as camera:
        assert until(lambda: camera.faults["gone"] > 0)
        assert camera.newest() is None


def test_no_thread_is_left_after_closing_a_film(film: Source) -> None:
    with Camera(film, AS_IT_IS, MonotonicClock(), loop=True) as camera:
        assert camera.wait(-1, 5) is not None
        assert camera_threads()
    assert not camera_threads()
    assert camera.newest() is None
