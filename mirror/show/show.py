"""The show: the one place where the stages meet.

Two clocks. Geometry is live: every drawn picture carries the newest markers. Paint is slow: a
thread paints what is missed most, and the screen cross-fades. Everything here runs on the show's
own thread, which also owns OpenGL; camera, markers and painting have theirs.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack, nullcontext
from typing import Any

from mirror import cores
from mirror.clock import Clock, precise_s
from mirror.film import write_still
from mirror.pieces import PIGMENT
from mirror.report import write_json
from mirror.session.proof import Proof
from mirror.session.read import open_session
from mirror.show.glances import Glance
from mirror.show.plan import Plan
from mirror.show.ports import open_ports
from mirror.show.rig import rig_up
from mirror.show.steering import Steering
from mirror.show.telling import beat, overlay_lines, report_of
from mirror.signals import Portraits, Scene

#: While somebody is there, a picture waits for newer markers up to so many picture times; where
#: the processor draws pictures it has no time to wait.
PATIENCE, PATIENCE_DRAWING = 1.4, 1.0
#: And where drawing and reading take turns: until the reading that has its turn is done.
PATIENCE_IN_TURN = 2.4
#: While it is closed and dark, so many pictures a second keep the supervisor content.
RESTING_HZ = 5.0
#: While models and networks load, where few cores do everything: so many pictures a second, and
#: for no longer than this, seconds.
LOADING_HZ, LONGEST_LOADING_S = 6.0, 20.0
#: The display is told so often to stay awake, seconds.
TEND_EVERY_S = 60.0
#: So many cores, without a GPU, have enough to do with loading.
FEW_CORES = 3
#: The water never moves further than this at once, seconds.
LONGEST_STEP_S = 0.25


class Show:
    """One run of the piece. Everything that must be closed hangs on the stack it is given."""

    def __init__(self, plan: Plan, clock: Clock, weights: dict[str, str], stack: ExitStack) -> None:
        self.plan, self.clock = plan, clock
        rig = self.rig = rig_up(plan, clock, weights, stack)
        self.screen, self.course, self.audience = rig.screen, rig.course, rig.audience
        self.steering = Steering(rig)
        self._few_cores = rig.screen.software and len(cores.usable()) <= FEW_CORES
        # Two threads of one core bring a movement to the screen in half the time if they do not
        # read markers while they draw; two cores draw a tenth more pictures if they do.
        self._takes_turns = rig.screen.software and cores.own() < 2
        self._patience = PATIENCE_DRAWING if rig.screen.software else PATIENCE
        if self._takes_turns:
            self._patience = PATIENCE_IN_TURN
        self._due_s = self._begun_s = clock.now_s()
        self._drawn_s = self._tended_s = 0.0
        self.steering.heed_commands()
        if not plan.stepped:  # a measurement is not disturbed
            open_ports(rig, self.steering.conductor)

    def stop(self, by: str = "signal") -> None:
        """End after the picture in work; any thread may ask."""
        self.steering.stop(by)

    def play(self, told: Callable[[float], None]) -> None:
        """Draw pictures until the end. told: is given the seconds played after each."""
        time = self.rig.time
        while not self._ended():
            self._load()
            glances = self._look()
            begun_s = precise_s()
            for glance in glances:
                if self.steering.stopping:  # a session too fast for the machine has no end of them
                    break
                self._take_in(glance)
            self._flow(self._horizon_s())
            self._tend()
            if self.plan.draws:
                with self._undisturbed():
                    self._draw(self._arrange(), glances, begun_s)
            self.steering.heed_keys(self.screen.keys())
            self.steering.heed_commands()
            told(time.now_s - time.began_s)
            if self.plan.stepped:
                self.clock.sleep_s(self.plan.stride / self.plan.rate_hz)

    def _ended(self) -> bool:
        steering = self.steering
        if self.screen.should_close and not steering.stopping:
            self.stop("window")
        if steering.stopping:
            return True
        if self.plan.seconds is not None:
            steering.ended_by = "time"
            return self.clock.now_s() - self._begun_s >= self.plan.seconds - 1e-6
        steering.ended_by = "source"
        return self.audience.eyes.ended

    def _load(self) -> None:
        """Let the river spring as soon as the models are there: the saved one, or a new one."""
        if self.course.river is not None:
            return
        rig, plan, settings = self.rig, self.plan, self.steering.settings
        models = rig.loading.result(wait=plan.stepped)
        if models is None:
            return
        aspect = plan.aspect or self.screen.aspect
        found = rig.recollection.river(models.densities, settings.seed, aspect)
        rig.pulse.note(resumed=found is not None)
        river = self.course.spring(models, settings, aspect, found)
        if plan.proves and plan.session is not None:
            self.course.proof = Proof(open_session(plan.session).hashes(to_s=plan.options.to_s))
        rig.hanging.open(models, river.stream, self.clock, not plan.stepped, rig.stack)
        self.audience.begin(self.course.reader, self.course.attending(settings.river))
        rig.recording.begin(settings, aspect, self.audience.eyes, self.course.river_s)

    def _look(self) -> list[Glance]:
        """Whoever is there now; otherwise waits until the next picture is due."""
        eyes, rate_hz = self.audience.eyes, self.steering.settings.screen.rate_hz
        if self.plan.stepped:
            return eyes.glances(0.0)
        if self.audience.recorded:
            return self._look_at_session(RESTING_HZ if self.steering.dark else rate_hz)
        if self._few_cores and self._loads():  # whoever loads needs the cores that draw
            self.clock.sleep_s(self._due_s + 1.0 / LOADING_HZ - self.clock.now_s())
        patience = self._patience if self.course.sitters.sitters else 1.0
        if self.steering.dark:  # nothing is seen and nobody looked at: no hurry
            self.clock.sleep_s(self._due_s + 1.0 / RESTING_HZ - self.clock.now_s())
        due_s = self._due_s + patience / rate_hz
        glances = eyes.glances(max(0.0, due_s - self.clock.now_s()))
        self._due_s = self.clock.now_s()
        return glances

    def _loads(self) -> bool:
        """Whether models, or the networks that find faces, are still being loaded."""
        if self.clock.now_s() - self._begun_s > LONGEST_LOADING_S:
            return False
        return self.course.river is None or self.audience.eyes.state == "opening"

    def _look_at_session(self, rate_hz: float) -> list[Glance]:
        """Recorded sitters since the last picture. Nobody waits for an answer: pictures come at
        their rate, whatever the session's speed and its own rate are."""
        period_s = self.plan.options.speed / rate_hz  # on the clock, which runs at that speed
        self.clock.sleep_s(self._due_s + period_s - self.clock.now_s())
        self._due_s = self.clock.now_s()
        stands = self.course.river is None or self.rig.time.stands
        return [] if stands else self.audience.eyes.glances(0.0)

    def _take_in(self, glance: Glance) -> None:
        """New sitters: the river flows up to now as it was, and then knows of them."""
        course, sitters = self.course, self.audience.told(glance)
        if course.river is None:
            return
        met_s = course.met_s(sitters.time_s if self.audience.recorded else None)
        self._flow(course.piece_s(met_s))
        course.meet(sitters, met_s, glance.readings, later=self.audience.recorded)
        self.rig.recording.sitters(course.sitters, glance.hand_s)

    def _horizon_s(self) -> float:
        """How far the river may flow, in the piece's time."""
        audience = self.audience
        ended, next_s = audience.recorded and audience.eyes.ended, audience.next_s
        if ended and self.plan.stride > 1:  # up to the picture that would have shown the last
            rate_hz = self.plan.rate_hz
            next_s = math.ceil(audience.last_s * rate_hz - 1e-6) / rate_hz
        return self.course.horizon_s(next_s, self.plan.proves and ended)

    def _flow(self, until_s: float) -> None:
        """The river flows on to a time of the piece; it is saved, and its hash recorded."""
        alone = not (self.plan.draws or self.plan.options.state)
        river = self.course.flow(until_s, self.steering.settings.river, alone)
        if river is not None:
            self._keep()
            self.rig.recording.river(river, self.audience.eyes, self.course.sitters.time_s)

    def _keep(self, now: bool = False) -> None:
        """Save the river, and what show control has asked for, if it is time to."""
        memory, now_s = self.rig.recollection, self.rig.time.now_s
        if self.course.river is not None and (now or memory.is_due(now_s)):
            memory.keep(
                self.course.river, now_s, self.audience.newest_id, self.steering.standing
            )  # fmt: skip

    def _tend(self) -> None:
        """Open and close by the hours, and go by what the machine can carry."""
        if self.plan.stepped:
            return
        self.steering.heed_hours()
        now_s = self.clock.now_s()
        if now_s - self._tended_s >= TEND_EVERY_S:
            self._tended_s = now_s
            self.screen.stay_awake()
        if self.course.river is not None and not self.steering.rests:
            self.rig.ladder.look(self.rig.pulse.newest.fps, now_s)

    def _undisturbed(self) -> AbstractContextManager[None]:
        """Where one core must draw as well as read markers, the one waits for the other."""
        return self.audience.undisturbed() if self._takes_turns else nullcontext()

    def _arrange(self) -> Portraits:
        """Which portraits are drawn where; and what is painted next."""
        steering, now_s = self.steering, self.rig.time.now_s
        return self.rig.hanging.portraits(self.course, steering.settings, now_s, steering.rests)

    def _draw(self, portraits: Portraits, glances: list[Glance], begun_s: float) -> None:
        report, drawing_s = self.rig.report, precise_s()
        if not self.screen.present(self._scene(portraits)):
            return
        ended_s = precise_s()
        report.stage("screen", 1000 * (ended_s - drawing_s))
        report.frame(1000 * (ended_s - begun_s))
        if glances and not self.plan.stepped:
            report.photon(1000 * (self.clock.now_s() - glances[-1].hand_s))
        self.rig.gate.set()
        beat(self.rig, self.steering)
        self.rig.outputs.take(self.screen.picture, self.rig.time.now_s)

    def _scene(self, portraits: Portraits) -> Scene:
        steering, now_s = self.steering, self.rig.time.now_s
        dt_s = min(LONGEST_STEP_S, max(0.0, now_s - self._drawn_s))
        self._drawn_s = now_s
        return Scene(
            time_s=now_s,
            dt_s=dt_s,
            portraits=portraits,
            stirs=self.course.stirs,
            turbulence=self.course.turbulence,
            overlay=overlay_lines(self.rig) if steering.overlay else (),
            marks=self.course.sitters.sitters if steering.overlay else (),
            lamp=self.rig.recording.pictures,
            light=steering.conductor.light,
            still=steering.rests,
            surface=self.rig.ladder.surface,
            pigment=PIGMENT[steering.settings.piece],
        )

    def end(self) -> dict[str, Any]:
        """Write what the run leaves behind; returns the report."""
        course, options = self.course, self.plan.options
        while self.audience.eyes.ended and course.proof.due_s is not None:
            self._flow(course.piece_s(course.proof.due_s))
        self.rig.recording.end(course.river)
        self._keep(now=True)
        told = report_of(self.rig, self.steering)
        if options.still:
            write_still(options.still, self.screen.picture())
        if options.report:
            write_json(options.report, told)
        return told
