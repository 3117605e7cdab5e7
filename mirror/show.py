"""The show: the one place where the stages meet.

Two clocks. Geometry is live: every drawn picture carries the newest markers. Paint is slow: a
thread paints what is missed most, and the screen cross-fades. Everything here runs on the show's
own thread, which also owns OpenGL; camera, markers and painting have theirs.
"""

from __future__ import annotations

import dataclasses
import logging
import os
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack, nullcontext
from pathlib import Path
from typing import Any

import numpy as np

from mirror import __version__
from mirror.canonical import load_mesh
from mirror.cards import verify
from mirror.clock import Clock, MonotonicClock, PacedClock, SteppedClock, precise_s, utc_now
from mirror.eyes import Glance, LiveEyes, SessionEyes, open_eyes
from mirror.film import Film, write_still
from mirror.interrupts import stop_on_signal
from mirror.latents import CODE
from mirror.loading import Loading
from mirror.options import RunOptions
from mirror.painter import Studio
from mirror.pieces import PIECES, Moment
from mirror.pieces.arrangement import nothing
from mirror.places import weights_folder
from mirror.plan import OUT, Plan, make_plan
from mirror.progress import Bar
from mirror.report import Report, write_json
from mirror.river import RiverState, advance, on_shell, start, state_hash
from mirror.screen import Screen
from mirror.session.proof import Proof
from mirror.session.read import open_session
from mirror.session.record import Recorder
from mirror.session.reel import Limits
from mirror.session.retention import forget_older
from mirror.session.schemas import SessionHeader
from mirror.settings import RecordSettings, Settings
from mirror.signals import Portraits, Scene, Sitters, Visit
from mirror.site import resolved
from mirror.visitors import Visitors
from mirror.wishes import Wishes, Workshop

log = logging.getLogger(__name__)

#: While somebody is there, a picture waits for newer markers up to so many picture times.
PATIENCE = 1.4
#: And where drawing and reading take turns: until the reading that has its turn is done.
PATIENCE_IN_TURN = 2.4
#: Seconds between two hashes in a recording.
HASH_EVERY_S = 1.0
#: On so many cores, without a GPU, drawing and reading markers take turns.
FEW_CORES = 3


def run(settings: Settings, options: RunOptions, fast: bool = False) -> dict[str, Any]:
    """Show the piece until its source, its time or somebody ends it; returns the report.

    fast: a recorded session is played as fast as the machine can. Raises MirrorError for whatever
    cannot be done, before anything is written.
    """
    weights = verify(weights_folder(settings.faces.weights))
    plan = make_plan(settings, options, fast)
    if settings.record.folder:
        forget_older(Path(settings.record.folder), settings.record.keep_days)
    clock = choose_clock(plan)
    with ExitStack() as stack:
        show = Show(plan, clock, weights, stack)
        with stop_on_signal(show.stop), Bar(plan.settings.piece, plan.seconds) as bar:
            show.play(bar.reach)
        return show.end()


def choose_clock(plan: Plan) -> Clock:
    """The clock that the piece runs on."""
    if plan.stepped:
        return SteppedClock()
    speed = plan.options.speed
    return MonotonicClock() if speed == 1.0 else PacedClock(speed)


