"""The measures measure what they say: each is held to cases whose answer is known."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from rich.console import Console
from rooms import empty_room, somebody
from skimage.data import astronaut

from mirror.atelier.measure import measure, pair_of, twice
from mirror.atelier.measures import classifiers, likeness, performances, steadiness
from mirror.atelier.measures.bars import MEASURES, Measure
from mirror.atelier.measures.classifiers import Teaching, of_its_school, told_apart
from mirror.atelier.measures.judge import distance, expression, eye_distance, look, proportions
from mirror.atelier.measures.ledger import Ledger, Scale, table
from mirror.atelier.measures.obedience import (
    correlations,
    different,
    hear,
    obeys,
    recognisable,
)
from mirror.atelier.measures.performances import Performance
from mirror.atelier.measures.variants import Variant, on_one_core, random_latents
from mirror.canonical import Frame, Mesh, load_mesh, rotations
from mirror.errors import SettingsError
from mirror.faces import FaceModel, load_faces
from mirror.film import Film
from mirror.latents.latents import CODE, POSE, SHAPE, remove_pose
from mirror.places import weights_folder
from mirror.session.puppet import Pose, make_puppet


@pytest.fixture(scope="module", autouse=True)
def one_core() -> Iterator[None]:
    """Beside other tests torch's threads would wait for one another."""
    with on_one_core():
        yield


@pytest.fixture(scope="module")
def model() -> FaceModel:
    return load_faces()["salon"]


@pytest.fixture(scope="module")
def mesh() -> Mesh:
    return load_mesh(weights_folder())


@pytest.fixture(scope="module")
def frame(mesh: Mesh) -> Frame:
    return mesh.frame


# --- the judge


def test_the_judge_sees_a_face_and_sees_that_there_is_none(frame: Frame) -> None:
    square = astronaut()[:300, 90:390]
    points = look(square)
    assert points is not None and points.shape == (478, 3)
    assert 0.1 < eye_distance(points, frame) < 0.4
    assert look(np.full_like(square, 90)) is None


def test_distance_is_blind_to_place_size_and_tilt_and_counts_in_eye_distances(frame: Frame) -> None:
    wanted = frame.mean
    turn = rotations(np.array([[0, 0, 0.4]], np.float32))[0]
    assert distance((2.5 * wanted @ turn.T + 0.3).astype(np.float32), wanted, frame) < 1e-6
    rng = np.random.default_rng(0)
    trembling = wanted.copy()
    angle = rng.uniform(0, 2 * np.pi, 478)
    apart = 0.05 * eye_distance(wanted, frame)
    trembling[:, 0] += apart * np.cos(angle)
    trembling[:, 1] += apart * np.sin(angle)
    assert distance(trembling, wanted, frame) == pytest.approx(0.05, abs=0.003)


def test_expression_reads_mouth_yaw_and_eyes(frame: Frame) -> None:
    puppet = make_puppet(frame, np.zeros(8))
    still = expression(puppet.face(Pose()), frame)
    spoken = expression(puppet.face(Pose(jaw=0.25)), frame)
    turned = expression(puppet.face(Pose(yaw=0.3)), frame)
    closed = expression(puppet.face(Pose(lids=1.0)), frame)
    assert spoken[0] > still[0] + 0.05
    assert turned[1] - still[1] == pytest.approx(0.3, abs=0.02)
    assert turned[0] == pytest.approx(still[0], abs=0.005)
    assert closed[2] < 0.3 * still[2]
    assert closed[0] == pytest.approx(still[0], abs=1e-3)


def test_proportions_are_blind_to_pose_and_nearly_so_to_speech(frame: Frame) -> None:
    rng = np.random.default_rng(1)
    one, other = (make_puppet(frame, rng.uniform(-1, 1, 8)) for _ in range(2))
    known = proportions(one.face(Pose()), frame)
    stranger = np.linalg.norm(proportions(other.face(Pose()), frame) - known)

    def apart(pose: Pose) -> float:
        return float(np.linalg.norm(proportions(one.face(pose), frame) - known) / stranger)

    assert apart(Pose(yaw=0.3, pitch=0.1, roll=0.2)) < 1e-6
    assert apart(Pose(lids=1.0)) < 0.25
    assert apart(Pose(jaw=0.12)) < 0.6


