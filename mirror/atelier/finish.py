"""The second rung: training the network that finishes linear sketches.

Reconstruction on the training portraits, in pixels and in features, and an adversary on these, on
mixtures of sitters of one school, and on what the river's source wanders through. A running
average of the weights is what is kept (Karras et al. 2019), with the critic, every few minutes.
Runs on a CPU, a GPU or several from the same command, stops at its time, and goes on from what the
weights folder holds with ``resume``.
"""

from __future__ import annotations

import functools
import logging
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from safetensors.torch import load, save
from torch import Tensor
from torch.nn import functional as F

from mirror import __version__
from mirror.atelier import ranks
from mirror.atelier.classroom import Classroom, Lesson, cut, join
from mirror.atelier.critic import Augmentation, Critic, see
from mirror.atelier.features import Features
from mirror.cards import FINISH, read_weights, write_weights
from mirror.clock import Clock, MonotonicClock, utc_now
from mirror.faces.finisher import Finisher, has_bfloat16, whereabouts
from mirror.faces.model import draw_codes
from mirror.places import home
from mirror.progress import Bar

log = logging.getLogger(__name__)

#: Ends the name of a critic's file: only training needs it.
CRITIC = "-critic"
BATCH = 6
#: Every so many steps whole textures are looked at, a few at a time.
WHOLE_EVERY, WHOLE_BATCH = 4, 2
PAINTING_RATE, JUDGING_RATE = 5e-4, 2e-3
#: How much values and gradients, features, and the critic's opinion count.
RECONSTRUCTION, LIKENESS, ADVERSARY = 6.0, 1.5, 0.05
#: How much every fine detail costs that is added to the sketch of somebody who never sat: a critic
#: of features does not see thin lines and weaves.
THRIFT = 8.0
#: The critic's opinion counts wholly after so many steps.
SCHOOLED = 600
#: The critic's four coarsenesses: the finer two are fooled by weaves and lines that eyes would see.
COARSENESS = (0.0, 0.0, 1.0, 1.0)
#: The running average of the weights, as a half-life in steps.
AVERAGE_HALF_LIFE = 200
LOOK_EVERY_S = 240.0


class Pupil:
    """Finisher, critic, their optimisers, and the running average of the finisher."""

    def __init__(self, device: str, seed: int) -> None:
        torch.manual_seed(seed)
        self.device = torch.device(device)
        layout = torch.channels_last
        self.finisher = Finisher().to(self.device, memory_format=layout)  # type: ignore[call-overload]
        self.critic = Critic().to(self.device, memory_format=layout)  # type: ignore[call-overload]
        self.eye = open_eye(str(self.device))
        self.average = {k: v.detach().clone() for k, v in self.finisher.state_dict().items()}
        self.paint_with = _optimiser(self.finisher, PAINTING_RATE)
        self.judge_with = _optimiser(self.critic, JUDGING_RATE)
        self.rng = torch.Generator().manual_seed(seed + ranks.number())
        self.lot = np.random.default_rng((seed, ranks.number()))
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


@functools.lru_cache(maxsize=1)
def open_eye(device: str) -> Features:
    """The network that the critic sees with; it never changes, so one serves all."""
    eye: Features = Features().to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    return eye


def _optimiser(network: torch.nn.Module, rate: float) -> torch.optim.Optimizer:
    return torch.optim.Adam(network.parameters(), rate, betas=(0.0, 0.99))


def premultiplied(texture: Tensor) -> Tensor:
    """Colour counts where it is opaque."""
    return torch.cat([texture[:, :3] * texture[:, 3:], texture[:, 3:]], dim=1)


def over(texture: Tensor, ground: float) -> Tensor:
    """RGB of a texture over a grey ground."""
    return texture[:, :3] * texture[:, 3:] + ground * (1 - texture[:, 3:])


def misfit(painted: Tensor, real: Tensor) -> Tensor:
    """How far a painted texture is from the real one, in values and in gradients."""
    difference = painted - real
    down = (difference[:, :, 1:] - difference[:, :, :-1]).abs().mean()
    across = (difference[:, :, :, 1:] - difference[:, :, :, :-1]).abs().mean()
    return difference.abs().mean() + down + across


def fine(texture: Tensor) -> Tensor:
    """What a blur of three pixels takes away."""
    return texture - F.avg_pool2d(texture, 3, 1, 1, count_include_pad=False)


def autocast(device: str) -> torch.autocast:
    """bfloat16 where the device computes in it itself: emulated it takes twelve times as long."""
    return torch.autocast(device, dtype=torch.bfloat16, enabled=has_bfloat16(device))


