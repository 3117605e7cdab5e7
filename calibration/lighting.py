"""What the light on a face is worth: what was seen of it comes in, ``Verdict``s with plain advice
go out.

Sides are told as the sitter sees them, who looks at the screen. Pure; called by the light step.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from calibration.looking import Looker, Room, Sight
from calibration.steadying import CALM, Steadied, steady
from calibration.verdicts import FAIL, OPEN, PASS, WARN, Verdict, judged
from mirror.settings import MarkerSettings

#: Height of a face in pixels, near and far: what passes, and what still is found. The detector
#: sees 48 pixels of 720; the mesh network looks at 192 pixels, fewer are blown up to that.
NEAR_PX, NEAR_LEAST_PX = 120.0, 80.0
FAR_PX, FAR_LEAST_PX = 70.0, 50.0
#: And as a share of the picture's height: whoever is nearer is cut off when moving.
LARGEST, LARGEST_MOST = 0.6, 0.85
#: Median brightness of skin, 0 to 255.
BRIGHT = (70.0, 205.0)
BRIGHT_BEARS = (40.0, 235.0)
#: Share of the skin that is clipped: there a face has no drawing.
CLIPPED, CLIPPED_MOST = 0.03, 0.15
#: Spread of brightness over the face.
CONTRAST, CONTRAST_LEAST = 40.0, 20.0
#: How much more light one half of the face has, as a share of the light on both.
SIDE, SIDE_MOST = 0.15, 0.35
#: Brightness of what is round the face over that of the face, where the face is in shadow.
BACK, BACK_MOST, SHADOW = 1.5, 2.5, 110.0
#: Share of pictures in which the face was found, from the first one on.
FOUND, FOUND_LEAST = 0.98, 0.8
#: Who moves further, in face heights, does not stand still.
STILL = 0.04
#: A room so dark, or so much of it so bright, that a face in it may not be found.
DARK_ROOM, WHITE_ROOM = 30.0, 0.35
#: For a distance that nobody measured: the height of a face, and half the angle of a usual lens.
FACE_CM, HALF_ANGLE_RAD = 19.0, math.radians(33.0)


@dataclass(frozen=True)
class Light:
    """What was seen of one person at one mark.

    size: of the pictures, width and height. mirror: they are mirrored. distance_cm: of the mark,
    0.0 where nobody measured it. sights: of the pictures with a face. rooms: of all pictures from
    the first of those on. looked: how many pictures there were.
    """

    mark: str
    size: tuple[int, int]
    mirror: bool
    distance_cm: float
    sights: tuple[Sight, ...]
    rooms: tuple[Room, ...]
    looked: int

    @property
    def face(self) -> dict[str, float]:
        """The median of every number over all sights."""
        names = ("height_px", "brightness", "low", "high", "clipped", "left", "right", "around")
        return {n: float(np.median([getattr(s, n) for s in self.sights])) for n in names}

    @property
    def side(self) -> float:
        """-1 to 1: which half of the face has more light, as the sitter sees it; right: above 0."""
        face = self.face
        side = (face["right"] - face["left"]) / max(1.0, face["right"] + face["left"])
        return side if self.mirror else -side

    @property
    def found(self) -> float:
        """Share of pictures with a face, from the first one that had one on."""
        return len(self.sights) / max(1, len(self.rooms))


def light_of(
    looker: Looker, mark: str, size: tuple[int, int], mirror: bool, distance_cm: float
) -> Light:
    """What a looker has seen, from the first picture with a face on."""
    rooms = tuple(looker.rooms[looker.first :]) if looker.sights else tuple(looker.rooms)
    return Light(mark, size, mirror, distance_cm, tuple(looker.sights), rooms, looker.looked)


def light_verdicts(light: Light, steadied: Steadied | None) -> list[Verdict]:
    """All that can be said of the light at one mark."""
    if not light.sights:
        return _nobody(light)
    return [
        _found(light), *_alone(light), _size(light), _brightness(light), _clipped(light),
        _contrast(light), _side(light), _back(light), _tremor(light, steadied),
    ]  # fmt: skip


def steadied_of(light: Light, settings: MarkerSettings) -> Steadied | None:
    """The filter that calms this person's markers; None for too few pictures."""
    if not light.sights:
        return None
    return steady(
        np.array([sight.time_s for sight in light.sights]),
        np.array([sight.markers for sight in light.sights]),
        np.array([sight.height_px for sight in light.sights]),
        settings,
    )


