"""The portrait pass: all portraits of one picture, back to front, each a live mesh.

In: ``Portraits`` and the ``Paintings`` they wear. Out: premultiplied colour in whatever
framebuffer is bound. The thread that owns the OpenGL context.
"""

from __future__ import annotations

from dataclasses import dataclass

import moderngl
import numpy as np
import numpy.typing as npt

from mirror.canonical import Mesh
from mirror.screen.contexts import give_back
from mirror.screen.facing import Facing
from mirror.screen.paintings import SIDES, Paintings
from mirror.screen.reach import Reach
from mirror.screen.shaders import compile_program
from mirror.screen.sheet import lids, sheet_of
from mirror.signals import Floats, Portraits, check

#: Below this opacity a portrait is not drawn at all.
FAINTEST = 1 / 512

#: Texture squares of so many pixels or fewer are drawn in the second and the third grade where
#: the processor draws. A graphics card always draws the finest.
GRADES_PX = 400.0, 175.0

#: Renderers that run on the processor.
SOFTWARE = "llvmpipe", "softpipe", "swrast"

#: Texels behind the vertices of each row, that hold what is the same for the whole portrait.
EXTRA = 3


@dataclass(frozen=True)
class Drawn:
    """The portraits that are really drawn.

    number: in the scene. grade: of the mesh. detail: which size of the painting. progress: of its
    cross-fade, 0 to 1.
    """

    number: npt.NDArray[np.intp]
    grade: npt.NDArray[np.intp]
    detail: npt.NDArray[np.intp]
    progress: Floats

    def kinds(self) -> npt.NDArray[np.intp]:
        """What is alike can be drawn in one call."""
        return (self.grade * len(SIDES) + self.detail) * 2 + (self.progress < 1)


