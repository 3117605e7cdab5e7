"""What a device can be told: exposure, gain, white balance and focus; set, then read back.

An opened capture and settings come in, ``Control``s go out, in the settings' units. Drivers take a
value and do as they like: out of range, in steps, or not at all, and none of them says so. So
every value is read back. Called by the thread that opened the device.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import cv2

from mirror.settings import CameraSettings

#: A value read back may differ by this share: drivers round to steps of their own.
STEP_SHARE = 0.05
#: What OpenCV gives for what a device does not have.
NOT_THERE = -1.0


@dataclass(frozen=True)
class Knob:
    """One thing that can be set.

    setting: its name in the settings. prop: OpenCV's number for it. scale: device units in one
    unit of the setting. manual: what to set first, so that the camera leaves it alone. own: from
    this value of the setting on down, the camera decides.
    """

    setting: str
    prop: int
    scale: float
    manual: tuple[int, float] | None
    own: float


#: For Linux: V4L2 counts exposure in steps of 100 µs; 1 is its word for manual exposure.
KNOBS = (
    Knob("exposure_ms", cv2.CAP_PROP_EXPOSURE, 10.0, (cv2.CAP_PROP_AUTO_EXPOSURE, 1.0), 0.0),
    Knob("gain", cv2.CAP_PROP_GAIN, 1.0, None, -1.0),
    Knob("white_balance_k", cv2.CAP_PROP_WB_TEMPERATURE, 1.0, (cv2.CAP_PROP_AUTO_WB, 0.0), 0.0),
    Knob("focus", cv2.CAP_PROP_FOCUS, 1.0, (cv2.CAP_PROP_AUTOFOCUS, 0.0), -1.0),
)


@dataclass(frozen=True)
class Control:
    """One thing that can be set, after trying.

    asked: in the setting's unit; None: it was left as it is. found: read back; None: the device
    does not have it. held: the camera leaves it alone. step: one unit of the device.
    """

    setting: str
    asked: float | None
    found: float | None
    held: bool = True
    step: float = 1.0

    @property
    def taken(self) -> bool:
        """Whether the device did as it was told."""
        if self.asked is None:
            return True
        if self.found is None or not self.held:
            return False
        room = max(STEP_SHARE * abs(self.asked), self.step)
        return abs(self.found - self.asked) <= room + 1e-9


def set_controls(capture: Any, settings: CameraSettings) -> tuple[Control, ...]:
    """Set what the settings ask for, leave the rest alone, and read all of it back."""
    if capture.getBackendName() != "V4L2":  # other systems count in units of their own
        asked = {knob.setting: _asked(knob, settings) for knob in KNOBS}
        return tuple(Control(name, value, None) for name, value in asked.items())
    for knob in KNOBS:
        value = _asked(knob, settings)
        if value is not None:
            if knob.manual:
                capture.set(*knob.manual)
            capture.set(knob.prop, round(value * knob.scale))
    return tuple(_read(capture, knob, settings) for knob in KNOBS)


def refused(controls: tuple[Control, ...]) -> list[str]:
    """What the device did not take, in words."""
    return [
        f"{each.setting} = {each.asked:g} ("
        + ("not there" if each.found is None else f"it is {each.found:g}" if each.held else "auto")
        + ")"
        for each in controls
        if each.asked is not None and not each.taken
    ]


def _asked(knob: Knob, settings: CameraSettings) -> float | None:
    value = float(getattr(settings, knob.setting))
    return value if value > knob.own else None


def _read(capture: Any, knob: Knob, settings: CameraSettings) -> Control:
    asked = _asked(knob, settings)
    value = float(capture.get(knob.prop))
    found = value / knob.scale if math.isfinite(value) and value >= 0 else None
    alone = (knob.manual[1], NOT_THERE) if knob.manual else ()
    held = not knob.manual or capture.get(knob.manual[0]) in alone
    return Control(knob.setting, asked, found, held, 1.0 / knob.scale)
