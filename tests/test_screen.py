"""What the screen draws: every test a visual fact, read from the picture."""

from __future__ import annotations

import gc
import threading
from collections.abc import Callable, Iterator

import cv2
import numpy as np
import painted
import pytest

from mirror.canonical import Mesh
from mirror.errors import ScreenError, ShapeError
from mirror.screen import Screen, portray
from mirror.screen.contexts import hold
from mirror.screen.varnishing import Varnisher
from mirror.settings import ScreenSettings
from mirror.signals import Bytes, Sitter, Stir

Open = Callable[..., Screen]

#: No grain, no cracks, no ripples: a picture that can be compared with itself.
CLEAR = ScreenSettings(grain=0.0, varnish=0.0, ripple=0.0)


@pytest.fixture
def screens(mesh: Mesh) -> Iterator[Open]:
    """Opens offscreen screens, and closes them; an error of OpenGL fails the test."""
    opened: list[Screen] = []

    def open_screen(
        size: tuple[int, int] = (160, 90),
        slots: int = 4,
        cross_fade_s: float = 0.0,
        settings: ScreenSettings = CLEAR,
    ) -> Screen:
        screen = Screen("offscreen", size, mesh, slots, settings, cross_fade_s)
        opened.append(screen)
        return screen

    yield open_screen
    for screen in opened:
        fault = screen.fault()
        screen.close()
        assert fault == "GL_NO_ERROR"


def one(mesh: Mesh, opacity: float = 1.0, height: float = 0.9, **live: float):
    return painted.portraits([painted.live(mesh, **live)], [(0.89, 0.5)], [height], [opacity])


def light(picture: Bytes) -> float:
    return float(picture.mean())


def test_a_painted_portrait_is_seen_where_it_was_put(screens: Open, mesh: Mesh) -> None:
    screen = screens()
    screen.paint(0, painted.face(mesh))
    left = painted.portraits([painted.live(mesh)], [(0.3, 0.5)], [0.5])
    empty = screens()
    for each, seen in ((screen, left), (empty, painted.nobody(mesh))):
        each.draw(painted.scene(seen))
    picture = np.abs(screen.picture().astype(float) - empty.picture()).mean(axis=2)
    assert picture.shape == (90, 160)
    y, x = np.average(np.indices(picture.shape).reshape(2, -1), axis=1, weights=picture.ravel())
    assert x / 90 == pytest.approx(0.3, abs=0.05)
    assert y / 90 == pytest.approx(0.5, abs=0.05)


def test_a_slot_that_was_never_painted_draws_nothing(screens: Open, mesh: Mesh) -> None:
    empty, waiting = screens(), screens()
    empty.draw(painted.scene(painted.nobody(mesh)))
    waiting.draw(painted.scene(one(mesh)))
    assert np.array_equal(empty.picture(), waiting.picture())


def test_the_same_scenes_give_the_same_picture(screens: Open, mesh: Mesh) -> None:
    pictures = []
    for _ in range(2):
        screen = screens(settings=ScreenSettings())
        screen.paint(0, painted.face(mesh))
        for frame in range(4):
            screen.draw(painted.scene(one(mesh, yaw=0.1 * frame), frame / 30, turbulence=0.5))
        pictures.append(screen.picture())
    assert np.array_equal(*pictures)


def test_half_way_through_a_cross_fade_the_picture_is_half_way(screens: Open, mesh: Mesh) -> None:
    found = []
    for first, second, at_s in ((0, 0, 9.0), (1, 1, 9.0), (0, 1, 5.5)):
        screen = screens(cross_fade_s=1.0)
        for time_s, colour in ((0.0, first), (5.0, second)):
            screen.draw(painted.scene(painted.nobody(mesh), time_s, 0.0))
            screen.paint(0, painted.plain((120, 70, 50) if colour else (40, 60, 70)))
        screen.draw(painted.scene(one(mesh), at_s, 0.0))
        found.append(screen.picture()[45, 80].astype(float))
    assert found[2] == pytest.approx((found[0] + found[1]) / 2, abs=3)


