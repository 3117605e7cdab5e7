"""Whether the show is well: vital signs come in, one of three words and its reasons go out."""

from __future__ import annotations

from dataclasses import dataclass

from mirror.status.vitals import Vitals

OK, AILING, FAILED = "ok", "ailing", "failed"
#: No new picture for longer is a failure, seconds; and while it starts.
PICTURE_S, START_S = 5.0, 60.0
#: A camera that is away for longer than this is a failure; before, the show ails.
CAMERA_S = 300.0
#: What a camera does when it is away.
AWAY = ("blocked", "frozen", "failed", "gone")
#: Fewer pictures a second are too few.
SLOW_HZ = 8.0


@dataclass(frozen=True)
class Health:
    """state: ok, ailing (it is shown, but somebody should look) or failed. reasons: in words."""

    state: str
    reasons: tuple[str, ...]

    @property
    def http(self) -> int:
        """The status that an HTTP request is answered with."""
        return 503 if self.state == FAILED else 200


def judge(vitals: Vitals, now_s: float, begun_s: float, camera_away_s: float) -> Health:
    """How well the show is.

    now_s: on the computer's monotonic clock. begun_s: when the show began, on the same.
    camera_away_s: for how long the camera has been away by now.
    """
    failed: list[str] = []
    ailing: list[str] = []
    if not vitals.pictures:
        (failed if now_s - begun_s > START_S else ailing).append("no picture yet")
    elif now_s - vitals.at_s > PICTURE_S:
        failed.append(f"no new picture for {now_s - vitals.at_s:.0f} s")
    elif vitals.uptime_s > START_S and 0 < vitals.fps < SLOW_HZ and not vitals.resting:
        ailing.append(f"{vitals.fps:.1f} pictures a second")
    if not vitals.painting:
        failed.append("nothing is painted")
    if vitals.camera in AWAY:
        away = f"camera {vitals.camera} for {camera_away_s:.0f} s"
        (failed if camera_away_s > CAMERA_S else ailing).append(away)
    if vitals.ladder:
        ailing.append(f"load taken down by {vitals.ladder}")
    state = FAILED if failed else AILING if ailing else OK
    return Health(state, tuple(failed + ailing))