def trusted(light: Light, steadied: Steadied | None) -> bool:
    """Whether the markers were those of one person who stood still: only then they set the
    filter."""
    alone = np.mean([sight.faces > 1 for sight in light.sights]) < 0.1 if light.sights else False
    return bool(steadied is not None and alone and steadied.moved <= STILL)


def light_measured(light: Light, steadied: Steadied | None) -> dict[str, Any]:
    """What goes into the [measured] table of the site file."""
    face = light.face
    measured = {
        f"light_{light.mark}_px": round(face["height_px"], 1),
        "light_brightness": round(face["brightness"], 1),
        "light_contrast": round(face["high"] - face["low"], 1),
        "light_side": round(light.side, 3),
        "light_found": round(light.found, 4),
    }
    if steadied is not None and trusted(light, steadied):
        measured["light_jitter"] = round(min(1.0, steadied.raw), 5)
    return measured


def _nobody(light: Light) -> list[Verdict]:
    """No face in any picture: told by the light in the room, if that explains it."""
    bright = float(np.median([room.brightness for room in light.rooms])) if light.rooms else 0.0
    white = float(np.median([room.clipped for room in light.rooms])) if light.rooms else 0.0
    advice = "is somebody at the mark, facing the camera, without a mask? Come closer"
    verdicts = []
    if bright < DARK_ROOM:
        found = f"the whole picture is dark, {bright:.0f} of 255"
        advice = "light the place where people stand, from the front, or expose for longer"
        verdicts = [Verdict(_key(light, "brightness"), FAIL, found, _range(BRIGHT), advice, bright)]
    elif white > WHITE_ROOM:
        found = f"{100 * white:.0f} % of the picture is white, without drawing"
        advice = "a shorter exposure (--exposure), less gain, or less light"
        limit = f"{100 * CLIPPED:g} % of the face"
        verdicts = [Verdict(_key(light, "overexposed"), FAIL, found, limit, advice, white)]
    found = f"no face in {light.looked} pictures"
    limit = f"{100 * FOUND:g} % of the pictures"
    return [*verdicts, Verdict(_key(light, "found"), FAIL, found, limit, advice, 0.0)]


def _found(light: Light) -> Verdict:
    share = light.found
    return judged(
        _key(light, "found"), share, f"in {100 * share:.0f} % of the pictures", (FOUND, 1.0),
        (FOUND_LEAST, 1.0), f"{100 * FOUND:g} %",
        "more light on the face, or come closer; look at the screen, hair and mask off the face",
    )  # fmt: skip


def _alone(light: Light) -> list[Verdict]:
    most = int(np.median([sight.faces for sight in light.sights]))
    if most < 2:
        return []
    advice = "one person only, to measure: the others step out of the picture"
    return [Verdict(_key(light, "alone"), WARN, f"{most} faces", "one person", advice, most)]


def _size(light: Light) -> Verdict:
    face_px, height_px = light.face["height_px"], light.size[1]
    least, bears = (NEAR_PX, NEAR_LEAST_PX) if light.mark == "near" else (FAR_PX, FAR_LEAST_PX)
    largest, most = LARGEST * height_px, LARGEST_MOST * height_px
    cut = float(np.mean([sight.cut for sight in light.sights])) > 0.2
    if cut:
        found = f"{face_px:.0f} px, cut off at the picture's edge"
        advice = "turn the camera until the whole head is in the picture, or step back"
        return Verdict(_key(light, "size"), FAIL, found, "whole", advice, round(face_px, 1))
    return judged(
        _key(light, "size"), face_px, f"the face is {face_px:.0f} px high", (least, largest),
        (min(bears, least), max(most, least)), f"{least:.0f} to {largest:.0f} px",
        _move(light, face_px, least),
        _move(light, face_px, largest),
    )  # fmt: skip


