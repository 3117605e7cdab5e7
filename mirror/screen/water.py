"""The water: a small incompressible flow, and the surface that it carries.

In: the time, the stirs, and the picture of the portraits. Out: textures of velocity and colour.
Fixed grids, whatever the size of the picture: 45 rows of flow suffice for something so slow, and
on a processor without a graphics card they cost 2 ms.

The thread that owns the OpenGL context.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import moderngl
import numpy as np

from mirror.river.streams import STREAMS, TALL_BELOW, positions
from mirror.screen.clouds import TILE, clouds
from mirror.screen.contexts import give_back
from mirror.screen.shaders import compile_program
from mirror.signals import Floats, Scene, Stir

#: Rows of the flow's grid; its columns follow from the format of the picture.
FLOW_ROWS = 45

#: Places along a stream at which its middle is looked up.
LINE_POINTS = 64

#: Jacobi steps for the pressure, an even number.
STEPS = 6

MOST_STIRS = 16

#: How fast the streams carry what lies on them, in screen heights a second.
CURRENT = 0.035

#: How wide a portrait's light spreads in the water, to its height: in texels of its own grid,
#: which has half as many rows as the flow's.
LENT_WIDE = 1.5

#: The colour that each school's stream carries: verdigris, burnt umber, slate, madder, ochre, lime.
TINTS = (
    (0.36, 0.46, 0.34),
    (0.70, 0.36, 0.21),
    (0.30, 0.38, 0.48),
    (0.64, 0.32, 0.33),
    (0.66, 0.51, 0.26),
    (0.48, 0.47, 0.42),
)


class Pair:
    """Two textures that take turns: what was, and what becomes. Owns both; release it."""

    def __init__(self, context: moderngl.Context, size: tuple[int, int], components: int) -> None:
        self.textures = [context.texture(size, components, dtype="f2") for _ in range(2)]
        for texture in self.textures:
            texture.repeat_x = texture.repeat_y = False
        self._targets = [context.framebuffer([texture]) for texture in self.textures]
        for target in self._targets:
            target.clear()

    @property
    def was(self) -> moderngl.Texture:
        """The newest finished state."""
        return self.textures[0]

    def begin(self) -> None:
        """Draw what becomes."""
        self._targets[1].use()

    def turn(self) -> None:
        """What became is what was."""
        self.textures.reverse()
        self._targets.reverse()

    def release(self) -> None:
        """Give everything back."""
        give_back(*self._targets, *self.textures)


class Water:
    """Flow and surface. Owns programs and textures; release it."""

    def __init__(self, context: moderngl.Context, size: tuple[int, int]) -> None:
        self._aspect = size[0] / size[1]
        self._bed_tick: int | None = None
        self._dry = True  # the first picture begins with the water as it would be by and by
        names = (
            "streams", "flow", "divergence", "pressure", "project", "ripple", "ground", "spread",
            "surface",
        )  # fmt: skip
        self._programs = {
            name: compile_program(context, "whole.vert", f"{name}.frag") for name in names
        }
        self._whole = {
            name: context.vertex_array(program, []) for name, program in self._programs.items()
        }
        grid = max(8, round(FLOW_ROWS * self._aspect)), FLOW_ROWS
        self.velocity, self._pressure = Pair(context, grid, 4), Pair(context, grid, 2)
        self.surface = Pair(context, surface_size(size), 4)
        self._ground = Pair(context, (grid[0] // 2, grid[1] // 2), 4)
        self._bed = [context.texture(grid, 4, dtype="f2") for _ in range(2)]
        self._bed_target = context.framebuffer(self._bed)
        self.ripple = context.texture(grid, 2, dtype="f2")
        self._ripple_target = context.framebuffer([self.ripple])
        self._lines = context.texture((LINE_POINTS, STREAMS), 2, dtype="f4")
        self.clouds = context.texture((TILE, TILE), 4, clouds().tobytes())
        for texture in (*self._bed, self._lines, self.ripple):
            texture.repeat_x = texture.repeat_y = False
        self._programs["streams"]["tints"] = TINTS
        self._programs["streams"]["speed"] = CURRENT
        for name in ("streams", "surface"):
            self._programs[name]["tall"] = self._aspect < TALL_BELOW

    def flow(self, scene: Scene, ripple: float) -> None:
        """Move the water on by scene.dt_s."""
        self._draw_bed(scene.time_s)
        self._move(scene)
        self._make_incompressible()
        self._draw_ripple(scene.time_s, ripple)

    def carry(self, scene: Scene, portraits: moderngl.Texture, half_life_s: float) -> None:
        """Carry the surface along, let it fade, and let the portraits sink into it."""
        self._lend(scene, portraits)
        program = self._programs["surface"]
        self._set(
            program, surface=self.surface.was, velocity=self.velocity.was, portraits=portraits,
            current=self._bed[0], tint=self._bed[1], clouds=self.clouds, ground=self._ground.was,
        )  # fmt: skip
        program["aspect"], program["dt_s"] = self._aspect, scene.dt_s
        program["drift"] = drift(scene.time_s, (0.16 * CURRENT, 0.37 * CURRENT))
        program["stays"] = 0.0 if self._dry else 2.0 ** (-scene.dt_s / half_life_s)
        self._dry = False
        program["pigments"] = scene.pigment
        program["sinks"] = 1.0 - 2.0 ** (-scene.dt_s / 1.5)
        self.surface.begin()
        self._whole["surface"].render(vertices=3)
        self.surface.turn()

    def release(self) -> None:
        """Give everything back."""
        give_back(*self._whole.values(), *self._programs.values())
        give_back(self.velocity, self._pressure, self.surface, self._ground)
        give_back(self._bed_target, *self._bed, self._ripple_target, self.ripple)
        give_back(self._lines, self.clouds)

    def _draw_bed(self, time_s: float) -> None:
        """The streams wander within minutes: ten times a second is often enough."""
        tick = math.floor(time_s * 10)
        if tick == self._bed_tick:
            return
        self._bed_tick = tick
        lines = stream_lines(time_s, self._aspect)
        self._lines.write(lines.tobytes())
        program = self._programs["streams"]
        self._set(program, lines=self._lines)
        self._bed_target.use()
        self._whole["streams"].render(vertices=3)

    def _move(self, scene: Scene) -> None:
        program = self._programs["flow"]
        self._set(program, velocity=self.velocity.was, bed=self._bed[0], clouds=self.clouds)
        program["aspect"], program["dt_s"] = self._aspect, scene.dt_s
        program["drift"] = drift(scene.time_s, (-0.012, 0.007, 0.009, -0.013))
        program["turbulence"] = scene.turbulence
        program["follow"] = 1.0 - 2.0 ** (-scene.dt_s / 1.5)
        program["calm"] = 2.0 ** (-scene.dt_s / 2.0)
        places, reach = _pack(scene.stirs)
        program["stirs"] = min(len(scene.stirs), MOST_STIRS)
        program["stir"] = places.tolist()
        program["reach"] = reach.tolist()
        self.velocity.begin()
        self._whole["flow"].render(vertices=3)
        self.velocity.turn()

    def _make_incompressible(self) -> None:
        self._step(
            "divergence", self._pressure, velocity=self.velocity.was, pressure=self._pressure.was
        )
        for _ in range(STEPS):
            self._step("pressure", self._pressure, pressure=self._pressure.was)
        self._step(
            "project", self.velocity, velocity=self.velocity.was, pressure=self._pressure.was
        )

    def _draw_ripple(self, time_s: float, ripple: float) -> None:
        program = self._programs["ripple"]
        self._set(program, velocity=self.velocity.was, clouds=self.clouds)
        program["aspect"], program["ripple"] = self._aspect, ripple
        program["drift"] = drift(time_s, (-0.021, 0.013))
        self._ripple_target.use()
        self._whole["ripple"].render(vertices=3)

    def _lend(self, scene: Scene, portraits: moderngl.Texture) -> None:
        """The light that portraits lend to the water around them, wider the larger they are."""
        column, row = (1.0 / side for side in self._ground.was.size)
        self._programs["ground"]["texel"] = column, row
        self._step("ground", self._ground, portraits=portraits)
        seen = scene.portraits.height * scene.portraits.opacity
        wide = LENT_WIDE * float(np.clip(seen.max(initial=0.0), 0.4, 1.2))
        for x, y in ((wide, 0.0), (0.0, wide)):
            self._programs["spread"]["texel"] = x * column, y * row
            self._step("spread", self._ground, ground=self._ground.was)

    def _step(self, name: str, pair: Pair, **textures: moderngl.Texture) -> None:
        self._set(self._programs[name], **textures)
        pair.begin()
        self._whole[name].render(vertices=3)
        pair.turn()

    @staticmethod
    def _set(program: moderngl.Program, **textures: moderngl.Texture) -> None:
        for unit, (name, texture) in enumerate(textures.items()):
            texture.use(unit)
            program[name] = unit


def surface_size(size: tuple[int, int]) -> tuple[int, int]:
    """Of the feedback surface: half the picture's, between 90 and 540 rows."""
    rows = min(max(size[1] // 2, min(size[1], 90)), 540)
    return max(1, round(rows * size[0] / size[1])), rows


def drift(time_s: float, rates: Sequence[float]) -> tuple[float, ...]:
    """How far layers have drifted, in tiles, wrapped: a week keeps its precision in float32."""
    return tuple((rate * time_s) % 1.0 for rate in rates)


def stream_lines(time_s: float, aspect: float) -> Floats:
    """Middle and slope of each stream, evenly spaced along the screen, in breadths of it.

    Returns (6, 64, 2) float32. On a tall screen the streams are columns.
    """
    tall = aspect < TALL_BELOW
    length, breadth = (1.0, aspect) if tall else (aspect, 1.0)
    even = (np.arange(LINE_POINTS) + 0.5) / LINE_POINTS * length
    stream = np.repeat(np.arange(STREAMS), LINE_POINTS)
    place = np.tile(np.linspace(0, 1, LINE_POINTS), STREAMS)
    found = positions(stream, place, time_s, aspect).reshape(STREAMS, LINE_POINTS, 2)
    along, across = (found[..., 1], found[..., 0]) if tall else (found[..., 0], found[..., 1])
    lines = np.empty((STREAMS, LINE_POINTS, 2), np.float32)
    for row in range(STREAMS):
        lines[row, :, 0] = np.interp(even, along[row], across[row]) / breadth
    lines[..., 1] = np.gradient(lines[..., 0] * breadth, even[1] - even[0], axis=1)
    return lines


def _pack(stirs: Sequence[Stir]) -> tuple[Floats, Floats]:
    places, reach = np.zeros((MOST_STIRS, 4), np.float32), np.ones(MOST_STIRS, np.float32)
    for row, stir in enumerate(stirs[:MOST_STIRS]):
        places[row] = (*stir.place, *stir.velocity)
        reach[row] = stir.radius
    return places, reach
