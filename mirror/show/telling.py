"""What the show says of itself: on the picture, at each picture, and at the end.

In: the rig and who steers it, read only. Out: lines of the overlay, vital signs, the report.
The show's thread.
"""

from __future__ import annotations

from typing import Any

from mirror.show.rig import Rig
from mirror.show.steering import Steering
from mirror.site.site import resolved


def overlay_lines(rig: Rig) -> tuple[str, ...]:
    """For the technician, over the picture."""
    told = rig.report.result(end_s=rig.audience.source_s)
    stages = [f"{name} {ms['p50']} ms" for name, ms in told["stage_ms"].items() if ms["p50"]]
    faults = ", ".join(f"{kind} {n}" for kind, n in rig.audience.eyes.faults().items() if n)
    return (
        f"{told['fps']:.1f} fps, {told['portraits_per_s']:.1f} portraits/s",
        "  ".join(stages),
        f"sitters {len(rig.course.sitters.sitters)}  {faults or 'no faults'}",
    )


def beat(rig: Rig, steering: Steering) -> None:
    """Publish the vital signs: a picture was presented."""
    rig.pulse.beat(
        time_s=rig.time.now_s,
        stage_ms=rig.report.newest_ms,
        camera=rig.audience.eyes.state,
        silent_s=rig.audience.silent_s,
        sitters=len(rig.course.sitters.sitters),
        visits=rig.report.visits_begun,
        camera_faults=rig.audience.eyes.faults(),
        painting_faults=rig.hanging.faults(),
        screen_faults=rig.screen.failures,
        painted=rig.report.painted_so_far,
        painting=rig.hanging.painting,
        last_error=rig.last_words.text,
        paused=steering.paused,
        resting=steering.rests,
        ladder=rig.ladder.rung,
        opening=steering.opening,
    )


def report_of(rig: Rig, steering: Steering) -> dict[str, Any]:
    """How the run went, in the words of ``--report``."""
    rig.report.faults(rig.audience.eyes.faults())
    return rig.report.result(
        end_s=rig.audience.source_s,
        river_hash=rig.course.hash,
        renderer=rig.screen.renderer,
        weights=rig.weights,
        settings=resolved(steering.settings),
        painting_faults=rig.hanging.faults(),
        screen_faults=rig.screen.failures,
        film_fault=rig.outputs.fault,
        **({"replay": rig.course.proof.told()} if rig.plan.proves else {}),
    )
