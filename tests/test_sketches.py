"""Sketches after a restart: what torch would paint, from the same files, without torch."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

import numpy as np
import pytest

from mirror import SCHOOLS
from mirror.errors import StateError
from mirror.faces import FaceModel
from mirror.latents.latents import CODE, WIDTH
from mirror.memory.memory import Kept
from mirror.memory.sketches import Sketcher, Sketches, Still
from mirror.places import weights_folder
from mirror.settings import RiverSettings
from mirror.signals import Bytes

SETTINGS = RiverSettings(parcels=12)


@pytest.mark.parametrize("school", SCHOOLS)
def test_a_sketch_is_what_the_model_paints_before_it_is_finished(
    school: str, faces: dict[str, FaceModel]
) -> None:
    codes = faces[school].random_codes(3, seed=1)
    painted = faces[school].paint(codes, finished=False, copies=True).astype(int)
    sketched = (
        Sketcher(weights_folder(), school, faces[school].mesh.frame).sketch(codes).astype(int)
    )
    assert np.abs(sketched - painted).max() <= 2
    assert np.abs(sketched - painted).mean() < 0.2


def saved(faces: dict[str, FaceModel]) -> Kept:
    """A saved river whose portraits are drawn by lot."""
    water = np.zeros((12, WIDTH + 1 + SETTINGS.visit_slots), np.float32)
    for slot in range(12):
        water[slot, :WIDTH][CODE] = faces[SCHOOLS[slot // 2]].random_codes(1, slot)[0]
    arrays = {"water": water, "place": np.linspace(0, 1, 12), "turbulence": np.zeros(12)}
    return Kept(arrays, 1.0, 0, 0, {})


def no_varnish(texture: Bytes, slot: int) -> Bytes:
    return texture


def all_of(sketches: Sketches, count: int) -> list[int]:
    """Slots in the order in which they come."""
    slots: list[int] = []
    end_s = time.monotonic() + 20
    while len(slots) < count and time.monotonic() < end_s:
        slots += [slot for slot, _, _ in sketches.take(2)]
        time.sleep(0.005)
    sketches.close()
    return slots


def test_the_best_seen_come_first_and_each_once(faces: dict[str, FaceModel]) -> None:
    order = np.random.default_rng(1).permutation(12).tolist()
    still = Still(saved(faces), SETTINGS)
    assert (
        all_of(Sketches(weights_folder(), still, order, faces["panel"].mesh.frame, no_varnish), 12)
        == order
    )


def test_a_damaged_model_costs_its_own_portraits_only(
    faces: dict[str, FaceModel], tmp_path: Path
) -> None:
    folder = tmp_path / "weights"
    shutil.copytree(weights_folder(), folder)
    path = folder / "panel.safetensors"
    path.write_bytes(path.read_bytes()[:-1])
    still = Still(saved(faces), SETTINGS)
    slots = all_of(Sketches(folder, still, range(12), faces["panel"].mesh.frame, no_varnish), 10)
    assert slots == list(range(2, 12))


def test_a_river_of_another_size_stands_for_nothing(faces: dict[str, FaceModel]) -> None:
    with pytest.raises(StateError, match="site's size"):
        Still(saved(faces), RiverSettings(parcels=18))
