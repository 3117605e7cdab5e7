from __future__ import annotations

import threading
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from mirror.errors import SettingsError, ShapeError
from mirror.film import Film, write_still
from mirror.signals import Bytes


def bar(number: int, size: tuple[int, int] = (64, 48)) -> Bytes:
    """A warm picture with a bright bar that moves."""
    picture = np.full((size[1], size[0], 3), (120, 60, 30), np.uint8)
    picture[:, 4 * number % size[0] : 4 * number % size[0] + 4] = 230
    return picture


def names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


def decode(path: Path) -> list[tuple[float, Bytes]]:
    with av.open(str(path)) as film:
        return [(f.time, f.to_ndarray(format="rgb24")) for f in film.decode(video=0)]


def test_a_film_holds_every_picture_at_its_time(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    times = [5.0, 5.04, 5.5, 6.0]
    with Film(path, 25.0) as film:
        for number, time_s in enumerate(times):
            film.add(bar(number), time_s)
    found = decode(path)
    assert [time for time, _ in found] == pytest.approx([t - 5.0 for t in times], abs=1e-3)
    for number, (_, picture) in enumerate(found):
        assert np.abs(picture.astype(int) - bar(number)).mean() < 4
    with av.open(str(path)) as film_again:
        video = film_again.streams.video[0].codec_context
        assert (video.name, video.pix_fmt) == ("h264", "yuv420p")


def test_colours_come_back_as_they_were(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    picture = np.full((64, 64, 3), (150, 40, 30), np.uint8)
    with Film(path) as film:
        film.add(picture, 0.0)
        film.add(picture, 0.1)
    assert decode(path)[1][1].mean(axis=(0, 1)) == pytest.approx([150, 40, 30], abs=4)


@pytest.mark.parametrize("size", [(63, 47), (1, 1), (64, 33)])
def test_odd_sides_are_made_even(tmp_path: Path, size: tuple[int, int]) -> None:
    path = tmp_path / "a.mp4"
    with Film(path) as film:
        film.add(bar(0, size), 0.0)
    picture = decode(path)[0][1]
    assert picture.shape == (size[1] + size[1] % 2, size[0] + size[0] % 2, 3)


def test_a_picture_of_another_size_takes_the_size_of_the_first(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    with Film(path) as film:
        film.add(bar(0), 0.0)
        film.add(bar(1, (128, 96)), 0.1)
    assert [p.shape for _, p in decode(path)] == [(48, 64, 3)] * 2


def test_times_that_do_not_advance_lose_no_picture(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    with Film(path) as film:
        for number, time_s in enumerate((1.0, 1.0, 0.5, 2.0)):
            film.add(bar(number), time_s)
    times = [time for time, _ in decode(path)]
    assert len(times) == 4
    assert times == sorted(times)


def test_a_film_has_no_name_before_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    with Film(path) as film:
        film.add(bar(0), 0.0)
        assert not path.exists()
    assert names(tmp_path) == ["a.mp4"]


def test_a_film_that_is_broken_off_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), Film(tmp_path / "a.mp4") as film:
        film.add(bar(0), 0.0)
        raise ZeroDivisionError
    assert names(tmp_path) == []


def test_an_older_film_outlives_one_that_is_broken_off(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    path.write_bytes(b"older")
    with pytest.raises(ZeroDivisionError), Film(path) as film:
        film.add(bar(0), 0.0)
        raise ZeroDivisionError
    assert path.read_bytes() == b"older"


def test_ctrl_c_keeps_what_was_filmed(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    with pytest.raises(KeyboardInterrupt), Film(path) as film:
        film.add(bar(0), 0.0)
        film.add(bar(1), 0.1)
        raise KeyboardInterrupt
    assert len(decode(path)) == 2


def test_a_film_without_pictures_is_none(tmp_path: Path) -> None:
    with Film(tmp_path / "sub" / "a.mp4"):
        pass
    assert names(tmp_path) == []


def test_the_encoder_ends_with_the_film(tmp_path: Path) -> None:
    with Film(tmp_path / "a.mp4") as film:
        film.add(bar(0), 0.0)
        assert "film" in [thread.name for thread in threading.enumerate()]
    film.close()
    assert "film" not in [thread.name for thread in threading.enumerate()]


def test_names_that_make_no_film_are_refused_at_once(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"\.gif.*allowed: \*\.mp4"):
        Film(tmp_path / "a.gif")
    (tmp_path / "folder.mp4").mkdir()
    with pytest.raises(SettingsError, match="a folder; allowed: a file"):
        Film(tmp_path / "folder.mp4")
    with pytest.raises(SettingsError, match=r"\.jpg.*allowed: \*\.png"):
        write_still(tmp_path / "a.jpg", bar(0))


def test_a_place_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with (
        pytest.raises(SettingsError, match="folder cannot be made"),
        Film(tmp_path / "file" / "a.mp4") as film,
    ):
        film.add(bar(0), 0.0)
    with pytest.raises(SettingsError, match="folder cannot be made"):
        write_still(tmp_path / "file" / "a.png", bar(0))


def test_a_disk_that_is_full_is_said_and_leaves_nothing_behind(tmp_path: Path) -> None:
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("no /dev/full here")
    film = Film(tmp_path / "a.mp4")
    film._rest.symlink_to(full)
    noise = np.random.default_rng(1)
    with pytest.raises(SettingsError, match="the film cannot be written"):
        for number in range(200):
            film.add(noise.integers(0, 255, (96, 128, 3)).astype(np.uint8), number / 30)
        film.close()
    film.close(keep=False)
    assert names(tmp_path) == []


def test_pictures_of_another_shape_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ShapeError, match="picture"), Film(tmp_path / "a.mp4") as film:
        film.add(np.zeros((4, 4), np.uint8), 0.0)
    with pytest.raises(ShapeError, match="picture"):
        write_still(tmp_path / "a.png", np.zeros((4, 4, 3), np.float32))


def test_a_still_is_the_picture_itself(tmp_path: Path) -> None:
    path = tmp_path / "sub" / "a.png"
    write_still(path, bar(3))
    assert np.array_equal(cv2.imread(str(path))[:, :, ::-1], bar(3))
    assert names(path.parent) == ["a.png"]
