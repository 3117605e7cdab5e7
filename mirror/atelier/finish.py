"""The second rung: training the network that finishes linear sketches.

Reconstruction on the training portraits, and an adversary on these and on mixtures of two or
three sitters of one school, which is what the river is made of. A running average of the weights
is what is kept (Karras et al. 2019). Runs on a CPU or a GPU from the same command, stops at its
time, and goes on from the weights and the critic in the weights folder with ``resume``.
"""

from __future__ import annotations

import logging
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from safetensors.torch import load, save
from torch import Tensor
from torch.nn import functional as F

from mirror import SCHOOLS, __version__
from mirror.atelier.critic import Critic, augment
from mirror.atelier.linear import LinearModel
from mirror.atelier.unwarp import Unwarped
from mirror.cards import FINISH, read_weights, write_weights
from mirror.clock import Clock, MonotonicClock, utc_now
from mirror.faces.finisher import Finisher, whereabouts
from mirror.faces.model import draw_codes
from mirror.places import home
from mirror.progress import Bar
from mirror.signals import Floats

log = logging.getLogger(__name__)

#: Ends the name of a critic's file: only training needs it.
CRITIC = "-critic"
BATCH = 6
#: Side of the squares that are cut out of textures to learn from, pixels: a quarter of the cost.
CUT_PX = 128
RATE = 3e-4
#: Reconstruction against adversary; gradients count as much as values.
RECONSTRUCTION, ADVERSARY = 12.0, 1.0
#: The critic's gradient on real pictures is held small (Mescheder et al. 2018), every few steps.
R1, R1_EVERY = 0.2, 16
#: The running average of the weights, as a half-life in steps.
AVERAGE_HALF_LIFE = 200
SHEET_EVERY_S = 240.0


@dataclass(frozen=True)
class Lesson:
    """What one school gives to learn from. number: 0 to 5, prints are 6.

    textures: (2N, 256, 256, 4) uint8, straight alpha, with mirror images. model: its linear model.
    """

    number: int
    textures: np.ndarray
    model: LinearModel


def lesson(school: str, unwarped: list[Unwarped], model: LinearModel) -> Lesson:
    """A lesson of one school's portraits and their mirror images."""
    own = np.stack([each.texture for each in unwarped])
    both = np.concatenate([own, own[:, :, ::-1]])
    return Lesson(SCHOOLS.index(school), np.round(both * 255).astype(np.uint8), model)


class Pupil:
    """Finisher, critic, their optimisers, and the running average of the finisher."""

    def __init__(self, device: str, seed: int) -> None:
        torch.manual_seed(seed)
        self.device = torch.device(device)
        layout = torch.channels_last
        self.finisher = Finisher().to(self.device, memory_format=layout)  # type: ignore[call-overload]
        self.critic = Critic().to(self.device, memory_format=layout)  # type: ignore[call-overload]
        self.average = {k: v.detach().clone() for k, v in self.finisher.state_dict().items()}
        self.paint_with = torch.optim.Adam(self.finisher.parameters(), RATE, betas=(0.0, 0.99))
        self.judge_with = torch.optim.Adam(self.critic.parameters(), RATE, betas=(0.0, 0.99))
        self.rng = torch.Generator().manual_seed(seed)
        self.lot = np.random.default_rng(seed)
        self.steps = 0

    def averaged(self) -> Finisher:
        """The finisher that is kept."""
        kept = Finisher().to(self.device)
        kept.load_state_dict(self.average, strict=False)
        return kept.eval()

    def remember(self) -> None:
        """Move the running average a step towards the weights."""
        share = 1 - 2 ** (-1 / min(AVERAGE_HALF_LIFE, 1 + self.steps / 4))
        for name, value in self.finisher.state_dict().items():
            self.average[name].lerp_(value, share)


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

    def real(self, lot: np.random.Generator) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """A batch of training portraits with their own sketches."""
        parts = []
        for school in lot.choice(len(self.lessons), BATCH, p=self._share):
            lesson = self.lessons[school]
            i = int(lot.integers(len(lesson.textures)))
            texture = torch.from_numpy(lesson.textures[i : i + 1]).movedim(-1, 1).float() / 255
            parts.append(
                (texture.to(self.device), *self.sketch(school, lesson.model.codes[i : i + 1]))
            )
        return tuple(_join(part) for part in zip(*parts))  # type: ignore[return-value]

    def mixed(self, lot: np.random.Generator) -> tuple[Tensor, Tensor, Tensor]:
        """A batch of sketches of people who never sat."""
        parts = []
        for school in lot.choice(len(self.lessons), BATCH, p=self._share):
            codes = self.lessons[school].model.codes
            norm = float(np.median(np.linalg.norm(codes, axis=1)))
            if lot.random() < 0.5:
                drawn = draw_codes(codes, norm, 1, lot)
            else:  # the river's source walks through a Gaussian
                drawn = lot.standard_normal((1, codes.shape[1])).astype(np.float32)
                drawn *= (np.abs(codes).max(axis=0) > 0) * norm / np.linalg.norm(drawn)
            parts.append(self.sketch(school, drawn.astype(np.float32)))
        return tuple(_join(part) for part in zip(*parts))  # type: ignore[return-value]


