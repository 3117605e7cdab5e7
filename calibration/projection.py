"""``calibrate screen``: where the picture lies on the wall, by hand or by what a camera sees.

In: a site's settings. Out: the settings as they should be, and how well they were met. Draws in a
real window, on the thread that calls; nothing is written here.
"""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from calibration.board import LAID, PLACES, WHITE, Board, find_marks
from calibration.handles import Handles
from calibration.lens import View, fit_view
from calibration.onlooker import Onlooker
from calibration.squaring import Squared, square
from mirror.clock import Clock, MonotonicClock
from mirror.errors import SourceError
from mirror.screen.chart import Chart
from mirror.settings import ScreenSettings
from mirror.signals import Bytes
from mirror.site.keystone import CORNERS, Doubles, homography, picture_size, project

Tell = Callable[[str], None]

#: The first board is looked for so long, and in so many pictures, at each brightness; what follows
#: it will be seen too, if late.
LOOK_S, LOOKS, SURELY_S = 4.0, 12, 40.0
WHITES = (WHITE, 90, 255)
#: So many pictures of each board, the first of them thrown away: it may show half of the last.
PICTURES = 4
#: A hand is watched so often, and without it the pattern is drawn anew so rarely.
HAND_RATE_HZ, IDLE_S = 60.0, 0.25


@dataclass(frozen=True)
class Found:
    """What came of it. keystone_px: how far the worst corner lies from where it should, in pixels
    of the screen: None if no camera looked. view: how the camera sees the screen."""

    screen: ScreenSettings
    monitor: str
    size: tuple[int, int]
    keystone_px: float | None = None
    view: View | None = None
    mirrored: bool = False


def by_hand(
    settings: ScreenSettings, kind: str = "window", seconds: float | None = None,
    clock: Clock | None = None,
) -> Found | None:  # fmt: skip
    """Show the test pattern and let a hand pull its corners; None when it is left as it was.

    seconds: at most so long, then as it was. Raises ScreenError.
    """
    clock = clock or MonotonicClock()
    end_s = clock.now_s() + (seconds if seconds is not None else 1e9)
    with Chart(kind, (settings.width_px, settings.height_px), settings) as chart:
        handles, over, due_s = Handles(settings, chart.size), None, 0.0
        while not chart.should_close and not handles.ended and clock.now_s() < end_s:
            if handles.size != chart.size:  # another monitor, or another mode
                handles, over = Handles(handles.settings, chart.size), None
            touches = chart.touches()
            for touch in touches:
                handles.take(touch)
            if over is None or touches:
                over, due_s = handles.draw(), 0.0
            if clock.now_s() >= due_s:
                chart.show_pattern(handles.settings, over)
                due_s = clock.now_s() + IDLE_S
            clock.sleep_s(1 / HAND_RATE_HZ)
        if handles.ended != "save":
            return None
        return Found(handles.settings, chart.monitor, chart.size, handles.residual_px)


def by_camera(
    settings: ScreenSettings, onlooker: Onlooker, marks: bool, tell: Tell, kind: str = "window"
) -> Found:
    """Show codes, and lay the picture as the camera that sees them says.

    marks: the picture goes between four marks on the wall; else it becomes upright as the camera
    sees it. Raises SourceError when the camera does not see them, ScreenError, SettingsError.
    """
    with Chart(kind, (settings.width_px, settings.height_px), settings) as chart:
        tell("waiting for the camera's first picture")
        first = onlooker.first(lambda: chart.show_picture(_grey(chart.size)))
        size = first.picture.shape[1], first.picture.shape[0]
        white, mirrored, screen, camera = _see_boards(chart, onlooker, tell)
        view = fit_view(screen, camera, size)
        tell(f"{len(screen)} corners, explained to {view.residual_px:.2f} px of the camera")
        aim = view.lens.straighten(_see_marks(chart, onlooker)) if marks else None
        squared = square(view.matrix, chart.size, aim, mirrored)
        screen_settings = dataclasses.replace(
            settings, keystone=squared.keystone, turn_deg=squared.turn_deg
        )
        tell(f"turned by {squared.turn_deg} degrees; looking whether it lies where it should")
        off_px = _verify(chart, onlooker, screen_settings, view, squared, white)
        return Found(screen_settings, chart.monitor, chart.size, off_px, view, mirrored)


