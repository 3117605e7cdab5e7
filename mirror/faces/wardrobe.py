"""Hair, hats and collars: who never sat wears what the school has painted.

In: what a model painted of a code. Out: the same face in hair from one portrait of the school and
in clothes from another, both in the colours of whoever wears them. Mixtures of a few dozen
portraits agree on faces, and blur all around them; so the brushwork there is the school's own. Of
the portraits themselves only this is kept: their faces are blank.

Hair and clothes are chosen once, and keep the colours that they were put on in, for as long as a
portrait can be seen: see ``FaceModel.dress``.
"""

from __future__ import annotations

import zlib
from collections import OrderedDict
from dataclasses import dataclass, replace

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from mirror.canonical import Ints, Mesh
from mirror.faces.originals import COMPARED_PX
from mirror.faces.regions import TEXTURE_PX, Regions, face_mask
from mirror.faces.skin import Flesh, Skin, colour_of
from mirror.signals import Bools, Bytes, Floats

#: FaceMesh's own numbers: along the upper edges of the brows.
BROWS = (70, 63, 105, 66, 107, 300, 293, 334, 296, 336)
#: Chosen by lot among so many portraits whose hair, or whose clothes, are nearest.
NEAREST = 8
#: Colours are bent to those of whoever wears them by a gamma of at most this, or one over it: so
#: black stays black, and white is never more than white.
GAMMA = 1.6
#: Means are taken for no darker and no lighter than this where gammas are made of them.
DARKEST, LIGHTEST = 0.02, 0.9
#: Pictures of what may be worn that stay decoded, for each school: what 16 portraits wear, 11 MB.
KEPT = 32


#: The powers that bend red, green and blue of what is worn to the wearer's colours.
Tone = tuple[float, float, float]


@dataclass(frozen=True)
class Dress:
    """What somebody wears: numbers of training codes, whose later half are mirror images.

    tones: of hair and clothes, as they were put on first; without them they change colour with
    whoever wears them.
    """

    hair: int
    clothes: int
    tones: tuple[Tone, Tone] | None = None


@dataclass(frozen=True)
class Rack:
    """What hangs in a wardrobe.

    pictures: (2N,) encoded images, colours on black and coverage of each of N portraits. hair:
    (N,) bool, whose hair may be worn: heads can be told apart in it as they turn.
    """

    pictures: list[Bytes]
    hair: Bools


@dataclass(frozen=True)
class Piece:
    """Something to be worn. picture: (4, 256, 256) uint8, on black. flesh: where it is skin."""

    picture: Tensor
    flesh: Flesh


@dataclass(frozen=True)
class _Layer:
    """A piece on somebody. picture: (4, 256, 256), on black, 0 to 1. part: (1, 256, 256), where it
    is worn. skin: (1, 256, 256), where it is skin; flesh: what skin that is."""

    picture: Tensor
    part: Tensor
    skin: Tensor
    flesh: Flesh

    def tone(self, bare: Tensor) -> Tensor:
        """What gives it the colours of its wearer, (4, 256, 256) on black: (3, 1, 1)."""
        return _gamma(bare, self.picture, self.part * (1 - self.skin), stride=2)


