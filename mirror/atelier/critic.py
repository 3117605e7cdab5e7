"""The critic: tells painted textures from real ones, and so teaches the finisher.

It judges not pixels but what a frozen network makes of them, at four coarsenesses, each through a
fixed random mixture of its channels (Projected GANs: Sauer et al. 2021): with a few hundred
portraits a critic that must first learn to see learns them by heart instead. A projection of the
school (Miyato, Koyama 2018) tells whose hand it should be. What it sees is augmented, differently
each time and alike for real and painted (Zhao et al. 2020).
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.parametrizations import spectral_norm

from mirror import SCHOOLS
from mirror.atelier import features

#: Channels of the random mixtures, and the usual size of the features that go into them.
MIXED = (24, 32, 48, 64)
USUAL = (3.2, 3.3, 7.5, 4.2)


class Head(nn.Module):
    """Judges the features of one coarseness: above 0 real, below painted."""

    def __init__(self, channels: int, mixed: int, halves: bool) -> None:
        super().__init__()
        mixture = torch.randn(mixed, channels, 1, 1) / math.sqrt(channels)
        self.register_buffer("mixture", mixture)
        stride = 2 if halves else 1
        self.first = spectral_norm(nn.Conv2d(mixed + 2, mixed, 3, padding=1))
        self.second = spectral_norm(nn.Conv2d(mixed, mixed, 3, stride=stride, padding=1))
        self.judge = spectral_norm(nn.Conv2d(mixed, 1, 1))
        self.school = spectral_norm(nn.Linear(len(SCHOOLS) + 1, mixed, bias=False))

    def forward(self, seen: Tensor, where: Tensor, school: Tensor) -> Tensor:
        """(B, C, H, W), (B, 2, H, W), (B, 7) -> (B, N) judgements"""
        mixed = F.conv2d(seen, self.get_buffer("mixture").to(seen.dtype))
        h = F.leaky_relu(self.first(torch.cat([mixed, where.to(mixed.dtype)], dim=1)), 0.2)
        h = F.leaky_relu(self.second(h), 0.2)
        own = (h * self.school(school)[:, :, None, None]).sum(dim=1)
        return (self.judge(h)[:, 0] + own).flatten(1)


class Critic(nn.Module):
    """Four heads over frozen features."""

    def __init__(self) -> None:
        super().__init__()
        self.heads = nn.ModuleList(
            Head(channels, mixed, halves=level < 2)
            for level, (channels, mixed) in enumerate(zip(features.CHANNELS, MIXED))
        )

    def forward(self, seen: list[Tensor], where: Tensor, school: Tensor) -> list[Tensor]:
        """Judgements of the features that ``see`` gives: four of (B, N), a patch each.

        where: (B, 2, S / 2, S / 2), see ``whereabouts``. school: (B, 7), one-hot.
        """
        return [
            head(maps, F.adaptive_avg_pool2d(where, maps.shape[-1]), school).float()
            for head, maps in zip(self.heads, seen)
        ]


def see(network: features.Features, rgb: Tensor) -> list[Tensor]:
    """Features of (B, 3, S, S) RGB, each coarseness brought to about the same size."""
    return [maps / usual for maps, usual in zip(network(rgb), USUAL)]


class Augmentation:
    """Colour, shift and scale, drawn by lot for each of ``count`` pictures."""

    def __init__(self, count: int, rng: torch.Generator) -> None:
        def lot(*shape: int) -> Tensor:
            return 2 * torch.rand(*shape, generator=rng) - 1

        self._gain = 1 + 0.25 * lot(count, 1, 1, 1)
        self._lift = 0.1 * lot(count, 1, 1, 1)
        self._chroma = 1 + 0.5 * lot(count, 1, 1, 1)
        self._tint = 1 + 0.08 * lot(count, 3, 1, 1)
        self._theta = torch.zeros(count, 2, 3)
        self._theta[:, 0, 0] = self._theta[:, 1, 1] = 1 + 0.1 * lot(count)
        self._theta[:, :, 2] = 0.1 * lot(count, 2)

    def __call__(self, rgb: Tensor) -> Tensor:
        """(B, 3, S, S) in [0, 1] -> the same, changed; B may be less than ``count``."""
        gain, lift, chroma, tint, theta = (
            t[: len(rgb)].to(rgb.device, rgb.dtype)
            for t in (self._gain, self._lift, self._chroma, self._tint, self._theta)
        )
        rgb = rgb * gain + lift
        grey = rgb.mean(dim=1, keepdim=True)
        rgb = (grey + (rgb - grey) * chroma) * tint
        grid = F.affine_grid(theta, list(rgb.shape), align_corners=False)
        moved = F.grid_sample(rgb, grid, padding_mode="reflection", align_corners=False)
        return moved.to(memory_format=torch.channels_last)
