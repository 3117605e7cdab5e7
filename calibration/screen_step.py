"""``calibrate screen``: which monitor, turned how, and where on the wall the picture lies.

Wishes come in from flags or from questions; verdicts go out, and the site file keeps monitor,
rotation, keystone and mask.
"""

from __future__ import annotations

import dataclasses
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from calibration.asking import Asker
from calibration.board import draw_marks
from calibration.onlooker import Onlooker
from calibration.projection import Found, by_camera, by_hand
from calibration.site_file import begin_site, change_site
from calibration.verdicts import OPEN, PASS, Verdict, judged, show
from mirror.clock import utc_now
from mirror.errors import SettingsError
from mirror.film import write_still
from mirror.options import with_source
from mirror.screen.chart import Chart
from mirror.screen.monitors import list_monitors
from mirror.screen.spanning import ALL
from mirror.settings import STRAIGHT, Points, ScreenSettings, Settings
from mirror.site.keystone import convex
from mirror.site.site import checked

#: A corner may be so far from where it should be, in pixels of the screen.
GOOD_PX, BEARABLE_PX = 1.0, 3.0


@dataclass(frozen=True)
class ScreenWishes:
    """What is wished of a screen; None: as the site has it.

    auto: by a camera that sees the screen. marks: between four marks on the wall. source: that
    camera; '' is the site's own. window: not full screen. seconds: how long a hand has time.
    """

    monitor: str | None = None
    turn_deg: int | None = None
    keystone: Points | None = None
    mask: Points | None = None
    auto: bool = False
    marks: bool = False
    source: str = ""
    window: bool = False
    size: tuple[int, int] | None = None
    seconds: float | None = None

    @property
    def told(self) -> bool:
        """Whether flags say where the picture lies, so that nobody need look."""
        return not (self.turn_deg is None and self.keystone is None and self.mask is None)


def calibrate_screen(
    site: str, wishes: ScreenWishes, asker: Asker, operator: str = "", save: bool = True
) -> list[Verdict]:
    """Do the whole step; raises MirrorError for what cannot be done at all."""
    before = begin_site(site)
    wishes = ask_wishes(wishes, asker)
    settings = wished(before.screen, wishes)
    if wishes.auto:
        source = wishes.source or before.camera.source
        with Onlooker(source, with_source(before.camera, source)) as onlooker:
            found: Found | None = by_camera(settings, onlooker, wishes.marks, asker.say)
    elif wishes.told:
        found = Found(settings, wishes.monitor or settings.monitor, (0, 0))
    else:
        asker.say("The test pattern is on the screen; what keys do stands on it.")
        found = by_hand(settings, seconds=wishes.seconds)
    if found is None:
        asker.say("left as it was; nothing was saved")
        return [Verdict("screen", OPEN, "left as it was", "saved with Enter", "calibrate screen")]
    verdicts = screen_verdicts(found)
    show(asker.console, f"screen of {site}", verdicts)
    if save:
        change_site(site, changes_of(before, found), operator)
        asker.say(f"saved in the site {site}")
    return verdicts


def ask_wishes(wishes: ScreenWishes, asker: Asker) -> ScreenWishes:
    """Ask for what no flag said."""
    if not asker.answers:
        return wishes
    monitors = list_monitors()
    if wishes.monitor is None and len(monitors) > 1:
        for number, each in enumerate(monitors, 1):
            asker.say(f"  {number}  {each}")
        asker.say(f"  {len(monitors) + 1}  all of them, one picture across")
        number = asker.choose("Which monitor?", len(monitors) + 1)
        names = [each.name for each in monitors] + [ALL]
        wishes = dataclasses.replace(wishes, monitor=names[number - 1])
    if not wishes.auto and not wishes.told:
        how = asker.pick("By hand, or by a camera that sees the screen", ("hand", "camera"), "hand")
        wishes = dataclasses.replace(wishes, auto=how == "camera")
    if wishes.auto and not wishes.source:
        source = asker.line("The address of that camera; empty: the site's own", "")
        wishes = dataclasses.replace(wishes, source=source)
    return wishes


