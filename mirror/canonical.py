"""The canonical frame: one mean face and one mesh, shared by all six schools.

Every training portrait is unwarped through this mesh into the frame, and every painted texture is
warped out of it again by the same mesh, so that what went in at one place comes out there too
(the shape-free texture of Active Appearance Models: Cootes, Edwards, Taylor 2001).

Portrait units: the texture square spans x and y in [-1, 1], origin in its middle, y down; z in
the same unit, negative towards the viewer.

The mesh is the whole FaceMesh surface with its depth, so that a nose covers the far cheek, and
around it rings from the oval of the face to the border of the square. The rings near the head
turn with it, those near the border rest: a smooth warp for hair, shoulders and ground.

In: pose and shape. Out: vertices. Pure numpy; any thread.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError
from safetensors.numpy import load

from mirror import MARKERS
from mirror.cards import RESTORE, read_weights
from mirror.errors import ShapeError, WeightsError
from mirror.places import weights_folder
from mirror.signals import Floats, check

Ints = npt.NDArray[np.int32]

#: How far along the ray from the oval (0) to the border (1) each ring lies.
RINGS = (0.07, 0.16, 0.28, 0.42, 0.58, 0.78, 1.0)

#: How far behind the rim of the face the outer rings lie, portrait units.
RING_DEPTH = 0.25

#: The point that a head turns about, in portrait units: between the ears, behind the face.
PIVOT = np.array([0.0, 0.02, 0.42], np.float32)

#: Kinds of triangles.
GROUND, FACE, MOUTH, EYE = 0, 1, 2, 3

FRAME_FILE = "frame.safetensors"
#: How many ways there are, at most, in which a frame says that faces differ.
PEOPLE = 8

#: How many markers each of the frame's loops has.
LOOPS = {"oval": 36, "right_eye": 16, "left_eye": 16, "inner_lips": 20}


@dataclass(frozen=True, eq=False)
class Frame:
    """The canonical frame as it is stored in ``weights/frame.safetensors``.

    mean: (478, 3) float32, portrait units, symmetric about x = 0.
    partner: (478,) int32, the marker that each becomes when the face is mirrored.
    surface: (T, 3) int32, triangles of the face with holes for the eyes and the mouth.
    oval, right_eye, left_eye, inner_lips: ordered loops of marker numbers.
    people: (8, 478, 3) float32, what the faces of people differ in most: how each marker lies off
    the mean in a face that is one standard deviation away from it. Symmetric.
    """

    mean: Floats
    partner: Ints
    surface: Ints
    oval: Ints
    right_eye: Ints
    left_eye: Ints
    inner_lips: Ints
    people: Floats


@dataclass(frozen=True)
class Mesh:
    """What is drawn: V vertices, the first 478 of them the markers, then the rings.

    rest: (V, 3) float32, portrait units. uv: (V, 2) float32 in [0, 1], origin top left.
    triangles: (T, 3) int32, rings first, then face, eyes, mouth; wound alike.
    kind: (T,) uint8, GROUND, FACE, MOUTH or EYE.
    coarse: (S, 3) int32, fewer triangles for small portraits; coarse_kind: (S,) uint8.
    follow: (R,) float32, how far each ring vertex turns with the head. shaped: (R, 36) float32,
    how far it follows the oval's change of shape.
    """

    frame: Frame
    rest: Floats
    uv: Floats
    triangles: Ints
    kind: npt.NDArray[np.uint8]
    coarse: Ints
    coarse_kind: npt.NDArray[np.uint8]
    follow: Floats
    shaped: Floats


def rotations(pose: Floats) -> Floats:
    """Rotation matrices of poses.

    pose: (P, 3) float32: yaw, pitch, roll in radians. Yaw turns about y, pitch about x, roll
    about z, applied in the order yaw, pitch, roll. Returns (P, 3, 3) float32.
    """
    yaw, pitch, roll = pose[:, 0], pose[:, 1], pose[:, 2]
    cy, sy, cp, sp = np.cos(yaw), np.sin(yaw), np.cos(pitch), np.sin(pitch)
    cr, sr = np.cos(roll), np.sin(roll)
    rows = [
        [cr * cy + sr * sp * -sy, -sr * cp, cr * sy + sr * sp * cy],
        [sr * cy + cr * sp * sy, cr * cp, sr * sy - cr * sp * cy],
        [-cp * sy, sp, cp * cy],
    ]
    return np.stack([np.stack(row, axis=-1) for row in rows], axis=-2).astype(np.float32)


def live_vertices(mesh: Mesh, pose: Floats, shape: Floats) -> Floats:
    """The mesh in movement.

    pose: (P, 3) float32, yaw, pitch, roll in radians. shape: (P, 478, 3) float32, deviation from
    the canonical mean in portrait units. Returns (P, V, 3) float32, portrait units.
    """
    check("pose", pose, (None, 3))
    check("shape", shape, (len(pose), MARKERS, 3))
    turn = np.ascontiguousarray(rotations(pose).transpose(0, 2, 1))  # (P, 3, 3)
    vertices = np.empty((len(pose), len(mesh.rest), 3), np.float32)
    face, rings = vertices[:, :MARKERS], vertices[:, MARKERS:]
    np.matmul(shape + (mesh.rest[:MARKERS] - PIVOT), turn, out=face)
    face += np.tile(PIVOT, (MARKERS, 1))  # three by three it takes thirty times as long
    _keep_irises_inside(mesh.frame, face)
    # Where they would be if they turned, and where they rest, mixed: what is the same for all once.
    follow, rest = mesh.follow[:, None], mesh.rest[MARKERS:]
    np.matmul(mesh.shaped, shape[:, mesh.frame.oval] @ turn, out=rings)
    rings += (follow * (rest - PIVOT)) @ turn
    rings += rest - follow * (rest - PIVOT)
    return vertices


def _keep_irises_inside(frame: Frame, face: Floats) -> None:
    """Hold the iris centres between the lids, which a blink closes over them: in place.

    face: (P, 478, 3).
    """
    for loop, centre in ((frame.right_eye, 468), (frame.left_eye, 473)):
        lids = face[:, loop]  # (P, 16, 3)
        low, high = lids.min(axis=1), lids.max(axis=1)
        middle, half = (low + high) / 2, (high - low) / 2
        offset = np.clip(face[:, centre] - middle, -0.7 * half, 0.7 * half)
        face[:, centre] = middle + offset
        face[:, centre, 2] = lids[:, :, 2].mean(axis=1)


def load_frame(folder: Path | None = None) -> Frame:
    """Read the canonical frame, held to its card's checksum; raises WeightsError when it is
    missing, damaged or of another shape."""
    folder = folder or weights_folder()
    _, data = read_weights(folder, "frame")
    try:
        stored = load(data)
        if "people" not in stored and folder != weights_folder():
            stored["people"] = load_frame().people  # a frame of one's own, learnt without
        frame = Frame(**{name: stored[name] for name in Frame.__dataclass_fields__})
        _hold_to_shape(frame)
    except (KeyError, ValueError, SafetensorError, ShapeError) as error:
        raise WeightsError(
            str(folder / FRAME_FILE), f"no canonical frame ({error})",
            "the file that comes with the program", RESTORE,
        ) from error  # fmt: skip
    return frame


def _hold_to_shape(frame: Frame) -> None:
    """Raises ShapeError or ValueError for a frame that no mesh can be built from."""
    check("mean", frame.mean, (MARKERS, 3))
    check("people", frame.people, (PEOPLE, MARKERS, 3))
    check("partner", frame.partner, (MARKERS,), np.int32)
    check("surface", frame.surface, (None, 3), np.int32)
    for name, length in LOOPS.items():
        check(name, getattr(frame, name), (length,), np.int32)
    for name in ("partner", "surface", *LOOPS):
        numbers = getattr(frame, name)
        if numbers.min() < 0 or numbers.max() >= MARKERS:
            raise ValueError(f"{name} names markers beyond the {MARKERS} of a face")
    for name in ("mean", "people"):
        if not np.isfinite(getattr(frame, name)).all():
            raise ValueError(f"{name} holds numbers that are not finite")


@lru_cache(maxsize=2)
def load_mesh(folder: Path | None = None) -> Mesh:
    """The mesh of the canonical frame that lies in a weights folder."""
    return build_mesh(load_frame(folder))


def build_mesh(frame: Frame) -> Mesh:
    """Rings around the face, lids closed over irises, lips over the mouth."""
    rest, follow, shaped = _rings(frame)
    vertices = np.concatenate([frame.mean, rest])
    parts = [
        (_ring_triangles(frame.oval), GROUND),
        (frame.surface, FACE),
        (_fan(frame.right_eye, 468), EYE),
        (_fan(frame.left_eye, 473), EYE),
        (_strip(frame.inner_lips), MOUTH),
    ]
    coarse = [(_every_second_ring(frame.oval), GROUND), *_coarse_face(frame)]
    triangles, kind = _assemble(parts, vertices)
    fewer, fewer_kind = _assemble(coarse, vertices)
    uv = (vertices[:, :2] + 1) / 2
    return Mesh(
        frame,
        vertices,
        np.ascontiguousarray(uv),
        triangles,
        kind,
        fewer,
        fewer_kind,
        follow,
        shaped,
    )


def _assemble(
    parts: list[tuple[Ints, int]], vertices: Floats
) -> tuple[Ints, npt.NDArray[np.uint8]]:
    """Join parts, all wound the same way in the canonical frame."""
    triangles = np.concatenate([part for part, _ in parts])
    kind = np.concatenate([np.full(len(part), kind, np.uint8) for part, kind in parts])
    a, b, c = (vertices[triangles[:, i], :2] for i in range(3))
    ab, ac = b - a, c - a
    wrong = ab[:, 0] * ac[:, 1] - ab[:, 1] * ac[:, 0] < 0
    triangles = triangles.copy()
    triangles[wrong] = triangles[wrong][:, [0, 2, 1]]
    return triangles.astype(np.int32), kind


def _rings(frame: Frame) -> tuple[Floats, Floats, Floats]:
    """Ring vertices (R, 3), how far they turn with the head (R,), and with its shape (R, 36)."""
    oval = frame.mean[frame.oval]  # (36, 3)
    centre = oval[:, :2].mean(axis=0)
    border = _border(oval[:, :2], centre)
    below = np.clip((oval[:, 1] - centre[1]) / np.abs(oval[:, 1] - centre[1]).max(), 0, 1)
    steps = np.arange(len(oval))
    apart = np.abs(steps[:, None] - steps[None])
    apart = np.minimum(apart, len(oval) - apart)  # (36, 36)
    rest, follow, shaped = [], [], []
    for t in RINGS:
        ring = oval.copy()
        ring[:, :2] += t * (border - oval[:, :2])
        ring[:, 2] += RING_DEPTH * min(1.0, t / 0.42)
        rest.append(ring)
        fall = np.clip(1 - t / (0.95 - 0.5 * below), 0, 1)
        follow.append(fall * fall * (3 - 2 * fall))
        spread = np.exp(-0.5 * (apart / (0.5 + 5.0 * t)) ** 2)
        spread /= spread.sum(axis=1, keepdims=True)
        shaped.append(spread * (1 - t) ** 2.5)
    return (
        np.concatenate(rest).astype(np.float32),
        np.concatenate(follow).astype(np.float32),
        np.concatenate(shaped).astype(np.float32),
    )


def _border(oval: Floats, centre: Floats) -> Floats:
    """Where rays from the centre through the oval leave the square; four go to its corners."""
    rays = oval - centre
    reach = np.where(rays > 0, 1 - centre, -1 - centre) / np.where(rays == 0, 1e-6, rays)
    border = centre + rays * reach.min(axis=1, keepdims=True)
    angle = np.arctan2(rays[:, 1], rays[:, 0])
    for corner in np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]], np.float32):
        towards = np.arctan2(*(corner - centre)[::-1])
        nearest = np.argmin(np.abs(np.angle(np.exp(1j * (angle - towards)))))
        border[nearest] = corner
    return border


def _ring_triangles(oval: Ints, rings: tuple[int, ...] = tuple(range(len(RINGS)))) -> Ints:
    """Quads between one ring and the next, cut in two; outermost first."""
    loops = [np.asarray(oval)] + [MARKERS + 36 * ring + np.arange(36) for ring in rings]
    found = []
    for inner, outer in reversed(list(zip(loops[:-1], loops[1:]))):
        a, b, c, d = inner, np.roll(inner, -1), np.roll(outer, -1), outer
        found += [np.stack([a, b, c], axis=1), np.stack([a, c, d], axis=1)]
    return np.concatenate(found).astype(np.int32)


def _every_second_ring(oval: Ints) -> Ints:
    return _ring_triangles(oval, (1, 3, 5, 6))


def _fan(loop: Ints, centre: int) -> Ints:
    """Triangles from every side of a loop to a point inside it."""
    return np.stack(
        [loop, np.roll(loop, -1), np.full(len(loop), centre)], axis=1
    ).astype(np.int32)  # fmt: skip


def _strip(loop: Ints) -> Ints:
    """Triangles that close a loop of lips, upper lip to lower lip.

    loop: ordered round; its first vertex and the one half way round are the corners.
    """
    half = len(loop) // 2
    upper, lower = loop[: half + 1], np.concatenate([loop[:1], loop[half:][::-1]])
    found = []
    for i in range(half):
        found += [(upper[i], upper[i + 1], lower[i + 1]), (upper[i], lower[i + 1], lower[i])]
    return np.array([t for t in found if len(set(t)) == 3], np.int32)


def _coarse_face(frame: Frame) -> list[tuple[Ints, int]]:
    """A lighter face: edges of the surface collapsed wherever neither end is on a contour."""
    keep = {int(i) for loop in (frame.oval, frame.inner_lips) for i in loop}
    keep |= {int(i) for loop in (frame.right_eye, frame.left_eye) for i in loop}
    surface = _collapse(frame.surface, keep, frame.mean)
    return [
        (surface, FACE),
        (_fan(frame.right_eye, 468), EYE),
        (_fan(frame.left_eye, 473), EYE),
        (_strip(frame.inner_lips), MOUTH),
    ]


def _collapse(triangles: Ints, keep: set[int], mean: Floats) -> Ints:
    """Greedily merge each inner vertex into its nearest neighbour, one in every neighbourhood."""
    faces = {tuple(int(v) for v in t) for t in triangles}
    for _ in range(3):
        ring: dict[int, set[int]] = {}
        for face in faces:
            for v in face:
                ring.setdefault(v, set()).update(face)
        merged: set[int] = set()
        for v in sorted(ring):
            around = ring[v] - {v}
            if v in keep or merged & around or v in merged:
                continue
            target = _safe_target(v, around, faces, mean)
            if target is not None:
                faces = _merge(faces, v, target)
                merged |= around | {v}
    return np.array(sorted(faces), np.int32)


def _merge(faces: set[tuple[int, ...]], v: int, target: int) -> set[tuple[int, ...]]:
    mine = {face for face in faces if v in face}  # all others stay as they are
    moved = {tuple(target if i == v else i for i in face) for face in mine}
    return (faces - mine) | {face for face in moved if len(set(face)) == 3}


def _safe_target(v: int, around: set[int], faces: set[tuple[int, ...]], mean: Floats) -> int | None:
    """The nearest neighbour that v can be merged into without turning a triangle over."""
    mine = [face for face in faces if v in face]
    for target in sorted(around, key=lambda i: float(np.sum((mean[i] - mean[v]) ** 2))):
        after = [tuple(target if i == v else i for i in face) for face in mine]
        kept = [(b, a) for b, a in zip(mine, after) if len(set(a)) == 3]
        if all(_area(b, mean) * _area(a, mean) > 0 for b, a in kept):
            return target
    return None


def _area(face: tuple[int, ...], mean: Floats) -> float:
    a, b, c = (mean[i, :2] for i in face)
    return float((b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]))
