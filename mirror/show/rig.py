"""The rig: everything that one run consists of, opened in the order in which it must be.

In: the plan. Out: parts that know nothing of one another's inside; who drives them is ``show``.
What must be closed hangs on the stack, and is closed the other way round.
"""

from __future__ import annotations

import threading
from contextlib import ExitStack
from dataclasses import dataclass

from mirror.canonical import load_mesh
from mirror.clock import Clock, MonotonicClock
from mirror.painting.loading import Loading
from mirror.places import weights_folder
from mirror.report import Report
from mirror.screen import LastingScreen, Screen, Unseen
from mirror.show.audience import Audience
from mirror.show.course import Course
from mirror.show.hanging import Hanging
from mirror.show.ladder import Ladder
from mirror.show.outputs import Outputs
from mirror.show.piece_time import PieceTime
from mirror.show.plan import Plan
from mirror.show.recollection import Recollection
from mirror.show.recording import Recording
from mirror.status.journal import Journal, keep_journal
from mirror.status.vitals import LastWords, Pulse, last_words
from mirror.watch.heartbeat import supervised


@dataclass(frozen=True)
class Rig:
    """gate: open after the first picture of a show that was taken up, before that of another;
    torch and mediapipe wait at it. weights: sha256 of each school's."""

    plan: Plan
    clock: Clock
    weights: dict[str, str]
    stack: ExitStack
    gate: threading.Event
    journal: Journal
    report: Report
    pulse: Pulse
    last_words: LastWords
    recollection: Recollection
    loading: Loading
    screen: LastingScreen | Unseen
    outputs: Outputs
    audience: Audience
    time: PieceTime
    course: Course
    hanging: Hanging
    recording: Recording
    ladder: Ladder


def rig_up(plan: Plan, clock: Clock, weights: dict[str, str], stack: ExitStack) -> Rig:
    """Open everything; raises MirrorError for what cannot be had."""
    journal = keep_journal(plan.settings.log, stack)
    recollection = Recollection(plan, weights, stack)
    settings = recollection.settings
    report = Report(MonotonicClock())  # fps are the machine's, also when time is stepped
    # After a restart the saved portraits come first: torch and mediapipe, which take seconds
    # and most of Python's attention, are let in after the first picture.
    gate = threading.Event()
    if not recollection.stands_still:
        gate.set()
    folder = weights_folder(settings.faces.weights)
    loading = Loading(folder, settings.faces, not supervised(), gate, plan.draws)
    stack.callback(loading.close)
    mesh, size = load_mesh(folder), (settings.screen.width_px, settings.screen.height_px)
    screen: LastingScreen | Unseen = Unseen(size, settings.screen)
    if plan.draws:
        screen = LastingScreen(lambda: Screen(
            plan.screen, size, mesh, settings.river.parcels, settings.screen,
            settings.faces.cross_fade_s,
        ))  # fmt: skip
    stack.enter_context(screen)
    outputs = stack.enter_context(Outputs(plan.options.film, plan.rate_hz))
    pulse = Pulse(piece=settings.piece, renderer=screen.renderer, weights=dict(weights))
    words = stack.enter_context(last_words())
    audience = Audience(plan, clock, report, recollection.newest_id, gate, stack)
    time = PieceTime(clock, recollection.time_s)
    ladder = Ladder(settings.load, settings.screen.rate_hz)
    return Rig(
        plan, clock, weights, stack, gate, journal, report, pulse, words, recollection, loading,
        screen, outputs, audience, time,
        Course(mesh.frame, time, report),
        Hanging(screen, mesh, recollection, ladder, report),
        Recording(plan, weights, clock, stack),
        ladder,
    )  # fmt: skip
