"""The overlay: lines of text and the sitters' markers, for the technician.

In: a ``Scene`` that has any. Out: drawn over the finished picture in the bound framebuffer.
The thread that owns the OpenGL context.
"""

from __future__ import annotations

import cv2
import moderngl
import numpy as np

from mirror.screen.contexts import give_back
from mirror.screen.placing import Placing, columns
from mirror.screen.shaders import compile_program
from mirror.signals import Bytes, Scene, Sitter

INKS = ((0.95, 0.72, 0.30), (0.45, 0.80, 0.90), (0.90, 0.45, 0.45), (0.60, 0.85, 0.45))

#: The lamp that says that pictures of people are being recorded: colour, share of the height.
LAMP, LAMP_HEIGHT = (0.9, 0.04, 0.03), 0.03

#: Markers drawn are a part of the picture's height so high, in the lower right corner.
FRAME_HEIGHT = 0.28


class Overlay:
    """Owns three programs, a texture of text and a buffer of markers; release it."""

    def __init__(self, context: moderngl.Context, placing: Placing) -> None:
        self._context, self._size = context, placing.picture
        self._text_program = compile_program(context, "panel.vert", "lines.frag")
        self._lamp_program = compile_program(context, "panel.vert", "overlay.frag")
        self._dot_program = compile_program(context, "overlay.vert", "overlay.frag")
        for program in (self._text_program, self._lamp_program, self._dot_program):
            program["screen"] = columns(placing.screen)
        self._panel = context.vertex_array(self._text_program, [])
        self._lamp = context.vertex_array(self._lamp_program, [])
        self._markers = context.buffer(reserve=478 * 2 * 4, dynamic=True)
        self._dots = context.vertex_array(self._dot_program, [(self._markers, "2f", "marker")])
        self._lines: tuple[str, ...] = ()
        self._text: moderngl.Texture | None = None

    def draw(self, scene: Scene) -> None:
        """Draw into the bound framebuffer."""
        if scene.lamp:
            self._light_lamp()
        if not scene.overlay and not scene.marks:
            return
        self._context.enable_only(moderngl.BLEND | moderngl.PROGRAM_POINT_SIZE)
        self._context.blend_func = moderngl.ONE, moderngl.ONE_MINUS_SRC_ALPHA
        if scene.overlay:
            self._draw_lines(scene.overlay)
        for sitter in scene.marks:
            self._draw_marks(sitter)
        self._context.enable_only(moderngl.NOTHING)

    def _light_lamp(self) -> None:
        """A red lamp in the upper right corner."""
        side = max(6, round(LAMP_HEIGHT * self._size[1]))
        self._lamp_program["ink"] = (*LAMP, 1.0)
        self._lamp_program["frame"] = self._frame(self._size[0] - 2 * side, side, side, side)
        self._lamp.render(moderngl.TRIANGLE_STRIP, vertices=4)

    def release(self) -> None:
        """Give everything back."""
        give_back(
            self._panel,
            self._lamp,
            self._dots,
            self._markers,
            self._text_program,
            self._lamp_program,
            self._dot_program,
            self._text,
        )

    def _frame(self, left: float, top: float, width: float, height: float) -> tuple[float, ...]:
        """Pixels of the picture as parts of it."""
        return (
            left / self._size[0], top / self._size[1], width / self._size[0],
            height / self._size[1],
        )  # fmt: skip

    def _draw_lines(self, lines: tuple[str, ...]) -> None:
        if lines != self._lines or self._text is None:
            picture = write_lines(lines, self._size)
            if self._text is not None:
                self._text.release()
            size = picture.shape[1], picture.shape[0]
            self._text = self._context.texture(size, 1, picture.tobytes(), alignment=1)
            self._lines = lines
        self._text.use(0)
        self._text_program["text"] = 0
        self._text_program["frame"] = self._frame(0, 0, self._text.width, self._text.height)
        self._panel.render(moderngl.TRIANGLE_STRIP, vertices=4)

    def _draw_marks(self, sitter: Sitter) -> None:
        aspect = self._size[0] / self._size[1]
        width, height = FRAME_HEIGHT * sitter.aspect / aspect, FRAME_HEIGHT
        self._dot_program["frame"] = 1 - width - 0.02 / aspect, 1 - height - 0.02, width, height
        self._dot_program["dot_px"] = max(1.0, self._size[1] / 480)
        self._dot_program["ink"] = (*INKS[sitter.id % len(INKS)], 1.0)
        self._markers.write(np.ascontiguousarray(sitter.markers[:, :2]).tobytes())
        self._dots.render(moderngl.POINTS, vertices=len(sitter.markers))


def write_lines(lines: tuple[str, ...], size: tuple[int, int]) -> Bytes:
    """Lines of text as ink, 0 to 255, no larger than the picture's size (W, H).  (h, w) uint8"""
    face, scale = cv2.FONT_HERSHEY_SIMPLEX, max(0.33, size[1] / 1080 * 0.6)
    step = int(34 * scale)
    width = max(cv2.getTextSize(line, face, scale, 1)[0][0] for line in lines) + step
    height = step * len(lines) + step // 2
    picture = np.zeros((min(height, size[1]), min(width, size[0])), np.uint8)
    for row, line in enumerate(lines, start=1):
        place = step // 2, step * row - step // 6
        cv2.putText(picture, line, place, face, scale, (255,), 1, cv2.LINE_AA)
    return picture
