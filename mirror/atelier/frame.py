"""The canonical frame, learnt from the markers of all portraits together.

Generalised Procrustes analysis (Gower 1975): align all faces to their mean, average, repeat. The
mean is made symmetric, which also says what "looking straight ahead" is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from safetensors.numpy import save
from scipy.optimize import linear_sum_assignment

from mirror import canonical
from mirror.cards import write_weights
from mirror.errors import PortraitsError
from mirror.latents.latents import angles, fit_pose, steadiness
from mirror.markers import markers
from mirror.signals import Floats

#: The face mesh's height in portrait units; the texture square is 2 high.
FACE_HEIGHT = 0.92
#: Where the middle of the face mesh lies below the middle of the square.
FACE_DROP = 0.10
#: Faces turned further than this do not shape the mean, radians.
FRONTAL = 0.35


def learn_frame(faces: Sequence[Floats]) -> canonical.Frame:
    """The frame of many faces.

    faces: each (478, 3) float32, isotropic (x, y, z in one unit), any scale and place.
    """
    loops = markers.contours()
    stack = np.stack(faces).astype(np.float64)
    mean = _scaled(_centred(stack).mean(axis=0))
    partner = _partners(mean)
    mean = _symmetric(mean, partner)
    for _ in range(5):
        mean = _scaled(_symmetric(_mean_of_frontal(stack, mean, partner, loops), partner))
    frame = _frame(_placed(mean), partner, loops)
    return replace(frame, people=_people(stack, frame))


def _frame(
    mean: np.ndarray, partner: canonical.Ints, loops: dict[str, list[int]]
) -> canonical.Frame:
    """A frame that knows nothing of people yet."""
    lips = np.array(loops["inner_lips"], np.int32)
    corner = int(np.argmin(mean[lips, 0]))
    return canonical.Frame(
        mean=mean.astype(np.float32),
        partner=partner,
        surface=np.asarray(markers.surface_triangles(), np.int32),
        oval=np.array(loops["oval"], np.int32),
        right_eye=np.array(loops["right_eye"], np.int32),
        left_eye=np.array(loops["left_eye"], np.int32),
        inner_lips=np.roll(lips, -corner),
        people=np.zeros((canonical.PEOPLE, *mean.shape), np.float32),
    )


def _mean_of_frontal(
    stack: np.ndarray, mean: np.ndarray, partner: canonical.Ints, loops: dict[str, list[int]]
) -> np.ndarray:
    """The average of all faces that look nearly straight ahead, each aligned to the mean."""
    aligned = _frontal(stack, _frame(mean, partner, loops))
    if len(aligned) < 3:
        raise PortraitsError(
            "the canonical frame", f"{len(aligned)} faces look straight ahead", "three or more",
            "more portraits seen from the front",
        )  # fmt: skip
    return np.asarray(np.mean(aligned, axis=0))


def _people(stack: np.ndarray, frame: canonical.Frame) -> Floats:
    """What faces that look nearly straight ahead differ in: see ``canonical.Frame``.  (8, 478, 3)

    Principal components of what left and right have in common, for the rest is how a head is
    turned. Markers count by how still they hold, so that they are people and not what people do;
    lips and lids come along as far as they follow. None beyond what so few faces can say.
    """
    aligned = [_symmetric(face, frame.partner) for face in _frontal(stack, frame)]
    off = np.reshape(aligned, (len(aligned), -1))
    off -= off.mean(axis=0)
    still = np.repeat(np.sqrt(steadiness(frame)), 3)
    u, _, _ = np.linalg.svd(off * still, full_matrices=False)
    found = min(canonical.PEOPLE, len(off) - 1)
    people = np.zeros((canonical.PEOPLE, off.shape[1]))
    people[:found] = u[:, :found].T @ off / np.sqrt(len(off) - 1)  # one standard deviation
    people *= np.sign(people.sum(axis=1) + 1e-12)[:, None]  # components have no sign of their own
    return people.reshape(-1, *frame.mean.shape).astype(np.float32)


def _frontal(stack: np.ndarray, frame: canonical.Frame) -> list[np.ndarray]:
    """The faces that look nearly straight ahead, each laid upon the mean: (478, 3)"""
    weight, found = steadiness(frame), []
    for face in stack:
        rotation, scale, shift, _ = fit_pose(face, frame.mean, weight)
        if np.abs(angles(rotation)[:2]).max() < FRONTAL:
            found.append((face - shift) @ rotation / scale)
    return found


def _centred(faces: np.ndarray) -> np.ndarray:
    centred = faces - faces.mean(axis=1, keepdims=True)
    return centred / np.ptp(centred[:, :, 1], axis=1)[:, None, None]


def _scaled(mean: np.ndarray) -> np.ndarray:
    mean = mean - mean[:468].mean(axis=0)
    return mean * (FACE_HEIGHT / np.ptp(mean[:468, 1]))


def _placed(mean: np.ndarray) -> np.ndarray:
    """Put the middle of the face at its place in the square, the nose tip towards the viewer."""
    middle = (mean[:468].min(axis=0) + mean[:468].max(axis=0)) / 2
    return mean - middle + np.array([0.0, FACE_DROP, 0.0])


def _partners(mean: np.ndarray) -> canonical.Ints:
    """Which marker each becomes in the mirror: the best one-to-one match of the mirrored mean."""
    mirrored = mean * np.array([-1.0, 1.0, 1.0])
    partner = np.arange(len(mean), dtype=np.int32)
    for low, high in ((0, 468), (468, 478)):
        a, b = mirrored[low:high], mean[low:high]
        distance = np.linalg.norm(a[:, None] - b[None], axis=2)
        rows, columns = linear_sum_assignment(distance)
        partner[low + rows] = low + columns
    return partner


def _symmetric(mean: np.ndarray, partner: canonical.Ints) -> np.ndarray:
    mirrored = np.empty_like(mean)
    mirrored[partner] = mean * np.array([-1.0, 1.0, 1.0])
    return (mean + mirrored) / 2


def save_frame(frame: canonical.Frame, folder: Path, portraits: int) -> None:
    """Write the frame and its card. portraits: how many it was learnt from."""
    stored = save({name: getattr(frame, name) for name in frame.__dataclass_fields__})
    write_weights(folder, "frame", stored, {"portraits": portraits})
