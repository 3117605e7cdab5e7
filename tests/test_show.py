"""The whole thing: a real face in a film, six real models, real OpenGL, all that is written."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from rooms import RATE_HZ, visit, write_film

from mirror import SCHOOLS, cli
from mirror.camera import every_frame, parse_source, probe
from mirror.cards import verify
from mirror.errors import MirrorError, WeightsError
from mirror.faces import FaceModel
from mirror.options import RunOptions
from mirror.pieces import PIECES
from mirror.places import weights_folder
from mirror.report import STAGES
from mirror.settings import CameraSettings, RiverSettings, Settings
from mirror.show.run import run
from mirror.signals import Bytes, Floats

#: A river of few parcels and a small picture: everything is there, and nothing takes long.
SETTINGS = Settings(river=RiverSettings(parcels=12))
SIZE = (160, 90)
BEFORE_S, STAY_S, AFTER_S = 1.5, 4.0, 1.5


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty room for 1.5 s, somebody in it for 4 s, an empty room."""
    path = tmp_path_factory.mktemp("films") / "visit.mp4"
    return write_film(path, visit(BEFORE_S, STAY_S, AFTER_S))


@pytest.fixture(scope="module")
def short_film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A second and a half of somebody, who is still there at its end."""
    return write_film(tmp_path_factory.mktemp("films") / "short.mp4", visit(0.2, 1.3, 0.0))


def options(**more: Any) -> RunOptions:
    return RunOptions(**{"screen": "offscreen", "size": SIZE, "seed": 1, **more})


def pictures_of(path: Path) -> np.ndarray:
    """All pictures of a film, (N, H, W, 3) uint8."""
    source = parse_source(str(path))
    return np.stack([f.picture for f in every_frame(source, CameraSettings(mirror=False))])


@pytest.fixture(scope="module")
def once(film: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], Path]:
    """One run through the film, picture by picture: its report, and the folder of what it wrote."""
    out = tmp_path_factory.mktemp("once")
    told = run(
        SETTINGS,
        options(
            source=str(film),
            realtime=False,
            film=out / "a.mp4",
            still=out / "a.png",
            report=out / "a.json",
        ),
    )
    return told, out


# A film, picture by picture


def test_the_film_has_one_visit_at_its_time(once: tuple[dict[str, Any], Path]) -> None:
    told, _ = once
    (only,) = told["visits"]
    assert only["start_s"] == pytest.approx(BEFORE_S, abs=1.0)
    assert only["end_s"] == pytest.approx(BEFORE_S + STAY_S, abs=1.0)
    assert told["sitters_max"] == 1


def test_a_second_run_gives_the_same_river(once: tuple[dict[str, Any], Path], film: Path) -> None:
    again = run(SETTINGS, options(source=str(film), realtime=False))
    assert again["river_hash"] == once[0]["river_hash"]
    assert again["visits"] == once[0]["visits"]


def test_another_seed_gives_another_river(once: tuple[dict[str, Any], Path], film: Path) -> None:
    other = run(SETTINGS, options(source=str(film), realtime=False, seed=2, seconds=0.2))
    assert other["river_hash"] != once[0]["river_hash"]


def test_the_report_has_every_key_of_the_contract(once: tuple[dict[str, Any], Path]) -> None:
    told, out = once
    assert json.loads((out / "a.json").read_text(encoding="utf-8")) == told
    seconds = BEFORE_S + STAY_S + AFTER_S
    assert told["frames"] == pytest.approx(seconds * RATE_HZ, abs=2)
    assert told["fps"] > 0
    assert told["frame_ms"].keys() == {"p50", "p95", "p99", "max"}
    assert list(told["stage_ms"]) == list(STAGES)
    assert all(each.keys() == {"p50", "p95"} for each in told["stage_ms"].values())
    assert all(each["p50"] > 0 for each in told["stage_ms"].values())
    assert told["marker_to_photon_ms"].keys() == {"p50", "p95"}
    assert told["portraits_per_s"] > 0
    assert all(each.keys() == {"id", "start_s", "end_s"} for each in told["visits"])
    assert not any(told["camera_faults"].values())
    assert told["rss_mb"].keys() == {"start", "end"}
    assert len(bytes.fromhex(told["river_hash"])) == 32
    assert told["renderer"]
    assert told["weights"] == verify()
    assert list(told["weights"]) == list(SCHOOLS)
    assert told["settings"]["river"]["parcels"] == 12
    assert told["settings"]["seed"] == 1
    assert told["painting_faults"] == {}


def test_film_and_still_show_portraits(once: tuple[dict[str, Any], Path]) -> None:
    told, out = once
    assert sorted(path.name for path in out.iterdir()) == ["a.json", "a.mp4", "a.png"]
    facts = probe(parse_source(str(out / "a.mp4")))
    assert (facts.width_px, facts.height_px) == SIZE
    assert facts.rate_hz == pytest.approx(RATE_HZ, abs=0.5)
    drawn = pictures_of(out / "a.mp4")
    assert len(drawn) == told["frames"]
    assert drawn[-1].mean() > 3
    assert drawn[-1].std() > 8
    still = cv2.imread(str(out / "a.png"))[..., ::-1]
    assert still.shape == (SIZE[1], SIZE[0], 3)
    assert np.abs(still.astype(int) - drawn[-1]).mean() < 8  # the last picture, uncompressed


def test_the_visitor_makes_the_river_move(once: tuple[dict[str, Any], Path]) -> None:
    drawn = pictures_of(once[1] / "a.mp4").astype(int)
    moved = np.abs(np.diff(drawn, axis=0)).mean(axis=(1, 2, 3))
    there = slice(int((BEFORE_S + 1) * RATE_HZ), int((BEFORE_S + STAY_S) * RATE_HZ))
    assert np.median(moved[there]) > 1.3 * np.median(moved[int(0.8 * RATE_HZ) : 20])


def test_no_picture_of_the_camera_gets_out(once: tuple[dict[str, Any], Path], film: Path) -> None:
    """Nothing that was drawn looks like what the camera saw."""
    drawn = pictures_of(once[1] / "a.mp4")[::6].mean(axis=-1)
    seen = pictures_of(film)[::RATE_HZ].mean(axis=-1)
    seen = np.stack([cv2.resize(each, SIZE, interpolation=cv2.INTER_AREA) for each in seen])
    for both in (seen, seen[:, :, ::-1]):
        a, b = (each.reshape(len(each), -1) for each in (drawn, both))
        a, b = (each - each.mean(axis=1, keepdims=True) for each in (a, b))
        a, b = (each / np.linalg.norm(each, axis=1, keepdims=True) for each in (a, b))
        assert np.abs(a @ b.T).max() < 0.7


def test_a_run_longer_than_its_film_goes_on_with_nobody(short_film: Path) -> None:
    told = run(SETTINGS, options(source=str(short_film), realtime=False, seconds=3.0))
    assert told["frames"] == pytest.approx(3.0 * RATE_HZ, abs=1)
    (only,) = told["visits"]
    assert only["end_s"] < 2.6


def test_a_run_ends_when_its_time_is_over(short_film: Path) -> None:
    told = run(SETTINGS, options(source=str(short_film), realtime=False, seconds=0.4))
    assert told["frames"] == 6


# In its own time


def test_a_film_in_its_own_time_is_answered_at_once(film: Path, tmp_path: Path) -> None:
    told = run(
        SETTINGS,
        options(source=str(film), seconds=3.0, loop=True, report=tmp_path / "a.json"),
    )
    assert told["frames"] > 10
    assert 2.5 < told["frames"] / told["fps"] < 4.5
    assert told["marker_to_photon_ms"]["p50"] > 0
    assert told["stage_ms"]["markers"]["p50"] > 0
    assert json.loads((tmp_path / "a.json").read_text(encoding="utf-8")) == told


@pytest.mark.parametrize("piece", PIECES)
def test_every_piece_is_shown_without_camera_and_display(
    piece: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is asked for: the bundled session plays, and a film is left behind."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("mirror.show.plan.list_devices", list)  # whatever this computer has
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    told = run(SETTINGS, RunOptions(size=SIZE, seconds=2.5, piece=piece))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out"]
    written = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert written == ["report.json", "river.mp4", "river.png"]
    assert told["settings"]["piece"] == piece
    assert told["portraits_per_s"] > 0
    drawn = pictures_of(tmp_path / "out" / "river.mp4")
    assert len(drawn) == told["frames"]


# What goes wrong


def test_one_damaged_model_at_run_time_and_five_go_on(
    short_film: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paint = FaceModel.paint
    painted: set[str] = set()

    def damaged(self: FaceModel, codes: Floats, *more: Any, **worn: Any) -> Bytes:
        if self.school == "limner":
            raise RuntimeError("no such tensor")
        painted.add(self.school)
        return paint(self, codes, *more, **worn)

    monkeypatch.setattr(FaceModel, "paint", damaged)
    told = run(SETTINGS, options(source=str(short_film), realtime=False))
    assert set(told["painting_faults"]) == {"limner"}
    assert told["painting_faults"]["limner"] >= 1
    assert painted == set(SCHOOLS) - {"limner"}
    assert len(told["visits"]) == 1


@pytest.fixture
def home(tmp_path: Path, root: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout of its own, whose weights may be damaged, and an empty folder to stand in."""
    checkout, here = tmp_path / "checkout", tmp_path / "here"
    (checkout / "weights").mkdir(parents=True)
    here.mkdir()
    for name in ("shaders", "calibration"):
        (checkout / name).symlink_to(root / name)
    for path in weights_folder().iterdir():
        (checkout / "weights" / path.name).symlink_to(path)
    monkeypatch.setenv("MIRROR_HOME", str(checkout))
    monkeypatch.chdir(here)
    return checkout


