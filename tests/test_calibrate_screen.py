"""`calibrate screen`, in a true loop: what was put on between screen and camera must be found."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from http_camera import until
from loop import LoopCamera, Optics, askew
from x_display import Display

from calibration.board import draw_marks, find_marks
from calibration.handles import Handles
from calibration.lens import Lens
from calibration.onlooker import Onlooker
from calibration.projection import by_camera
from calibration.squaring import largest
from mirror.errors import SettingsError, SourceError
from mirror.screen.touches import Touch
from mirror.settings import STRAIGHT, CameraSettings, ScreenSettings
from mirror.site.keystone import CORNERS, onto_screen, project
from mirror.site.site import read_site

SIZE = (640, 360)
#: Where a projector that stands askew throws the corners of its picture on the wall.
QUAD = [(60, 30), (600, 10), (560, 340), (90, 310)]

needs_x = pytest.mark.skipif(
    shutil.which("Xvfb") is None, reason="no X server to test with: apt-get install xvfb"
)


@pytest.fixture(scope="module")
def display() -> Iterator[Display]:
    before = os.environ.get("DISPLAY")
    with Display(SIZE) as opened:
        os.environ["DISPLAY"] = opened.name
        yield opened
    os.environ.pop("DISPLAY")
    if before is not None:
        os.environ["DISPLAY"] = before


@pytest.fixture(scope="module")
def camera(display: Display) -> Iterator[LoopCamera]:
    with LoopCamera(display, SIZE, Optics(SIZE, SIZE)) as opened:
        yield opened


def corners_seen(found: ScreenSettings, optics: Optics) -> np.ndarray:
    """Where a camera without a lens would see the picture's corners, from its top left round."""
    on_screen = project(onto_screen(found.keystone, found.turn_deg), CORNERS) * SIZE
    return project(optics.camera @ optics.projector, on_screen)


def truly_best(optics: Optics) -> np.ndarray:
    """The largest upright picture that the screen can show, from what was put on."""
    return largest(project(optics.camera @ optics.projector, CORNERS * SIZE), SIZE[0] / SIZE[1])


def off_on_screen(seen: np.ndarray, wanted: np.ndarray, optics: Optics) -> float:
    """How far the worst corner is off, in pixels of the screen."""
    back = np.linalg.inv(optics.camera @ optics.projector)
    return float(np.linalg.norm(project(back, seen) - project(back, wanted), axis=1).max())


def lens_error_px(lens: Lens, optics: Optics) -> float:
    """The worst error of the lens wherever the screen is seen, in pixels of the camera."""
    y, x = np.mgrid[0 : SIZE[1] + 1 : 10, 0 : SIZE[0] + 1 : 10]
    seen = np.stack([x, y], axis=-1).reshape(-1, 2).astype(float)
    truth = optics.straighten((seen - 0.5).reshape(-1, 1, 2)).reshape(-1, 2) + 0.5
    on_screen = project(np.linalg.inv(optics.camera @ optics.projector), truth)
    inside = np.all((on_screen >= 0) & (on_screen <= SIZE), axis=1)
    return float(np.linalg.norm(lens.straighten(seen) - truth, axis=1)[inside].max())