# --- who moves


def test_synthetic_sitters_perform_at_length() -> None:
    people = performances.synthetic(3, seconds=40.0)
    assert people and len({one.name for one in people}) == len(people)
    assert all(len(one.markers) >= performances.LEAST_PICTURES for one in people)
    assert all(one.rate_hz == pytest.approx(30.0) for one in people)
    few = people[0].thinned(7)
    assert len(few.markers) == 7
    assert 7 / few.rate_hz == pytest.approx(len(people[0].markers) / people[0].rate_hz)


def test_who_somebody_is_settles_in_a_performance_and_what_they_do_is_seen_at_once(
    model: FaceModel,
) -> None:
    """As in the show: who somebody is becomes clear in time, what they do is seen now."""
    (one, *_) = performances.synthetic(3, seconds=40.0)
    frame = model.mesh.frame
    followed = one.followed(model.geometry, frame, model.accent)
    alone = np.stack([model.read(markers, one.aspect) for markers in one.markers])
    assert np.array_equal(followed[:, POSE], alone[:, POSE])
    done = [remove_pose(markers, one.aspect, frame)[1].ravel() for markers in one.markers]
    bends = [latents[:, SHAPE] - done for latents in (followed, alone)]
    for settled, read in (bends, (followed[:, CODE], alone[:, CODE])):
        half = len(read) // 2
        assert 0 < settled[half:].std(axis=0).mean() < 0.5 * read[half:].std(axis=0).mean()
    assert np.abs(followed[-1, CODE] - alone[-180:, CODE].mean(axis=0)).max() < 0.5


def test_whoever_is_seen_well_in_a_film_performs_and_nothing_is_written(tmp_path: Path) -> None:
    room = empty_room(640, 480)
    with Film(tmp_path / "visit.mp4", 30.0) as film:
        for n in range(90):
            film.add(somebody(room, 0.5 + 0.1 * np.sin(n / 9), tall=0.95), n / 30)
    (one,) = performances.filmed(tmp_path)
    assert one.name == "visit-1" and one.aspect == pytest.approx(4 / 3)
    assert one.markers[:, :, 0].mean(axis=1).std() > 0.02
    assert [each.name for each in tmp_path.iterdir()] == ["visit.mp4"]


def test_a_folder_without_people_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="--clips: nobody"):
        performances.filmed(tmp_path)


# --- obedience


def test_correlation_is_taken_within_performances() -> None:
    wave = np.sin(np.linspace(0, 9, 50))[:, None]
    here, there = list(wave), list(wave + 100.0)
    assert correlations([(here, list(2 * wave - 7)), (there, list(2 * wave))]) == pytest.approx([1])
    assert correlations([(here, list(-wave))]) == pytest.approx([-1.0])
    assert correlations([(list(np.zeros((9, 1))), list(wave[:9]))]) == [0.0]


def test_a_portrait_obeys_and_a_deaf_one_does_not(model: FaceModel, frame: Frame) -> None:
    puppet = make_puppet(frame, np.zeros(8))
    turns = np.linspace(-0.4, 0.4, 9)
    faces = [puppet.face(Pose(yaw=y, jaw=0.25 * (n % 2))) for n, y in enumerate(turns)]
    markers = np.stack([0.3 * face + (0.5, 0.5, 0.0) for face in faces]).astype(np.float32)
    told = obeys([hear(Variant(model), Performance("puppet", 1.0, markers))])
    assert told["lost"] == 0 and told["yaw"] > 0.95 and told["mouth"] > 0.8
    assert told["obeys"] < 0.1
    deaf = Performance("deaf", 1.0, np.repeat(markers[:1], 9, axis=0))
    heard = hear(Variant(model), deaf)
    heard.asked[:] = [expression(face, frame) for face in faces]
    assert obeys([heard])["yaw"] < 0.5


