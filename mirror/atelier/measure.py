"""``mirror faces measure``: every measure of every school, with the linear model beside it.

In: the models; a folder of training portraits, without which likeness cannot be measured; a folder
of films, without which synthetic sitters move. Out: a table and JSON. Seeds are fixed: the same
models give the same numbers, but for the cost. ``measures/`` holds how each is computed,
``weights/README.md`` says it in words. What was not measured is named, with the reason.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from rich.console import Console

from mirror import SCHOOLS
from mirror.atelier.measures import classifiers, likeness, obedience, performances, steadiness
from mirror.atelier.measures.bars import MEASURES
from mirror.atelier.measures.ledger import PORTRAITS, Ledger, Scale, table
from mirror.atelier.measures.performances import Performance
from mirror.atelier.measures.variants import Variant, linear_only, on_one_core, random_codes
from mirror.atelier.portraits import gather
from mirror.atelier.train import school_folder
from mirror.atelier.unwarp import Unwarper
from mirror.atelier.yardstick import Yardstick
from mirror.canonical import Frame
from mirror.clock import precise_s
from mirror.diagnostics.bench import YARDSTICK, in_turns, machine
from mirror.faces import FaceModel, load_faces
from mirror.latents.latents import remove_pose
from mirror.progress import Bar
from mirror.report import write_json
from mirror.signals import Bytes, Floats

#: A training face turned further than this has no proportions that could be known again, radians.
AHEAD = 0.5

Pair = tuple[Variant, Variant]
One = TypeVar("One")
Other = TypeVar("Other")


@dataclass
class Real:
    """A school's training portraits: textures (N, 256, 256, 4) uint8, and whose they are."""

    textures: Bytes
    people: list[Performance]


@dataclass
class Album:
    """What the classifiers look at: school -> small pictures, and larger ones."""

    small: dict[str, Floats] = field(default_factory=dict)
    large: dict[str, Floats] = field(default_factory=dict)

    def add(self, school: str, textures: Bytes) -> None:
        """Textures (N, 256, 256, 4) of a school."""
        self.small[school] = likeness.small(textures, classifiers.SCHOOL_PX)
        self.large[school] = likeness.small(textures, classifiers.GENUINE_PX)


def measure(
    json: Path | None = None, images: Path | None = None, clips: Path | None = None,
    portraits: int = PORTRAITS, schools: Sequence[str] = SCHOOLS,
) -> dict[str, Any]:  # fmt: skip
    """Measure the models, print a table, write JSON where asked for; returns what JSON holds.

    images: a folder with a folder of training portraits for each school. clips: a folder of films.
    portraits: of each school; fewer are quicker and say less. schools: those to be measured.
    Raises WeightsError, ScreenError, PortraitsError, and SettingsError for films without people.
    """
    begun_s, scale, ledger = precise_s(), Scale(portraits), Ledger()
    if images is not None:
        for school in schools:
            school_folder(images, school, only=False)  # refused now rather than after minutes
    loaded = load_faces()
    pairs = {school: pair_of(loaded[school]) for school in schools}
    _cost(ledger, pairs, scale)  # first, and on all cores
    people = performances.filmed(clips) if clips else performances.synthetic(scale.seed)
    people = people[: scale.people]
    with on_one_core(), Bar("measuring", 4 * len(pairs) + 2) as tick:
        real = _gather(pairs, images, tick)
        for school, pair in pairs.items():
            _obey(ledger, school, pair, people, real, scale)
            tick(2)
            _hold_still(ledger, school, pair, scale)
            tick()
        _resemble(ledger, pairs, real, scale)
        tick(2)
    told = {
        "portraits": portraits,
        "seed": scale.seed,
        "sitters": f"{len(people)} {'filmed' if clips else 'synthetic'}",
        **ledger.told(),
        "machine": machine(),
        "seconds": round(precise_s() - begun_s, 1),
    }
    _say(told)
    if json is not None:
        write_json(json, told)
    return told


def pair_of(model: FaceModel) -> Pair:
    """The model as it paints and its linear sketch; twice the same one where it has no finisher."""
    whole = Variant(model)
    return whole, (whole if linear_only(model) else Variant(model, finished=False))


def twice(pair: tuple[One, One], work: Callable[[One], Other]) -> tuple[Other, Other]:
    """Work done on both, or once when both are the same."""
    first = work(pair[0])
    return first, (first if pair[1] is pair[0] else work(pair[1]))


def _gather(pairs: dict[str, Pair], images: Path | None, tick: Bar) -> dict[str, Real]:
    """The training portraits of every school, in the canonical frame."""
    real: dict[str, Real] = {}
    for school, (whole, _) in pairs.items():
        if images is not None:
            unwarper = Unwarper(whole.model.mesh, 256)
            portraits = gather(school_folder(images, school, only=False)).portraits
            textures = [unwarper.unwarp(portrait).texture for portrait in portraits]
            real[school] = Real(
                np.stack([np.round(texture * 255).astype(np.uint8) for texture in textures]),
                [Performance(each.name, 1.0, each.markers[None]) for each in portraits],
            )
        tick()
    return real


