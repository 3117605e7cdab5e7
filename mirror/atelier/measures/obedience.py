"""Does a portrait do what the visitor does, and would one know oneself in it?

In: a variant of a model, and people who move. Out: numbers. Every portrait is drawn as on the
screen and looked at by the judge as a picture of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np

from mirror.atelier.measures.judge import SURFACE, distance, expression, look, proportions
from mirror.atelier.measures.performances import Performance
from mirror.atelier.measures.variants import Variant, random_latents
from mirror.canonical import Frame, live_vertices
from mirror.latents.latents import CODE, isotropic, split
from mirror.signals import Floats

#: Heads turned further than this need not be found, radians.
MOST_YAW = np.radians(25.0)
#: People that one must be told apart from, and oneself.
SITTERS = 12
#: Two sitters whose own proportions are nearer than this are one person, in two films: the
#: nearest two of different people were twice as far apart.
SAME = 0.004
#: What an expression is made of, in the order of ``judge.expression``.
EXPRESSION = ("mouth", "yaw", "blink")


@dataclass
class Heard:
    """What became of one performance: distances from the sitter's own markers and from those that
    the accent made of them, and expressions asked for and found, (T, 3) each."""

    name: str
    own: list[float] = field(default_factory=list)
    commanded: list[float] = field(default_factory=list)
    asked: list[Floats] = field(default_factory=list)
    found: list[Floats] = field(default_factory=list)
    lost: int = 0


def found(variant: Variant, count: int, seed: int) -> float:
    """Share of random portraits in which the judge finds a face."""
    latents = random_latents(variant.model, count, seed, MOST_YAW)
    return float(np.mean([look(variant.portray(latent)) is not None for latent in latents]))


def hear(variant: Variant, performance: Performance, count: int = 40) -> Heard:
    """Let a portrait follow a performance, and look at it at so many moments."""
    model, frame = variant.model, variant.model.mesh.frame
    latents = performance.followed(model.geometry, frame, model.accent)
    heard, worn = Heard(performance.name), variant.dress(latents[0][CODE])
    for moment in performance.moments(count):
        markers, latent = performance.markers[moment], latents[moment]
        points = look(variant.portray(latent, worn=worn))
        if points is None:
            heard.lost += 1
            continue
        own = isotropic(markers, performance.aspect)
        pose, shape, _ = split(latent[None])
        heard.own.append(distance(points, own, frame))
        heard.commanded.append(
            distance(points, live_vertices(model.mesh, pose, shape)[0, : SURFACE + 10], frame)
        )
        heard.asked.append(expression(own, frame))
        heard.found.append(expression(points, frame))
    return heard


def obeys(heard: Sequence[Heard]) -> dict[str, float]:
    """What all performances together say.

    obeys, commanded: median distances. mouth, yaw, blink: correlations within the performances:
    the mean of each is taken off before they are put together, so that each counts by how much
    it moved. lost: share of portraits in which no face was found.
    """
    whole = [each for each in heard if each.asked]
    if not whole:
        return {"obeys": 1.0, "commanded": 1.0, "mouth": 0.0, "yaw": 0.0, "blink": 0.0, "lost": 1.0}
    moved = dict(zip(EXPRESSION, correlations([(each.asked, each.found) for each in whole])))
    seen, lost = sum(len(each.asked) for each in heard), sum(each.lost for each in heard)
    return {
        "obeys": float(np.median(np.concatenate([each.own for each in whole]))),
        "commanded": float(np.median(np.concatenate([each.commanded for each in whole]))),
        **moved,
        "lost": lost / (seen + lost),
    }


def each_of(heard: Sequence[Heard], name: str) -> dict[str, list[float]]:
    """Performance -> correlation of mouth, yaw or blink, and how far it moved (its deviation)."""
    column = EXPRESSION.index(name)
    told = {}
    for each in heard:
        if each.asked:
            together = correlations([(each.asked, each.found)])[column]
            moved = float(np.std(each.asked, axis=0)[column])
            told[each.name] = [round(together, 3), round(moved, 4)]
    return told


def correlations(pairs: Sequence[tuple[Sequence[Floats], Sequence[Floats]]]) -> list[float]:
    """Correlations within pairs of sequences, (T, C) each: what was asked, what was found.

    Returns C numbers; 0 for what never moved.
    """
    asked = np.concatenate([np.array(a) - np.mean(a, axis=0) for a, _ in pairs])  # (T, C)
    answered = np.concatenate([np.array(b) - np.mean(b, axis=0) for _, b in pairs])
    together = (asked * answered).sum(axis=0)
    alone = np.sqrt((asked**2).sum(axis=0) * (answered**2).sum(axis=0))
    return [float(r) for r in np.where(alone > 1e-12, together / np.maximum(alone, 1e-12), 0.0)]


def recognisable(
    variant: Variant, people: Sequence[Performance], rounds: int, seed: int
) -> tuple[float, int]:
    """Share of sitters that are nearest to themselves among 12, and how many were asked.

    people: more than enough to choose from; those who move come first and sit in every round. A
    portrait is made of one moment, and compared with the mean of others, where there are others.
    Nobody sits twice.
    """
    lot, right = np.random.default_rng(seed), []
    model = variant.model
    people = different(people, model.mesh.frame)
    follow = partial(
        Performance.followed, geometry=model.geometry, frame=model.mesh.frame, accent=model.accent
    )
    latents: dict[int, Floats] = {}
    for _ in range(rounds):
        movers = [n for n, one in enumerate(people) if len(one.markers) > 1][:SITTERS]
        others = [n for n, one in enumerate(people) if len(one.markers) == 1]
        wanted = min(SITTERS - len(movers), len(others))
        chosen = [*movers, *lot.choice(others, wanted, replace=False)] if wanted > 0 else movers
        latents.update({n: follow(people[n]) for n in chosen if n not in latents})
        right += _tell_apart(variant, [(people[n], latents[n]) for n in chosen], lot)
    return float(np.mean(right)), len(right)


def different(people: Sequence[Performance], frame: Frame) -> list[Performance]:
    """The same people, each of them once: nobody can be told from oneself in another film."""
    chosen, gallery = list[Performance](), list[Floats]()
    for person in people:
        own = known(person, frame)
        if all(np.linalg.norm(own - other) > SAME for other in gallery):
            chosen.append(person)
            gallery.append(own)
    return chosen


def _tell_apart(
    variant: Variant, people: Sequence[tuple[Performance, Floats]], lot: np.random.Generator
) -> list[bool]:
    """Whether each is nearest to themselves. A portrait without a face is nobody's."""
    frame = variant.model.mesh.frame
    own, seen = [], []
    for person, latents in people:
        moment = int(lot.integers(len(person.markers)))
        points = look(variant.portray(latents[moment]))
        own.append(known(person, frame, but=moment))
        seen.append(None if points is None else proportions(points, frame))
    gallery = np.stack(own)  # (12, 1434)
    return [
        one is not None and int(np.linalg.norm(gallery - one, axis=1).argmin()) == n
        for n, one in enumerate(seen)
    ]


def known(person: Performance, frame: Frame, but: int | None = None) -> Floats:
    """A person's own proportions, from all moments, or from all but the one that is portrayed
    where there are others.  (1434,)"""
    others = [n for n in range(len(person.markers)) if n != but] or [0]
    chosen = others[:: max(1, len(others) // 8)]
    shapes = [proportions(isotropic(person.markers[n], person.aspect), frame) for n in chosen]
    return np.asarray(np.mean(shapes, axis=0))
