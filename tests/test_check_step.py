"""``calibrate check``: one table, and an exit status that says whether visitors may come."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from http_camera import HttpCamera
from rooms import empty_room
from sites import SIZE, Site, noisy
from x_display import Display

from calibration import latency_step, mirror_step, screen_step
from calibration.__main__ import main
from calibration.stored import ROWS, key_of
from calibration.verdicts import BAD, GOOD, UNKNOWN
from mirror.screen.monitors import list_monitors
from mirror.settings import MeasuredSettings

#: A site as good as can be.
GOOD_SITE = {
    "camera_at": "2026-05-01T10:00:00+00:00", "camera_rate_hz": 30.0, "camera_flicker_hz": 0.0,
    "camera_flicker_share": 0.0, "light_at": "2026-05-01T10:10:00+00:00", "light_near_px": 180.0,
    "light_far_px": 90.0, "light_brightness": 130.0, "light_contrast": 90.0, "light_side": 0.05,
    "light_found": 1.0, "light_jitter": 0.001, "latency_at": "2026-05-01T10:20:00+00:00",
    "latency_p50_ms": 90.0, "latency_p95_ms": 130.0, "screen_at": "2026-05-01T10:30:00+00:00",
    "screen_keystone_px": 0.4, "screen_lens_px": 0.2, "mirror_at": "2026-05-01T10:40:00+00:00",
    "mirror_right": 1.0, "mirror_place": 0.02,
}  # fmt: skip
KNOWN = {key: value for key, value in GOOD_SITE.items() if hasattr(MeasuredSettings(), key)}


@pytest.fixture
def site(tmp_path: Path) -> Site:
    site = Site(tmp_path)
    site.set("measured", **KNOWN)
    return site


def test_a_good_site_passes(site: Site) -> None:
    told = site.calibrate("check", "--stored")
    assert told.status == GOOD
    assert told.wrong == {}
    assert "(on 2026-05-01)" in told.verdicts["latency.p50"]["found"]
    assert told.verdicts["latency.p50"]["limit"] == "150 ms"


@pytest.mark.parametrize(
    ("name", "value", "state", "advice"),
    [
        ("light_near_px", 60.0, "fail", "come closer"),
        ("light_far_px", 60.0, "warn", "come closer"),
        ("light_brightness", 20.0, "fail", "another lamp"),
        ("light_brightness", 250.0, "fail", "another lamp"),
        ("light_contrast", 30.0, "warn", "wipe the lens"),
        ("light_side", -0.5, "fail", "darker side"),
        ("light_found", 0.9, "warn", "more light"),
        ("latency_p50_ms", 200.0, "warn", "calibrate latency"),
        ("latency_p95_ms", 900.0, "fail", "calibrate latency"),
        ("screen_keystone_px", 2.0, "warn", "calibrate screen"),
        ("screen_lens_px", 5.0, "fail", "calibrate screen"),
        ("mirror_right", 0.9, "fail", "calibrate mirror"),
        ("camera_rate_hz", 8.0, "fail", "more light"),
        ("camera_flicker_share", 0.03, "warn", "the lamp that pulses"),
        ("camera_refused", "gain = 300 (it is 255)", "warn", "other values"),
    ],
)
def test_each_number_beyond_its_limit_is_told(
    site: Site, name: str, value: Any, state: str, advice: str
) -> None:
    site.set("measured", **{name: value})
    told = site.calibrate("check", "--stored")
    assert list(told.wrong.values()) == [state]
    assert told.status == (BAD if state == "fail" else GOOD)
    (key,) = told.wrong
    assert advice in told.verdicts[key]["advice"]


@pytest.mark.parametrize("name", [name for name in ROWS if name in KNOWN])
def test_what_nobody_measured_is_said_to_be_so(site: Site, name: str) -> None:
    step = name.split("_", maxsplit=1)[0]
    site.set("measured", **{name: None, f"{step}_at": ""})
    told = site.calibrate("check", "--stored")
    assert told.status == UNKNOWN
    assert told.wrong == {key_of(name): "not measured"}
    assert f"calibrate {step}" in told.verdicts[key_of(name)]["advice"]


def test_a_screen_laid_by_hand_needs_no_camera(site: Site) -> None:
    site.set("measured", screen_keystone_px=None, screen_lens_px=None)
    told = site.calibrate("check", "--stored")
    assert told.status == GOOD
    assert "by hand" in told.verdicts["screen.keystone"]["found"]


def test_everything_is_looked_at_in_the_morning(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    with HttpCamera(noisy(empty_room(*SIZE))) as camera:
        site.calibrate("camera", "--source", camera.url, "--seconds", "1.6")
        site.set("measured", **KNOWN)
        capsys.readouterr()
        told = site.calibrate("check", "--seconds", "1.6")
        assert told.status == GOOD, told.wrong
        assert {"camera.rate", "light.near", "latency.p50", "machine.weights"} <= set(told.verdicts)
        assert "fit for visitors" in capsys.readouterr().out
        camera.turn("freeze")
        frozen = site.calibrate("check", "--no-machine", "--seconds", "1.6")
    assert frozen.status == BAD
    assert frozen.verdicts["camera.picture"]["found"].startswith("frozen")


def test_the_limits_are_those_of_the_steps_that_measure() -> None:
    for name, passes, bears in (
        ("latency_p50_ms", *((0, most) for most in latency_step.P50_MS)),
        ("latency_p95_ms", *((0, most) for most in latency_step.P95_MS)),
        ("screen_keystone_px", (0, screen_step.GOOD_PX), (0, screen_step.BEARABLE_PX)),
        ("mirror_place", (0, mirror_step.GOOD), (0, mirror_step.BEARABLE)),
    ):
        assert (ROWS[name].passes, ROWS[name].bears) == (passes, bears), name


@pytest.mark.skipif(
    shutil.which("Xvfb") is None, reason="no X server to test with: apt-get install xvfb"
)
def test_the_monitor_that_the_site_names_must_be_there(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    with Display() as display:
        monkeypatch.setenv("DISPLAY", display.name)
        name = list_monitors()[0].name
        for wanted, state in (
            (name, "pass"), ("all", "pass"), (f"{name} + {name}", "pass"),
            (f"{name} + projector", "fail"), ("projector", "fail"),
        ):  # fmt: skip
            site.set("screen", monitor=wanted)
            told = site.calibrate("check", "--no-machine")
            assert told.states("screen.monitor") == [state]
        assert f"projector is not there; seen: {name}" in told.verdicts["screen.monitor"]["found"]


def test_a_site_without_a_camera_is_not_known_to_be_good(site: Site) -> None:
    told = site.calibrate("check", "--no-machine")
    assert told.verdicts["camera.there"]["state"] == "not measured"
    assert told.status == UNKNOWN


def test_a_site_written_by_hand_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.toml").write_text("seed = 3\n")
    assert main(["check", "--site", str(tmp_path / "a.toml"), "--stored"]) == UNKNOWN
    assert "written by hand" in capsys.readouterr().out


def test_json_goes_to_standard_output_alone(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "--stored", "--site", str(site.file), "--json", "-"]) == GOOD
    told = json.loads(capsys.readouterr().out)
    assert (told["result"], told["step"]) == ("pass", "check")
    assert all({"key", "state", "found", "limit", "advice"} <= set(v) for v in told["verdicts"])


def test_a_mistake_in_the_site_file_ends_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.toml").write_text("[camera]\nrate_hz = 0\n")
    assert main(["check", "--site", str(tmp_path / "a.toml")]) == 2
    told = capsys.readouterr().err
    assert "a.toml:2 [camera] rate_hz: 0.0; allowed: a number from 1 to 240" in told
    assert "try: rate_hz = 30.0" in told
