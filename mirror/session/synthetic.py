"""Sitters that never lived: for tests, for rehearsals, and for a show that has no camera.

They walk in from a side, stand, look about, speak, blink, and leave; now and then there are two.
In: a length and a seed. Out: ``Sitters`` as a camera would have given them, the same ones for the
same seed on every processor. Any length: what is not yet seen is not yet made. Pure; any thread.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from mirror import __version__
from mirror.canonical import Frame, load_frame
from mirror.errors import SessionError
from mirror.exact import wave
from mirror.session.messages import encode_moment
from mirror.session.puppet import GRID, PROPORTIONS, Doubles, Pose, Puppet, make_puppet, smooth
from mirror.session.puppet import place as place_face
from mirror.session.schemas import Moment, SessionHeader
from mirror.session.tape import Tape
from mirror.signals import Floats, Sitter, Sitters

WALK_S = 2.2
#: As the tracker does: a face is seen for a while before it has arrived, and lost before it left.
ARRIVE_S, LEAVE_S, RISE_S = 0.3, 1.2, 0.5
BLINK_S = 0.16

#: First absence, absence and presence, seconds, from and to: one who is mostly there, one seldom.
LANES = (((0.6, 1.2), (3.0, 6.0), (15.0, 26.0)), ((9.0, 13.0), (7.0, 15.0), (10.0, 18.0)))

#: A body sways and a head turns slowly; a voice, a look and brows are quicker.
WAVES_HZ = (0.12, 0.2, 0.33, 0.55, 0.9)
SLOWER = np.array([0.45] * 3 + [1.0, 1.0] + [0.45] * 3 + [1.0, 0.5, 1.0, 0.7, 1.2, 1.2])
#: Synthetic recordings begin at the turn of the century, so that their bytes are always the same.
BEGAN_NS = 946_684_800 * 10**9

SHORTEST_S = 2 * WALK_S + 0.4


@dataclass(frozen=True)
class Wander:
    """N smooth wandering numbers, about -1 to 1, that never quite repeat.

    rate_hz, turn: (N, 5) float64, of the waves that each is the sum of.
    """

    rate_hz: Doubles
    turn: Doubles

    def at(self, time_s: float) -> list[float]:
        """Their values at a time."""
        return list(wave(self.rate_hz * time_s + self.turn).mean(axis=1) * 1.6)


@dataclass(frozen=True)
class Guest:
    """One who comes, stands and goes. lane: 0 or 1. x, y: where the face stands,
    image-normalised. scale: heights of the picture in a portrait unit. side: where from and where
    to, -1 or 1, so that two never walk through each other. blinks_s: when, since coming."""

    lane: int
    start_s: float
    end_s: float
    puppet: Puppet
    x: float
    y: float
    scale: float
    side: int
    blinks_s: Doubles
    wander: Wander


def synthesise(
    seconds: float,
    seed: int,
    rate_hz: float = 30.0,
    aspect: float = 16 / 9,
    weights: Path | None = None,
) -> Iterator[Sitters]:
    """Sitters at every 1/rate_hz from 0 s on, for so many seconds; the room is empty at the end.

    In less than about 8 s nobody has the time to come and go.

    seed: 0 or more. aspect: of the camera's picture. weights: folder with the canonical frame;
    raises WeightsError if there is none.
    """
    frame = load_frame(weights)
    lanes = [_guests(lane, seconds, seed, frame, aspect) for lane in range(len(LANES))]
    acts = [_Act(guests, aspect, 1 / rate_hz) for guests in lanes]
    numbers = itertools.count(1)
    for step in range(round(seconds * rate_hz)):
        time_s = step / rate_hz
        seen = [act.at(time_s, numbers) for act in acts]
        yield Sitters(
            time_s,
            tuple(sitter for one in seen for sitter in one.sitters),
            tuple(number for one in seen for number in one.arrived),
            tuple(number for one in seen for number in one.left),
        )


def write_synthetic(
    out: Path, seconds: float, seed: int, rate_hz: float = 30.0, aspect: float = 16 / 9
) -> int:
    """Record synthetic sitters into a new file, the same bytes for the same arguments.

    Returns the file's size in bytes; raises SessionError if it cannot be written.
    """
    header = SessionHeader(
        seed=seed, version=__version__, source="synthetic", started_ns=BEGAN_NS,
        recording=f"synthetic-{seed}",
    )  # fmt: skip
    try:
        with Tape(out, header) as tape:
            for number, sitters in enumerate(synthesise(seconds, seed, rate_hz, aspect), 1):
                now_ns = BEGAN_NS + round(sitters.time_s * 1e9)
                moment = Moment(sitters, sitters.time_s, sitters.time_s, now_ns)
                tape.add(2, now_ns, now_ns, encode_moment(moment), number)
    except FileExistsError as error:
        raise SessionError(str(out), "exists already", "a new file") from error
    except OSError as error:
        raise SessionError(str(out), f"cannot be written ({error.strerror})") from error
    return out.stat().st_size


def _guests(lane: int, seconds: float, seed: int, frame: Frame, aspect: float) -> Iterator[Guest]:
    """The guests of one lane, one after another."""
    rng = np.random.Generator(np.random.Philox(key=[seed, lane]))
    first, pause, stay = LANES[lane]
    start_s, limit_s = rng.uniform(*first), seconds - LEAVE_S - 0.2 - 1.7 * lane
    mirrored = np.random.Generator(np.random.Philox(key=[seed, 99])).integers(0, 2) * 2 - 1
    while True:
        end_s = start_s + rng.uniform(*stay)
        if limit_s - end_s < pause[0] + SHORTEST_S:  # nobody would come after
            end_s = limit_s
        if end_s - start_s < SHORTEST_S:
            return
        puppet = make_puppet(frame, rng.uniform(-1.0, 1.0, PROPORTIONS))
        height = rng.uniform(0.22, 0.36)
        side = mirrored * (1 if lane else -1)
        yield Guest(
            lane, start_s, end_s, puppet,
            x=0.5 + side * rng.uniform(0.14, 0.24),
            y=rng.uniform(0.38, 0.5),
            scale=height / puppet.height,
            side=side,
            blinks_s=np.cumsum(rng.uniform(1.8, 6.0, 40)),
            wander=_wander(rng),
        )  # fmt: skip
        start_s = end_s + rng.uniform(*pause)


def _wander(rng: np.random.Generator) -> Wander:
    rate_hz = rng.uniform(0.5, 1.6, (len(SLOWER), 5)) * WAVES_HZ * SLOWER[:, None]
    return Wander(rate_hz, rng.uniform(0, 1, rate_hz.shape))


class _Act:
    """One lane while it is played: who is on, and what was seen of them last."""

    def __init__(self, guests: Iterator[Guest], aspect: float, step_s: float) -> None:
        self._guests, self._aspect, self._step_s = guests, aspect, step_s
        self._guest = next(guests, None)
        self._sitter: Sitter | None = None
        self._since_s: float | None = None  # when the face came into the picture
        self._lost_s: float | None = None
        self._last: Floats | None = None
        self._motion = 0.0

    def at(self, time_s: float, numbers: Iterator[int]) -> Sitters:
        """Whoever of this lane is there at a time; to be asked step by step."""
        guest = self._guest
        if guest is None or time_s < guest.start_s:
            return Sitters(time_s)
        markers = self._markers(guest, time_s)
        if markers is None:
            return self._lose(guest, time_s)
        self._since_s, self._lost_s = self._since_s or time_s, None
        self._move(markers)
        arrived: tuple[int, ...] = ()
        if time_s - self._since_s < ARRIVE_S:
            return Sitters(time_s)
        if self._sitter is None:
            arrived = (next(numbers),)
            self._sitter = Sitter(arrived[0], markers, self._aspect, 0.0, 0.0)
        presence = min(1.0, (time_s - self._since_s - ARRIVE_S) / RISE_S)
        self._sitter = replace(
            self._sitter, markers=markers, presence=_grid(presence), motion=_grid(self._motion)
        )
        return Sitters(time_s, (self._sitter,), arrived)

    def _markers(self, guest: Guest, time_s: float) -> Floats | None:
        """The face's markers; None when it is not wholly in the picture."""
        markers = perform(guest, time_s, self._aspect)
        low, high = markers[:, 0].min(), markers[:, 0].max()
        inside = time_s <= guest.end_s and low > -0.01 and high < 1.01
        return markers if inside else None

    def _move(self, markers: Floats) -> None:
        """How fast the face moves, in face heights a second, smoothed over a few steps."""
        if self._last is not None:
            moved = (markers - self._last)[:, :2].astype(np.float64) * [self._aspect, 1.0]
            speed = np.sqrt((moved**2).sum(axis=1)).mean() / self._step_s
            tall = float(np.ptp(markers[:, 1]))
            self._motion += min(1.0, self._step_s / 0.1) * (speed / tall - self._motion)
        self._last = markers

    def _lose(self, guest: Guest, time_s: float) -> Sitters:
        """A face that was there is held for a while, and then has left."""
        self._lost_s = time_s if self._lost_s is None else self._lost_s
        gone_s = time_s - self._lost_s
        if time_s > guest.start_s + WALK_S and (self._sitter is None or gone_s >= LEAVE_S):
            left = (self._sitter.id,) if self._sitter else ()
            self._guest, self._sitter = next(self._guests, None), None
            self._since_s = self._lost_s = self._last = None
            self._motion = 0.0
            return Sitters(time_s, (), (), left)
        if self._sitter is None:
            return Sitters(time_s)
        fading = replace(self._sitter, presence=_grid(1.0 - gone_s / LEAVE_S), motion=0.0)
        return Sitters(time_s, (fading,))


