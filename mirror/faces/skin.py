"""Skin that is not the face's own: foreheads under hats, ears and necks take the face's colour.

What is worn brings skin of its portrait along. Hair may have any colour; skin beside a face may
not, or one sees a mask. So it is told apart by its colour, which is that of its portrait's own
face, and shifted to the colour that the wearer's face has next to it, the more exactly the nearer
(a membrane, as between pictures that are cloned seamlessly: Pérez, Gangnet, Blake 2003, but spread
by blurring, and between logits of colours, where black stays black and nothing burns out).

In: who wears a piece, and the piece. Out: the piece's colours. Called by the painter.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.nn import functional as F

#: Skin has its portrait's hue within about so much (of the logarithm of red over green, and of
#: green over blue), next to the face within more; it may be so much lighter or darker (a logarithm,
#: too), and then soon ends.
HUE, HUE_NEXT, LIGHT, LIGHT_SOFT = 0.15, 0.3, 0.5, 0.25
#: Next to the face is within so many pixels of its oval. Skin may be up to here, and then soon not.
NEXT_PX, SKIN_PX, SKIN_SOFT_PX = 14.0, 16.0, 24.0
#: So far above the brows a forehead ends, and so softly, pixels; on it, what is darker by more than
#: this (of the logarithm of light) is a fringe.
BROW_PX, BROW_SOFT_PX, DARKER, DARKER_SOFT = 6, 1.5, 0.06, 0.2
#: Colours are held within this of black and white before their logits are taken.
EDGE = 0.02
#: Of what sets a place of the piece's skin off its face's tone so much of hue and of light is kept.
OWN_HUE, OWN_LIGHT = 0.35, 0.95
#: So much lighter than its face's tone, in logits, is a place of the piece's skin at most.
HIGHLIGHT = 0.9
#: Beside a place no shift is further than this from the one between the faces' tones.
MOST = 0.8
#: Skin is looked for, and shifts are computed, at this side. From the seam they spread so far,
#: pixels of it: nearest first.
SIDE, SPREADS = 64, (2.0, 10.0)
#: How deep the shadow of a brim is on the skin below it, how softly it ends and how far it falls,
#: pixels of the same.
SHADE, SHADE_PX, SHADE_FALLS_PX = 0.55, 2.5, 1.5
#: In the depth of a shadow brushwork is so much stronger.
BRUSHWORK = 1.7
#: What counts as little evidence of the colour beside a place: there the coarser shift is taken.
LITTLE = 0.02


@dataclass(frozen=True)
class Flesh:
    """A picture and where it is skin. small: (4, 64, 64) on black. tone: (3,), the mean colour of
    its portrait's face. skin: (1, 64, 64), 0 to 1."""

    small: Tensor
    tone: Tensor
    skin: Tensor


