"""Values with their times as JSON messages, and back again bit for bit.

In: the values of ``signals.py``. Out: bytes for the topics of ``schemas.py``; or, from bytes that
may have been made to hurt, the same values, or a SessionError. Pure; any thread.
"""

from __future__ import annotations

import base64
import json
import math
import re
from collections.abc import Callable
from dataclasses import asdict
from typing import Any, TypeVar

import numpy as np

from mirror import MARKERS
from mirror.errors import SessionError
from mirror.session.schemas import FORMAT, VALUES, Event, Moment, RiverHash, SessionHeader
from mirror.signals import Floats, Sitter, Sitters, check

#: Longest message of each topic that a reader accepts, in bytes.
MOST_MESSAGE_BYTES = {"/picture": 24 << 20}
MOST_OTHER_BYTES = 1 << 20

#: What JSON of another shape than ours can raise.
_BROKEN = (ValueError, KeyError, TypeError, AttributeError, RecursionError, OverflowError)

_PASSWORD = re.compile(r"(?<=://)[^/@\s]+@")

Value = TypeVar("Value")


def pack_markers(markers: Floats) -> str:
    """Markers as base64 text; raises ShapeError unless (478, 3) float32.

    Byte planes let the compressor see that neighbouring values share their high bytes: 3.6 KB a
    face instead of 5.6, 2.0 if the values lie on a grid of 1/65536 (measured on a real sitter).
    """
    check("markers", markers, (MARKERS, 3))
    values = np.ascontiguousarray(markers.T, "<f4").reshape(VALUES)
    planes = values.view(np.uint8).reshape(VALUES, 4).T
    return base64.b64encode(planes.tobytes()).decode("ascii")


def unpack_markers(text: str) -> Floats:
    """The markers that ``pack_markers`` packed, bit for bit.  -> (478, 3) float32"""
    raw = base64.b64decode(text, validate=True)
    if len(raw) != 4 * VALUES:
        raise ValueError(f"{len(raw)} bytes of markers, not {4 * VALUES}")
    values = np.empty((VALUES, 4), np.uint8)
    for number, plane in enumerate(np.frombuffer(raw, np.uint8).reshape(4, VALUES)):
        values[:, number] = plane
    return np.ascontiguousarray(values.view("<f4").reshape(3, MARKERS).T, np.float32)


def encode_header(header: SessionHeader, state: str, reason: str = "") -> bytes:
    """The header as a message of /session; passwords in camera addresses are left out."""
    fields = {"format": FORMAT, "state": state, **asdict(header)}
    fields["started_ns"] = str(header.started_ns)
    if reason:
        fields["reason"] = reason
    if not header.recovered:
        del fields["recovered"]
    text = json.dumps(fields, default=str, separators=(",", ":"), allow_nan=False)
    return _PASSWORD.sub("", text).encode()


def decode_header(data: bytes) -> tuple[SessionHeader, str]:
    """Header and state of a /session message; SessionError for another format or a broken one."""

    def build(fields: dict[str, Any]) -> tuple[SessionHeader, str]:
        if int(fields["format"]) != FORMAT:
            raise SessionError(
                "/session message", f"format {int(fields['format'])}", f"format {FORMAT}",
                f"the version of the program that recorded it ({str(fields.get('version'))[:40]})",
            )  # fmt: skip
        return _header(fields), str(fields["state"])

    return _decode("/session", data, build)


def _header(fields: dict[str, Any]) -> SessionHeader:
    return SessionHeader(
        settings=dict(fields["settings"]),
        seed=int(fields["seed"]),
        version=str(fields["version"]),
        weights={str(school): str(digest) for school, digest in dict(fields["weights"]).items()},
        aspect=_finite(fields["aspect"]),
        pictures=bool(fields["pictures"]),
        start_s=_finite(fields["start_s"]),
        source=str(fields.get("source", "")),
        started_ns=int(fields["started_ns"]),
        recording=str(fields["recording"]),
        part=int(fields["part"]),
        recovered=str(fields.get("recovered", "")),
    )


def encode_moment(moment: Moment) -> bytes:
    """Sitters with their times as a message of /sitters; ShapeError for other markers."""
    sitters = moment.sitters
    fields: dict[str, Any] = {
        "time_s": float(sitters.time_s),
        "capture_s": float(moment.capture_s),
        "arrival_s": float(moment.arrival_s),
        "wall_ns": str(int(moment.wall_ns)),
    }
    if sitters.arrived:
        fields["arrived"] = [int(number) for number in sitters.arrived]
    if sitters.left:
        fields["left"] = [int(number) for number in sitters.left]
    fields["sitters"] = [_encode_sitter(sitter) for sitter in sitters.sitters]
    return json.dumps(fields, separators=(",", ":"), allow_nan=False).encode()


