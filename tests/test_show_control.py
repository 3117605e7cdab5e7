"""Commands carried out by a real show, between its pictures; a whole program under fire."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import urllib.request
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rooms import RATE_HZ, visit, write_film
from test_osc import fuzz, messages, said, until

from mirror.cards import verify
from mirror.clock import SteppedClock
from mirror.control.commands import command
from mirror.control.conductor import FALL_S
from mirror.options import RunOptions
from mirror.settings import RiverSettings, Settings
from mirror.show.plan import make_plan
from mirror.show.show import Show
from mirror.signals import Bytes

SIZE = (160, 90)


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Somebody who is there all the time."""
    return write_film(tmp_path_factory.mktemp("films") / "somebody.mp4", visit(0.0, 8.0, 0.0))


Asked = dict[float, tuple[str, object]]


def play(film: Path, seconds: float, asked: Asked) -> tuple[Show, list[Bytes], list[str]]:
    """A show, picture by picture, in which words are said at their times: the show as it ended,
    its pictures, and its piece at each."""
    settings = Settings(river=RiverSettings(parcels=12))
    options = RunOptions(
        source=str(film), realtime=False, screen="offscreen", size=SIZE, seed=1, seconds=seconds
    )
    plan = make_plan(settings, options)
    pictures, pieces, left = [], [], dict(asked)
    with ExitStack() as stack:
        show = Show(plan, SteppedClock(), verify(), stack)

        def look(time_s: float) -> None:
            pictures.append(show.screen.picture())
            pieces.append(show.steering.settings.piece)
            for at_s in [at_s for at_s in left if len(pictures) >= at_s * RATE_HZ]:
                show.steering.conductor.inbox.put(command(*left.pop(at_s)))

        show.play(look)
        show.end()
    return show, pictures, pieces


def at(pictures: list[Bytes], seconds: float) -> np.ndarray:
    return pictures[round(seconds * RATE_HZ)].astype(int)


def test_black_is_black_and_the_picture_comes_back(film: Path) -> None:
    asked: Asked = {2.0: ("black", True), 4.0: ("black", False), 5.6: ("brightness", 0.3)}
    _, pictures, _ = play(film, 7.2, asked)
    before = at(pictures, 1.9).mean()
    assert before > 3
    assert at(pictures, 2.0 + FALL_S + 0.2).max() == 0
    assert at(pictures, 5.5).mean() > 0.6 * before
    assert 0 < at(pictures, 7.0).mean() < 0.6 * at(pictures, 5.5).mean()
    steps = np.abs(np.diff([each.mean() for each in pictures[30:]]))
    assert steps.max() < 0.15 * max(each.mean() for each in pictures)  # no picture is a blow


def test_a_frozen_picture_stands_still_and_goes_on_from_there(tmp_path: Path) -> None:
    """Before somebody who hardly moves: whoever does is somewhere else meanwhile."""
    film = write_film(tmp_path / "still.mp4", visit(0.0, 8.0, 0.0, sways=0.05))
    asked: Asked = {2.0: ("freeze", True), 2.8: ("black", True), 4.4: ("black", False),
                    6.0: ("freeze", False)}  # fmt: skip
    show, pictures, _ = play(film, 7.2, asked)
    frozen = at(pictures, 2.2)
    assert (at(pictures, 2.7) == frozen).all()
    assert at(pictures, 4.3).max() == 0  # it can be dark meanwhile
    assert (at(pictures, 5.9) == frozen).all()
    moved = [np.abs(at(pictures, s) - at(pictures, s - 0.07)).mean() for s in (6.2, 6.4, 7.0)]
    assert min(moved) > 0  # and it moves again
    assert np.abs(at(pictures, 6.1) - frozen).mean() < 6  # from where it stood
    assert show.rig.time.now_s == pytest.approx(7.2 - 4.0, abs=0.3)
    assert show.course.river is not None
    assert show.course.river.time_s < 3.6


def test_another_piece_is_changed_to_in_the_dark(film: Path) -> None:
    _, pictures, pieces = play(film, 4.6, {1.6: ("piece", "uncanny")})
    change = pieces.index("uncanny")
    assert pictures[change + 1].max() == 0  # its first
    assert pieces[-1] == "uncanny"
    assert at(pictures, 4.4).mean() > 3


def test_another_seed_and_half_life_are_another_river(film: Path) -> None:
    show, _, _ = play(film, 5.0, {1.0: ("seed", 9), 1.5: ("half-life", 5.0)})
    assert show.course.river is not None
    assert show.steering.settings.seed == 9
    assert show.steering.settings.river.fade_half_life_s == 5.0
    assert show.course.river.time_s < 5.0 - 1.0 - FALL_S + 0.3  # it began anew
    assert show.steering.conductor.standing.told()["seed"] == 9


