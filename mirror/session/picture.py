"""Camera frames as JPEG files and back, for the recordings in which they were asked for.

In: frames, or JPEG files that may have been made to hurt. Out: JPEG files, or RGB pictures.
OpenCV would decode whatever size a JPEG claims; here the claim is read first. Any thread.
"""

from __future__ import annotations

import struct

import numpy as np

from mirror.errors import SessionError
from mirror.signals import Bytes, Frame

JPEG_QUALITY = 85

#: The largest picture that a camera may be asked for.
MOST_PIXELS = 7680 * 4320


def as_jpeg(frame: Frame) -> bytes:
    """A frame as a JPEG file; raises SessionError if it cannot be one."""
    import cv2  # noqa: PLC0415  only recordings with pictures need it

    try:
        bgr = cv2.cvtColor(frame.picture, cv2.COLOR_RGB2BGR)
        _, jpeg = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    except cv2.error as error:
        raise SessionError("picture", f"no JPEG can be made of it ({error})", "RGB") from error
    return bytes(jpeg.tobytes())


def from_jpeg(jpeg: bytes) -> Bytes:
    """The picture in a JPEG file.  -> (H, W, 3) uint8 RGB; raises SessionError."""
    import cv2  # noqa: PLC0415

    height, width = jpeg_size(jpeg)
    if not 0 < height * width <= MOST_PIXELS:
        raise SessionError("picture", f"claims {width}x{height}", f"at most {MOST_PIXELS} pixels")
    try:
        bgr = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error as error:
        raise SessionError("picture", f"a broken JPEG ({error})") from error
    if bgr is None:
        raise SessionError("picture", "a broken JPEG")
    return np.ascontiguousarray(bgr[:, :, ::-1], np.uint8)


def jpeg_size(jpeg: bytes) -> tuple[int, int]:
    """Height and width that a JPEG file claims, from its frame header (ITU T.81, B.2.2)."""
    at = 2
    while jpeg[:2] == b"\xff\xd8" and at + 9 <= len(jpeg) and jpeg[at] == 0xFF:
        kind, length = jpeg[at + 1], int.from_bytes(jpeg[at + 2 : at + 4], "big")
        if 0xC0 <= kind <= 0xCF and kind not in (0xC4, 0xC8, 0xCC):
            height, width = struct.unpack_from(">HH", jpeg, at + 5)
            return height, width
        at += 2 + length
    raise SessionError("picture", "not a JPEG file")
