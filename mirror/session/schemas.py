"""What a recorded session consists of: its values, its topics and their JSON Schemas.

``README.md`` beside this file says the same for somebody who writes a reader. Pure; any
thread.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from mirror import MARKERS
from mirror.signals import Sitters

#: The format's number. Fields may be added without a new one; readers pass over unknown fields.
FORMAT = 1

#: Profile in the MCAP header: what makes an MCAP file one of ours.
PROFILE = "mirror-session"

VALUES = 3 * MARKERS
#: Length of the base64 text of one sitter's markers.
TEXT_LENGTH = (4 * VALUES + 2) // 3 * 4


@dataclass(frozen=True)
class SessionHeader:
    """What was running when a session was recorded.

    settings: the resolved settings as plain tables. seed: of everything drawn by lot. version: of
    the program. weights: school -> sha256. aspect: width over height of the screen, which the
    river's bed depends on (each sitter carries the aspect of the camera's picture). pictures:
    True if the file holds pictures of people, not markers alone. start_s: the time of
    ``Sitters.time_s`` that is the session's 0 (0.0 when the show's time already starts there).
    source: where the markers came from. The recorder fills in the rest: started_ns (wall clock),
    recording (a name shared by all parts of one recording) and part (from 1). recovered: what was
    lost, in words, if the file was written by recovery.
    """

    settings: Mapping[str, Any] = field(default_factory=dict)
    seed: int = 0
    version: str = ""
    weights: Mapping[str, str] = field(default_factory=dict)
    aspect: float = 16 / 9
    pictures: bool = False
    start_s: float = 0.0
    source: str = ""
    started_ns: int = 0
    recording: str = ""
    part: int = 1
    recovered: str = ""


@dataclass(frozen=True)
class Moment:
    """The sitters of one moment with their times, as recorded.

    capture_s, arrival_s: monotonic clock, when the picture was taken and when its markers arrived.
    wall_ns: wall clock at arrival, nanoseconds since 1970.
    """

    sitters: Sitters
    capture_s: float
    arrival_s: float
    wall_ns: int


@dataclass(frozen=True)
class RiverHash:
    """sha256 of the river's state after so many steps, at a time of the session."""

    step: int
    time_s: float
    sha256: str


@dataclass(frozen=True)
class Event:
    """Something that happened: an arrival or a leaving (id), or a fault of the camera (detail)."""

    kind: str
    time_s: float
    id: int = 0
    detail: str = ""


@dataclass(frozen=True)
class Topic:
    """One channel of the file. Its number is fixed, so that one intact chunk can be read alone."""

    number: int
    name: str
    schema_name: str
    schema: dict[str, Any]


def _object(title: str, about: str, required: str, **properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": title,
        "description": about,
        "type": "object",
        "properties": properties,
        "required": required.split(),
    }


def _is(kind: str, about: str, **more: Any) -> dict[str, Any]:
    return {"type": kind, "description": about, **more}


_TIME = _is("number", "time of the session's own clock, seconds; the value the show computed with")
_IDS = {"type": "array", "items": {"type": "integer"}}
_NUMBER = ["number", "null"]

_SITTER = {
    "type": "object",
    "required": ["id", "aspect", "presence", "motion", "markers"],
    "properties": {
        "id": _is("integer", "counts arrivals from 1; says nothing of who it is"),
        "aspect": {"type": _NUMBER, "description": "width over height of the picture"},
        "presence": {"type": _NUMBER, "description": "0 to 1; null: not a number"},
        "motion": {"type": _NUMBER, "description": "face heights a second; null: not a number"},
        "markers": _is(
            "string",
            "478 FaceMesh markers (x, y, z), little-endian float32 in base64, as four planes of "
            "1434 bytes: the lowest byte of all values, then the second, third and highest. "
            "Values in the order x of all markers, y of all, z of all. x and z by the picture's "
            "width, y by its height, origin top left, y down, z negative towards the camera.",
            contentEncoding="base64",
            minLength=TEXT_LENGTH,
            maxLength=TEXT_LENGTH,
        ),
    },
}

TOPICS = (
    Topic(
        1, "/session", "mirror.Session",
        _object(
            "mirror.Session", "What was running; repeated through the file and at its end.",
            "format state version seed settings weights aspect pictures start_s started_ns "
            "recording part",
            format=_is("integer", "number of this format"),
            state=_is("string", "begin: first of a part; again: repeated; end: last of a part"),
            reason=_is("string", "why the part ended: closed, rotated, or stopped at a limit"),
            version=_is("string", "of the program"),
            seed=_is("integer", "of everything drawn by lot"),
            settings=_is("object", "the resolved settings"),
            weights=_is("object", "school to sha256 of its weights"),
            aspect=_is("number", "width over height of the screen"),
            pictures=_is("boolean", "true: this file holds pictures of people"),
            start_s=_is("number", "the value of time_s that is the session's 0"),
            source=_is("string", "where the markers came from"),
            started_ns=_is("string", "wall clock at start_s, nanoseconds since 1970, in digits"),
            recording=_is("string", "shared by all parts of one recording"),
            part=_is("integer", "number of the part, from 1"),
            recovered=_is("string", "what was lost, if the file was written by recovery"),
        ),
    ),
    Topic(
        2, "/sitters", "mirror.Sitters",
        _object(
            "mirror.Sitters", "All sitters at one moment: markers, and nothing else of them.",
            "time_s capture_s arrival_s wall_ns sitters",
            time_s=_TIME,
            capture_s=_is("number", "monotonic clock when the picture was taken, seconds"),
            arrival_s=_is("number", "monotonic clock when the markers arrived, seconds"),
            wall_ns=_is("string", "wall clock at arrival, nanoseconds since 1970, in digits"),
            arrived={**_IDS, "description": "ids whose visit begins now; absent: none"},
            left={**_IDS, "description": "ids whose visit ends now; absent: none"},
            sitters={"type": "array", "items": _SITTER},
        ),
    ),
    Topic(
        3, "/fault", "mirror.Fault",
        _object(
            "mirror.Fault", "The camera failed or came back, or the recorder lost something.",
            "time_s kind",
            time_s=_TIME,
            kind=_is("string", "what happened, in a word or two"),
            detail=_is("string", "more of it"),
        ),
    ),
    Topic(
        4, "/river", "mirror.RiverHash",
        _object(
            "mirror.RiverHash", "Proof of the river's state, once a second.", "time_s step sha256",
            time_s=_TIME,
            step=_is("integer", "fixed time steps done so far"),
            sha256=_is("string", "of the state's bytes, 64 hexadecimal digits"),
        ),
    ),
    Topic(
        5, "/picture", "foxglove.CompressedImage",
        _object(
            "foxglove.CompressedImage", "A camera frame. Only in files whose header says pictures.",
            "timestamp frame_id data format time_s number",
            timestamp={
                "type": "object", "title": "time",
                "properties": {"sec": {"type": "integer"}, "nsec": {"type": "integer"}},
            },
            frame_id=_is("string", "camera"),
            data=_is("string", "a JPEG file", contentEncoding="base64"),
            format=_is("string", "jpeg"),
            time_s=_TIME,
            number=_is("integer", "counts the frames of the source from 0"),
        ),
    ),
)  # fmt: skip

BY_NAME = {topic.name: topic for topic in TOPICS}
BY_NUMBER = {topic.number: topic for topic in TOPICS}


def topic_number(name: str) -> int:
    """The number of a topic of ours; 0 for another."""
    return BY_NAME[name].number if name in BY_NAME else 0
