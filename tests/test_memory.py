"""The river's memory: what is taken up is what was saved, bit for bit, and damage is refused."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from waters import ASPECT, densities, passed, visit

from mirror.errors import SettingsError, StateError
from mirror.memory.memory import FIRM, PAGE, SLOTS, Memory, kept, packed, read, taken_up, unpacked
from mirror.river.river import RiverState, start, state_hash
from mirror.settings import RiverSettings
from mirror.watch.alone import alone, holder

SETTINGS = RiverSettings(parcels=18, visit_slots=4)
WEIGHTS = {"panel": "ab"}


@pytest.fixture(scope="module")
def river() -> RiverState:
    """A river that somebody has stood in for four seconds."""
    state = start(SETTINGS, densities(), 5, ASPECT)
    return passed(state, SETTINGS, [visit(1), visit(2, 0.4)], 4.0)


def saved(state: RiverState, path: Path, times: int = 1) -> Path:
    """A file that holds a river, as a run leaves it."""
    with Memory(path) as keeper:
        for n in range(times):
            before = keeper.saved
            keeper.keep(kept(state, 100.0 + n, 7, WEIGHTS))
            while keeper.saved == before:
                time.sleep(0.002)
    return path


def again(path: Path, **more: Any) -> RiverState:
    found = read(path)
    assert found is not None
    return taken_up(found, SETTINGS, densities(), more.get("seed", 5), ASPECT)


def test_a_river_taken_up_flows_on_as_if_nothing_had_happened(
    river: RiverState, tmp_path: Path
) -> None:
    back = again(saved(river, tmp_path / "a.river"))
    assert state_hash(back) == state_hash(river)
    here = [visit(2, 0.4), visit(9, 1.2)]
    one, other = (passed(each, SETTINGS, here, 20.0) for each in (river, back))
    assert state_hash(one) == state_hash(other)
    assert one.dye_of(9).max() > 0.1


def test_the_newest_of_many_is_found_with_time_and_ids(river: RiverState, tmp_path: Path) -> None:
    found = read(saved(river, tmp_path / "a.river", times=9))
    assert found is not None
    assert (found.time_s, found.newest_id, dict(found.weights)) == (108.0, 7, WEIGHTS)


def test_no_file_is_no_memory(tmp_path: Path) -> None:
    assert read(tmp_path / "none.river") is None


def test_the_file_does_not_grow_and_no_other_is_left(river: RiverState, tmp_path: Path) -> None:
    path = saved(river, tmp_path / "a.river")
    size, inode = path.stat().st_size, path.stat().st_ino
    saved(river, path, times=20)
    assert (path.stat().st_size, path.stat().st_ino) == (size, inode)
    assert [each.name for each in tmp_path.iterdir()] == ["a.river"]


def slot_size(path: Path) -> int:
    return (path.stat().st_size - PAGE) // SLOTS


def spoil(path: Path, slots: range) -> None:
    """Flip a byte in the middle of slots."""
    stored = bytearray(path.read_bytes())
    for slot in slots:
        stored[PAGE + slot * slot_size(path) + 999] ^= 1
    path.write_bytes(stored)


def test_a_save_that_was_cut_short_costs_one_second(river: RiverState, tmp_path: Path) -> None:
    """Any one slot may be damaged, and one saved the second before is taken."""
    for slot in range(SLOTS):
        path = saved(river, tmp_path / f"{slot}.river", times=3)
        spoil(path, range(slot, slot + 1))
        found = read(path)
        assert found is not None
        assert found.time_s >= 101.0


def test_after_a_power_cut_the_firm_slots_are_enough(river: RiverState, tmp_path: Path) -> None:
    path = saved(river, tmp_path / "a.river", times=3)
    spoil(path, range(FIRM))
    assert state_hash(again(path)) == state_hash(river)


DAMAGE = {
    "every slot": lambda stored: stored[:PAGE] + bytes(len(stored) - PAGE),
    "empty": lambda stored: b"",
    "cut": lambda stored: stored[:20],
    "of another kind": lambda stored: b"something else entirely" + stored,
    "an older version": lambda stored: stored.replace(b"mirror-river-1", b"mirror-river-0"),
    "slots of no size": lambda stored: stored[:16] + bytes(8) + stored[24:],
    "slots of any size": lambda stored: stored[:16] + b"\xff" * 8 + stored[24:],
}


@pytest.mark.parametrize("what", DAMAGE)
def test_a_damaged_file_is_refused_and_then_written_anew(
    what: str, river: RiverState, tmp_path: Path
) -> None:
    path = saved(river, tmp_path / "a.river", times=2)
    path.write_bytes(DAMAGE[what](path.read_bytes()))
    with pytest.raises(StateError, match=r"a\.river: .*mirror-river-1"):
        read(path)
    assert state_hash(again(saved(river, path))) == state_hash(river)


def test_another_river_is_refused(river: RiverState, tmp_path: Path) -> None:
    path = saved(river, tmp_path / "a.river")
    found = read(path)
    assert found is not None
    with pytest.raises(StateError, match="seed"):
        again(path, seed=6)
    with pytest.raises(StateError, match="place"):
        taken_up(found, replace(SETTINGS, parcels=24), densities(), 5, ASPECT)
    wild = dict(found.arrays)
    wild["turbulence"] = np.full_like(wild["turbulence"], np.nan)
    with pytest.raises(StateError, match="turbulence"):
        taken_up(replace(found, arrays=wild), SETTINGS, densities(), 5, ASPECT)


def test_what_is_saved_is_small_and_comes_back_whole(river: RiverState) -> None:
    memory_of_it = kept(river, 3.5, 2, WEIGHTS)
    stored = packed(memory_of_it)
    assert len(stored) < 1.2 * sum(each.nbytes for each in memory_of_it.arrays.values()) + 1000
    back = unpacked(stored)
    assert (back.time_s, back.newest_id, back.seed) == (3.5, 2, 5)
    for name, array in memory_of_it.arrays.items():
        np.testing.assert_array_equal(back.arrays[name], array)


def test_a_disk_that_refuses_costs_one_warning_and_no_error(
    river: RiverState, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with Memory(tmp_path / "no folder" / "a.river") as keeper:
        for _ in range(3):
            keeper.keep(kept(river, 1.0, 0, WEIGHTS))
            time.sleep(0.05)
    assert keeper.refused >= 1
    assert keeper.saved == 0
    assert len(caplog.records) == 1


FULL = """
    import errno, resource, signal, sys
    from pathlib import Path
    from mirror.memory.memory import Memory, read
    sys.path[:0] = [sys.argv[2]]
    from test_memory import SETTINGS, WEIGHTS, densities, kept, saved, start
    path = Path(sys.argv[1])
    river = start(SETTINGS, densities(), 5, 1.7)
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size,) * 2)
    saved(river, path, times=5)
    try:
        path.with_name("more").write_bytes(bytes(2 * path.stat().st_size))
    except OSError as error:
        print(errno.errorcode[error.errno], read(path).time_s)
