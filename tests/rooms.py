"""A room with a camera in it, for tests: pictures of nobody, and of a real face that comes,
moves about and goes.

In: how long. Out: RGB pictures, and films of them. The face is scikit-image's astronaut, which
needs no network.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import Path

import av
import cv2
import numpy as np
from skimage.data import astronaut

WIDTH_PX, HEIGHT_PX, RATE_HZ = 320, 180, 15
#: The part of the astronaut's picture with head and shoulders.
HEAD = (slice(0, 300), slice(90, 370))


def empty_room(width_px: int = WIDTH_PX, height_px: int = HEIGHT_PX) -> np.ndarray:
    """A wall in uneven light: (H, W, 3) uint8 RGB, the same at every call."""
    across = np.linspace(90, 150, width_px)[None, :, None]
    down = np.linspace(1.0, 0.7, height_px)[:, None, None]
    noise = np.random.default_rng(3).normal(0, 4, (height_px, width_px, 3))
    return np.clip(across * down + noise, 0, 255).astype(np.uint8)


@lru_cache(maxsize=8)
def head_and_shoulders(height_px: int) -> np.ndarray:
    """A real face, so high with its shoulders: (H, W, 3) uint8 RGB."""
    head = astronaut()[HEAD]
    size = (int(height_px * head.shape[1] / head.shape[0]), height_px)
    return np.asarray(cv2.resize(head, size, interpolation=cv2.INTER_AREA))


def somebody(room: np.ndarray, x: float, y: float = 0.55, tall: float = 0.95) -> np.ndarray:
    """The room with somebody in it.

    x, y: where the middle of head and shoulders is, in shares of the picture. tall: of the picture.
    """
    height_px = int(tall * room.shape[0])
    head = head_and_shoulders(height_px)
    size = head.shape[1::-1]
    move = np.array(
        [[1, 0, x * room.shape[1] - size[0] / 2], [0, 1, y * room.shape[0] - size[1] / 2]]
    )
    shape = (room.shape[1], room.shape[0])
    there = cv2.warpAffine(np.ones(head.shape[:2], np.float32), move, shape)[..., None]
    return (room * (1 - there) + cv2.warpAffine(head, move, shape) * there).astype(np.uint8)


def visit(
    before_s: float = 1.5, stay_s: float = 4.0, after_s: float = 1.5, rate_hz: float = RATE_HZ,
    sways: float = 1.0,
) -> Iterator[np.ndarray]:  # fmt: skip
    """Nobody, then somebody who sways, then nobody."""
    room = empty_room()
    for n in range(round((before_s + stay_s + after_s) * rate_hz)):
        here_s = n / rate_hz - before_s
        if 0 <= here_s < stay_s:
            yield somebody(
                room,
                0.4 + sways * 0.12 * np.sin(1.3 * here_s),
                0.55 + sways * 0.03 * np.sin(2 * here_s),
            )
        else:
            yield room


def write_film(path: Path, pictures: Iterable[np.ndarray], rate_hz: int = RATE_HZ) -> Path:
    """An MP4 of pictures of the usual size."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=rate_hz, options={"crf": "20"})
        stream.height, stream.width, stream.pix_fmt = HEIGHT_PX, WIDTH_PX, "yuv420p"
        for picture in pictures:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode(None))
    return path
