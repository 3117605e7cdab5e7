"""The plan: what a run will do is decided, or refused, before anything is opened."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import pytest
from rooms import RATE_HZ, empty_room, write_film

from mirror.camera import DeviceFacts
from mirror.errors import ScreenError, SessionError, SettingsError, SourceError
from mirror.options import RunOptions
from mirror.session.synthetic import write_synthetic
from mirror.settings import CameraSettings, Settings
from mirror.show.plan import BUNDLED_S, SHOWING_S, Plan, make_plan, recorded_sitters


@pytest.fixture(autouse=True)
def no_camera_and_no_display(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Whatever this computer has; and an empty folder to stand in."""
    monkeypatch.setattr("mirror.show.plan.list_devices", list)
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("films") / "wall.mp4"
    return str(write_film(path, [empty_room()] * 10))


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("sessions") / "evening.mcap"
    write_synthetic(path, 10.0, seed=1, rate_hz=10.0)
    return str(path)


def plan(settings: Settings = Settings(), fast: bool = False, **asked: Any) -> Plan:  # noqa: B008
    return make_plan(settings, RunOptions(**asked), fast)


# Who watches the room


def test_without_a_camera_the_bundled_session_plays() -> None:
    made = plan(report=Path("a.json"))
    assert (made.eyes, made.source, made.session, made.stepped) == ("session", None, None, False)


def test_with_a_camera_the_first_one_watches(monkeypatch: pytest.MonkeyPatch) -> None:
    facts = DeviceFacts(*[None] * len(DeviceFacts.__dataclass_fields__))
    monkeypatch.setattr("mirror.show.plan.list_devices", lambda: [facts])
    made = plan(report=Path("a.json"))
    assert made.source is not None
    assert (made.eyes, made.source.address, made.stepped) == ("camera", 0, False)


@pytest.mark.parametrize("realtime", [True, False])
def test_a_film_plays_in_its_own_time_or_frame_by_frame(film: str, realtime: bool) -> None:
    made = plan(source=film, realtime=realtime)
    assert made.eyes == ("camera" if realtime else "frames")
    assert made.stepped is not realtime
    assert made.rate_hz == (Settings().screen.rate_hz if realtime else RATE_HZ)
    assert made.seconds is None


def test_the_sites_own_source_is_taken_and_a_flag_beats_it(film: str) -> None:
    site = Settings(camera=CameraSettings(source="http://10.0.0.7/video"))
    camera = plan(site, report=Path("a.json"))
    assert camera.source is not None
    assert camera.source.address == "http://10.0.0.7/video"
    assert plan(site, source=film).eyes == "camera"
    assert str(plan(site, source=film).source).endswith("wall.mp4")


def test_passersby_need_nobody_unless_somebody_is_named(film: str) -> None:
    assert plan(piece="passersby", report=Path("a.json")).eyes == "nobody"
    assert plan(piece="passersby", source=film).eyes == "camera"


@pytest.mark.parametrize("fast", [True, False])
def test_a_recording_is_replayed_in_its_own_time_or_fast(recording: str, fast: bool) -> None:
    made = plan(source=recording, fast=fast)
    assert (made.eyes, str(made.session), made.stepped) == ("session", recording, fast)
    ids = [id for sitters in recorded_sitters(made) for id in sitters.arrived]
    assert ids == list(range(1, len(ids) + 1))


@pytest.mark.parametrize(
    ("from_s", "to_s", "told"),
    [
        (10.5, None, r"^--from: 10.5 s; allowed: up to 9.9 s, the end of .*evening"),
        (5.0, 5.0, r"^--to: 5 s; allowed: a time after --from, 5 s"),
        (0.0, 0.0, r"^--to: 0 s; allowed: a time after --from"),
    ],
)
def test_a_part_that_a_recording_does_not_have_is_refused(
    recording: str, from_s: float, to_s: float | None, told: str
) -> None:
    with pytest.raises(SettingsError, match=told):
        plan(source=recording, from_s=from_s, to_s=to_s)
    assert plan(source=recording, from_s=9.0, to_s=60.0).eyes == "session"


