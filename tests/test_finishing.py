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
from mirror.atelier.critic import RENEWED, WHOLES, Augmentation, Jury, squares
from mirror.atelier.linear import learn_linear
from mirror.atelier.measures.variants import on_one_core
from mirror.cards import FINISH, WARDROBE, read_weights
from mirror.faces import FaceModel, load_faces
from mirror.faces.finisher import Finisher
from mirror.places import home


@pytest.fixture(scope="module", autouse=True)
def one_core() -> Iterator[None]:
    with on_one_core():
        yield


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


def blurred(rgb: torch.Tensor) -> torch.Tensor:
    return F.avg_pool2d(rgb, 5, 1, 2, count_include_pad=False)


def test_a_critic_learns_to_tell_in_a_few_steps_and_leads_back_to_the_picture() -> None:
    torch.manual_seed(0)
    jury, lot = Jury(torch.device("cpu")), np.random.default_rng(0)
    school, truth = torch.full((8,), 2), torch.arange(8) // 4 * 1.0
    for step in range(12):
        sharp = pictures(4, step)
        seen = Augmentation(8, lot)(torch.cat([blurred(sharp), sharp]))
        right = jury.learn(0, seen, school, truth)
    assert right == 1.0
    sharp, soft = pictures(4, 99), blurred(pictures(4, 98)).requires_grad_(True)
    unfooled = jury.unfooled(0, soft, sharp, school[:4])
    unfooled.backward()
    assert soft.grad is not None
    with torch.no_grad():
        better = soft - 0.5 * soft.grad / soft.grad.abs().max()
        before = float(unfooled.detach())
        assert float(jury.unfooled(0, better, sharp, school[:4])) < before
        assert float(jury.unfooled(0, pictures(4, 98), sharp, school[:4])) < before


def test_critics_that_are_taught_anew_take_turns() -> None:
    jury = Jury(torch.device("cpu"))
    first = list(jury.critics)
    jury.renew(RENEWED - 1)
    assert list(jury.critics) == first
    jury.renew(RENEWED)
    kept = [critic is before for critic, before in zip(jury.critics, first)]
    assert kept == [True, False, True]
    jury.renew(WHOLES * RENEWED)
    assert jury.critics[0] is not first[0]
    assert jury.critics[WHOLES] is first[WHOLES]


def test_an_augmentation_changes_real_and_painted_alike() -> None:
    picture = pictures(3, 4)
    changed = Augmentation(3, np.random.default_rng(1))
    assert torch.equal(changed(picture), changed(picture))
    assert not torch.allclose(changed(picture), picture, atol=0.05)
    assert torch.equal(changed(picture[:1]), changed(picture)[:1])  # the first of a longer batch


def test_squares_are_the_same_of_every_picture() -> None:
    ramp = torch.arange(256.0)
    place = torch.stack([ramp[None].expand(256, 256), ramp[:, None].expand(256, 256)])
    place = place[None].expand(3, -1, -1, -1)
    one, other = squares(np.random.default_rng(2), place, place + 0.5)
    assert one.shape == (3, 2, 128, 128)
    assert torch.equal(one + 0.5, other)
    assert not torch.equal(one[0], one[1])


def test_what_moves_more_than_its_sketch_flickers() -> None:
    rng = torch.Generator().manual_seed(0)
    sketch = torch.rand(4, 4, 32, 32, generator=rng)
    sketch[1::2] = sketch[::2] + 0.01 * torch.rand(2, 4, 32, 32, generator=rng)
    sketch[:, 3] = 1.0
    noisy = sketch.clone()
    noisy[1::2, :3] += 0.05 * torch.rand(2, 3, 32, 32, generator=rng)
    still = sketch.clone()
    still[1::2] = still[::2]
    assert float(finish.flicker(still, sketch)) == 0.0
    assert float(finish.flicker(noisy, sketch)) > 0.01


def test_every_part_of_the_finisher_learns(lessons: list[Lesson]) -> None:
    pupil = finish.Pupil("cpu", 0)
    room = Classroom(lessons, pupil.device)
    pupil.begun = -100
    told = [finish.learn(pupil, room) for _ in range(2)]
    for name in ("missed", "strayed", "sparkled", "unfooled"):
        losses = [each[name] for each in told]
        assert np.isfinite(losses).all()
        assert max(losses) > 0
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
        return [*schools, *room.nobodies(pupil.lot, schools)[1].flatten().tolist()]

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


def test_a_finisher_of_before_there_was_grain_paints_as_it_did() -> None:
    torch.manual_seed(1)
    finisher, again = Finisher(), Finisher()
    torch.nn.init.normal_(finisher.leave.weight, std=0.2)
    torch.nn.init.zeros_(finisher.back128.second.weight)
    torch.nn.init.zeros_(finisher.back128.second.bias)
    old = {k: v for k, v in finisher.state_dict().items() if k[:6] not in ("ground", "back12")}
    again.take(old)
    assert (
        float(again.back128.first.weight.detach().abs().max()) > 0
    )  # or it would never learn again
    sketch, code = torch.rand(1, 4, 256, 256), torch.randn(1, 48)
    school = F.one_hot(torch.tensor([3]), 7).float()
    with torch.inference_mode():
        assert torch.equal(finisher(sketch, code, school), again(sketch, code, school))
    with pytest.raises(RuntimeError):
        again.take({"enter.weight": torch.zeros(3)})


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
    """A finisher in the folder is used; without one, and without clothes, the sketch is painted."""
    for path in (home() / "weights").glob("*"):
        if FINISH not in path.name and WARDROBE not in path.name:
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
