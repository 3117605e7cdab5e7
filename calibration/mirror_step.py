"""``calibrate mirror``: where on the screen a sitter appears, and which floor is "in front".

A person walks from mark to mark, at two lines on the floor. Wishes come in from flags; verdicts go
out, and the site file keeps left and right, the camera's place and turn, and the band of floor.
"""

from __future__ import annotations

import dataclasses

from calibration.asking import Asker
from calibration.onlooker import Onlooker
from calibration.site_file import begin_site, change_site
from calibration.standing import Fitted, Mark, Stand, fit_mirror, watch_marks
from calibration.verdicts import FAIL, PASS, WARN, Verdict, judged, show
from mirror.clock import utc_now
from mirror.options import with_source
from mirror.screen.chart import Chart
from mirror.settings import Settings
from mirror.site.keystone import picture_size

#: Where the marks are across the picture, at each line.
ACROSS = (0.2, 0.5, 0.8)
#: Where the eyes of somebody standing are, when nobody says.
EYES = 0.5
#: A person appears so near to where they stand, screen widths.
GOOD, BEARABLE = 0.05, 0.12
#: A face is about so high from the brow to the chin, metres: only for what is told in metres.
FACE_M = 0.19


def calibrate_mirror(
    site: str, source: str, near_only: bool, eye_level: float | None, walk_s: float, window: bool,
    asker: Asker, operator: str = "", save: bool = True,
) -> list[Verdict]:  # fmt: skip
    """Do the whole step; raises MirrorError for what cannot be done at all.

    near_only: one line, where the floor is short. eye_level: of the person, as a share of the
    picture's height from the top; None leaves heights as the camera sees them. walk_s: from mark
    to mark.
    """
    before = begin_site(site)
    source = source or before.camera.source
    screen = dataclasses.replace(before.screen, full_screen=not window)
    lines = ("near",) if near_only else ("near", "far")
    marks = [Mark(x, EYES if eye_level is None else eye_level, line) for line in lines
             for x in ACROSS]  # fmt: skip
    asker.say("Two lines on the floor: at the near one visitors count in full, at the far one they "
              "begin to. One person, nobody else in the picture.")  # fmt: skip
    asker.ready("Begin when somebody stands there")
    with (
        Onlooker(source, with_source(before.camera, source)) as onlooker,
        Chart("window", (screen.width_px, screen.height_px), screen) as chart,
    ):
        onlooker.first(chart.heed)
        stands = watch_marks(chart, screen, onlooker, marks, before.markers, walk_s, asker.say)
        size = picture_size(chart.size, screen.turn_deg)
    fitted = fit_mirror(stands, before.mirror, size[0] / size[1], eye_level is not None)
    verdicts = mirror_verdicts(fitted, stands, marks)
    show(asker.console, f"mirror of {site}", verdicts)
    if save and all(each.state != FAIL for each in verdicts):
        change_site(site, changes_of(before, fitted), operator)
        asker.say(f"saved in the site {site}")
    else:
        asker.say("nothing was saved")
    return verdicts


def mirror_verdicts(fitted: Fitted, stands: list[Stand], marks: list[Mark]) -> list[Verdict]:
    """What is said of the camera's place."""
    mirror = fitted.mirror
    width_m = FACE_M / max(mirror.reach_x, 1e-6)
    ahead = mirror.camera_x + mirror.turn_x / max(each.tall for each in stands)
    words = "swapped left to right" if fitted.swap else "as it comes: the camera swaps it itself"
    unseen = [f"{each.x:.0%} at the {each.line} line" for each in marks
              if each not in [stand.mark for stand in stands]]  # fmt: skip
    return [
        Verdict(
            "mirror.seen", WARN if unseen else PASS,
            f"somebody at {len(stands)} of {len(marks)} marks", "all of them",
            f"the camera does not see who stands at {', '.join(unseen)}: turn it, or take a wider "
            "lens" if unseen else "", len(stands),
        ),
        judged(
            "mirror.direction", fitted.right, f"{fitted.right:.0%} of the steps; picture {words}",
            (1, 1), (1, 1), "all of them", "one person alone, who walks from mark to mark in turn",
        ),
        judged(
            "mirror.place", fitted.error, f"{fitted.error:.3f} screen widths from the marks",
            (0, GOOD), (0, BEARABLE), f"{GOOD:g}", "",
            "stand with the nose before the mark; keep to the lines",
        ),
        Verdict("mirror.camera", PASS, f"{mirror.camera_x:.2f} of the screen's width from its "
                f"left; at the near line it looks at who stands at {ahead:.2f}",
                value=round(mirror.camera_x, 3)),
        judged(
            "mirror.screen", width_m, f"about {width_m:.1f} m wide, by the size of faces",
            (0.3, 15), (0.15, 40), "0.3 to 15 m, as it is", "walk to the marks themselves",
            "keep to the lines; nobody else in the picture",
        ),
        judged(
            "mirror.near", max(each.tall for each in stands),
            f"a face is {mirror.near_height:.0%} of the picture high where it counts in full, "
            f"{mirror.far_height:.0%} where it begins to", (0.1, 0.7), (0.06, 0.9), "10 % to 70 %",
            "come nearer, or take a longer lens", "step back, or take a wider lens",
        ),
    ]  # fmt: skip


def changes_of(before: Settings, fitted: Fitted) -> dict[str, dict[str, object]]:
    """What the site file is to hold now."""
    old, new = dataclasses.asdict(before.mirror), dataclasses.asdict(fitted.mirror)
    return {
        "camera": {"mirror": fitted.swap},
        "mirror": {key: value for key, value in new.items() if value != old[key]},
        "measured": {
            "mirror_at": utc_now().isoformat(timespec="seconds"),
            "mirror_right": round(fitted.right, 4),
            "mirror_place": round(fitted.error, 4),
        },
    }
