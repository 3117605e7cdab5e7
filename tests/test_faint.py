"""Schools that hardly mark their features: calm sketches, crisp paintings, legible hair."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch

from mirror.atelier import legibility
from mirror.atelier.legibility import LOST, POSES, WORN, legible, misread, performance
from mirror.atelier.linear import CALM, COMPONENT_PX, MOUTH_CALM, LinearModel, calmed
from mirror.atelier.measures.judge import expression
from mirror.canonical import Mesh
from mirror.errors import ScreenError
from mirror.faces import FaceModel
from mirror.faces.crisp import AGAIN, BROAD_AGAIN, BROAD_PX, FINE_PX, GRAIN, Crisp
from mirror.faces.loading import load_rack
from mirror.faces.regions import soft_face
from mirror.faces.wardrobe import Dress
from mirror.lines import BROWS_DARK, RIM_DARK, contours, mouth
from mirror.places import weights_folder
from mirror.signals import Floats


def waves(side: int, period_px: float) -> Floats:
    """Stripes that many pixels wide: (S, S), -1 to 1."""
    row = np.sin(2 * np.pi * np.arange(side) / period_px)
    return np.broadcast_to(row, (side, side)).astype(np.float32)


def model_of(components: Floats) -> LinearModel:
    codes = np.zeros((4, len(components)), np.float32)
    return LinearModel(np.zeros((256, 256, 4), np.float32), components, codes, 1.0, 0.0)


def test_calm_takes_what_is_fine_from_faces_and_nothing_else(mesh: Mesh) -> None:
    fine, wide = waves(COMPONENT_PX, 5.0), waves(COMPONENT_PX, 128.0)
    components = np.stack([np.dstack([each] * 4) for each in (fine, wide)])
    calm = calmed(model_of(components), mesh, 1.0).components
    face = soft_face(mesh, COMPONENT_PX)
    speaks = cv2.resize(mouth(mesh.frame), (COMPONENT_PX, COMPONENT_PX))
    inside, outside = (face > 0.999) & (speaks < 1e-4), face < 1e-6
    assert calm[:, outside] == pytest.approx(components[:, outside], abs=1e-5)
    left = np.abs(calm[0][inside]).mean() / np.abs(components[0][inside]).mean()
    assert left == pytest.approx(1 - CALM, abs=0.01)
    assert np.abs(calm[1] - components[1])[inside].max() < 0.03
    left = np.abs(calm[0][speaks > 0.99]).mean() / np.abs(components[0][speaks > 0.99]).mean()
    assert left == pytest.approx(1 - MOUTH_CALM, abs=0.02)
    half = calmed(model_of(components), mesh, 0.5).components
    assert half == pytest.approx((calm + components) / 2, abs=1e-6)
    assert np.array_equal(calmed(model_of(components), mesh, 0.0).components, components)


@pytest.mark.parametrize("period_px", [4.0, 24.0])
def test_crisp_makes_detail_stronger_and_the_broad_not_in_the_mouth(
    mesh: Mesh, monkeypatch: pytest.MonkeyPatch, period_px: float
) -> None:
    """By as much as two unsharp masks should."""
    passes = [np.exp(-2 * (np.pi * px / period_px) ** 2) for px in (FINE_PX, BROAD_PX)]
    in_mouth = 1 + AGAIN * (1 - passes[0])
    beside = in_mouth + BROAD_AGAIN * (1 - passes[1])
    monkeypatch.setattr("mirror.faces.crisp.GRAIN", 0.0)
    monkeypatch.setattr("mirror.faces.crisp.contours", lambda frame: 0.0)
    stripes = 0.5 + 0.1 * waves(256, period_px)
    texture = torch.from_numpy(np.stack([stripes] * 3 + [np.full_like(stripes, 0.7)]))[None]
    crisp = Crisp(mesh, 1.0, torch.device("cpu"))(texture)
    face, lips = soft_face(mesh, 256), mouth(mesh.frame)
    assert torch.equal(crisp[:, 3], texture[:, 3])
    assert np.abs((crisp - texture).numpy()[0][:, face < 1e-6]).max() < 1e-6
    for where, wanted in ((lips > 0.98, in_mouth), ((face > 0.999) & (lips < 1e-4), beside)):
        before, after = (each.numpy()[0, 0, where] - 0.5 for each in (texture, crisp))
        assert float(before @ after) / float(before @ before) == pytest.approx(wanted, rel=0.03)


def test_faint_faces_have_brows_and_a_rim(mesh: Mesh) -> None:
    """Darker than what is beside them, the same on both sides; nothing else is."""
    dark = contours(mesh.frame)
    places = np.round((mesh.frame.mean[:, :2] + 1) / 2 * 256 - 0.5).astype(int)
    at = {n: float(dark[y, x]) for n, (x, y) in enumerate(places)}
    for right, left in ((105, 334), (52, 282), (234, 454), (172, 397)):
        assert at[right] == pytest.approx(at[left], abs=0.1)
    assert min(at[n] for n in (52, 282)) > 0.5 * BROWS_DARK
    assert min(at[n] for n in (10, 152, 234, 454)) > 0.5 * RIM_DARK
    assert max(at[n] for n in (1, 9, 4, 33, 133, 263, 362, 0, 17, 205, 425)) < 0.02
    assert dark.max() <= 1 - (1 - BROWS_DARK) * (1 - RIM_DARK) + 1e-6


def test_faint_faces_have_a_grain_that_stays_where_it_is(
    mesh: Mesh, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mirror.faces.crisp.contours", lambda frame: 0.0)
    flat, face = torch.full((1, 4, 256, 256), 0.4), soft_face(mesh, 256)
    crisp = Crisp(mesh, 1.0, torch.device("cpu"))
    grained = crisp(flat).numpy()[0, :3]
    assert torch.equal(crisp(flat), Crisp(mesh, 1.0, torch.device("cpu"))(flat))
    assert grained[:, face > 0.999].std() / 0.4 == pytest.approx(GRAIN, rel=0.05)
    assert grained[:, face > 0.999].mean() == pytest.approx(0.4, abs=1e-3)
    assert np.abs(grained[:, face < 1e-6] - 0.4).max() < 1e-6
    half = Crisp(mesh, 0.5, torch.device("cpu"))(flat).numpy()[0, :3]
    assert half - 0.4 == pytest.approx((grained - 0.4) / 2, abs=1e-6)
    assert Crisp(mesh, 0.0, torch.device("cpu"))(flat) is flat


def test_stone_alone_is_crisp(faces: dict[str, FaceModel]) -> None:
    changed = {}
    for school, model in faces.items():
        texture = torch.rand((1, 4, 256, 256), generator=torch.Generator().manual_seed(1))
        changed[school] = not torch.equal(model._crisp(texture), texture)
    assert changed == {school: school == "stone" for school in faces}


def test_the_mean_face_turns_nods_and_speaks(faces: dict[str, FaceModel]) -> None:
    model = faces["panel"]
    shown = [expression(v[:478], model.mesh.frame) for v in performance(model)]
    still = performance(model)[2]
    for (yaw, _, jaw), (opened, turned, _) in zip(POSES, shown):
        assert turned == pytest.approx(yaw, abs=0.03)
        assert (opened > 0.05) == (jaw > 0)
    assert np.abs(still[:478] - model.mesh.frame.mean - model.geometry.mean).max() < 0.005


def test_hair_that_hides_the_yaw_is_not_worn(faces: dict[str, FaceModel]) -> None:
    """In the wardrobe that travels: asked again, with the finisher, of a few."""
    model = faces["stone"]
    rack = load_rack(weights_folder(), "stone", model.card)
    assert rack is not None
    assert rack.hair.sum() == round(WORN * len(rack.hair))
    performed = performance(model)
    asked = [np.flatnonzero(rack.hair == worn)[::4] for worn in (True, False)]
    worn, left = (np.mean([misread(model, Dress(n, n), performed) for n in some]) for some in asked)
    assert worn < 0.8 * left


def test_where_nothing_can_be_drawn_all_hair_is_worn(
    faces: dict[str, FaceModel], monkeypatch: pytest.MonkeyPatch
) -> None:
    def blind(*_: object) -> None:
        raise ScreenError("OpenGL", "none", "3.3", "a driver")

    monkeypatch.setattr(legibility, "portray", blind)
    assert legible(faces["stone"]).all()


def test_a_head_in_which_nobody_is_found_is_astray(
    faces: dict[str, FaceModel], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(legibility, "look", lambda picture: None)
    model = faces["stone"]
    assert misread(model, Dress(0, 0), performance(model)[:2]) == pytest.approx(LOST)
