"""Fills a school's wardrobe: what is around the faces of its portraits, as small pictures.

In: textures in the canonical frame. Out: the bytes of a weights file. See ``faces/wardrobe.py``.
"""

from __future__ import annotations

import cv2
import numpy as np
import torch
from safetensors.torch import save

from mirror.canonical import Mesh
from mirror.faces.regions import Regions
from mirror.signals import Bools, Bytes, Floats

#: WebP's quality: fine detail at full strength, 5 kB a portrait.
QUALITY = 85
#: Where less is worn than this, there is nothing to be seen of the picture.
BLANK = 0.02
#: How soft a matte is at least, pixels.
MATTE_PX = 0.75
#: How softly what is worn runs into the blank face, pixels: so that it packs well.
RUN_PX = 10.0


def pack(textures: Floats, mesh: Mesh, hair: Bools | None = None) -> bytes:
    """The wardrobe of portraits.

    textures: (N, 256, 256, 4) float32 in [0, 1], RGB and straight alpha. hair: (N,) bool, whose
    hair may be worn; None: everybody's.
    """
    worn = Regions(mesh).worn.numpy()[0, ..., None]  # (256, 256, 1)
    pictures = [picture for texture in textures for picture in _encoded(texture, worn)]
    ends = np.cumsum([len(picture) for picture in pictures])
    tensors = {
        "pictures": torch.from_numpy(np.concatenate(pictures)),
        "ends": torch.from_numpy(ends.astype(np.int64)),
        "hair": torch.from_numpy(np.ones(len(textures), bool) if hair is None else hair),
    }
    return save(tensors)


def _encoded(texture: Floats, worn: Floats) -> list[Bytes]:
    """Colours on black, and coverage."""
    soft = cv2.GaussianBlur(texture[..., 3], (0, 0), MATTE_PX)[..., None]
    on_black = np.concatenate([texture[..., :3] * soft, soft], axis=2)
    spread = cv2.GaussianBlur(np.concatenate([on_black * worn, worn], axis=2), (0, 0), RUN_PX)
    blank = spread[..., :4] / np.maximum(spread[..., 4:], 0.01)
    kept = np.where(worn > BLANK, on_black, blank).clip(0, 1)
    whole = np.round(kept * 255).astype(np.uint8)
    how = [cv2.IMWRITE_WEBP_QUALITY, QUALITY]
    return [
        np.asarray(cv2.imencode(".webp", each, how)[1], np.uint8).reshape(-1)
        for each in (np.ascontiguousarray(whole[..., 2::-1]), whole[..., 3])
    ]