def _move(light: Light, face_px: float, wanted_px: float) -> str:
    """How far to go for a face of the size wanted: size goes with one over the distance."""
    lens_px = light.size[0] / 2 / math.tan(HALF_ANGLE_RAD)
    known = light.distance_cm > 0
    here_cm = light.distance_cm or lens_px * FACE_CM / max(face_px, 1.0)
    step_cm = here_cm * (1 - face_px / wanted_px)
    far = f"{'' if known else 'about '}{5 * max(1, round(abs(step_cm) / 5)):.0f} cm"
    if step_cm < 0:
        return f"step {far} back, or a wider lens"
    return f"come {far} closer, or a longer lens, or pictures of more pixels (--size)"


def _brightness(light: Light) -> Verdict:
    bright = light.face["brightness"]
    return judged(
        _key(light, "brightness"), bright, f"the face is at {bright:.0f} of 255", BRIGHT,
        BRIGHT_BEARS, _range(BRIGHT),
        "too dark: a lamp from the front, or expose for longer, or more gain",
        "too bright: a shorter exposure, less gain, or less light from the front",
    )  # fmt: skip


def _clipped(light: Light) -> Verdict:
    share = light.face["clipped"]
    return judged(
        _key(light, "overexposed"), share, f"{100 * share:.0f} % of the face is white",
        (0.0, CLIPPED), (0.0, CLIPPED_MOST), f"{100 * CLIPPED:g} % of the face", "",
        "over-exposed: a shorter exposure (--exposure), less gain, or less light on the face",
    )  # fmt: skip


def _contrast(light: Light) -> Verdict:
    spread = light.face["high"] - light.face["low"]
    return judged(
        _key(light, "contrast"), spread, f"{spread:.0f} of 255 from its dark to its light",
        (CONTRAST, 256.0), (CONTRAST_LEAST, 256.0), f"{CONTRAST:g} and more",
        "flat: wipe the lens, no light may fall into it, light more from one side",
    )  # fmt: skip


def _side(light: Light) -> Verdict:
    side = light.side
    brighter, darker = ("right", "left") if side > 0 else ("left", "right")
    advice = f"move the lamp to the {darker} (as the sitter sees it), or a second one there"
    found = f"the {brighter} side has {100 * abs(side):.0f} % more than even light"
    verdict = judged(
        _key(light, "side"), abs(side), found, (0.0, SIDE), (0.0, SIDE_MOST),
        f"{100 * SIDE:g} %", "", advice,
    )  # fmt: skip
    return Verdict(verdict.key, verdict.state, found, verdict.limit, verdict.advice, round(side, 3))


def _back(light: Light) -> Verdict:
    face = light.face
    ratio = face["around"] / max(1.0, face["brightness"])
    found = f"round the face it is {ratio:.1f} times as bright"
    shadowed = face["brightness"] < SHADOW
    return judged(
        _key(light, "backlit"), ratio if shadowed else min(ratio, BACK), found, (0.0, BACK),
        (0.0, BACK_MOST), f"{BACK:g} times", "",
        "backlit: cover the window or lamp behind the person, or light the face from the front",
    )  # fmt: skip


def _tremor(light: Light, steadied: Steadied | None) -> Verdict:
    key, limit = _key(light, "tremor"), f"{100 * CALM:g} % of the face, filtered"
    if steadied is None:
        advice = "measure for longer: --seconds 10"
        return Verdict(key, OPEN, "too few pictures with a face", limit, advice)
    found = f"{100 * steadied.raw:.2f} % of the face, {100 * steadied.calmed:.2f} % filtered"
    if not trusted(light, steadied):
        advice = "one person, standing still for three seconds, then measure again"
        return Verdict(key, WARN, f"{found}, but nobody stood still", limit, advice)
    if steadied.enough:
        return Verdict(key, PASS, found, limit, value=round(steadied.raw, 5))
    advice = "more light on the face (a dark picture is noisy), less gain, or come closer"
    return Verdict(key, WARN, found, limit, advice, round(steadied.raw, 5))


def filter_words(steadied: Steadied) -> str:
    """The filter that was set, in words."""
    return f"filter: cutoff {steadied.min_cutoff_hz:g} Hz at rest, beta {steadied.beta:g}"


def _key(light: Light, name: str) -> str:
    return f"light.{light.mark}.{name}"


def _range(limits: tuple[float, float]) -> str:
    return f"{limits[0]:g} to {limits[1]:g}"
