"""What the site file says was measured, judged again: ``Settings`` come in, ``Verdict``s go out.

The limits are those of the steps that measured; what nobody has measured is said to be so. Pure;
called by the check.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from calibration import lighting, seeing
from calibration.flicker import LAME_LAMPS_HZ, LAMPS_HZ
from calibration.verdicts import OPEN, PASS, WARN, Verdict, judged
from mirror.settings import MeasuredSettings, Settings

Range = tuple[float, float]
MOST = math.inf


@dataclass(frozen=True)
class Row:
    """One number of [measured]: which step measures it, its unit, what passes and what is borne.

    advice: what to do beyond measuring again. shown: how it is written, where a unit is not
    enough.
    """

    step: str
    unit: str
    passes: Range
    bears: Range
    advice: str
    shown: Callable[[float], str] | None = None


def _percent(value: float) -> str:
    return f"{100 * value:.0f} %"


#: [measured] key -> how it is judged, in the order in which a site is calibrated.
ROWS = {
    "light_near_px": Row(
        "light", "px", (lighting.NEAR_PX, MOST), (lighting.NEAR_LEAST_PX, MOST), "come closer"
    ),
    "light_far_px": Row(
        "light", "px", (lighting.FAR_PX, MOST), (lighting.FAR_LEAST_PX, MOST), "come closer"
    ),
    "light_brightness": Row(
        "light", "of 255", lighting.BRIGHT, lighting.BRIGHT_BEARS, "another lamp or exposure"
    ),
    "light_contrast": Row(
        "light", "of 255", (lighting.CONTRAST, MOST), (lighting.CONTRAST_LEAST, MOST),
        "wipe the lens",
    ),
    "light_side": Row(
        "light", "", (-lighting.SIDE, lighting.SIDE), (-lighting.SIDE_MOST, lighting.SIDE_MOST),
        "move the lamp to the darker side",
        lambda side: f"{_percent(abs(side))} more from the {'right' if side > 0 else 'left'}",
    ),
    "light_found": Row(
        "light", "", (lighting.FOUND, 1.0), (lighting.FOUND_LEAST, 1.0), "more light on the face",
        _percent,
    ),
    "latency_p50_ms": Row("latency", "ms", (0, 150), (0, 300), "see what takes longest"),
    "latency_p95_ms": Row("latency", "ms", (0, 220), (0, 450), "see what takes longest"),
    "screen_keystone_px": Row("screen", "px", (0, 1), (0, 3), "nothing may have moved"),
    "screen_lens_px": Row("screen", "px", (0, 0.5), (0, 1.5), "a sharper picture of the screen"),
    "mirror_right": Row("mirror", "", (1, 1), (1, 1), "left and right", _percent),
    "mirror_place": Row(
        "mirror", "screen widths", (0, 0.05), (0, 0.12), "keep to the marks",
    ),
}  # fmt: skip


def stored_verdicts(settings: Settings) -> list[Verdict]:
    """All numbers that only a technician can measure: light, latency, screen, mirror."""
    return [
        row_verdict(settings.measured, name, row)
        for name, row in ROWS.items()
        if hasattr(settings.measured, name)
    ]


def stored_camera_verdicts(settings: Settings) -> list[Verdict]:
    """What was measured of the camera when it was chosen, where nobody looks at it now."""
    camera, measured = settings.camera, settings.measured
    least = seeing.RATE_SHARE * camera.rate_hz
    row = Row(
        "camera", "a second", (least, MOST), (min(least, seeing.LEAST_RATE_HZ), MOST), "more light"
    )
    return [row_verdict(measured, "camera_rate_hz", row), _flicker(measured), *_refused(measured)]


def row_verdict(measured: MeasuredSettings, name: str, row: Row) -> Verdict:
    """One number against its limits, or that nobody has measured it."""
    key, value = key_of(name), getattr(measured, name)
    limit = limit_of(row)
    again = f"calibrate {row.step}"
    if value is None and row.step == "screen" and measured.screen_at:
        return Verdict(key, PASS, "laid by hand; no camera measured it", limit)
    if value is None:
        return Verdict(key, OPEN, "not measured", limit, again)
    shown = row.shown(value) if row.shown else f"{value:g} {row.unit}".strip()
    when = getattr(measured, f"{row.step}_at")[:10]
    found = f"{shown} (on {when})" if when else shown
    advice = f"{row.advice}, then `{again}`"
    return judged(key, value, found, row.passes, row.bears, limit, advice, advice)


def key_of(name: str) -> str:
    """``light_near_px`` -> ``light.near``."""
    step, _, rest = name.partition("_")
    for unit in ("_px", "_ms", "_hz"):
        rest = rest[: -len(unit)] if rest.endswith(unit) else rest
    return f"{step}.{rest}"


def limit_of(row: Row) -> str:
    """What passes, in words."""
    low, high = row.passes
    words = row.shown if row.unit == "" and row.shown else None
    if high == MOST:
        return f"{low:g} {row.unit} and more".replace("  ", " ")
    if words and high == 1.0:
        return words(low)
    if low == -high:
        return f"{_percent(high)} either way"
    return f"{high:g} {row.unit}" if low == 0 else f"{low:g} to {high:g} {row.unit}"


def _flicker(measured: MeasuredSettings) -> Verdict:
    limit = f"{100 * seeing.CALM_LIGHT:g} % of the brightness"
    light_hz, share = measured.camera_flicker_hz, measured.camera_flicker_share or 0.0
    if light_hz is None:
        return Verdict("camera.flicker", OPEN, "not measured", limit, "calibrate camera")
    if share <= seeing.CALM_LIGHT:
        return Verdict("camera.flicker", PASS, "none", limit, value=light_hz)
    lamp = light_hz in LAMPS_HZ + LAME_LAMPS_HZ
    advice = "expose whole periods of the light" if lamp else "find the lamp that pulses"
    found = f"{100 * share:.1f} % at {light_hz:g} Hz"
    return Verdict("camera.flicker", WARN, found, limit, advice, light_hz)


def _refused(measured: MeasuredSettings) -> list[Verdict]:
    if not measured.camera_refused:
        return []
    advice = "other values: calibrate camera"
    limit = "all settings taken"
    return [Verdict("camera.settings", WARN, measured.camera_refused, limit, advice)]