class Wardrobe:
    """What a school's portraits wear."""

    def __init__(
        self, rack: Rack, mesh: Mesh, mean: Tensor, components: Tensor, codes: Floats,
        apart: float, flesh: float = 1.0,
    ) -> None:  # fmt: skip
        """mean: (4, S, S) float32; components: (48, 4, S, S), S a multiple of 32; codes: (2N, 48),
        mirror images last; apart: see ``Originals``; flesh: 1 where skin has another colour than
        hair has, down to 0, where all is of one stone. Raises ValueError for a rack of another
        number of portraits, or one without hair."""
        if len(rack.pictures) != len(codes) or 2 * len(rack.hair) != len(codes):
            raise ValueError(f"{len(rack.pictures)} pictures of {len(codes) // 2} portraits")
        if not rack.hair.any():
            raise ValueError("no hair to be worn")
        self._pictures, self._apart = rack.pictures, apart
        everybody = np.arange(len(rack.hair))
        self._wearable = np.flatnonzero(rack.hair), everybody  # hair, clothes
        self._regions, self._compared = Regions(mesh), Regions(mesh, COMPARED_PX)
        self._device = mean.device
        self._parts = self._regions.parts.to(self._device)
        inside = face_mask(mesh, TEXTURE_PX).astype(np.float32)
        away = cv2.distanceTransform((inside == 0).astype(np.uint8), cv2.DIST_L2, 5)
        brows = int(mesh.uv[list(BROWS), 1].min() * TEXTURE_PX)
        self._skin = Skin(
            torch.from_numpy(away)[None].to(self._device), self._parts.sum(dim=0), brows, flesh
        )
        step = mean.shape[-1] // COMPARED_PX
        self._mean = F.avg_pool2d(mean.cpu(), step)
        self._components = F.avg_pool2d(components.cpu(), step).flatten(1)  # (48, 4 * 32 * 32)
        self._originals = self._small(codes)  # (2N, 4, 32, 32)
        self._colours = self._originals[:, :3].flatten(1)
        self._lengths = self._colours.square().sum(dim=1)
        small = torch.from_numpy(cv2.resize(inside, (COMPARED_PX, COMPARED_PX))) > 0.99
        seen = self._originals[:, :, small].sum(dim=2)  # (2N, 4)
        self._tones = (seen[:, :3] / seen[:, 3:]).to(self._device)  # of their faces
        self._decoded: OrderedDict[int, Piece] = OrderedDict()

    def choose(self, code: Floats) -> Dress:
        """What suits an appearance (48,), as long as it makes nobody's portrait of it.

        By lot among what is nearest, and the same for the same code.
        """
        lot = np.random.default_rng(zlib.crc32(np.packbits(code > 0).tobytes()))
        sketch = self._small(code[None])[0]
        near = [
            self._nearest(sketch, part, among)
            for part, among in zip(self._compared.parts, self._wearable)
        ]
        pairs = [Dress(hair, clothes) for hair in near[0] for clothes in near[1]]
        away = self._distances(sketch, *near).ravel()
        order = lot.permutation(len(pairs))
        far = away[order] >= self._apart
        return pairs[order[far.argmax() if far.any() else away[order].argmax()]]

    def fit(self, texture: Tensor, dress: Dress) -> Dress:
        """The same hair and clothes, in the colours that suit a texture (4, 256, 256)."""
        bare = _on_black(texture)
        layers = self._layers(self._skin.find_of_wearer(bare), dress)
        hair, clothes = (_floats(layer.tone(bare)) for layer in layers)
        return replace(dress, tones=(hair, clothes))

    def put_on(self, texture: Tensor, dress: Dress) -> Tensor:
        """Dress a painted texture: (4, 256, 256), RGB and straight alpha in [0, 1]."""
        bare = _on_black(texture)
        wearer = self._skin.find_of_wearer(bare)
        layers = self._layers(wearer, dress)
        dressed = bare * (1 - layers[0].part - layers[1].part)
        for layer, tone in zip(layers, dress.tones or (None, None)):
            power = layer.tone(bare) if tone is None else bare.new_tensor(tone)[:, None, None]
            colour = colour_of(layer.picture)
            worn = colour.clamp(1e-4, 1).pow(power)
            worn.lerp_(self._skin.matched(wearer, layer.flesh, colour), layer.skin)
            covers = layer.part * layer.picture[3:]
            dressed[:3].addcmul_(worn, covers)  # in place: a megabyte of new memory costs more
            dressed[3:].add_(covers)
        hair = layers[0]
        self._skin.shade(wearer, dressed, hair.part * (1 - hair.skin))
        colour = dressed[:3] / dressed[3:].clamp(min=1 / 255)
        return torch.cat([colour, dressed[3:]]).clamp_(0, 1)

    def _layers(self, wearer: Flesh, dress: Dress) -> tuple[_Layer, _Layer]:
        """Hair and clothes on somebody."""
        above, below = self._parts
        hair, clothes = self._piece(dress.hair), self._piece(dress.clothes)
        skin = self._skin.where(hair.flesh)
        # What the hair leaves bare of a forehead keeps no fringe of its own.
        fringe = (1 - above - below) * self._skin.forehead * (1 - self._skin.where(wearer))
        return (
            _Layer(hair.picture.float().div_(255), above + fringe * skin, skin, hair.flesh),
            _Layer(
                clothes.picture.float().div_(255), below, self._skin.where(clothes.flesh),
                clothes.flesh,
            ),
        )  # fmt: skip

    def _small(self, codes: Floats) -> Tensor:
        """Sketches as they are compared: (B, 48) -> (B, 4, 32, 32), on black."""
        drawn = torch.from_numpy(np.asarray(codes, np.float32)) @ self._components
        sketch = (self._mean + drawn.view(-1, *self._mean.shape)).clamp_(0, 1)
        return torch.cat([sketch[:, :3] * sketch[:, 3:], sketch[:, 3:]], dim=1)

    def _nearest(self, sketch: Tensor, part: Tensor, among: Ints) -> list[int]:
        """Whose part is most like it: a portrait or its mirror image, not both."""
        away = ((self._originals - sketch) * part).square().sum(dim=(1, 2, 3))
        sitters = len(away) // 2
        mirrored = away[sitters:] < away[:sitters]
        nearest = torch.minimum(away[:sitters], away[sitters:])[among].argsort()[:NEAREST]
        return [int(n) + sitters * int(mirrored[n]) for n in among[nearest]]

    def _distances(self, sketch: Tensor, hair: list[int], clothes: list[int]) -> Floats:
        """How far somebody is from the nearest original, as these are compared, in each of H heads
        of hair and each of C clothes: (H, C). Squares multiplied out: each is recoloured once."""
        parts, originals = self._compared.parts, self._originals
        bare, above, below = (
            worn[..., :3, :, :].flatten(-3)
            for worn in (
                sketch * (1 - parts.sum(dim=0)),
                _worn(sketch, originals[hair], parts[0]),
                _worn(sketch, originals[clothes], parts[1]),
            )
        )
        dressed = bare + above[:, None] + below  # (H, C, 3 * 32 * 32)
        alike = self._colours @ dressed.flatten(0, 1).T  # (2N, H * C)
        away = self._lengths[:, None] - 2 * alike + dressed.square().sum(dim=2).flatten()
        nearest = away.min(dim=0).values.clamp(min=0) / dressed.shape[2]
        return nearest.sqrt().view(len(hair), len(clothes)).numpy()

    def _piece(self, number: int) -> Piece:
        """What a training code wears."""
        if number not in self._decoded:
            picture = self._decode(number).to(self._device)
            flesh = self._skin.find(picture.float().div_(255), self._tones[number])
            self._decoded[number] = Piece(picture, flesh)
            if len(self._decoded) > KEPT:
                self._decoded.popitem(last=False)
        self._decoded.move_to_end(number)
        return self._decoded[number]

    def _decode(self, number: int) -> Tensor:
        """Its picture, (4, 256, 256) uint8, on black."""
        sitters = len(self._pictures) // 2
        colour, coverage = (
            cv2.imdecode(self._pictures[2 * (number % sitters) + n], cv2.IMREAD_UNCHANGED)
            for n in range(2)
        )
        both = np.dstack([colour[..., 2::-1], coverage if coverage.ndim == 2 else coverage[..., 0]])
        both = both[:, ::-1] if number >= sitters else both
        return torch.from_numpy(np.ascontiguousarray(both.transpose(2, 0, 1)))


