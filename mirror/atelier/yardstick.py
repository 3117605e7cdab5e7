"""The yardstick: the generator of pix2pix, in our own plain words, to hold the models against.

The U-Net of Isola, Zhu, Zhou, Efros, "Image-to-Image Translation with Conditional Adversarial
Networks" (2017), appendix 6.1: 256 x 256 pixels, 64 channels at first, eight steps down to a
single cell, eight up again, each step up beside what was met on the way down. Random weights: only
its cost is asked for. 54.4 million parameters, 6.05 GMAC a picture, plain 32-bit torch. What a
picture costs means something only beside one whose cost everybody knows, on the same machine, in
the same minute.

In: pictures (B, 3, 256, 256). Out: the same shape. Called by the bench and by the measures.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mirror.signals import Bytes

SIZE_PX = 256
#: Channels after each step down: 64 times 1, 2, 4 and 8.
CHANNELS = (64, 128, 256, 512, 512, 512, 512, 512)


class UNet(nn.Module):
    """pix2pix's generator with batch normalisation, as it stands when it is used."""

    def __init__(self) -> None:
        super().__init__()
        down = [3, *CHANNELS]
        up = [*reversed(CHANNELS), 3]
        last = len(CHANNELS) - 1
        self.down = nn.ModuleList(
            nn.Conv2d(a, b, 4, stride=2, padding=1, bias=False) for a, b in zip(down, down[1:])
        )
        # every step up but the first also takes what was met on the way down
        self.up = nn.ModuleList(
            nn.ConvTranspose2d(a if n == 0 else 2 * a, b, 4, stride=2, padding=1, bias=n == last)
            for n, (a, b) in enumerate(zip(up, up[1:]))
        )
        # neither the first nor the last step down is normalised, nor the last one up
        self.down_norm = nn.ModuleList(nn.BatchNorm2d(c) for c in CHANNELS[1:-1])
        self.up_norm = nn.ModuleList(nn.BatchNorm2d(c) for c in up[1:-1])

    def forward(self, picture: Tensor) -> Tensor:
        """(B, 3, 256, 256) in [-1, 1] -> the same."""
        met = [self.down[0](picture)]  # (B, 64, 128, 128)
        for step, norm in zip(self.down[1:-1], self.down_norm):
            met.append(norm(step(F.leaky_relu(met[-1], 0.2))))
        x = self.down[-1](F.leaky_relu(met[-1], 0.2))  # (B, 512, 1, 1)
        for step, norm in zip(self.up[:-1], self.up_norm):
            x = torch.cat([norm(step(F.relu(x))), met.pop()], dim=1)
        return torch.tanh(self.up[-1](F.relu(x)))


class Yardstick:
    """One U-Net ready to paint, and what it paints from."""

    def __init__(self, device: str = "cpu", seed: int = 0) -> None:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self._net = UNet().eval().to(device)
            self._picture = (torch.rand(1, 3, SIZE_PX, SIZE_PX) * 2 - 1).to(device)

    @torch.inference_mode()
    def paint(self) -> Bytes:
        """One picture, the same each time: (256, 256, 3) uint8."""
        painted = self._net(self._picture)[0]
        levels = painted.add(1).mul(127.5).round().to(torch.uint8)
        return levels.permute(1, 2, 0).contiguous().cpu().numpy()


def threads() -> int:
    """How many threads torch paints with."""
    return torch.get_num_threads()