def wished(screen: ScreenSettings, wishes: ScreenWishes) -> ScreenSettings:
    """The screen's settings with the wishes over them."""
    changes: dict[str, Any] = {
        name: value
        for name in ("monitor", "turn_deg", "keystone", "mask")
        if (value := getattr(wishes, name)) is not None
    }
    if wishes.size is not None:
        changes["width_px"], changes["height_px"] = wishes.size
    return dataclasses.replace(screen, full_screen=not wishes.window, **changes)


def screen_verdicts(found: Found) -> list[Verdict]:
    """What is said of a screen."""
    width, height = found.size
    name = found.monitor or "the first one"
    told = f"{name}, {width}x{height}" if width else name
    verdicts = [
        Verdict("screen.monitor", PASS, told, "found again by its name", value=found.monitor),
        Verdict("screen.turn", PASS, f"{found.screen.turn_deg} degrees clockwise",
                value=found.screen.turn_deg),
        Verdict("screen.keystone", PASS, "none" if found.screen.keystone == STRAIGHT else
                " ".join(f"{x:.4f},{y:.4f}" for x, y in found.screen.keystone)),
        Verdict("screen.mask", PASS, f"{len(found.screen.mask)} corners" if found.screen.mask
                else "none"),
    ]  # fmt: skip
    if found.keystone_px is not None:
        verdicts.append(judged(
            "screen.corners", found.keystone_px, f"{found.keystone_px:.2f} px off at the worst",
            (0, GOOD_PX), (0, BEARABLE_PX), f"{GOOD_PX:g} px", "",
            "keep camera and projector still, and run it again",
        ))  # fmt: skip
    if found.view is not None:
        lens, off_px = found.view.lens, found.view.residual_px
        verdicts.append(judged(
            "screen.lens", off_px, f"k1 {lens.k1:+.4f}, k2 {lens.k2:+.4f}; {off_px:.2f} px left "
            "over", (0, 0.5), (0, 1.5), "0.5 px", "",
            "a sharper or larger picture of the screen; the wall must be flat",
        ))  # fmt: skip
    return verdicts


def changes_of(before: Settings, found: Found) -> dict[str, dict[str, Any]]:
    """What the site file is to hold now."""
    old, new = dataclasses.asdict(before.screen), dataclasses.asdict(found.screen)
    changed = {key: value for key, value in new.items() if value != old[key]}
    changed["monitor"] = found.monitor or found.screen.monitor
    lens_px = found.view.residual_px if found.view else None
    return {
        "screen": changed,
        "measured": {
            "screen_at": utc_now().isoformat(timespec="seconds"),
            "screen_keystone_px": _rounded(found.keystone_px),
            "screen_lens_px": _rounded(lens_px),
        },
    }


def points_from(flag: str, name: str, text: str | None) -> Points | None:
    """Places from a flag: ``0,0 1,0 1,1 0,1``; ``none`` for none. Raises SettingsError."""
    if text is None:
        return None
    if text.strip() == "none":
        return STRAIGHT if name == "keystone" else ()
    number = r"[+-]?\d*\.?\d+"
    pairs = re.findall(rf"({number})\s*,\s*({number})", text)
    if re.sub(rf"{number}\s*,\s*{number}", "", text).strip():
        pairs = []
    places = checked(flag, ScreenSettings, name, [[float(x), float(y)] for x, y in pairs] or text)
    if name == "keystone" and not convex(places):
        raise SettingsError(
            flag, repr(text), "corners from the top left clockwise", f'{flag} "0,0 1,0 1,1 0,1"'
        )
    return tuple(places)


def print_marks(path: Path, asker: Asker) -> None:
    """Write the sheet with the four marks for the wall."""
    write_still(path, draw_marks()[:, :, None].repeat(3, axis=2))
    asker.say(f"{path}: print it on A4, cut the marks out with some white around them, and stick "
              "them upright where the picture's corners shall be")  # fmt: skip


def write_pattern(path: Path, site: str, wishes: ScreenWishes) -> None:
    """Write the test pattern as the site's screen would show it; no window is needed."""
    settings = wished(begin_site(site).screen, wishes)
    with Chart("offscreen", (settings.width_px, settings.height_px), settings) as chart:
        chart.show_pattern(settings)
        write_still(path, chart.picture())


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)