def _join(parts: tuple[Tensor, ...]) -> Tensor:
    joined = torch.cat(parts)
    return joined.to(memory_format=torch.channels_last) if joined.ndim == 4 else joined


def premultiplied(texture: Tensor) -> Tensor:
    """Colour counts where it is opaque."""
    return torch.cat([texture[:, :3] * texture[:, 3:], texture[:, 3:]], dim=1)


def misfit(painted: Tensor, real: Tensor) -> Tensor:
    """How far a painted texture is from the real one, in values and in gradients."""
    difference = painted - real
    down = (difference[:, :, 1:] - difference[:, :, :-1]).abs().mean()
    across = (difference[:, :, :, 1:] - difference[:, :, :, :-1]).abs().mean()
    return difference.abs().mean() + down + across


def cut(lot: np.random.Generator, *pictures: Tensor) -> list[Tensor]:
    """The same square out of every picture; a picture at half the size gives half the square."""
    x, y = (16 * int(n) for n in lot.integers(0, (256 - CUT_PX) // 16 + 1, 2))
    cuts = []
    for picture in pictures:
        shrink = 256 // picture.shape[-1]
        left, top, side = x // shrink, y // shrink, CUT_PX // shrink
        cuts.append(picture[..., top : top + side, left : left + side])
    return cuts


def learn(pupil: Pupil, room: Classroom) -> dict[str, float]:
    """One step of both; returns the losses."""
    real, sketch, code, school = room.real(pupil.lot)
    mixed, mixed_code, mixed_school = room.mixed(pupil.lot)
    codes, schools = torch.cat([code, mixed_code]), torch.cat([school, mixed_school])
    where = whereabouts(len(codes), pupil.device)
    real, sketches, where = cut(pupil.lot, real, _join((sketch, mixed)), where)
    with torch.autocast(pupil.device.type, dtype=torch.bfloat16):
        painted = premultiplied(pupil.finisher(sketches, where, codes, schools))
    judged = _judge(pupil, premultiplied(real), painted.detach().float(), where, schools)
    with torch.autocast(pupil.device.type, dtype=torch.bfloat16):
        pupil.critic.requires_grad_(False)
        verdict = pupil.critic(augment(painted.float(), pupil.rng), where, schools)
        fooled = F.softplus(-verdict.float()).mean()
        pupil.critic.requires_grad_(True)
    missed = misfit(painted[: len(real)].float(), premultiplied(real))
    pupil.paint_with.zero_grad(set_to_none=True)
    (RECONSTRUCTION * missed + ADVERSARY * fooled).backward()
    torch.nn.utils.clip_grad_norm_(pupil.finisher.parameters(), 5.0)
    pupil.paint_with.step()
    pupil.steps += 1
    pupil.remember()
    return {"missed": float(missed.detach()), "fooled": float(fooled.detach()), **judged}


def _judge(
    pupil: Pupil, real: Tensor, painted: Tensor, where: Tensor, schools: Tensor
) -> dict[str, float]:
    """One step of the critic. The first of the painted textures are of the real ones' sitters."""
    mine, school = where[: len(real)], schools[: len(real)]
    both = _join((augment(real, pupil.rng), augment(painted, pupil.rng)))
    with torch.autocast(pupil.device.type, dtype=torch.bfloat16):
        verdict = pupil.critic(both, torch.cat([mine, where]), torch.cat([school, schools])).float()
    loss = F.softplus(-verdict[: len(real)]).mean() + F.softplus(verdict[len(real) :]).mean()
    if pupil.steps % R1_EVERY == 0:
        seen = real.detach().requires_grad_(True)
        (slope,) = torch.autograd.grad(
            pupil.critic(seen, mine, school).sum(), seen, create_graph=True
        )
        loss = loss + R1_EVERY * R1 / 2 * slope.square().sum(dim=(1, 2, 3)).mean() / 64
    pupil.judge_with.zero_grad(set_to_none=True)
    loss.backward()
    pupil.judge_with.step()
    right = (verdict[: len(real)] > 0).float().mean() + (verdict[len(real) :] < 0).float().mean()
    return {"judged": float(loss.detach()), "right": float(right) / 2}


def train_finisher(
    lessons: list[Lesson], pupil: Pupil, minutes: float, sheets: Path, clock: Clock | None = None
) -> None:
    """Learn for so many minutes; a sheet of paintings every few. Stops early on a loss that is
    not a number, with the running average of before."""
    clock = clock or MonotonicClock()
    room = Classroom(lessons, pupil.device)
    start_s = sheet_s = clock.now_s()
    with Bar("finishing", minutes * 60) as bar:
        while (now_s := clock.now_s()) - start_s < minutes * 60:
            losses = learn(pupil, room)
            if not all(math.isfinite(value) for value in losses.values()):
                log.error("stopped at step %d: %s", pupil.steps, losses)
                return
            bar.reach(now_s - start_s)
            if now_s - sheet_s > SHEET_EVERY_S or pupil.steps == 1:
                sheet_s = now_s
                log.info("step %d: %s", pupil.steps, {k: round(v, 3) for k, v in losses.items()})
                write_sheet(room, pupil.averaged(), sheets / f"finish-{pupil.steps:06d}.png")


@torch.inference_mode()
def write_sheet(room: Classroom, finisher: Finisher, path: Path) -> None:
    """Rows: a school each. Real, sketch, finished; then sketch and finished of nobody."""
    lot, rows = np.random.default_rng(7), []
    where = whereabouts(1, room.device)

    def finished(sketch: tuple[Tensor, Tensor, Tensor]) -> Tensor:
        return finisher(sketch[0], where, *sketch[1:]).cpu()

    for school, lesson in enumerate(room.lessons):
        row = []
        for i in lot.integers(len(lesson.textures), size=3):
            sketch = room.sketch(school, lesson.model.codes[i : i + 1])
            real = torch.from_numpy(lesson.textures[i : i + 1]).movedim(-1, 1).float() / 255
            row += [real, sketch[0].cpu(), finished(sketch)]
        norm = float(np.median(np.linalg.norm(lesson.model.codes, axis=1)))
        for code in draw_codes(lesson.model.codes, norm, 4, lot):
            sketch = room.sketch(school, code[None])
            row += [sketch[0].cpu(), finished(sketch)]
        rows.append(
            torch.cat([premultiplied(t)[0, :3] + 0.08 * (1 - t[0, 3:]) for t in row], dim=2)
        )
    picture = (torch.cat(rows, dim=1).clamp(0, 1) * 255).byte().permute(1, 2, 0).numpy()
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), cv2.cvtColor(np.ascontiguousarray(picture), cv2.COLOR_RGB2BGR))


