"""A screen is built again after real faults of OpenGL, with its paintings."""

from __future__ import annotations

import ctypes
import logging
from collections.abc import Iterator

import numpy as np
import painted
import pytest

from mirror.canonical import Mesh
from mirror.clock import SteppedClock
from mirror.errors import ScreenError
from mirror.screen import LastingScreen, Screen
from mirror.screen.lasting import FIRST_PAUSE_S
from mirror.settings import ScreenSettings
from mirror.signals import Scene

CLEAR = ScreenSettings(grain=0.0, varnish=0.0, ripple=0.0)
NO_SUCH_THING = 0xFFFF


class Maker:
    """Makes screens, as long as there is a display."""

    def __init__(self, mesh: Mesh) -> None:
        self.mesh, self.made, self.display = mesh, 0, True

    def __call__(self) -> Screen:
        if not self.display:
            raise ScreenError("--screen window", "no display")
        self.made += 1
        return Screen("offscreen", (160, 90), self.mesh, 2, CLEAR, 0.0)


@pytest.fixture
def maker(mesh: Mesh) -> Maker:
    return Maker(mesh)


@pytest.fixture
def screen(maker: Maker, clock: SteppedClock) -> Iterator[LastingScreen]:
    """A screen with one painting in its first slot."""
    with LastingScreen(maker, clock) as opened:
        opened.hang(0, opened.varnish(painted.face(maker.mesh), 0))
        yield opened


@pytest.fixture
def face(mesh: Mesh) -> Scene:
    return painted.scene(painted.portraits([painted.live(mesh)], [(0.89, 0.5)], [0.9]))


def break_a_call(screen: LastingScreen) -> None:
    """Ask OpenGL for what it does not know: it keeps an error until somebody looks."""
    find = ctypes.CDLL("libEGL.so.1").eglGetProcAddress
    find.restype = ctypes.c_void_p
    ctypes.CFUNCTYPE(None, ctypes.c_uint)(find(b"glEnable"))(NO_SUCH_THING)


def take_away_the_target(screen: LastingScreen) -> None:
    """What is drawn into is gone, as after a lost context."""
    screen._targets.portraits_target.release()


@pytest.mark.parametrize("fault", [break_a_call, take_away_the_target])
def test_a_screen_that_failed_is_built_again_with_its_paintings(
    fault, screen: LastingScreen, face: Scene, maker: Maker, caplog: pytest.LogCaptureFixture
) -> None:  # type: ignore[no-untyped-def]
    assert screen.present(face)
    before = screen.picture()
    fault(screen)
    screen.present(face)
    assert screen.failures == 1
    assert screen.present(face)
    assert maker.made == 2
    assert np.abs(screen.picture().astype(int) - before).mean() < 4  # the water began again
    assert screen.fault() == "GL_NO_ERROR"
    assert [each.levelno for each in caplog.records] == [logging.ERROR]


def test_one_that_fails_again_and_again_is_left_alone_for_longer(
    screen: LastingScreen, face: Scene, maker: Maker, clock: SteppedClock
) -> None:
    built_s = []
    for _ in range(400):
        take_away_the_target(screen)
        made = maker.made
        screen.present(face)
        if maker.made > made:
            built_s.append(clock.now_s())
        clock.sleep_s(0.1)
    gaps = np.diff(built_s)
    assert gaps == pytest.approx(FIRST_PAUSE_S * 2.0 ** np.arange(len(gaps)), abs=0.15)
    assert len(gaps) >= 4


def test_one_that_cannot_be_built_is_an_error_for_the_supervisor(
    screen: LastingScreen, face: Scene, maker: Maker
) -> None:
    take_away_the_target(screen)
    assert not screen.present(face)
    maker.display = False
    with pytest.raises(ScreenError, match="no display"):
        screen.present(face)
