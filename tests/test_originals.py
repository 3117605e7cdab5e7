"""Whoever was portrayed once is not painted again."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from safetensors.torch import load

from mirror.atelier.measures import likeness
from mirror.cards import read_weights
from mirror.faces import FaceModel, load_faces
from mirror.faces.originals import Originals
from mirror.places import weights_folder


@pytest.fixture(scope="module")
def faces() -> dict[str, FaceModel]:
    return load_faces(device="cpu")


def some(lot: np.random.Generator, apart: float) -> tuple[Originals, np.ndarray]:
    """Originals of a school that never was, and their codes."""
    codes = lot.standard_normal((30, 48)).astype(np.float32)
    mean = lot.uniform(0.2, 0.8, (4, 64, 64)).astype(np.float32)
    components = 0.05 * lot.standard_normal((48, 4, 64, 64)).astype(np.float32)
    return Originals(codes, mean, components, apart), codes


def test_who_is_far_away_stays_and_who_is_too_near_is_pushed_straight_on() -> None:
    lot = np.random.default_rng(2)
    originals, codes = some(lot, 0.0)
    between = originals.distances(codes)
    np.fill_diagonal(between, np.inf)
    originals.apart = 0.5 * float(between.min())
    away = 0.02 * lot.standard_normal((30, 48)).astype(np.float32)
    far = 3 * lot.standard_normal((5, 48)).astype(np.float32)
    assert np.array_equal(originals.keep_apart(far), far)
    kept = originals.keep_apart(codes + away)
    assert originals.distances(kept).min(axis=1) == pytest.approx(originals.apart, rel=1e-4)
    along = (kept - codes) / np.linalg.norm(kept - codes, axis=1, keepdims=True)
    assert along == pytest.approx(away / np.linalg.norm(away, axis=1, keepdims=True), abs=1e-4)


def test_a_walk_past_an_original_makes_no_leap() -> None:
    lot = np.random.default_rng(3)
    originals, codes = some(lot, 0.02)
    begin, aside = lot.standard_normal((2, 48))
    aside *= 0.3 / np.linalg.norm(aside)
    share = np.linspace(-1, 1, 401)[:, None]
    walk = (codes[4] + aside + share * begin).astype(np.float32)
    kept = originals.keep_apart(walk)
    steps = np.linalg.norm(np.diff(kept, axis=0), axis=1)
    assert np.abs(kept - walk).max() > 0.05  # it was pushed on its way
    assert steps.max() < 12 * np.linalg.norm(np.diff(walk, axis=0), axis=1).max()


@pytest.mark.parametrize("school", ["powder", "salon"])
def test_a_model_paints_an_original_only_where_it_is_told_to(
    faces: dict[str, FaceModel], school: str
) -> None:
    model = faces[school]
    codes = model.on_shell(model.training_codes[:8])
    remembered = likeness.small(model.paint(codes, finished=False, copies=True), 32)
    painted = likeness.small(model.paint(codes + 1e-3, finished=False), 32)
    away = likeness.distances(painted, remembered).min(axis=1) / model.card["apart"]
    assert away.min() > 0.7  # the distance is linearised: see ``Originals``
    assert np.median(away) > 0.8
    near = likeness.small(model.paint(codes + 1e-3, finished=False, copies=True), 32)
    assert likeness.distances(near, remembered).min(axis=1).max() < 0.05 * model.card["apart"]


def test_a_card_of_before_lets_models_paint_as_before(faces: dict[str, FaceModel]) -> None:
    model = faces["panel"]
    before = FaceModel("panel", {**model.card, "apart": 0.0}, _tensors(), model.mesh, "cpu")
    codes = model.on_shell(model.training_codes[:2])
    assert np.array_equal(before.paint(codes), before.paint(codes, copies=True))


def _tensors() -> dict[str, torch.Tensor]:
    return load(read_weights(weights_folder(), "panel")[1])