class Skin:
    """Finds skin, and shifts it to the colour of the face beside it. For textures of one size, a
    multiple of 64, on one device."""

    def __init__(self, away: Tensor, worn: Tensor, brows: int, flesh: float = 1.0) -> None:
        """away: (1, S, S) float32, pixels from the face's oval, 0 within. worn: (1, S, S), how much
        of each pixel is worn, 0 to 1; between the two is the seam. brows: the row at which they
        begin. flesh: how far what looks like skin is taken for it, 0 to 1."""
        self._step = away.shape[-1] // SIDE
        rows = torch.arange(away.shape[-1], device=away.device)
        self.forehead = torch.sigmoid((brows - BROW_PX - rows) / BROW_SOFT_PX)[None, :, None]
        self._above_brows = brows // self._step - 1
        away, seam = self._small(away), self._small(worn)
        self._face = (away == 0) & (seam < 0.01)
        self._hue = HUE + (HUE_NEXT - HUE) * (-(away / NEXT_PX).square()).exp()
        self._may_be = flesh * (-((away - SKIN_PX).clamp(min=0) / SKIN_SOFT_PX).square()).exp()
        self._seam = 4 * seam * (1 - seam)
        self._shade = SHADE * flesh
        self._brim = _blur(SHADE_PX, SHADE_FALLS_PX).to(away.device)
        self._blurs = [_blur(spread).to(away.device) for spread in SPREADS]

    def find(self, picture: Tensor, tone: Tensor) -> Flesh:
        """Skin is what has the hue and the light of its face, near it. (4, S, S), on black; (3,)"""
        small = self._small(picture)
        off = colour_of(small).clamp(EDGE, 1).log() - tone.clamp(EDGE, 1).log()[:, None, None]
        hue = ((off[0] - off[1]).square() + (off[1] - off[2]).square()) / self._hue.square()
        light = ((off.mean(dim=0).abs() - LIGHT).clamp(min=0) / LIGHT_SOFT).square()
        return Flesh(small, tone, (-0.5 * (hue + light)).exp() * self._may_be)

    def find_of_wearer(self, picture: Tensor) -> Flesh:
        """The same of whoever wears something, whose face is there: (4, S, S), on black."""
        seen = self._small(picture)[:, self._face[0]].sum(dim=1)
        flesh = self.find(picture, seen[:3] / seen[3:].clamp(min=EDGE))
        # On a forehead skin is what is as light as just above the brows: a fringe is no darker than
        # shadows are elsewhere.
        light = flesh.small[:3].mean(dim=0, keepdim=True).clamp(min=EDGE).log()
        darker = ((light[:, self._above_brows, None] - light - DARKER) / DARKER_SOFT).clamp(0, 1)
        return replace(flesh, skin=flesh.skin * (1 - self._small(self.forehead) * darker))

    def where(self, flesh: Flesh) -> Tensor:
        """Where somebody is skin, as large as the textures: (1, S, S)."""
        return self._large(flesh.skin)

    def matched(self, wearer: Flesh, piece: Flesh, colour: Tensor) -> Tensor:
        """A piece's colours as they would be if all of it were skin of the wearer's: (3, S, S)."""
        own, theirs = (torch.logit(each.tone, EDGE)[:, None, None] for each in (wearer, piece))
        own_here, here = (torch.logit(colour_of(each.small), EDGE) for each in (wearer, piece))
        usual, calm = _calmed(theirs), _calmed(here)
        shift = own - usual
        # Skin that was burnt out in its portrait is no whiter on somebody else than a highlight.
        lighter = (calm - usual).clamp(min=0)
        calm = calm - lighter + HIGHLIGHT * (lighter / HIGHLIGHT).tanh()
        beside = shift + (own_here - calm - shift).clamp(-MOST, MOST)
        weight = self._seam * wearer.skin * piece.skin * wearer.small[3:] * piece.small[3:]
        evidence = torch.cat([weight * beside, weight])  # (4, 64, 64)
        for blur in reversed(self._blurs):  # the farther it spreads, the coarser
            spread = blur @ evidence @ blur
            shift = (spread[:3] + LITTLE * shift) / (spread[3:] + LITTLE)
        # Only what is broad is calmed: brushwork stays as it is.
        return torch.logit(colour, EDGE).add_(self._large(calm - here + shift)).sigmoid_()

    def shade(self, wearer: Flesh, dressed: Tensor, hair: Tensor) -> None:
        """Take light off the skin beside what is darker and lies over it, in place: a brim casts a
        shadow, and without it a forehead ends as if it were cut. Brushwork stays, and shows more.

        dressed: (4, S, S), on black. hair: (1, S, S), how much of each pixel it is.
        """
        small, covers = self._small(dressed), self._small(hair)
        light = colour_of(small).mean(dim=0, keepdim=True) / wearer.tone.mean().clamp(min=EDGE)
        dark = covers * (1 - light).clamp(0, 1)
        shade = self._large((self._brim @ dark @ self._blurs[0]) * (1 - covers) * self._shade)
        broad = self._large(small[:3])
        dressed[:3].mul_(1 + BRUSHWORK * shade).sub_((1 + BRUSHWORK) * shade * broad)

    def _small(self, picture: Tensor) -> Tensor:
        step = self._step, min(self._step, picture.shape[-1])
        return F.avg_pool2d(picture[None], step)[0]

    def _large(self, small: Tensor) -> Tensor:
        return F.interpolate(
            small[None], scale_factor=self._step, mode="bilinear", align_corners=False
        )[0]


def colour_of(picture: Tensor) -> Tensor:
    """On black, (..., 4, S, S) -> (..., 3, S, S)."""
    return picture[..., :3, :, :] / picture[..., 3:, :, :].clamp(min=1 / 255)


def _calmed(logits: Tensor) -> Tensor:
    """Logits of a piece's colours (3, ...) with no more of their differences than are kept: light
    is their mean, hue what each is off it."""
    light = logits.mean(dim=0, keepdim=True)
    return OWN_HUE * logits + (OWN_LIGHT - OWN_HUE) * light


def _blur(sigma: float, falls: float = 0.0) -> Tensor:
    """What blurs rows or columns when they are multiplied by it: (64, 64), symmetric; rows that
    fall go so many pixels down."""
    place = torch.arange(SIDE)
    weight = torch.exp(-0.5 * ((place[:, None] - place - falls) / sigma).square())
    return weight / weight[SIDE // 2].sum()
