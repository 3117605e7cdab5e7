"""The network that finishes what the linear model sketches: hair, cloth, brushwork.

In: a sketch, its appearance code and its school. Out: the finished texture,
``sketch + tanh(network(sketch, code, school)) / 2``. One network serves all six schools: what a
brush does is learnt from every portrait, how this school holds it from its own.

Most of the work is done on 64x64 and 32x32 cells: pictures enter by space-to-depth and leave by
depth-to-space, so nothing is resampled. Hair and cloth begin as noise, the same in every texture,
which the style bends to what is painted there (Karras et al. 2019): so they hold still while a
portrait changes. About 1.4 GMAC a texture, a quarter of the pix2pix U-Net.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mirror import SCHOOLS
from mirror.latents.latents import APPEARANCE

#: Channels at 128, 64, 32 and 16 cells a side.
CHANNELS = (24, 48, 96, 128)
STYLE = 96
#: Channels of the noise, and its seed.
GRAIN, GRAIN_SEED = 8, 128
#: From so many pixels within a texture on, all of it may be finished.
RIM_PX = 16
#: Where these are zero, grain and the block behind it change nothing.
SILENT = ("ground.", "back128.second.")


def whereabouts() -> Tensor:
    """Where each cell of two by two pixels lies in the texture: x and y in [-1, 1].

    Returns (1, 2, 128, 128). The frame is canonical, so place says: here is an eye.
    """
    ramp = torch.linspace(-1, 1, 128)
    return torch.stack([ramp[None].expand(128, 128), ramp[:, None].expand(128, 128)])[None]


def grain() -> Tensor:
    """Noise to begin details with, the same at every call: (1, 8, 128, 128), normal."""
    drawn = np.random.default_rng(GRAIN_SEED).standard_normal((1, GRAIN, 128, 128))
    return torch.from_numpy(drawn.astype(np.float32))


def inland() -> Tensor:
    """How much of each pixel may be finished: (1, 1, 256, 256), 0 at the texture's rim, where
    nobody may see a square, and 1 from ``RIM_PX`` on."""
    away = torch.minimum(torch.arange(256.0), torch.arange(255.0, -1.0, -1.0))
    return (torch.minimum(away[None], away[:, None]) / RIM_PX).clamp(max=1)[None, None]


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
        self.ground = nn.Conv2d(GRAIN, c128, 1, bias=False)
        self.back128 = Styled(c128)
        self.leave = nn.Conv2d(c128, 16, 3, padding=1)
        nn.init.zeros_(self.ground.weight)
        nn.init.normal_(self.leave.weight, std=1e-2)
        if self.leave.bias is not None:
            nn.init.zeros_(self.leave.bias)
        self.register_buffer("where", whereabouts(), persistent=False)
        self.register_buffer("grain", grain(), persistent=False)
        self.register_buffer("inland", inland(), persistent=False)

    def forward(self, sketch: Tensor, code: Tensor, school: Tensor) -> Tensor:
        """Finish sketches.

        sketch: (B, 4, 256, 256), RGB and straight alpha in [0, 1]. code: (B, 48). school: (B, 7),
        one-hot over the six schools and prints. Returns (B, 4, 256, 256) in [0, 1].
        """
        style = self.style(torch.cat([code, school], dim=1))  # (B, 96)
        cells = F.pixel_unshuffle(sketch - 0.5, 2)  # (B, 16, 128, 128)
        where = self.get_buffer("where").expand(len(sketch), -1, -1, -1)
        x128 = self.enter(torch.cat([cells, where], dim=1))  # (B, 24, 128, 128)
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
        x128 = self.back128(x128 + self.ground(self.get_buffer("grain")), style)
        change = F.pixel_shuffle(self.leave(F.leaky_relu(x128, 0.2)), 2)  # (B, 4, 256, 256)
        return (sketch + 0.5 * torch.tanh(change) * self.get_buffer("inland")).clamp(0, 1)

    def take(self, stored: dict[str, Tensor]) -> None:
        """Take up stored weights. Those of before there was grain paint as they did, but for
        the texture's rim.

        Raises RuntimeError for weights of anything else.
        """
        absent = {
            name: torch.zeros_like(own) if name.startswith(SILENT) else own
            for name, own in self.state_dict().items()
            if name.startswith(("ground.", "back128.")) and name not in stored
        }
        self.load_state_dict({**absent, **{name: t.float() for name, t in stored.items()}})


def finish(finisher: Finisher, sketch: Tensor, code: Tensor, school: int) -> Tensor:
    """Finish sketches of one school: (B, 4, 256, 256), (B, 48) -> (B, 4, 256, 256) float32."""
    one_hot = torch.zeros(len(sketch), len(SCHOOLS) + 1, device=sketch.device)
    one_hot[:, school] = 1.0
    with torch.autocast(
        sketch.device.type, torch.bfloat16, enabled=has_bfloat16(sketch.device.type)
    ):
        finished = finisher(sketch.to(memory_format=torch.channels_last), code, one_hot)
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