def _encode_sitter(sitter: Sitter) -> dict[str, Any]:
    return {
        "id": int(sitter.id),
        "aspect": _number(sitter.aspect),
        "presence": _number(sitter.presence),
        "motion": _number(sitter.motion),
        "markers": pack_markers(sitter.markers),
    }


def decode_moment(data: bytes) -> Moment:
    """The moment that ``encode_moment`` wrote; SessionError if it is none."""

    def build(fields: dict[str, Any]) -> Moment:
        sitters = Sitters(
            _finite(fields["time_s"]),
            tuple(_decode_sitter(each) for each in fields["sitters"]),
            tuple(int(number) for number in fields.get("arrived", ())),
            tuple(int(number) for number in fields.get("left", ())),
        )
        times = _finite(fields["capture_s"]), _finite(fields["arrival_s"])
        return Moment(sitters, *times, int(fields["wall_ns"]))

    return _decode("/sitters", data, build)


def _decode_sitter(fields: dict[str, Any]) -> Sitter:
    numbers = [_read_number(fields[name]) for name in ("aspect", "presence", "motion")]
    return Sitter(int(fields["id"]), unpack_markers(fields["markers"]), *numbers)


def encode_fault(event: Event) -> bytes:
    """A fault as a message of /fault."""
    fields = {"time_s": float(event.time_s), "kind": str(event.kind)}
    if event.detail:
        fields["detail"] = _PASSWORD.sub("", str(event.detail))
    return json.dumps(fields, separators=(",", ":"), allow_nan=False).encode()


def decode_fault(data: bytes) -> Event:
    """The fault that ``encode_fault`` wrote; SessionError if it is none."""
    return _decode(
        "/fault",
        data,
        lambda f: Event(str(f["kind"]), _finite(f["time_s"]), detail=str(f.get("detail", ""))),
    )


def encode_hash(hashed: RiverHash) -> bytes:
    """A river's hash as a message of /river."""
    fields = {"time_s": float(hashed.time_s), "step": int(hashed.step), "sha256": hashed.sha256}
    return json.dumps(fields, separators=(",", ":"), allow_nan=False).encode()


def decode_hash(data: bytes) -> RiverHash:
    """The hash that ``encode_hash`` wrote; SessionError if it is none."""
    return _decode(
        "/river", data, lambda f: RiverHash(int(f["step"]), _finite(f["time_s"]), str(f["sha256"]))
    )


def encode_picture(jpeg: bytes, number: int, time_s: float, wall_ns: int) -> bytes:
    """A JPEG file as a message of /picture."""
    fields = {
        "timestamp": {"sec": wall_ns // 10**9, "nsec": wall_ns % 10**9},
        "frame_id": "camera",
        "format": "jpeg",
        "time_s": float(time_s),
        "number": int(number),
        "data": base64.b64encode(jpeg).decode("ascii"),
    }
    return json.dumps(fields, separators=(",", ":"), allow_nan=False).encode()


def decode_picture(data: bytes) -> tuple[bytes, int, float]:
    """JPEG file, frame number and time of a /picture message; SessionError if it is none."""
    return _decode(
        "/picture",
        data,
        lambda f: (
            base64.b64decode(f["data"], validate=True), int(f["number"]), _finite(f["time_s"])
        ),
    )  # fmt: skip


def _decode(topic: str, data: bytes, build: Callable[[dict[str, Any]], Value]) -> Value:
    """Parse JSON that may have been made to hurt: too long, too deep, of another shape."""
    most = MOST_MESSAGE_BYTES.get(topic, MOST_OTHER_BYTES)
    if len(data) > most:
        raise SessionError(f"{topic} message", f"{len(data)} bytes", f"at most {most}")
    try:
        return build(json.loads(data))
    except (
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
        RecursionError,
        OverflowError,
    ) as error:
        found = f"cannot be read ({type(error).__name__}: {str(error)[:80]})"
        raise SessionError(f"{topic} message", found, "see mirror/session/README.md") from error


def _number(value: float) -> float | None:
    """JSON knows no infinity and no not-a-number."""
    return float(value) if math.isfinite(value) else None


def _read_number(value: Any) -> float:
    return math.nan if value is None else float(value)


def _finite(value: Any) -> float:
    number = float(value)
    if not math.isfinite(number):
        raise ValueError("not a finite number")
    return number


#: How the messages of each topic are read.
DECODE: dict[str, Callable[[bytes], Any]] = {
    "/session": decode_header,
    "/sitters": decode_moment,
    "/fault": decode_fault,
    "/river": decode_hash,
    "/picture": decode_picture,
}
