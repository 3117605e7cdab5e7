"""The show: the one place where the stages meet.

Two clocks. Geometry is live: every drawn picture carries the newest markers. Paint is slow: a
thread paints what is missed most, and the screen cross-fades. Everything here runs on the show's
own thread, which also owns OpenGL; camera, markers and painting have theirs.
"""

from __future__ import annotations

import dataclasses
import logging
import os
import sys
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack, nullcontext
from pathlib import Path
from typing import Any

import numpy as np

from mirror import __version__
from mirror.canonical import load_mesh
from mirror.cards import verify
from mirror.clock import Clock, MonotonicClock, PacedClock, SteppedClock, precise_s, utc_now
from mirror.control.commands import Command, command
from mirror.control.conductor import IN_THE_DARK, Conductor, Standing
from mirror.control.porter import Porter
from mirror.film import write_still
from mirror.latents.latents import CODE
from mirror.latents.visitors import Visitors
from mirror.options import RunOptions
from mirror.painting.loading import Loading, Models
from mirror.painting.painter import Studio
from mirror.painting.wishes import Wishes, Workshop
from mirror.pieces import PIECES, PIGMENT, Moment
from mirror.pieces.arrangement import nothing
from mirror.places import weights_folder
from mirror.progress import Bar
from mirror.report import Report, write_json
from mirror.river.river import RiverState, advance, on_shell, start, state_hash
from mirror.screen import LastingScreen, Screen
from mirror.session.proof import Proof
from mirror.session.read import open_session
from mirror.session.record import Recorder
from mirror.session.reel import Limits
from mirror.session.retention import forget_older
from mirror.session.schemas import SessionHeader
from mirror.settings import RecordSettings, Settings
from mirror.show.eyes import Glance, LiveEyes, Nobody, SessionEyes, open_eyes
from mirror.show.ladder import PAINTS_EVERY_S, Ladder
from mirror.show.outputs import Outputs
from mirror.show.plan import Plan, choose_eyes, make_plan, renumbered
from mirror.show.ports import open_ports
from mirror.show.recollection import Recollection
from mirror.signals import Portraits, Scene, Sitters, Visit
from mirror.site.site import resolved
from mirror.status.journal import keep_journal
from mirror.status.vitals import Pulse, last_words
from mirror.watch.heartbeat import supervised, tell_supervisor
from mirror.watch.interrupts import stop_on_signal

log = logging.getLogger(__name__)

#: While somebody is there, a picture waits for newer markers up to so many picture times.
PATIENCE = 1.4
#: And where drawing and reading take turns: until the reading that has its turn is done.
PATIENCE_IN_TURN = 2.4
#: Seconds between two hashes in a recording.
HASH_EVERY_S = 1.0
#: While it is closed and dark, so many pictures a second keep the supervisor content.
RESTING_HZ = 5.0
#: The display is told so often to stay awake, seconds.
TEND_EVERY_S = 60.0
#: On so many cores, without a GPU, drawing and reading markers take turns.
FEW_CORES = 3


