"""Being led from step to step: a real terminal, a real camera, and somebody who types."""

from __future__ import annotations

import os
import pty
import re
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from http_camera import HttpCamera
from rooms import empty_room
from sites import SIZE, noisy

from calibration.__main__ import main
from mirror.site.site import read_site

LIMIT_S = 60.0


class Terminal:
    """A command in a terminal of its own. A context manager that ends it."""

    def __init__(self, *words: str) -> None:
        self._ours, theirs = pty.openpty()
        environment = {**os.environ, "TERM": "xterm", "COLUMNS": "110", "LINES": "50"}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "calibration", *words],
            stdin=theirs, stdout=theirs, stderr=theirs, close_fds=True, env=environment,
        )  # fmt: skip
        os.close(theirs)
        self.shown = ""
        self._seen = 0

    def __enter__(self) -> Terminal:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        os.close(self._ours)

    def wait_for(self, text: str) -> None:
        """Read on until a text is shown that was not waited for before."""
        end_s = time.monotonic() + LIMIT_S
        while text not in self.shown[self._seen :]:
            assert time.monotonic() < end_s, f"{text!r} not shown in:\n{self.shown}"
            if not self._read():
                assert text in self.shown[self._seen :], f"{text!r} not in:\n{self.shown}"
        self._seen = self.shown.index(text, self._seen) + len(text)

    def _read(self) -> bool:
        ready, _, _ = select.select([self._ours], [], [], 0.2)
        try:
            more = os.read(self._ours, 65536) if ready else b""
        except OSError:  # Linux says so when the other side is closed
            return False
        self.shown += re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", more.decode(errors="replace"))
        return bool(more) or self.process.poll() is None

    def type(self, text: str) -> None:
        os.write(self._ours, text.encode() + b"\n")

    def answer(self, question: str, text: str = "") -> None:
        self.wait_for(question)
        self.type(text)

    def end(self) -> int:
        while self._read():
            pass
        return self.process.wait(LIMIT_S)


@pytest.fixture
def camera() -> Iterator[HttpCamera]:
    picture: np.ndarray = empty_room(*SIZE)
    with HttpCamera(noisy(picture)) as camera:
        yield camera


def test_a_technician_is_led_from_step_to_step(tmp_path: Path, camera: HttpCamera) -> None:
    site = tmp_path / "foyer.toml"
    with Terminal("guide", "--site", str(site)) as terminal:
        terminal.answer("The site's name")
        terminal.answer("Who calibrates", "Ada")
        terminal.wait_for("1 of ")
        terminal.wait_for("camera")
        terminal.answer("Now", "do")
        terminal.answer("network camera, or a film", camera.url)
        terminal.answer("Width of the picture", "9")
        terminal.wait_for("allowed: a whole number from 160 to 7680")
        terminal.answer("Width of the picture", str(SIZE[0]))
        terminal.answer("Height of the picture", str(SIZE[1]))
        terminal.answer("Pictures a second")
        terminal.wait_for("camera.rate")
        terminal.wait_for("saved in the site")
        terminal.wait_for("camera: pass")
        terminal.wait_for("2 of ")
        terminal.answer("Now", "end")
        assert terminal.end() == 0
    settings = read_site(str(site))
    assert settings.camera.source == camera.url
    assert (settings.camera.width_px, settings.camera.height_px) == SIZE
    assert settings.site.operator == "Ada"


def test_a_step_that_fails_may_be_tried_once_more(tmp_path: Path) -> None:
    with Terminal("guide", "--site", str(tmp_path / "foyer.toml")) as terminal:
        terminal.answer("The site's name")
        terminal.answer("Who calibrates")
        terminal.answer("Now", "do")
        terminal.answer("network camera, or a film", "nowhere.mp4")
        terminal.wait_for("no such file")
        terminal.wait_for("camera: fail")
        terminal.answer("Once more?", "n")
        terminal.answer("Now", "end")
        assert terminal.end() == 1


def test_without_a_terminal_the_steps_are_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["guide", "--site", str(tmp_path / "a.toml")]) == 2
    assert "nobody to ask" in capsys.readouterr().err


def test_in_a_terminal_the_bare_command_begins_to_lead() -> None:
    with Terminal() as terminal:
        terminal.wait_for("The site's name")
