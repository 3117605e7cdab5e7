"""The line between a show and its supervisor: one line of JSON for each presented picture.

The supervisor opens a pipe and names its end in the environment; the show writes and never waits.
A supervisor that reads too slowly misses pictures, one that has gone is forgotten: the show does
not depend on it. Nothing but a presented picture feeds the line, so that a picture that stands
still is silence, however well the threads of the program are.
"""

from __future__ import annotations

import json
import logging
import os
from typing import Any

from mirror.status.vitals import Pulse, Vitals

log = logging.getLogger(__name__)

#: Names the descriptor that a supervised show writes to.
PULSE = "MIRROR_PULSE"
#: What the supervisor need not hear thirty times a second.
LEFT_OUT = ("weights", "version", "renderer")
#: A line longer than this could be cut in half (POSIX: PIPE_BUF, at least 512; 4096 on Linux).
MOST_BYTES = 4096


def supervised() -> bool:
    """Whether a supervisor has started this program."""
    return os.environ.get(PULSE, "").isdigit()


class Teller:
    """The show's end of the line."""

    def __init__(self, descriptor: int) -> None:
        os.set_blocking(descriptor, False)
        self._descriptor: int | None = descriptor

    def __call__(self, vitals: Vitals) -> None:
        """Tell of one presented picture."""
        told = {name: value for name, value in vars(vitals).items() if name not in LEFT_OUT}
        self._write(told)

    def ended(self, by: str) -> None:
        """Tell why the show ends, so that nobody takes it for a crash; then let go."""
        self._write({"ended": by})
        self._let_go()

    def _write(self, told: dict[str, Any]) -> None:
        if self._descriptor is None:
            return
        line = json.dumps(told, default=dict, separators=(",", ":")).encode() + b"\n"
        if len(line) > MOST_BYTES:
            line = json.dumps({"pictures": told.get("pictures", 0)}).encode() + b"\n"
        try:
            os.write(self._descriptor, line)
        except BlockingIOError:  # the supervisor is busy: it hears of the next picture
            pass
        except OSError as error:
            log.warning("the supervisor has gone (%s): the show goes on", error.strerror)
            self._let_go()

    def _let_go(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def tell_supervisor(pulse: Pulse) -> Teller | None:
    """Tell the supervisor, if there is one, of every picture."""
    if not supervised():
        return None
    try:
        teller = Teller(int(os.environ[PULSE]))
    except OSError as error:
        log.warning("no line to the supervisor (%s): the show goes on", error.strerror)
        return None
    pulse.listen(teller)
    return teller


class Ear:
    """The supervisor's end: bytes come in, whole lines go out as what they tell."""

    def __init__(self, descriptor: int) -> None:
        os.set_blocking(descriptor, False)
        self.descriptor, self._rest = descriptor, b""
        self.closed = False

    def hear(self) -> list[dict[str, Any]]:
        """Everything told since the last time; what is no such line is left out."""
        parts = [self._rest]
        while not self.closed:
            try:
                part = os.read(self.descriptor, 1 << 16)
            except BlockingIOError:
                break
            self.closed = not part
            parts.append(part)
        *lines, self._rest = b"".join(parts).split(b"\n")
        self._rest = self._rest[-MOST_BYTES:]
        return [told for line in lines if (told := _told(line)) is not None]

    def close(self) -> None:
        """Stop listening."""
        os.close(self.descriptor)


def _told(line: bytes) -> dict[str, Any] | None:
    try:
        told = json.loads(line)
    except ValueError:
        return None
    return told if isinstance(told, dict) else None