def _obey(
    ledger: Ledger, school: str, pair: Pair, people: list[Performance], real: dict[str, Real],
    scale: Scale,
) -> None:  # fmt: skip
    """What FaceMesh sees in portraits that follow somebody."""
    found = twice(pair, lambda variant: obedience.found(variant, scale.portraits, scale.seed))
    ledger.enter(school, "found", *found)
    heard = twice(
        pair, lambda variant: [obedience.hear(variant, one, scale.moments) for one in people]
    )
    told, linear = twice(heard, obedience.obeys)
    more = {name: round(told[name], 4) for name in ("commanded", "lost")}
    ledger.enter(school, "obeys", told["obeys"], linear["obeys"], **more)
    for name in ("mouth", "yaw", "blink"):
        each = obedience.each_of(heard[0], name)
        ledger.enter(school, name, told[name], linear[name], performances=each)
    frame = pair[0].model.mesh.frame
    sitters = _sitters(school, people, real, frame, scale.seed)
    known = twice(
        pair, lambda variant: obedience.recognisable(variant, sitters, scale.rounds, scale.seed)
    )
    ledger.enter(school, "recognisable", known[0][0], known[1][0], asked=known[0][1])


def _sitters(
    school: str, people: list[Performance], real: dict[str, Real], frame: Frame, seed: int
) -> list[Performance]:
    """Who is to be told apart: those who move, and training faces of other schools, or, where
    there are none, more synthetic sitters."""
    movers = people[: obedience.SITTERS]
    others = [one for name, each in real.items() if name != school for one in each.people]
    if others:
        return movers + [one for one in others if _looks_ahead(one, frame)]
    made = performances.synthetic(seed + 1, seconds=240.0)
    return movers + made[: obedience.SITTERS - len(movers)]


def _looks_ahead(face: Performance, frame: Frame) -> bool:
    pose, _ = remove_pose(face.markers[0], face.aspect, frame)
    return abs(float(pose[0])) < AHEAD


def _hold_still(ledger: Ledger, school: str, pair: Pair, scale: Scale) -> None:
    """What moves that should not."""
    walked = twice(
        pair, lambda variant: steadiness.steady(variant, pair[1], scale.walks, scale.seed)
    )
    (value, detour), (linear, _) = walked
    ledger.enter(school, "steady", value, linear, detour=round(detour, 3))


def _resemble(ledger: Ledger, pairs: dict[str, Pair], real: dict[str, Real], scale: Scale) -> None:
    """What can be said beside real portraits only."""
    if not real:
        names = [name for name, each in MEASURES.items() if each.images]
        ledger.leave_out(names, "needs the training portraits: --images DIR")
        return
    true, whole, linear = Album(), Album(), Album()
    for school, pair in pairs.items():
        painted = twice(
            pair, lambda each: each.paint(random_codes(each.model, scale.portraits, scale.seed))
        )
        _liken(ledger, school, pair[0].model, painted, real[school].textures)
        true.add(school, real[school].textures)
        whole.add(school, painted[0])
        linear.add(school, painted[1])
    alike = all(pair[0] is pair[1] for pair in pairs.values())
    _ask_classifiers(ledger, true, (whole, whole if alike else linear), scale)


def _liken(
    ledger: Ledger, school: str, model: FaceModel, painted: tuple[Bytes, Bytes], real: Bytes
) -> None:
    """How painted textures lie among real ones."""
    sharp = twice(painted, lambda textures: likeness.sharp(textures, real, model.mesh))
    ledger.enter(school, "sharp", *sharp)
    ledger.enter(school, "new", *twice(painted, lambda textures: likeness.copied(textures, real)))
    ledger.enter(school, "varied", *twice(painted, lambda made: likeness.varied(made, real)))


def _ask_classifiers(
    ledger: Ledger, real: Album, painted: tuple[Album, Album], scale: Scale
) -> None:
    """What small networks say that were taught on real portraits."""
    apart = twice(
        painted, lambda album: classifiers.told_apart(real.large, album.large, scale.teaching)
    )
    for school in real.large:
        ledger.enter(school, "believable", apart[0][school], apart[1][school])
    if len(real.small) < 2:
        ledger.leave_out(["school"], "needs two schools or more")
        return
    right, named = classifiers.of_its_school(
        real.small, [album.small for album in painted], scale.teaching
    )
    for school, share in right.items():
        of_real = max(share, 1.0 / len(right))
        ratios = [each[school] / of_real for each in named]
        ledger.enter(school, "school", *ratios, real=round(share, 4))


def _cost(ledger: Ledger, pairs: dict[str, Pair], scale: Scale) -> None:
    """One texture of each model and of its linear sketch, in turn with one of the yardstick."""
    yardstick = Yardstick()
    painters: dict[str, Callable[[], Any]] = {YARDSTICK: yardstick.paint}
    for school, pair in pairs.items():
        code = random_codes(pair[0].model, 1, scale.seed)
        painters[school] = partial(pair[0].paint, code)
        if pair[1] is not pair[0]:
            painters[f"{school} linear"] = partial(pair[1].paint, code)
    ms = {name: float(np.median(each)) for name, each in in_turns(painters, scale.timed).items()}
    for school in pairs:
        linear = ms.get(f"{school} linear", ms[school])
        ratios = ms[school] / ms[YARDSTICK], linear / ms[YARDSTICK]
        ledger.enter(school, "cost", *ratios, ms=round(ms[school], 3))


def _say(told: dict[str, Any]) -> None:
    """What a person reads of it."""
    console = Console()
    console.print(table(told))
    for name, why in told["not_measured"].items():
        console.print(f"{name} was not measured: it {why}")
    console.print(
        f"{told['portraits']} portraits a school, {told['sitters']} sitters, "
        f"{told['seconds']:.0f} s"
    )