class PortraitPass:
    """Draws portraits. Owns a program, a mesh in three grades and a texture; release it."""

    def __init__(self, context: moderngl.Context, mesh: Mesh, slots: int) -> None:
        self._context, self._mesh, self._slots = context, mesh, slots
        self._programs = [
            compile_program(context, "portrait.vert", name)
            for name in ("portrait.frag", "portrait_fading.frag")
        ]
        sheet = sheet_of(mesh)
        self.reach = Reach(mesh, sheet.grades)
        uv, outward = sheet.uv.copy(), np.zeros_like(sheet.uv)
        uv[: len(mesh.uv)], outward[: len(mesh.uv)] = self.reach.start, self.reach.outward
        columns = [sheet.pair.view(np.float32), uv, outward, sheet.part]
        self._corners = context.buffer(np.hstack(columns).tobytes())  # (W, 10)
        self._indices = [context.buffer(grade.triangles.tobytes()) for grade in sheet.grades]
        layout = self._corners, "2i 2f 2f 4f", "pair", "uv", "outward", "part"
        self._arrays = [
            [
                context.vertex_array(program, [layout], index_buffer=indices)
                for program in self._programs
            ]
            for indices in self._indices
        ]
        self._vertices = context.texture((len(mesh.uv) + EXTRA, slots), 4, dtype="f4")
        self._vertices.filter = moderngl.NEAREST, moderngl.NEAREST
        self._facing = Facing(mesh)
        self._rest_lids = lids(mesh, mesh.rest[None])
        renderer = str(context.info["GL_RENDERER"])
        self._grades_px = GRADES_PX if any(name in renderer for name in SOFTWARE) else (0.0, 0.0)

    def draw(
        self, portraits: Portraits, paintings: Paintings, time_s: float, size: tuple[int, int]
    ) -> int:
        """Draw into the bound framebuffer of this size, in pixels; returns how many were drawn."""
        check("vertices", portraits.vertices, (None, len(self._mesh.uv), 3))
        drawn = self._choose(portraits, paintings, time_s, size)
        if not len(drawn.number):
            return 0
        rows = self._rows(portraits, drawn, paintings)
        self._vertices.write(rows, viewport=(0, 0, rows.shape[1], rows.shape[0]))
        self._prepare(len(drawn.number), size)
        for start, stop in _runs(drawn.kinds()):
            paintings.arrays[int(drawn.detail[start])].use(1)
            fading = int(drawn.progress[start] < 1)
            self._programs[fading]["first"] = start
            self._arrays[int(drawn.grade[start])][fading].render(instances=stop - start)
        self._context.enable_only(moderngl.NOTHING)
        return len(drawn.number)

    def release(self) -> None:
        """Give everything back."""
        give_back(
            *(array for arrays in self._arrays for array in arrays),
            *self._indices,
            self._corners,
            self._vertices,
            *self._programs,
        )

    def _choose(
        self, portraits: Portraits, paintings: Paintings, time_s: float, size: tuple[int, int]
    ) -> Drawn:
        """What is painted, not too faint, and on the screen."""
        number = np.flatnonzero(
            (portraits.opacity > FAINTEST)
            & paintings.painted()[portraits.slot]
            & _on_screen(portraits, size[0] / size[1])
        )[-self._slots :]
        square_px = portraits.height[number] * size[1]
        grade = np.searchsorted(-np.array(self._grades_px), -square_px)
        detail = np.searchsorted(-1.3 * np.array(SIDES[1:]), -square_px)
        return Drawn(number, grade, detail, paintings.progress(time_s)[portraits.slot[number]])

    def _prepare(self, count: int, size: tuple[int, int]) -> None:
        self._context.enable_only(moderngl.DEPTH_TEST | moderngl.BLEND)
        self._context.blend_func = moderngl.ONE, moderngl.ONE_MINUS_SRC_ALPHA
        self._vertices.use(0)
        for program in self._programs:
            program["vertices"], program["paintings"] = 0, 1
            program["portraits"], program["corners"] = count, len(self._mesh.uv)
            program["aspect"] = size[0] / size[1]

    def _rows(self, portraits: Portraits, drawn: Drawn, paintings: Paintings) -> Floats:
        """One row for each portrait drawn, as ``portrait.vert`` reads it.  (P, V + 3, 4)"""
        number, corners = drawn.number, len(self._mesh.uv)
        slot = portraits.slot[number]
        rows = np.empty((len(number), corners + EXTRA, 4), np.float32)
        live = portraits.vertices[number]
        for axis in range(3):  # all three at once take four times as long
            rows[:, :corners, axis] = live[:, :, axis]
        rows[:, :corners, 3] = self._facing.measure(rows[:, :corners])
        reach = paintings.reach(slot, drawn.progress)
        for grade in np.unique(drawn.grade):
            mine = np.flatnonzero(drawn.grade == grade)
            self.reach.cut(rows, mine, reach[mine], int(grade))
        before, newest = paintings.layers()
        rows[:, corners, :2] = portraits.centre[number]
        rows[:, corners, 2] = portraits.height[number]
        rows[:, corners + 1, 0] = portraits.opacity[number]
        rows[:, corners + 1, 1] = before[slot]
        rows[:, corners + 1, 2] = newest[slot]
        rows[:, corners + 2, 0] = drawn.progress
        apart = lids(self._mesh, rows[:, :corners]) / self._rest_lids
        rows[:, corners + 2, 1:3] = np.clip(apart * 1.25 - 0.1, 0, 1)
        return rows


def _on_screen(portraits: Portraits, aspect: float) -> npt.NDArray[np.bool_]:
    """(P,) bool: which squares reach into the picture; a turned head may leave its square a bit."""
    half = 0.6 * portraits.height
    x, y = portraits.centre[:, 0], portraits.centre[:, 1]
    return np.asarray((x > -half) & (x < aspect + half) & (y > -half) & (y < 1 + half))


def _runs(keys: npt.NDArray[np.intp]) -> list[tuple[int, int]]:
    """Start and stop of every run of equal keys: what can be drawn in one call, in its order."""
    cuts = np.flatnonzero(np.diff(keys)) + 1
    bounds = [0, *(int(cut) for cut in cuts), len(keys)]
    return list(zip(bounds[:-1], bounds[1:]))