def teach(
    lessons: list[Lesson], folder: Path, name: str, minutes: float, resume: bool, device: str,
    seed: int,
) -> dict[str, Any]:  # fmt: skip
    """Train a finisher and write it under a name; returns its card.

    resume: go on from the finisher of that name in the folder, or else from the shared one, and
    from the critic that was trained with it.
    """
    pupil = Pupil(device, seed)
    if resume:
        take_up(pupil, folder, name if (folder / f"{name}.json").is_file() else FINISH)
    train_finisher(lessons, pupil, minutes, home() / "out" / "train")
    told = {"steps": pupil.steps, "trained": utc_now().date().isoformat(), "program": __version__}
    keep(folder, name + CRITIC, pupil.critic.state_dict(), told)
    return keep(folder, name, pupil.average, told)


def keep(folder: Path, name: str, state: dict[str, Tensor], told: dict[str, Any]) -> dict[str, Any]:
    """Write a network in half precision, with its card."""
    half = {key: value.detach().half().contiguous().cpu() for key, value in state.items()}
    return write_weights(folder, name, save(half), told)


def take_up(pupil: Pupil, folder: Path, name: str) -> None:
    """Go on where an earlier training stopped; the optimisers begin anew. Raises WeightsError."""
    card, stored = read_weights(folder, name)
    state = {key: value.float() for key, value in load(stored).items()}
    pupil.finisher.load_state_dict(state)
    pupil.average = {key: value.clone().to(pupil.device) for key, value in state.items()}
    _, judged = read_weights(folder, name + CRITIC)
    pupil.critic.load_state_dict({key: value.float() for key, value in load(judged).items()})
    pupil.steps = int(card["steps"])
