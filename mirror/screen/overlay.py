"""The overlay: lines of text and the sitters' markers, for the technician.

In: a ``Scene`` that has any. Out: drawn over the finished picture in the bound framebuffer.
The thread that owns the OpenGL context.
"""

from __future__ import annotations

import cv2
import moderngl
import numpy as np

from mirror.screen.contexts import give_back
from mirror.shaders import compile_program
from mirror.signals import Bytes, Scene, Sitter

INKS = ((0.95, 0.72, 0.30), (0.45, 0.80, 0.90), (0.90, 0.45, 0.45), (0.60, 0.85, 0.45))

#: The lamp that says that pictures of people are being recorded: colour, share of the height.
LAMP, LAMP_HEIGHT = (0.9, 0.04, 0.03), 0.03

#: Markers drawn are a part of the picture's height so high, in the lower right corner.
FRAME_HEIGHT = 0.28


class Overlay:
    """Owns two programs, a texture of text and a buffer of markers; release it."""

    def __init__(self, context: moderngl.Context, size: tuple[int, int]) -> None:
        self._context, self._size = context, size
        self._text_program = compile_program(context, "whole.vert", "lines.frag")
        self._dot_program = compile_program(context, "overlay.vert", "overlay.frag")
        self._whole = context.vertex_array(self._text_program, [])
        self._markers = context.buffer(reserve=478 * 2 * 4, dynamic=True)
        self._dots = context.vertex_array(self._dot_program, [(self._markers, "2f", "marker")])
        self._lines: tuple[str, ...] = ()
        self._text: moderngl.Texture | None = None

    def draw(self, scene: Scene, target: moderngl.Framebuffer) -> None:
        """Draw into the target, which is bound; leaves its viewport as it was."""
        if scene.lamp:
            self._light_lamp(target)
        if not scene.overlay and not scene.marks:
            return
        self._context.enable_only(moderngl.BLEND | moderngl.PROGRAM_POINT_SIZE)
        self._context.blend_func = moderngl.ONE, moderngl.ONE_MINUS_SRC_ALPHA
        if scene.overlay:
            self._draw_lines(scene.overlay, target)
        for sitter in scene.marks:
            self._draw_marks(sitter)
        self._context.enable_only(moderngl.NOTHING)

    def _light_lamp(self, target: moderngl.Framebuffer) -> None:
        """A red lamp in the upper right corner."""
        side = max(6, round(LAMP_HEIGHT * self._size[1]))
        left = self._size[0] - 2 * side
        target.clear(*LAMP, 1.0, viewport=(left, side, side, side))

    def release(self) -> None:
        """Give everything back."""
        give_back(
            self._whole,
            self._dots,
            self._markers,
            self._text_program,
            self._dot_program,
            self._text,
        )

    def _draw_lines(self, lines: tuple[str, ...], target: moderngl.Framebuffer) -> None:
        if lines != self._lines or self._text is None:
            picture = write_lines(lines, self._size)
            if self._text is not None:
                self._text.release()
            size = picture.shape[1], picture.shape[0]
            self._text = self._context.texture(size, 1, picture.tobytes(), alignment=1)
            self._lines = lines
        self._text.use(0)
        self._text_program["text"] = 0
        viewport = target.viewport
        target.viewport = 0, 0, self._text.width, self._text.height
        self._whole.render(vertices=3)
        target.viewport = viewport

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
