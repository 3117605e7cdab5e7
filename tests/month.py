"""A month of visits on a fast clock: the real program, whose memory is followed.

    python tests/month.py --minutes 180 [--speed 40] [--json out/month.json]

The program plays synthetic sitters who come and go all day, on a clock that is many times faster
than the computer's: arrivals and leavings, steps of the river, saves of its state, cross-fades,
hours, pauses and the log's repetitions follow that clock. Pictures and paintings do not: they come
as fast as the machine makes them, at a small size. Meanwhile its status page is asked, and its
OSC port is told rubbish. Not covered: the camera, MediaPipe, the driver of a display or a GPU, and
as many pictures as a month has; for these the growth in an hour of the computer's own is told too.

The slope is the median of the slopes between all pairs of measurements (Theil and Sen), after the
first quarter of the time, with the bounds that it has with 95 % confidence.
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import itertools
import json
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
from scipy.stats import theilslopes
from stage import free_port
from test_osc import harmless
from uncaught import look

from mirror.session import synthetic

HERE = Path(__file__).resolve().parent
SPEED = 20.0
#: They come and go all day: first absence, absence and presence, seconds, from and to.
LANES = (((0.3, 0.6), (0.5, 1.5), (5.0, 7.0)), ((2.0, 3.0), (0.5, 2.5), (5.0, 7.0)))
#: Memory may not grow by more, MB an hour of the piece.
GROWS_MB = 1.0
#: Visits that a busy museum has in a month.
VISITS_A_MONTH = 30 * 400
#: Left out at the start: models, caches, and the first of everything.
WARM_UP = 0.25
#: Seconds between two measurements, and between two rounds of questions.
MEASURED_S, ASKED_S = 5.0, 1.0
PAGES = ("/", "/health", "/metrics", "/status.json", "/picture.jpg", "/nothing")
PACKETS = 20
SITE = """
[river]
parcels = 12
[osc]
on = true
port = {osc}
[status]
on = true
port = {status}
[log]
folder = "{log}"
"""
#: The show itself: a session on a fast clock, with its state saved.
PLAY = """
import sys
from pathlib import Path
from mirror.show.run import run
from mirror.console import listen
from mirror.options import RunOptions
from mirror.site.site import read_site
folder, speed = Path(sys.argv[1]), float(sys.argv[2])
listen(False)
run(read_site(str(folder / "site.toml")), RunOptions(
    source=str(folder / "visits.mcap"), loop=True, speed=speed, screen="offscreen",
    size=(96, 54), report=folder / "report.json", state=folder / "a.river",
))
"""


@dataclass(frozen=True)
class Measured:
    """at_s: of the computer's clock. piece_s: of the piece's. mb: resident; own_mb: of that, what
    is no file's."""

    at_s: float
    piece_s: float
    mb: float
    own_mb: float


@contextmanager
def opened(folder: Path, speed: float = SPEED) -> Iterator[Month]:
    """The program on a fast clock, in an empty folder; nothing of it is left running."""
    month = Month(folder, speed)
    try:
        yield month
    finally:
        month.end()