def test_only_a_replay_that_nobody_watches_strides(recording: str, film: str) -> None:
    assert plan(source=recording, fast=True).stride > 1
    for asked in ({"still": Path("a.png")}, {"record": Path("a.mcap")}, {"seconds": 5.0}):
        assert plan(source=recording, fast=True, **asked).stride == 1
    assert plan(source=film, realtime=False).stride == 1


def test_a_fast_replay_draws_only_what_will_be_seen(recording: str, film: str) -> None:
    assert not plan(source=recording, fast=True).draws
    assert plan(source=recording, fast=True, film=Path("a.mp4")).draws
    assert plan(source=recording, fast=True, still=Path("a.png")).draws
    assert plan(source=recording).draws
    assert plan(source=film, realtime=False).draws


@pytest.mark.parametrize(
    ("source", "error"),
    [("nowhere.mp4", SourceError), ("notes.txt", SourceError), ("nowhere.mcap", SessionError)],
)
def test_a_source_that_cannot_be_played_is_refused(source: str, error: type) -> None:
    Path("notes.txt").write_text("no film", encoding="utf-8")
    with pytest.raises(error, match=source):
        plan(source=source, film=Path("a.mp4"))
    assert [path.name for path in Path.cwd().iterdir()] == ["notes.txt"]


# Where the picture goes


def test_without_a_display_a_run_shows_itself_for_a_while() -> None:
    made = plan()
    assert (made.screen, made.seconds) == ("offscreen", SHOWING_S)
    named = [made.options.film, made.options.still, made.options.report]
    assert [str(path) for path in named] == ["out/river.mp4", "out/river.png", "out/report.json"]
    assert Path("out").is_dir()


def test_whoever_names_an_output_gets_that_and_nothing_else(film: str) -> None:
    for asked in ({"film": Path("a.mp4")}, {"report": Path("a.json")}, {"source": film}):
        made = plan(**asked)  # type: ignore[arg-type]
        assert made.seconds is None
        named = [made.options.film, made.options.still, made.options.report]
        assert [path for path in named if path] == [v for v in asked.values() if v != film]
    assert not Path("out").exists()


def test_seconds_that_are_named_hold_for_a_showing_too() -> None:
    assert plan(seconds=3.0).seconds == 3.0


@pytest.mark.parametrize("name", ["DISPLAY", "WAYLAND_DISPLAY"])
def test_with_a_display_there_is_a_window(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, ":7")
    assert plan().screen == "window"
    assert plan().seconds is None
    assert plan(screen="offscreen").screen == "offscreen"


def test_a_window_without_a_display_is_refused() -> None:
    with pytest.raises(ScreenError, match="DISPLAY") as refused:
        plan(screen="window")
    assert "offscreen" in refused.value.attempt


def test_a_showing_needs_a_folder_that_it_may_make() -> None:
    Path("out").write_text("a file is in the way", encoding="utf-8")
    with pytest.raises(SettingsError, match="out"):
        plan()


# The bundled session


def test_the_bundled_session_goes_on_for_ever_with_ever_new_sitters() -> None:
    long = itertools.takewhile(
        lambda sitters: sitters.time_s < 2.2 * BUNDLED_S, recorded_sitters(plan(seconds=1.0))
    )
    arrived, left, last_s = [], [], -1.0
    for sitters in long:
        assert sitters.time_s > last_s
        last_s = sitters.time_s
        arrived += sitters.arrived
        left += sitters.left
        assert {sitter.id for sitter in sitters.sitters} <= set(arrived) - set(left)
    assert len(arrived) == len(set(arrived)) > 4
    assert arrived == sorted(arrived)
    assert set(left) <= set(arrived)
