"""A real display for tests: Xvfb, and a hand on its keyboard, mouse and cable, in the X11 protocol
itself.

Keys and clicks go in through XTEST, as a keyboard's and a mouse's would; the monitor's cable is
pulled through RANDR. No other program or library is needed for it.
"""

from __future__ import annotations

import os
import shutil
import socket
import struct
import subprocess
import time
from types import TracebackType

import numpy as np
import numpy.typing as npt

#: Key codes of the standard keyboard that Xvfb has.
CODES = {"Escape": 9, "q": 24, "s": 39, "d": 40, "f": 41, "space": 65, "x": 53,
         "Return": 36, "Tab": 23, "BackSpace": 22, "Shift_L": 50, "r": 27, "m": 58, "p": 33,
         "c": 54, "i": 31, "Up": 111, "Down": 116, "Left": 113, "Right": 114}  # fmt: skip


class Display:
    """Xvfb on a free number. A context manager."""

    def __init__(self, size: tuple[int, int] = (800, 600)) -> None:
        program = shutil.which("Xvfb")
        assert program is not None
        reading, writing = os.pipe()
        self._server = subprocess.Popen(
            [program, "-displayfd", str(writing), "-screen", "0", f"{size[0]}x{size[1]}x24",
             "-nolisten", "tcp"],
            pass_fds=[writing], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        os.close(writing)
        with os.fdopen(reading) as told:
            self.number = int(told.readline())
        self.name = f":{self.number}"
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.connect(f"/tmp/.X11-unix/X{self.number}")
        self._socket.sendall(struct.pack("<BxHHHHxx", ord("l"), 11, 0, 0, 0))
        accepted, length = struct.unpack("<B5xH", self._read(8))
        assert accepted == 1
        about = self._read(4 * length)
        vendor, formats = struct.unpack_from("<16xH3xB", about)
        self._root = struct.unpack_from("<I", about, 32 + (vendor + 3) // 4 * 4 + 8 * formats)[0]
        self._test = self._extension(b"XTEST")
        self._randr = self._extension(b"RANDR")
        self._ask(self._randr, 0, struct.pack("<II", 1, 5))  # its version
        self._reply()

    def press(self, key: str, times: int = 1, shift: bool = False) -> None:
        """Press a key and let it go."""
        held = [CODES["Shift_L"]] if shift else []
        for code in held:
            self._fake(2, code)
        for _ in range(times):
            self._fake(2, CODES[key])
            self._fake(3, CODES[key])
            time.sleep(0.005)  # of two presses in one millisecond only one counts
        for code in held:
            self._fake(3, code)
        self._wait()

    def point(self, x: int, y: int) -> None:
        """Move the mouse to a pixel of the display."""
        self._fake(6, 0, x, y)
        self._wait()

    def click(self, x: int, y: int) -> None:
        """Press the left button of the mouse at a pixel, and let it go."""
        self.drag((x, y), (x, y))

    def drag(self, start: tuple[int, int], end: tuple[int, int]) -> None:
        """Press the left button at one pixel, move, let it go at another."""
        self.point(*start)
        self._fake(4, 1)
        self.point(*end)
        self._fake(5, 1)
        self._wait()

    def unplug(self) -> None:
        """Pull the cable of the only monitor: its output shows nothing any more."""
        self._mode = self._set_mode(0)

    def plug_in(self) -> None:
        """Put the monitor's cable back."""
        self._set_mode(self._mode)

    def close_window(self, window: int) -> None:
        """Ask a window to close, as a window manager does."""
        protocols, delete = self._atom(b"WM_PROTOCOLS"), self._atom(b"WM_DELETE_WINDOW")
        event = struct.pack("<BBHIIIIIII", 33, 32, 0, window, protocols, delete, 0, 0, 0, 0)
        self._socket.sendall(struct.pack("<BBHII", 25, 0, 11, window, 0) + event[:32])
        self._wait()

    def resize_window(self, window: int, width: int, height: int) -> None:
        """Give a window another size, as a window manager does."""
        self._socket.sendall(struct.pack("<BxHIHxxII", 12, 5, window, 4 | 8, width, height))
        self._wait()

    def rests_after_s(self) -> int:
        """When the display's own screen saver begins, seconds; 0: never."""
        self._socket.sendall(struct.pack("<BxH", 108, 1))
        return int(struct.unpack("<8xH22x", self._reply())[0])

    def rest_after_s(self, seconds: int) -> None:
        """Set that."""
        self._socket.sendall(struct.pack("<BxHhhBBxx", 107, 3, seconds, seconds, 1, 1))
        self._wait()

    def picture_of(self, window: int, width: int, height: int) -> npt.NDArray[np.uint8]:
        """What a window shows: (H, W, 3) RGB."""
        asked = struct.pack("<BBHIhhHHI", 73, 2, 5, window, 0, 0, width, height, 0xFFFFFFFF)
        self._socket.sendall(asked)
        words = struct.unpack("<4xI24x", self._reply())[0]
        rows = np.frombuffer(self._read(4 * words), np.uint8).reshape(height, width, 4)
        return rows[:, :, 2::-1]  # blue comes first

    def __enter__(self) -> Display:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._socket.close()
        self._server.terminate()
        self._server.wait(10)

    def _ask(self, opcode: int, detail: int, body: bytes) -> None:
        """Send a request; its length is told in words of four bytes."""
        self._socket.sendall(struct.pack("<BBH", opcode, detail, 1 + len(body) // 4) + body)

    def _fake(self, kind: int, code: int, x: int = 0, y: int = 0) -> None:
        """What a keyboard (2 down, 3 up) or mouse (4 down, 5 up, 6 moved) would tell."""
        self._ask(self._test, 2, struct.pack("<BB2xII8xHH8x", kind, code, 0, 0, x, y))

    def _set_mode(self, mode: int) -> int:
        """Give the only output a mode, 0 for none; returns the first mode there is."""
        self._ask(self._randr, 25, struct.pack("<I", self._root))  # GetScreenResourcesCurrent
        words, stamp, crtcs, outputs = struct.unpack("<4xI4xIHH12x", self._reply())
        body = self._read(4 * words)
        crtc = body[:4]
        output, first = struct.unpack_from("<II", body[4 * crtcs :])
        assert outputs == 1
        shown = struct.pack("<I", output) if mode else b""
        asked = crtc + struct.pack("<IIhhIHH", 0, stamp, 0, 0, mode, 1, 0) + shown
        self._ask(self._randr, 21, asked)  # SetCrtcConfig
        assert self._reply()[1] == 0
        return int(first)

    def _extension(self, name: bytes) -> int:
        """The number by which an extension is called."""
        padded = name + b"\0" * (-len(name) % 4)
        self._socket.sendall(struct.pack("<BxHHxx", 98, 2 + len(padded) // 4, len(name)) + padded)
        present, major = struct.unpack("<8xBB22x", self._reply())
        assert present
        return int(major)

    def _atom(self, name: bytes) -> int:
        padded = name + b"\0" * (-len(name) % 4)
        asked = struct.pack("<BBHHxx", 16, 0, 2 + len(padded) // 4, len(name))
        self._socket.sendall(asked + padded)
        return int(struct.unpack("<8xI20x", self._reply())[0])

    def _wait(self) -> None:
        """Until the server has done all that it was asked: it answers in order."""
        self._socket.sendall(struct.pack("<BxH", 43, 1))  # GetInputFocus
        self._reply()

    def _reply(self) -> bytes:
        """The next answer; what the server tells of its own accord is left out."""
        while True:
            data = self._read(32)
            assert data[0] != 0, f"the X server refused a request: error {data[1]}"
            if data[0] == 1:
                return data

    def _read(self, count: int) -> bytes:
        data = b""
        while len(data) < count:
            part = self._socket.recv(count - len(data))
            assert part, "the X server has gone"
            data += part
        return data
