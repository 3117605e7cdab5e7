"""The site file as the calibration writes it: whole at any moment, with what is allowed alone."""

from __future__ import annotations

import dataclasses
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from calibration.site_file import change_site, laid_over, previous_path
from mirror.errors import SettingsError
from mirror.settings import SCHEMA, Settings
from mirror.site.site import read_site

#: Saves for ever: first a site of seed 1 with long texts, then one of seed 2 without, and again.
SAVES = """
import sys
from calibration.site_file import change_site
for n in range(10**9):
    long = "x" * 20_000 if n % 2 else ""
    change_site(sys.argv[1], {"": {"seed": n % 2 + 1}, "camera": {"identity": long}})
    if n == 1:
        print("saving", flush=True)
"""


@pytest.fixture
def foyer(tmp_path: Path) -> str:
    return str(tmp_path / "foyer.toml")


def parts(site: str) -> list[Path]:
    return list(Path(site).parent.glob(".*"))


def test_what_is_saved_is_read_again(foyer: str) -> None:
    changes = {
        "": {"piece": "uncanny"},
        "camera": {"source": "/dev/v4l/by-id/usb-Ä_\"cam\"", "exposure_ms": 10, "gain": 0.0},
        "measured": {"camera_rate_hz": 29.97, "camera_flicker_hz": 100.0},
    }  # fmt: skip
    saved = change_site(foyer, changes, operator="Ada")
    assert read_site(foyer) == saved
    assert saved.camera.exposure_ms == 10.0
    assert saved.measured.camera_rate_hz == 29.97
    assert saved.measured.latency_p50_ms is None
    assert (saved.site.schema, saved.site.operator) == (SCHEMA, "Ada")
    assert saved.site.written.startswith("20")


def test_a_save_leaves_what_it_was_not_asked_to_change(foyer: str) -> None:
    first = change_site(foyer, {"measured": {"latency_p50_ms": 80.5}}, operator="Ada")
    second = change_site(foyer, {"camera": {"focus": 30}})
    assert second.measured == first.measured
    assert second.site.operator == "Ada"
    assert second.camera == dataclasses.replace(first.camera, focus=30.0)


def test_a_measurement_can_be_taken_back(foyer: str) -> None:
    change_site(foyer, {"measured": {"latency_p50_ms": 80.5}})
    assert (
        change_site(foyer, {"measured": {"latency_p50_ms": None}}).measured == Settings().measured
    )


def test_the_previous_file_is_kept(foyer: str) -> None:
    change_site(foyer, {"": {"seed": 1}})
    assert not previous_path(foyer).exists()
    before = Path(foyer).read_bytes()
    change_site(foyer, {"": {"seed": 2}})
    assert previous_path(foyer).read_bytes() == before
    assert read_site(foyer).seed == 2


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"camera": {"rate_hz": 0.0}}, ("[camera] rate_hz", "0.0", "from 1 to 240")),
        ({"measured": {"light_found": 1.5}}, ("[measured] light_found", "1.5", "from 0 to 1")),
        ({"camera": {"reopen_first_s": 9.0}}, ("reopen_first_s", "at most reopen_most_s")),
    ],
)
def test_a_value_out_of_range_is_refused_and_changes_nothing(
    foyer: str, changes: dict[str, dict[str, float]], words: tuple[str, ...]
) -> None:
    change_site(foyer, {"": {"seed": 5}})
    before = Path(foyer).read_bytes()
    with pytest.raises(SettingsError) as caught:
        change_site(foyer, changes)
    assert all(word in str(caught.value) for word in words), caught.value
    assert Path(foyer).read_bytes() == before
    assert not previous_path(foyer).exists()


def test_a_damaged_file_is_not_written_over(foyer: str) -> None:
    Path(foyer).write_text("[river\n", encoding="utf-8")
    with pytest.raises(SettingsError, match="not TOML"):
        change_site(foyer, {"": {"seed": 2}})
    assert Path(foyer).read_text(encoding="utf-8") == "[river\n"


