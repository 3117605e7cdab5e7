"""The recorder survives kills and bad disks, and whatever happens to it the show goes on."""

from __future__ import annotations

import logging
import os
import random
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mirror.clock import SteppedClock
from mirror.session import Limits, Recorder, SessionHeader, open_session, recover, survey
from mirror.session import record as recording
from mirror.session.reel import part_path
from mirror.signals import Frame, Sitters
from tests.recordings import HEADER, bits, room

MOMENTS = room(3.0)


def show(recorder: Recorder, moments: list[Sitters]) -> None:
    """What the show does with a recorder."""
    for step, sitters in enumerate(moments):
        recorder.sitters(sitters, 100.0 + sitters.time_s, time.time_ns())
        if step % 30 == 0:
            recorder.river_hash(step, sitters.time_s, f"{step:064x}")


def test_what_the_show_sees_is_what_is_read(tmp_path: Path) -> None:
    before_ns = time.time_ns()
    with Recorder(tmp_path / "a.mcap", SessionHeader(seed=3), clock=SteppedClock(7.0)) as recorder:
        show(recorder, MOMENTS)
        recorder.fault("frozen", 1.25, "for 2 s")
        recorder.picture(Frame(np.zeros((9, 9, 3), np.uint8), 0, 1.0), 1.0)  # not asked for: let go
    assert not recorder.stopped
    session = open_session(recorder.path)
    assert [bits(s) for s in session.sitters()] == [bits(s) for s in MOMENTS]
    assert [h.step for h in session.hashes()] == [0, 30, 60]
    faults = [(e.kind, e.time_s, e.detail) for e in session.events() if e.id == 0]
    assert faults == [("frozen", 1.25, "for 2 s")]
    first = next(session.moments())
    assert (first.capture_s, first.arrival_s) == (100.0 + MOMENTS[0].time_s, 7.0)
    assert before_ns <= first.wall_ns <= time.time_ns()
    assert session.header.seed == 3 and session.header.started_ns >= before_ns
    assert list(session.pictures()) == []
    assert survey(recorder.path).is_intact


def test_pictures_are_recorded_only_when_the_header_asks_for_them(tmp_path: Path) -> None:
    header = replace(HEADER, pictures=True)
    with Recorder(tmp_path / "p.mcap", header) as recorder:
        assert recorder.pictures
        for number in range(3):
            frame = Frame(np.full((40, 64, 3), 60 * number, np.uint8), number, 7000.0)
            recorder.picture(frame, number / 10)
        recorder.picture(frame, -0.01)  # taken before the session's begin
    found = list(open_session(recorder.path).pictures())
    assert [(f.number, f.time_s) for f in found] == [(0, 0.0), (1, 0.1), (2, 0.2)]
    assert [round(f.picture.mean() / 60) for f in found] == [0, 1, 2]


def test_a_recording_overwrites_nothing(tmp_path: Path) -> None:
    path = tmp_path / "evening.mcap"
    path.write_bytes(b"an older evening")
    with Recorder(path, HEADER) as recorder:
        show(recorder, MOMENTS[:3])
    assert recorder.path == tmp_path / "evening-2.mcap"
    assert path.read_bytes() == b"an older evening"
    assert len(list(open_session(recorder.path).sitters())) == 3


CHILD = """
import itertools, os, sys, time
from pathlib import Path
from mirror.session import Recorder
from tests.recordings import HEADER, room
from dataclasses import replace
moments, begin_s = room(2.0), time.monotonic()
recorder = Recorder(Path(sys.argv[1]), HEADER)
for step in itertools.count():
    time_s = time.monotonic() - begin_s
    recorder.sitters(replace(moments[step % 60], time_s=time_s), time_s, time.time_ns())
    os.write(1, b"%.4f\\n" % time_s)
    time.sleep(1 / 30)
"""


def kill(path: Path, after_s: float) -> float:
    """Record in another process, kill it, and say which time it reached."""
    child = subprocess.Popen([sys.executable, "-c", CHILD, str(path)], stdout=subprocess.PIPE)
    assert child.stdout is not None
    told = [child.stdout.readline()]
    time.sleep(after_s)
    os.kill(child.pid, signal.SIGKILL)
    told += child.stdout.readlines()
    child.stdout.close()
    assert child.wait() == -signal.SIGKILL
    return float([line for line in told if line.endswith(b"\n")][-1])


