"""The finish: portraits over water, seen through moving water; tone, varnish, grain.

In: the picture of the portraits, the ``Water``, and how the site's screen shows them. Out: the
finished picture in the bound framebuffer. The thread that owns the OpenGL context.
"""

from __future__ import annotations

import moderngl

from mirror.screen.clouds import TILE, varnish
from mirror.screen.contexts import give_back
from mirror.screen.placing import Placing, columns
from mirror.screen.shaders import compile_program
from mirror.screen.water import Water, drift
from mirror.settings import ScreenSettings
from mirror.signals import Scene


class Finish:
    """Owns a program and the varnish; release it."""

    def __init__(
        self, context: moderngl.Context, placing: Placing, settings: ScreenSettings
    ) -> None:
        self._settings, self._size = settings, placing.size
        self._program = compile_program(context, "finish.vert", "finish.frag")
        self._whole = context.vertex_array(self._program, [])
        self._varnish = context.texture(placing.size, 3, varnish(placing).tobytes(), alignment=1)
        self._program["site"] = columns(placing.site)

    def draw(self, scene: Scene, portraits: moderngl.Texture, water: Water) -> None:
        """Draw the finished picture into the bound framebuffer."""
        program = self._program
        textures = {
            "portraits": portraits, "surface": water.surface.was, "ripple": water.ripple,
            "varnish": self._varnish, "clouds": water.clouds,
        }  # fmt: skip
        for unit, (name, texture) in enumerate(textures.items()):
            texture.use(unit)
            program[name] = unit
        # The golden ratio's part: the grain of no two pictures within minutes is the same.
        shift = drift(round(scene.time_s * 24), (0.61803399, 0.75487767))
        program["grain_shift"] = int(shift[0] * TILE), int(shift[1] * TILE)
        program["grain_size"] = max(1.0, self._size[1] / 1080)
        program["grain"], program["weave"] = self._settings.grain, self._settings.varnish
        program["brightness"] = self._settings.brightness * scene.light
        self._whole.render(vertices=3)

    def release(self) -> None:
        """Give everything back."""
        give_back(
            self._whole,
            self._program,
            self._varnish,
        )
