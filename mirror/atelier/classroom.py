"""What is learnt from: canonical portraits, their sketches, and sketches of people who never sat.

In: the unwarped portraits of each school and its linear model. Out: batches, by lot.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from mirror import SCHOOLS
from mirror.atelier.linear import LinearModel, learn_linear
from mirror.atelier.unwarp import Unwarped
from mirror.faces.model import draw_codes
from mirror.signals import Floats

#: How much of a portrait's sketch is its own sitter's: from, to; above 1 counts as 1.
OWN_SHARE = 0.6, 1.15
#: How far a portrait comes at once on its way to another, at most: what the show paints anew.
STRIDE = 1 / 16
#: The number of the prints, which come after the six schools: they teach drawing, and have no
#: model of their own.
PRINTS = len(SCHOOLS)


@dataclass(frozen=True)
class Lesson:
    """What one school gives to learn from. number: 0 to 5, prints are 6.

    textures: (2N, 256, 256, 4) uint8, straight alpha, with mirror images. model: its linear model.
    """

    number: int
    textures: np.ndarray
    model: LinearModel


def lesson(number: int, unwarped: list[Unwarped], model: LinearModel | None = None) -> Lesson:
    """A lesson of one school's portraits and their mirror images; without a model it makes one."""
    own = np.stack([each.texture for each in unwarped])
    both = np.concatenate([own, own[:, :, ::-1]])
    return Lesson(number, np.round(both * 255).astype(np.uint8), model or learn_linear(own))


class Classroom:
    """Batches: sketches with their schools and codes, and the real textures where there are."""

    def __init__(self, lessons: list[Lesson], device: torch.device) -> None:
        self.lessons, self.device = lessons, device
        self._mean, self._components = [], []
        for lesson in lessons:
            mean = torch.from_numpy(lesson.model.mean).movedim(-1, 0)
            parts = torch.from_numpy(lesson.model.components).movedim(-1, 1).flatten(1)
            self._mean.append(mean.to(device))
            self._components.append(parts.to(device))
        counts = np.array([len(lesson.textures) for lesson in lessons], np.float64)
        self._share = np.sqrt(counts) / np.sqrt(counts).sum()  # small schools are seen more often

    def sketch(self, school: int, codes: Floats) -> tuple[Tensor, Tensor, Tensor]:
        """Sketches (B, 4, 256, 256), codes (B, 48) and schools (B, 7) of one school."""
        a = torch.from_numpy(codes).to(self.device)
        side = self.lessons[school].model.components.shape[1]
        drawn = (a @ self._components[school]).view(len(a), 4, side, side)
        drawn = F.interpolate(drawn, size=256, mode="bilinear", align_corners=False)
        sketch = (self._mean[school] + drawn).clamp(0, 1)
        one_hot = torch.zeros(len(a), len(SCHOOLS) + 1, device=self.device)
        one_hot[:, self.lessons[school].number] = 1.0
        return sketch, a, one_hot

    def some_schools(self, lot: np.random.Generator, count: int) -> list[int]:
        """By lot; small ones are seen more often than they would be by their pictures alone."""
        return [int(n) for n in lot.choice(len(self.lessons), count, p=self._share)]

    def originals(self, lot: np.random.Generator, schools: list[int]) -> Tensor:
        """Training portraits by lot, one of each of these schools: (B, 4, 256, 256)."""
        chosen = [
            self.lessons[school].textures[lot.integers(len(self.lessons[school].textures))]
            for school in schools
        ]
        return torch.from_numpy(np.stack(chosen)).to(self.device).movedim(-1, 1).float() / 255

    def real(
        self, lot: np.random.Generator, schools: list[int]
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """A batch of training portraits with their sketches, into some of which somebody else has
        been mixed: what is asked for is the portrait alone, so ghosts are learnt to be dropped."""
        parts = []
        for school in schools:
            lesson = self.lessons[school]
            i = int(lot.integers(len(lesson.textures)))
            texture = torch.from_numpy(lesson.textures[i : i + 1]).movedim(-1, 1).float() / 255
            codes = lesson.model.codes
            other = codes[int(lot.integers(len(codes)))]
            share = min(1.0, lot.uniform(*OWN_SHARE))
            mixed = share * codes[i] + (1 - share) * other
            mixed *= np.linalg.norm(codes[i]) / max(float(np.linalg.norm(mixed)), 1e-6)
            parts.append(
                (texture.to(self.device), *self.sketch(school, mixed[None].astype(np.float32)))
            )
        return tuple(join(part) for part in zip(*parts))  # type: ignore[return-value]

    def nobodies(
        self, lot: np.random.Generator, schools: list[int]
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Sketches, codes and schools of people who never sat, two for each of the schools: the
        second is the first a moment later, on the way to somebody else."""
        parts = []
        for school in schools:
            here, there = self._nobody(lot, school), self._nobody(lot, school)
            later = here + STRIDE * lot.uniform(0.5, 1.0) * (there - here)
            parts.append(self.sketch(school, np.stack([here, later]).astype(np.float32)))
        return tuple(join(part) for part in zip(*parts))  # type: ignore[return-value]

    def _nobody(self, lot: np.random.Generator, school: int) -> Floats:
        """A code of a school. (48,)"""
        codes = self.lessons[school].model.codes
        norm = float(np.median(np.linalg.norm(codes, axis=1)))
        if lot.random() < 0.5:
            return draw_codes(codes, norm, 1, lot)[0]
        # The river's source walks through a Gaussian.
        drawn = lot.standard_normal(codes.shape[1]).astype(np.float32)
        drawn *= (np.abs(codes).max(axis=0) > 0) * norm / np.linalg.norm(drawn)
        return drawn


def join(parts: tuple[Tensor, ...]) -> Tensor:
    """Batches one after another, pictures with their channels last."""
    joined = torch.cat(parts)
    return joined.to(memory_format=torch.channels_last) if joined.ndim == 4 else joined
