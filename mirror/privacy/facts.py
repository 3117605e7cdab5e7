"""What a site's settings mean for visitors: settings come in, plain facts go out.

The statement and the notice on the wall are both made from these, so they can't say two things.
Pure; any thread.
"""

from __future__ import annotations

import ipaddress
import math
from dataclasses import dataclass

from mirror.camera.capture import GRACE_S
from mirror.settings import Settings

#: A visit has faded when so much of it is left.
FADED = 0.05


@dataclass(frozen=True)
class Facts:
    """looks: whether a camera is used. over_network: whether its pictures come over a network.

    faces: most that are measured at once. usual_ms, longest_s: how long a camera's picture is held.
    lost_s: how long markers are held after a face is lost. half_life_s: half of a visit fades in;
    faded_s: until a twentieth is left. saves: whether the river is saved for a restart.
    recordings: the folder of recordings, empty when none is named; keep_days: 0 for ever.
    counts: the file that keeps the number of visits a day. log: the folder of the program's log.
    watched: 'no', 'here' or 'elsewhere': whether staff can see the picture on the screen.
    controlled: the same for show control. operator, contact, more_url: of whoever is responsible.
    """

    looks: bool
    over_network: bool
    faces: int
    usual_ms: int
    longest_s: float
    lost_s: float
    half_life_s: float
    faded_s: float
    saves: bool
    recordings: str
    keep_days: float
    counts: str
    log: str
    watched: str
    controlled: str
    operator: str
    contact: str
    more_url: str


def facts(settings: Settings, saves: bool = False) -> Facts:
    """The facts of a site. saves: whether the run saves its river."""
    camera, river, record = settings.camera, settings.river, settings.record
    status, osc, privacy = settings.status, settings.osc, settings.privacy
    needs_none = settings.piece == "passersby" and not settings.osc.on
    return Facts(
        looks=not needs_none,
        over_network="://" in camera.source,
        faces=settings.markers.sitters,
        usual_ms=round(1000 / camera.rate_hz),
        longest_s=round(camera.read_timeout_s + GRACE_S + 0.1, 1),
        lost_s=settings.markers.leave_s,
        half_life_s=river.fade_half_life_s,
        faded_s=river.fade_half_life_s * math.log2(1 / FADED),
        saves=saves,
        recordings=record.folder,
        keep_days=record.keep_days,
        counts=status.visits if status.on else "",
        log=settings.log.folder,
        watched=_reach(status.on and status.picture, status.address),
        controlled=_reach(osc.on, osc.address),
        operator=privacy.operator,
        contact=privacy.contact,
        more_url=privacy.more_url,
    )


def _reach(on: bool, address: str) -> str:
    """From where something can be reached."""
    if not on:
        return "no"
    try:
        loopback = ipaddress.ip_address(address).is_loopback
    except ValueError:  # a name
        loopback = address == "localhost"
    return "here" if loopback else "elsewhere"