"""


def test_a_file_that_is_there_needs_no_more_room(
    river: RiverState, tmp_path: Path, root: Path
) -> None:
    """No file may grow any more, as on a full disk, and the river is still saved."""
    path = saved(river, tmp_path / "a.river")
    ran = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(FULL), str(path), str(root / "tests")],
        cwd=root, capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},  # else it would leave half of one
    )  # fmt: skip
    assert ran.stdout.split() == ["EFBIG", "104.0"], ran.stderr


KILLED = """
    import sys
    from pathlib import Path
    sys.path[:0] = [sys.argv[2]]
    from test_memory import SETTINGS, WEIGHTS, Memory, densities, kept, start
    river = start(SETTINGS, densities(), 5, 1.7)
    keeper, n = Memory(Path(sys.argv[1])), 0
    while True:
        n += 1
        before = keeper.saved
        keeper.keep(kept(river, float(n), n, WEIGHTS))
        while keeper.saved == before:
            pass
        print(n, flush=True)
"""


def test_a_program_killed_while_it_saves_leaves_what_it_had_saved(
    tmp_path: Path, root: Path
) -> None:
    path = tmp_path / "a.river"
    command = [sys.executable, "-c", textwrap.dedent(KILLED), str(path), str(root / "tests")]
    for kill in range(3):
        running = subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, text=True)
        assert running.stdout is not None
        lines = [running.stdout.readline() for _ in range(20 + 13 * kill)]
        os.kill(running.pid, signal.SIGKILL)
        told = [*lines, *running.stdout.read().splitlines()]
        running.wait(10)
        running.stdout.close()
        found = read(path)
        assert found is not None
        assert found.time_s >= int(told[-1]) - 1  # the line after the save may be lost


def test_one_program_at_a_time(tmp_path: Path) -> None:
    path = tmp_path / "a.river"
    with alone(path):
        assert holder(path) == os.getpid()
        with pytest.raises(SettingsError, match=f"a.river: another.*{os.getpid()}"), alone(path):
            pass
    assert holder(path) is None
    with alone(path):
        pass