def learn(pupil: Pupil, room: Classroom) -> dict[str, float]:
    """One step of both; returns the losses."""
    whole = pupil.steps % WHOLE_EVERY == 0
    batch = WHOLE_BATCH if whole else BATCH
    chosen = room.some_schools(pupil.lot, batch)
    real, sketch, code, school = room.real(pupil.lot, chosen)
    mixed, mixed_code, mixed_school = room.mixed(pupil.lot, chosen)
    codes, schools = torch.cat([code, mixed_code]), torch.cat([school, mixed_school])
    where, sketches = whereabouts(len(codes), pupil.device), join((sketch, mixed))
    if not whole:
        real, sketches, where = cut(pupil.lot, real, sketches, where)
    changed = Augmentation(len(codes), pupil.rng)
    ground = 0.5 * float(torch.rand((), generator=pupil.rng))  # what shines through differs
    with autocast(pupil.device.type):
        painted = pupil.finisher(sketches, where, codes, schools)
        seen = see(pupil.eye, changed(over(painted.float(), ground)))
        with torch.no_grad():
            seen_real = see(pupil.eye, changed(over(real, ground)))
        judged = _judge(pupil, seen_real, [maps.detach() for maps in seen], where, schools)
        pupil.critic.requires_grad_(False)
        fooled = -_mean(pupil.critic(seen, where, schools))
        pupil.critic.requires_grad_(True)
    missed = misfit(premultiplied(painted[:batch].float()), premultiplied(real))
    apart = [(a[:batch] - b).abs().float().mean() for a, b in zip(seen, seen_real)]
    unlike = torch.stack(apart).mean()
    pupil.paint_with.zero_grad(set_to_none=True)
    added = fine(painted[batch:].float() - sketches[batch:]).abs().mean()
    loss = RECONSTRUCTION * missed + LIKENESS * unlike + THRIFT * added
    loss = loss + ADVERSARY * min(1.0, pupil.steps / SCHOOLED) * fooled
    loss.backward()
    ranks.share_gradients(pupil.finisher.parameters())
    torch.nn.utils.clip_grad_norm_(pupil.finisher.parameters(), 5.0)
    pupil.paint_with.step()
    pupil.steps += 1
    losses = {"missed": missed, "unlike": unlike, "added": added, "fooled": fooled}
    return {**{name: float(value.detach()) for name, value in losses.items()}, **judged}


def _judge(
    pupil: Pupil, real: list[Tensor], painted: list[Tensor], where: Tensor, schools: Tensor
) -> dict[str, float]:
    """One step of the critic. The first of the painted textures are of the real ones' sitters."""
    count = len(real[0])
    yes = pupil.critic(real, where[:count], schools[:count])
    no = pupil.critic(painted, where, schools)
    loss = _mean([F.relu(1 - y) for y in yes]) + _mean([F.relu(1 + n) for n in no])
    pupil.judge_with.zero_grad(set_to_none=True)
    loss.backward()
    ranks.share_gradients(pupil.critic.parameters())
    pupil.judge_with.step()
    right = _mean([(y > 0).float() for y in yes]) + _mean([(n < 0).float() for n in no])
    return {"judged": float(loss.detach()), "right": float(right) / 2}


def _mean(levels: list[Tensor]) -> Tensor:
    """The mean over all coarsenesses, each with its weight."""
    weighted = [weight * level.mean() for weight, level in zip(COARSENESS, levels)]
    return torch.stack(weighted).sum() / sum(COARSENESS)


def train_finisher(
    lessons: list[Lesson], pupil: Pupil, minutes: float, look: Callable[[Classroom], None],
    clock: Clock | None = None,
) -> None:  # fmt: skip
    """Learn for so many minutes; ``look`` is called at the first step and every few minutes.

    Stops early on a loss that is not a number, with the running average of before.
    """
    clock = clock or MonotonicClock()
    room = Classroom(lessons, pupil.device)
    start_s = looked_s = clock.now_s()
    first = True
    with Bar("finishing", minutes * 60) as bar:
        while ranks.agree((now_s := clock.now_s()) - start_s < minutes * 60, pupil.device):
            losses = learn(pupil, room)
            finite = all(math.isfinite(value) for value in losses.values())
            if not ranks.agree(finite, pupil.device):
                log.error("stopped at step %d: %s", pupil.steps, losses)
                return
            pupil.remember()
            bar.reach(now_s - start_s)
            if ranks.number() == 0 and (first or now_s - looked_s > LOOK_EVERY_S):
                looked_s, first = now_s, False
                log.info("step %d: %s", pupil.steps, {k: round(v, 3) for k, v in losses.items()})
                look(room)


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
    with ranks.joined(device):
        pupil = Pupil(ranks.own_device(device), seed)
        if resume:
            take_up(pupil, folder, name if (folder / f"{name}.json").is_file() else FINISH)

        def look(room: Classroom) -> None:
            write_sheet(room, pupil.averaged(), home() / f"out/train/{name}-{pupil.steps:06d}.png")
            keep_both(pupil, folder, name)

        train_finisher(lessons, pupil, minutes, look)
        return keep_both(pupil, folder, name) if ranks.number() == 0 else {}


def keep_both(pupil: Pupil, folder: Path, name: str) -> dict[str, Any]:
    """Write critic and finisher; returns the finisher's card."""
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