def _on_black(texture: Tensor) -> Tensor:
    """Colours as they are seen on black: straight alpha (4, S, S) -> premultiplied."""
    return torch.cat([texture[:3] * texture[3:], texture[3:]])


def _floats(tone: Tensor) -> Tone:
    red, green, blue = tone.flatten().tolist()
    return red, green, blue


def _worn(bare: Tensor, piece: Tensor, part: Tensor) -> Tensor:
    """A piece, or many (..., 4, S, S), in the colours of whoever wears it, as far as it is worn."""
    colour = colour_of(piece).clamp(1e-4, 1).pow(_gamma(bare, piece, part))
    alpha = piece[..., 3:, :, :]
    return part * torch.cat([colour * alpha, alpha], dim=-3)


def _gamma(bare: Tensor, piece: Tensor, part: Tensor, stride: int = 1) -> Tensor:
    """The power that gives a piece, or many (..., 4, S, S), the colours of whoever wears it:
    (..., 3, 1, 1). part: (1, S, S), where it is worn. stride: every so many pixels are asked."""
    few = part[:, ::stride, ::stride]
    theirs, own = (_tone(each[..., ::stride, ::stride], few) for each in (piece, bare))
    return (own / theirs).clamp(1 / GAMMA, GAMMA)


def _tone(picture: Tensor, where: Tensor) -> Tensor:
    """Logarithm of the mean colour of a picture on black (..., 4, S, S): (..., 3, 1, 1), below 0.

    where: (1, S, S), how much each pixel counts.
    """
    colour, alpha = picture[..., :3, :, :], picture[..., 3:, :, :]
    weight = (where * alpha).sum(dim=(-2, -1), keepdim=True) + 1e-3
    mean = (where * colour).sum(dim=(-2, -1), keepdim=True) / weight
    return mean.clamp(DARKEST, LIGHTEST).log()
