"""One opened source, picture by picture: an address comes in, ``Shot``s go out.

Two readers, chosen by trial:

- URLs and files are read by PyAV. OpenCV's reader returns True and a half grey picture for a
  damaged JPEG. PyAV's decoder, with ``err_detect=explode``, refuses every JPEG that was cut, that
  lost 1400 bytes (one network packet) or that is not a JPEG: 60 of 60 in each of these trials.
  (A single flipped byte passes it, as it passes libjpeg: the result is still a valid JPEG.) It
  takes an exact timeout for opening and for each read, leaves a blocked read by itself, gives
  each picture its own time, and costs half of OpenCV's processor time on a 1280x720 film.
- Devices are read by OpenCV, the one library that opens them on every system. MJPEG is taken from
  the driver as it comes and decoded by the same strict decoder; OpenCV's own would hide the
  damage of a bad cable.

A reader belongs to the one thread that made it.
"""

from __future__ import annotations

import math
import os
import sys
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import av
import av.error
import cv2
import numpy as np
from av.video.reformatter import VideoReformatter

from mirror.camera.controls import Control, set_controls
from mirror.camera.identity import hold_address, known_again
from mirror.camera.sources import Source, list_devices
from mirror.clock import Clock, MonotonicClock
from mirror.errors import SourceError
from mirror.settings import CameraSettings
from mirror.signals import Bytes

#: A header may claim any size; beyond 8K nothing is decoded.
MOST_PIXELS = 7680 * 4320
STRICT = {"err_detect": "explode", "max_pixels": str(MOST_PIXELS)}

#: For an address: pictures over TCP, since a lost packet smears a second of video; and no long
#: look at the stream before the first picture.
LIVE_OPTIONS = {"rtsp_transport": "tcp", "analyzeduration": "500000"}
#: A playlist that calls itself a film must not reach into the network.
FILE_OPTIONS = {"protocol_whitelist": "file"}


@dataclass(frozen=True)
class Shot:
    """What one read gave.

    fault: "" for a picture; "corrupt" for a damaged one, after which reading goes on;
    "failed_read", "blocked_read" or "ended", after which the reader is to be closed.
    arrived_s: when it came, on the clock. stamp_s: its time in the stream's own count, if any.
    develop: gives the picture, (H, W, 3) uint8 RGB, upright, not mirrored. Call it at most once.
    """

    fault: str
    arrived_s: float = 0.0
    stamp_s: float | None = None
    develop: Callable[[], Bytes] = lambda: np.empty((0, 0, 3), np.uint8)
    detail: str = ""


@dataclass(frozen=True)
class Achieved:
    """What an opened source really gives, which may differ from what was asked for.

    width_px, height_px: 0 if it does not say. rate_hz: pictures a second, 0.0 if it does not say.
    format: the codec or the driver's four letters. reader: who reads it. controls: a device's
    exposure, gain, white balance and focus, read back.
    """

    width_px: int
    height_px: int
    rate_hz: float
    format: str
    reader: str
    controls: tuple[Control, ...] = ()


class Reader(Protocol):
    """One opened source."""

    achieved: Achieved

    def read(self) -> Shot:
        """The next shot; waits for it."""
        ...

    def close(self) -> None:
        """Let go of the source."""
        ...


def open_reader(source: Source, settings: CameraSettings, clock: Clock) -> Reader:
    """Open a source. Raises SourceError if it cannot be opened or is another camera than the
    settings name, TimeoutError if it is mute."""
    if source.kind == "device":
        return DeviceReader(source, settings, clock)
    reader = StreamReader(source, settings.read_timeout_s, clock)
    if source.kind == "url" and settings.identity:
        try:
            hold_address(settings.identity, source)
        except SourceError:
            reader.close()
            raise
    return reader


