"""A true loop, for tests: a real window is filmed, and served as a real camera on the network.

In: a display, and what lies between it and the camera (a projector that stands askew, a wall, a
lens, a delay, noise, an exposure), all of it known. Out: an HTTP camera on 127.0.0.1 that whoever
looks at it cannot tell from one that stands before the screen.

    window -> Xvfb -> ffmpeg's x11grab -> ``Optics`` (or anything that sees) -> MJPEG over HTTP

Two threads beside the server's: one films, one develops what was filmed when its time has come.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler

import av
import cv2
import numpy as np
from http_camera import HttpCamera, encode
from x_display import Display

#: From a picture of the display to the camera's, both (H, W, 3) uint8 RGB.
See = Callable[[np.ndarray], np.ndarray]


@dataclass
class Optics:
    """What a camera sees of a screen: all that a test puts on, and so knows.

    screen, size: (W, H) in pixels, of the display and of the camera's picture. projector: (3, 3),
    from pixels of the display to places on the wall; camera: (3, 3), from there to pixels of a
    camera without a lens. focal_px, k1, k2: OpenCV's pinhole and radial distortion about the
    middle of the picture. gain: of the exposure. noise: deviation, of 255. blur_px: no lens is
    sharper than its pixels. wall: what is painted on the wall, (H, W, 3) uint8 in the camera's
    undistorted pixels; ambient: light of the room.
    """

    screen: tuple[int, int]
    size: tuple[int, int]
    projector: np.ndarray = field(default_factory=lambda: np.eye(3))
    camera: np.ndarray = field(default_factory=lambda: np.eye(3))
    focal_px: float = 600.0
    k1: float = 0.0
    k2: float = 0.0
    gain: float = 1.0
    noise: float = 0.0
    blur_px: float = 0.7
    wall: np.ndarray | None = None
    ambient: float = 0.15

    def __post_init__(self) -> None:
        width, height = self.size
        y, x = np.mgrid[:height, :width].astype(np.float64)
        seen = np.stack([x, y], axis=-1).reshape(-1, 1, 2)  # (H W, 1, 2)
        straight = self.straighten(seen)
        back = np.linalg.inv(self.camera @ self.projector)
        # OpenCV counts from the middle of the first pixel, the program from its corner.
        filmed = cv2.perspectiveTransform(straight + 0.5, back) - 0.5
        self._film = filmed.reshape(height, width, 2).astype(np.float32)
        paint = straight.reshape(height, width, 2).astype(np.float32)
        wall = np.full((height, width, 3), 220, np.uint8) if self.wall is None else self.wall
        self._paint = cv2.remap(
            wall, paint, None, cv2.INTER_LINEAR, None, cv2.BORDER_REPLICATE
        ) / np.float32(255)
        rng = np.random.default_rng(3)
        self._noise = rng.normal(0, self.noise, (2 * height, 2 * width, 3)).astype(np.int16)
        self._rng = rng

    @property
    def matrix(self) -> np.ndarray:
        """The pinhole."""
        width, height = self.size
        middle = (width - 1) / 2, (height - 1) / 2
        return np.array([[self.focal_px, 0, middle[0]], [0, self.focal_px, middle[1]], [0, 0, 1]])

    def straighten(self, seen: np.ndarray) -> np.ndarray:
        """Pixels of the camera's picture as a camera without a lens has them.  (N, 1, 2)"""
        bent = np.array([self.k1, self.k2, 0.0, 0.0])
        many = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 40, 1e-9)
        return cv2.undistortPointsIter(
            seen.astype(np.float64), self.matrix, bent, None, self.matrix, many
        )

    def __call__(self, film: np.ndarray) -> np.ndarray:
        """The camera's picture of a screen, RGB."""
        film = cv2.GaussianBlur(film, (0, 0), self.blur_px)
        light = cv2.remap(film, self._film, None, cv2.INTER_LINEAR, borderValue=(0, 0, 0))
        picture = (light * (1 - self.ambient) + 255 * self.ambient) * self._paint * self.gain
        x, y = self._rng.integers(0, self.size[0]), self._rng.integers(0, self.size[1])
        picture += self._noise[y : y + self.size[1], x : x + self.size[0]]
        return np.clip(picture, 0, 255).astype(np.uint8)


