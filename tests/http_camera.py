"""A real camera on the network, for tests: MJPEG over HTTP, and all that can go wrong with it.

In: a sequence of JPEGs and a mode, set at any time. Out: an HTTP server on 127.0.0.1 that sends
them for ever as multipart/x-mixed-replace, the way network cameras and phones do. It runs in its
own threads; the mode may be set from any thread.

modes: run (the pictures, round and round); hang (keeps the connection, sends nothing); refuse
(no listening socket, open connections cut); freeze (one picture again and again); truncate
(pictures cut in half); flip (bytes of the picture changed); junk (no picture at all).
"""

from __future__ import annotations

import functools
import itertools
import socket
import threading
import time
from collections import deque
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import cv2
import numpy as np
from skimage.data import astronaut

from mirror.settings import CameraSettings

MODES = ("run", "hang", "refuse", "freeze", "truncate", "flip", "junk")


@functools.lru_cache(maxsize=8)
def pictures(width_px: int, height_px: int, count: int, seed: int = 0) -> list[np.ndarray]:
    """Pictures of one face that all differ: moved sideways, with a sensor's noise.

    Each is (height_px, width_px, 3) uint8 RGB; a red square stands in the upper left corner.
    """
    rng = np.random.default_rng(seed)
    face = cv2.resize(astronaut(), (width_px, height_px), interpolation=cv2.INTER_AREA)
    noise = rng.normal(0.0, 3.0, (height_px, width_px, 3))
    drawn = []
    for number in range(count):
        picture = np.roll(face, 4 * number, axis=1) + np.roll(noise, number, axis=0)
        picture[: height_px // 8, : width_px // 8] = (255, 0, 0)
        drawn.append(np.clip(picture, 0, 255).astype(np.uint8))
    return drawn


@functools.lru_cache(maxsize=8)
def jpegs(width_px: int = 320, height_px: int = 240, count: int = 24) -> list[bytes]:
    """The same pictures as a camera sends them."""
    return [encode(picture) for picture in pictures(width_px, height_px, count)]


def encode(picture: np.ndarray) -> bytes:
    """An RGB picture as JPEG."""
    return cv2.imencode(".jpg", picture[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 90])[1].tobytes()


def truncate(jpeg: bytes) -> bytes:
    """The first half, with a proper end marker, as a starved camera sends it."""
    return jpeg[: len(jpeg) // 2] + b"\xff\xd9"


def flip(jpeg: bytes) -> bytes:
    """A burst of wrong bytes in the middle, as a bad cable makes it; the headers stay."""
    middle = len(jpeg) // 2
    burst = bytes(byte ^ 0x5A for byte in jpeg[middle : middle + 2048])
    return jpeg[:middle] + burst + jpeg[middle + 2048 :]


def junk(jpeg: bytes) -> bytes:
    """As many bytes, but no picture."""
    return bytes(len(jpeg))


SPOIL = {"truncate": truncate, "flip": flip, "junk": junk}


class HttpCamera:
    """The camera. A context manager: open while the `with` lasts, then all its threads are gone."""

    def __init__(self, shots: list[bytes], rate_hz: float = 30.0, name: str = "Eye/1") -> None:
        self.shots, self.rate_hz, self.name = shots, rate_hz, name
        self.sent = self.opened = 0
        self.sent_s: deque[float] = deque(maxlen=1000)  # when
        self._mode = "run"
        self._closing = threading.Event()
        self._connections: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._server: ThreadingHTTPServer | None = None
        self._thread: threading.Thread | None = None
        self.port = 0
        self._listen()

    @property
    def url(self) -> str:
        """Where the pictures are."""
        return f"http://127.0.0.1:{self.port}/video"

    @property
    def true_rate_hz(self) -> float:
        """The rate at which it really sent its pictures, on a computer with much to do."""
        times = list(self.sent_s)[len(self.sent_s) // 4 :]
        return 1.0 / float(np.polyfit(np.arange(len(times)), times, 1)[0])

    @property
    def mode(self) -> str:
        """What the camera does now."""
        return self._mode

    def turn(self, mode: str) -> None:
        """Let the camera do something else from now on."""
        assert mode in MODES, mode
        previous, self._mode = self._mode, mode
        if mode == "refuse":
            self._deafen()
        elif previous == "refuse":
            self._listen()

    def cut(self) -> None:
        """Cut all open connections; new ones are still taken."""
        with self._lock:
            connections = list(self._connections)
        for connection in connections:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:  # it went by itself
                pass

    def _listen(self) -> None:
        camera = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                camera._serve(self)

            def version_string(self) -> str:
                return camera.name

            def log_message(self, format: str, *args: Any) -> None:
                pass

        class Server(ThreadingHTTPServer):
            allow_reuse_address = True  # it comes back at the same address
            daemon_threads = False  # so that closing it waits for them

        self._server = Server(("127.0.0.1", self.port), Handler)
        self.port = self._server.server_address[1]
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.02,), name="http-camera", daemon=True
        )
        self._thread.start()

    def _deafen(self) -> None:
        assert self._server is not None and self._thread is not None
        self._closing.set()
        self._server.shutdown()
        self.cut()
        self._server.server_close()
        self._thread.join()
        self._closing.clear()

    def _serve(self, request: BaseHTTPRequestHandler) -> None:
        with self._lock:
            self._connections.add(request.connection)
            self.opened += 1
        try:
            request.send_response(200)
            request.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
            request.end_headers()
            self._stream(request)
        except OSError:  # whoever looked has gone
            pass
        finally:
            with self._lock:
                self._connections.discard(request.connection)
            request.close_connection = True

    def _stream(self, request: BaseHTTPRequestHandler) -> None:
        due_s = time.monotonic()
        sent_s = self.sent_s = deque(maxlen=1000)  # of the newest connection
        for number in itertools.count():
            while self._mode == "hang" and not self._closing.is_set():
                time.sleep(0.01)
            if self._closing.is_set():
                return
            jpeg = self.shots[0 if self._mode == "freeze" else number % len(self.shots)]
            jpeg = SPOIL.get(self._mode, bytes)(jpeg)
            head = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n"
            request.wfile.write(head.encode() + jpeg + b"\r\n")
            self.sent += 1
            sent_s.append(time.monotonic())
            due_s = max(due_s + 1.0 / self.rate_hz, time.monotonic() - 0.5)  # at an exact rate
            time.sleep(max(0.0, due_s - time.monotonic()))

    def __enter__(self) -> HttpCamera:
        return self

    def __exit__(self, *_: object) -> None:
        if self._mode != "refuse":
            self._deafen()


# For tests that watch it.

#: Short times, so that a test sees in a second what an exhibition sees in ten.
QUICK = CameraSettings(
    read_timeout_s=0.5, frozen_after_s=0.4, reopen_first_s=0.1, reopen_most_s=0.4
)


def until(fact: Callable[[], object], limit_s: float = 60.0) -> bool:
    """Wait for a fact; whether it came about."""
    end_s = time.monotonic() + limit_s
    while time.monotonic() < end_s:
        if fact():
            return True
        time.sleep(0.01)
    return bool(fact())


def camera_threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("camera")]