def test_a_sitter_is_known_by_proportions(model: FaceModel, frame: Frame) -> None:
    people = []
    for strong in (2.5, -2.5):
        face = make_puppet(frame, np.full(8, strong)).face(Pose())
        markers = (0.3 * face + (0.5, 0.5, 0.0)).astype(np.float32)
        people.append(Performance(str(strong), 1.0, np.stack([markers, markers])))
    assert recognisable(Variant(model), people, 1, 0) == (1.0, 2)
    one, other = (person.markers[0] for person in people)
    changeling = Performance("changeling", 1.0, np.stack([other, one]))  # is known as somebody else
    assert recognisable(Variant(model), [changeling, people[1]], 8, 0)[0] < 1.0


def test_whoever_is_in_two_films_sits_once(frame: Frame) -> None:
    one, other = (
        Performance(
            str(strong), 1.0,
            (0.3 * make_puppet(frame, np.full(8, strong)).face(Pose()) + (0.5, 0.5, 0.0))[None]
            .astype(np.float32),
        )
        for strong in (1.0, -1.0)
    )  # fmt: skip
    again = replace(one, name="again", markers=one.markers + np.float32(0.01))
    assert different([one, again, other], frame) == [one, other]


def test_random_portraits_keep_within_the_yaw_asked_for(model: FaceModel) -> None:
    latents = random_latents(model, 60, 0, 0.2)
    yaw = np.abs(latents[:, POSE.start])
    assert yaw.max() <= 0.2 and yaw.std() > 0.01


# --- likeness


@pytest.fixture(scope="module")
def textures(model: FaceModel) -> np.ndarray:
    return Variant(model).paint(model.random_codes(10, 1))


def test_sharpness_is_one_for_the_same_and_less_for_the_blurred(
    textures: np.ndarray, mesh: Mesh
) -> None:
    assert likeness.sharp(textures, textures, mesh) == pytest.approx(1.0)
    soft = np.stack([cv2.GaussianBlur(texture, (0, 0), 2) for texture in textures])
    assert likeness.sharp(soft, textures, mesh) < 0.5


def test_a_copy_and_its_mirror_image_are_seen_and_a_stranger_is_new(textures: np.ndarray) -> None:
    copies = np.concatenate([textures[:2], textures[2:4, :, ::-1]])
    assert likeness.copied(copies, textures) == 1.0
    assert likeness.copied(255 - textures[:, ::-1], textures) == 0.0


def test_variety_is_none_among_twins(textures: np.ndarray) -> None:
    assert likeness.varied(textures, textures) == pytest.approx(1.0)
    twins = np.repeat(textures[:1], 4, axis=0)
    assert likeness.varied(twins, textures) == pytest.approx(0.0, abs=1e-3)


# --- the classifiers


def _crowd(rng: np.random.Generator, hue: int, rough: float, side: int = 32) -> np.ndarray:
    """Twelve soft pictures of one colour, with more or less grain."""
    pictures = np.full((12, side, side, 3), 0.3, np.float32)
    pictures[..., hue] += 0.3
    grain = rng.normal(0, rough, pictures.shape) if rough else 0.0
    return np.clip(pictures + grain, 0, 1).astype(np.float32)


def test_every_portrait_is_held_back_once() -> None:
    held = sum((~classifiers._kept(11, fold)).astype(int) for fold in range(classifiers.FOLDS))
    assert (held == 1).all()


def test_the_classifiers_tell_what_can_be_told() -> None:
    rng, teaching = np.random.default_rng(0), Teaching(steps=30, seed=1)
    real = {name: _crowd(rng, hue, 0.06) for hue, name in enumerate(("red", "green"))}
    painted = {name: _crowd(rng, hue, 0.0) for hue, name in enumerate(("red", "green"))}
    assert min(told_apart(real, painted, teaching).values()) > 0.9
    right, (named, swapped) = of_its_school(
        real, [real, {"red": real["green"], "green": real["red"]}], teaching
    )
    assert min(right.values()) > 0.9 and min(named.values()) > 0.9
    assert max(swapped.values()) < 0.1


