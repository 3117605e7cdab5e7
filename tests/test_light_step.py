"""``calibrate light`` on a real face before a real network camera: each kind of bad light has a
verdict and an advice of its own."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from http_camera import HttpCamera
from rooms import empty_room, somebody
from sites import Site, Told, noisy

from calibration.__main__ import main
from mirror.settings import Settings

WIDE = (640, 480)


def room() -> np.ndarray:
    return empty_room(*WIDE)


def sitter(tall: float = 1.0, x: float = 0.5) -> np.ndarray:
    """Somebody before the camera: the face is 0.37 of ``tall`` picture heights."""
    return somebody(room(), x, 0.55, tall)


def lit(picture: np.ndarray, gain: float, offset: float = 0.0) -> np.ndarray:
    return np.clip(picture.astype(np.float32) * gain + offset, 0, 255)


def lit_from(picture: np.ndarray, left: float, right: float) -> np.ndarray:
    """The light changes over the face, which is in the middle: left and right in the picture."""
    across = np.interp(np.arange(WIDE[0]), [280, 360], [left, right])[None, :, None]
    return np.clip(picture * across, 0, 255)


def measured(
    site: Site, picture: np.ndarray, *words: str, noise: float = 2.0, rate_hz: float = 30.0
) -> Told:
    with HttpCamera(noisy(picture, 24, noise), rate_hz) as camera:
        return site.calibrate("light", "--source", camera.url, "--seconds", "1.3", *words)


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path, width_px=WIDE[0], height_px=WIDE[1])


def test_good_light_passes_and_sets_the_filter(site: Site) -> None:
    told = measured(site, sitter(), "--seconds", "2.5", "--operator", "Ada")
    assert told.status == 0, told.wrong
    settings = site.settings
    found = settings.measured
    assert 165 < found.light_near_px < 195
    assert 150 < found.light_brightness < 190
    assert found.light_contrast > 100
    assert found.light_found > 0.98
    assert abs(found.light_side) < 0.15
    assert 0 < found.light_jitter < 0.01
    assert found.light_far_px is None
    assert told.states("light.near.tremor") == ["pass"]
    assert 0.5 <= settings.markers.min_cutoff_hz <= 2.0
    assert settings.site.operator == "Ada"
    # Nothing of the person was written but these.
    files = sorted(path.name for path in site.file.parent.iterdir())
    assert files == ["foyer.toml", "foyer.toml.previous", "told.json"]


def test_a_dark_face_is_told(site: Site) -> None:
    told = measured(site, lit(sitter(), 0.18), noise=1.0)
    assert told.status == 1
    assert told.states("light.near.brightness") == ["fail"]
    assert "too dark: a lamp" in told.verdicts["light.near.brightness"]["advice"]


def test_a_room_without_light_is_told_from_an_empty_one(site: Site) -> None:
    dark = measured(site, lit(room(), 0.08))
    assert dark.states("light.near.brightness", "light.near.found") == ["fail", "fail"]
    assert "light the place" in dark.verdicts["light.near.found"]["advice"]
    empty = measured(site, room())
    assert list(empty.wrong) == ["light.near.found"]
    assert "is somebody at the mark" in empty.verdicts["light.near.found"]["advice"]
    assert site.settings.measured.light_at == ""  # of nobody nothing is kept


@pytest.mark.parametrize("gain", [1.9, 6.0])
def test_an_over_exposed_face_is_told_whether_it_is_still_found_or_not(
    site: Site, gain: float
) -> None:
    told = measured(site, lit(sitter(), gain))
    assert told.status == 1
    assert told.states("light.near.overexposed") == ["fail"]
    assert "shorter exposure" in told.verdicts["light.near.overexposed"]["advice"]


def test_a_face_that_is_too_small_is_told_how_far_to_come(site: Site) -> None:
    told = measured(site, sitter(0.36), "--distance", "200")
    assert told.states("light.near.size") == ["fail"]
    size = told.verdicts["light.near.size"]
    wanted_cm = 200 * (1 - size["value"] / 120)
    come_cm = int(size["advice"].split("come ")[1].split(" cm closer")[0])
    assert come_cm == pytest.approx(wanted_cm, abs=3)


def test_the_same_face_may_do_at_the_far_mark(site: Site) -> None:
    told = measured(site, sitter(0.45), "--mark", "far")
    assert told.states("light.far.size") == ["pass"]
    size_px = told.verdicts["light.far.size"]["value"]
    assert site.settings.measured.light_far_px == pytest.approx(size_px, abs=0.1)
    assert site.settings.measured.light_near_px is None


def test_a_face_at_the_edge_is_told(site: Site) -> None:
    told = measured(site, somebody(room(), 0.5, 0.95, 1.6))
    assert told.states("light.near.size") == ["fail"]
    assert "turn the camera" in told.verdicts["light.near.size"]["advice"]


def test_a_face_before_a_window_is_told(site: Site) -> None:
    person = somebody(np.zeros_like(room()), 0.5, 0.55, 1.0)
    outline = cv2.ellipse(
        np.zeros(WIDE[::-1], np.uint8), (320, 235), (115, 170), 0, 0, 360, 255, -1
    )
    cv2.rectangle(outline, (195, 400), (445, 480), 255, -1)
    backlit = np.where(outline[..., None] > 0, lit(person, 0.35), 235)
    told = measured(site, backlit)
    assert told.states("light.near.backlit") == ["fail"]
    assert "cover the window" in told.verdicts["light.near.backlit"]["advice"]


@pytest.mark.parametrize("mirror", [True, False])
def test_light_from_one_side_is_told_as_the_sitter_sees_it(site: Site, mirror: bool) -> None:
    """The camera sees the sitter's left hand on its right, until the picture is mirrored."""
    site.set("camera", mirror=mirror)
    told = measured(site, lit_from(sitter(), 1.0, 0.3))  # the camera's left: the sitter's right
    assert told.states("light.near.side") == ["fail"]
    side = told.verdicts["light.near.side"]
    assert side["value"] > 0.35
    assert "the right side has" in side["found"]
    assert "move the lamp to the left" in side["advice"]


