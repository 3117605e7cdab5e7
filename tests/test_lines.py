"""Lids and lips have lines, where they belong, and as strong as a school needs them."""

from __future__ import annotations

import numpy as np
import pytest
from safetensors.torch import load

from mirror.canonical import Frame, load_mesh
from mirror.cards import read_weights
from mirror.faces import FaceModel, load_faces
from mirror.lines import (
    CLEAR,
    FAINT,
    LIPS_OUTLINED,
    MOST,
    OUTER_LIPS,
    TEXTURE_PX,
    contrast,
    drawn,
    faintness,
    lines,
    mouth,
    outlines,
    strength,
)
from mirror.places import weights_folder


@pytest.fixture(scope="module")
def frame() -> Frame:
    return load_mesh(weights_folder()).frame


def test_lines_lie_on_lids_and_lips_and_nowhere_else(frame: Frame) -> None:
    line = lines(frame)
    assert line.shape == (TEXTURE_PX, TEXTURE_PX) and line.min() >= 0 and 0.7 < line.max() <= 1
    assert (line > 0.05).mean() < 0.02
    uv = (frame.mean[:, :2] + 1) / 2 * TEXTURE_PX
    for loop in (frame.right_eye, frame.left_eye, frame.inner_lips):
        x, y = np.round(uv[loop] - 0.5).astype(int).T
        assert line[y, x].min() > 0.1
    for iris in (468, 473):
        x, y = np.round(uv[iris] - 0.5).astype(int)
        assert line[y, x] < 0.1


def test_contrast_is_how_much_darker_the_lines_are(frame: Frame) -> None:
    flat = np.full((3, TEXTURE_PX, TEXTURE_PX, 4), 0.5, np.float32)
    assert contrast(flat, frame) == pytest.approx(0.0, abs=1e-6)
    drawn = flat * (1 - 0.4 * lines(frame)[..., None])
    assert 0.15 < contrast(drawn, frame) < 0.3
    assert contrast(drawn, frame) == pytest.approx(contrast(0.5 * drawn, frame))


def test_a_school_that_hardly_marks_them_gets_stronger_lines() -> None:
    assert strength(0.1) == pytest.approx(2 * strength(0.2), rel=0.01)
    assert strength(0.0) == strength(-0.1) == MOST


def test_only_a_faint_school_has_its_lips_outlined(frame: Frame) -> None:
    assert [faintness(s) for s in (0.0, CLEAR, FAINT, MOST)] == [0.0, 0.0, 1.0, 1.0]
    assert faintness((CLEAR + FAINT) / 2) == pytest.approx(0.5)
    assert drawn(frame, CLEAR) == pytest.approx(1 - CLEAR * lines(frame))
    uv = (frame.mean[:, :2] + 1) / 2 * TEXTURE_PX
    shade = outlines(frame)
    x, y = np.round(uv[17] - 0.5).astype(int)  # below the lower lip
    assert 0.5 * LIPS_OUTLINED < shade[y, x] <= LIPS_OUTLINED
    x, y = np.round((uv[17] + uv[14]) / 2 - 0.5).astype(int)  # the middle of it
    assert shade[y, x] < 0.1
    spoken = mouth(frame)
    assert spoken[y, x] > 0.95
    assert spoken[: int(uv[1, 1])].max() < 0.1  # above the nose's tip
    lips, nose_tip, wing = uv[list(OUTER_LIPS)], uv[1], uv[98]
    assert shade[: int(uv[197, 1])].max() == 0  # above the nose's bridge
    assert shade[int(lips[:, 1].max()) + 6 :].max() == 0
    assert shade[int(wing[1]), int(wing[0])] > 0.05 > shade[int(nose_tip[1]), int(nose_tip[0])]


def test_whatever_a_school_paints_has_its_lines() -> None:
    faces = load_faces(device="cpu")
    assert faces["stone"].card["line"] > 1.5 * faces["panel"].card["line"]
    model = faces["stone"]
    codes = model.random_codes(4, 7)
    card = {**model.card, "line": 0.0}
    tensors = load(read_weights(weights_folder(), "stone")[1])
    plain = FaceModel("stone", card, tensors, model.mesh, "cpu").paint(codes)
    lined = model.paint(codes, finished=False)
    where = drawn(model.mesh.frame, model.card["line"]) < 1
    assert np.array_equal(lined[:, ~where], plain[:, ~where])
    assert np.array_equal(lined[..., 3], plain[..., 3])
    as_float = [each.astype(np.float32) / 255 for each in (lined, plain)]
    assert contrast(as_float[0], model.mesh.frame) > contrast(as_float[1], model.mesh.frame) + 0.2
