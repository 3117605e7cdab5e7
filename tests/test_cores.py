"""Threads of one core are not taken for cores."""

from __future__ import annotations

from pathlib import Path

from mirror import cores


def tell(folder: Path, siblings: dict[int, str]) -> Path:
    """A system that tells which cores are threads of one."""
    for number, listed in siblings.items():
        place = folder / f"cpu{number}" / "topology"
        place.mkdir(parents=True)
        (place / "thread_siblings_list").write_text(f"{listed}\n")
    return folder


def test_two_threads_of_one_core_are_one(tmp_path: Path) -> None:
    told = tell(tmp_path, dict.fromkeys(cores.usable(), "0-63"))
    assert cores.own(told) == 1


def test_cores_with_one_thread_each_are_all_there(tmp_path: Path) -> None:
    told = tell(tmp_path, {number: str(number) for number in cores.usable()})
    assert cores.own(told) == len(cores.usable())


def test_where_nobody_tells_every_core_counts(tmp_path: Path) -> None:
    assert cores.own(tmp_path) == len(cores.usable())


def test_this_machine_has_one_and_no_more_than_it_may_use() -> None:
    assert 1 <= cores.own() <= len(cores.usable())
