"""Recorded camera sessions: how the piece is rehearsed, debugged, conserved and proved.

A session is an MCAP file (https://mcap.dev) that every MCAP tool opens. It holds the markers of
every sitter with their times, arrivals and leavings, the camera's faults, the settings and
weights, and the river's hash once a second; pictures of people only when they were asked for in
those words. ``README.md`` in this folder is the format.

``record`` writes it from the show, ``read`` gives it back bit for bit, ``verify`` looks it
through, ``recover`` mends it, ``export`` turns it into tables, ``retention`` forgets the old ones
and ``synthetic`` makes sitters that never lived.
"""

from __future__ import annotations

from mirror.session.read import Session, open_session
from mirror.session.record import Recorder
from mirror.session.recover import Recovery, recover
from mirror.session.reel import Limits
from mirror.session.retention import Kept, forget_older, shelf
from mirror.session.schemas import Event, Moment, RiverHash, SessionHeader
from mirror.session.verify import Survey, survey

__all__ = [
    "Event",
    "Kept",
    "Limits",
    "Moment",
    "Recorder",
    "Recovery",
    "RiverHash",
    "Session",
    "SessionHeader",
    "Survey",
    "forget_older",
    "open_session",
    "recover",
    "shelf",
    "survey",
]
