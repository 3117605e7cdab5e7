"""Golden pictures: a dozen tiny scenes, each one visual fact, as they were when somebody looked.

They are compared on Mesa's llvmpipe alone; on other renderers the scene must still draw something
and leave no error. Tolerance: on the mean 1 of 255, and 12 of 255 for all but 0.5 % of the values,
for another version of Mesa may round otherwise. A failure writes what was found, and how it
differs, eight times enlarged in light and four times in size, under ``build/golden``.
``make golden`` draws them anew; a change of them wants a sentence in the changelog.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import painted
import pytest

from mirror.canonical import Mesh
from mirror.film import write_still
from mirror.screen import Screen, portray
from mirror.screen.chart import Chart
from mirror.settings import ScreenSettings
from mirror.signals import Bytes, Scene, Stir

GOLDEN = Path(__file__).parent / "golden"
PLAIN = ScreenSettings()
SKINS = ((205, 160, 130), (120, 80, 60), (190, 180, 170), (225, 190, 150))


def run(
    mesh: Mesh, scenes: Sequence[Scene], size: tuple[int, int] = (160, 90), cross_fade_s: float = 0,
    painted_at: int = 0, settings: ScreenSettings = PLAIN,
) -> Bytes:  # fmt: skip
    """The last of some scenes; the four faces are painted before the one numbered painted_at."""
    with Screen("offscreen", size, mesh, 4, settings, cross_fade_s) as screen:
        for number, scene in enumerate(scenes):
            if number == painted_at:
                for slot, skin in enumerate(SKINS):
                    screen.paint(slot, painted.face(mesh, skin))
            screen.draw(scene)
        assert screen.fault() == "GL_NO_ERROR"
        return screen.picture()


def still_water(mesh: Mesh) -> Bytes:
    """Six streams over dark water."""
    seen = painted.nobody(mesh)
    return run(mesh, [painted.scene(seen, n / 10, 1 / 10) for n in range(30)])


def stirred_water(mesh: Mesh) -> Bytes:
    """A visitor's stir mixes them."""
    stir = Stir((0.9, 0.5), (0.9, 0.3), 0.15)
    seen = painted.nobody(mesh)
    frames = [painted.scene(seen, n / 10, 1 / 10, (stir,), 0.8) for n in range(30)]
    return run(mesh, frames)


def tall_water(mesh: Mesh) -> Bytes:
    """On a tall screen the streams are columns."""
    seen = painted.nobody(mesh)
    return run(mesh, [painted.scene(seen, n / 10, 1 / 10) for n in range(20)], (90, 160))


def four_faces(mesh: Mesh) -> Bytes:
    """Portraits of four sizes, the nearer over the farther."""
    seen = painted.portraits(
        [painted.live(mesh, yaw=yaw) for yaw in (-0.4, 0.3, 0.0, 0.2)],
        [(0.3, 0.4), (0.75, 0.35), (1.4, 0.45), (1.0, 0.6)],
        [0.35, 0.5, 0.65, 0.75],
    )
    return run(mesh, [painted.scene(seen, n / 30) for n in range(6)])


def on_screen(size: tuple[int, int] = (160, 90), **settings: Any) -> Callable[[Mesh], Bytes]:
    """Two portraits, lines of text and the lamp, as a site's screen shows them."""

    def draw(mesh: Mesh) -> Bytes:
        turned = settings.get("turn_deg", 0) % 180 == 90
        aspect = size[1] / size[0] if turned else size[0] / size[1]
        seen = painted.portraits(
            [painted.live(mesh), painted.live(mesh, yaw=0.3)],
            [(0.3 * aspect, 0.5), (0.7 * aspect, 0.5)], [0.5 * min(1.0, aspect)] * 2,
        )  # fmt: skip
        scenes = [painted.scene(seen, n / 30) for n in range(4)]
        scenes[-1] = replace(scenes[-1], overlay=("abc", "de"), lamp=True)
        return run(mesh, scenes, size, settings=ScreenSettings(**settings))

    return draw


def pattern(size: tuple[int, int] = (320, 180), **settings: Any) -> Callable[[Mesh], Bytes]:
    """The technician's test pattern, as a site's screen shows it."""

    def draw(mesh: Mesh) -> Bytes:
        screen = ScreenSettings(**settings)
        with Chart("offscreen", size, screen) as chart:
            chart.show_pattern(screen)
            return chart.picture()

    return draw


def faint_faces(mesh: Mesh) -> Bytes:
    """The same at several opacities."""
    seen = painted.portraits(
        [painted.live(mesh)] * 4,
        [(0.2 + 0.46 * n, 0.5) for n in range(4)],
        [0.7] * 4,
        [0.15, 0.4, 0.7, 1.0],
    )
    return run(mesh, [painted.scene(seen, n / 30) for n in range(3)])