class LoopCamera(HttpCamera):
    """The camera before the screen. ``see`` may be exchanged at any time."""

    def __init__(
        self, display: Display, size: tuple[int, int], see: See, rate_hz: float = 15.0,
        delay_s: float = 0.0,
    ) -> None:  # fmt: skip
        self.see, self.delay_s = see, delay_s
        self.delays_s: list[float] = []  # from the film to the wire, of each picture sent
        self.filmed: np.ndarray | None = None  # what the display showed last, RGB
        self._newest: tuple[int, bytes] = (0, b"")
        self._more = threading.Condition()
        self._ended = threading.Event()
        self._rolls: deque[tuple[float, np.ndarray]] = deque(maxlen=64)
        options = {"framerate": f"{rate_hz:g}", "video_size": f"{size[0]}x{size[1]}",
                   "draw_mouse": "0"}  # fmt: skip
        self._grabber = av.open(f"{display.name}.0+0,0", format="x11grab", options=options)
        super().__init__([], rate_hz)
        self._threads = [
            threading.Thread(target=work, name=f"loop {name}", daemon=True)
            for name, work in (("film", self._film), ("develop", self._develop))
        ]
        for thread in self._threads:
            thread.start()

    def _film(self) -> None:
        """Film the display; ffmpeg stamps each picture with the time at which it looked."""
        shift_s = time.monotonic() - time.time()
        for frame in self._grabber.decode(video=0):
            if self._ended.is_set():
                return
            plane = frame.planes[0]
            rows = np.frombuffer(plane, np.uint8).reshape(frame.height, plane.line_size)
            picture = rows[:, : 4 * frame.width].reshape(frame.height, frame.width, 4)
            self._rolls.append((frame.time + shift_s, picture[:, :, 2::-1].copy()))

    def _develop(self) -> None:
        """Make the camera's pictures, each when its delay is over."""
        while not self._ended.is_set():
            if not self._rolls or time.monotonic() < self._rolls[0][0] + self.delay_s:
                time.sleep(0.002)
                continue
            while len(self._rolls) > 1 and time.monotonic() >= self._rolls[1][0] + self.delay_s:
                self._rolls.popleft()  # a camera that is too slow leaves pictures out
            filmed_s, self.filmed = self._rolls.popleft()
            jpeg = encode(self.see(self.filmed))
            with self._more:
                self._newest = self._newest[0] + 1, jpeg
                self.delays_s.append(time.monotonic() - filmed_s)
                self._more.notify_all()

    def _stream(self, request: BaseHTTPRequestHandler) -> None:
        known = 0
        while not self._closing.is_set():
            with self._more:
                if self._newest[0] == known and not self._more.wait(0.1):
                    continue
                known, jpeg = self._newest
            if self._mode == "hang":
                continue
            head = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n"
            request.wfile.write(head.encode() + jpeg + b"\r\n")
            self.sent += 1

    def __exit__(self, *error: object) -> None:
        super().__exit__(*error)
        self._ended.set()
        for thread in self._threads:
            thread.join(5)
        self._grabber.close()


@contextmanager
def loop(
    size: tuple[int, int], optics: See, rate_hz: float = 15.0, delay_s: float = 0.0
) -> Iterator[tuple[Display, LoopCamera]]:
    """A display of so many pixels, and a camera that stands before it."""
    with Display(size) as display, LoopCamera(display, size, optics, rate_hz, delay_s) as camera:
        yield display, camera


def askew(corners: list[tuple[float, float]], size: tuple[int, int]) -> np.ndarray:
    """The projection that throws a picture of a size onto four corners, from the top left round."""
    width, height = size
    straight = np.array([(0, 0), (width, 0), (width, height), (0, height)], np.float32)
    return cv2.getPerspectiveTransform(straight, np.array(corners, np.float32))
