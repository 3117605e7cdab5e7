"""The bench measures every stage, and each model beside the yardstick."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from mirror import SCHOOLS
from mirror.diagnostics.bench import YARDSTICK, Timings, Work, bench, in_turns, tables
from mirror.report import STAGES

LITTLE = Work(frames=12, steps=6, many_steps=3, rounds=2, paintings=6)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("bench") / "bench.json"
    bench(path, LITTLE)
    return path


@pytest.fixture(scope="module")
def told(written: Path) -> dict[str, Any]:
    return dict(json.loads(written.read_text(encoding="utf-8")))


def leaves(value: Any) -> Iterator[Any]:
    """Everything in it that is not itself a collection."""
    if isinstance(value, dict):
        for each in value.values():
            yield from leaves(each)
    elif isinstance(value, list):
        for each in value:
            yield from leaves(each)
    else:
        yield value


def test_every_stage_has_its_quantiles(told: dict[str, Any]) -> None:
    stages = told["stage_ms"]
    assert {*STAGES, "river_10000", "screen_640x360"} == set(stages)
    assert all(0 < ms["p50"] <= ms["p95"] for ms in stages.values())


def test_the_stages_are_told_in_the_order_the_light_travels(told: dict[str, Any]) -> None:
    assert [name for name in told["stage_ms"] if name in STAGES] == list(STAGES)


def test_every_model_stands_beside_the_yardstick(told: dict[str, Any]) -> None:
    assert set(told["picture_ms"]) == {*SCHOOLS, YARDSTICK}
    assert set(told["picture_ratio"]) == set(SCHOOLS)
    for school, ratio in told["picture_ratio"].items():
        known = told["picture_ms"][YARDSTICK]
        assert ratio == pytest.approx(told["picture_ms"][school] / known, rel=0.01, abs=1e-3)


def test_portraits_a_second_are_those_of_all_six_in_turn(told: dict[str, Any]) -> None:
    mean_ms = sum(told["picture_ms"][school] for school in SCHOOLS) / len(SCHOOLS)
    assert told["portraits_per_s"] == pytest.approx(1000 / mean_ms, rel=0.01)


def test_nothing_is_missing_from_the_json(told: dict[str, Any]) -> None:
    found = list(leaves(told))
    assert None not in found and "" not in found
    assert {"renderer", "machine", "load_s"} <= set(told)


def test_nothing_but_the_json_is_left_behind(written: Path, told: dict[str, Any]) -> None:
    assert told and [path.name for path in written.parent.iterdir()] == ["bench.json"]


def test_a_table_is_printed(capsys: pytest.CaptureFixture[str], told: dict[str, Any]) -> None:
    Console().print(*tables(told))
    said = capsys.readouterr().out
    for word in (*STAGES, *SCHOOLS, YARDSTICK):
        assert word in said


def test_painters_take_turns_and_the_first_picture_is_not_counted() -> None:
    calls: list[str] = []
    painters = {name: lambda name=name: calls.append(name) for name in ("one", "other")}
    taken = in_turns(painters, 3)
    assert calls == ["one", "other"] * 4
    assert [len(ms) for ms in taken.values()] == [3, 3]


def test_what_a_stage_gave_is_passed_on() -> None:
    timings = Timings()
    assert timings.time("sum", sum, [1, 2]) == 3
    assert set(timings.told()["sum"]) == {"p50", "p95"}
