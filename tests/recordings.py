"""Recordings for the tests of sessions: sitters drawn by lot, written and compared bit by bit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from mirror.session.messages import encode_hash, encode_moment
from mirror.session.schemas import Moment, RiverHash, SessionHeader
from mirror.session.tape import Tape
from mirror.signals import Sitter, Sitters

BEGAN_NS = 1_700_000_000 * 10**9
RATE_HZ = 30.0
HEADER = SessionHeader(
    settings={"river": {"parcels": 96}, "camera": {"source": "rtsp://me:secret@host/eye"}},
    seed=7,
    version="0.1.0",
    weights={"panel": "ab" * 32},
    started_ns=BEGAN_NS,
    recording="evening",
)


def room(seconds: float, seed: int = 1) -> list[Sitters]:
    """A room in which 1 stays from 1 s on and 2 comes and goes: all values drawn by lot."""
    rng = np.random.default_rng(seed)
    moments, before = [], set[int]()
    for step in range(round(seconds * RATE_HZ)):
        time_s = step / RATE_HZ + 1e-4 * rng.uniform()
        here = {id for id in (1, 2) if (time_s > 1 if id == 1 else time_s % 3 > 1.5)}
        sitters = tuple(sitter(id, rng) for id in sorted(here))
        moments.append(
            Sitters(time_s, sitters, tuple(sorted(here - before)), tuple(sorted(before - here)))
        )
        before = here
    return moments


def sitter(id: int, rng: np.random.Generator) -> Sitter:
    """A sitter whose every number is drawn by lot."""
    markers = rng.normal(0.5, 0.2, (478, 3)).astype(np.float32)
    return Sitter(id, markers, 16 / 9, float(rng.uniform()), float(rng.uniform()))


def write(path: Path, moments: list[Sitters], header: SessionHeader = HEADER) -> Path:
    """A recording, flushed as a recorder would, with a hash of the river every second."""
    sequence = 0
    with Tape(path, header) as tape:
        for step, sitters in enumerate(moments):
            now_ns = BEGAN_NS + round(sitters.time_s * 1e9)
            sequence += 1
            told = encode_moment(Moment(sitters, sitters.time_s, sitters.time_s + 0.01, now_ns))
            tape.add(2, now_ns, now_ns - 10_000_000, told, sequence)
            if step % 30 == 0:
                sequence += 1
                told = encode_hash(RiverHash(step, sitters.time_s, f"{step:064x}"))
                tape.add(4, now_ns, now_ns, told, sequence)
            if step % 8 == 7:
                tape.flush()
    return path


def bits(sitters: Sitters) -> Any:
    """Everything in the sitters of a moment, to be compared exactly."""
    each = tuple(
        (s.id, s.aspect, s.presence, s.motion, s.markers.dtype, s.markers.tobytes())
        for s in sitters.sitters
    )
    return sitters.time_s, sitters.arrived, sitters.left, each
