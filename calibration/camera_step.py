"""``calibrate camera``: choose a camera, set it, lock it, read it back, and measure what it gives.

Wishes come in from flags or from questions; verdicts go out, and the site file keeps the camera,
its identity and what was measured. Nothing is saved of a camera that gave no picture.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

from calibration.asking import Asker
from calibration.choosing import choices, chosen, show_cameras
from calibration.seeing import camera_verdicts, measured_of
from calibration.site_file import begin_site, change_site
from calibration.verdicts import Verdict, judged, show
from calibration.watching import Watched, hold_identity, watch
from mirror.camera import DeviceFacts, identify, list_devices, parse_source
from mirror.clock import utc_now
from mirror.errors import OtherCameraError, SettingsError
from mirror.options import with_source
from mirror.settings import CameraSettings, MeasuredSettings, Settings
from mirror.site.site import allowed

#: So long a camera that decides for itself is left to settle before its values are locked.
SETTLE_S = 2.0
#: Once locked, pictures may be brighter or darker by this factor.
LOCK_BRIGHT = 1.25
#: What is asked about any camera, and about a device that is not to lock what it finds itself.
SIZES = {
    "width_px": "Width of the picture, pixels",
    "height_px": "Height of the picture, pixels",
    "rate_hz": "Pictures a second",
}
BY_HAND = {
    "exposure_ms": "Exposure, milliseconds (10 or 20 under 50 Hz lamps, 8.3 or 16.7 under 60 Hz)",
    "gain": "Gain, in the camera's own unit; -1: as it is",
    "white_balance_k": "White balance, kelvin; 0: as it is",
    "focus": "Focus, in the camera's own unit; -1: as it is",
}
#: What is known of the old camera's pictures is not known of a new one's.
OF_THE_CAMERA = ("camera_", "light_", "latency_")


@dataclass(frozen=True)
class CameraWishes:
    """What is wished of a camera; None: as the site has it. lock: keep what it chooses itself."""

    source: str = ""
    width_px: int | None = None
    height_px: int | None = None
    rate_hz: float | None = None
    format: str | None = None
    exposure_ms: float | None = None
    gain: float | None = None
    white_balance_k: float | None = None
    focus: float | None = None
    lock: bool = False
    seconds: float = 6.0


def calibrate_camera(
    site: str, wishes: CameraWishes, asker: Asker, operator: str = "", save: bool = True
) -> list[Verdict]:
    """Do the whole step; raises MirrorError for what cannot be done at all."""
    before = begin_site(site)
    devices = list_devices()
    source = choose_source(wishes.source, before.camera, devices, asker)
    camera = with_source(before.camera, source)
    wishes = ask_wishes(wishes, camera, asker)
    camera = wished(camera, wishes)
    if wishes.source or source != before.camera.source or not camera.identity:
        camera = dataclasses.replace(camera, identity=identify(parse_source(source), devices))
    camera = accepted(camera, devices, asker)
    bright = None
    if wishes.lock:
        camera, bright = locked(camera, asker)
    asker.say(f"Watching {parse_source(source)} for {wishes.seconds:g} s ...")
    watched = watch(camera, wishes.seconds)
    verdicts = camera_verdicts(watched, camera, devices)
    if bright is not None and watched.seen:
        verdicts.append(lock_verdict(bright, brightness_of(watched)))
    show(asker.console, f"camera of {site}", verdicts)
    if watched.seen and not watched.other and save:
        change_site(site, changes_of(before, camera, watched), operator)
        asker.say(f"saved in the site {site}")
    else:
        asker.say("nothing was saved")
    return verdicts


def choose_source(
    wished_for: str, camera: CameraSettings, devices: list[DeviceFacts], asker: Asker
) -> str:
    """The source that is meant; raises MirrorError where nobody can tell."""
    if wished_for:
        return chosen(wished_for, devices)
    found = choices(devices, camera.source)
    if asker.answers:
        show_cameras(asker.console, devices, camera.source)
        if found:
            text = asker.line("Which camera? Its number here, or an address", "1")
            if text.isdecimal() and 1 <= int(text) <= len(found):
                return found[int(text) - 1].source
            return chosen(text, devices)
        return chosen(asker.line("The address of a network camera, or a film", ""), devices)
    if camera.source:
        return camera.source
    there = ", ".join(each.source for each in found) or "no camera is plugged in"
    raise SettingsError("--source", "no camera was chosen", there, "--source http://... or a path")


def ask_wishes(wishes: CameraWishes, camera: CameraSettings, asker: Asker) -> CameraWishes:
    """Ask for what no flag said; ``camera`` is the one chosen, with what the site has for it.

    Only a device of this computer is asked about what can be set from here.
    """
    if not asker.answers:
        return wishes
    device = parse_source(camera.source).kind == "device"
    asked: dict[str, Any] = {}
    if device and wishes.format is None:
        formats = allowed(CameraSettings, "format").split(", ")
        asked["format"] = asker.pick("Format", formats, camera.format)
    words = dict(SIZES)
    if device and not wishes.lock:
        asked["lock"] = asker.agree("Let it find exposure, white balance and focus, and lock them?")
        words |= {} if asked["lock"] else BY_HAND
    for name, question in words.items():
        if getattr(wishes, name) is None:
            usual = getattr(camera, name)
            asked[name] = asker.setting(question, CameraSettings, name, usual)
    return dataclasses.replace(wishes, **asked)


def wished(camera: CameraSettings, wishes: CameraWishes) -> CameraSettings:
    """A camera's settings with the wishes over them."""
    names = {each.name for each in dataclasses.fields(CameraSettings)} - {"source"}
    values = {
        name: value
        for name, value in dataclasses.asdict(wishes).items()
        if name in names and value is not None
    }
    return dataclasses.replace(camera, **values)


