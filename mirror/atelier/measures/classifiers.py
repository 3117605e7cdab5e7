"""Small networks that look at canonical portraits: which school is it; is it real or painted?

In: real and painted pictures of all schools. Out: how often the networks are right on pictures
that they have not seen. They are taught afresh at every measuring, for a minute or two, by
cross-validation: every real portrait is held back once. A mirror image is never on the other side
of the split than its portrait, because mirroring is one of the augmentations.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mirror.signals import Floats

#: Sides of the pictures: a school shows in composition and palette, a painting in its details.
SCHOOL_PX, GENUINE_PX = 64, 128
CHANNELS = (24, 48, 72, 96)
#: Details are shown to the networks by themselves too, so many times stronger: it makes them keen
#: at once. (Told apart the linear models in 96 of 100 pictures instead of 77, equally long taught.)
DETAIL = 6.0
#: Quarters a side of the picture that an answer can tell apart.
PLACES = 4
FOLDS = 3
#: Batches that means and variances are taken from in the end.
SETTLING = 4
BATCH, RATE, DECAY = 32, 2e-3, 0.05


@dataclass(frozen=True)
class Teaching:
    """How long: steps of each network. seed: of weights, order and augmentation."""

    steps: int = 220
    seed: int = 0


class Looker(nn.Module):
    """Four convolutions, and an answer that knows what is to be seen where."""

    def __init__(self, answers: int) -> None:
        super().__init__()
        layers: list[nn.Module] = [nn.PixelUnshuffle(2)]  # (B, 24, S / 2, S / 2)
        before = 24
        for number, channels in enumerate(CHANNELS):
            step = 1 if number == 0 else 2
            layers.append(nn.Conv2d(before, channels, 3, stride=step, padding=1))
            layers += [nn.BatchNorm2d(channels), nn.ReLU()]
            before = channels
        self.layers = nn.Sequential(*layers)
        self.answer = nn.Sequential(
            nn.Dropout(0.3), nn.Linear((PLACES * PLACES + 1) * before, answers)
        )

    def forward(self, picture: Tensor) -> Tensor:
        """(B, 3, S, S) in [0, 1] -> (B, answers) logits."""
        detail = picture - F.avg_pool2d(picture, 3, 1, 1, count_include_pad=False)
        seen = self.layers(torch.cat([picture * 2 - 0.6, detail * DETAIL], dim=1))
        places = F.adaptive_avg_pool2d(seen, PLACES).flatten(1)  # (B, 16 * 96)
        answer: Tensor = self.answer(torch.cat([places, seen.amax(dim=(2, 3))], dim=1))
        return answer


def of_its_school(
    real: Mapping[str, Floats], painted: Sequence[Mapping[str, Floats]], teaching: Teaching
) -> tuple[dict[str, float], list[dict[str, float]]]:
    """How often networks taught on real portraits name the school, of real and of painted ones.

    real: school -> (N, 64, 64, 3) float32 in [0, 1]. painted: the same, several times. Returns
    school -> share, of real portraits held back, and of each of the painted (mean of the networks).
    """
    schools = list(real)
    right: dict[str, list[bool]] = {school: [] for school in schools}
    named: list[dict[str, list[bool]]] = [{school: [] for school in schools} for _ in painted]
    for fold in range(FOLDS):
        kept = [real[school][_kept(len(real[school]), fold)] for school in schools]

        def lot(rng: np.random.Generator, kept: Sequence[Floats] = kept) -> tuple[Floats, Tensor]:
            chosen = rng.integers(0, len(schools), BATCH)
            pictures = [kept[s][rng.integers(len(kept[s]))] for s in chosen]
            return np.stack(pictures), torch.from_numpy(chosen)

        looker = _teach(len(schools), lot, _name_school, teaching)
        for number, school in enumerate(schools):
            held = real[school][~_kept(len(real[school]), fold)]
            right[school] += list(_answers(looker, held).argmax(axis=1) == number)
            for answers, pictures in zip(named, painted):
                answers[school] += list(_answers(looker, pictures[school]).argmax(axis=1) == number)
    return _shares(right), [_shares(each) for each in named]


def told_apart(
    real: Mapping[str, Floats], painted: Mapping[str, Floats], teaching: Teaching
) -> dict[str, float]:
    """How often networks tell painted portraits from real ones: school -> accuracy on held-back
    pictures, painted and real ones counting alike. 0.5: they are at a loss; 1: always.

    real, painted: school -> (N, 128, 128, 3) float32 in [0, 1].

    One network learns from all schools together, which makes it keener than one that has seen a
    few dozen portraits, and answers for each school with an output of its own.
    """
    schools = list(real)
    trusted: dict[str, list[bool]] = {school: [] for school in schools}
    caught: dict[str, list[bool]] = {school: [] for school in schools}
    for fold in range(FOLDS):
        sides = [
            [both[school][_kept(len(both[school]), fold)] for school in schools]
            for both in (painted, real)
        ]

        def lot(
            rng: np.random.Generator, sides: list[list[Floats]] = sides
        ) -> tuple[Floats, Tensor]:
            chosen = rng.integers(0, len(schools), BATCH)
            genuine = np.arange(BATCH) % 2
            pictures = [
                sides[g][s][rng.integers(len(sides[g][s]))] for s, g in zip(chosen, genuine)
            ]
            return np.stack(pictures), torch.from_numpy(np.stack([chosen, genuine]))

        looker = _teach(len(schools), lot, _tell_apart, teaching)
        for number, school in enumerate(schools):
            genuine = real[school][~_kept(len(real[school]), fold)]
            false = painted[school][~_kept(len(painted[school]), fold)]
            trusted[school] += list(_answers(looker, genuine)[:, number] > 0)
            caught[school] += list(_answers(looker, false)[:, number] < 0)
    sides_right = _shares(trusted), _shares(caught)
    return {school: (sides_right[0][school] + sides_right[1][school]) / 2 for school in schools}


def _shares(answers: Mapping[str, list[bool]]) -> dict[str, float]:
    return {school: float(np.mean(each)) for school, each in answers.items()}


def _kept(count: int, fold: int) -> np.ndarray:
    """(count,) bool: which pictures are learnt from in this fold; the others are held back."""
    return np.arange(count) % FOLDS != fold


def _name_school(out: Tensor, target: Tensor) -> Tensor:
    """target: (B,), the school."""
    return F.cross_entropy(out, target, label_smoothing=0.1)


def _tell_apart(out: Tensor, target: Tensor) -> Tensor:
    """target: (2, B), school and whether it is genuine."""
    own = out.gather(1, target[0][:, None])[:, 0]
    return F.binary_cross_entropy_with_logits(own, target[1].float())


def _teach(
    answers: int,
    lot: Callable[[np.random.Generator], tuple[Floats, Tensor]],
    loss: Callable[[Tensor, Tensor], Tensor],
    teaching: Teaching,
) -> Looker:
    """A network taught on batches drawn by lot."""
    rng = np.random.default_rng(teaching.seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(teaching.seed)
        looker = Looker(answers)
        looker.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        learn = torch.optim.AdamW(looker.parameters(), RATE, weight_decay=DECAY)
        rates = torch.optim.lr_scheduler.OneCycleLR(learn, RATE, total_steps=teaching.steps + 1)
        for _ in range(teaching.steps):
            pictures, target = lot(rng)
            error = loss(looker(_augmented(pictures, rng)), target)
            learn.zero_grad(set_to_none=True)
            error.backward()
            learn.step()
            rates.step()
        _settle(looker, [lot(rng)[0] for _ in range(SETTLING)], rng)
    return looker.eval()


@torch.no_grad()
def _settle(looker: Looker, batches: Sequence[Floats], rng: np.random.Generator) -> None:
    """Take means and variances anew, of the weights as they are now: running ones lag behind."""
    for layer in looker.modules():
        if isinstance(layer, nn.BatchNorm2d):
            layer.reset_running_stats()
            layer.momentum = None  # the plain mean of all batches
    for pictures in batches:
        looker(_augmented(pictures, rng))


def _augmented(pictures: Floats, rng: np.random.Generator) -> Tensor:
    """Mirrored, moved by a few pixels, lighter or darker, in another light.  -> (B, 3, S, S)"""
    most = pictures.shape[1] // 20
    made = []
    for picture in pictures:
        turned = picture[:, ::-1] if rng.random() < 0.5 else picture
        moved = np.roll(turned, rng.integers(-most, most + 1, 2), axis=(0, 1))
        made.append(moved * rng.uniform(0.9, 1.1) * rng.uniform(0.96, 1.04, 3))
    return _tensor(np.stack(made))


def _tensor(pictures: Floats) -> Tensor:
    whole = torch.from_numpy(np.ascontiguousarray(pictures, np.float32)).permute(0, 3, 1, 2)
    return whole.contiguous(memory_format=torch.channels_last)


@torch.inference_mode()
def _answers(looker: Looker, pictures: Floats) -> Floats:
    """Logits of pictures, averaged with those of their mirror images.  (N, K)"""
    found = [
        looker(_tensor(part)) + looker(_tensor(part[:, :, ::-1]))
        for part in np.array_split(pictures, max(1, len(pictures) // BATCH))
        if len(part)
    ]
    return torch.cat(found).numpy() / 2