class StreamReader:
    """A URL or a file, read by PyAV."""

    def __init__(self, source: Source, timeout_s: float, clock: Clock) -> None:
        self._live, self._clock, self._timeout_s = source.live, clock, timeout_s
        self._now_s = MonotonicClock().now_s
        self._mute = False
        self._container = _open_container(source, timeout_s)
        stream = next(
            (s for s in self._container.streams.video if not _is_cover(s)), None
        )  # fmt: skip
        if stream is None:
            self._container.close()
            raise SourceError(str(source), "no moving picture in it", "a video", "play it first")
        stream.codec_context.options = STRICT
        self.stream = stream
        self._packets = self._container.demux(stream)
        self._frames: deque[Any] = deque()
        self._reformatter = VideoReformatter()
        self.format = self._container.format.name
        self.achieved = Achieved(
            stream.codec_context.width, stream.codec_context.height,
            float(stream.average_rate or stream.guessed_rate or 0.0), stream.codec_context.name,
            "PyAV",
        )  # fmt: skip

    def read(self) -> Shot:
        """The next shot; waits for it, but not longer than the timeout."""
        arrived_s = self._clock.now_s()
        while not self._frames:
            if self._mute:
                return Shot("blocked_read", detail="nothing came in time")
            began_s = self._now_s()
            try:
                packet = next(self._packets, None)
            except av.error.ExitError:
                return Shot("blocked_read", detail="nothing came in time")
            except av.error.FFmpegError as error:
                return Shot("failed_read", detail=_reason(error))
            if packet is None:
                return Shot("failed_read" if self._live else "ended", detail="the stream ended")
            # RTSP, when interrupted, first hands out what it has, and would wait as long again.
            self._mute = self._live and self._now_s() - began_s >= self._timeout_s
            arrived_s = self._clock.now_s()
            try:
                self._frames.extend(packet.decode())
            except av.error.EOFError:
                continue
            except av.error.FFmpegError as error:
                return Shot("corrupt", arrived_s, detail=_reason(error))
        frame = self._frames.popleft()
        if frame.is_corrupt:
            return Shot("corrupt", arrived_s, detail="the decoder marked it so")
        return Shot("", arrived_s, frame.time, lambda: self._develop(frame))

    def packets(self) -> int:
        """How many pictures are left to read, without decoding them."""
        return sum(1 for packet in self._packets if packet.size)

    def _develop(self, frame: Any) -> Bytes:
        return _upright(_as_rgb(frame, self._reformatter), frame.rotation)

    def close(self) -> None:
        """Let go of the stream."""
        self._frames.clear()
        self._container.close()


def _open_container(source: Source, timeout_s: float) -> Any:
    # The full path of a file: a name such as "rtp:1" is not to be taken for an address.
    address = str(source.address) if source.live else str(Path(str(source.address)).resolve())
    options = LIVE_OPTIONS if source.live else FILE_OPTIONS
    now_s = MonotonicClock().now_s
    began_s = now_s()
    try:
        return av.open(address, options=options, timeout=timeout_s if source.live else None)
    except (av.error.FFmpegError, OSError, ValueError) as error:
        if source.live and now_s() - began_s >= timeout_s:  # RTSP gives it several names
            raise TimeoutError(f"it did not answer within {timeout_s:g} s") from error
        if source.live:
            attempt = "is the camera switched on, on this network, and the address right?"
        else:
            attempt = "play it with another player, or convert it to MP4"
        allowed = "an MJPEG or RTSP address" if source.live else "a video file (MP4, AVI, MKV ...)"
        raise SourceError(str(source), _reason(error), allowed, attempt) from error


def _is_cover(stream: Any) -> bool:
    """Whether it is the cover picture of a piece of music."""
    flags = stream.disposition
    return bool(getattr(flags, "value", flags) & 0x400)  # AV_DISPOSITION_ATTACHED_PIC


def _reason(error: Exception) -> str:
    """Why, without the address: it may hold a password."""
    return str(getattr(error, "strerror", "") or type(error).__name__)


def _as_rgb(frame: Any, reformatter: VideoReformatter) -> Bytes:
    """(H, W, 3) uint8 RGB. One reformatter for all pictures keeps its tables."""
    return np.asarray(reformatter.reformat(frame, format="rgb24").to_ndarray(), np.uint8)


def _upright(picture: Bytes, rotation: float) -> Bytes:
    """Turn a phone's film by the quarter turns, counted against the clock, that it asks for."""
    turns = {
        90: cv2.ROTATE_90_COUNTERCLOCKWISE, 180: cv2.ROTATE_180, 270: cv2.ROTATE_90_CLOCKWISE,
    }  # fmt: skip
    turn = turns.get(round(rotation) % 360)
    return picture if turn is None else np.asarray(cv2.rotate(picture, turn), np.uint8)


class StrictJpeg:
    """Decodes single JPEGs, and refuses damaged ones."""

    def __init__(self) -> None:
        self._decoder: Any = av.CodecContext.create("mjpeg", "r")
        self._decoder.options = STRICT
        self._reformatter = VideoReformatter()

    def decode(self, jpeg: bytes) -> Bytes | None:
        """(H, W, 3) uint8 RGB, or None if it is damaged."""
        try:
            frames = self._decoder.decode(av.Packet(jpeg))
        except av.error.FFmpegError:
            return None
        if not frames:
            return None
        return _as_rgb(frames[0], self._reformatter)