def damage(path: Path) -> None:
    """Flip one byte of a copy."""
    stored = bytearray(path.read_bytes())
    stored[len(stored) // 2] ^= 1
    path.unlink()  # the link, not what it leads to
    path.write_bytes(stored)


BAD_WEIGHTS = {
    "one byte flipped": ("stone.safetensors", "sha256"),
    "a school is missing": ("salon.safetensors", "cannot be read"),
    "a card is missing": ("salon.json", "no card"),
    "another format": ("limner.json", "mirror-face-1"),
    "no folder": ("weights", "no such folder"),
}


@pytest.mark.parametrize("what", BAD_WEIGHTS)
def test_bad_weights_end_in_one_line_and_status_two(
    what: str, home: Path, film: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    name, words = BAD_WEIGHTS[what]
    path = home / "weights" / name
    if what == "one byte flipped":
        damage(path)
    elif what == "another format":
        path.unlink()
        path.write_text('{"format": "of somebody else", "sha256": ""}', encoding="utf-8")
    elif what == "no folder":
        shutil.rmtree(home / "weights")
    else:
        path.unlink()
    line = f"run --source {film} --screen offscreen --film a.mp4 --still a.png --report a.json"
    for words_given in (line.split(), ["run", "--screen", "offscreen"]):
        assert cli.main(words_given) == 2
        told = capsys.readouterr()
        assert told.out == ""
        assert told.err.count("\n") == 1
        assert name in told.err
        assert words in told.err
        assert list(Path.cwd().iterdir()) == []


@pytest.mark.parametrize("source", ["nowhere.mp4", "text.mp4", "cut.mcap"])
def test_a_source_that_cannot_be_played_leaves_nothing_half_written(
    source: str, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = [] if source == "nowhere.mp4" else [source]
    if before:
        Path(source).write_text("this is no recording", encoding="utf-8")
    assert home.is_dir()
    line = f"run --source {source} --screen offscreen --film a.mp4 --report a.json"
    assert cli.main(line.split()) == 2
    told = capsys.readouterr()
    assert told.err.count("\n") == 1
    assert source in told.err
    assert [path.name for path in Path.cwd().iterdir()] == before


def test_a_folder_that_may_not_be_written_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "out").write_text("a file is in the way", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("mirror.show.plan.list_devices", list)
    with pytest.raises(MirrorError, match="out"):
        run(SETTINGS, RunOptions(size=SIZE, seconds=0.5, screen="offscreen"))


def test_errors_of_the_set_up_are_raised_before_anything_is_opened(tmp_path: Path) -> None:
    settings = Settings(faces=SETTINGS.faces.__class__(weights=str(tmp_path / "nowhere")))
    with pytest.raises(WeightsError, match="nowhere"):
        run(settings, options(film=tmp_path / "a.mp4"))
    assert list(tmp_path.iterdir()) == []


# In a process of its own


@pytest.fixture
def elsewhere(tmp_path: Path, root: Path) -> Iterator[dict[str, str]]:
    """The environment of a process whose every usual place to write is an empty folder."""
    for name in ("home", "tmp"):
        (tmp_path / name).mkdir()
    yield {
        "PATH": str(tmp_path / "home"),  # ctypes, in search of a library, would call a compiler
        "HOME": str(tmp_path / "home"),
        "TMPDIR": str(tmp_path / "tmp"),
        "PYTHONPATH": str(root),
        "PYTHONDONTWRITEBYTECODE": "1",
        "MESA_SHADER_CACHE_DISABLE": "true",  # the driver's own, of compiled shaders
        "OMP_NUM_THREADS": "1",
    }


RUN = f"run --screen offscreen --size {SIZE[0]}x{SIZE[1]} --seed 1"


@pytest.mark.parametrize("wait_s", [0.0, 4.0])
def test_ctrl_c_ends_a_run_cleanly(
    wait_s: float, film: Path, tmp_path: Path, elsewhere: dict[str, str]
) -> None:
    """Also right after the first picture, while the models are still on their way."""
    line = f"{RUN} --source {film} --loop --film a.mp4 --still a.png --report a.json"
    running = subprocess.Popen(
        [sys.executable, "-m", "mirror", *line.split()],
        cwd=tmp_path,
        env=elsewhere,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    end_s = time.monotonic() + 30
    while not list(tmp_path.glob(".a.*.part.mp4")) and time.monotonic() < end_s:
        time.sleep(0.05)
    time.sleep(wait_s)
    running.send_signal(signal.SIGINT)
    said, complained = running.communicate(timeout=30)
    assert (running.returncode, "Traceback" in complained) == (0, False), complained
    assert "pictures" in said
    written = {path.name for path in tmp_path.iterdir() if path.is_file()}
    assert written == {"a.mp4", "a.png", "a.json"}
    told = json.loads((tmp_path / "a.json").read_text(encoding="utf-8"))
    assert told["frames"] == len(pictures_of(tmp_path / "a.mp4"))


TRACED = """
    import json, os, sys
    written = []
    def watch(event, args):
        if event == "open" and isinstance(args[0], (str, bytes)):
            path, mode, flags = args
            if (flags or 0) & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
                written.append(os.path.abspath(os.fsdecode(path)))
    sys.addaudithook(watch)
    from mirror import cli
    status = cli.main(sys.argv[2:])
    with open(sys.argv[1], "w") as file:
        json.dump(written, file)
    sys.exit(status)
"""


def opened_for_writing(trace: Path) -> set[str]:
    """The paths in strace's account that were opened to be written to."""
    found = set()
    for line in trace.read_text(encoding="utf-8", errors="replace").splitlines():
        writes = "O_WRONLY" in line or "O_RDWR" in line or "creat(" in line
        if writes and '"' in line and "= -1 " not in line:
            found.add(line.split('"')[1])
    return found


def is_nobodys_file(path: str) -> bool:
    """What is no file on a disk (devices, pipes, shared memory, a nameless file in a folder), and
    the list of fonts that matplotlib makes when mediapipe imports it."""
    fonts = Path(path).name.startswith("fontlist-")
    return path.startswith(("/dev/", "/proc/", "/sys/")) or Path(path).is_dir() or fonts


def test_a_run_writes_what_was_asked_for_and_nothing_else(
    short_film: Path, tmp_path: Path, elsewhere: dict[str, str]
) -> None:
    """Every file that Python opens, and with strace every file that any library opens."""
    here, strace = tmp_path / "here", shutil.which("strace")
    here.mkdir()
    line = f"{RUN} --source {short_film} --every-frame --film a.mp4 --still a.png --report a.json"
    told, trace = tmp_path / "python.json", tmp_path / "strace.txt"
    command = [sys.executable, "-c", textwrap.dedent(TRACED), str(told), *line.split()]
    if strace:
        calls = "trace=open,openat,creat"
        command = [strace, "-f", "--seccomp-bpf", "-e", calls, "-o", str(trace), *command]
    ran = subprocess.run(
        command, cwd=here, env=elsewhere, capture_output=True, text=True, check=False, timeout=100
    )
    assert ran.returncode == 0, ran.stderr
    assert sorted(path.name for path in here.iterdir()) == ["a.json", "a.mp4", "a.png"]
    written = set(json.loads(told.read_text(encoding="utf-8")))
    if strace:
        written |= opened_for_writing(trace) - {str(told)}
    written = {str(here / name) for name in written if not is_nobodys_file(name)} - {str(told)}
    elsewhere_written = {name for name in written if not Path(name).is_relative_to(here)}
    assert elsewhere_written == set()
    assert {Path(name).name.lstrip(".")[:2] for name in written} == {"a."}
    left = [path for name in ("home", "tmp") for path in (tmp_path / name).rglob("*")]
    assert [path for path in left if path.is_file() and not is_nobodys_file(str(path))] == []
