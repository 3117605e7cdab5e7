"""A school's model as it paints, and beside it the same model without its finisher.

In: latents or codes. Out: textures, and portraits drawn as on the screen. The atelier's thread.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch

from mirror.canonical import live_vertices
from mirror.faces import FaceModel
from mirror.faces.wardrobe import Dress
from mirror.latents.latents import CODE, POSE, split
from mirror.painting.loading import density
from mirror.screen import portray
from mirror.signals import Bytes, Floats

#: Textures painted at once.
BATCH = 8


@dataclass(frozen=True)
class Variant:
    """finished: as the model paints; not finished: its linear sketch."""

    model: FaceModel
    finished: bool = True

    def paint(self, codes: Floats, worn: Dress | None = None) -> Bytes:
        """Codes (B, 48) -> textures (B, 256, 256, 4), straight alpha. worn: by all of them."""
        rounds = [codes[i : i + BATCH] for i in range(0, len(codes), BATCH)]
        return np.concatenate([
            self.model.paint(part, self.finished, worn=[worn] * len(part) if worn else None)
            for part in rounds
        ])  # fmt: skip

    def dress(self, code: Floats) -> Dress | None:
        """What somebody (48,) wears for as long as they are looked at; None: nothing."""
        return self.model.dress(code[None])[0]

    def portray(self, latent: Floats, size: int = 256, worn: Dress | None = None) -> Bytes:
        """A latent (D,) as on the screen: (size, size, 3)."""
        pose, shape, code = split(latent[None])
        vertices = live_vertices(self.model.mesh, pose, shape)[0]
        return portray(self.model.mesh, self.paint(code, worn)[0], vertices, size)


@contextmanager
def on_one_core() -> Iterator[None]:
    """For the time of a with block, torch works on one core.

    Its threads wait for one another by spinning: beside anything else that runs, two of them took
    four times as long as one.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def linear_only(model: FaceModel) -> bool:
    """Whether a model has no finisher: then both variants paint the same."""
    code = model.random_codes(1, 0)
    return bool(np.array_equal(model.paint(code), model.paint(code, finished=False)))


def random_latents(model: FaceModel, count: int, seed: int, most_yaw: float) -> Floats:
    """Latents as the river's source may be, heads turned by at most so much.

    most_yaw: radians. Returns (count, D) float32.
    """
    of, lot = density(model), np.random.default_rng(seed)
    found: list[Floats] = []
    while len(found) < count:
        latent = of.latent(lot.standard_normal(of.coordinates), 1.0)
        if abs(latent[POSE][0]) <= most_yaw:
            found.append(latent)
    return np.stack(found)


def random_codes(model: FaceModel, count: int, seed: int) -> Floats:
    """The appearances of such latents.  (count, 48) float32"""
    return np.ascontiguousarray(random_latents(model, count, seed, np.pi)[:, CODE])
