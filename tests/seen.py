"""What a visitor sees, measured from outside: the X server's screen is looked at many times a
second.

A picture that moves has grain, and no two of its pictures are alike; one that stands still, and a
screen without a window, is the same again and again.
"""

from __future__ import annotations

import socket
import struct
import threading
import time
import zlib

import numpy as np


class Onlooker:
    """Looks at a display from another connection. A context manager.

    looks: (time on the monotonic clock, checksum of the picture, its mean, its contrast).
    """

    def __init__(self, number: int, size: tuple[int, int], rate_hz: float = 25.0) -> None:
        self._size, self._rate_hz = size, rate_hz
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.connect(f"/tmp/.X11-unix/X{number}")
        self._socket.sendall(struct.pack("<BxHHHHxx", ord("l"), 11, 0, 0, 0))
        _, words = struct.unpack("<B5xH", self._read(8))
        told = self._read(4 * words)
        vendor, formats = struct.unpack_from("<H", told, 16)[0], told[21]
        self._root = struct.unpack_from("<I", told, 32 + (vendor + 3) // 4 * 4 + 8 * formats)[0]
        self.looks: list[tuple[float, int, float, float]] = []
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._look, name="onlooker", daemon=True)
        self._thread.start()

    def stood_still_s(self, since_s: float) -> float:
        """The longest time without a new picture: the same one, or a screen that is black."""
        looks = [look for look in self.looks if look[0] >= since_s - 0.2]
        longest_s, moved_s = 0.0, looks[0][0] if looks else since_s
        for before, now in zip(looks, looks[1:]):
            longest_s = max(longest_s, now[0] - moved_s)
            if now[1] != before[1] and now[2] > 1.0:
                moved_s = now[0]
        return longest_s

    def contrast(self, since_s: float, until_s: float) -> float:
        """Median contrast of what was seen in a time: portraits have it, a dark screen has not."""
        found = [look[3] for look in self.looks if since_s <= look[0] <= until_s]
        return float(np.median(found)) if found else 0.0

    def portraits_gone_s(self, since_s: float, usual: float) -> float:
        """For how long, after a fault, less than 0.6 of the usual contrast was there: from the
        first time to the last."""
        looks = [look for look in self.looks if look[0] >= since_s]
        poor = [look[0] for look in looks if look[3] < 0.6 * usual]
        return poor[-1] - poor[0] if poor else 0.0

    def picture(self) -> np.ndarray:
        """What is on the screen now: (H, W, 3) uint8 RGB."""
        width, height = self._size
        asked = struct.pack("<BBHIhhHHI", 73, 2, 5, self._root, 0, 0, width, height, 0xFFFFFFFF)
        self._socket.sendall(asked)
        words = struct.unpack("<4xI24x", self._read(32))[0]
        rows = np.frombuffer(self._read(4 * words), np.uint8).reshape(height, width, 4)
        return rows[:, :, 2::-1]

    def _look(self) -> None:
        while not self._closing.wait(1.0 / self._rate_hz):
            try:
                picture = self.picture()
            except (OSError, AssertionError, struct.error, ValueError):
                return
            small = picture[::4, ::4]
            told = (zlib.crc32(picture.tobytes()), float(small.mean()), float(small.std()))
            self.looks.append((time.monotonic(), *told))

    def _read(self, count: int) -> bytes:
        data = b""
        while len(data) < count:
            part = self._socket.recv(count - len(data))
            assert part, "the X server has gone"
            data += part
        return data

    def __enter__(self) -> Onlooker:
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.set()
        self._thread.join(5)
        self._socket.close()
