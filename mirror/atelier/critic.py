"""The critic: tells painted textures from real ones, and so teaches the finisher.

A few strided convolutions that judge overlapping patches, and a projection of the school
(Miyato, Koyama 2018). What it sees is augmented, differently each time and alike for real and
painted (Zhao et al. 2020), because there are few portraits to learn by heart.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mirror import SCHOOLS

CHANNELS = (24, 56, 112, 144)


class Critic(nn.Module):
    """(B, 4, S, S) premultiplied textures, (B, 7) schools -> (B, S / 16, S / 16) judgements."""

    def __init__(self) -> None:
        super().__init__()
        a, b, c, d = CHANNELS
        self.body = nn.Sequential(
            nn.Conv2d(16 + 2, a, 3, padding=1), nn.LeakyReLU(0.2),
            nn.Conv2d(a, b, 4, stride=2, padding=1), nn.LeakyReLU(0.2),
            nn.Conv2d(b, c, 4, stride=2, padding=1), nn.LeakyReLU(0.2),
            nn.Conv2d(c, d, 4, stride=2, padding=1), nn.LeakyReLU(0.2),
            nn.Conv2d(d, d, 3, padding=1), nn.LeakyReLU(0.2),
        )  # fmt: skip
        self.judge = nn.Conv2d(d, 1, 1)
        self.school = nn.Linear(len(SCHOOLS) + 1, d, bias=False)
        for layer in self.body:
            if isinstance(layer, nn.Conv2d):  # torch's own start shrinks the signal at every layer
                nn.init.kaiming_normal_(layer.weight, a=0.2)
                if layer.bias is not None:
                    nn.init.zeros_(layer.bias)

    def forward(self, texture: Tensor, where: Tensor, school: Tensor) -> Tensor:
        """Above 0: real; below: painted. where: (B, 2, S / 2, S / 2), see ``whereabouts``."""
        cells = F.pixel_unshuffle(texture, 2) - 0.3
        h = self.body(torch.cat([cells, where.to(cells.dtype)], dim=1))  # (B, 144, S / 16, S / 16)
        own = (h * self.school(school)[:, :, None, None]).mean(dim=1)
        return self.judge(h)[:, 0] + own  # (B, S / 16, S / 16)


def augment(texture: Tensor, rng: torch.Generator) -> Tensor:
    """Colour, shift and scale, drawn by lot for each picture.  (B, 4, S, S), premultiplied"""
    count = len(texture)

    def lot(*shape: int) -> Tensor:
        drawn = torch.rand(*shape, generator=rng)
        return (2 * drawn - 1).to(texture.device, texture.dtype)

    rgb, alpha = texture[:, :3], texture[:, 3:]
    rgb = rgb * (1 + 0.25 * lot(count, 1, 1, 1)) + 0.1 * lot(count, 1, 1, 1) * alpha
    grey = rgb.mean(dim=1, keepdim=True)
    rgb = grey + (rgb - grey) * (1 + 0.5 * lot(count, 1, 1, 1))
    rgb = rgb * (1 + 0.08 * lot(count, 3, 1, 1))
    theta = torch.zeros(count, 2, 3, device=texture.device, dtype=texture.dtype)
    scale = 1 + 0.1 * lot(count)
    theta[:, 0, 0] = theta[:, 1, 1] = scale
    theta[:, :, 2] = 0.1 * lot(count, 2)
    grid = F.affine_grid(theta.float(), [count, 4, *texture.shape[2:]], align_corners=False)
    moved = F.grid_sample(torch.cat([rgb, alpha], 1).float(), grid, align_corners=False)
    return moved.to(memory_format=torch.channels_last)
