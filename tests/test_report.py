"""The report: right numbers, bounded memory, files that are never half there."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

from mirror.clock import SteppedClock
from mirror.report import (
    BIN_RATIO,
    MOST_EXACT,
    MOST_VISITS,
    STAGES,
    Quantiles,
    Report,
    write_json,
)

KEYS = {
    *("frames", "fps", "frame_ms", "stage_ms", "marker_to_photon_ms", "portraits_per_s", "visits"),
    *("sitters_max", "camera_faults", "rss_mb", "river_hash", "renderer", "weights", "settings"),
}


def test_a_report_has_every_key_of_the_contract_before_anything_happened() -> None:
    told = Report().result(end_s=0.0)
    assert told.keys() >= KEYS
    assert told["frame_ms"] == {"p50": None, "p95": None, "p99": None, "max": None}
    assert told["stage_ms"] == {name: {"p50": None, "p95": None} for name in STAGES}
    assert (told["frames"], told["fps"], told["visits"]) == (0, 0.0, [])
    assert json.loads(json.dumps(told, allow_nan=False)) == told


def test_quantiles_of_a_short_run_are_exact() -> None:
    values = np.random.default_rng(3).gamma(2.0, 9.0, MOST_EXACT)
    quantiles = Quantiles()
    for value in values:
        quantiles.add(float(value))
    assert quantiles.told(50, 99) == {
        "p50": round(float(np.percentile(values, 50)), 3),
        "p99": round(float(np.percentile(values, 99)), 3),
    }


def test_quantiles_of_a_long_run_are_right_within_a_bin_and_the_maximum_is_exact() -> None:
    values = np.random.default_rng(3).gamma(2.0, 9.0, 5 * MOST_EXACT)
    quantiles = Quantiles()
    for value in values:
        quantiles.add(float(value))
    told = quantiles.told(50, 95, 99)
    for percent in (50, 95, 99):
        wanted = float(np.percentile(values, percent))
        assert told[f"p{percent}"] == pytest.approx(wanted, rel=BIN_RATIO - 1)
    assert quantiles.most() == round(float(values.max()), 3)


def test_what_a_long_run_keeps_does_not_grow() -> None:
    quantiles = Quantiles()
    for number in range(3 * MOST_EXACT):
        quantiles.add(float(number % 50))
    assert quantiles._values == []
    assert quantiles._bins is not None
    assert quantiles._bins.nbytes < 20_000


@pytest.mark.parametrize("ms", [0.0, 1e-9, 1e12])
def test_values_beyond_the_histogram_are_held_at_its_ends(ms: float) -> None:
    quantiles = Quantiles()
    for _ in range(MOST_EXACT + 1):
        quantiles.add(ms)
    assert quantiles.most() == round(ms, 3)
    assert quantiles.told(50)["p50"] == pytest.approx(min(ms, 1e7), rel=0.01, abs=1e-2)


def test_pictures_a_second_are_counted_from_the_first_picture(clock: SteppedClock) -> None:
    report = Report(clock)
    clock.sleep_s(6.0)  # models load
    for _ in range(51):
        report.frame(12.0)
        clock.sleep_s(0.04)
    report.painted(18)
    told = report.result(end_s=0.0)
    assert told["frames"] == 51
    assert told["fps"] == pytest.approx(25.0)
    assert told["portraits_per_s"] == pytest.approx(9.0)


def test_visits_are_told_from_arrival_to_leaving_and_open_ones_to_the_end() -> None:
    report = Report()
    report.visit_started(1, 4.0)
    report.visit_started(2, 5.0)
    report.visit_ended(1, 9.5)
    report.visit_ended(7, 9.6)  # never arrived
    report.visit_started(3, 10.0)
    told = report.result(end_s=12.0)
    assert told["visits"] == [
        {"id": 1, "start_s": 4.0, "end_s": 9.5},
        {"id": 2, "start_s": 5.0, "end_s": 12.0},
        {"id": 3, "start_s": 10.0, "end_s": 12.0},
    ]
    assert (told["sitters_max"], told["visits_total"]) == (2, 3)


def test_old_visits_are_only_counted() -> None:
    report = Report()
    for id in range(MOST_VISITS + 5):
        report.visit_started(id, float(id))
        report.visit_ended(id, id + 0.5)
    told = report.result(end_s=0.0)
    assert (len(told["visits"]), told["visits_total"]) == (MOST_VISITS, MOST_VISITS + 5)
    assert told["visits"][-1]["id"] == MOST_VISITS + 4


def test_faults_add_up_and_the_cameras_own_counts_replace_them() -> None:
    report = Report()
    report.fault("gone")
    report.fault("gone", 2)
    assert report.result(end_s=0.0)["camera_faults"] == {"gone": 3}
    report.faults({"gone": 4, "frozen": 1})
    report.faults({"gone": 5, "frozen": 1})
    assert report.result(end_s=0.0)["camera_faults"] == {"frozen": 1, "gone": 5}


def test_a_stage_is_timed_unless_it_fails() -> None:
    report = Report()
    with report.timed("river"):
        pass
    with pytest.raises(ValueError, match="dry"), report.timed("latents"):
        raise ValueError("dry")
    stages = report.result(end_s=0.0)["stage_ms"]
    assert stages["river"]["p50"] >= 0.0
    assert stages["latents"]["p50"] is None


def test_threads_may_tell_at_the_same_time() -> None:
    report = Report()

    def tell() -> None:
        for _ in range(2000):
            report.painted()
            report.fault("late")
            report.stage("faces", 1.0)

    threads = [threading.Thread(target=tell) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    told = report.result(end_s=0.0)
    assert told["camera_faults"] == {"late": 8000}
    assert told["stage_ms"]["faces"]["p95"] == pytest.approx(1.0, rel=0.01)


def test_what_is_handed_to_the_result_stands_in_the_report() -> None:
    told = Report().result(
        end_s=1.0,
        river_hash="ab",
        renderer="soft",
        weights={"panel": "cd"},
        settings={"seed": 1},
        ended="by the clock",
    )
    assert (told["river_hash"], told["renderer"], told["weights"]) == (
        "ab",
        "soft",
        {"panel": "cd"},
    )
    assert (told["settings"], told["ended"]) == ({"seed": 1}, "by the clock")


HELD = """
import numpy as np
from mirror.report import resident_mb
before = resident_mb()
block = np.ones(40_000_000, np.uint8)
print(before, resident_mb() - before, len(block))
"""


def test_memory_held_is_that_of_a_python_with_numpy() -> None:
    ran = subprocess.run([sys.executable, "-c", HELD], capture_output=True, text=True, check=True)
    before, more, _ = map(float, ran.stdout.split())
    assert 20 < before < 500
    assert more == pytest.approx(40, abs=5)


def test_a_report_that_cannot_be_written_leaves_the_old_one(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    write_json(path, {"frames": 1})
    with pytest.raises(ValueError, match="JSON"):
        write_json(path, {"frames": float("nan")})
    (tmp_path / "taken").mkdir()
    with pytest.raises(OSError, match="taken"):
        write_json(tmp_path / "taken", {})
    assert json.loads(path.read_text(encoding="utf-8")) == {"frames": 1}
    assert sorted(each.name for each in tmp_path.iterdir()) == ["a.json", "taken"]


def test_a_link_stays_a_link_when_its_report_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "real.json").write_text("{}", encoding="utf-8")
    (tmp_path / "link.json").symlink_to("real.json")
    write_json(tmp_path / "link.json", {"frames": 2})
    assert (tmp_path / "link.json").is_symlink()
    assert json.loads((tmp_path / "real.json").read_text(encoding="utf-8")) == {"frames": 2}
