"""The critics: they tell painted textures from real ones, and so teach the finisher.

In: textures as they are seen on black. Out: judgements. Two look at whole portraits at half their
size, where a painting shows in how hair and cloth are done; one looks at squares of the full size.
With a few hundred portraits a critic soon knows them by heart, and has its blind spots: so the
elder of the two that look at whole ones gives way to a newborn every few hundred steps, and all
that they see is augmented, real and painted alike (Zhao et al. 2020). None answers by the strongest
sign that it finds anywhere: it would be fooled by a few bright dots. Details are shown to them by
themselves, too, so many times stronger: it makes them keen within a hundred steps.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mirror import SCHOOLS
from mirror.atelier import ranks

CHANNELS = (32, 64, 96, 128)
DETAIL = 6.0
#: Quarters a side of the picture that an answer can tell apart.
PLACES = 4
#: How much what each patch looks like counts beside the whole picture.
PATCHES = 1.0
RATE, DECAY, BETAS = 1e-3, 0.05, (0.5, 0.99)
#: Side of what is judged, pixels: half a texture, or a square of it.
JUDGED_PX = 128
#: How far a square may lie from the middle of a texture, pixels: beyond there is nothing.
OFF_MIDDLE = 40
#: Wholes are judged by so many critics, of which the eldest gives way after so many steps.
WHOLES, RENEWED = 2, 200


class Critic(nn.Module):
    """Four convolutions, and two answers for each school: of the whole, and of every patch."""

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = [nn.PixelUnshuffle(2)]  # (B, 24, S / 2, S / 2)
        before = 24
        for number, channels in enumerate(CHANNELS):
            stride = 1 if number == 0 else 2
            layers.append(nn.Conv2d(before, channels, 3, stride=stride, padding=1))
            layers += [nn.BatchNorm2d(channels), nn.LeakyReLU(0.1)]
            before = channels
        self.layers = nn.Sequential(*layers)
        schools = len(SCHOOLS) + 1
        self.patch = nn.Conv2d(before, schools, 1)
        self.answer = nn.Sequential(nn.Dropout(0.3), nn.Linear(PLACES * PLACES * before, schools))

    def forward(self, seen: Tensor, school: Tensor) -> tuple[Tensor, Tensor]:
        """(B, 3, S, S) on black, in [0, 1]; (B,) int64, 0 to 6, prints last.

        Returns judgements, above 0 real: (B,) of the whole, and (B, P) of its patches.
        """
        found = self.layers(torch.cat([seen * 2 - 0.6, fine(seen) * DETAIL], dim=1))
        whole = self.answer(F.adaptive_avg_pool2d(found, PLACES).flatten(1))  # (B, 7)
        each = self.patch(found).flatten(2)  # (B, 7, P)
        number = torch.arange(len(seen), device=seen.device)
        return whole[number, school], each[number, school]

    def cost(self, seen: Tensor, school: Tensor, real: Tensor) -> tuple[Tensor, Tensor]:
        """How wrong it is of each picture, (B,), and whether it was right, (B,). real: (B,) 0, 1.

        Pictures are normalised by one another: real and painted ones belong into one batch.
        """
        whole, each = self(seen, school)
        wrong = F.binary_cross_entropy_with_logits(whole, real, reduction="none")
        every = real[:, None].expand_as(each)
        patches = F.binary_cross_entropy_with_logits(each, every, reduction="none").mean(dim=1)
        return wrong + PATCHES * patches, (whole > 0) == (real > 0)


class Jury:
    """Three critics that learn while they judge. device: where."""

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self.critics = nn.ModuleList(_newborn(device) for _ in range(WHOLES + 1))
        self._learning = [_learning(critic) for critic in self.critics]

    def renew(self, steps: int) -> None:
        """The elder of those that judge wholes gives way to a newborn, when it is time to."""
        if steps and steps % RENEWED == 0:
            number = steps // RENEWED % WHOLES
            self.critics[number] = _newborn(self._device)
            self._learning[number] = _learning(self.critics[number])

    def learn(self, number: int, seen: Tensor, school: Tensor, real: Tensor) -> float:
        """One step of one critic, the last of which judges squares; returns how often it was
        right. As for ``Critic.cost``."""
        wrong, right = self.critics[number].cost(seen, school, real)  # type: ignore[operator]
        self._learning[number].zero_grad(set_to_none=True)
        wrong.mean().backward()
        ranks.share_gradients(self.critics[number].parameters())
        self._learning[number].step()
        return float(right.float().mean())

    def unfooled(self, number: int, painted: Tensor, real: Tensor, school: Tensor) -> Tensor:
        """How far a critic is from taking painted pictures for real ones; leads back to them.

        painted, real: (B, 3, S, S), of the same schools (B,).
        """
        critic = self.critics[number]
        critic.requires_grad_(False)
        both, twice = torch.cat([painted, real]), torch.cat([school, school])
        wrong, _ = critic.cost(both, twice, torch.ones(len(both), device=both.device))  # type: ignore[operator]
        critic.requires_grad_(True)
        return torch.as_tensor(wrong[: len(painted)].mean())


def _newborn(device: torch.device) -> Critic:
    critic: Critic = Critic().to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    return critic


def _learning(critic: nn.Module) -> torch.optim.Optimizer:
    return torch.optim.AdamW(critic.parameters(), RATE, betas=BETAS, weight_decay=DECAY)


class Augmentation:
    """Mirrored, moved by a few pixels, lighter or darker, in another light: drawn by lot for each
    of ``count`` pictures."""

    def __init__(self, count: int, lot: np.random.Generator) -> None:
        self._mirrored = lot.random(count) < 0.5
        self._moved = lot.uniform(-0.05, 0.05, (count, 2))
        light = lot.uniform(0.9, 1.1, (count, 1, 1, 1)) * lot.uniform(0.96, 1.04, (count, 3, 1, 1))
        self._light = torch.from_numpy(light.astype(np.float32))

    def __call__(self, rgb: Tensor) -> Tensor:
        """(B, 3, S, S) in [0, 1] -> the same, changed; B may be less than ``count``."""
        made = []
        for picture, mirrored, moved in zip(rgb, self._mirrored, self._moved):
            down, right = (round(float(share) * rgb.shape[-1]) for share in moved)
            turned = picture.flip(2) if mirrored else picture
            made.append(torch.roll(turned, (down, right), dims=(1, 2)))
        changed = torch.stack(made) * self._light[: len(rgb)].to(rgb.device)
        return changed.contiguous(memory_format=torch.channels_last)


def fine(rgb: Tensor) -> Tensor:
    """What a blur of three pixels takes away."""
    return rgb - F.avg_pool2d(rgb, 3, 1, 1, count_include_pad=False)


def halved(rgb: Tensor) -> Tensor:
    """Whole textures (B, 3, 256, 256) at the size at which they are judged."""
    return F.avg_pool2d(rgb, 2)


def squares(lot: np.random.Generator, *pictures: Tensor) -> list[Tensor]:
    """Of every number the same square out of each of the pictures (B, 3, 256, 256), near their
    middle."""
    middle = (pictures[0].shape[-1] - JUDGED_PX) // 2
    corners = lot.integers(middle - OFF_MIDDLE, middle + OFF_MIDDLE + 1, (len(pictures[0]), 2))
    return [
        torch.stack([
            each[:, y : y + JUDGED_PX, x : x + JUDGED_PX]
            for each, (y, x) in zip(picture, corners.tolist())
        ])
        for picture in pictures
    ]  # fmt: skip