def perform(guest: Guest, time_s: float, aspect: float) -> Floats:
    """A guest's markers at a time: (478, 3) float32, image-normalised, perhaps out of sight."""
    at_s, sway = time_s - guest.start_s, guest.wander.at(time_s)
    edge = 0.5 * guest.scale * guest.puppet.height / aspect + 0.02
    far = 1.0 + edge if guest.side > 0 else -edge
    came = float(smooth(0.0, WALK_S, at_s))
    went = float(smooth(0.0, WALK_S, time_s - (guest.end_s - WALK_S)))
    x = guest.x + (far - guest.x) * (1.0 - came + went)
    hurry = 4 * (came * (1 - came) + went * (1 - went))  # 1 in mid walk
    heading = -guest.side if came < 1 else guest.side
    face = guest.puppet.face(_pose(guest, at_s, sway, hurry * heading))
    x += 0.012 * sway[0] * (1 - hurry)
    y = guest.y + 0.008 * sway[1] + 0.012 * hurry * float(wave(np.array(1.9 * at_s)))
    scale = guest.scale * (1 + 0.04 * sway[2])
    middle = guest.puppet.rest[:, 1].mean() * scale
    return place_face(face, (x, y - middle), scale, aspect)


def _pose(guest: Guest, at_s: float, sway: list[float], heading: float) -> Pose:
    """What the face does: looks about, speaks in phrases, blinks."""
    phrase = float(smooth(0.0, 0.35, sway[3]))
    syllable = 0.5 + 0.5 * float(wave(np.array(3.6 * at_s + 0.5 * sway[4])))
    speaking = phrase * (1.0 - 0.8 * abs(heading))
    since_s = at_s - guest.blinks_s[np.searchsorted(guest.blinks_s, at_s) - 1]
    blink = 1.0 - abs(2 * since_s / BLINK_S - 1) if 0 <= since_s <= BLINK_S else 0.0
    still = 1.0 - 0.6 * abs(heading)
    return Pose(
        yaw=0.5 * sway[5] * still + 0.55 * heading,
        pitch=0.16 * sway[6] + 0.03 * speaking * syllable,
        roll=0.12 * sway[7],
        jaw=0.02 + speaking * (0.06 + 0.2 * syllable * (0.6 + 0.4 * sway[8])),
        smile=max(-0.3, 0.9 * sway[9]),
        pucker=speaking * 0.8 * sway[10],
        brows=max(-0.4, sway[11]),
        lids=0.06 + 0.94 * float(smooth(0.0, 0.7, blink)),
        gaze=(sway[12], 0.6 * sway[13]),
    )


def _grid(value: float) -> float:
    return round(max(0.0, value) * GRID) / GRID
