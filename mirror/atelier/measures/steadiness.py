"""Does the paint hold still when it should?

In: a variant and its linear sketch. Out: numbers. A code walks slowly from one random appearance to
another, in steps as small as those after which the show paints anew. Where both ends of the walk
are alike there is nothing to do on the way: what moves there, flickers. Hair and clothes stay, as
they do in the show while a portrait can be seen.
"""

from __future__ import annotations

import numpy as np

from mirror.atelier.measures.likeness import seen
from mirror.atelier.measures.variants import Variant, random_codes
from mirror.signals import Floats

WALKS, STEPS = 6, 16
#: The part of the portrait that changes least from end to end.
STILL = 0.25
#: What counts as portrait: how opaque it is at both ends.
OPAQUE = 0.5


def steady(variant: Variant, sketch: Variant, walks: int, seed: int) -> tuple[float, float]:
    """Mean change a step where nothing should change, in levels of 255; and the detour.

    The places are the quietest quarter of the sketch's portrait, the same for both variants. The
    detour is the way that pixels of the portrait go, over the distance that they come: 1 is
    straight.
    """
    quiet, detours = [], []
    for codes in _walks(variant, walks, seed):
        ends = sketch.paint(codes[[0, -1]])
        portrait = (ends[..., 3] > 255 * OPAQUE).all(axis=0)
        come = np.abs(seen(ends[1]) - seen(ends[0])).mean(axis=2)
        still = portrait & (come <= np.quantile(come[portrait], STILL))
        painted = variant.paint(codes, variant.dress(codes[0]))
        frames = np.stack([seen(texture) for texture in painted])  # (T, S, S, 3)
        steps = np.abs(np.diff(frames, axis=0)).mean(axis=3)
        quiet.append(float(steps[:, still].mean()))
        came = np.abs(frames[-1] - frames[0]).mean(axis=2)[portrait].mean()
        detours.append(float(steps[:, portrait].sum(axis=0).mean() / max(float(came), 1e-9)))
    return 255 * float(np.mean(quiet)), float(np.mean(detours))


def _walks(variant: Variant, walks: int, seed: int) -> list[Floats]:
    """Codes on the way between each two: (STEPS + 1, 48) each."""
    ends = random_codes(variant.model, 2 * walks, seed)
    share = np.linspace(0, 1, STEPS + 1, dtype=np.float32)[:, None]
    return [(1 - share) * ends[2 * n] + share * ends[2 * n + 1] for n in range(walks)]
