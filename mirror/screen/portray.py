"""One portrait by itself, drawn by the same shader as on the screen.

In: a mesh, a texture, live vertices. Out: a square picture. Any thread: each keeps a small
offscreen context of its own, with one slot, until it ends.
"""

from __future__ import annotations

import threading

import moderngl
import numpy as np

from mirror.canonical import Mesh
from mirror.screen.contexts import Offscreen, give_back, hold
from mirror.screen.paintings import Paintings
from mirror.screen.portraits import PortraitPass
from mirror.signals import Bytes, Floats, Portraits, check

#: The dark that a portrait stands in when nobody names another: the water's own.
WATER = (13, 10, 8)


class Easel(threading.local):
    """What this thread draws single portraits with; made when first needed."""

    def __init__(self) -> None:
        self.surface: Offscreen | None = None
        self.mesh: Mesh | None = None
        self.passes: tuple[Paintings, PortraitPass] | None = None
        self.targets: dict[int, moderngl.Framebuffer] = {}


_easel = Easel()


def portray(
    mesh: Mesh,
    texture: Bytes,
    vertices: Floats,
    size: int = 256,
    ground: tuple[int, int, int] | None = None,
) -> Bytes:
    """Draw one portrait.

    mesh: as given to the screen. texture: (256, 256, 4) uint8 RGBA, straight alpha. vertices:
    (V, 3) float32, portrait units. size: of the picture in pixels. ground: RGB behind the
    portrait, 0 to 255; None is the dark of the water. Returns (size, size, 3) uint8 RGB. Raises
    ScreenError when the machine has no OpenGL, ShapeError for arrays of another shape.
    """
    check("vertices", vertices, (len(mesh.uv), 3))
    surface = _easel.surface = _easel.surface or Offscreen((size, size))
    with hold(surface):
        paintings, portrait_pass = _passes(surface, mesh)
        target = _target(surface, size)
        target.use()
        red, green, blue = (channel / 255 for channel in ground or WATER)
        target.clear(red, green, blue, 1.0, depth=1.0)
        paintings.hang(0, paintings.varnish(texture, 0), 0.0)
        portrait_pass.draw(_alone(vertices), paintings, 0.0, (size, size))
        data = target.read(components=4)
    picture = np.frombuffer(data, np.uint8).reshape(size, size, 4)  # (H, W, 4)
    return np.ascontiguousarray(picture[:, :, :3])


def _alone(vertices: Floats) -> Portraits:
    """One portrait that fills its picture."""
    return Portraits(
        slot=np.zeros(1, np.int32),
        centre=np.full((1, 2), 0.5, np.float32),
        height=np.ones(1, np.float32),
        opacity=np.ones(1, np.float32),
        vertices=vertices[None],
    )


def _passes(surface: Offscreen, mesh: Mesh) -> tuple[Paintings, PortraitPass]:
    if _easel.passes is not None and _easel.mesh is mesh:
        return _easel.passes
    if _easel.passes is not None:
        give_back(*_easel.passes)
    context = surface.context
    _easel.mesh = mesh
    portrait_pass = PortraitPass(context, mesh, 1)
    _easel.passes = Paintings(context, mesh, 1, 0.0, portrait_pass.reach), portrait_pass
    return _easel.passes


def _target(surface: Offscreen, size: int) -> moderngl.Framebuffer:
    """A square framebuffer with depth; the last few sizes are kept."""
    if size not in _easel.targets:
        if len(_easel.targets) >= 4:
            oldest = _easel.targets.pop(next(iter(_easel.targets)))
            give_back(*oldest.color_attachments, oldest.depth_attachment, oldest)
        context = surface.context
        _easel.targets[size] = context.framebuffer(
            [context.texture((size, size), 4)], context.depth_renderbuffer((size, size))
        )
    return _easel.targets[size]
