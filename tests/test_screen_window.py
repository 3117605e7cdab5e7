"""A real window on a real X server, with keys from a real keyboard."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import glfw
import numpy as np
import painted
import pytest
from http_camera import until
from x_display import Display

from mirror.canonical import Mesh
from mirror.errors import ScreenError
from mirror.screen import Screen, portray
from mirror.settings import ScreenSettings

pytestmark = pytest.mark.skipif(
    shutil.which("Xvfb") is None, reason="no X server to test with: apt-get install xvfb"
)


@pytest.fixture(scope="module")
def display() -> Iterator[Display]:
    before = os.environ.get("DISPLAY")
    with Display() as opened:
        os.environ["DISPLAY"] = opened.name
        yield opened
    os.environ.pop("DISPLAY")
    if before is not None:
        os.environ["DISPLAY"] = before


@pytest.fixture
def screen(display: Display, mesh: Mesh) -> Iterator[Screen]:
    settings = ScreenSettings(grain=0.0, varnish=0.0, ripple=0.0)
    with Screen("window", (320, 180), mesh, 2, settings, 0.0) as opened:
        opened.paint(0, painted.face(mesh))
        yield opened
        assert opened.fault() == "GL_NO_ERROR"


def draw(screen: Screen, mesh: Mesh, frames: int = 1) -> None:
    seen = painted.portraits([painted.live(mesh)], [(0.89, 0.5)], [0.9])
    for frame in range(frames):
        screen.draw(painted.scene(seen, frame / 30))


def window_of(screen: Screen) -> int:
    """The X server's number of the window."""
    return int(glfw.get_x11_window(screen._surface._handle))  # type: ignore[attr-defined]


def test_a_window_draws_what_an_offscreen_screen_draws(screen: Screen, mesh: Mesh) -> None:
    draw(screen, mesh, 3)
    settings = ScreenSettings(grain=0.0, varnish=0.0, ripple=0.0)
    with Screen("offscreen", (320, 180), mesh, 2, settings, 0.0) as offscreen:
        offscreen.paint(0, painted.face(mesh))
        draw(offscreen, mesh, 3)
        assert np.array_equal(screen.picture(), offscreen.picture())


def test_the_window_shows_the_picture_the_right_way_up(
    screen: Screen, display: Display, mesh: Mesh
) -> None:
    draw(screen, mesh, 3)
    screen.finish()
    picture = screen.picture()
    shown = display.picture_of(window_of(screen), 320, 180)
    assert np.abs(shown.astype(int) - picture).max() <= 1
    assert picture.std() > 10


@pytest.mark.parametrize(
    ("key", "name"), [("d", "overlay"), ("s", "still"), ("space", "pause"), ("q", "quit")]
)
def test_a_key_is_heard_once(
    screen: Screen, display: Display, mesh: Mesh, key: str, name: str
) -> None:
    draw(screen, mesh)
    display.press(key)
    assert heard(screen) == [name]
    if name != "quit":
        assert screen.keys() == []
    assert screen.should_close == (name == "quit")


def test_escape_quits_and_other_keys_do_nothing(
    screen: Screen, display: Display, mesh: Mesh
) -> None:
    draw(screen, mesh)
    display.press("x")
    display.press("Escape")
    assert heard(screen) == ["quit"]


def test_f_covers_the_monitor_and_comes_back(screen: Screen, display: Display, mesh: Mesh) -> None:
    for wanted in ((800, 600), (320, 180)):
        display.press("f")
        assert heard(screen) == ["full_screen"]
        draw(screen, mesh, 2)
        assert screen.size == wanted
        assert screen.picture().shape == (wanted[1], wanted[0], 3)


def test_a_resized_window_is_drawn_at_its_new_size(
    screen: Screen, display: Display, mesh: Mesh
) -> None:
    draw(screen, mesh)
    display.resize_window(window_of(screen), 200, 300)
    screen.keys()
    draw(screen, mesh, 2)
    assert screen.size == (200, 300)
    assert screen.aspect == pytest.approx(2 / 3)
    assert screen.picture().max() > 60


def test_the_window_manager_can_close_the_window(
    screen: Screen, display: Display, mesh: Mesh
) -> None:
    draw(screen, mesh)
    assert not screen.should_close
    display.close_window(window_of(screen))
    assert heard(screen) == ["close"]
    assert screen.should_close


def test_a_single_portrait_can_be_drawn_beside_a_window(screen: Screen, mesh: Mesh) -> None:
    draw(screen, mesh, 2)
    before = screen.picture()
    alone = portray(mesh, painted.plain((250, 20, 20)), painted.live(mesh), 64)
    assert np.array_equal(screen.picture(), before)
    draw(screen, mesh)
    assert alone[32, 32, 0] > 80