def test_a_file_of_a_later_version_is_refused_with_the_remedy(foyer: str) -> None:
    Path(foyer).write_text("[site]\nschema = 2\n[hologram]\nrate = 3\n", encoding="utf-8")
    with pytest.raises(SettingsError, match=r"foyer.toml:2 \[site\] schema: 2.*update the program"):
        read_site(foyer)


def test_a_key_like_no_other_is_to_be_taken_out(foyer: str) -> None:
    Path(foyer).write_text("[camera]\nqqqq = 2\n", encoding="utf-8")
    with pytest.raises(SettingsError, match=r":2 \[camera\] qqqq: unknown key.*try: take the key"):
        read_site(foyer)


@pytest.mark.parametrize("name", ["../../etc/x y.toml", ".toml", "a/.hidden.toml"])
def test_a_name_that_is_none_is_refused(name: str) -> None:
    with pytest.raises(SettingsError, match="--site"):
        change_site(name, {})


def test_a_full_disk_is_told_and_leaves_the_old_file(foyer: str) -> None:
    """A limit on the size of files stands for the disk: it too cuts a write in the middle."""
    change_site(foyer, {"": {"seed": 5}})
    before = Path(foyer).read_bytes()
    source = (
        "import resource, signal, sys\n"
        "from calibration.__main__ import main\n"
        "from calibration.site_file import change_site\n"
        "from mirror.errors import SettingsError\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
        "try:\n    change_site(sys.argv[1], {'': {'seed': 6}})\n"
        "except SettingsError as error:\n    print(error)\n"
    )
    ran = subprocess.run(
        [sys.executable, "-c", source, foyer], capture_output=True, text=True, check=False
    )
    assert "cannot be written (File too large)" in ran.stdout, ran.stderr
    assert Path(foyer).read_bytes() == before
    assert parts(foyer) == []


def test_a_camera_password_is_for_the_owner_only(foyer: str) -> None:
    change_site(foyer, {"camera": {"source": "rtsp://guard:secret@10.0.0.7/stream"}})
    assert Path(foyer).stat().st_mode & 0o777 == 0o600
    change_site(foyer, {"camera": {"source": ""}})
    assert Path(foyer).stat().st_mode & 0o777 == 0o644
    assert previous_path(foyer).stat().st_mode & 0o777 == 0o600


def test_a_killed_save_leaves_the_old_or_the_new_file(foyer: str) -> None:
    """Fifteen processes that save without end are killed at any moment."""
    luck = random.Random(7)
    seeds = set()
    for _ in range(15):
        saver = subprocess.Popen(
            [sys.executable, "-c", SAVES, foyer], stdout=subprocess.PIPE, text=True
        )
        assert saver.stdout is not None
        assert saver.stdout.readline() == "saving\n"
        time.sleep(luck.uniform(0.0, 0.1))
        os.kill(saver.pid, signal.SIGKILL)
        saver.wait()
        saver.stdout.close()
        settings = read_site(foyer)
        seeds.add(settings.seed)
        assert len(settings.camera.identity) == (20_000 if settings.seed == 2 else 0)
        before = read_site(str(previous_path(foyer).rename(Path(foyer).with_name("b.toml"))))
        assert len(before.camera.identity) == (20_000 if before.seed == 2 else 0)
    assert seeds == {1, 2}
    change_site(foyer, {})
    assert parts(foyer) == []


def test_two_who_save_at_once_both_find_their_values(foyer: str) -> None:
    source = (
        "import sys\nfrom calibration.site_file import change_site\n"
        "for n in range(1, 16):\n"
        "    change_site(sys.argv[1], {'measured': {sys.argv[2]: float(n)}})\n"
    )
    keys = ("latency_p50_ms", "latency_p95_ms", "camera_jitter_ms")
    savers = [subprocess.Popen([sys.executable, "-c", source, foyer, key]) for key in keys]
    assert [saver.wait() for saver in savers] == [0, 0, 0]
    found = read_site(foyer).measured
    assert [getattr(found, key) for key in keys] == [15.0, 15.0, 15.0]


def test_changes_need_no_file() -> None:
    assert laid_over(Settings(), {"measured": {"light_found": 1}}).measured.light_found == 1.0
