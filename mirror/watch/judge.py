"""Is the show well? What the supervisor hears comes in, a verdict goes out.

Pure: time is an argument. Only presented pictures count as life. Faults that stop the picture are
urgent; for all others a restart waits for an empty room, though not for ever.

What the show cures itself is not judged here: a camera is opened again, a stage built again, the
load taken down its ladder. The judge comes in when that did not help for long enough.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mirror.pauses import Pauses
from mirror.settings import WatchSettings

#: Faults in the order in which they are looked for.
FAULTS = (
    "did not start", "freeze", "markers silent", "memory far over the ceiling",
    "memory over the ceiling", "GPU memory over the ceiling", "painting dead", "slow picture",
    "camera silent",
)  # fmt: skip
#: Where there is no camera, or none is wanted, silence is no fault.
NO_CAMERA = ("nobody", "session", "ended", "paused")
#: The eyes tell of an empty room too, five times a second: silence for so long is their death.
EYES_S = 8.0
#: So far over the ceiling nobody waits for an empty room.
FAR_OVER = 1.25
#: A restart that did not help is tried again after pauses that grow up to this.
LONGEST_S = 3600.0
#: On a machine that is too slow a show seems to freeze soon after its start: the next time it is
#: given longer, up to this.
LONGEST_FREEZE_S = 30.0


@dataclass(frozen=True)
class Verdict:
    """fault: one of ``FAULTS``, or what was asked. urgent: now, whoever is there."""

    fault: str
    urgent: bool


class Judge:
    """Follows one run of the show after another. Times are seconds of one monotonic clock."""

    def __init__(self, settings: WatchSettings) -> None:
        self._settings = settings
        self._pauses = {
            "slow picture": Pauses(settings.slow_s, LONGEST_S),
            "camera silent": Pauses(settings.camera_s, LONGEST_S),
            "painting dead": Pauses(settings.painting_s, LONGEST_S),
        }
        self._freezes = Pauses(settings.freeze_s, LONGEST_FREEZE_S)
        self._freeze_s = self._freezes.take()
        self._patience_s = {fault: pauses.take() for fault, pauses in self._pauses.items()}
        self._wanted: tuple[str, float] | None = None
        self.begin(0.0)

    def begin(self, now_s: float) -> None:
        """A run of the show begins."""
        self._begun_s = self._pictured_s = self._painted_s = now_s
        self._pictures = self._painted = -1.0
        self._signs: Mapping[str, Any] = {}
        self._since_s: dict[str, float] = {}
        self._wanted = None

    def ask(self, fault: str, now_s: float) -> None:
        """A restart is planned, for the next empty room."""
        self._wanted = self._wanted or (fault, now_s)

    def hear(self, signs: Mapping[str, Any], now_s: float) -> None:
        """One picture was presented."""
        pictures, painted = _number(signs, "pictures"), _number(signs, "painted")
        if pictures > self._pictures:
            self._pictures, self._pictured_s = pictures, now_s
        if painted > self._painted or signs.get("resting"):
            self._painted, self._painted_s = painted, now_s
        self._signs = signs

    def forgive(self, seconds: float) -> None:
        """The supervisor itself was asleep for so long: that is nobody's fault."""
        self._begun_s += seconds
        self._pictured_s += seconds
        self._painted_s += seconds
        self._since_s = {fault: since_s + seconds for fault, since_s in self._since_s.items()}

    @property
    def alive(self) -> bool:
        """Whether this run has presented a picture."""
        return self._pictures > 0

    def silence_s(self, now_s: float) -> float:
        """Since the last picture, or the begin."""
        return now_s - self._pictured_s

    def verdict(self, now_s: float) -> Verdict | None:
        """What is to be done now, if anything."""
        urgent = self._urgent(now_s)
        if urgent:
            if urgent == "freeze":
                self._frozen(now_s)
            return Verdict(urgent, True)
        if fault := self._planned(now_s):
            self.ask(fault, now_s)
        if self._wanted is None:
            return None
        fault, since_s = self._wanted
        empty = _number(self._signs, "sitters") == 0
        if not empty and now_s - since_s < self._settings.patience_s:
            return None
        if fault in self._pauses:  # if it does not help, next time only after longer
            self._patience_s[fault] = self._pauses[fault].take()
        return Verdict(fault, False)

    def _urgent(self, now_s: float) -> str:
        settings, signs = self._settings, self._signs
        if not self.alive:
            return "did not start" if now_s - self._begun_s > settings.start_s else ""
        fresh = now_s - self._begun_s <= settings.start_s
        if self.silence_s(now_s) > (self._freeze_s if fresh else settings.freeze_s):
            return "freeze"
        silent = _number(signs, "silent_s") > EYES_S and signs.get("camera") not in NO_CAMERA
        started = signs.get("camera") != "opening" or now_s - self._begun_s > settings.start_s
        if silent and started:
            return "markers silent"
        if _number(signs, "rss_mb") > FAR_OVER * settings.memory_mb:
            return "memory far over the ceiling"
        return ""

    def _frozen(self, now_s: float) -> None:
        """How long the next show may be silent in its first time."""
        if now_s - self._begun_s > self._settings.start_s:
            self._freezes.reset()
        self._freeze_s = self._freezes.take()

    def _planned(self, now_s: float) -> str:
        settings, signs = self._settings, self._signs
        if not self.alive:
            return ""
        if _number(signs, "rss_mb") > settings.memory_mb:
            return "memory over the ceiling"
        if 0 < settings.gpu_mb < _number(signs, "gpu_mb"):
            return "GPU memory over the ceiling"
        closed = signs.get("opening", "open") == "closed" or bool(signs.get("resting"))
        camera = signs.get("camera", "running")
        dead = now_s - self._painted_s > self._patience_s["painting dead"]
        ills = {
            "painting dead": dead and self._painted >= 0 and not closed,
            "slow picture": _number(signs, "fps") < settings.slow_hz and not closed,
            "camera silent": camera not in (*NO_CAMERA, "running") and not closed,
        }
        for fault, ill in ills.items():
            if not ill:
                self._well(fault, now_s)
            elif fault == "painting dead" or self._lasted_s(fault, now_s) > self._patience_s[fault]:
                return fault
        return ""

    def _lasted_s(self, fault: str, now_s: float) -> float:
        return now_s - self._since_s.setdefault(fault, now_s)

    def _well(self, fault: str, now_s: float) -> None:
        """A fault that has stayed away for as long as a run needs to settle is forgotten."""
        self._since_s.pop(fault, None)
        if now_s - self._begun_s > 10 * self._settings.start_s:
            self._pauses[fault].reset()
            self._patience_s[fault] = self._pauses[fault].take()


def _number(signs: Mapping[str, Any], name: str) -> float:
    """A sign as a number; 0 where it is missing or none."""
    value = signs.get(name)
    usable = isinstance(value, (int, float)) and math.isfinite(value)
    return float(value) if usable and value is not None else 0.0
