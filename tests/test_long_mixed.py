"""A river that visitors have mixed for long still gives faces, as varied as at the start: judged by
the pictures, with the models of the program."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from mirror.atelier.measures.judge import look
from mirror.atelier.measures.likeness import small
from mirror.faces import FaceModel
from mirror.latents.latents import CODE
from mirror.latents.visitors import Visitors
from mirror.painting.loading import load
from mirror.places import weights_folder
from mirror.river.river import RiverState, start, step
from mirror.session.synthetic import synthesise
from mirror.settings import FaceSettings, RiverSettings
from mirror.signals import Sitters

ASPECT = 16 / 9
SETTINGS = replace(RiverSettings(), source_refresh_s=60.0)
#: Every so many parcels one is painted.
EVERY = 4


def painted(river: RiverState, faces: Sequence[FaceModel]) -> list[np.ndarray]:
    """Some parcels' portraits as they are painted, (256, 256, 4), and as they are seen."""
    return [
        faces[river.stream[n]].paint(river.latent[n : n + 1, CODE])[0]
        for n in range(0, len(river.stream), EVERY)
    ]


def found(river: RiverState, faces: Sequence[FaceModel]) -> float:
    """The share of them in which FaceMesh finds a face, warped as on the screen."""
    seen = [
        look(faces[river.stream[n]].portray(river.latent[n])) is not None
        for n in range(0, len(river.stream), EVERY)
    ]
    return float(np.mean(seen))


def variety(river: RiverState, faces: Sequence[FaceModel]) -> float:
    """How far two portraits of a school are from each other, the mean of all, in colours."""
    textures = small(np.stack(painted(river, faces)), 32)
    stream = river.stream[::EVERY]
    apart = [
        float(np.sqrt(np.square(textures[a] - textures[b]).mean()))
        for a in range(len(stream))
        for b in range(a)
        if stream[a] == stream[b]
    ]
    return float(np.mean(apart))


@pytest.mark.timeout(300)
def test_a_long_mixed_river_gives_faces_as_varied_as_at_the_start() -> None:
    """Forty minutes with visitors nearly all of the time, then ten without."""
    models = load(weights_folder(), FaceSettings())
    faces = list(models.faces.values())
    river = start(SETTINGS, models.densities, 1, ASPECT)
    visitors = Visitors(models.geometries, faces[0].mesh.frame, FaceSettings().accent)
    before = variety(river, faces)
    glances = [each for each in synthesise(240.0, 5, rate_hz=1.0) for _ in range(10)]
    for glance in glances:
        visits = visitors.visits(Sitters(river.time_s, glance.sitters), ASPECT)
        river = step(river, SETTINGS, visits, 1.0)
    assert river.dye[:, 0].mean() < 0.7  # the visitors are in it
    assert found(river, faces) >= 0.95
    assert variety(river, faces) > 0.8 * before
    for _ in range(600):
        river = step(river, SETTINGS, (), 1.0)
    assert found(river, faces) >= 0.95
    assert variety(river, faces) > 0.9 * before
