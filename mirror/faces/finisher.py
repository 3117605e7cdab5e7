"""The network that finishes what the linear model sketches: hair, cloth, brushwork.

In: a sketch, its appearance code and its school. Out: the finished texture,
``sketch + tanh(network(sketch, code, school)) / 2``. One network serves all six schools: what a
brush does is learnt from every portrait, how this school holds it from its own.

Most of the work is done on 64x64 and 32x32 cells: pictures enter by space-to-depth and leave by
depth-to-space, so nothing is resampled. About 1.2 GMAC a texture, a fifth of the pix2pix U-Net.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mirror import SCHOOLS
from mirror.latents.latents import APPEARANCE

#: Channels at 128, 64, 32 and 16 cells a side.
CHANNELS = (24, 48, 96, 128)
STYLE = 96


def whereabouts(count: int, device: torch.device) -> Tensor:
    """Where each cell of two by two pixels lies in the texture: x and y in [-1, 1].

    Returns (count, 2, 128, 128). The frame is canonical, so place says: here is an eye.
    """
    ramp = torch.linspace(-1, 1, 128, device=device)
    where = torch.stack([ramp[None].expand(128, 128), ramp[:, None].expand(128, 128)])
    return where[None].expand(count, -1, -1, -1)


class Styled(nn.Module):
    """Two convolutions around which the style scales and shifts every channel; residual."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.style = nn.Linear(STYLE, 2 * channels)
        self.first = nn.Conv2d(channels, channels, 3, padding=1)
        self.second = nn.Conv2d(channels, channels, 3, padding=1)
        nn.init.zeros_(self.style.weight)
        nn.init.zeros_(self.style.bias)
        nn.init.normal_(self.second.weight, std=1e-3)

    def forward(self, x: Tensor, style: Tensor) -> Tensor:
        """(B, C, H, W), (B, 96) -> (B, C, H, W)"""
        scale, shift = self.style(style)[:, :, None, None].chunk(2, dim=1)
        y = self.first(F.leaky_relu(x, 0.2))
        y = self.second(F.leaky_relu(y * (1 + scale) + shift, 0.2))
        return x + y


class Finisher(nn.Module):
    """Sketch, code and school -> finished texture."""

    def __init__(self) -> None:
        super().__init__()
        c128, c64, c32, c16 = CHANNELS
        self.style = nn.Sequential(
            nn.Linear(APPEARANCE + len(SCHOOLS) + 1, STYLE),
            nn.LeakyReLU(0.2),
            nn.Linear(STYLE, STYLE),
        )
        self.enter = nn.Conv2d(16 + 2, c128, 3, padding=1)
        self.down64 = nn.Conv2d(c128, c64, 4, stride=2, padding=1)
        self.at64 = Styled(c64)
        self.down32 = nn.Conv2d(c64, c32, 4, stride=2, padding=1)
        self.at32 = nn.ModuleList([Styled(c32), Styled(c32)])
        self.down16 = nn.Conv2d(c32, c16, 4, stride=2, padding=1)
        self.at16 = nn.ModuleList([Styled(c16), Styled(c16)])
        self.up32 = nn.Conv2d(c16, 4 * c32, 1)
        self.back32 = Styled(c32)
        self.up64 = nn.Conv2d(c32, 4 * c64, 1)
        self.back64 = Styled(c64)
        self.up128 = nn.Conv2d(c64, 4 * c128, 1)
        self.leave = nn.Conv2d(c128, 16, 3, padding=1)
        nn.init.normal_(self.leave.weight, std=1e-2)
        if self.leave.bias is not None:
            nn.init.zeros_(self.leave.bias)

    def forward(self, sketch: Tensor, where: Tensor, code: Tensor, school: Tensor) -> Tensor:
        """Finish sketches.

        sketch: (B, 4, S, S), RGB and straight alpha in [0, 1]; the whole texture, or, in training,
        a square cut out of it. where: (B, 2, S / 2, S / 2), see ``whereabouts``. code: (B, 48).
        school: (B, 7), one-hot over the six schools and prints. Returns (B, 4, S, S) in [0, 1].
        """
        style = self.style(torch.cat([code, school], dim=1))  # (B, 96)
        cells = F.pixel_unshuffle(sketch - 0.5, 2)  # (B, 16, S / 2, S / 2)
        x128 = self.enter(torch.cat([cells, where], dim=1))  # (B, 24, S / 2, S / 2)
        x64 = self.at64(self.down64(F.leaky_relu(x128, 0.2)), style)
        x32 = self.down32(F.leaky_relu(x64, 0.2))
        for block in self.at32:
            x32 = block(x32, style)
        x16 = self.down16(F.leaky_relu(x32, 0.2))
        for block in self.at16:
            x16 = block(x16, style)
        x32 = self.back32(x32 + F.pixel_shuffle(self.up32(x16), 2), style)
        x64 = self.back64(x64 + F.pixel_shuffle(self.up64(x32), 2), style)
        x128 = x128 + F.pixel_shuffle(self.up128(x64), 2)
        change = F.pixel_shuffle(self.leave(F.leaky_relu(x128, 0.2)), 2)  # (B, 4, S, S)
        return (sketch + 0.5 * torch.tanh(change)).clamp(0, 1)


def finish(finisher: Finisher, sketch: Tensor, code: Tensor, school: int) -> Tensor:
    """Finish sketches of one school: (B, 4, 256, 256), (B, 48) -> (B, 4, 256, 256) float32."""
    one_hot = torch.zeros(len(sketch), len(SCHOOLS) + 1, device=sketch.device)
    one_hot[:, school] = 1.0
    where = whereabouts(len(sketch), sketch.device)
    with torch.autocast(
        sketch.device.type, torch.bfloat16, enabled=has_bfloat16(sketch.device.type)
    ):
        finished = finisher(sketch.to(memory_format=torch.channels_last), where, code, one_hot)
    return finished.float()


@lru_cache(maxsize=4)
def has_bfloat16(device: str) -> bool:
    """Whether the device computes in bfloat16 itself; emulated it would be slower than float32."""
    if device == "cuda":
        return bool(torch.cuda.is_bf16_supported())
    try:
        told = Path("/proc/cpuinfo").read_text(encoding="ascii", errors="ignore")
    except OSError:
        return False
    return "avx512_bf16" in told or "amx_bf16" in told
