"""The ladder: one rung at a time, in order, back up, and never to and fro."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import painted
import pytest

from mirror.canonical import Mesh
from mirror.screen import Screen
from mirror.settings import LoadSettings, ScreenSettings
from mirror.show.ladder import (
    FADES_S,
    FIRST_PAINTS_S,
    LATE,
    LATE_PAINTS_S,
    PAINTS_EVERY_S,
    RUNGS,
    STAY,
    SURFACE,
    TOO_SOON_S,
    UP_S,
    Ladder,
)

LEAST_HZ, RATE_HZ = 10.0, 30.0


def walked(rate: Callable[[int], float], seconds: float, ladder: Ladder) -> list[tuple[float, int]]:
    """The rungs and since when; rate: pictures a second by rung."""
    told: list[tuple[float, int]] = []
    for n in range(round(seconds * 10)):
        rung = ladder.look(rate(ladder.rung), n / 10)
        if not told or told[-1][1] != rung:
            told.append((n / 10, rung))
    return told


@pytest.fixture
def ladder() -> Ladder:
    return Ladder(LoadSettings(least_hz=LEAST_HZ), RATE_HZ)


def test_it_goes_down_in_order_and_no_further_than_it_must(ladder: Ladder) -> None:
    told = walked(lambda rung: (6.0, 8.0, 11.0, 20.0)[rung], 300.0, ladder)
    assert [rung for _, rung in told] == [0, 1, 2]
    assert (ladder.paints_every_s, ladder.surface) == (PAINTS_EVERY_S, SURFACE)
    assert RUNGS[1:] == ("fewer paintings", "smaller surface", "fewer parcels")


def test_it_comes_back_up_when_the_load_has_gone(ladder: Ladder) -> None:
    walked(lambda rung: 3.0, 60.0, ladder)
    assert ladder.rung == 3
    for n in range(600, 3000):
        ladder.look(60.0, n / 10)
    assert ladder.rung == 0
    assert (ladder.paints_every_s, ladder.surface) == (0.0, 1.0)


def test_it_does_not_go_to_and_fro(ladder: Ladder) -> None:
    """A machine that can carry rung 1 easily, and rung 0 not at all: each try comes later."""
    told = walked(lambda rung: 5.0 if rung == 0 else 30.0, 3600.0, ladder)
    ups = [at_s for at_s, rung in told[1:] if rung == 0]
    waits = np.diff(ups)
    assert 3 <= len(ups) <= 8
    assert (waits[1:] > 1.5 * waits[:-1]).all()
    assert waits[0] > UP_S


def test_painting_makes_way_before_pictures_are_late_for_long(ladder: Ladder) -> None:
    """A machine that brings 22 pictures while it paints all the time, and 31 with long pauses."""
    paces = []
    for n in range(600):
        ladder.look(min(RATE_HZ, 22.0 + 12.0 * ladder.paints_every_s), n / 10)
        paces.append(ladder.paints_every_s)
    assert ladder.rung == 0
    assert paces[0] == FIRST_PAINTS_S
    assert max(paces) <= LATE_PAINTS_S
    late = [22.0 + 12.0 * each < LATE * RATE_HZ for each in paces[100:]]
    assert np.mean(late) < 0.3
    for n in range(600, 1400):
        ladder.look(RATE_HZ, n / 10)
    assert ladder.paints_every_s == 0.0


def test_a_rate_between_moves_nothing(ladder: Ladder) -> None:
    assert walked(lambda rung: 1.1 * LEAST_HZ, 600.0, ladder) == [(0.0, 0)]


def test_one_slow_second_moves_nothing(ladder: Ladder) -> None:
    slow = iter([3.0 if n % 100 < 15 else 30.0 for n in range(10_000)])
    assert walked(lambda rung: next(slow), 1000.0, ladder) == [(0.0, 0)]


def test_without_a_least_rate_it_is_folded_away() -> None:
    folded = Ladder(LoadSettings(least_hz=0.0), RATE_HZ)
    assert walked(lambda rung: 0.1, 600.0, folded) == [(0.0, 0)]
    assert folded.paints_every_s == 0.0
    assert TOO_SOON_S > UP_S


def test_parcels_that_go_fade_and_come_back(ladder: Ladder) -> None:
    parcels, seen = np.arange(96), []
    for n in range(1200):
        ladder.look(3.0 if n < 400 else 30.0, n / 10)
        seen.append(ladder.staying(parcels, 1))
    stay = np.stack(seen)
    assert (stay[0] == 1).all()
    assert stay[399].mean() == pytest.approx(STAY, abs=0.12)
    assert (stay[-1] == 1).all()
    fastest = np.abs(np.diff(stay, axis=0)).max()
    assert fastest <= 1.5 / 0.3 * 0.1 / FADES_S  # nobody vanishes between two pictures


def test_a_smaller_surface_is_the_same_picture_and_the_water_flows_on(mesh: Mesh) -> None:
    import dataclasses

    settings = ScreenSettings(grain=0.0, varnish=0.0)
    with Screen("offscreen", (640, 360), mesh, 2, settings, 0.0) as screen:
        screen.paint(0, painted.face(mesh))
        scene = painted.scene(painted.portraits([painted.live(mesh)], [(0.89, 0.5)], [0.9]))
        for n in range(10):
            screen.draw(dataclasses.replace(scene, time_s=n / 30))
        whole = screen.picture().astype(float)
        for share in (SURFACE, 1.0):
            screen.draw(dataclasses.replace(scene, time_s=0.34, surface=share))
            seen = screen.picture()
            assert seen.shape == whole.shape
            assert np.abs(seen - whole).mean() < 3
            assert screen.fault() == "GL_NO_ERROR"