def sunken_trail(mesh: Mesh) -> Bytes:
    """What a portrait leaves on the water when it has moved on and faded."""
    frames = [
        painted.scene(
            painted.portraits(
                [painted.live(mesh)], [(0.4 + n * 0.015, 0.5)], [0.7], [1.0 if n < 50 else 0.0]
            ),
            n / 15,
            1 / 15,
        )
        for n in range(56)
    ]
    return run(mesh, frames)


def cross_fade(mesh: Mesh) -> Bytes:
    """Half way out of nothing."""
    seen = painted.portraits([painted.live(mesh)], [(0.89, 0.5)], [0.9])
    return run(mesh, [painted.scene(seen, time_s) for time_s in (0.0, 0.5)], cross_fade_s=1.0)


def small_faces(mesh: Mesh) -> Bytes:
    """Small portraits in all directions, drawn with the lightest mesh."""
    rng = np.random.default_rng(5)
    seen = painted.portraits(
        [painted.live(mesh, yaw=float(a), pitch=float(b)) for a, b in rng.normal(0, 0.25, (4, 2))],
        [(float(x) * 1.78, float(y)) for x, y in rng.random((4, 2))],
        [0.25, 0.3, 0.35, 0.4],
    )
    return run(mesh, [painted.scene(seen, n / 30) for n in range(3)])


def alone(**live: float) -> Callable[[Mesh], Bytes]:
    """One portrait by itself, in some movement."""

    def draw(mesh: Mesh) -> Bytes:
        return portray(mesh, painted.face(mesh), painted.live(mesh, **live), 112)

    return draw


SCENES: dict[str, Callable[[Mesh], Bytes]] = {
    "still-water": still_water,
    "stirred-water": stirred_water,
    "tall-water": tall_water,
    "four-faces": four_faces,
    "faint-faces": faint_faces,
    "sunken-trail": sunken_trail,
    "cross-fade": cross_fade,
    "small-faces": small_faces,
    "keystone": on_screen(keystone=((0.1, 0.05), (0.97, 0.2), (0.9, 0.8), (0.03, 0.98))),
    "masked": on_screen(mask=((0.0, 0.0), (0.5, 0.2), (1.0, 0.0), (0.8, 1.0), (0.2, 0.9))),
    "turned-right-on-screen": on_screen(turn_deg=90),
    "turned-half-on-screen": on_screen(turn_deg=180),
    "turned-left-with-keystone-and-mask": on_screen(
        size=(90, 160),
        turn_deg=270,
        keystone=((0.1, 0.0), (0.9, 0.1), (1.0, 1.0), (0.0, 0.9)),
        mask=((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.3, 1.0), (0.0, 0.7)),
    ),
    "test-pattern": pattern(),
    "test-pattern-laid": pattern(
        turn_deg=180,
        keystone=((0.1, 0.05), (0.97, 0.2), (0.9, 0.8), (0.03, 0.98)),
        mask=((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.2, 1.0)),
    ),
    "frontal": alone(),
    "turned-left": alone(yaw=-0.7),
    "turned-right": alone(yaw=0.7),
    "looking-up": alone(pitch=0.4),
    "looking-down": alone(pitch=-0.4, roll=0.2),
    "open-mouth": alone(mouth=0.15),
    "closed-eyes": alone(lids=0.05),
}


@pytest.mark.parametrize("name", SCENES)
def test_golden_picture(
    name: str, mesh: Mesh, root: Path, redraw_golden: bool, renderer: str
) -> None:
    found = SCENES[name](mesh)
    assert found.std() > 1.5  # something is seen, whatever draws it
    path = GOLDEN / f"{name}.png"
    if redraw_golden:
        write_still(path, found)
        return
    if "llvmpipe" not in renderer:
        pytest.skip(f"golden pictures are llvmpipe's; this is {renderer}")
    wanted = cv2.imread(str(path))
    assert wanted is not None, f"no {path.name}: make golden"
    off = np.abs(found.astype(int) - wanted[:, :, ::-1])
    if off.mean() > 1.0 or np.percentile(off, 99.5) > 12:
        folder = root / "build" / "golden"
        write_still(folder / f"{name}-found.png", found)
        enlarged = np.clip(8 * off, 0, 255).astype(np.uint8).repeat(4, 0).repeat(4, 1)
        write_still(folder / f"{name}-difference.png", enlarged)
        pytest.fail(
            f"{name} is off by {off.mean():.2f} on the mean, {off.max()} at most; "
            f"see build/golden/{name}-difference.png"
        )


def test_every_golden_picture_belongs_to_a_scene() -> None:
    assert sorted(path.stem for path in GOLDEN.glob("*.png")) == sorted(SCENES)


@pytest.fixture(scope="module")
def renderer(mesh: Mesh) -> str:
    """What draws here."""
    with Screen("offscreen", (16, 16), mesh, 1, ScreenSettings(), 0.0) as screen:
        return screen.renderer
