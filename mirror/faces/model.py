"""One school's face model: from an appearance to a canonical texture, and from markers to a latent.

In: appearance codes of one school. Out: RGBA textures in the canonical frame. In a show the
painter's thread calls; torch is used nowhere else but here and in the atelier.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from mirror import SCHOOLS
from mirror.canonical import Mesh, live_vertices
from mirror.faces.crisp import Crisp
from mirror.faces.finisher import Finisher, finish
from mirror.faces.originals import Originals
from mirror.faces.wardrobe import Dress, Rack, Wardrobe
from mirror.latents.latents import (
    APPEARANCE,
    guess_aspect,
    join,
    read_shape,
    remove_pose,
    split,
)
from mirror.latents.stored import STORED, geometry_of
from mirror.lines import drawn, faintness
from mirror.settings import FaceSettings
from mirror.signals import Bytes, Floats, check

TEXTURE_PX = 256
#: How a sitter is drawn when nobody says otherwise.
STANDARD = FaceSettings()


@dataclass(frozen=True)
class Shell:
    """The lengths of a school's appearance codes.

    norm: typical length of an appearance code; low, high: the shell that codes are kept in.
    """

    norm: float
    low: float
    high: float


class FaceModel:
    """One school: reading, geometry and the generator of textures.

    school: its name. card: the JSON card. geometry: see ``latents.SchoolGeometry``.
    """

    def __init__(
        self, school: str, card: dict[str, Any], tensors: dict[str, torch.Tensor], mesh: Mesh,
        device: str = "cpu", accent: float = STANDARD.accent, finisher: Finisher | None = None,
        emphasis: float = STANDARD.emphasis, rack: Rack | None = None,
    ) -> None:  # fmt: skip
        """rack: see ``Wardrobe``; without it everybody is painted as the code says."""
        self.school, self.card, self.mesh, self.accent = school, card, mesh, accent
        self._finisher = finisher
        self.device = torch.device(device)
        arrays = {name: tensors[name].float().numpy() for name in STORED}
        self.geometry = geometry_of(arrays, mesh.frame, emphasis)
        self.shell = Shell(**card["shell"])
        self._mean = _channels_first(tensors["mean_texture"].float() / 255.0).to(self.device)
        scale = tensors["component_scale"].float()[:, None, None, None]
        # In one pass and in place: three copies of six models were half a second of a start.
        components = (
            tensors["components"]
            .movedim(-1, -3)
            .to(torch.float32, memory_format=torch.contiguous_format, copy=True)
            .mul_(scale)
        )  # (48, 4, 128, 128)
        self._components = components.flatten(1).contiguous().to(self.device)
        self._side = components.shape[-1]
        self.training_codes = tensors["codes"].float().numpy()
        line = card.get("line", 0.0)
        self._lined = torch.from_numpy(drawn(mesh.frame, line)).to(self.device)  # (256, 256)
        self._crisp = Crisp(mesh, faintness(line), self.device)
        half = torch.nn.functional.avg_pool2d(self._mean[None], self._mean.shape[-1] // self._side)
        apart = card.get("apart", 0.0)
        self._originals = Originals(
            self.training_codes, half[0].cpu().numpy(), components.numpy(), apart
        )
        self._wardrobe = (
            Wardrobe(
                rack, mesh, half[0], components, self.training_codes, apart, 1 - faintness(line)
            )
            if rack is not None
            else None
        )

    def read(self, markers: Floats, aspect: float | None = None) -> Floats:
        """Markers to this school's latent.

        markers: (478, 3) float32, image-normalised. aspect: width over height of the picture
        that they were found in; None guesses the most likely of the usual formats.
        Returns (D,) float32.
        """
        frame = self.mesh.frame
        pose, shape = remove_pose(markers, aspect or guess_aspect(markers, frame), frame)
        bent, code = read_shape(self.geometry, shape, self.accent)
        return join(pose, bent, self.on_shell(code[None])[0])

    def on_shell(self, codes: Floats) -> Floats:
        """Bring codes (B, 48) whose norm left the school's shell back to its nearer side."""
        norm = np.linalg.norm(codes, axis=1, keepdims=True)
        wanted = np.clip(norm, self.shell.low, self.shell.high)
        return (codes * (wanted / np.maximum(norm, 1e-6))).astype(np.float32)

    def random_codes(self, count: int, seed: int) -> Floats:
        """Appearance codes drawn from the school's density.  (count, 48) float32"""
        rng = np.random.default_rng(seed)
        return draw_codes(self.training_codes, self.shell.norm, count, rng)

    @torch.inference_mode()
    def dress(self, codes: Floats) -> list[Dress | None]:
        """What suits codes (B, 48): one each, None where the school has no wardrobe.

        Hold on to it while a portrait can be seen: an appearance that changes a little would be
        given other hair, and hair another colour.
        """
        if self._wardrobe is None:
            return [None] * len(codes)
        held = self._originals.keep_apart(self.on_shell(codes))
        return list(self._dress(held, self._sketch(torch.from_numpy(held).to(self.device))))

    @torch.inference_mode()
    def paint(
        self, codes: Floats, finished: bool = True, copies: bool = False,
        worn: Sequence[Dress | None] | None = None,
    ) -> Bytes:  # fmt: skip
        """Canonical textures.

        codes: (B, 48) float32. finished: False leaves them as the linear sketch, for comparison;
        without finisher and wardrobe both are the same. copies: True paints training portraits,
        too, as the model remembers them; otherwise whatever is painted keeps away from them, in
        their hair and clothes but with nobody's face. worn: what ``dress`` chose for each before;
        None: chosen now. Returns (B, 256, 256, 4) uint8, RGB and straight alpha.
        """
        check("codes", codes, (None, APPEARANCE))
        held = self.on_shell(codes)
        held = held if copies else self._originals.keep_apart(held)
        a = torch.from_numpy(held).to(self.device)
        texture = sketch = self._sketch(a)
        if finished and self._finisher is not None:
            texture = finish(self._finisher, texture, a, SCHOOLS.index(self.school))
            texture = self._crisp(texture)
        if finished and not copies and self._wardrobe is not None:
            worn = worn or self._dress(held, sketch)
            texture = torch.stack([
                each if dress is None else self._wardrobe.put_on(each, dress)
                for each, dress in zip(texture, worn)
            ])  # fmt: skip
        texture[:, :3] *= self._lined
        texture = texture.mul_(255).round_().to(torch.uint8)
        return texture.permute(0, 2, 3, 1).contiguous().cpu().numpy()

    def _sketch(self, codes: torch.Tensor) -> torch.Tensor:
        """What the linear model paints: (B, 48) -> (B, 4, 256, 256), straight alpha, 0 to 1."""
        away = (codes @ self._components).view(len(codes), 4, self._side, self._side)
        away = torch.nn.functional.interpolate(
            away, size=TEXTURE_PX, mode="bilinear", align_corners=False
        )
        return (self._mean + away).clamp_(0, 1)

    def _dress(self, held: Floats, sketches: torch.Tensor) -> list[Dress]:
        """What suits codes as they are painted, in the colours of their sketches."""
        wardrobe = self._wardrobe
        assert wardrobe is not None
        return [wardrobe.fit(each, wardrobe.choose(code)) for code, each in zip(held, sketches)]

    def portray(
        self, latent: Floats, size: int = TEXTURE_PX, copies: bool = False,
        worn: Dress | None = None,
    ) -> Bytes:  # fmt: skip
        """A latent as a portrait: painted, warped and drawn by the screen's own shaders.

        latent: (D,) float32. copies, worn: as for ``paint``. Returns (size, size, 3) uint8 RGB.
        Needs OpenGL (ScreenError).
        """
        from mirror.screen import portray as draw  # noqa: PLC0415 - painting alone needs no OpenGL

        pose, shape, code = split(latent[None])
        vertices = live_vertices(self.mesh, pose, shape)[0]
        painted = self.paint(code, copies=copies, worn=[worn] if worn else None)
        return draw(self.mesh, painted[0], vertices, size=size)


def draw_codes(training: Floats, norm: float, count: int, rng: np.random.Generator) -> Floats:
    """Codes from a density that fits a school: mixtures of a few of its sitters, on the shell.

    A Gaussian in 48 dimensions knows nothing of the few dozen portraits behind it; mixtures of
    three of them, with weights that may be negative, stay near what was once painted.
    """
    pick = rng.integers(0, len(training), (count, 3))
    weight = rng.dirichlet((1.0, 1.0, 1.0), count)
    codes = (training[pick] * weight[..., None]).sum(axis=1)  # (count, 48)
    codes += 0.25 * rng.standard_normal(codes.shape) * training.std(axis=0)
    return (codes * (norm / np.linalg.norm(codes, axis=1, keepdims=True))).astype(np.float32)


def _channels_first(tensor: torch.Tensor) -> torch.Tensor:
    return tensor.movedim(-1, -3).contiguous()