class Show:
    """One run of the piece. Everything that must be closed hangs on the stack it is given."""

    def __init__(self, plan: Plan, clock: Clock, weights: dict[str, str], stack: ExitStack) -> None:
        self.plan, self.clock, self.weights, self._stack = plan, clock, weights, stack
        settings = self.settings = plan.settings
        self.report = Report(MonotonicClock())  # fps are the machine's, also when time is stepped
        folder = weights_folder(settings.faces.weights)
        self._loading = Loading(folder, settings.faces)
        stack.callback(self._loading.close)
        self.mesh = load_mesh(folder)
        size = (settings.screen.width_px, settings.screen.height_px)
        self.screen = stack.enter_context(
            Screen(plan.screen, size, self.mesh, settings.river.parcels, settings.screen,
                   settings.faces.cross_fade_s)
        )  # fmt: skip
        film = plan.options.film
        self.film = stack.enter_context(Film(film, plan.rate_hz)) if film else None
        self.eyes = open_eyes(plan, clock, self.report)
        self._takes_turns = self.screen.software and (os.cpu_count() or 1) <= FEW_CORES
        stack.callback(self.eyes.close)
        self.river: RiverState | None = None
        self.workshop: Workshop | None = None
        self._recorder: Recorder | None = None
        self._proof = Proof(())
        self._faults: dict[str, int] = {}
        self._visits: list[Visit] = []
        self._sitters = Sitters(0.0)
        self._stopping = self._overlay = self._paused = self._still_wanted = False
        self._start_s = self._due_s = clock.now_s()
        self._drawn_s = self._hashed_s = self._source_s = 0.0

    def stop(self) -> None:
        """End after the picture in work; any thread may ask."""
        self._stopping = True

    @property
    def time_s(self) -> float:
        """The piece's time: seconds since the show began."""
        return self.clock.now_s() - self._start_s

    def play(self, told: Callable[[float], None]) -> None:
        """Draw pictures until the end. told: is given the piece's time after each."""
        while not self._ended():
            self._load()
            glances = self._look()
            begun_s = precise_s()
            for glance in glances:
                self._take_in(glance)
            self._flow(self._horizon_s())
            if self.plan.draws:
                with self._undisturbed():
                    self._draw(self._arrange(), glances, begun_s)
            self._heed_keys()
            told(self.time_s)
            if self.plan.stepped:
                self.clock.sleep_s(1.0 / self.plan.rate_hz)

    def _ended(self) -> bool:
        if self._stopping or self.screen.should_close:
            return True
        if self.plan.seconds is not None:
            return self.time_s >= self.plan.seconds - 1e-6
        return self.eyes.ended

    def _load(self) -> None:
        """Let the river spring as soon as the models are there."""
        if self.river is not None:
            return
        models = self._loading.result(wait=self.plan.stepped)
        if models is None:
            return
        faces, settings = models.faces, self.settings
        self._aspect = self.plan.aspect or self.screen.aspect
        self.river = start(settings.river, models.densities, settings.seed, self._aspect)
        if self.plan.proves and self.plan.session is not None:
            self._proof = Proof(open_session(self.plan.session).hashes(to_s=self.plan.options.to_s))
        wishes = Wishes(list(faces), self.river.stream)
        self.workshop = Workshop(
            Studio(faces, self.clock, self.screen.varnish), wishes, not self.plan.stepped
        )
        self._stack.callback(self.workshop.close)
        geometries = [model.geometry for model in faces.values()]
        self._visitors = Visitors(
            geometries, self.mesh.frame, settings.faces.accent, settings.mirror
        )
        shells = np.array([dataclasses.astuple(m.shell) for m in faces.values()], np.float32)
        self._shell = shells[self.river.stream].T  # (3, P): norm, low, high
        self._river_start_s = self.time_s
        if isinstance(self.eyes, SessionEyes):
            self.eyes.begin(self.clock.now_s())
        self._record()

    def _look(self) -> list[Glance]:
        """Whoever is there now; otherwise waits until the next picture is due."""
        if self.plan.stepped:
            return self.eyes.glances(0.0)
        if self.river is None and isinstance(self.eyes, SessionEyes):
            self.clock.sleep_s(1.0 / self.settings.screen.rate_hz)
            return []
        patience = PATIENCE_IN_TURN if self._takes_turns else PATIENCE
        patience = patience if self._sitters.sitters else 1.0
        due_s = self._due_s + patience / self.settings.screen.rate_hz
        glances = self.eyes.glances(max(0.0, due_s - self.clock.now_s()))
        self._due_s = self.clock.now_s()
        return glances

    def _take_in(self, glance: Glance) -> None:
        """New sitters: the river flows up to now as it was, and then knows of them."""
        self._source_s = glance.sitters.time_s - (self.eyes.origin_s or 0.0)
        for id in glance.sitters.arrived:
            self.report.visit_started(id, self._source_s)
        for id in glance.sitters.left:
            self.report.visit_ended(id, self._source_s)
        if self.river is None:
            return
        replayed = isinstance(self.eyes, SessionEyes)
        now_s = glance.sitters.time_s if replayed else self.time_s - self._river_start_s
        self._flow(now_s + self._river_start_s)
        known = {sitter.id for sitter in self._sitters.sitters}
        here = tuple(each.id for each in glance.sitters.sitters if each.id not in known)
        self._sitters = dataclasses.replace(glance.sitters, time_s=now_s, arrived=here)
        with self.report.timed("latents"):
            self._visits = self._visitors.visits(self._sitters, self._aspect)
        if self._recorder:
            self._recorder.sitters(self._sitters, glance.hand_s, wall_ns())

    def _horizon_s(self) -> float:
        """How far the river may flow: up to now, but in a replay not past sitters still to come,
        nor past the end of what was recorded."""
        if not isinstance(self.eyes, SessionEyes) or self.river is None:
            return self.time_s
        next_s = self.eyes.next_s
        if self.plan.proves and self.eyes.ended:
            next_s = self.river.time_s if self._proof.due_s is None else self._proof.due_s
        return min(self.time_s, self._river_start_s + next_s)

    def _flow(self, until_s: float) -> None:
        """The river flows on to a time of the piece, in whole steps."""
        if self.river is None:
            return
        river_s = until_s - self._river_start_s
        with self.report.timed("river"):
            while (due_s := self._proof.due_s) is not None and due_s <= river_s:
                self.river = advance(self.river, self.settings.river, self._visits, due_s)
                self._proof.compare(state_hash(self.river))
            self.river = advance(self.river, self.settings.river, self._visits, river_s)
        if self._recorder and self.river.time_s >= self._hashed_s:
            self._hashed_s = self.river.time_s + HASH_EVERY_S
            self._record_faults(self._recorder)
            self._recorder.river_hash(
                self.river.moment.steps, self.river.time_s, state_hash(self.river)
            )

    def _arrange(self) -> Portraits:
        """Which portraits are drawn where; and what is painted next."""
        river = self.river
        if river is None or self.workshop is None:
            return nothing(len(self.mesh.rest))
        moment = Moment(
            self.time_s, self.screen.aspect, river.stream, river.place, river.latent,
            river.turbulence, self._visits, self.mesh, self.settings.seed,
        )  # fmt: skip
        arrangement = PIECES[self.settings.piece](moment)
        opacity = np.zeros(len(river.stream), np.float32)
        opacity[arrangement.parcel] = arrangement.portraits.opacity
        for done in self.workshop.paint(on_shell(river.latent[:, CODE], *self._shell), opacity):
            self.screen.hang(done.job.slot, done.texture)
            self.report.stage("faces", done.ms)
            self.report.painted()
        return arrangement.portraits

    def _undisturbed(self) -> AbstractContextManager[None]:
        """Where few cores must draw as well as read markers, the one waits for the other."""
        if self._takes_turns and isinstance(self.eyes, LiveEyes):
            return self.eyes.undisturbed()
        return nullcontext()

    def _draw(self, portraits: Portraits, glances: list[Glance], begun_s: float) -> None:
        drawing_s = precise_s()
        self.screen.draw(self._scene(portraits))
        self.screen.finish()
        ended_s = precise_s()
        self.report.stage("screen", 1000 * (ended_s - drawing_s))
        self.report.frame(1000 * (ended_s - begun_s))
        if glances and not self.plan.stepped:
            self.report.photon(1000 * (self.clock.now_s() - glances[-1].hand_s))
        if self.film:
            self.film.add(self.screen.picture(), self.time_s)
        if self._still_wanted:
            self._still_wanted = False
            OUT.mkdir(exist_ok=True)
            write_still(OUT / f"mirror-{utc_now():%Y%m%d-%H%M%S}.png", self.screen.picture())

    def _scene(self, portraits: Portraits) -> Scene:
        now_s, river = self.time_s, self.river
        dt_s, self._drawn_s = min(0.25, max(0.0, now_s - self._drawn_s)), now_s
        return Scene(
            time_s=now_s,
            dt_s=dt_s,
            portraits=portraits,
            stirs=self._visitors.stirs() if river is not None else (),
            turbulence=float(river.turbulence.mean()) if river is not None else 0.0,
            overlay=self._overlay_lines() if self._overlay else (),
            marks=self._sitters.sitters if self._overlay else (),
            lamp=self._recorder is not None and self._recorder.pictures,
        )

    def _overlay_lines(self) -> tuple[str, ...]:
        told = self.report.result(end_s=self._source_s)
        stages = [f"{name} {ms['p50']} ms" for name, ms in told["stage_ms"].items() if ms["p50"]]
        faults = ", ".join(f"{kind} {n}" for kind, n in self.eyes.faults().items() if n)
        return (
            f"{told['fps']:.1f} fps, {told['portraits_per_s']:.1f} portraits/s",
            "  ".join(stages),
            f"sitters {len(self._sitters.sitters)}  {faults or 'no faults'}",
        )

    def _heed_keys(self) -> None:
        for key in self.screen.keys():  # noqa: SIM118 - those of a keyboard
            if key == "quit":
                self.stop()
            elif key == "overlay":
                self._overlay = not self._overlay
            elif key == "still":
                self._still_wanted = True
            elif key == "pause":
                self._paused = not self._paused
                self.eyes.pause(self._paused)

    def _record(self) -> None:
        """Begin the recording that was asked for."""
        path = self.plan.options.record
        if path is None:
            return
        header = SessionHeader(
            settings=resolved(self.settings), seed=self.settings.seed, version=__version__,
            weights=self.weights, aspect=self._aspect, source=self.settings.camera.source,
            pictures=self.plan.options.record_pictures,
        )  # fmt: skip
        self._recorder = self._stack.enter_context(
            Recorder(path, header, limits(self.settings.record), self.clock, self.plan.stepped)
        )
        if isinstance(self.eyes, LiveEyes) and header.pictures:
            self.eyes.witness = self._recorder.picture

    def _record_faults(self, recorder: Recorder) -> None:
        """Record the camera's faults since the last time."""
        faults = self.eyes.faults()
        for kind, count in faults.items():
            if count > self._faults.get(kind, 0):
                recorder.fault(kind, self._sitters.time_s, f"{count} so far")
        self._faults = faults

    def end(self) -> dict[str, Any]:
        """Write what the run leaves behind; returns the report."""
        options = self.plan.options
        self.report.faults(self.eyes.faults())
        while self.eyes.ended and self._proof.due_s is not None:
            self._flow(self._river_start_s + self._proof.due_s)
        if self.river is not None and self._recorder:
            self._recorder.river_hash(
                self.river.moment.steps, self.river.time_s, state_hash(self.river)
            )
        told = self.report.result(
            end_s=self._source_s,
            river_hash=state_hash(self.river) if self.river is not None else "",
            renderer=self.screen.renderer,
            weights=self.weights,
            settings=resolved(self.settings),
            painting_faults=dict(self.workshop.studio.failures) if self.workshop else {},
            **({"replay": self._proof.told()} if self.plan.proves else {}),
        )
        if options.still:
            write_still(options.still, self.screen.picture())
        if options.report:
            write_json(options.report, told)
        return told


def limits(record: RecordSettings) -> Limits:
    """How far a recording may go, from the site's settings."""
    return Limits(
        record.rotate_s, record.rotate_mb, record.quota_mb, record.spare_mb, record.oldest_goes
    )


def wall_ns() -> int:
    """Wall clock, nanoseconds since 1970."""
    return int(utc_now().timestamp() * 1e9)
