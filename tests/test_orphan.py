"""A show whose supervisor was killed: left alone while its river flows on, ended when it is ill."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from supervised import ROOT, until

from mirror.clock import MonotonicClock, SteppedClock
from mirror.errors import SettingsError
from mirror.watch.alone import holder
from mirror.watch.orphan import SAVES_S, orphaned

#: Holds the state as a show does, hears no SIGTERM, and saves nothing.
HOLDS = """
import signal, sys, time
from pathlib import Path
from mirror.watch.alone import alone
signal.signal(signal.SIGTERM, signal.SIG_IGN)
with alone(Path(sys.argv[1])):
    time.sleep(60)
"""


@pytest.fixture
def state(tmp_path: Path) -> Path:
    path = tmp_path / "a.river"
    path.write_bytes(b"saved")
    return path


@pytest.fixture
def shows(state: Path, request: pytest.FixtureRequest) -> Iterator[subprocess.Popen[bytes]]:
    """A process that holds the state; its environment is the test's parameter."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLDS, str(state)], cwd=ROOT, env=request.param
    ) as process:
        assert until(lambda: holder(state) == process.pid)
        yield process
        process.kill()


@pytest.mark.parametrize("shows", [{"MIRROR_PULSE": "7"}], indirect=True)
def test_an_orphan_is_well_while_it_saves_and_is_ended_in_any_case(
    state: Path, shows: subprocess.Popen[bytes]
) -> None:
    clock = SteppedClock()
    orphan = orphaned(state, clock)
    assert orphan is not None
    assert orphan.process == shows.pid
    for n in range(1, 6):
        os.utime(state, ns=(n, n))
        assert orphan.flows()
        clock.sleep_s(0.9 * SAVES_S)
    clock.sleep_s(0.2 * SAVES_S)
    assert not orphan.flows()
    orphan.end()  # it does not heed SIGTERM
    assert shows.wait(10) == -9
    assert not orphan.flows()
    assert orphaned(state, MonotonicClock()) is None


@pytest.mark.parametrize("shows", [{}], indirect=True)
def test_a_show_that_never_had_a_supervisor_is_left_alone(
    state: Path, shows: subprocess.Popen[bytes]
) -> None:
    with pytest.raises(SettingsError, match="without a supervisor"):
        orphaned(state, MonotonicClock())
    assert shows.poll() is None
