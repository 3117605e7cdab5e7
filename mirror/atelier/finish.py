"""The second rung: training the network that finishes linear sketches.

Reconstruction on the training portraits, and three adversaries on what the river's source wanders
through and on mixtures of sitters of one school (Goodfellow et al. 2014): so hair and cloth get the
detail that real ones have, where a sketch leaves a blur. What changes while a portrait changes must
not flicker. A running average of the weights is what is kept (Karras et al. 2019), with the
critics, every few minutes. Runs on a CPU, a GPU or several from the same command, stops at its
time, and goes on from what the weights folder holds with ``resume``.
"""

from __future__ import annotations

import logging
import math
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
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
from mirror.atelier.classroom import Classroom, Lesson, join
from mirror.atelier.critic import WHOLES, Augmentation, Jury, fine, halved, squares
from mirror.cards import FINISH, read_weights, write_weights
from mirror.clock import Clock, MonotonicClock, utc_now
from mirror.faces.finisher import Finisher, has_bfloat16
from mirror.faces.model import draw_codes
from mirror.places import home
from mirror.progress import Bar

log = logging.getLogger(__name__)

#: Ends the name of a critic's file: only training needs it.
CRITIC = "-critic"
#: In a batch: so many people who never sat, each at two moments, and so many training portraits.
NOBODIES, SITTERS = 4, 2
RATE = 2e-4
#: How much it counts that a training portrait comes out as it is, in values and in gradients; that
#: the sketch keeps its broad colours; and that the critics take the painting for a real one.
RECONSTRUCTION, BREADTH, ADVERSARY = 6.0, 1.0, 0.15
#: The sketch's broad colours are those of squares of so many pixels.
BROAD_PX = 8
#: How much flicker costs: change in the stillest quarter of a portrait beyond so much of its
#: sketch's, and, counting so much less, change elsewhere beyond a fifth more than the sketch's.
FLICKER, STILL, LEAST, ELSEWHERE = 250.0, 0.25, 0.9, 0.1
#: What detail costs that is added to a sketch, by its fourth power: dots and lines cost much, the
#: grain of hair and cloth hardly anything.
SPARKLE = 1.5e4
#: The critics' opinion counts wholly after so many steps.
SCHOOLED = 200
#: So many earlier paintings are kept, for the critics not to forget what they once knew.
KEPT = 400
#: The running average of the weights, as a half-life in steps.
AVERAGE_HALF_LIFE = 300
LOOK_EVERY_S = 240.0


@dataclass(frozen=True)
class Painted:
    """A painting of before, on black. whole: (3, 128, 128), made small; square: (3, 128, 128), cut
    out of it; school: (), its number."""

    whole: Tensor
    square: Tensor
    school: Tensor


class Pupil:
    """Finisher and critics, and the running average of the finisher."""

    def __init__(self, device: str, seed: int) -> None:
        torch.manual_seed(seed)
        self.device = torch.device(device)
        layout = torch.channels_last
        self.finisher = Finisher().to(self.device, memory_format=layout)  # type: ignore[call-overload]
        self.jury = Jury(self.device)
        self.average = {k: v.detach().clone() for k, v in self.finisher.state_dict().items()}
        self.learning = torch.optim.Adam(self.finisher.parameters(), RATE, betas=(0.0, 0.99))
        self.lot = np.random.default_rng((seed, ranks.number()))
        self.past = deque[Painted](maxlen=KEPT)
        self.begun = 0  # the step at which this training began
        self.steps = 0

    def averaged(self) -> Finisher:
        """The finisher that is kept."""
        kept = Finisher().to(self.device)
        kept.load_state_dict(self.average)
        return kept.eval()

    def remember(self) -> None:
        """Move the running average a step towards the weights."""
        share = 1 - 2 ** (-1 / min(AVERAGE_HALF_LIFE, 1 + (self.steps - self.begun) / 4))
        for name, value in self.finisher.state_dict().items():
            self.average[name].lerp_(value, share)


def premultiplied(texture: Tensor) -> Tensor:
    """Colour counts where it is opaque."""
    return torch.cat([texture[:, :3] * texture[:, 3:], texture[:, 3:]], dim=1)


def seen(texture: Tensor) -> Tensor:
    """RGB of a texture on black, as portraits are judged.  (B, 4, S, S) -> (B, 3, S, S)"""
    return texture[:, :3] * texture[:, 3:]


def misfit(painted: Tensor, real: Tensor) -> Tensor:
    """How far a painted texture is from the real one, in values and in gradients."""
    difference = painted - real
    down = (difference[:, :, 1:] - difference[:, :, :-1]).abs().mean()
    across = (difference[:, :, :, 1:] - difference[:, :, :, :-1]).abs().mean()
    return difference.abs().mean() + down + across


def autocast(device: str) -> torch.autocast:
    """bfloat16 where the device computes in it itself: emulated it takes twelve times as long."""
    return torch.autocast(device, dtype=torch.bfloat16, enabled=has_bfloat16(device))


