"""The supervisor: real shows that are killed, stopped, orphaned, forked and started twice."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from supervised import ROOT, SMALL, Watched, alive, until

from mirror.errors import StateError
from mirror.memory.memory import read
from mirror.watch.standby import PLAYS, WAITS


@pytest.fixture
def watched(tmp_path: Path) -> Watched:
    """A supervised show whose first picture has been presented."""
    it = Watched(tmp_path)
    assert until(lambda: it.heard("READY=1")), it.said()
    return it


def steps(it: Watched) -> int:
    """How far the saved river has flowed; 0 until it has been saved once, whole."""
    try:
        kept = read(it.state)
    except StateError:  # the first of its slots is being written: afterwards one is always whole
        return 0
    return int(kept.arrays["steps"][0]) if kept else 0


def test_a_killed_show_comes_back_with_its_river_and_a_stopped_one_goes_on(
    watched: Watched,
) -> None:
    with watched as it:
        assert until(lambda: steps(it) > 30), it.said()
        before, flowed = it.show, steps(it)
        assert before is not None
        os.kill(before, signal.SIGKILL)
        assert it.shows_again(before), it.said()
        assert until(lambda: steps(it) > flowed)
        assert not alive(before)
        after = it.show
        assert after is not None
        os.kill(after, signal.SIGSTOP)
        assert until(lambda: "it goes on" in it.said())
        flowed = steps(it)
        assert until(lambda: steps(it) > flowed + 30)
        assert it.show == after
        assert it.end() == 0
        assert "begins anew" not in it.said()
        assert it.heard("READY=1") == 2
        assert it.heard("STOPPING=1") == 1
        assert it.show is None


@pytest.mark.skipif(sys.version_info < (3, 10), reason="faults are put in by sys.orig_argv")
def test_a_show_that_stands_still_says_where_and_is_started_again(tmp_path: Path) -> None:
    word = tmp_path / "fault"
    faulty = {"MIRROR_FAULTS": str(word), "PYTHONPATH": f"{ROOT / 'tests' / 'faulty'}:{ROOT}"}
    with Watched(tmp_path, environment=faulty) as it:
        assert until(lambda: it.heard("READY=1")), it.said()
        before = it.show
        assert before is not None
        word.write_text("stuck", encoding="ascii")
        assert it.shows_again(before), it.said()
        assert "started again: freeze" in it.said()
        assert "Fatal Python error: Aborted" in it.said()
        assert "sitecustomize.py" in it.said()  # where it stood
        assert not alive(before)


def test_a_restart_that_was_asked_for_comes_when_nobody_is_there(watched: Watched) -> None:
    with watched as it:
        before = it.show
        assert before is not None
        it.process.send_signal(signal.SIGHUP)  # as `systemctl reload` does
        assert it.shows_again(before), it.said()
        assert "asked for" in it.said()
        assert PLAYS in it.children().values()  # it was forked from a new process in the wings


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
        assert until(lambda: it.standby), it.said()
        waiting = it.standby
        it.process.kill()
        it.process.wait(10)
        assert until(lambda: not alive(waiting))
        flowed = steps(it)
        assert until(lambda: steps(it) > flowed + 30)  # nobody watches it, and it goes on
        assert alive(orphan)
        with Watched(it.folder) as heir:
            assert until(lambda: heir.heard("READY=1")), heir.said()
            assert not alive(orphan)
            assert PLAYS in heir.children().values()  # it was ready before the orphan had to go
            assert "supervisor that has gone" in heir.said()
            assert "begins anew" not in heir.said()


def test_shows_are_forked_in_the_wings_or_do_without(
    watched: Watched,
) -> None:
    with watched as it:
        assert until(lambda: it.waits), it.said()
        waiting = it.standby
        for _ in range(2):
            flowed, before = steps(it), it.show
            assert before is not None
            os.kill(before, signal.SIGKILL)
            assert it.shows_again(before), it.said()
            assert sorted(it.children().values()) == [PLAYS, WAITS]
            assert until(lambda flowed=flowed: steps(it) > flowed)  # type: ignore[misc]
        forked = it.show
        assert it.standby == waiting
        assert len(list(Path(f"/proc/{waiting}/task").iterdir())) == 1
        holds = [str(path.readlink()) for path in Path(f"/proc/{waiting}/fd").iterdir()]
        assert not [each for each in holds if str(it.folder / "a.river") in each]
        first_to_go = [Path(f"/proc/{id}/oom_score_adj").read_text() for id in (waiting, forked)]
        assert first_to_go[0] == "1000\n" != first_to_go[1]
        os.kill(waiting, signal.SIGSTOP)  # one that does not answer is done without
        os.kill(forked, signal.SIGKILL)
        assert it.shows_again(forked), it.said()
        assert PLAYS not in it.children().values()
        assert not alive(waiting)
        assert it.end() == 0
        assert "Traceback" not in it.said()


def test_nobody_waits_in_the_wings_where_the_site_says_so(tmp_path: Path) -> None:
    (tmp_path / "small.toml").write_text(
        "[river]\nparcels = 12\n[watch]\nstandby = false\n", encoding="utf-8"
    )
    with Watched(tmp_path) as it:
        assert until(lambda: it.heard("READY=1")), it.said()
        assert until(lambda: steps(it) > 300), it.said()  # longer than it takes to settle
        assert len(it.children()) == 1


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
