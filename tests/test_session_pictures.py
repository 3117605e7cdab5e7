"""Pictures of people are recorded under a lamp, at their own times, and can be looked at again."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from rooms import HEIGHT_PX, RATE_HZ, WIDTH_PX, visit, write_film

from mirror.clock import SteppedClock
from mirror.errors import MirrorError
from mirror.options import RunOptions
from mirror.painting import loading
from mirror.session import open_session, survey
from mirror.session.film import film as film_of
from mirror.settings import CameraSettings, RecordSettings, RiverSettings, Settings
from mirror.show.piece_time import PieceTime
from mirror.show.recording import Recording
from mirror.show.run import run

SIZE = (160, 90)
BEFORE_S, STAY_S, AFTER_S = 0.8, 3.0, 1.6
SECONDS = BEFORE_S + STAY_S + AFTER_S
SETTINGS = Settings(river=RiverSettings(parcels=12), camera=CameraSettings(mirror=True))


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("films") / "visit.mp4"
    return write_film(path, visit(BEFORE_S, STAY_S, AFTER_S))


def play(source: Path, settings: Settings = SETTINGS, fast: bool = False, **more: Any) -> Any:
    """The report of a run through a film, picture by picture, or of a replay."""
    asked: dict[str, Any] = {"screen": "offscreen", "size": SIZE, "realtime": False, **more}
    return run(settings, RunOptions(source=str(source), **asked), fast)


@pytest.fixture(scope="module")
def evening(film: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """A recording with pictures, and the report of the run."""
    out = tmp_path_factory.mktemp("evening")
    told = play(film, record=out / "a.mcap", record_pictures=True, still=out / "lit.png")
    return out / "a.mcap", told


def lamp_of(still: Path) -> bool:
    """Whether the upper right corner of a picture holds something red that shines."""
    picture = cv2.imread(str(still))
    corner = picture[: SIZE[1] // 6, -SIZE[0] // 8 :].astype(int)
    red = (corner[..., 2] > 200) & (corner[..., :2].max(axis=-1) < 60)
    return bool(red.any())


def test_a_lamp_shines_while_pictures_are_recorded_and_at_no_other_time(
    evening: tuple[Path, dict[str, Any]], film: Path, tmp_path: Path
) -> None:
    assert lamp_of(evening[0].with_name("lit.png"))
    play(film, record=tmp_path / "a.mcap", still=tmp_path / "dark.png", seconds=0.6)
    assert not lamp_of(tmp_path / "dark.png")
    play(evening[0], fast=True, to_s=0.5, still=tmp_path / "again.png")
    assert not lamp_of(tmp_path / "again.png")


def test_the_file_is_marked_and_holds_every_picture_at_its_time(
    evening: tuple[Path, dict[str, Any]],
) -> None:
    """On the session's clock, as sitters are: by a camera's own it would be hours away."""
    session, found = open_session(evening[0]), survey(evening[0])
    assert session.header.pictures
    assert found.is_intact
    pictures = list(session.pictures())
    times = [picture.time_s for picture in pictures]
    assert len(pictures) == pytest.approx(SECONDS * RATE_HZ, abs=2)
    assert times == [sitters.time_s for sitters in session.sitters()][: len(times)]
    assert pictures[0].picture.shape == (HEIGHT_PX, WIDTH_PX, 3)
    assert session.duration_s == pytest.approx(SECONDS, abs=0.2)
    some = [picture.time_s for picture in session.pictures(1.0, 2.0)]
    assert some == [time_s for time_s in times if 1.0 <= time_s <= 2.0]


def test_its_markers_are_proved_like_any_others(evening: tuple[Path, dict[str, Any]]) -> None:
    told = play(evening[0], fast=True)
    assert told["replay"]["differed"] == 0
    assert told["river_hash"] == evening[1]["river_hash"]


@pytest.mark.parametrize("fast", [True, False])
def test_its_pictures_are_seen_again_as_by_a_camera(
    evening: tuple[Path, dict[str, Any]], fast: bool
) -> None:
    """They are mirrored already, and what is found in them is whoever was there."""
    path, recorded = evening
    told = play(path, fast=fast, pictures=True)
    assert "replay" not in told  # markers found in JPEGs are not the recorded ones
    (visit_again,), (first,) = told["visits"], recorded["visits"]
    assert visit_again["start_s"] == pytest.approx(first["start_s"], abs=0.5)
    assert visit_again["end_s"] == pytest.approx(first["end_s"], abs=0.5)
    assert told["stage_ms"]["markers"]["p50"] > 0


def test_a_part_of_its_pictures_can_be_played_and_again(
    evening: tuple[Path, dict[str, Any]],
) -> None:
    told = play(evening[0], fast=True, pictures=True, from_s=1.5, to_s=2.5, loop=True, seconds=2.0)
    assert told["visits"][0]["start_s"] == pytest.approx(0.0, abs=0.6)
    assert told["sitters_max"] == 1


def test_a_film_of_it_shows_its_pictures(
    evening: tuple[Path, dict[str, Any]], tmp_path: Path
) -> None:
    session = open_session(evening[0])
    assert film_of(session, tmp_path / "a.mp4") == len(list(session.pictures()))


def test_a_recording_of_markers_has_no_pictures_to_play(film: Path, tmp_path: Path) -> None:
    play(film, record=tmp_path / "a.mcap", seconds=0.5)
    with pytest.raises(MirrorError, match="--pictures: only markers in"):
        play(tmp_path / "a.mcap", fast=True, pictures=True)


def test_where_no_camera_looks_nothing_is_marked_and_no_lamp_shines(
    evening: tuple[Path, dict[str, Any]], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    play(
        evening[0], fast=True, to_s=0.5, record=tmp_path / "a.mcap", record_pictures=True,
        still=tmp_path / "a.png",
    )  # fmt: skip
    assert not open_session(tmp_path / "a.mcap").header.pictures
    assert not lamp_of(tmp_path / "a.png")
    assert "no camera looks at anybody" in caplog.text


def test_a_run_that_ends_before_its_river_springs_says_that_nothing_was_recorded(
    film: Path,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A disk so slow that the models come when all is over."""
    over, end, load = threading.Event(), Recording.end, loading.load

    def ends(*args: Any) -> None:
        end(*args)
        over.set()

    def loads(*args: Any) -> Any:
        assert over.wait(60.0)
        return load(*args)

    monkeypatch.setattr(Recording, "end", ends)
    monkeypatch.setattr(loading, "load", loads)
    play(film, realtime=True, seconds=0.02, record=tmp_path / "a.mcap")
    assert not (tmp_path / "a.mcap").exists()
    assert "nothing was recorded" in caplog.text


def test_a_long_recording_is_cut_by_its_own_time_not_by_the_camera_s(
    film: Path, tmp_path: Path
) -> None:
    settings = replace(SETTINGS, record=RecordSettings(rotate_s=10.0))
    play(film, settings, seconds=1.0, record=tmp_path / "a.mcap", record_pictures=True)
    assert [path.name for path in tmp_path.iterdir()] == ["a.mcap"]


def test_the_piece_s_time_at_a_time_of_the_clock_stops_where_it_stands_still(
    clock: SteppedClock, caplog: pytest.LogCaptureFixture
) -> None:
    clock.set_s(100.0)
    time = PieceTime(clock, began_s=7.0)
    clock.set_s(110.0)
    assert (time.at_s(105.0), time.now_s) == (12.0, 17.0)
    time.freeze(True)
    clock.set_s(150.0)
    assert np.array([time.at_s(105.0), time.at_s(140.0), time.now_s]).tolist() == [12.0, 17.0, 17.0]
    time.freeze(False)
    assert time.at_s(151.0) == 18.0
