"""``calibrate latency``: how long from the screen's glass through the camera's to the program.

The screen shows one code after another, at times drawn by lot; the camera watches. In: a chart and
an onlooker. Out: times of each flash, as the program's own clock has them. Nothing flickers: codes
change at most four times a second, and one is about as bright as the next.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

from calibration.board import FLASHES, WHITE, draw_flash, find_flash
from calibration.onlooker import Onlooker
from calibration.projection import complaint
from mirror.errors import SourceError
from mirror.screen.chart import Chart
from mirror.signals import Bytes
from mirror.site.keystone import Doubles

#: A code that is not seen for so long is lost; after so many lost in the beginning it is given up.
LOST_S, GIVE_UP = 3.0, 3
#: A code stays for so long after it was seen, drawn by lot: the camera's own rhythm is not met.
STAYS_S = (0.18, 0.34)
#: Codes are looked for in pictures no wider than this.
LOOK_PX = 640
#: Numbers that follow each other look different.
STRIDE = 387


@dataclass(frozen=True)
class Flashes:
    """Times of the codes that were seen, (N,) seconds each.

    draw_s: from the wish to change the picture to its drawing done and handed to the screen.
    travel_s: from there until the camera's picture of it has arrived: the screen's own delay, the
    wait for the camera's next picture, exposure, transfer. decode_s: until the program has it.
    lost: codes never seen. interval_s: between two pictures of the camera.
    """

    draw_s: Doubles
    travel_s: Doubles
    decode_s: Doubles
    lost: int
    interval_s: float

    @property
    def total_s(self) -> Doubles:
        """All of it, (N,)."""
        return np.asarray(self.draw_s + self.travel_s + self.decode_s)


def watch_flashes(
    chart: Chart, onlooker: Onlooker, count: int, tell: Callable[[int], None], seed: int = 0
) -> Flashes:
    """Flash so many codes and see them. tell: how many have been flashed.

    Raises SourceError when the camera does not see them.
    """
    lot = random.Random(seed)
    number = lot.randrange(FLASHES)
    onlooker.first(lambda: chart.show_picture(_grey(chart.size)))
    seen: list[tuple[float, float, float]] = []
    arrived: list[float] = []
    lost = 0
    for flash in range(count):
        number = (number + STRIDE) % FLASHES
        times = _flash(chart, onlooker, number, lot.uniform(*STAYS_S), arrived)
        if times is not None:
            seen.append(times)
        else:
            lost += 1
        if lost == GIVE_UP and not seen:
            raise SourceError(
                "calibrate latency", complaint(onlooker, chart), "a camera that sees the whole "
                "screen", "turn the camera to the screen, or darken the room",
            )  # fmt: skip
        tell(flash + 1)
    draw, travel, decode = np.array(seen).reshape(-1, 3).T
    apart = np.diff(np.array(arrived))
    return Flashes(draw, travel, decode, lost, float(np.median(apart)) if len(apart) else 0.0)


def _flash(
    chart: Chart, onlooker: Onlooker, number: int, stays_s: float, arrived: list[float]
) -> tuple[float, float, float] | None:
    """Show one code until it was seen and a little longer: its times, None if it never was."""
    picture, now_s = draw_flash(chart.size, number, WHITE), onlooker.clock.now_s
    wished_s = now_s()
    chart.show_picture(picture)
    chart.finish()
    shown_s = now_s()
    for frame in onlooker.frames(LOST_S, chart.heed):
        hand_s = now_s()
        arrived.append(frame.time_s)
        if frame.time_s > shown_s and find_flash(_small(frame.picture)) == number:
            for later in onlooker.frames(stays_s, chart.heed):
                arrived.append(later.time_s)
            return shown_s - wished_s, frame.time_s - shown_s, hand_s - frame.time_s
    return None


def _small(picture: Bytes) -> Bytes:
    step = -(-picture.shape[1] // LOOK_PX)
    size = picture.shape[1] // step, picture.shape[0] // step
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)


def _grey(size: tuple[int, int]) -> Bytes:
    return np.full((size[1], size[0], 3), WHITE, np.uint8)