def run(settings: Settings, options: RunOptions, fast: bool = False) -> dict[str, Any]:
    """Show the piece until its source, its time or somebody ends it; returns the report.

    fast: a recorded session is played as fast as the machine can. Raises MirrorError for whatever
    cannot be done, before anything is written.
    """
    weights = verify(weights_folder(settings.faces.weights), strict=not supervised())
    plan = make_plan(settings, options, fast)
    if settings.record.folder:
        forget_older(Path(settings.record.folder), settings.record.keep_days)
    clock = choose_clock(plan)
    with ExitStack() as stack:
        show = Show(plan, clock, weights, stack)
        teller = tell_supervisor(show.pulse)
        with stop_on_signal(show.stop), Bar(plan.settings.piece, plan.seconds) as bar:
            show.play(bar.reach)
        if teller:
            teller.ended(show.ended_by)
        ended = show.end()
        if teller and not (options.film or options.record):
            show.leave_at_once()
        return ended


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
        self.journal = keep_journal(plan.settings.log, stack)
        self.recollection = Recollection(plan, weights, stack)
        settings = self.settings = self.recollection.settings
        self.report = Report(MonotonicClock())  # fps are the machine's, also when time is stepped
        # After a restart the saved portraits come first: torch and mediapipe, which take seconds
        # and most of Python's attention, are let in after the first picture.
        self._gate = gate(not self.recollection.stands_still)
        folder = weights_folder(settings.faces.weights)
        self._loading = Loading(folder, settings.faces, not supervised(), self._gate)
        stack.callback(self._loading.close)
        self.mesh = load_mesh(folder)
        size = (settings.screen.width_px, settings.screen.height_px)
        self.screen = stack.enter_context(LastingScreen(lambda: Screen(
            plan.screen, size, self.mesh, settings.river.parcels, settings.screen,
            settings.faces.cross_fade_s,
        )))  # fmt: skip
        self.outputs = stack.enter_context(Outputs(plan.options.film, plan.rate_hz))
        self.eyes = open_eyes(plan, clock, self.report, self._gate)
        self.pulse = Pulse(
            piece=settings.piece, renderer=self.screen.renderer, weights=dict(weights)
        )
        self._last_words = stack.enter_context(last_words())
        self._takes_turns = self.screen.software and (os.cpu_count() or 1) <= FEW_CORES
        stack.callback(self.eyes.close)
        self.river: RiverState | None = None
        self.workshop: Workshop | None = None
        self._recorder: Recorder | None = None
        self._proof = Proof(())
        self.ended_by = ""
        self._faults: dict[str, int] = {}
        self._visits, self._sitters = list[Visit](), Sitters(0.0)
        self._stopping = self._overlay = self._paused = self._dark = False
        self._due_s = self._told_s = self._begun_s = clock.now_s()
        self._drawn_s = self._hashed_s = self._source_s = self._tended_s = 0.0
        self._session_s = 0.0  # a session's time 0, in the river's
        self._newest_id = self._ids_before = self.recollection.newest_id
        self._began_s = self.recollection.time_s
        self._start_s = clock.now_s() - self._began_s
        self._frozen_s: float | None = None
        self.conductor = Conductor(
            Standing(settings.piece, settings.seed, settings.river.fade_half_life_s)
        )
        self.porter, self.ladder = Porter(settings.hours), Ladder(settings.load)
        for each in self.recollection.standing:
            if each.name not in IN_THE_DARK:  # those are in the settings already
                self.conductor.inbox.put(each)
        self._heed_commands()
        if not plan.stepped:  # a measurement is not disturbed
            open_ports(settings, self, stack)

    def stop(self, by: str = "signal") -> None:
        """End after the picture in work; any thread may ask."""
        self._stopping, self.ended_by = True, by

    @property
    def time_s(self) -> float:
        """The piece's time: seconds since the show, or the one taken up, began, without those
        that it stood still."""
        now_s = self.clock.now_s() if self._frozen_s is None else self._frozen_s
        return now_s - self._start_s

    def play(self, told: Callable[[float], None]) -> None:
        """Draw pictures until the end. told: is given the piece's time after each."""
        while not self._ended():
            self._load()
            glances = self._look()
            begun_s = precise_s()
            for glance in glances:
                if self._stopping:  # a session played too fast for the machine has no end of them
                    break
                self._take_in(glance)
            self._flow(self._horizon_s())
            self._tend()
            if self.plan.draws:
                with self._undisturbed():
                    self._draw(self._arrange(), glances, begun_s)
            self._heed_keys()
            self._heed_commands()
            told(self.time_s - self._began_s)
            if self.plan.stepped:
                self.clock.sleep_s(1.0 / self.plan.rate_hz)

    def _tend(self) -> None:
        """Open and close by the hours, and go by what the machine can carry."""
        if self.plan.stepped:
            return
        now_s, standing = self.clock.now_s(), self.conductor.standing
        piece = self.porter.look(now_s, standing.opening, standing.piece)
        if piece != standing.piece:
            self.conductor.inbox.put(command("piece", piece))
        if self.porter.dark != self.conductor.closed:
            self.conductor.closed = self.porter.dark
            if not self.pulse.newest.pictures:  # begun when it was closed: not one bright picture
                self.conductor.light = 0.0
            self._look_away()
        self._dark = self.conductor.closed and self.conductor.light <= 0.0
        if now_s - self._tended_s >= TEND_EVERY_S:
            self._tended_s = now_s
            self.screen.stay_awake()
        if self.river is not None and not self._rests:
            self.ladder.look(self.pulse.newest.fps, now_s)

    @property
    def _rests(self) -> bool:
        """Whether nothing moves, on purpose."""
        return self._frozen_s is not None or self._dark

    def _look_away(self) -> None:
        """Look at nobody while that is asked for, closed, or no use to the piece."""
        closed = self.conductor.closed or self.settings.piece == "passersby"
        self.eyes.pause(self._paused or closed)

    def leave_at_once(self) -> None:
        """End the process, with the river saved. Somebody waits for the next picture, and the
        system takes back in no time what would be put away here in a second and a half."""
        self.recollection.close()
        logging.shutdown()
        sys.stdout.flush()
        os._exit(0)

    def _ended(self) -> bool:
        if self.screen.should_close and not self._stopping:
            self.stop("window")
        if self._stopping:
            return True
        if self.plan.seconds is not None:
            self.ended_by = "time"
            return self.clock.now_s() - self._begun_s >= self.plan.seconds - 1e-6
        self.ended_by = "source"
        return self.eyes.ended

    def _load(self) -> None:
        """Let the river spring as soon as the models are there."""
        if self.river is not None:
            return
        models = self._loading.result(wait=self.plan.stepped)
        if models is None:
            return
        faces = models.faces
        self._aspect = self.plan.aspect or self.screen.aspect
        self.river = self._spring(models)
        if self.plan.proves and self.plan.session is not None:
            self._proof = Proof(open_session(self.plan.session).hashes(to_s=self.plan.options.to_s))
        wishes = Wishes(list(faces), self.river.stream, sketches=not self.plan.stepped)
        self.workshop = Workshop(
            Studio(faces, self.clock, self.screen.varnish), wishes, not self.plan.stepped
        )
        self.recollection.hand_over(self.workshop.sketched)
        self._stack.callback(self.workshop.close)
        shells = np.array([dataclasses.astuple(m.shell) for m in faces.values()], np.float32)
        self._shell = shells[self.river.stream].T  # (3, P): norm, low, high
        self._session_s = self.river.time_s
        if isinstance(self.eyes, SessionEyes):
            self.eyes.begin(self.clock.now_s())
        self._record()

    def _spring(self, models: Models) -> RiverState:
        """The river that was saved, or a new one."""
        found = self.recollection.river(models.densities, self.settings.seed, self._aspect)
        self.pulse.note(resumed=found is not None)
        return self._flows(models, found)

    def _flows(self, models: Models, found: RiverState | None = None) -> RiverState:
        """A river that was found, or one that begins now, at its source; it has seen nobody."""
        settings = self.settings
        river = found or start(settings.river, models.densities, settings.seed, self._aspect)
        self._river_start_s, self._hashed_s = self.time_s - river.time_s, 0.0
        geometries = [model.geometry for model in models.faces.values()]
        self._visitors = Visitors(
            geometries, self.mesh.frame, settings.faces.accent, settings.mirror
        )
        return river

    def _look(self) -> list[Glance]:
        """Whoever is there now; otherwise waits until the next picture is due."""
        if self.plan.stepped:
            return self.eyes.glances(0.0)
        waits = self.river is None or self._frozen_s is not None
        if waits and isinstance(self.eyes, SessionEyes):
            self.clock.sleep_s(1.0 / self.settings.screen.rate_hz)
            return []
        patience = PATIENCE_IN_TURN if self._takes_turns else PATIENCE
        patience = patience if self._sitters.sitters else 1.0
        if self._dark:  # nothing is seen and nobody looked at: no hurry
            self.clock.sleep_s(self._due_s + 1.0 / RESTING_HZ - self.clock.now_s())
        due_s = self._due_s + patience / self.settings.screen.rate_hz
        glances = self.eyes.glances(max(0.0, due_s - self.clock.now_s()))
        self._due_s = self.clock.now_s()
        return glances

    def _take_in(self, glance: Glance) -> None:
        """New sitters: the river flows up to now as it was, and then knows of them."""
        self._told_s = self.clock.now_s()
        if self._ids_before:  # whoever is there after a restart is somebody new
            sitters = renumbered(glance.sitters, 0.0, self._ids_before)
            glance = dataclasses.replace(glance, sitters=sitters)
        self._newest_id = max([self._newest_id, *glance.sitters.arrived])
        self._source_s = glance.sitters.time_s - (self.eyes.origin_s or 0.0)
        for id in glance.sitters.arrived:
            self.report.visit_started(id, self._source_s)
        for id in glance.sitters.left:
            self.report.visit_ended(id, self._source_s)
        if self.river is None:
            return
        replayed = isinstance(self.eyes, SessionEyes)
        now_s = self.time_s - self._river_start_s
        if replayed:
            now_s = glance.sitters.time_s + self._session_s
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
        return min(self.time_s, self._river_start_s + self._session_s + next_s)

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
        self._keep(self.river)
        if self._recorder and self.river.time_s >= self._hashed_s:
            self._hashed_s = self.river.time_s + HASH_EVERY_S
            self._record_faults(self._recorder)
            self._recorder.river_hash(
                self.river.moment.steps, self.river.time_s, state_hash(self.river)
            )

    def _keep(self, river: RiverState, now: bool = False) -> None:
        """Save the river, and what show control has asked for."""
        standing = self.conductor.standing.told()
        standing["piece"] = self.porter.by_day(self.conductor.standing.piece)
        self.recollection.keep(river, self.time_s, self._newest_id, standing, now)

    def _arrange(self) -> Portraits:
        """Which portraits are drawn where; and what is painted next."""
        river = self.river
        sketched = self.workshop.sketched if self.workshop else None
        for slot, texture in self.recollection.sketches(sketched):
            self.screen.hang(slot, texture, at_once=True)
        if river is None or self.workshop is None:
            return self.recollection.portraits(
                self.time_s, self.screen.aspect, self.mesh, self.screen.varnish
            )
        if self._rests:
            return nothing(len(self.mesh.rest))
        moment = Moment(
            self.time_s, self.screen.aspect, river.stream, river.place, river.latent,
            river.turbulence, self._visits, self.mesh, self.settings.seed,
            self.ladder.staying(np.arange(len(river.stream)), self.settings.seed),
        )  # fmt: skip
        arrangement = PIECES[self.settings.piece](moment)
        opacity = np.zeros(len(river.stream), np.float32)
        opacity[arrangement.parcel] = arrangement.portraits.opacity
        codes, every_s = on_shell(river.latent[:, CODE], *self._shell), 0.0
        if self.ladder.sparing:
            every_s = PAINTS_EVERY_S
        for done in self.workshop.paint(codes, opacity, every_s):
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
        if not self.screen.present(self._scene(portraits)):
            return
        ended_s = precise_s()
        self.report.stage("screen", 1000 * (ended_s - drawing_s))
        self.report.frame(1000 * (ended_s - begun_s))
        if glances and not self.plan.stepped:
            self.report.photon(1000 * (self.clock.now_s() - glances[-1].hand_s))
        self._gate.set()
        self._beat()
        self.outputs.take(self.screen.picture, self.time_s)

    def _beat(self) -> None:
        """Publish the vital signs: a picture was presented."""
        now_s = self.clock.now_s()
        self.pulse.beat(
            time_s=self.time_s,
            stage_ms=self.report.newest_ms,
            camera=self.eyes.state,
            silent_s=now_s - self._told_s,
            sitters=len(self._sitters.sitters),
            visits=self.report.visits_begun,
            camera_faults=self.eyes.faults(),
            painting_faults=self.workshop.faults() if self.workshop else {},
            screen_faults=self.screen.failures,
            painted=self.report.painted_so_far,
            painting=self.workshop.alive if self.workshop else True,
            last_error=self._last_words.text,
            paused=self._paused,
            resting=self._rests,
            ladder=self.ladder.rung,
            opening="open" if self.porter.open else "closed" if self._dark else "closing",
        )

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
            light=self.conductor.light,
            still=self._rests,
            surface=self.ladder.surface,
            pigment=PIGMENT[self.settings.piece],
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
                self.stop("key")
            elif key == "close":
                self._close_window()
            elif key == "overlay":
                self._overlay = not self._overlay
            elif key == "still":
                self.outputs.want_still()
            elif key == "pause":
                self.conductor.inbox.put(command("pause", not self._paused))

    def _heed_commands(self) -> None:
        """Carry out what was asked for, between two pictures."""
        for asked in self.conductor.due(self.clock.now_s()):
            changes_river = asked.name in ("seed", "half-life")
            if changes_river and (self._recorder or self.plan.proves):
                log.warning("%s stays as it is while a session is recorded or replayed", asked.name)
                continue
            self._carry_out(asked)
            self.conductor.stands(asked)

    def _carry_out(self, asked: Command) -> None:
        settings, value = self.settings, asked.value
        if asked.name == "pause":
            self._paused = value
            self._look_away()
        elif asked.name == "freeze":
            self._freeze(value)
        elif asked.name == "half-life":
            river = dataclasses.replace(settings.river, fade_half_life_s=value)
            self.settings = dataclasses.replace(settings, river=river)
        elif asked.name == "piece":
            self.settings = dataclasses.replace(settings, piece=value)
            self.pulse.note(piece=value)
            self._look_for(value)
        elif asked.name == "seed":
            self.settings = dataclasses.replace(settings, seed=value)
            models = self._loading.result() if self.river is not None else None
            if models is not None:
                self._session_s -= self.time_s - self._river_start_s
                self.river = self._flows(models)

    def _freeze(self, frozen: bool) -> None:
        """The piece's time stands still, or goes on from where it stood."""
        now_s = self.clock.now_s()
        if frozen and self._frozen_s is None:
            self._frozen_s = now_s
        elif not frozen and self._frozen_s is not None:
            stood_s, self._frozen_s = now_s - self._frozen_s, None
            self._start_s += stood_s
            if isinstance(self.eyes, SessionEyes):
                self.eyes.delay(stood_s)

    def _look_for(self, piece: str) -> None:
        """A piece that needs nobody looks at nobody; another one needs eyes."""
        if piece != "passersby" and isinstance(self.eyes, Nobody):
            eyes, source, session = choose_eyes(self.settings, self.plan.options)
            plan = dataclasses.replace(self.plan, eyes=eyes, source=source, session=session)
            self.eyes = open_eyes(plan, self.clock, self.report)
            self._stack.callback(self.eyes.close)
            if self.river is not None:
                self._session_s = self.time_s - self._river_start_s
        self._look_away()

    def _close_window(self) -> None:
        """The window was closed with the mouse; a show that is supervised stays."""
        if supervised():
            log.warning("the window was asked to close: it stays; the key is Esc")
            self.screen.stay()
        else:
            self.stop("window")

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
        if self.river is not None:
            self._keep(self.river, now=True)
        told = self.report.result(
            end_s=self._source_s,
            river_hash=state_hash(self.river) if self.river is not None else "",
            renderer=self.screen.renderer,
            weights=self.weights,
            settings=resolved(self.settings),
            painting_faults=self.workshop.faults() if self.workshop else {},
            screen_faults=self.screen.failures,
            film_fault=self.outputs.fault,
            **({"replay": self._proof.told()} if self.plan.proves else {}),
        )
        if options.still:
            write_still(options.still, self.screen.picture())
        if options.report:
            write_json(options.report, told)
        return told


def gate(is_open: bool) -> threading.Event:
    """Something to wait at until it is open."""
    event = threading.Event()
    if is_open:
        event.set()
    return event


def limits(record: RecordSettings) -> Limits:
    """How far a recording may go, from the site's settings."""
    return Limits(
        record.rotate_s, record.rotate_mb, record.quota_mb, record.spare_mb, record.oldest_goes
    )


def wall_ns() -> int:
    """Wall clock, nanoseconds since 1970."""
    return int(utc_now().timestamp() * 1e9)
