"""What may be asked of a running show, and in what limits."""

from __future__ import annotations

import math
import threading
from typing import Any

import pytest

from mirror.control.commands import WORDS, Command, Inbox, command
from mirror.control.conductor import FALL_S, Conductor, Standing
from mirror.errors import SettingsError

ALLOWED: list[tuple[str, Any, Any]] = [
    ("piece", "uncanny", "uncanny"),
    ("brightness", 1, 1.0),
    ("brightness", 0.25, 0.25),
    ("pause", 1.0, True),
    ("pause", "Off", False),
    ("black", True, True),
    ("freeze", 0, False),
    ("opening", "closed", "closed"),
    ("seed", 7, 7),
    ("seed", 7.0, 7),
    ("half-life", 20, 20.0),
]
REFUSED: list[tuple[str, Any]] = [
    ("piece", "rivr"),
    ("piece", 1),
    ("brightness", 1.01),
    ("brightness", math.nan),
    ("brightness", True),
    ("pause", 2),
    ("pause", 0.5),
    ("black", None),
    ("freeze", "maybe"),
    ("opening", "ajar"),
    ("seed", -1),
    ("seed", 1.5),
    ("seed", math.inf),
    ("seed", 2**31),
    ("half-life", 0.0),
    ("half-life", math.inf),
    ("half-life", "long"),
    ("quit", True),
]


@pytest.mark.parametrize(("name", "given", "value"), ALLOWED)
def test_a_value_within_its_limits_is_taken(name: str, given: Any, value: Any) -> None:
    taken = command(name, given)
    assert taken == Command(name, value)
    assert type(taken.value) is type(value)


@pytest.mark.parametrize(("name", "given"), REFUSED)
def test_any_other_value_is_refused_with_what_is_allowed(name: str, given: Any) -> None:
    with pytest.raises(SettingsError, match=r"/mirror/x: .*; allowed: "):
        command(name, given, "/mirror/x")


def test_every_word_is_tried_here() -> None:
    assert {name for name, *_ in ALLOWED} == set(WORDS)


def test_the_box_keeps_the_newest_of_each_word_and_never_grows() -> None:
    box = Inbox()

    def fill(first: int) -> None:
        for number in range(first, first + 500):
            box.put(Command("seed", number))
            box.put(Command("brightness", 1.0))

    threads = [threading.Thread(target=fill, args=(1000 * n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    box.put(Command("seed", 42))
    assert box.take() == [Command("brightness", 1.0), Command("seed", 42)]
    assert box.take() == []


# The light


def conductor() -> Conductor:
    made = Conductor(Standing("river", 1, 139.0))
    assert made.due(0.0) == []
    return made


def carry_out(made: Conductor, now_s: float) -> list[str]:
    due = made.due(now_s)
    for each in due:
        made.stands(each)
    return [each.name for each in due]


def test_the_light_goes_down_and_up_again_in_its_time() -> None:
    made = conductor()
    assert made.light == 1.0
    made.inbox.put(command("black", True))
    assert carry_out(made, 0.0) == ["black"]
    seen = []
    for n in range(1, 13):
        carry_out(made, 0.1 * n)
        seen.append(made.light)
    assert all(before > after for before, after in zip(seen, seen[1:]))
    assert made.light == pytest.approx(0.0, abs=1e-6)
    made.inbox.put(command("black", False))
    carry_out(made, 2.0)
    carry_out(made, 2.0 + FALL_S / 2)
    assert 0.4 < made.light < 0.6
    carry_out(made, 9.0)
    assert made.light == 1.0


def test_another_piece_comes_in_the_dark() -> None:
    made = conductor()
    made.inbox.put(command("piece", "uncanny"))
    made.inbox.put(command("brightness", 0.5))
    assert carry_out(made, 0.1) == ["brightness"]
    now_s, due = 0.1, []
    while not due:
        now_s += 0.1
        due = carry_out(made, now_s)
    assert due == ["piece"]
    assert made.light == 0.0
    assert made.standing.piece == "uncanny"
    carry_out(made, now_s + 5.0)
    assert made.light == 0.5


def test_asking_for_the_piece_that_is_shown_changes_nothing() -> None:
    made = conductor()
    made.inbox.put(command("piece", "uncanny"))
    carry_out(made, 0.1)
    made.inbox.put(command("piece", "river"))  # thought better of it before the light was down
    for n in range(40):
        assert carry_out(made, 0.2 + 0.1 * n) == []
    assert made.light == 1.0


def test_what_waits_for_the_dark_waits_while_the_picture_is_frozen() -> None:
    made = conductor()
    made.inbox.put(command("freeze", True))
    made.inbox.put(command("seed", 5))
    assert carry_out(made, 0.1) == ["freeze"]
    assert carry_out(made, 10.0) == []
    assert made.light == 1.0
    made.inbox.put(command("freeze", False))
    assert carry_out(made, 10.1) == ["freeze"]
    assert "seed" in carry_out(made, 20.0) + carry_out(made, 20.1)
