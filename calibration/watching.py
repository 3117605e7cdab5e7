"""A camera watched for some seconds: settings come in, what came from it goes out as numbers.

The camera is the program's own, ``mirror.camera.Camera``, so what is measured here is what the
piece would get. Pictures live until the next one comes; what is kept of each is its time and the
brightness of its rows. Called by the steps, from the main thread.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from mirror.camera import Achieved, Camera, hold_address, identify, list_devices, parse_source
from mirror.camera.identity import BETWEEN, known_again
from mirror.clock import MonotonicClock
from mirror.errors import OtherCameraError, SourceError
from mirror.markers.one_euro import Doubles
from mirror.progress import Bar
from mirror.settings import CameraSettings
from mirror.signals import Bytes, Frame

#: The brightness of a picture is kept in so many bands of rows, and in so many columns of them.
BANDS, COLUMNS = 48, 8
#: A camera may take so long to give its first picture, beyond its own timeout; but one that is
#: not there, or mute, so many times is not waited for.
FIRST_PICTURE_S = 8.0
TRIES = {"gone": 3, "blocked_read": 2}
#: Pictures are looked at no wider than this for their brightness.
LOOK_PX = 320

#: What is done with each picture besides.
Look = Callable[[Frame], Any]


@dataclass(frozen=True)
class Watched:
    """What a camera gave in some seconds.

    times_s, numbers: (N,), of the pictures looked at. rows: (N, BANDS, COLUMNS) float32, their
    mean brightness, 0 to 255. size: width and height of the pictures. states: what the camera was
    doing, in the order in which it was first seen to. trouble: the last fault, in words.
    faults: counted by kind. other: why it is another camera than the site's, or "".
    """

    times_s: Doubles
    numbers: Doubles
    rows: npt.NDArray[np.float32]
    size: tuple[int, int] = (0, 0)
    states: tuple[str, ...] = ()
    trouble: str = ""
    faults: tuple[tuple[str, int], ...] = ()
    other: str = ""
    identity: str = ""
    achieved: Achieved | None = None

    @property
    def seen(self) -> bool:
        """Whether any picture came."""
        return len(self.times_s) > 0


def watch(settings: CameraSettings, seconds: float, look: Look | None = None) -> Watched:
    """Watch the site's camera for so long from its first picture on.

    Waits for the first picture, but not for ever. A camera that is not the site's is not watched.
    Raises SourceError for a source that cannot be one.
    """
    source = parse_source(settings.source)
    try:
        identity = hold_identity(settings)
    except OtherCameraError as error:
        nothing = np.zeros(0)
        return Watched(
            nothing, nothing, np.zeros((0, BANDS, COLUMNS), np.float32), other=error.found,
            trouble=error.attempt, states=("other",),
        )  # fmt: skip
    with Bar("watching", seconds) as bar, Camera(source, settings, MonotonicClock()) as camera:
        return _watch(camera, settings, seconds, look, identity, bar)


def hold_identity(settings: CameraSettings) -> str:
    """The identity of the camera that is there now, "" if none is.

    Raises OtherCameraError if it is not the site's.
    """
    source, devices = parse_source(settings.source), list_devices()
    if source.kind == "device" and settings.identity:
        try:
            known_again(settings.identity, source, devices)
        except OtherCameraError:
            raise
        except SourceError:
            return ""
        return settings.identity
    identity = identify(source, devices)
    if source.kind == "url" and settings.identity:
        # One that is switched off says nothing: then its address alone is held to the site's.
        mute = BETWEEN not in identity
        wanted = settings.identity.split(BETWEEN)[0] if mute else settings.identity
        hold_address(wanted, source, identity)
    return identity


def _watch(
    camera: Camera, settings: CameraSettings, seconds: float, look: Look | None, identity: str,
    bar: Bar,
) -> Watched:  # fmt: skip
    now_s = MonotonicClock().now_s
    began_s = now_s()
    first_s: float | None = None
    number, size, states = -1, (0, 0), [camera.state]
    times: list[float] = []
    numbers: list[float] = []
    rows: list[npt.NDArray[np.float32]] = []
    patience_s = settings.read_timeout_s + FIRST_PICTURE_S
    while not camera.ended and now_s() < (
        began_s + patience_s if first_s is None else first_s + seconds
    ):
        frame = camera.wait(number, 0.1)
        if camera.state not in states:
            states.append(camera.state)
        if frame is None:
            if first_s is None and any(camera.faults[kind] >= n for kind, n in TRIES.items()):
                break
            continue
        first_s = first_s or now_s()
        bar.reach(now_s() - first_s)
        number = frame.number
        size = frame.picture.shape[1], frame.picture.shape[0]
        times.append(frame.time_s)
        numbers.append(number)
        rows.append(row_brightness(frame.picture))
        if look is not None:
            look(frame)
    return Watched(
        np.array(times), np.array(numbers, np.float64),
        np.array(rows, np.float32).reshape(-1, BANDS, COLUMNS), size, tuple(states), camera.trouble,
        tuple(camera.faults.items()), "", identity, camera.achieved,
    )  # fmt: skip


def row_brightness(picture: Bytes) -> npt.NDArray[np.float32]:
    """Mean brightness of the parts of a (H, W, 3) uint8 RGB picture: (BANDS, COLUMNS) float32."""
    step = max(1, picture.shape[1] // LOOK_PX)
    grey = cv2.cvtColor(np.ascontiguousarray(picture[:, ::step]), cv2.COLOR_RGB2GRAY)
    parts = cv2.resize(grey.astype(np.float32), (COLUMNS, BANDS), interpolation=cv2.INTER_AREA)
    return np.asarray(parts, np.float32)
