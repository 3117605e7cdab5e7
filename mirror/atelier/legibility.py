"""Whose hair leaves a turned head legible, and whose hides which way it looks.

In: a school's model, with all that may be worn. Out: which of its portraits' hair is worn. Each is
put on the school's mean face, which turns, nods and speaks; the judge says how far it turned. A
visitor's portrait follows them in one head of hair, and if that is misread so are they.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

import numpy as np

from mirror import MARKERS
from mirror.atelier.measures.judge import distance, expression, look
from mirror.atelier.proportions import changes
from mirror.canonical import live_vertices
from mirror.errors import ScreenError
from mirror.faces import FaceModel
from mirror.faces.wardrobe import Dress
from mirror.latents.latents import APPEARANCE
from mirror.progress import Bar
from mirror.screen import portray
from mirror.session.puppet import Pose
from mirror.signals import Bools, Floats

log = logging.getLogger(__name__)

#: Yaw and pitch in radians, and how far the jaw is open.
POSES = (
    *((-0.5, 0.0, 0.0), (-0.25, 0.0, 0.0), (0.0, 0.0, 0.0), (0.25, 0.0, 0.0), (0.5, 0.0, 0.0)),
    *((0.3, 0.2, 0.0), (-0.3, -0.2, 0.0), (0.0, 0.0, 0.25), (0.3, 0.0, 0.25)),
)
#: Of all hair this share is worn, the most legible.
WORN = 2 / 3
#: How far astray a head is in which nobody is found.
LOST = 0.25


def legible(model: FaceModel) -> Bools:
    """Whose hair may be worn: (N,) bool, of N training portraits. All, where nothing can be drawn:
    it needs OpenGL. Shows a bar: a third of a second for each."""
    sitters = len(model.training_codes) // 2
    performed, astray = performance(model), np.zeros(sitters)
    try:
        with Bar(f"{model.school}: hair", sitters) as tick:
            for number in range(sitters):
                astray[number] = misread(model, Dress(number, number), performed)
                tick()
    except ScreenError as error:
        log.warning("%s: whose hair is legible was not asked: %s", model.school, error)
        return np.ones(sitters, bool)
    worn = np.zeros(sitters, bool)
    worn[np.argsort(astray, kind="stable")[: max(1, round(WORN * sitters))]] = True
    return worn


def misread(model: FaceModel, dress: Dress, performed: Sequence[Floats]) -> float:
    """How far astray the judge is led, the mean over poses: the yaw in radians, and the markers in
    distances between the eyes, added up."""
    frame = model.mesh.frame
    mean_face = np.zeros((1, APPEARANCE), np.float32)
    texture = model.paint(mean_face, worn=[dress])[0]
    astray = []
    for vertices in performed:
        wanted, points = vertices[:MARKERS], look(portray(model.mesh, texture, vertices))
        if points is None:
            astray.append(LOST)
            continue
        turned = abs(float(expression(points, frame)[1] - expression(wanted, frame)[1]))
        astray.append(min(LOST, turned + distance(points, wanted, frame)))
    return float(np.mean(astray))


def performance(model: FaceModel) -> list[Floats]:
    """The school's mean face in every pose: (V, 3) each, portrait units."""
    spoken = changes(model.mesh.frame, [Pose(jaw=jaw) for _, _, jaw in POSES])
    poses = np.array([(yaw, pitch, 0.0) for yaw, pitch, _ in POSES], np.float32)
    return list(live_vertices(model.mesh, poses, model.geometry.mean + spoken))