def test_a_piece_that_needs_eyes_opens_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From passersby, which look at nobody, to the river and its bundled session, and back."""
    monkeypatch.setattr("mirror.show.plan.list_devices", list)  # whatever this computer has
    settings = Settings(river=RiverSettings(parcels=12), piece="passersby")
    options = RunOptions(screen="offscreen", size=SIZE, seconds=12.0, still=tmp_path / "a.png")
    plan = make_plan(settings, options, fast=True)
    there: list[int] = []
    with ExitStack() as stack:
        show = Show(plan, SteppedClock(), verify(), stack)

        def look(time_s: float) -> None:
            there.append(show.rig.pulse.newest.sitters)
            for at, piece in ((45, "river"), (260, "passersby")):
                if len(there) == at:
                    show.steering.conductor.inbox.put(command("piece", piece))

        show.play(look)
        told = show.end()
    assert max(there[:45]) == 0
    assert max(there[85:260]) > 0
    assert there[-1] == 0
    assert told["visits"]
    assert show.course.river is not None
    assert show.course.river.time_s == pytest.approx(12.0, abs=0.5)  # it never waited for anybody


def vitals(port: int) -> dict[str, Any]:
    """The vital signs of a program, by its status page."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/status.json", timeout=20) as answer:
        return dict(json.load(answer)["vitals"])


def test_a_whole_program_under_fire_goes_on(tmp_path: Path, root: Path) -> None:
    """A hundred thousand packets, as fast as they can be sent, and then a word that it heeds."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        page = free.getsockname()[1]
    line = f"run --screen offscreen --size 160x90 --seed 1 --osc {port} --status {page} " + (
        "--report a.json"
    )
    running = subprocess.Popen(
        [sys.executable, "-m", "mirror", *line.split()], cwd=tmp_path, text=True,
        env={"PYTHONPATH": str(root), "PATH": "/usr/bin:/bin", "HOME": str(tmp_path)},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    place = ("127.0.0.1", port)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as console:
        console.settimeout(0.5)

        def stands(word: str) -> object:
            try:
                console.sendto(said(f"/mirror/{word}"), place)
                ((_, values),) = messages(console.recv(2048))
            except OSError:  # it does not listen yet, or drops what is too much
                return None
            return values[0]

        try:
            until(lambda: stands("piece") == "river", 60)
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as hostile:
                for packet in fuzz():
                    hostile.sendto(packet, place)
            console.sendto(said("/mirror/freeze", 0), place)

            def heeded() -> bool:
                console.sendto(said("/mirror/piece", "uncanny"), place)
                console.sendto(said("/mirror/brightness", 0.75), place)
                return stands("brightness") == 0.75 and stands("piece") == "uncanny"

            until(heeded, 60)
            for word, opening in (("closed", "closed"), ("open", "open"), ("hours", "open")):
                console.sendto(said("/mirror/opening", word), place)
                until(lambda opening=opening: vitals(page)["opening"] == opening, 60)
        finally:
            running.send_signal(signal.SIGINT)
        said_last, complained = running.communicate(timeout=60)
    assert running.returncode == 0, complained
    assert "pictures" in said_last
    assert "Traceback" not in complained
    warned = [each for each in complained.splitlines() if "OSC" in each]
    assert len(warned) <= 4  # the first of each kind
    told = json.loads((tmp_path / "a.json").read_text(encoding="utf-8"))
    assert told["settings"]["piece"] == "uncanny"
    assert told["frames"] > 5


def test_taken_ports_are_told_in_one_line_each_and_the_show_goes_on(
    tmp_path: Path, root: Path
) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as osc, socket.socket() as status:
        for taken in (osc, status):
            taken.bind(("127.0.0.1", 0))
        status.listen()
        ports = osc.getsockname()[1], status.getsockname()[1]
        line = f"run --screen offscreen --size 160x90 --seconds 3 --osc {ports[0]} " + (
            f"--status {ports[1]} --report a.json"
        )
        ran = subprocess.run(
            [sys.executable, "-m", "mirror", *line.split()], cwd=tmp_path, text=True,
            env={"PYTHONPATH": str(root), "PATH": "/usr/bin:/bin", "HOME": str(tmp_path)},
            capture_output=True, check=False, timeout=100,
        )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    for port in ports:
        (told,) = [each for each in ran.stderr.splitlines() if str(port) in each]
        assert "(Address already in use); tried again" in told
    assert json.loads((tmp_path / "a.json").read_text(encoding="utf-8"))["frames"] > 10
