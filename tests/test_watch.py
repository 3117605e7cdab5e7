"""The supervisor: real shows that are killed, stopped, orphaned and started twice."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from supervised import ROOT, SMALL, Watched, alive, until

from mirror.memory.memory import read


@pytest.fixture
def watched(tmp_path: Path) -> Watched:
    """A supervised show whose first picture has been presented."""
    it = Watched(tmp_path)
    assert until(lambda: it.heard("READY=1")), it.said()
    return it


def steps(it: Watched) -> int:
    """How far the saved river has flowed."""
    kept = read(it.state) if it.state.exists() else None
    return int(kept.arrays["steps"][0]) if kept else 0


def test_killed_and_frozen_shows_come_back_with_their_river(watched: Watched) -> None:
    with watched as it:
        for number in (signal.SIGKILL, signal.SIGSTOP):
            assert until(lambda: steps(it) > 30), it.said()
            before, flowed = it.show, steps(it)
            assert before is not None
            os.kill(before, number)
            assert it.shows_again(before), it.said()
            assert until(lambda flowed=flowed: steps(it) > flowed)  # type: ignore[misc]
            assert not alive(before)
        assert it.end() == 0
        assert "freeze" in it.said()
        assert "Fatal Python error: Aborted" in it.said()  # and where it stood
        assert "begins anew" not in it.said()
        assert it.heard("READY=1") == 3
        assert it.heard("STOPPING=1") == 1
        assert it.show is None


def test_a_restart_that_was_asked_for_comes_when_nobody_is_there(watched: Watched) -> None:
    with watched as it:
        before = it.show
        assert before is not None
        it.process.send_signal(signal.SIGHUP)  # as `systemctl reload` does
        assert it.shows_again(before), it.said()
        assert "asked for" in it.said()


def run_second(it: Watched, command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "mirror", *command.split(), "--state", str(it.state)],
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip


def test_a_second_one_is_refused_and_an_orphan_is_taken_over(watched: Watched) -> None:
    with watched as it:
        for command in (f"watch {SMALL}", f"run {SMALL}"):
            second = run_second(it, command)
            assert second.returncode == 2
            assert second.stderr.count("\n") == 1
            assert "another program holds it" in second.stderr
        orphan = it.show
        assert orphan is not None
        it.process.kill()
        it.process.wait(10)
        flowed = steps(it)
        assert until(lambda: steps(it) > flowed + 30)  # nobody watches it, and it goes on
        assert alive(orphan)
        with Watched(it.folder) as heir:
            assert until(lambda: heir.heard("READY=1")), heir.said()
            assert not alive(orphan)
            assert "supervisor that has gone" in heir.said()
            assert "begins anew" not in heir.said()


def test_a_show_that_was_meant_to_end_ends_its_supervisor(tmp_path: Path) -> None:
    with Watched(tmp_path, f"{SMALL} --seconds 1") as it:
        assert it.process.wait(60) == 0
        assert it.heard("READY=1") == 1


@pytest.mark.parametrize("flags", ["--size 0x0", "--seed many", "--no-such-flag", "--piece pond"])
def test_flags_that_no_restart_would_mend_are_refused_at_once(flags: str, tmp_path: Path) -> None:
    with Watched(tmp_path, flags) as it:
        assert it.process.wait(60) == 2
        assert it.said().count("\n") == 1
        assert flags.split(maxsplit=1)[0] in it.said()


def test_a_show_that_cannot_start_is_tried_again_and_again(tmp_path: Path) -> None:
    """A display that comes later than the program, after a power cut."""
    flags = SMALL.replace("offscreen", "window")
    with Watched(tmp_path, flags, {"DISPLAY": "", "WAYLAND_DISPLAY": ""}) as it:
        assert until(lambda: it.said().count("no display") >= 3), it.said()
        assert it.process.poll() is None
        assert it.heard("READY=1") == it.heard("WATCHDOG=1") == 0