def learn(pupil: Pupil, room: Classroom) -> dict[str, float]:
    """One step of all; returns the losses, and how often the critics were right."""
    schools = room.some_schools(pupil.lot, NOBODIES)
    nobody, code, school = room.nobodies(pupil.lot, schools)
    real, sketch, own_code, own_school = room.real(pupil.lot, room.some_schools(pupil.lot, SITTERS))
    count = len(nobody)
    both, codes = join((nobody, sketch)), torch.cat([code, own_code])
    with autocast(pupil.device.type):
        painted = pupil.finisher(both, codes, torch.cat([school, own_school]))
    painted = painted.float()
    fooled, right = _ask(pupil, room, painted[:count], schools, school)
    broad = F.avg_pool2d(premultiplied(painted[:count]) - premultiplied(nobody), BROAD_PX)
    losses = {
        "missed": RECONSTRUCTION * misfit(premultiplied(painted[count:]), premultiplied(real)),
        "strayed": BREADTH * broad.abs().mean(),
        "flickered": FLICKER * flicker(painted[:count], nobody),
        "sparkled": SPARKLE * fine(seen(painted[:count]) - seen(nobody)).pow(4).mean(),
        "unfooled": ADVERSARY * min(1.0, (pupil.steps - pupil.begun) / SCHOOLED) * fooled,
    }
    pupil.learning.zero_grad(set_to_none=True)
    torch.stack(list(losses.values())).sum().backward()
    ranks.share_gradients(pupil.finisher.parameters())
    torch.nn.utils.clip_grad_norm_(pupil.finisher.parameters(), 5.0)
    pupil.learning.step()
    pupil.steps += 1
    pupil.jury.renew(pupil.steps)
    return {**{name: float(value.detach()) for name, value in losses.items()}, **right}


def _ask(
    pupil: Pupil, room: Classroom, painted: Tensor, schools: list[int], one_hot: Tensor
) -> tuple[Tensor, dict[str, float]]:
    """Let the critics learn; returns how far they are from taking paintings for real ones, and how
    often they were right.

    painted: (2N, 4, 256, 256), two of each of the schools (N,). one_hot: (2N, 7).
    """
    lot, jury, school = pupil.lot, pupil.jury, one_hot.argmax(dim=1)
    count = len(painted)
    twice = [each for each in schools for _ in range(2)]
    real, more = (seen(room.originals(lot, twice)) for _ in range(2))
    on_black = seen(painted)
    small, small_real = halved(on_black), halved(real)
    square, square_real = squares(lot, on_black, real)
    square_more = squares(lot, more)[0]
    remembered = lot.integers(len(pupil.past), size=count) if pupil.past else ()
    past = [pupil.past[int(n)] for n in remembered]
    whose = torch.cat([school, *(each.school[None] for each in past), school, school])

    def shown(false: Tensor, before: list[Tensor], *real: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """All that a critic learns from in a step; no gradient leads back from it."""
        false = torch.cat([false.detach(), *(picture[None] for picture in before)])
        true = torch.cat(real)
        truth = torch.cat([false.new_zeros(len(false)), true.new_ones(len(true))])
        both = torch.cat([false, true])
        return Augmentation(len(both), lot)(both), whose, truth

    def unfooled(number: int, false: Tensor, true: Tensor) -> Tensor:
        both = Augmentation(2 * count, lot)(torch.cat([false, true]))
        return jury.unfooled(number, both[:count], both[count:], school)

    with autocast(pupil.device.type):
        wholes = shown(small, [each.whole for each in past], small_real, halved(more))
        right = [jury.learn(number, *wholes) for number in range(WHOLES)]
        pieces = shown(square, [each.square for each in past], square_real, square_more)
        right_of_squares = jury.learn(WHOLES, *pieces)
        fooled = unfooled(pupil.steps % WHOLES, small, small_real)
        fooled = fooled + unfooled(WHOLES, square, square_real)
    kept = zip(small.detach()[::2].clone(), square.detach()[::2].clone(), school[::2])
    pupil.past.extend(Painted(*each) for each in kept)
    return fooled, {"right": float(np.mean(right)), "right_of_squares": right_of_squares}


def flicker(painted: Tensor, sketches: Tensor) -> Tensor:
    """What paintings change too much from one moment to the next, in units of full brightness.

    painted, sketches: (2N, 4, S, S), two moments of each.
    """
    moved, sketched = (
        (black[::2] - black[1::2]).abs().mean(dim=1) for black in (seen(painted), seen(sketches))
    )  # (N, S, S)
    portrait = sketches[::2, 3] > 0.5
    least = torch.stack([
        change[inside].quantile(STILL) if bool(inside.any()) else change.new_zeros(())
        for change, inside in zip(sketched, portrait)
    ])  # fmt: skip
    still = (portrait & (sketched <= least[:, None, None])).float()
    pixels = still.sum().clamp(min=1)
    beyond = F.relu((moved * still).sum() - LEAST * (sketched * still).sum()) / pixels
    return beyond + ELSEWHERE * F.relu(moved - 1.2 * sketched).mean()


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

    def finished(sketch: tuple[Tensor, Tensor, Tensor]) -> Tensor:
        return finisher(*sketch).cpu()

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
    keep(folder, name + CRITIC, pupil.jury.critics.state_dict(), told)
    return keep(folder, name, pupil.average, told)


def keep(folder: Path, name: str, state: dict[str, Tensor], told: dict[str, Any]) -> dict[str, Any]:
    """Write a network in half precision, with its card."""
    half = {key: value.detach().half().contiguous().cpu() for key, value in state.items()}
    return write_weights(folder, name, save(half), told)


def take_up(pupil: Pupil, folder: Path, name: str) -> None:
    """Go on where an earlier training stopped; the optimisers begin anew. Raises WeightsError."""
    card, stored = read_weights(folder, name)
    pupil.finisher.take(load(stored))
    pupil.average = {k: v.detach().clone() for k, v in pupil.finisher.state_dict().items()}
    pupil.steps = pupil.begun = int(card["steps"])
    _, judged = read_weights(folder, name + CRITIC)
    try:
        critics = {key: value.float() for key, value in load(judged).items()}
        pupil.jury.critics.load_state_dict(critics)
    except RuntimeError:
        log.warning("the critics are of another kind and begin anew")