def test_windows_are_opened_and_closed_again_and_again(display: Display, mesh: Mesh) -> None:
    for _ in range(4):
        with Screen("window", (64, 64), mesh, 1, ScreenSettings(), 0.0) as screen:
            draw(screen, mesh)


def test_a_monitor_that_is_not_there_is_refused_with_those_that_are(
    display: Display, mesh: Mesh
) -> None:
    with pytest.raises(ScreenError, match=r"screen\.monitor: 'wall'; allowed: \w+"):
        Screen("window", (64, 64), mesh, 1, ScreenSettings(monitor="wall"), 0.0)


def test_the_window_comes_back_to_a_monitor_that_was_unplugged(
    display: Display, mesh: Mesh
) -> None:
    settings = ScreenSettings(full_screen=True, monitor="screen")
    with Screen("window", (64, 64), mesh, 1, settings, 0.0) as screen:
        for _ in range(2):
            draw(screen, mesh)
            display.unplug()
            assert until(lambda: not covers(screen, mesh))
            draw(screen, mesh, 3)
            assert screen.picture().max() > 20
            display.plug_in()
            assert until(lambda: covers(screen, mesh))
            assert screen.size == (800, 600)
        assert screen.fault() == "GL_NO_ERROR"


def test_a_screen_that_is_built_again_waits_for_its_monitor(display: Display, mesh: Mesh) -> None:
    settings = ScreenSettings(full_screen=True, monitor="screen")
    with Screen("window", (64, 64), mesh, 1, settings, 0.0) as screen:
        draw(screen, mesh)
    display.unplug()
    try:
        screen = Screen("window", (64, 64), mesh, 1, settings, 0.0)
    finally:
        display.plug_in()
    with screen:
        assert until(lambda: covers(screen, mesh))


def covers(screen: Screen, mesh: Mesh) -> bool:
    """Whether the window covers a monitor, after one more picture."""
    draw(screen, mesh)
    return bool(glfw.get_window_monitor(screen._surface._handle))  # type: ignore[attr-defined]


def test_full_screen_begins_at_the_size_of_the_monitor(display: Display, mesh: Mesh) -> None:
    with Screen("window", (64, 64), mesh, 1, ScreenSettings(full_screen=True), 0.0) as screen:
        assert screen.size == (800, 600)


@pytest.mark.parametrize("several", ["all", "screen + screen"])
def test_a_window_across_several_monitors_covers_them_and_comes_back(
    display: Display, mesh: Mesh, several: str
) -> None:
    """Here they are one, or one twice: Xvfb has no second."""
    settings = ScreenSettings(full_screen=True, monitor=several)
    with Screen("window", (64, 64), mesh, 1, settings, 0.0) as screen:
        sizes = []
        for _ in range(3):
            draw(screen, mesh, 3)
            sizes.append(screen.size)
            display.press("f")
            assert "full_screen" in heard(screen)
        assert sizes == [(800, 600), (64, 64), (800, 600)]
        assert screen.fault() == "GL_NO_ERROR"


def test_one_of_several_monitors_that_is_not_there_is_refused(display: Display, mesh: Mesh) -> None:
    with pytest.raises(ScreenError, match=r"screen\.monitor: 'wall'; allowed: \w+"):
        Screen("window", (64, 64), mesh, 1, ScreenSettings(monitor="screen + wall"), 0.0)


def test_without_a_display_the_error_says_what_to_do(root: Path) -> None:
    source = (
        "from mirror.canonical import load_mesh; from mirror.screen import Screen\n"
        "from mirror.settings import ScreenSettings; from mirror.errors import ScreenError\n"
        "try: Screen('window', (64, 64), load_mesh(), 1, ScreenSettings(), 0.0)\n"
        "except ScreenError as error: print(error)\n"
    )
    hidden = {k: v for k, v in os.environ.items() if k not in ("DISPLAY", "WAYLAND_DISPLAY")}
    ran = subprocess.run(
        [sys.executable, "-W", "error", "-c", source],
        cwd=root, env=hidden, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    assert "window: no display" in ran.stdout
    assert "--screen offscreen" in ran.stdout


def heard(screen: Screen) -> list[str]:
    """Keys, once the X server has passed them on."""
    for _ in range(100):
        keys = screen.keys()
        if keys:
            return keys
        glfw.wait_events_timeout(0.02)
    return []


def test_the_display_stays_awake_for_as_long_as_the_window_is_open(
    display: Display, mesh: Mesh
) -> None:
    before_s = display.rests_after_s()
    assert before_s > 0
    with Screen("window", (64, 36), mesh, 1, ScreenSettings(), 0.0) as screen:
        assert display.rests_after_s() == 0
        display.rest_after_s(77)  # as another program may
        screen.stay_awake()
        assert display.rests_after_s() == 0
    assert display.rests_after_s() == before_s
    with Screen("window", (64, 36), mesh, 1, ScreenSettings(awake=False), 0.0):
        assert display.rests_after_s() == before_s
