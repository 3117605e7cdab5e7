"""The water: flow, surface, streams; read from the textures themselves."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import painted
import pytest

from mirror.canonical import Mesh
from mirror.river.streams import positions
from mirror.screen import Screen
from mirror.screen.contexts import hold
from mirror.screen.water import CURRENT, Pair, drift, stream_lines, surface_size
from mirror.settings import ScreenSettings
from mirror.signals import Floats, Scene, Stir

STILL = ScreenSettings(grain=0.0, varnish=0.0, ripple=0.0, trail_half_life_s=2.0)


@pytest.fixture
def screen(mesh: Mesh) -> Iterator[Screen]:
    with Screen("offscreen", (160, 90), mesh, 4, STILL, 0.0) as opened:
        yield opened
        assert opened.fault() == "GL_NO_ERROR"


def texture(screen: Screen, pair: Pair) -> Floats:
    with hold(screen._surface):
        data = pair.was.read()
    width, height = pair.was.size
    return np.frombuffer(data, np.float16).reshape(height, width, -1).astype(np.float32)


def velocity(screen: Screen) -> Floats:
    """(45, 80, 2), screen heights a second."""
    return texture(screen, screen._targets.water.velocity)[:, :, :2]


def surface(screen: Screen) -> Floats:
    return texture(screen, screen._targets.water.surface)[:, :, :3]


def run(screen: Screen, mesh: Mesh, seconds: float, rate_hz: float = 30, **more: object) -> None:
    for frame in range(round(seconds * rate_hz)):
        screen.draw(Scene(frame / rate_hz, 1 / rate_hz, painted.nobody(mesh), **more))  # type: ignore[arg-type]


def wells(field: Floats) -> float:
    """Mean divergence against mean slope: 0 for water that neither wells up nor sinks."""
    east = (field[1:-1, 2:, 0] - field[1:-1, :-2, 0]) / 2
    south = (field[2:, 1:-1, 1] - field[:-2, 1:-1, 1]) / 2
    across = (field[2:, 1:-1, 0] - field[:-2, 1:-1, 0]) / 2
    return float(np.abs(east + south).mean() / (np.abs(across).mean() + np.abs(east).mean()))


def test_the_streams_carry_the_water_from_left_to_right(screen: Screen, mesh: Mesh) -> None:
    run(screen, mesh, 6.0)
    found = velocity(screen)
    assert found[:, :, 0].mean() > 0.3 * CURRENT
    assert (found[5:40, :, 0] > 0).mean() > 0.9


def test_a_stir_pushes_the_water_and_sets_it_turning(screen: Screen, mesh: Mesh) -> None:
    stir = Stir((0.89, 0.5), (0.8, 0.0), 0.12)
    run(screen, mesh, 1.0, stirs=(stir,))
    found = velocity(screen)
    assert found[22, 40, 0] > 0.1
    back = found[[8, 36], 40, 0]  # above and below it the water flows back
    assert back.min() < 0
    assert np.abs(found[:, :8]).max() < 0.25 * found[22, 40, 0] + CURRENT


def test_stirred_water_is_nearly_incompressible(screen: Screen, mesh: Mesh) -> None:
    run(screen, mesh, 2.0, stirs=(Stir((0.89, 0.5), (0.5, 0.4), 0.15),), turbulence=0.8)
    assert wells(velocity(screen)) < 0.12


def test_the_water_calms_down_when_nobody_stirs_it(screen: Screen, mesh: Mesh) -> None:
    run(screen, mesh, 1.0, stirs=(Stir((0.89, 0.5), (0.8, 0.0), 0.12),))
    stirred = np.abs(velocity(screen)[:, :, 1]).max()
    run(screen, mesh, 10.0)
    assert np.abs(velocity(screen)[:, :, 1]).max() < 0.2 * stirred


@pytest.mark.parametrize("rate_hz", [15, 60])
def test_what_sank_fades_by_its_half_life_at_any_rate(mesh: Mesh, rate_hz: int) -> None:
    with Screen("offscreen", (160, 90), mesh, 1, STILL, 0.0) as screen:
        clear = Screen("offscreen", (160, 90), mesh, 1, STILL, 0.0)
        with clear:
            screen.paint(0, painted.plain((255, 255, 255)))
            big = painted.portraits([painted.live(mesh)], [(0.89, 0.5)], [1.2])
            left = []
            for frame in range(rate_hz * 5):
                seen = big if frame < rate_hz else painted.nobody(mesh)
                screen.draw(painted.scene(seen, frame / rate_hz, 1 / rate_hz))
                clear.draw(painted.scene(painted.nobody(mesh), frame / rate_hz, 1 / rate_hz))
                if frame + 1 in (rate_hz, rate_hz * 3, rate_hz * 5):
                    left.append(float((surface(screen) - surface(clear)).sum()))
    assert left[1] / left[0] == pytest.approx(0.5, abs=0.06)
    assert left[2] / left[0] == pytest.approx(0.25, abs=0.06)


def test_a_sunken_portrait_is_carried_downstream(screen: Screen, mesh: Mesh) -> None:
    screen.paint(0, painted.plain((255, 255, 255)))
    small = painted.portraits([painted.live(mesh)], [(0.6, 0.5)], [0.4])

    def middle(frames: int, seen: bool, start: int) -> float:
        for frame in range(start, start + frames):
            scene = painted.scene(small if seen else painted.nobody(mesh), frame / 30, 1 / 30)
            screen.draw(scene)
        light = surface(screen).sum(axis=2)
        light = np.clip(light - np.median(light) - 0.05, 0, None)
        return float(np.average(np.arange(light.shape[1]), weights=light.sum(axis=0)))

    before = middle(30, True, 0)
    after = middle(90, False, 30)
    assert after > before + 1  # a pixel of 1/90 screen height in three seconds


def test_a_portrait_lends_its_light_to_the_water_around_it(screen: Screen, mesh: Mesh) -> None:
    """Beside it and not far away, and the wider the larger it is."""
    screen.paint(0, painted.plain((255, 230, 200)))

    def lit(height: float) -> Floats:
        of = painted.portraits([painted.live(mesh)], [(0.9, 0.5)], [height])
        for frame in range(30):
            screen.draw(Scene(frame / 30, 1 / 30, of, pigment=0.0))
        found = surface(screen)
        for frame in range(90):
            screen.draw(Scene(1 + frame / 30, 1 / 30, painted.nobody(mesh), pigment=0.0))
        return np.asarray((found - surface(screen)).mean(axis=2)[44:46].mean(axis=0))

    small, large = lit(0.3), lit(0.7)
    row = (np.arange(160) + 0.5) / 90 - 0.9
    beside, far = (row > 0.17) & (row < 0.22), row < -0.75
    assert small[beside].mean() > 0.01
    assert small[beside].mean() > 4 * np.abs(small[far]).mean()
    outside = (row > 0.42) & (row < 0.5)
    assert large[outside].mean() > 2 * small[outside].mean()


def test_all_six_streams_can_be_told_from_one_another(screen: Screen, mesh: Mesh) -> None:
    run(screen, mesh, 1.0)
    found = surface(screen)
    height, width = found.shape[:2]
    chroma = []
    for stream in range(6):
        places = np.linspace(0.25, 0.75, 40)
        where = positions(np.full(40, stream), places, 1.0, 16 / 9)
        rows = (where[:, 1] * height).astype(int)
        columns = np.clip((where[:, 0] / (16 / 9) * width).astype(int), 0, width - 1)
        mean = found[rows, columns].mean(axis=0)
        assert 0.02 < mean.mean() < 0.3  # seen, and dark
        chroma.append(mean / mean.sum())
    apart = [np.abs(a - b).max() for a, b in zip(chroma, chroma[1:])]
    assert min(apart) > 0.02


@pytest.mark.parametrize("aspect", [16 / 9, 3.0, 1.0, 9 / 16])
def test_the_bed_lies_where_the_parcels_swim(aspect: float) -> None:
    lines = stream_lines(12.0, aspect)
    tall = aspect < 0.8
    length, breadth = (1.0, aspect) if tall else (aspect, 1.0)
    for stream in range(6):
        where = positions(np.full(9, stream), np.linspace(0.3, 0.7, 9), 12.0, aspect)
        along, across = (where[:, 1], where[:, 0]) if tall else (where[:, 0], where[:, 1])
        even = (np.arange(lines.shape[1]) + 0.5) / lines.shape[1]
        found = np.interp(along / length, even, lines[stream, :, 0])
        assert found * breadth == pytest.approx(across, abs=0.004)


def test_a_drift_keeps_its_precision_for_weeks() -> None:
    week_s = 7 * 86400.0
    step = drift(week_s + 1 / 30, (0.021,))[0] - drift(week_s, (0.021,))[0]
    assert step == pytest.approx(0.021 / 30, rel=1e-3)
    assert 0 <= drift(week_s, (-0.021,))[0] < 1


@pytest.mark.parametrize(
    ("size", "found"),
    [
        ((640, 360), (320, 180)),
        ((3840, 2160), (960, 540)),
        ((160, 90), (160, 90)),
        ((9, 16), (9, 16)),
    ],
)
def test_the_surface_is_half_the_picture_within_bounds(
    size: tuple[int, int], found: tuple[int, int]
) -> None:
    assert surface_size(size) == found