def test_a_kill_loses_less_than_a_second(tmp_path: Path) -> None:
    lot = random.Random(3)
    pauses = [lot.uniform(0.0, 2.0) for _ in range(10)]
    paths = [tmp_path / f"{number}.mcap" for number in range(10)]
    with ThreadPoolExecutor(2) as pool:
        reached = list(pool.map(kill, paths, pauses))
    for path, end_s in zip(paths, reached):
        found = recover(path)
        assert found.out is not None and "cut off" in found.statement
        assert survey(found.out).is_intact
        kept = [sitters.time_s for sitters in open_session(found.out).sitters()]
        assert kept == [sitters.time_s for sitters in open_session(path).sitters()]
        assert end_s - (kept[-1] if kept else 0.0) < 1.0


FULL = """
import resource, sys, time
from pathlib import Path
from mirror.session import Recorder
from tests.recordings import HEADER, room
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
moments = room(4.0)
with Recorder(Path(sys.argv[1]), HEADER) as recorder:
    for sitters in moments:
        recorder.sitters(sitters, 0.0, time.time_ns())
        time.sleep(0.01)
print(recorder.stopped, "|", recorder.reason)
"""


def test_a_full_disk_stops_the_recording_and_not_the_show(tmp_path: Path) -> None:
    path = tmp_path / "full.mcap"
    ran = subprocess.run(
        [sys.executable, "-c", FULL, str(path)], capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.startswith("True | ") and "File too large" in ran.stdout
    assert ran.stderr.count("recording stopped") == 1
    assert path.stat().st_size <= 100_000
    # what had been written is whole: chunks only, and nothing behind them
    read = [bits(s) for s in open_session(path).sitters()]
    assert read == [bits(s) for s in room(4.0)][: len(read)] and len(read) > 10
    assert "behind" not in recover(path).statement.split("cut off")[0]


def test_a_folder_that_cannot_be_written_stops_the_recording_and_not_the_show(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("no folder")
    with Recorder(tmp_path / "file" / "a.mcap", HEADER) as recorder:
        assert recorder.stopped  # known at once
        show(recorder, MOMENTS)
    assert "file" in recorder.reason
    assert [r.levelno for r in caplog.records] == [logging.ERROR]


def test_a_disk_that_keeps_too_little_free_is_left_alone(tmp_path: Path) -> None:
    with Recorder(tmp_path / "a.mcap", HEADER, Limits(spare_mb=1e9)) as recorder:
        show(recorder, MOMENTS[:3])
    assert recorder.stopped and "MB free; allowed: 1e+09 MB or more" in recorder.reason
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "bad",
    [
        replace(MOMENTS[-1], sitters=(replace(MOMENTS[-1].sitters[0], markers=None),)),
        replace(MOMENTS[-1], time_s=float("nan")),
        replace(MOMENTS[-1], time_s="soon"),
    ],
    ids=["no markers", "no time", "a word for a time"],
)
def test_a_value_that_is_none_stops_the_recording_and_not_the_show(
    tmp_path: Path, bad: Sitters
) -> None:
    with Recorder(tmp_path / "a.mcap", HEADER) as recorder:
        show(recorder, MOMENTS[:5])
        recorder.sitters(bad, 0.0, 0)
    assert recorder.stopped and recorder.reason
    assert len(list(open_session(recorder.path).sitters())) <= 5


def test_a_slow_disk_loses_moments_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recording, "MOST_WAITING", 4)
    go_on = threading.Event()
    with Recorder(tmp_path / "slow.mcap", HEADER) as recorder:
        recorder._put(lambda reel: go_on.wait() and None)  # the disk does not answer
        show(recorder, MOMENTS)
        go_on.set()
    assert recorder.dropped >= len(MOMENTS) - 4
    session = open_session(recorder.path)
    (gap,) = [event for event in session.events() if event.kind == "recording gap"]
    assert gap.detail.startswith(f"{recorder.dropped} messages lost")
    assert survey(recorder.path).is_intact


