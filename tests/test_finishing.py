"""Training the finisher: what it is taught by, that it learns, and that it can go on."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from mirror import SCHOOLS
from mirror.atelier import finish
from mirror.atelier.classroom import Classroom, Lesson
from mirror.atelier.critic import Augmentation, Critic, see
from mirror.atelier.features import CHANNELS, Features
from mirror.atelier.linear import learn_linear
from mirror.atelier.measures.variants import on_one_core
from mirror.cards import FINISH, read_weights
from mirror.faces import FaceModel, load_faces
from mirror.faces.finisher import Finisher, whereabouts
from mirror.places import home


@pytest.fixture(scope="module", autouse=True)
def one_core() -> Iterator[None]:
    with on_one_core():
        yield


@pytest.fixture(scope="module")
def eye() -> Features:
    return Features()


@pytest.fixture(scope="module")
def lessons(faces: dict[str, FaceModel]) -> list[Lesson]:
    """Two small schools, each of a dozen portraits that a model painted."""
    made = []
    for number in (1, 3):
        model = faces[SCHOOLS[number]]
        textures = model.paint(model.random_codes(12, number))
        both = np.concatenate([textures, textures[:, :, ::-1]])
        linear = learn_linear(textures.astype(np.float32) / 255)
        made.append(Lesson(number, both, linear))
    return made


def pictures(count: int, seed: int) -> torch.Tensor:
    """Smooth and rough, of all colours.  (count, 3, 128, 128)"""
    rng = torch.Generator().manual_seed(seed)
    coarse = F.interpolate(torch.rand(count, 3, 8, 8, generator=rng), size=128, mode="bilinear")
    return (coarse + 0.1 * torch.randn(count, 3, 128, 128, generator=rng)).clamp(0, 1)


def test_features_move_with_the_picture(eye: Features) -> None:
    """Convolutions and nothing else: what is 16 pixels further is one coarse cell further."""
    picture = F.interpolate(pictures(1, 0), size=640, mode="bilinear")
    moved = torch.roll(picture, 16, dims=3)
    for channels, before, after in zip(CHANNELS, eye(picture), eye(moved)):
        side = before.shape[3]
        assert before.shape[1] == channels
        assert float(before.std()) > 0.1
        shifted = torch.roll(before, 16 * side // 640, dims=3)
        middle = (..., side // 2, side // 2)  # far from where zeros were laid around the picture
        assert torch.allclose(shifted[middle], after[middle], atol=1e-3)


def test_features_lead_back_to_the_picture_but_learn_nothing(eye: Features) -> None:
    picture = pictures(2, 1).requires_grad_(True)
    torch.stack([maps.mean() for maps in eye(picture)]).sum().backward()
    assert picture.grad is not None
    assert float(picture.grad.abs().max()) > 0
    assert not list(eye.parameters())


def test_half_of_a_sparse_network_is_zero(eye: Features) -> None:
    """The file says that its one-by-one convolutions are half empty: they were unpacked so."""
    shares = [
        float((weight == 0).float().mean())
        for name, weight in eye.named_buffers()
        if weight.ndim == 4 and weight.shape[-1] == 1 and weight.shape[1] > 1
    ]
    assert len(shares) > 10
    assert min(shares) > 0.2
    assert max(shares) < 0.8


def test_the_critic_learns_to_tell_in_a_few_steps(eye: Features) -> None:
    torch.manual_seed(0)
    critic, rng = Critic(), torch.Generator().manual_seed(0)
    learn = torch.optim.Adam(critic.parameters(), finish.JUDGING_RATE, betas=(0.0, 0.99))
    school, where = F.one_hot(torch.tensor([2] * 4), 7).float(), whereabouts(4, torch.device("cpu"))
    where = where[..., :64, :64]
    apart = []
    for step in range(8):
        sharp = pictures(4, step)
        changed = Augmentation(4, rng)
        soft = F.avg_pool2d(sharp, 5, 1, 2, count_include_pad=False)
        yes, no = (critic(see(eye, changed(p)), where, school) for p in (sharp, soft))
        gaps = [(y.mean() - n.mean()).detach() for y, n in zip(yes, no)]
        apart.append(float(torch.stack(gaps).mean()))
        losses = [F.relu(1 - y).mean() + F.relu(1 + n).mean() for y, n in zip(yes, no)]
        learn.zero_grad()
        torch.stack(losses).sum().backward()
        learn.step()
    assert np.mean(apart[-3:]) > apart[0] + 0.5


def test_an_augmentation_changes_real_and_painted_alike() -> None:
    picture = pictures(3, 4)
    changed = Augmentation(3, torch.Generator().manual_seed(1))
    assert torch.equal(changed(picture), changed(picture))
    assert not torch.allclose(changed(picture), picture, atol=0.05)
    assert torch.equal(changed(picture[:1]), changed(picture)[:1])  # the first of a longer batch


def test_every_part_of_the_finisher_learns(lessons: list[Lesson]) -> None:
    pupil = finish.Pupil("cpu", 0)
    room = Classroom(lessons, pupil.device)
    told = [finish.learn(pupil, room) for _ in range(2)]
    for name in ("missed", "unlike"):
        losses = [each[name] for each in told]
        assert np.isfinite(losses).all()
    assert pupil.steps == 2
    before = finish.Pupil("cpu", 0)
    moved = [
        float((a - b).detach().abs().max())
        for a, b in zip(pupil.finisher.parameters(), before.finisher.parameters())
    ]
    assert min(moved) > 0


def test_the_order_of_lessons_follows_the_seed(lessons: list[Lesson]) -> None:
    def first(seed: int) -> list[float]:
        pupil = finish.Pupil("cpu", seed)
        room = Classroom(lessons, pupil.device)
        schools = room.some_schools(pupil.lot, 6)
        return [*schools, *room.mixed(pupil.lot, schools)[1].flatten().tolist()]

    assert first(3) == first(3)
    assert first(3) != first(4)


def test_training_that_meets_a_nan_keeps_what_was_good(
    lessons: list[Lesson], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    pupil = finish.Pupil("cpu", 0)
    losses = iter([1.0, 1.0, float("nan"), 1.0])
    monkeypatch.setattr(finish, "learn", lambda pupil, room: {"missed": next(losses)})
    looked: list[Classroom] = []
    finish.train_finisher(lessons, pupil, 5.0, looked.append)
    assert next(losses) == 1.0  # stopped at the third
    assert "nan" in caplog.text
    assert len(looked) == 1
    assert all(bool(torch.isfinite(value).all()) for value in pupil.average.values())


def test_a_training_is_written_and_taken_up_again(
    lessons: list[Lesson], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(finish, "home", lambda: tmp_path)
    card = finish.teach(lessons, tmp_path, FINISH, 0.03, resume=False, device="cpu", seed=0)
    steps = int(card["steps"])
    assert steps > 0
    assert list((tmp_path / "out" / "train").glob("*.png"))
    again = finish.teach(lessons, tmp_path, FINISH, 0.03, resume=True, device="cpu", seed=1)
    assert int(again["steps"]) > steps
    _, stored = read_weights(tmp_path, FINISH)
    assert len(stored) < 5e6


TOGETHER = """
import sys, torch
from mirror.atelier import ranks
with ranks.joined("cpu"):
    slope = torch.nn.Parameter(torch.zeros(3))
    slope.grad = torch.full((3,), float(ranks.number() + 1))
    ranks.share_gradients([slope])
    goes_on = ranks.agree(ranks.number() == 0, torch.device("cpu"))
    open(sys.argv[1] + str(ranks.number()), "w").write(f"{ranks.count()} {slope.grad[0]} {goes_on}")
