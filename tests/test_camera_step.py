"""``calibrate camera`` on real network cameras: what each fault is called, and what to do."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from http_camera import HttpCamera, encode, jpegs
from rich.console import Console
from rooms import empty_room
from sites import SIZE, Site, noisy

from calibration.__main__ import main
from calibration.asking import Asker
from calibration.camera_step import CameraWishes, ask_wishes, calibrate_camera, lock_verdict
from mirror.settings import CameraSettings


@pytest.fixture(scope="module")
def room() -> np.ndarray:
    return empty_room(*SIZE)


@contextmanager
def filmed(shots: list[bytes], rate_hz: float = 30.0, name: str = "Eye/1") -> Iterator[HttpCamera]:
    with HttpCamera(shots, rate_hz, name) as camera:
        yield camera


def lamplit(room: np.ndarray, light_hz: float, rate_hz: float, count: int) -> list[bytes]:
    """A room under a lamp that flickers by 4 %, through a rolling shutter of 0.8 of a period."""
    down = np.arange(room.shape[0]) / room.shape[0]
    rng = np.random.default_rng(0)
    shots = []
    for number in range(count):
        time_s = (number + 0.8 * down) / rate_hz
        lamp = 1 + 0.04 * np.sin(2 * np.pi * light_hz * time_s)
        picture = room * lamp[:, None, None] + rng.normal(0, 2, room.shape)
        shots.append(encode(np.clip(picture, 0, 255).astype(np.uint8)))
    return shots


def test_a_good_camera_passes_and_is_kept_with_its_identity(
    tmp_path: Path, room: np.ndarray
) -> None:
    site = Site(tmp_path)
    with filmed(noisy(room)) as camera:
        told = site.calibrate(
            "camera", "--source", camera.url, "--seconds", "4", "--operator", "Ada"
        )
    assert told.status == 0
    assert told.states("camera.there", "camera.identity", "camera.size") == ["pass"] * 3
    settings = site.settings
    assert (settings.camera.source, settings.site.operator) == (camera.url, "Ada")
    assert settings.camera.identity == f"{camera.url} | says Eye/1"
    assert settings.measured.camera_at
    assert settings.measured.camera_flicker_hz == 0.0
    assert settings.measured.camera_rate_hz == pytest.approx(camera.true_rate_hz, rel=0.02)
    assert (settings.measured.camera_width_px, settings.measured.camera_height_px) == SIZE


@pytest.mark.parametrize(("light_hz", "rate_hz", "count"), [(100.0, 30.0, 3), (120.0, 25.0, 5)])
def test_flicker_is_found_at_the_frequency_put_in(
    tmp_path: Path, room: np.ndarray, light_hz: float, rate_hz: float, count: int
) -> None:
    """The lamp goes on from the last of ``count`` pictures to the first."""
    site = Site(tmp_path)
    with filmed(lamplit(room, light_hz, rate_hz, count), rate_hz) as camera:
        told = site.calibrate(
            "camera", "--source", camera.url, "--seconds", "3", "--rate", f"{rate_hz:g}"
        )
    found = site.settings.measured
    assert found.camera_flicker_hz == light_hz
    assert found.camera_flicker_share == pytest.approx(0.04, rel=0.25)
    assert told.states("camera.flicker") == ["warn"]
    mains = f"{light_hz / 2:g} Hz"
    assert f"lamps on {mains} mains" in told.verdicts["camera.flicker"]["found"]
    assert f"choose {mains}" in told.verdicts["camera.flicker"]["advice"]


def test_eight_pictures_a_second_are_too_few(tmp_path: Path, room: np.ndarray) -> None:
    with filmed(noisy(room), 8.0) as camera:
        told = Site(tmp_path).calibrate("camera", "--source", camera.url, "--seconds", "2.2")
    assert told.status == 1
    assert "camera.rate" in told.wrong
    rate = told.verdicts["camera.rate"]
    assert (rate["state"], round(rate["value"])) == ("fail", 8)
    assert rate["value"] == pytest.approx(camera.true_rate_hz, rel=0.02)
    assert "more light" in rate["advice"]


def test_a_slower_camera_than_asked_for_may_be_taken_as_it_is(
    tmp_path: Path, room: np.ndarray
) -> None:
    with filmed(noisy(room), 25.0) as camera:
        told = Site(tmp_path).calibrate("camera", "--source", camera.url, "--seconds", "2.2")
    assert told.verdicts["camera.rate"]["value"] == pytest.approx(camera.true_rate_hz, rel=0.02)
    assert told.states("camera.rate") == ["warn"]
    assert told.verdicts["camera.rate"]["advice"].endswith("--rate 25")


def test_a_frozen_camera_is_told(tmp_path: Path) -> None:
    with filmed(jpegs()) as camera:
        camera.turn("freeze")
        told = Site(tmp_path).calibrate("camera", "--source", camera.url, "--seconds", "1.6")
    assert told.status == 1
    assert told.verdicts["camera.picture"]["found"].startswith("frozen")
    assert "off and on" in told.verdicts["camera.picture"]["advice"]


def test_a_camera_that_is_not_there_is_told_and_nothing_is_saved(tmp_path: Path) -> None:
    site = Site(tmp_path)
    before = site.file.read_bytes()
    with filmed(jpegs()) as camera:
        url = camera.url
    told = site.calibrate("camera", "--source", url)
    assert told.status == 1
    assert told.verdicts["camera.there"]["found"].startswith(
        f"no camera answers at url {url}".replace("url ", "")
    )
    assert "switched on" in told.verdicts["camera.there"]["advice"]
    assert site.file.read_bytes() == before


def test_a_camera_that_says_nothing_is_told(tmp_path: Path) -> None:
    with filmed(jpegs()) as camera:
        camera.turn("hang")
        told = Site(tmp_path).calibrate("camera", "--source", camera.url)
    assert told.status == 1
    assert "sends no picture" in told.verdicts["camera.there"]["found"]


def test_damaged_pictures_are_told(tmp_path: Path) -> None:
    good = jpegs()
    shots = [jpeg if n % 4 else jpeg[: len(jpeg) // 2] + b"\xff\xd9" for n, jpeg in enumerate(good)]
    with filmed(shots) as camera:
        told = Site(tmp_path).calibrate("camera", "--source", camera.url, "--seconds", "1.6")
    assert told.states("camera.picture") == ["fail"]
    assert "corrupt" in told.verdicts["camera.picture"]["found"]
    assert "cable" in told.verdicts["camera.picture"]["advice"]


def test_another_camera_at_the_same_address_is_refused(tmp_path: Path, room: np.ndarray) -> None:
    site = Site(tmp_path)
    with filmed(noisy(room), name="Hall/1") as camera:
        site.calibrate("camera", "--source", camera.url, "--seconds", "1.6")
        before = site.file.read_bytes()
        camera.name = "Cloakroom/1"
        told = site.calibrate("camera", "--seconds", "1.6")
        assert told.status == 1
        assert "Cloakroom/1 instead of Hall/1" in told.verdicts["camera.identity"]["found"]
        assert "choose anew" in told.verdicts["camera.identity"]["advice"]
        assert list(told.verdicts) == ["camera.identity"]  # nothing of the other one was looked at
        assert site.file.read_bytes() == before
        # Chosen on purpose, it is the site's camera; what was known of the old one is forgotten.
        site.set("measured", light_found=1.0, latency_p50_ms=80.0)
        assert site.calibrate("camera", "--source", camera.url, "--seconds", "1.6").status == 0
    assert site.settings.camera.identity.endswith("Cloakroom/1")
    assert site.settings.measured.light_found is None
    assert site.settings.measured.latency_p50_ms is None


@pytest.mark.parametrize("agreed", [True, False])
def test_whoever_sits_there_may_accept_another_camera(
    tmp_path: Path, room: np.ndarray, monkeypatch: pytest.MonkeyPatch, agreed: bool
) -> None:
    site = Site(tmp_path)
    with filmed(noisy(room), name="Cloakroom/1") as camera:
        site.set("camera", source=camera.url, identity=f"{camera.url} | says Hall/1")
        typed = iter(["1", "", "", "", "y" if agreed else "n"])
        monkeypatch.setattr("builtins.input", lambda: next(typed))
        shown = io.StringIO()
        asker = Asker(Console(file=shown, width=100), answers=True)
        verdicts = calibrate_camera(str(site.file), CameraWishes(seconds=1.6), asker)
    assert "another camera: Cloakroom/1 instead of Hall/1" in shown.getvalue()
    assert (verdicts[0].key == "camera.there") == agreed
    kept = "Cloakroom/1" if agreed else "Hall/1"
    assert site.settings.camera.identity == f"{camera.url} | says {kept}"


def test_two_cameras_of_one_name_are_not_mixed_up(tmp_path: Path, room: np.ndarray) -> None:
    site = Site(tmp_path)
    with filmed(noisy(room)) as left, filmed(noisy(room, seed=1)) as right:
        site.calibrate("camera", "--source", left.url, "--seconds", "1.6")
        site.set("camera", source=right.url)  # somebody wrote the other address into the file
        told = site.calibrate("camera", "--seconds", "1.6")
    assert told.status == 1
    assert f"{right.url} instead of {left.url}" in told.verdicts["camera.identity"]["found"]


@pytest.mark.parametrize(
    ("typed", "asked"),
    [
        (["YUYV", "y", "800", "600", "0", "25"], {"format": "YUYV", "lock": True, "rate_hz": 25.0}),
        (
            ["", "n", "", "", "", "10", "5", "4600", "30"],
            {"lock": False, "width_px": 1280, "exposure_ms": 10.0, "gain": 5.0, "focus": 30.0},
        ),
    ],
)
def test_a_device_is_asked_about_what_can_be_set(
    monkeypatch: pytest.MonkeyPatch, typed: list[str], asked: dict[str, object]
) -> None:
    answers = iter(typed)
    monkeypatch.setattr("builtins.input", lambda: next(answers))
    asker = Asker(Console(file=io.StringIO()), answers=True)
    wishes = ask_wishes(CameraWishes(), CameraSettings(source="0"), asker)
    assert {name: getattr(wishes, name) for name in asked} == asked
    assert next(answers, None) is None


@pytest.mark.parametrize(
    ("after", "state", "advice"),
    [(95.0, "pass", ""), (40.0, "warn", "a longer --exposure"), (200.0, "warn", "a shorter")],
)
def test_a_lock_that_changes_the_picture_is_told(after: float, state: str, advice: str) -> None:
    told = lock_verdict(100.0, after)
    assert told.state == state
    assert advice in told.advice


def test_no_camera_chosen_ends_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["camera", "--site", str(tmp_path / "a.toml"), "--yes"]) == 2
    assert "--source: no camera was chosen" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--rate", "0"), "--rate: 0.0; allowed: a number from 1 to 240"),
        (("--rate", "fast"), '--rate: "fast"; allowed: a number from 1 to 240'),
        (("--format", "MPEG"), "--format"),
        (("--size", "9x9"), "--size"),
        (("--exposure", "-1"), "--exposure"),
        (("--json", "/nowhere/a.json"), "--json"),
        (("--source", "nowhere.mp4"), "no such file"),
        (("--source", "/dev/video77"), "no such camera"),
        (("--site", "a b"), "--site"),
    ],
)
def test_bad_flags_end_in_one_line_and_status_two(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], said: str
) -> None:
    site = () if "--site" in words else ("--site", str(tmp_path / "a.toml"))
    assert main(["camera", *words, *site]) == 2
    err = capsys.readouterr().err
    assert said in err
    assert err.count("\n") == 1