def test_the_classifiers_say_the_same_each_time_and_leave_the_seed_alone() -> None:
    rng = np.random.default_rng(0)
    real, painted = {"red": _crowd(rng, 0, 0.06)}, {"red": _crowd(rng, 0, 0.06)}
    torch.manual_seed(3)
    expected = torch.rand(1)
    torch.manual_seed(3)
    said = [told_apart(real, painted, Teaching(steps=4, seed=2)) for _ in range(2)]
    assert said[0] == said[1]
    assert torch.equal(torch.rand(1), expected)


# --- steadiness


def test_paint_that_flickers_is_less_steady_than_a_sketch(
    model: FaceModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    sketch = Variant(model, finished=False)
    calm, straight = steadiness.steady(sketch, sketch, 1, 0)
    rng = np.random.default_rng(0)
    paint = model.paint

    def flicker(codes: np.ndarray, finished: bool = True, **more: Any) -> np.ndarray:
        textures = paint(codes, finished, **more).astype(int)
        noise = rng.normal(0, 12, textures.shape) if finished else 0
        return np.clip(textures + noise, 0, 255).astype(np.uint8)

    monkeypatch.setattr(model, "paint", flicker)
    wild, detour = steadiness.steady(Variant(model), sketch, 1, 0)
    assert wild > 2 * calm
    assert 0.99 < straight < 1.2 < detour


# --- the ledger and the whole


def test_a_bar_is_held_at_both_its_ends() -> None:
    assert Measure("", 0.7, 1.3).met(0.7, 0.0) and not Measure("", 0.7, 1.3).met(1.31, 0.0)
    assert Measure("", low=0.9).bar == "at least 0.9" and not Measure("", low=0.9).met(0.89, 0)
    assert Measure("").met(1.0, 1.0) and not Measure("").met(1.1, 1.0)


def test_a_model_without_a_finisher_is_measured_once(model: FaceModel) -> None:
    one, other = Variant(model), Variant(model, finished=False)
    calls: list[Variant] = []
    assert twice((one, one), lambda v: calls.append(v) or len(calls)) == (1, 1)
    assert twice((one, other), lambda v: calls.append(v) or len(calls)) == (2, 3)
    code = model.random_codes(1, 0)
    alike = np.array_equal(model.paint(code), model.paint(code, finished=False))
    pair = pair_of(model)
    assert (pair[0] is pair[1]) == alike and pair[0].finished


def test_the_usual_scale_is_that_of_the_table() -> None:
    scale = Scale()
    assert (scale.portraits, scale.rounds, scale.teaching.steps) == (200, 10, Teaching().steps)


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory, model: FaceModel) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("measured")
    (folder / "images" / "salon").mkdir(parents=True)
    for n, latent in enumerate(random_latents(model, 5, 4, 0.2)):
        picture = model.portray(latent, size=320)
        cv2.imwrite(str(folder / "images" / "salon" / f"{n}.png"), picture[:, :, ::-1])
    measure(folder / "a.json", folder / "images", portraits=3, schools=["salon"])
    return dict(json.loads((folder / "a.json").read_text(encoding="utf-8")))


def test_every_measure_is_taken_or_named_with_the_reason(told: dict[str, Any]) -> None:
    taken, left_out = set(told["schools"]["salon"]), set(told["not_measured"])
    assert taken | left_out == set(MEASURES) and not taken & left_out
    assert left_out == {"school"}  # one school cannot be told from another
    assert all(told["not_measured"].values())
    for name, entry in told["schools"]["salon"].items():
        assert np.isfinite([entry["value"], entry["linear"]]).all()
        assert entry["met"] == MEASURES[name].met(entry["value"], entry["linear"])


def test_the_table_leaves_out_what_was_not_measured(
    told: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    Console(width=120).print(table(told))
    said = capsys.readouterr().out
    assert "recognisable" in said and "at least 0.98" in said
    assert "\n│ school " not in said


def test_measures_without_portraits_say_what_they_need() -> None:
    ledger = Ledger()
    ledger.leave_out(["new"], "needs the training portraits: --images DIR")
    assert ledger.told()["not_measured"] == {"new": "needs the training portraits: --images DIR"}