"""


def test_several_processes_share_gradients_and_stop_together(tmp_path: Path) -> None:
    script = tmp_path / "together.py"
    script.write_text(TOGETHER, encoding="utf-8")
    subprocess.run(
        [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node=2",
         str(script), str(tmp_path / "said-")],
        check=True, timeout=100, capture_output=True,
        env={**os.environ, "PYTHONPATH": str(home()), "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    said = {path.read_text() for path in tmp_path.glob("said-*")}
    assert said == {"2 1.5 False"}


def test_finished_paintings_are_textures_like_any_other(
    faces: dict[str, FaceModel], tmp_path: Path
) -> None:
    """A finisher in the folder is used; without one the sketch is what is painted."""
    for path in (home() / "weights").glob("*"):
        if FINISH not in path.name:
            (tmp_path / path.name).write_bytes(path.read_bytes())
    plain = load_faces(tmp_path)["salon"]
    code = plain.random_codes(1, 5)
    assert np.array_equal(plain.paint(code), plain.paint(code, finished=False))
    torch.manual_seed(0)
    strong = Finisher()
    torch.nn.init.normal_(strong.leave.weight, std=0.2)
    finish.keep(tmp_path, FINISH, strong.state_dict(), {"steps": 0})
    model = load_faces(tmp_path)["salon"]
    finished = model.paint(code)
    assert finished.shape == (1, 256, 256, 4)
    assert np.array_equal(model.paint(code, finished=False), plain.paint(code))
    assert not np.array_equal(finished, plain.paint(code))
