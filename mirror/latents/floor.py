"""The floor before the screen: where on the screen a sitter appears, and whether they count.

In: where the camera sees a face and how high it is, and what the calibration found of the camera.
Out: a place on the screen, a weight and a reach. Pure; called for each sitter by the show's thread.

A camera that is not in the middle of the screen, or looks askew, sees somebody elsewhere than
before the piece of screen that they stand at, and the more so the nearer they are. How far away
somebody is, the height of their face tells: all faces are about as high. So with u the face's
distance from the middle of the picture and h its height, both in picture heights, somebody stands
at  x = camera + reach u / h + turn / h  (a pinhole, turned by a small angle).
"""

from __future__ import annotations

from mirror.exact import Doubles
from mirror.latents.latents import on_grid
from mirror.settings import MirrorSettings
from mirror.signals import Floats

#: A place, or a velocity there: x and y, in screen heights.
Place = tuple[float, float]

#: Radius of the disturbed water in screen heights: around a face that counts for nothing yet, one
#: that just counts in full, and the nearest.
REACH = (0.2, 0.38, 0.52)
#: The height of the nearest faces, as a share of the picture; where only higher ones count in
#: full, so many times as high as those.
NEAREST, NEARER = 0.5, 1.25
#: From where sitters beside the screen lose their weight to where it is gone, screen widths.
_SLOPE = 0.15


def place_of(
    middle: Floats | Doubles, tall: float, view: float, aspect: float, mirror: MirrorSettings
) -> Place:
    """Where on the screen somebody appears, in screen heights from the top left.

    middle: (2,) of the face in the camera's picture, 0 to 1. tall: its height there, as a share of
    the picture's. view, aspect: width over height of the camera's picture and of the screen's.
    """
    x, y = float(middle[0]), float(middle[1])
    far = 1.0 / max(tall, 0.01)
    if mirror.reach_x:
        x = mirror.camera_x + ((x - 0.5) * view * mirror.reach_x + mirror.turn_x) * far
    if mirror.reach_y:
        y = mirror.camera_y + ((y - 0.5) * mirror.reach_y + mirror.turn_y) * far
    return on_grid(x * aspect), on_grid(y)


def weight_of(place: Place, tall: float, aspect: float, mirror: MirrorSettings) -> float:
    """How much somebody counts, 0 to 1: by distance, and by how far beside the screen they are."""
    near = ramp(tall, mirror.far_height, mirror.near_height)
    if not mirror.reach_x:
        return near
    beside = abs(place[0] / aspect - 0.5) - 0.5
    return near * (1 - ramp(beside, mirror.beside, mirror.beside + _SLOPE))


def reach_of(tall: float, mirror: MirrorSettings) -> float:
    """How far around them somebody disturbs the water, in screen heights."""
    passing = ramp(tall, mirror.far_height, mirror.near_height)
    near = ramp(tall, mirror.near_height, max(NEAREST, NEARER * mirror.near_height))
    return REACH[0] + (REACH[1] - REACH[0]) * passing + (REACH[2] - REACH[1]) * near


def ramp(value: float, low: float, high: float) -> float:
    """0 up to low, 1 from high on, smooth between."""
    t = min(1.0, max(0.0, (value - low) / (high - low)))
    return t * t * (3 - 2 * t)
