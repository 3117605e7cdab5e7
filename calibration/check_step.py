"""``calibrate check``: everything that makes a site good, in one table; also the morning's check.

A site comes in. The camera is watched for some seconds, what was measured is judged again, the
machine is looked at as the doctor does; verdicts go out.
"""

from __future__ import annotations

from calibration.asking import Asker
from calibration.seeing import camera_verdicts
from calibration.stored import stored_camera_verdicts, stored_verdicts
from calibration.verdicts import FAIL, OPEN, PASS, WARN, Verdict, show, status
from calibration.watching import watch
from mirror.camera import list_devices
from mirror.diagnostics.doctor import doctor
from mirror.errors import ScreenError, SourceError
from mirror.settings import Settings
from mirror.site.site import read_site, site_path

#: The doctor's words for what it found.
STATES = {"ok": PASS, "warn": WARN, "fail": FAIL}
#: What is looked at here already, and better.
KNOWN_BETTER = ("site", "camera")


def check_site(
    site: str, seconds: float, asker: Asker, look: bool = True, machine: bool = True
) -> list[Verdict]:
    """Look at everything. look: watch the camera; else what was measured of it is judged.

    machine: also what the doctor looks at. Raises SettingsError for a site file with a mistake.
    """
    settings = read_site(site)
    verdicts = [site_verdict(site, settings)]
    verdicts += seen(settings, seconds, asker) if look else stored_camera_verdicts(settings)
    verdicts += (monitor_verdict(settings) if look else []) + stored_verdicts(settings)
    if machine:
        asker.say("Looking at the machine ...")
        verdicts += machine_verdicts(site)
    show(asker.console, f"check of {site}", verdicts)
    asker.say(result(verdicts))
    return verdicts


def site_verdict(site: str, settings: Settings) -> Verdict:
    """The file: every key known, every value allowed, and who wrote it when."""
    found, limit = f"{site_path(site)}, every key is known", "written by the calibration"
    if not settings.site.written:
        advice = "calibrate it: `calibrate`"
        return Verdict("site.file", WARN, f"{found}; written by hand", limit, advice)
    who = f" by {settings.site.operator}" if settings.site.operator else ""
    written = settings.site.written[:16].replace("T", " ")
    return Verdict("site.file", PASS, f"{found}; {written}{who}", limit)


def seen(settings: Settings, seconds: float, asker: Asker) -> list[Verdict]:
    """The camera as it is now."""
    camera = settings.camera
    if not camera.source:
        advice = "choose it: `calibrate camera`"
        return [Verdict("camera.there", OPEN, "the site names no camera", "a camera", advice)]
    asker.say(f"Watching the camera for {seconds:g} s ...")
    try:
        return camera_verdicts(watch(camera, seconds), camera, list_devices())
    except SourceError as error:
        return [Verdict("camera.there", FAIL, error.found, error.allowed, error.attempt)]


def monitor_verdict(settings: Settings) -> list[Verdict]:
    """The monitor, or monitors, that the site names, if it names any."""
    name = settings.screen.monitor
    if not name or settings.screen.kind == "offscreen":
        return []
    from mirror.screen.monitors import list_monitors  # needs a display, and OpenGL's libraries
    from mirror.screen.spanning import ALL, AND
    from mirror.screen.spanning import names as meant

    try:
        monitors = list_monitors()
    except ScreenError as error:
        return [Verdict("screen.monitor", FAIL, error.found, name, error.attempt)]
    there = [each.name for each in monitors]
    known = {name for each in monitors for name in (each.name, each.plug)}
    missing = [each for each in meant(name, there) if each not in known]
    if monitors and not missing:
        told = f"{name} ({len(there)})" if name == ALL else name
        return [Verdict("screen.monitor", PASS, f"{told} is there", name)]
    found = f"{AND.join(missing) or name} is not there; seen: {', '.join(there) or 'none'}"
    advice = "switch it on and plug it in, or choose another: `calibrate screen`"
    return [Verdict("screen.monitor", FAIL, found, name, advice)]


def machine_verdicts(site: str) -> list[Verdict]:
    """What the doctor finds."""
    return [
        Verdict(f"machine.{each.what}", STATES[each.state], each.found, "", each.mend)
        for each in doctor(None, site).findings
        if each.what not in KNOWN_BETTER
    ]


def result(verdicts: list[Verdict]) -> str:
    """What it comes to, in one line."""
    counts = {state: sum(v.state == state for v in verdicts) for state in (FAIL, WARN, OPEN)}
    words = [f"{count} {state}" for state, count in counts.items() if count]
    fit = ("fit for visitors", "not fit for visitors", "", "not known to be fit for visitors")
    return f"{fit[status(verdicts)]}{': ' + ', '.join(words) if words else ''}"
