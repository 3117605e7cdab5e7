"""The status page of a whole program: what it shows, and what bad requests do."""

from __future__ import annotations

import http.client
import json
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from http_camera import HttpCamera, encode
from requests_that_are_bad import hurl
from rooms import empty_room, somebody
from test_osc import until

#: ``test_status`` sends ten thousand, to the server alone.
REQUESTS = 2000


@dataclass
class Running:
    """A program of its own with its status page."""

    process: subprocess.Popen[str]
    port: int
    folder: Path

    def ask(self, path: str) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def well(self) -> bool:
        try:
            return self.ask("/health")[0] == 200
        except (OSError, http.client.HTTPException):
            return False

    def told(self) -> dict[str, Any]:
        return dict(json.loads(self.ask("/status.json")[1]))

    def open_files(self) -> int:
        return len(list(Path(f"/proc/{self.process.pid}/fd").iterdir()))

    def end(self) -> tuple[str, dict[str, Any]]:
        """Ctrl-C; returns what it said on stderr, and its report."""
        self.process.send_signal(signal.SIGINT)
        _, complained = self.process.communicate(timeout=60)
        assert self.process.returncode == 0, complained
        return complained, json.loads((self.folder / "a.json").read_text(encoding="utf-8"))


SHOTS = [somebody(empty_room(), 0.4 + 0.01 * n) for n in range(16)]


@pytest.fixture
def running(tmp_path: Path, root: Path) -> Iterator[Running]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    site = tmp_path / "site.toml"
    site.write_text(f'[log]\nfolder = "{tmp_path / "log"}"\n[status]\npicture_width_px = 160\n')
    with HttpCamera([encode(shot) for shot in SHOTS], rate_hz=10) as camera:
        line = (
            f"run --site {site} --screen offscreen --size 320x180 --seed 1 --status {port} "
            f"--source {camera.url} --report a.json"
        )
        process = subprocess.Popen(
            [sys.executable, "-m", "mirror", *line.split()], cwd=tmp_path, text=True,
            env={"PYTHONPATH": str(root), "PATH": "/usr/bin:/bin", "HOME": str(tmp_path)},
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
        )  # fmt: skip
        running = Running(process, port, tmp_path)
        try:
            until(running.well, 60)
            yield running
        finally:
            if process.poll() is None:
                process.kill()
            process.communicate()


def correlation(shown: np.ndarray, shot: np.ndarray) -> float:
    """How much two pictures look alike, the one as large as the other, mirrored or not: 0 to 1."""
    size = (shown.shape[1], shown.shape[0])
    seen = cv2.resize(shot, size, interpolation=cv2.INTER_AREA).mean(axis=-1)
    values = [
        abs(float(np.corrcoef(shown.mean(axis=-1).ravel(), each.ravel())[0, 1]))
        for each in (seen, seen[:, ::-1])
    ]
    return max(values)


def test_the_page_shows_the_screen_and_never_the_camera(running: Running) -> None:
    until(lambda: running.told()["vitals"]["sitters"] == 1, 60)
    pictures = []

    def looked() -> bool:
        status, stored = running.ask("/picture.jpg")
        if status == 200:
            picture = cv2.imdecode(np.frombuffer(stored, np.uint8), cv2.IMREAD_COLOR)
            assert picture.shape == (90, 160, 3)
            if picture.std() > 8 and not any((picture == each).all() for each in pictures):
                pictures.append(picture)
        return len(pictures) >= 4

    until(looked, 60)
    assert max(correlation(each, shot) for each in pictures for shot in SHOTS) < 0.6
    assert correlation(SHOTS[3], SHOTS[4]) > 0.8  # so alike are two of the camera
    status, page = running.ask("/")
    assert (status, b"All is well" in page or b"look after it" in page) == (200, True)
    assert b"mirror_sitters 1.0" in running.ask("/metrics")[1]
    complained, report = running.end()
    assert "Traceback" not in complained
    assert report["visits"]


def test_thousands_of_malformed_requests_do_nothing_to_a_show(running: Running) -> None:
    before, files = running.told()["vitals"]["pictures"], running.open_files()
    hurl(running.port, REQUESTS)
    until(running.well, 60)
    told = running.told()
    assert told["vitals"]["pictures"] > before + 20
    assert told["vitals"]["camera"] == "running"
    until(lambda: running.open_files() <= files + 5, 60)  # nothing is left open
    complained, report = running.end()
    assert "Traceback" not in complained
    assert [line for line in complained.splitlines() if "HTTP" in line or "nvalid" in line] == []
    logged = (running.folder / "log" / "mirror.log").read_text(encoding="utf-8").splitlines()
    assert len(logged) < 40
    assert all(json.loads(line)["level"] != "error" for line in logged)
    assert report["settings"]["status"]["on"]
