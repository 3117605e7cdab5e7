"""One run of the piece, from what is asked for to its report.

In: settings and options. Out: the report. Called by the command line; no thread of its own.
"""

from __future__ import annotations

import logging
import os
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from mirror.cards import verify
from mirror.clock import Clock, MonotonicClock, PacedClock, SteppedClock
from mirror.options import RunOptions
from mirror.places import weights_folder
from mirror.progress import Bar
from mirror.session.retention import forget_older
from mirror.settings import Settings
from mirror.show.plan import Plan, make_plan
from mirror.show.show import Show
from mirror.watch.heartbeat import supervised, tell_supervisor
from mirror.watch.interrupts import stop_on_signal


def run(settings: Settings, options: RunOptions, fast: bool = False) -> dict[str, Any]:
    """Show the piece until its source, its time or somebody ends it; returns the report.

    fast: a recorded session is played as fast as the machine can. Raises MirrorError for whatever
    cannot be done, before anything is written.
    """
    weights = verify(weights_folder(settings.faces.weights), strict=not supervised())
    plan = make_plan(settings, options, fast)
    if settings.record.folder:
        forget_older(Path(settings.record.folder), settings.record.keep_days)
    with ExitStack() as stack:
        show = Show(plan, choose_clock(plan), weights, stack)
        teller = tell_supervisor(show.rig.pulse)
        with stop_on_signal(show.stop), Bar(plan.settings.piece, plan.seconds) as bar:
            show.play(bar.reach)
        if teller:
            teller.ended(show.steering.ended_by)
        told = show.end()
        if teller and not (options.film or options.record):
            leave_at_once(show)
        return told


def choose_clock(plan: Plan) -> Clock:
    """The clock that the piece runs on."""
    if plan.stepped:
        return SteppedClock()
    speed = plan.options.speed
    return MonotonicClock() if speed == 1.0 else PacedClock(speed)


def leave_at_once(show: Show) -> None:
    """End the process, with the river saved. Somebody waits for the next picture, and the
    system takes back in no time what would be put away here in a second and a half."""
    show.rig.recollection.close()
    logging.shutdown()
    sys.stdout.flush()
    os._exit(0)
