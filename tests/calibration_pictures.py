"""Draws the pictures of calibration/README.md anew, with the tool itself in a true loop.

python tests/calibration_pictures.py
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from loop import LoopCamera, Optics, askew, loop

from calibration.board import Board
from calibration.handles import Handles
from calibration.onlooker import Onlooker
from calibration.projection import by_camera
from calibration.standing import Mark, draw_mark
from mirror.screen.chart import Chart
from mirror.screen.touches import Touch
from mirror.settings import CameraSettings, ScreenSettings

PICTURES = Path(__file__).resolve().parent.parent / "calibration" / "pictures"
SCREEN, CAMERA = (1280, 720), (960, 540)
PLAIN = ScreenSettings(full_screen=True)


def main() -> None:
    """Draw them all."""
    PICTURES.mkdir(exist_ok=True)
    thrown = askew([(150, 70), (890, 40), (830, 500), (190, 440)], SCREEN)
    optics = Optics(SCREEN, CAMERA, thrown, k1=-0.1, k2=0.02, focal_px=800, noise=3, gain=1.15)
    with loop(SCREEN, optics, 10.0) as (display, camera):
        os.environ["DISPLAY"] = display.name
        with Onlooker(camera.url, CameraSettings()) as onlooker:
            found = by_camera(PLAIN, onlooker, False, print)
        with Chart("window", SCREEN, PLAIN) as chart:
            before = filmed(camera, lambda: chart.show_pattern(PLAIN))
            board = Board(SCREEN).draw()
            seen = filmed(camera, lambda: chart.show_picture(board))
            after = filmed(camera, lambda: chart.show_pattern(found.screen))
    write("keystone", np.hstack([small(before), small(seen), small(after)]))
    handles = Handles(ScreenSettings(), (960, 540))
    for start, end in (((0, 0), (70, 40)), ((960, 0), (900, 20)), ((960, 540), (935, 500))):
        for kind, place in (("press", start), ("move", end), ("release", end)):
            handles.take(Touch(kind, *place))
    with Chart("offscreen", (960, 540), PLAIN) as chart:
        chart.show_pattern(handles.settings, handles.draw())
        by_hand = chart.picture()
        chart.show_pattern(PLAIN)
        write("pattern", chart.picture())
    mark = draw_mark((960, 540), Mark(0.2, 0.45, "near"), "1 of 6", 0.6)
    write("hand-and-mark", np.hstack([small(by_hand), small(mark)]))


def filmed(camera: LoopCamera, show: Callable[[], None], seconds: float = 1.5) -> np.ndarray:
    """What the camera sees after a while."""
    end_s = time.monotonic() + seconds
    while time.monotonic() < end_s:
        show()
        time.sleep(0.05)
    assert camera.filmed is not None
    return camera.see(camera.filmed)


def small(picture: np.ndarray) -> np.ndarray:
    """480 pixels wide, with a thin rim."""
    height = round(480 * picture.shape[0] / picture.shape[1])
    made = cv2.resize(picture, (480, height), interpolation=cv2.INTER_AREA)
    return cv2.copyMakeBorder(made, 2, 2, 2, 2, cv2.BORDER_CONSTANT, value=(255, 255, 255))


def write(name: str, picture: np.ndarray) -> None:
    """Write a JPEG for the page."""
    path = PICTURES / f"{name}.jpg"
    cv2.imwrite(str(path), picture[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, 86])
    print(path.name, path.stat().st_size)


if __name__ == "__main__":
    main()
