"""The running piece goes by the site: what was calibrated is what it uses."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from http_camera import HttpCamera
from rooms import empty_room, somebody
from sites import Site, noisy

from calibration.__main__ import main as calibrate
from mirror import cli
from mirror.options import RunOptions, merge


def test_a_calibrated_site_is_run_as_it_was_calibrated(tmp_path: Path) -> None:
    site = Site(tmp_path, width_px=640, height_px=480)
    site.set("river", parcels=12)
    site.set("screen", kind="offscreen", width_px=160, height_px=90)
    picture: np.ndarray = somebody(empty_room(640, 480), 0.5, 0.55, 1.0)
    name, report = str(site.file), tmp_path / "run.json"
    with HttpCamera(noisy(picture, 24)) as camera:
        assert (
            calibrate(["camera", "--site", name, "--source", camera.url, "--seconds", "1.6"]) == 0
        )
        assert calibrate(["light", "--site", name, "--seconds", "2.2"]) == 0
        filter_hz = site.settings.markers.min_cutoff_hz
        assert filter_hz != 1.0, "the light set the filter"
        opened = camera.opened
        words = ["run", "--site", name, "--seconds", "3", "--report", str(report)]
        assert cli.main(words) == 0
        assert camera.opened > opened
    told = json.loads(report.read_text())
    assert told["settings"]["camera"]["identity"] == f"{camera.url} | says Eye/1"
    assert told["settings"]["markers"]["min_cutoff_hz"] == filter_hz
    assert told["sitters_max"] == 1


def test_what_was_set_for_one_camera_is_not_set_on_another(tmp_path: Path) -> None:
    site = Site(
        tmp_path, source="/dev/video0", identity="Eye | a | b", exposure_ms=10.0, focus=30.0
    )
    own = merge(site.settings, RunOptions(source="/dev/video0")).camera
    assert (own.identity, own.exposure_ms) == ("Eye | a | b", 10.0)
    other = merge(site.settings, RunOptions(source="1")).camera
    assert (other.source, other.identity, other.exposure_ms, other.focus) == ("1", "", 0.0, -1.0)
    assert other.mirror == own.mirror