def accepted(camera: CameraSettings, devices: list[DeviceFacts], asker: Asker) -> CameraSettings:
    """The camera, or another one that has taken its place, if somebody says that it may."""
    try:
        hold_identity(camera)
    except OtherCameraError as error:
        if asker.answers:
            asker.say(f"This is {error.found}.")
            if asker.agree("Use it from now on?", False):
                identity = identify(parse_source(camera.source), devices)
                return dataclasses.replace(camera, identity=identity)
    return camera


def locked(camera: CameraSettings, asker: Asker) -> tuple[CameraSettings, float | None]:
    """The settings with the values that the camera has come to by itself, and how bright its
    pictures were then; None where nothing can be locked.

    It is opened twice: first left to itself for a moment, then read.
    """
    if parse_source(camera.source).kind != "device":
        asker.say("A network camera or a film cannot be locked from here: do it in its own page.")
        return camera, None
    asker.say(f"Leaving it to itself for {SETTLE_S:g} s, then keeping what it chose ...")
    watch(camera, SETTLE_S)
    settled = watch(camera, 0.5)
    found: dict[str, Any] = {
        each.setting: each.found
        for each in (settled.achieved.controls if settled.achieved else ())
        if each.asked is None and each.found is not None and not each.held
    }
    bright = brightness_of(settled) if settled.seen else None
    return dataclasses.replace(camera, **found), bright


def brightness_of(watched: Watched) -> float:
    """Mean brightness of the last pictures, 0 to 255."""
    return float(watched.rows[-8:].mean())


def lock_verdict(before: float, after: float) -> Verdict:
    """Whether the pictures are as bright as the camera had made them itself.

    Some tell of an exposure that they do not use while they choose it themselves.
    """
    ratio, least = after / max(1.0, before), 1 / LOCK_BRIGHT
    return judged(
        "camera.lock", ratio, f"the pictures are {ratio:.2f} times as bright as before",
        (least, LOCK_BRIGHT), (0.0, 1e3), f"{least:.2f} to {LOCK_BRIGHT:g} times",
        "it does not tell what it used: a longer --exposure or more --gain by hand",
        "it does not tell what it used: a shorter --exposure or less --gain by hand",
    )  # fmt: skip


def changes_of(
    before: Settings, camera: CameraSettings, watched: Watched
) -> dict[str, dict[str, Any]]:
    """What the site file is to hold now."""
    measured: dict[str, Any] = {}
    if before.camera.identity and before.camera.identity != camera.identity:
        usual = dataclasses.asdict(MeasuredSettings())
        measured = {key: value for key, value in usual.items() if key.startswith(OF_THE_CAMERA)}
    measured |= measured_of(watched)
    measured["camera_at"] = utc_now().isoformat(timespec="seconds")
    old, new = dataclasses.asdict(before.camera), dataclasses.asdict(camera)
    changed = {key: value for key, value in new.items() if value != old[key]}
    return {"camera": changed, "measured": measured}
