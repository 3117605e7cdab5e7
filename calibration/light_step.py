"""``calibrate light``: somebody stands there, and the light on the face is measured.

Wishes come in; verdicts with plain advice go out, at the near mark and at the far one. The site
file keeps the numbers and the filter that calms this camera's markers. No picture is kept.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from calibration.asking import Asker
from calibration.choosing import chosen
from calibration.lighting import (
    Light,
    filter_words,
    light_measured,
    light_of,
    light_verdicts,
    steadied_of,
    trusted,
)  # fmt: skip
from calibration.looking import Looker
from calibration.seeing import camera_verdicts
from calibration.site_file import begin_site, change_site
from calibration.steadying import Steadied
from calibration.verdicts import FAIL, Verdict, show
from calibration.watching import Watched, watch
from mirror.camera import list_devices
from mirror.clock import utc_now
from mirror.errors import SettingsError
from mirror.options import with_source
from mirror.settings import CameraSettings, Settings

MARKS = ("near", "far")
#: Verdicts of the camera that matter here, if they fail.
OF_THE_CAMERA = ("camera.rate", "camera.picture")


@dataclass(frozen=True)
class LightWishes:
    """mark: 'near', 'far' or 'both'. distance_cm: of that mark, 0.0: not measured. source: ""
    for the site's camera."""

    mark: str = "both"
    distance_cm: float = 0.0
    source: str = ""
    seconds: float = 6.0


def calibrate_light(
    site: str, wishes: LightWishes, asker: Asker, operator: str = "", save: bool = True
) -> list[Verdict]:
    """Do the whole step; raises MirrorError for what cannot be done at all."""
    verdicts: list[Verdict] = []
    for mark in MARKS if wishes.mark == "both" else (wishes.mark,):
        asker.ready(f"Somebody stands at the {mark} mark, looks at the screen, and keeps still.")
        found, changes = measure_mark(begin_site(site), wishes, mark, asker)
        show(asker.console, f"light of {site}, {mark} mark", found)
        if changes and save:
            change_site(site, changes, operator)
        asker.say(f"saved in the site {site}" if changes and save else "nothing was saved")
        verdicts += found
    return verdicts


def measure_mark(
    settings: Settings, wishes: LightWishes, mark: str, asker: Asker
) -> tuple[list[Verdict], dict[str, dict[str, Any]]]:
    """Watch for a while: verdicts, and what the site file is to hold; {} where nobody was seen."""
    camera = camera_for(settings.camera, wishes.source)
    asker.say(f"Looking for {wishes.seconds:g} s ...")
    with Looker(settings.markers) as looker:
        watched = watch(camera, wishes.seconds, looker.look)
    broken = camera_trouble(watched, camera)
    if not watched.seen or watched.other:
        return broken, {}
    light = light_of(looker, mark, watched.size, camera.mirror, wishes.distance_cm)
    steadied = steadied_of(light, settings.markers)
    verdicts = broken + light_verdicts(light, steadied)
    return verdicts, changes_of(light, steadied, asker) if light.sights else {}


def camera_for(camera: CameraSettings, source: str) -> CameraSettings:
    """The site's camera, or the one named for this time; raises MirrorError for none."""
    if source:
        return with_source(camera, chosen(source, list_devices()))
    if not camera.source:
        raise SettingsError(
            "--source", "the site has no camera yet", "a camera, an address or a film",
            "calibrate camera",
        )  # fmt: skip
    return camera


def camera_trouble(watched: Watched, camera: CameraSettings) -> list[Verdict]:
    """What is wrong with the camera itself, as far as it spoils the light."""
    verdicts = camera_verdicts(watched, camera, list_devices())
    if not watched.seen or watched.other:
        return verdicts
    return [each for each in verdicts if each.state == FAIL and each.key in OF_THE_CAMERA]


def changes_of(light: Light, steadied: Steadied | None, asker: Asker) -> dict[str, dict[str, Any]]:
    """What the site file is to hold now; the filter only if somebody stood still."""
    measured = light_measured(light, steadied)
    measured["light_at"] = utc_now().isoformat(timespec="seconds")
    changes: dict[str, dict[str, Any]] = {"measured": measured}
    if steadied is not None and trusted(light, steadied):
        changes["markers"] = {"min_cutoff_hz": steadied.min_cutoff_hz, "beta": steadied.beta}
        asker.say(filter_words(steadied))
    return changes
