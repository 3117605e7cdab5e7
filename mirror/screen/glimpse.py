"""A small copy of the picture on the screen, for whoever looks at it from elsewhere.

In: the finished picture, as a texture. Out: the same, smaller, read back. The thread that owns
the OpenGL context. It is made small on the GPU, so that a large screen costs no more.
"""

from __future__ import annotations

import moderngl
import numpy as np

from mirror.screen.contexts import give_back
from mirror.screen.shaders import compile_program
from mirror.signals import Bytes


class Glimpse:
    """Owns a program and, from the first glimpse on, a small target; release it."""

    def __init__(self, context: moderngl.Context) -> None:
        self._context = context
        self._program = compile_program(context, "whole.vert", "present.frag")
        self._whole = context.vertex_array(self._program, [])
        self._target: moderngl.Framebuffer | None = None
        self._texture: moderngl.Texture | None = None

    def take(self, picture: moderngl.Texture, width: int) -> Bytes:
        """The picture (first row on top) at most so wide: (H, W, 3) uint8 RGB, origin top left."""
        width = min(width, picture.width)
        size = width, max(1, round(width * picture.height / picture.width))
        target = self._fitting(size)
        before = picture.filter
        picture.build_mipmaps()
        picture.filter = moderngl.LINEAR_MIPMAP_LINEAR, moderngl.LINEAR
        target.use()
        picture.use(0)
        self._program["picture"] = 0
        self._whole.render(vertices=3)
        picture.filter = before
        data = target.read(components=4)
        rows = np.frombuffer(data, np.uint8).reshape(size[1], size[0], 4)  # (H, W, 4)
        return np.ascontiguousarray(rows[::-1, :, :3])  # present.frag leaves the lowest row first

    def release(self) -> None:
        """Give everything back."""
        give_back(self._target, self._texture, self._whole, self._program)

    def _fitting(self, size: tuple[int, int]) -> moderngl.Framebuffer:
        """The small target, made anew for another size."""
        if self._target is None or self._target.size != size:
            old = self._target, self._texture
            self._texture = self._context.texture(size, 4)
            self._target = self._context.framebuffer([self._texture])
            self._target.use()  # OpenGL complains of a target that is bound when it is given back
            give_back(*old)
        return self._target