class DeviceReader:
    """A camera of this computer, read by OpenCV."""

    def __init__(self, source: Source, settings: CameraSettings, clock: Clock) -> None:
        self._clock = clock
        self._jpeg = StrictJpeg()
        # Every blocked read ends by itself in the end, else its thread would never go.
        os.environ["OPENCV_VIDEOIO_V4L_SELECT_TIMEOUT"] = str(math.ceil(settings.read_timeout_s))
        cv2.setLogLevel(0)  # it would write its own lines to the terminal at each try
        if settings.identity:
            source = Source("device", known_again(settings.identity, source, list_devices()))
        self._capture = _open_capture(source)
        self.achieved = _ask(self._capture, settings)

    def read(self) -> Shot:
        """The next shot; waits for it, on some systems for ever."""
        if not self._capture.grab():
            return Shot("failed_read", detail="the device gave nothing")
        arrived_s = self._clock.now_s()
        taken, raw = self._capture.retrieve()
        if not taken or raw is None or raw.size == 0:
            return Shot("failed_read", detail="the device gave an empty picture")
        picture = to_rgb(np.asarray(raw, np.uint8), self._jpeg)
        if picture is None:
            return Shot("corrupt", arrived_s, detail="a damaged JPEG")
        return Shot("", arrived_s, develop=lambda: picture)

    def close(self) -> None:
        """Let go of the device."""
        self._capture.release()


def to_rgb(raw: Bytes, jpeg: StrictJpeg) -> Bytes | None:
    """What a driver gave, as (H, W, 3) uint8 RGB; None if it is damaged.

    raw: a JPEG as one row or column of bytes, or (H, W, 3) BGR, (H, W, 2) YUYV, (H, W) grey.
    """
    if raw.size == max(raw.shape):
        return jpeg.decode(raw.tobytes())
    code = cv2.COLOR_GRAY2RGB if raw.ndim == 2 else cv2.COLOR_BGR2RGB
    if raw.ndim == 3 and raw.shape[2] == 2:
        code = cv2.COLOR_YUV2RGB_YUY2
    return np.asarray(cv2.cvtColor(raw, code), np.uint8)


def _open_capture(source: Source) -> Any:
    linux = sys.platform.startswith("linux")
    address: int | str = source.address
    if linux:
        # A stable path is a link that points to another node after each plugging in.
        path = f"/dev/video{address}" if isinstance(address, int) else address
        address = str(Path(path).resolve())
        if not Path(address).exists():
            raise _no_camera(source, "no such camera", "plug it in; `mirror doctor` lists them")
        if not os.access(address, os.R_OK | os.W_OK):
            raise _no_camera(source, "not allowed to open it", "sudo usermod -aG video $USER")
    try:
        capture = cv2.VideoCapture(address, cv2.CAP_V4L2 if linux else cv2.CAP_ANY)
    except cv2.error as error:
        raise _no_camera(source, error.err or "OpenCV refused it", "`mirror doctor`") from error
    if not capture.isOpened():
        raise _no_camera(source, "it cannot be opened", "close the program that holds it")
    return capture


def _no_camera(source: Source, found: str, attempt: str) -> SourceError:
    return SourceError(str(source), found, "a camera that no other program holds", attempt)


def _ask(capture: Any, settings: CameraSettings) -> Achieved:
    """Ask the device for what the site wants, and read back what it made of it.

    Compressed pictures first: USB 2 carries only some 10 pictures a second of 1280x720 without.
    The size before the rate: drivers offer rates by size.
    """
    if settings.format != "auto":
        capture.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*settings.format))
    capture.set(cv2.CAP_PROP_FRAME_WIDTH, settings.width_px)
    capture.set(cv2.CAP_PROP_FRAME_HEIGHT, settings.height_px)
    capture.set(cv2.CAP_PROP_FPS, settings.rate_hz)
    capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)
    letters = int(capture.get(cv2.CAP_PROP_FOURCC)).to_bytes(4, "little", signed=True)
    code = letters.decode("ascii", "replace").strip("\0 ")
    if code == "MJPG" and capture.getBackendName() == "V4L2":  # others ignore it, or give nothing
        capture.set(cv2.CAP_PROP_CONVERT_RGB, 0)
    return Achieved(
        int(capture.get(cv2.CAP_PROP_FRAME_WIDTH)), int(capture.get(cv2.CAP_PROP_FRAME_HEIGHT)),
        float(capture.get(cv2.CAP_PROP_FPS)), code, capture.getBackendName(),
        set_controls(capture, settings),
    )  # fmt: skip