def test_eight_pictures_a_second_spoil_the_light_too(site: Site) -> None:
    told = measured(site, sitter(), "--seconds", "2.5", rate_hz=8.0)
    assert told.states("camera.rate") == ["fail"]


def test_a_frozen_camera_measures_nobody(site: Site) -> None:
    with HttpCamera(noisy(sitter())) as camera:
        camera.turn("freeze")
        told = site.calibrate("light", "--source", camera.url, "--seconds", "2")
    assert told.status == 1
    assert told.states("camera.picture") == ["fail"]


def test_no_camera_and_another_camera_are_told_before_any_light(site: Site) -> None:
    with HttpCamera(noisy(sitter(), 2)) as camera:
        site.set("camera", source=camera.url, identity=f"{camera.url} | says Hall/1")
        told = site.calibrate("light", "--seconds", "1")
        assert list(told.verdicts) == ["camera.identity"]
    site.set("camera", identity="")
    told = site.calibrate("light", "--seconds", "1")
    assert list(told.wrong) == ["camera.there"]
    assert site.settings.markers == Settings().markers


def test_somebody_who_walks_about_does_not_set_the_filter(site: Site) -> None:
    shots = [noisy(sitter(x=0.35 + 0.03 * n), 1)[0] for n in range(11)]
    with HttpCamera(shots + shots[::-1]) as camera:
        told = site.calibrate("light", "--source", camera.url, "--seconds", "2.5")
    assert told.states("light.near.tremor") == ["warn"]
    assert "standing still" in told.verdicts["light.near.tremor"]["advice"]
    assert site.settings.markers == Settings().markers


def test_without_a_camera_the_step_says_which_command_comes_first(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["light", "--site", str(tmp_path / "a.toml"), "--yes"]) == 2
    assert "no camera yet" in capsys.readouterr().err
    assert main(["light", "--site", str(tmp_path / "a.toml"), "--mark", "middle"]) == 2
    assert "--mark: 'middle'; allowed: near, far, both" in capsys.readouterr().err