def test_a_patient_recorder_loses_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recording, "MOST_WAITING", 4)
    with Recorder(tmp_path / "slow.mcap", HEADER, patient=True) as recorder:
        show(recorder, MOMENTS)
    assert recorder.dropped == 0
    assert [bits(s) for s in open_session(recorder.path).sitters()] == [bits(s) for s in MOMENTS]


def test_a_long_recording_is_cut_into_parts_and_read_as_one(tmp_path: Path) -> None:
    path = tmp_path / "long.mcap"
    with Recorder(path, HEADER, Limits(rotate_s=1.0), patient=True) as recorder:
        show(recorder, MOMENTS)
    parts = [path, part_path(path, 2), part_path(path, 3)]
    assert sorted(tmp_path.iterdir()) == sorted(parts)
    assert all(survey(part).is_intact for part in parts)
    session = open_session(path)
    assert session.parts == tuple(parts)
    assert [bits(s) for s in session.sitters()] == [bits(s) for s in MOMENTS]
    assert session.duration_s == pytest.approx(MOMENTS[-1].time_s, abs=1e-6)
    late = [s.time_s for s in session.sitters(from_s=2.2)]
    assert late == [s.time_s for s in MOMENTS if s.time_s >= 2.2]
    assert next(open_session(parts[1]).sitters()).time_s == pytest.approx(1.0, abs=0.04)


def test_a_part_ends_at_its_size(tmp_path: Path) -> None:
    with Recorder(tmp_path / "a.mcap", HEADER, Limits(rotate_mb=0.2), patient=True) as recorder:
        show(recorder, MOMENTS)
    sizes = [part.stat().st_size for part in tmp_path.iterdir()]
    assert len(sizes) >= 2 and max(sizes) < 500_000  # a chunk of 256 KB may be on the way


def test_parts_of_another_recording_are_not_taken_for_one_s_own(tmp_path: Path) -> None:
    limits = Limits(rotate_s=1.0)
    for name in ("one", "other"):
        header = replace(HEADER, recording=name)
        with Recorder(tmp_path / f"{name}.mcap", header, limits, patient=True) as recorder:
            show(recorder, MOMENTS)
    part_path(tmp_path / "one.mcap", 2).replace(part_path(tmp_path / "other.mcap", 2))
    assert open_session(tmp_path / "other.mcap").parts == (tmp_path / "other.mcap",)


def test_a_quota_stops_the_recording_by_the_files_real_sizes(tmp_path: Path) -> None:
    with Recorder(tmp_path / "first.mcap", HEADER, patient=True) as first:
        show(first, MOMENTS)
    taken_mb = first.path.stat().st_size / 1e6
    (tmp_path / "not-ours.mcap").write_bytes(bytes(50_000_000))
    limits = Limits(quota_mb=taken_mb + 0.3)
    with Recorder(tmp_path / "second.mcap", HEADER, limits, patient=True) as second:
        for begin in range(0, len(MOMENTS), 10):
            show(second, MOMENTS[begin : begin + 10])
            time.sleep(0.06)  # the recorder looks when it flushes
    assert second.stopped and f"a quota of {limits.quota_mb:g} MB" in second.reason
    assert survey(second.path).is_intact  # it ended properly, and holds what there was room for
    assert 0 < len(list(open_session(second.path).sitters())) <= len(MOMENTS)
    assert first.path.exists()


def test_at_the_quota_the_oldest_goes_if_it_may(tmp_path: Path) -> None:
    for number, name in enumerate(("oldest", "older", "old")):
        with Recorder(tmp_path / f"{name}.mcap", HEADER, patient=True) as before:
            show(before, MOMENTS)
        os.utime(before.path, (1e9 + number, 1e9 + number))
    size_mb = before.path.stat().st_size / 1e6
    limits = Limits(quota_mb=2.5 * size_mb, oldest_goes=True)
    with Recorder(tmp_path / "new.mcap", HEADER, limits, patient=True) as recorder:
        show(recorder, MOMENTS[:10])
    assert not recorder.stopped
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "new.mcap",
        "old.mcap",
        "older.mcap",
    ]