def test_a_painting_that_comes_during_a_cross_fade_makes_no_jump(screens: Open, mesh: Mesh) -> None:
    screen = screens(cross_fade_s=1.0)
    colours = [(240, 200, 160), (40, 40, 60), (200, 90, 60), (30, 90, 90)]
    previous, steps = None, []
    for frame in range(60):
        if frame % 12 == 0 and frame // 12 < len(colours):
            screen.paint(0, painted.plain(colours[frame // 12]))
        screen.draw(painted.scene(one(mesh), frame / 30, 1 / 30))
        centre = screen.picture()[45, 80].astype(float)
        steps.append(0.0 if previous is None else float(np.abs(centre - previous).max()))
        previous = centre
    assert max(steps) < 16


def test_the_first_painting_of_a_slot_comes_out_of_nothing(screens: Open, mesh: Mesh) -> None:
    screen = screens(cross_fade_s=1.0)
    screen.draw(painted.scene(one(mesh), 0.0, 0.0))
    screen.paint(0, painted.plain((240, 220, 200)))
    lights = []
    for time_s in (0.0, 0.3, 0.6, 1.1):
        screen.draw(painted.scene(one(mesh), time_s, 0.0))
        lights.append(light(screen.picture()))
    assert lights == sorted(lights)
    assert lights[-1] > lights[0] + 30


def test_a_fading_portrait_does_not_show_its_own_hidden_side(screens: Open, mesh: Mesh) -> None:
    found = []
    for opacity in (0.0, 0.5, 1.0):
        screen = screens((180, 180))
        screen.paint(0, painted.face(mesh))
        turned = painted.portraits([painted.live(mesh, yaw=0.6)], [(0.5, 0.5)], [1.0], [opacity])
        screen.draw(painted.scene(turned, dt_s=0.0))
        with hold(screen._surface):
            data = screen._targets.portraits.read()
        found.append(np.frombuffer(data, np.uint8).astype(float))
    off = np.abs(found[1] - (found[0] + found[2]) / 2)
    # A cheek seen through a nose would be off by 40.
    assert np.percentile(off, 99.5) < 2


def test_dark_hair_is_whole_beside_the_face_and_thin_further_out(mesh: Mesh) -> None:
    black = painted.face(mesh)
    black[:, :, 3] = 255
    outside = np.ones((256, 256), np.uint8)
    cv2.fillPoly(outside, [np.round(mesh.uv[mesh.frame.oval] * 256).astype(np.int32)], (0,))
    black[outside > 0, :3] = 8
    away = cv2.distanceTransform(outside, cv2.DIST_L2, 5) / 256
    alpha = Varnisher(mesh).prepare(black, 0)[:, :, 3]
    inside = np.hypot(*(np.mgrid[:256, :256] / 128 - 1)) < 0.86
    assert np.median(alpha[(away > 0.02) & (away < 0.07) & inside]) > 200
    assert np.median(alpha[(away > 0.20) & inside]) < 120


def test_the_nearer_portrait_covers_the_farther(screens: Open, mesh: Mesh) -> None:
    screen = screens()
    screen.paint(0, painted.plain((250, 40, 40)))
    screen.paint(1, painted.plain((40, 40, 250)))
    for order in ([0, 1], [1, 0]):
        both = painted.portraits(
            [painted.live(mesh)] * 2, [(0.89, 0.5)] * 2, [0.9] * 2, slots=order
        )
        screen.draw(painted.scene(both))
        red, _, blue = screen.picture()[45, 80].astype(int)
        assert (red < blue) == (order[1] == 1)


def test_a_nose_covers_the_far_cheek(mesh: Mesh) -> None:
    texture = painted.plain((60, 60, 60))
    place = (mesh.uv * 256).astype(int)
    nose = np.ptp(place[[48, 278], 0]) // 2
    texture[place[4, 1] - nose : place[4, 1], place[4, 0] - nose : place[4, 0] + nose, :3] = 230
    vertices = painted.live(mesh, yaw=-0.9)
    picture = portray(mesh, texture, vertices, 256).mean(axis=2)
    tip = np.round((vertices[4, :2] + 1) * 128).astype(int)
    around = picture[tip[1] - 8 : tip[1] - 2, tip[0] - 4 : tip[0] + 1]
    assert around.mean() > 90


@pytest.mark.parametrize("size", [256, 96])
def test_opened_lips_show_a_warm_dark(mesh: Mesh, size: int) -> None:
    texture = painted.face(mesh)
    shut, wide = painted.live(mesh), painted.live(mesh, mouth=0.14)
    place = np.round((wide[[13, 14], :2].mean(axis=0) + 1) / 2 * size).astype(int)
    pictures = [portray(mesh, texture, v, size) for v in (shut, wide)]
    found = [
        p[place[1] - 1 : place[1] + 2, place[0] - 1 : place[0] + 2].mean(axis=(0, 1))
        for p in pictures
    ]
    assert found[0].mean() > 80
    assert found[1].mean() < 30
    assert found[1][0] > found[1][2]  # warm


def test_closed_lips_show_the_painted_line(mesh: Mesh) -> None:
    texture = painted.plain((200, 190, 180))
    picture = portray(mesh, texture, painted.live(mesh), 256).astype(float)
    mouth = np.round((mesh.rest[13, :2] + 1) * 128).astype(int)
    beside = picture[mouth[1] + 20, mouth[0]]
    assert picture[mouth[1], mouth[0]] == pytest.approx(beside, rel=0.1)


def test_closed_lids_leave_no_white_of_the_eye(mesh: Mesh) -> None:
    texture = painted.face(mesh)
    open_eye, shut = (portray(mesh, texture, painted.live(mesh, lids=n), 256) for n in (1.0, 0.02))
    x, y = np.round((mesh.rest[mesh.frame.left_eye, :2] + 1) * 128).astype(int).T
    box = slice(y.min() - 3, y.max() + 4), slice(x.min(), x.max() + 1)
    blue = [picture[box][:, :, 2].max() for picture in (open_eye, shut)]
    assert blue[0] > blue[1] + 25


def test_a_portrait_alone_stands_on_the_ground_that_was_asked_for(mesh: Mesh) -> None:
    picture = portray(mesh, painted.face(mesh), painted.live(mesh), 64, ground=(10, 200, 30))
    assert tuple(picture[0, 0]) == (10, 200, 30)
    assert picture.shape == (64, 64, 3)
    assert abs(int(picture[32, 32, 0]) - 200) < 60


def test_all_grades_of_the_mesh_draw_the_same_face(
    mesh: Mesh, monkeypatch: pytest.MonkeyPatch
) -> None:
    texture, vertices = painted.face(mesh), painted.live(mesh, yaw=0.5, mouth=0.1)
    pictures = []
    for grades_px in ((0.0, 0.0), (999.0, 0.0), (999.0, 999.0)):
        monkeypatch.setattr("mirror.screen.portraits.GRADES_PX", grades_px)
        drawn: list[Bytes] = []
        thread = threading.Thread(
            target=lambda d=drawn: d.append(portray(mesh, texture, vertices, 100))
        )
        thread.start()
        thread.join()  # a new thread has an easel of its own, made with these grades
        pictures.append(drawn[0].astype(float))
    for lighter in pictures[1:]:
        off = np.abs(lighter - pictures[0]).mean(axis=2)
        assert off.mean() < 3.0
        assert (off > 60).mean() < 0.01


def test_many_portraits_of_all_sizes_stay_in_their_order(screens: Open, mesh: Mesh) -> None:
    screen = screens((320, 180), slots=40)
    rng = np.random.default_rng(3)
    for slot in range(40):
        screen.paint(slot, painted.plain((250, 30, 30) if slot < 39 else (30, 250, 30)))
    centres = [(float(x), float(y)) for x, y in rng.random((39, 2)) * (1.78, 1.0)]
    heights = [float(h) for h in rng.random(39) * 1.5 + 0.05]
    vertices = [painted.live(mesh)] * 40
    crowd = painted.portraits(vertices, [*centres, (0.89, 0.5)], [*heights, 0.4])
    screen.draw(painted.scene(crowd))
    middle = screen.picture()[90, 160]
    assert middle[1] > middle[0] + 60


@pytest.mark.parametrize("size", [(1, 1), (16, 16), (7, 131), (333, 57), (108, 192)])
def test_every_format_is_drawn_without_a_fault(
    screens: Open, mesh: Mesh, size: tuple[int, int]
) -> None:
    screen = screens(size)
    screen.paint(0, painted.face(mesh))
    many = painted.portraits(
        [painted.live(mesh)] * 2, [(0.2, 0.5), (5.0, 5.0)], [0.5, 0.5], slots=[0, 0]
    )
    stir = Stir((0.1, 0.5), (3.0, -2.0), 0.0)
    for frame in range(3):
        screen.draw(painted.scene(many, frame / 30, stirs=(stir,) * 20, turbulence=1.0))
    assert screen.picture().shape == (size[1], size[0], 3)
    assert screen.aspect == size[0] / size[1]


def test_the_overlay_is_seen_only_when_asked_for(screens: Open, mesh: Mesh) -> None:
    screen = screens((320, 180))
    plain = painted.scene(painted.nobody(mesh), dt_s=0.0)
    screen.draw(plain)
    before = screen.picture()
    markers = mesh.rest[:478] * 0.4 + 0.5
    sitter = Sitter(1, markers.astype(np.float32), 16 / 9, 1.0, 0.0)
    shown = type(plain)(
        0.0, 0.0, plain.portraits, overlay=("30 fps", "faces 12 ms"), marks=(sitter,)
    )
    screen.draw(shown)
    during = screen.picture()
    screen.draw(plain)
    assert np.abs(screen.picture().astype(int) - before).max() <= 1  # rounding of the surface
    assert during[:40, :100].max() > 150
    assert during[120:, 200:].max() > 150
    middle = np.abs(during[60:110, 120:200].astype(int) - before[60:110, 120:200])
    assert middle.max() <= 1


def test_a_glimpse_is_the_same_picture_smaller_and_disturbs_nothing(
    screens: Open, mesh: Mesh
) -> None:
    screen, other = screens((320, 180)), screens((320, 180))
    shown = painted.portraits([painted.live(mesh, yaw=0.3)], [(0.5, 0.4)], [0.6])
    for each in (screen, other):
        each.paint(0, painted.face(mesh))
        each.draw(painted.scene(shown))
    whole, glimpse = screen.picture(), screen.glimpse(80)
    assert glimpse.shape == (45, 80, 3)
    expected = whole.reshape(45, 4, 80, 4, 3).mean(axis=(1, 3))
    assert np.abs(glimpse - expected).mean() < 3
    assert np.abs(glimpse[::-1] - expected).mean() > 6  # the right way up
    assert screen.glimpse(4000).shape == (180, 320, 3)  # never larger than it is
    assert (screen.picture() == whole).all()
    for each in (screen, other):
        each.draw(painted.scene(shown))
    assert (screen.picture() == other.picture()).all()


def test_several_screens_and_easels_on_one_thread_do_not_mix(screens: Open, mesh: Mesh) -> None:
    bright, dark = screens(), screens((80, 80))
    bright.paint(0, painted.plain((250, 250, 250)))
    dark.paint(0, painted.plain((20, 20, 20)))
    for frame in range(3):
        bright.draw(painted.scene(one(mesh), frame / 30))
        alone = portray(mesh, painted.plain((250, 20, 20)), painted.live(mesh), 64)
        dark.draw(painted.scene(one(mesh), frame / 30))
    for screen, size, grey in ((bright, (160, 90), 250), (dark, (80, 80), 20)):
        by_itself = screens(size)
        by_itself.paint(0, painted.plain((grey, grey, grey)))
        for frame in range(3):
            by_itself.draw(painted.scene(one(mesh), frame / 30))
        assert np.array_equal(screen.picture(), by_itself.picture())
    assert alone[32, 32, 0] > alone[32, 32, 2] + 40


def test_closed_screens_leave_no_memory_behind(mesh: Mesh) -> None:
    def once() -> None:
        with Screen("offscreen", (320, 180), mesh, 12, ScreenSettings(), 0.0) as screen:
            screen.paint(0, painted.face(mesh))
            screen.draw(painted.scene(one(mesh)))
            screen.picture()

    for _ in range(3):
        once()
    gc.collect()
    before = resident_mb()
    for _ in range(8):
        once()
    gc.collect()
    assert resident_mb() < before + 8  # one such screen holds some 12 MB of textures


def resident_mb() -> float:
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * 4096 / 1e6


def test_a_closed_screen_may_be_closed_again(mesh: Mesh) -> None:
    screen = Screen("offscreen", (32, 32), mesh, 1, ScreenSettings(), 0.0)
    screen.close()
    screen.close()


@pytest.mark.parametrize(
    ("kind", "size", "slots", "words"),
    [
        ("paper", (64, 64), 4, "'paper'.*allowed: window or offscreen"),
        ("offscreen", (0, 64), 4, "0x64.*allowed: 1 to 16384"),
        ("offscreen", (64, 20000), 4, "64x20000.*allowed: 1 to 16384"),
        ("offscreen", (64, 64), 10**6, "1000000.*allowed: 1 to"),
    ],
)
def test_what_cannot_be_opened_is_said_in_one_line(
    mesh: Mesh, kind: str, size: tuple[int, int], slots: int, words: str
) -> None:
    with pytest.raises(ScreenError, match=words):
        Screen(kind, size, mesh, slots, ScreenSettings(), 0.0)


def test_arrays_of_another_shape_are_refused(screens: Open, mesh: Mesh) -> None:
    screen = screens()
    with pytest.raises(ShapeError, match="texture"):
        screen.paint(0, np.zeros((128, 128, 4), np.uint8))
    with pytest.raises(ScreenError, match="slot: 4; allowed: 0 to 3"):
        screen.paint(4, painted.face(mesh))
    with pytest.raises(ShapeError, match="vertices"):
        screen.draw(painted.scene(painted.portraits([np.zeros((5, 3), np.float32)], [(0, 0)], [1])))