def _see_boards(chart: Chart, onlooker: Onlooker, tell: Tell) -> tuple[int, bool, Doubles, Doubles]:
    """How bright the board was, whether it was mirrored, and its corners: screen and camera."""
    for white in WHITES:
        tell(f"looking for the board at {white / 2.55:.0f} % white")
        first = _look(chart, onlooker, Board(chart.size), white, LOOK_S)
        if first is None:
            continue
        more = [
            _look(chart, onlooker, Board(chart.size, n), white, SURELY_S) for n in range(1, PLACES)
        ]
        seen = [first, *(board for board in more if board is not None)]
        screen, camera = (np.concatenate([each[n] for each in seen]) for n in (0, 1))
        return white, first[2], screen, camera
    raise SourceError(
        "calibrate screen", complaint(onlooker, chart), "a camera that sees the whole screen",
        "turn the camera to the screen, darken the room, or pull the corners by hand: without "
        "--auto",
    )  # fmt: skip


def _look(
    chart: Chart, onlooker: Onlooker, board: Board, white: int, patience_s: float,
    settings: ScreenSettings | None = None,
) -> tuple[Doubles, Doubles, bool] | None:  # fmt: skip
    """Show a board and look at it: its corners on the board, in the camera, and if mirrored."""
    picture = board.draw(white)
    places: defaultdict[tuple[float, float], list[Doubles]] = defaultdict(list)
    count, mirrored, began_s = 0, False, onlooker.clock.now_s()
    frames = onlooker.frames(SURELY_S, lambda: chart.show_picture(picture, settings))
    for looks, frame in enumerate(frames, 1):
        seen = board.find(frame.picture)
        if looks >= LOOKS and not count and onlooker.clock.now_s() - began_s > patience_s:
            break
        if seen is None:
            continue
        count, mirrored = count + 1, seen.mirrored
        if count == 1:
            continue
        for place, at in zip(seen.screen, seen.camera):
            places[float(place[0]), float(place[1])].append(at)
        if count == PICTURES:
            break
    if not places:
        return None
    camera = np.array([np.median(found, axis=0) for found in places.values()])  # (N, 2)
    return np.array(list(places)), camera, mirrored


def _see_marks(chart: Chart, onlooker: Onlooker) -> Doubles:
    """The four marks on the wall, in even light: (4, 2) pixels of the camera."""
    for white in WHITES:
        found = [
            marks
            for frame in onlooker.frames(LOOK_S, _lit(chart, white))
            if (marks := find_marks(frame.picture)) is not None
        ]
        if len(found) >= PICTURES:
            return np.asarray(np.median(found, axis=0))
    raise SourceError(
        "calibrate screen", "the camera does not see all four marks", "marks 1 to 4, flat on the "
        "wall, none covered", "a lamp on them; calibrate screen --print-marks marks.png draws them",
    )  # fmt: skip


def _verify(
    chart: Chart, onlooker: Onlooker, settings: ScreenSettings, view: View, squared: Squared,
    white: int,
) -> float:  # fmt: skip
    """Show a board laid as the settings say: how far its corners are from where they should be.

    The worst of the four, in pixels of the screen.
    """
    picture = picture_size(chart.size, settings.turn_deg)
    seen = _look(chart, onlooker, Board(picture, LAID), white, SURELY_S, settings)
    if seen is None:
        raise SourceError("calibrate screen", "the laid picture is not seen", "", "try again")
    laid = homography(seen[0] / picture, view.lens.straighten(seen[1]))
    back = np.linalg.inv(view.matrix)
    off = project(back, project(laid, CORNERS)) - project(back, squared.aim)
    return float(np.linalg.norm(off, axis=1).max())


def _grey(size: tuple[int, int], white: int = WHITE) -> Bytes:
    return np.full((size[1], size[0], 3), white, np.uint8)


def complaint(onlooker: Onlooker, chart: Chart) -> str:
    """What the camera sees instead of a board."""
    means = []
    for white in (255, 0):
        frames = list(onlooker.frames(1.5, _lit(chart, white)))
        if not frames:
            return f"the camera gives no new pictures ({onlooker.state})"
        means.append(float(frames[-1].picture.mean()))
    change = means[0] - means[1]
    if abs(change) < 3:
        return f"the camera does not see the screen (white against black: {change:+.1f} of 255)"
    return f"the camera sees the screen's light, {change:+.0f} of 255, but no board"


def _lit(chart: Chart, white: int) -> Callable[[], None]:
    """Shows even light, when called."""
    picture = _grey(chart.size, white)
    return lambda: chart.show_picture(picture)