class Month:
    """The program on a fast clock; call ``tend`` often, and end it."""

    def __init__(self, folder: Path, speed: float) -> None:
        self.folder, self.speed = folder, speed
        self._osc, self._status = free_port(socket.SOCK_DGRAM), free_port(socket.SOCK_STREAM)
        site = SITE.format(osc=self._osc, status=self._status, log=folder / "log")
        (folder / "site.toml").write_text(site, encoding="utf-8")
        with mock.patch.object(synthetic, "LANES", LANES):
            synthetic.write_synthetic(folder / "visits.mcap", 600.0, seed=1, rate_hz=3.0)
        with (folder / "stderr").open("wb") as stderr:
            self.process = subprocess.Popen(
                [sys.executable, "-c", PLAY, str(folder), str(speed)],
                cwd=HERE.parent, stdout=subprocess.DEVNULL, stderr=stderr,
            )  # fmt: skip
        self._began_s = self._asked_s = time.monotonic()
        self._packets = itertools.cycle(list(itertools.islice(harmless(), 5000)))
        self.measured: list[Measured] = []
        self.requests = self.packets = 0

    def tend(self) -> None:
        """Ask, tell and measure, as often as it is time to."""
        now_s = time.monotonic()
        if now_s - self._asked_s < ASKED_S:
            return
        self._asked_s = now_s
        told = [self._ask(page) for page in PAGES]
        self._tell()
        last_s = self.measured[-1].at_s if self.measured else -MEASURED_S
        with contextlib.suppress(OSError, ValueError, KeyError):
            if now_s - self._began_s - last_s >= MEASURED_S:
                self._measure(json.loads(told[PAGES.index("/status.json")])["vitals"]["time_s"])

    def end(self) -> None:
        """Tell it to end, as a service manager does."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(60)
            except subprocess.TimeoutExpired:  # then there is no report
                self.process.kill()
                self.process.wait()

    def told(self) -> dict[str, Any]:
        """End it; how its memory grew."""
        self.end()
        report = json.loads((self.folder / "report.json").read_text(encoding="utf-8"))
        texts = [self.folder / "stderr", *sorted((self.folder / "log").glob("mirror.log*"))]
        found = look("\n".join(path.read_text(encoding="utf-8") for path in texts))
        last = self.measured[-1]
        warm = [each for each in self.measured if each.at_s >= WARM_UP * last.at_s]
        piece_h, own_h = slope(warm, "piece_s"), slope(warm, "at_s")
        visits_h = report["visits_total"] / (last.piece_s / 3600)
        return {
            "speed": self.speed,
            "hours": round(last.at_s / 3600, 2),
            "hours_of_the_piece": round(last.piece_s / 3600, 1),
            "visits": report["visits_total"], "pictures": report["frames"],
            "paintings": round(report["portraits_per_s"] * last.at_s),
            "requests": self.requests, "packets": self.packets,
            "rss_mb": [round(each.mb, 1) for each in (self.measured[0], warm[0], last)],
            "own_mb": [round(each.own_mb, 1) for each in (self.measured[0], warm[0], last)],
            "mb_an_hour_of_the_piece": piece_h,
            "mb_an_hour_of_the_computer": own_h,
            "mb_a_month_of_visits": [round(m * VISITS_A_MONTH / visits_h, 2) for m in piece_h],
            "uncaught": list(found.uncaught), "status": self.process.returncode,
        }  # fmt: skip

    def _measure(self, piece_s: float) -> None:
        status = Path(f"/proc/{self.process.pid}/status").read_text(encoding="ascii")
        kb = dict(line.split(":", 1) for line in status.splitlines())
        mb = [int(kb[name].split()[0]) * 1024 / 1e6 for name in ("VmRSS", "RssAnon")]
        self.measured.append(Measured(time.monotonic() - self._began_s, piece_s, *mb))

    def _ask(self, page: str) -> bytes:
        """A page of its status, or nothing."""
        connection = http.client.HTTPConnection("127.0.0.1", self._status, timeout=5)
        try:
            connection.request("GET", page)
            self.requests += 1
            return connection.getresponse().read()
        except (OSError, http.client.HTTPException):
            return b""
        finally:
            connection.close()

    def _tell(self) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as hostile:
            for packet in itertools.islice(self._packets, PACKETS):
                hostile.sendto(packet, ("127.0.0.1", self._osc))
        self.packets += PACKETS


def slope(measured: list[Measured], clock: str) -> list[float]:
    """MB an hour of a clock: the median slope, and its bounds with 95 % confidence."""
    hours = np.array([getattr(each, clock) for each in measured]) / 3600
    every = max(1, len(measured) // 1500)  # pairs are many
    fit = theilslopes([each.mb for each in measured[::every]], hours[::every])
    return [round(float(each), 4) for each in (fit[0], fit[2], fit[3])]


def keep(told: dict[str, Any] | list[Any], path: Path | None) -> None:
    """Write something down as JSON, if it is asked for."""
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--minutes", type=float, default=180.0)
    parser.add_argument("--speed", type=float, default=SPEED)
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    ending = threading.Event()
    signal.signal(signal.SIGTERM, lambda number, frame: ending.set())  # and tell what there is
    with tempfile.TemporaryDirectory() as folder, opened(Path(folder), asked.speed) as month:
        end_s = time.monotonic() + 60 * asked.minutes
        while time.monotonic() < end_s and month.process.poll() is None and not ending.wait(0.1):
            month.tend()
            if len(month.measured) % 60 == 1 and asked.json:
                keep([astuple(each) for each in month.measured], asked.json.with_suffix(".rows"))
        told = month.told()
    print(json.dumps(told, indent=1))
    keep(told, asked.json)
    grows = told["mb_an_hour_of_the_piece"][0] > GROWS_MB
    return 1 if grows or told["uncaught"] or told["status"] else 0


if __name__ == "__main__":
    sys.exit(main())
