"""What is said of a device of this computer. (Network cameras: test_camera_step.py.)

No device is on the machines that run these tests; what one would give stands here as numbers.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

from calibration.seeing import camera_verdicts, measured_of
from calibration.verdicts import Verdict
from calibration.watching import BANDS, COLUMNS, Watched, watch
from mirror.camera import Control, DeviceFacts
from mirror.camera.readers import Achieved
from mirror.settings import CameraSettings

ONE = DeviceFacts("C920", "/dev/video0", "/dev/v4l/by-id/usb-C920", "/dev/v4l/by-path/usb-1", 0)
OTHER = DeviceFacts("C920", "/dev/video2", "", "/dev/v4l/by-path/usb-2", 0)
TWINS = [dataclasses.replace(each, twin=True) for each in (ONE, OTHER)]
SIZE = (640, 480)


def watched(
    rate_hz: float = 30.0, light_hz: float = 0.0, format: str = "MJPG", *controls: Control
) -> Watched:
    """Four seconds of a wall; a lamp of 4 % where ``light_hz`` is given."""
    numbers = np.arange(round(4 * rate_hz), dtype=float)
    times_s = numbers / rate_hz
    lamp = 100 * (1 + 0.04 * np.sin(2 * np.pi * light_hz * times_s))
    noise = np.random.default_rng(0).normal(0, 0.3, (len(numbers), BANDS, COLUMNS))
    rows = (lamp[:, None, None] + noise).astype(np.float32)
    achieved = Achieved(*SIZE, rate_hz, format, "V4L2", controls)
    return Watched(times_s, numbers, rows, SIZE, ("running",), identity="C920", achieved=achieved)


def said(
    seen: Watched, devices: list[DeviceFacts] | None = None, **settings: Any
) -> dict[str, Verdict]:
    usual = {"source": ONE.by_id, "identity": "C920", "width_px": 640, "height_px": 480}
    camera = dataclasses.replace(CameraSettings(), **{**usual, **settings})
    return {each.key: each for each in camera_verdicts(seen, camera, devices or [ONE])}


def test_a_camera_as_it_was_asked_for_passes() -> None:
    assert {each.state for each in said(watched()).values()} == {"pass"}


@pytest.mark.parametrize("source", ["0", TWINS[0].path, TWINS[0].by_id])
def test_of_two_cameras_of_one_name_the_socket_must_be_named(source: str) -> None:
    name = said(watched(), TWINS, source=source)["camera.name"]
    assert name.state == "fail"
    assert "2 cameras are called C920" in name.found
    assert name.advice.endswith(f"--source {TWINS[0].by_path}")
    assert said(watched(), TWINS, source=TWINS[0].by_path)["camera.name"].state == "pass"


@pytest.mark.parametrize("identity", ["C922 | usb-C922 | usb-1", "C920 | usb-C920 | usb-7"])
def test_a_device_that_is_another_camera_is_not_even_opened(
    monkeypatch: pytest.MonkeyPatch, identity: str
) -> None:
    """Another model in the socket, or one of two of the same name in another one."""
    monkeypatch.setattr("calibration.watching.list_devices", lambda: TWINS)
    camera = CameraSettings(source="/dev/video0", identity=identity)
    seen = watch(camera, 1.0)
    (told,) = camera_verdicts(seen, camera, TWINS)
    assert (told.key, told.state) == ("camera.identity", "fail")
    assert "another camera: C920 | usb-C920 | usb-1" in told.found
    assert "calibrate camera" in told.advice


def test_an_address_is_held_even_while_nobody_answers_there() -> None:
    there, wanted = "http://127.0.0.1:9/video", "http://127.0.0.1:10/video | says Eye/1"
    seen = watch(CameraSettings(source=there, identity=wanted), 1.0)
    assert f"{there} instead of http://127.0.0.1:10/video" in seen.other


def test_a_camera_that_nobody_chose_is_told() -> None:
    identity = said(watched(), identity="")["camera.identity"]
    assert (identity.state, "calibrate camera" in identity.advice) == ("warn", True)


def test_what_is_read_back_is_held_against_what_was_asked_for() -> None:
    controls = (
        Control("exposure_ms", 10.0, 10.0, step=0.1), Control("gain", 300.0, 255.0),
        Control("white_balance_k", None, 4210.0, held=False), Control("focus", None, None),
    )  # fmt: skip
    seen = watched(30.0, 0.0, "YUYV", *controls)
    told = said(seen)
    keys = ("camera.exposure", "camera.gain", "camera.white_balance", "camera.focus")
    assert [told[key].state for key in keys] == ["pass", "fail", "warn", "pass"]
    assert "another value" in told["camera.gain"].advice
    assert "--lock" in told["camera.white_balance"].advice
    assert told["camera.focus"].found == "not there"
    assert (told["camera.format"].state, told["camera.format"].found) == ("warn", "YUYV")
    assert measured_of(seen)["camera_refused"] == "gain = 300 (it is 255)"


def test_a_slow_device_is_advised_by_its_exposure() -> None:
    dark = said(watched(8.0))["camera.rate"]
    assert (dark.state, "more light or a fixed exposure" in dark.advice) == ("fail", True)
    long = said(watched(20.0), exposure_ms=50.0)["camera.rate"]
    assert (long.state, "a shorter exposure: --exposure 33" in long.advice) == ("warn", True)


@pytest.mark.parametrize(
    ("light_hz", "rate_hz", "exposure"), [(100.0, 30.0, "30.0"), (120.0, 25.0, "33.3")]
)
def test_flicker_is_cured_by_whole_periods(light_hz: float, rate_hz: float, exposure: str) -> None:
    light = said(watched(rate_hz, light_hz), rate_hz=rate_hz)["camera.flicker"]
    assert (light.state, light.value) == ("warn", light_hz)
    assert light.advice.endswith(f"--exposure {exposure}")


def test_a_camera_that_breaks_off_has_no_rate() -> None:
    seen = watched()
    few = dataclasses.replace(
        seen, times_s=seen.times_s[:4], numbers=seen.numbers[:4], rows=seen.rows[:4],
        trouble="failed read: the device gave nothing",
    )  # fmt: skip
    rate = said(few)["camera.rate"]
    assert rate.state == "fail"
    assert "the device gave nothing" in rate.advice


def test_pictures_that_get_lost_are_told() -> None:
    seen = watched()
    kept = np.random.default_rng(3).random(len(seen.times_s)) > 0.1
    kept[:30] = True
    thinned = dataclasses.replace(
        seen, times_s=seen.times_s[kept], numbers=np.arange(kept.sum(), dtype=float),
        rows=seen.rows[kept],
    )  # fmt: skip
    lost = said(thinned)["camera.lost"]
    assert lost.state == "warn"
    assert 0.04 < float(lost.value or 0) < 0.15