@needs_x
def test_a_camera_squares_the_picture_and_the_piece_follows(
    display: Display, camera: LoopCamera, tmp_path: Path, root: Path
) -> None:
    optics = Optics(SIZE, SIZE, askew(QUAD, SIZE), k1=-0.25, k2=0.06, focal_px=500, noise=4)
    camera.see, camera.delay_s = optics, 0.15
    site = tmp_path / "foyer.toml"
    ran = subprocess.run(
        [sys.executable, "-m", "calibration", "screen", "--site", str(site), "--auto",
         "--source", camera.url, "--operator", "Ada", "--json", "-"],
        cwd=root, capture_output=True, text=True, check=False, timeout=100,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    told = {each["key"]: each for each in json.loads(ran.stdout)["verdicts"]}
    found = read_site(str(site))
    assert found.screen.monitor == told["screen.monitor"]["value"] == "screen"
    assert found.screen.full_screen
    assert off_on_screen(corners_seen(found.screen, optics), truly_best(optics), optics) < 1.0
    assert found.measured.screen_keystone_px is not None
    assert found.measured.screen_keystone_px < 1.0
    assert found.site.operator == "Ada"

    piece = subprocess.Popen(
        [sys.executable, "-m", "mirror", "run", "--site", str(site), "--piece", "passersby",
         "--seconds", "60"],
        cwd=root,
    )  # fmt: skip
    try:
        assert until(lambda: shows_keystone(camera.filmed, found.screen), 60)
        display.unplug()
        camera.filmed = None
        display.plug_in()
        assert until(lambda: shows_keystone(camera.filmed, found.screen), 60)
    finally:
        piece.terminate()
        piece.wait(30)


def shows_keystone(filmed: np.ndarray | None, screen: ScreenSettings) -> bool:
    """Whether a display is lit where the picture is, and dark beside it."""
    if filmed is None or filmed.max() < 40:
        return False
    inside = np.zeros(filmed.shape[:2], np.uint8)
    places = np.round(np.array(screen.keystone) * SIZE).astype(np.int32)
    cv2.fillConvexPoly(inside, places, (255,))
    beside = cv2.dilate(inside, np.ones((5, 5))) == 0
    near = cv2.erode(inside, np.ones((9, 9))) > 0
    return bool(filmed[beside].max() == 0 and (filmed[near].max(axis=1) > 0).mean() > 0.9)


@needs_x
@pytest.mark.parametrize(
    ("corners", "turn_deg", "gain", "lens"),
    [
        ([(620, 350), (30, 340), (15, 20), (600, 8)], 180, 0.5, (0.12, 0.0, 600.0)),
        ([(440, 20), (450, 340), (230, 350), (240, 15)], 270, 2.2, (-0.2, 0.03, 520.0)),
    ],
)
def test_a_turned_projector_too_dark_or_too_bright_is_squared(
    display: Display, camera: LoopCamera, corners: list[tuple[float, float]], turn_deg: int,
    gain: float, lens: tuple[float, float, float],
) -> None:  # fmt: skip
    k1, k2, focal_px = lens
    optics = Optics(
        SIZE, SIZE, askew(corners, SIZE), k1=k1, k2=k2, focal_px=focal_px, gain=gain, noise=3
    )
    camera.see, camera.delay_s = optics, 0.05
    with Onlooker(camera.url, CameraSettings()) as onlooker:
        found = by_camera(ScreenSettings(full_screen=True), onlooker, False, str)
    assert found.screen.turn_deg == turn_deg
    seen = corners_seen(found.screen, optics)
    left, top, right, bottom = seen[:, 0].min(), seen[:, 1].min(), *seen.max(axis=0)
    upright = np.array([(left, top), (right, top), (right, bottom), (left, bottom)])
    assert off_on_screen(seen, upright, optics) < 1.0
    sides = SIZE if turn_deg == 180 else SIZE[::-1]
    assert (right - left) / (bottom - top) == pytest.approx(sides[0] / sides[1], rel=0.01)
    assert found.view is not None
    assert lens_error_px(found.view.lens, optics) < 0.5


@needs_x
def test_four_marks_on_the_wall_say_where_the_picture_belongs(
    display: Display, camera: LoopCamera
) -> None:
    stands = askew([(30, 45), (628, 5), (600, 352), (55, 328)], SIZE)  # a camera that stands askew
    wanted = np.array([(90, 60), (560, 60), (560, 300), (90, 300)], float)  # on the wall
    optics = Optics(
        SIZE, SIZE, askew([(15, 20), (620, 5), (635, 350), (30, 340)], SIZE), stands, k1=-0.2,
        focal_px=520, noise=3, wall=wall_with_marks(wanted, stands),
    )  # fmt: skip
    camera.see, camera.delay_s = optics, 0.05
    with Onlooker(camera.url, CameraSettings()) as onlooker:
        found = by_camera(ScreenSettings(full_screen=True), onlooker, True, str)
    seen = corners_seen(found.screen, optics)
    assert off_on_screen(seen, project(stands, wanted), optics) < 1.0


def wall_with_marks(corners: np.ndarray, camera: np.ndarray) -> np.ndarray:
    """Paint on the wall, in the camera's pixels: the printed marks, at four corners of the wall."""
    sheet, fine, side = draw_marks(100), 4, 46
    wall = np.full((SIZE[1] * fine, SIZE[0] * fine), 220, np.uint8)
    half = np.array([[1, 0, 0.5], [0, 1, 0.5], [0, 0, 1]])
    for number, (x, y) in enumerate(corners):
        left = round((15 if number in (0, 3) else 115) / 25.4 * 100)
        top = round((30 if number < 2 else 150) / 25.4 * 100)
        cut = sheet[top - 35 : top + 315 + 35, left - 35 : left + 315 + 35]
        scale = side / 315
        at_x, at_y = (x if number in (0, 3) else x - side), (y if number < 2 else y - side)
        laid = np.array([[scale, 0, at_x - 35 * scale], [0, scale, at_y - 35 * scale], [0, 0, 1]])
        to_wall = np.linalg.inv(half) @ np.diag([fine, fine, 1]) @ camera @ laid @ half
        cv2.warpPerspective(
            cut, to_wall, wall.shape[::-1], wall, cv2.INTER_LINEAR, cv2.BORDER_TRANSPARENT
        )
    small = cv2.resize(wall, SIZE, interpolation=cv2.INTER_AREA)
    return np.repeat(small[:, :, None], 3, axis=2)


@needs_x
def test_a_camera_that_looks_elsewhere_is_told_so(
    display: Display, camera: LoopCamera, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("calibration.projection.LOOK_S", 0.4)
    rng = np.random.default_rng(0)
    camera.see = lambda film: rng.integers(80, 100, (90, 160, 3), np.uint8)
    with (
        Onlooker(camera.url, CameraSettings()) as onlooker,
        pytest.raises(SourceError, match=r"does not see the screen.*turn the camera"),
    ):
        by_camera(ScreenSettings(full_screen=True), onlooker, False, str)


@needs_x
def test_a_hand_pulls_corners_and_mask_even_over_an_unplugged_monitor(
    display: Display, camera: LoopCamera, tmp_path: Path, root: Path
) -> None:
    site = tmp_path / "foyer.toml"
    tool = subprocess.Popen(
        [sys.executable, "-m", "calibration", "screen", "--site", str(site)],
        cwd=root, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
    )  # fmt: skip

    def lit_px() -> int:
        return 0 if camera.filmed is None else int((camera.filmed.max(axis=2) > 60).sum())

    try:
        camera.filmed = None
        assert until(lambda: lit_px() > 3000, 40)
        display.drag((2, 2), (64, 36))  # the top left corner
        display.press("Tab")
        display.press("Down", times=3, shift=True)
        display.press("Left", times=4)
        display.unplug()
        display.plug_in()
        assert until(lambda: lit_px() > 3000, 40)
        display.press("m")
        for place in ((10, 10), (630, 10), (630, 350), (320, 300)):
            display.click(*place)
        display.press("BackSpace")
        display.press("Return")
        assert tool.wait(40) == 0
    finally:
        tool.kill()
        tool.wait(10)
    screen = read_site(str(site)).screen
    shown = np.array(screen.keystone) * SIZE
    wanted = [(64, 36), (636, 30), (640, 360), (0, 360)]
    assert shown == pytest.approx(np.array(wanted), abs=0.01)
    assert np.array(screen.mask) * SIZE == pytest.approx(
        np.array([(10, 10), (630, 10), (630, 350)]), abs=0.01
    )


def hand(*touches: Touch, size: tuple[int, int] = SIZE) -> Handles:
    handles = Handles(ScreenSettings(), size)
    for touch in touches:
        handles.take(touch)
    return handles


def pull(start: tuple[float, float], end: tuple[float, float]) -> tuple[Touch, ...]:
    return Touch("press", *start), Touch("move", *end), Touch("release", *end)


def test_a_handle_follows_the_mouse_and_stops_at_the_rim() -> None:
    handles = hand(*pull((5, 355), (20, 900)))
    assert handles.settings.keystone[3] == (20 / 640, 1.0)
    assert handles.settings.keystone[:3] == STRAIGHT[:3]


def test_a_pull_that_would_tear_the_picture_changes_nothing() -> None:
    assert hand(*pull((0, 0), (630, 355))).settings.keystone == STRAIGHT


def test_a_fifth_handle_pulls_with_the_four() -> None:
    add = Touch("key", 320, 0, "c")
    handles = hand(add, *pull((320, 0), (320, 20)))
    keystone = np.array(handles.settings.keystone) * SIZE
    assert 2 < keystone[0, 1] < 20
    assert handles.residual_px > 1
    alike = hand(
        add, *pull((320, 0), (320, 20)), *pull((0, 0), (0, 20)), *pull((640, 0), (640, 20))
    )
    assert alike.residual_px < 0.5


def test_r_turns_and_i_begins_again() -> None:
    assert hand(*[Touch("key", 0, 0, "r")] * 3).settings.turn_deg == 270
    assert hand(*pull((0, 0), (50, 50)), Touch("key", 0, 0, "i")).settings.keystone == STRAIGHT


def test_a_mask_of_two_corners_is_none() -> None:
    keys = [Touch("key", 0, 0, "m"), *pull((50, 50), (50, 50)), *pull((500, 60), (500, 60))]
    assert hand(*keys).settings.mask == ()
    assert len(hand(*keys, *pull((300, 300), (300, 300))).settings.mask) == 3


def test_what_lies_over_the_pattern_shows_every_handle() -> None:
    drawn = hand(Touch("key", 320, 200, "c")).draw()
    assert drawn.shape == (360, 640, 4)
    for x, y in ((1, 1), (638, 1), (638, 358), (1, 358), (320, 200)):
        assert drawn[y, x, 3] > 0
    assert drawn[100, 100, 3] == 0


def test_a_lens_is_undone_by_its_own_way_back() -> None:
    lens = Lens(SIZE, -0.15, 0.03)
    places = np.random.default_rng(1).random((200, 2)) * SIZE
    assert lens.straighten(lens.bend(places)) == pytest.approx(places, abs=1e-3)


def test_marks_are_found_only_all_four() -> None:
    sheet = np.repeat(draw_marks(60)[:, :, None], 3, axis=2)
    found = find_marks(sheet)
    assert found is not None
    assert found[0] == pytest.approx((35, 71), abs=1.5)
    sheet[300:, :260] = 255
    assert find_marks(sheet) is None


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        (("--keystone", "0,0 1,0 1,1"), "4 places"),
        (("--keystone", "0,0 1,0 0,1 1,1"), "from the top left clockwise"),
        (("--mask", "somewhere"), "none or 3 to 64 places"),
        (("--turn", "45"), "0, 90, 180, 270"),
        (("--auto", "--source", "gopher://x"), "unknown kind"),
        (("--still", "pattern.gif"), "a file ending in .png"),
    ],
)
def test_a_wrong_flag_is_refused_in_one_line(
    flags: tuple[str, ...], told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from calibration.__main__ import main

    assert main(["screen", "--site", str(tmp_path / "foyer.toml"), *flags]) == 2
    error = capsys.readouterr().err
    assert told in error
    assert error.count("\n") == 1
    assert not (tmp_path / "foyer.toml").exists()


def test_without_a_display_the_error_says_where_to_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from calibration.__main__ import main

    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    assert main(["screen", "--site", str(tmp_path / "foyer.toml")]) == 2
    assert "DISPLAY=:0 calibrate" in capsys.readouterr().err


def test_flags_alone_write_the_site_and_a_still_shows_it(tmp_path: Path) -> None:
    from calibration.__main__ import main

    site, still = tmp_path / "foyer.toml", tmp_path / "pattern.png"
    flags = ["--keystone", "0.1,0 1,0.1 1,1 0,0.9", "--mask", "0,0 1,0 0.9,1", "--turn", "90"]
    assert main(["screen", "--site", str(site), *flags]) == 0
    screen = read_site(str(site)).screen
    assert screen.keystone == ((0.1, 0.0), (1.0, 0.1), (1.0, 1.0), (0.0, 0.9))
    assert screen.turn_deg == 90
    assert len(screen.mask) == 3
    assert main(["screen", "--site", str(site), "--still", str(still), "--size", "320x180"]) == 0
    drawn = cv2.imread(str(still))
    assert drawn.shape == (180, 320, 3)
    assert drawn[2, 2].max() == 0  # beside the keystone
    assert drawn[170, 10].max() == 0  # beside the mask
    assert drawn.max() > 200
    with pytest.raises(SettingsError):
        read_site(str(tmp_path / "other.toml"))
