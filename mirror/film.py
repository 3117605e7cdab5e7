"""Films and stills of what the screen showed.

In: pictures as they were drawn. Out: an mp4 (h264, yuv420p, BT.709) or a PNG. Neither exists under
its own name before it is whole: both are written beside it under another and then renamed.

``Film`` encodes in a thread of its own, a few pictures behind, so that drawing is not held up; a
picture that would have to wait longer makes ``add`` wait. One thread calls it.
"""

from __future__ import annotations

import logging
import os
import queue
import threading
from fractions import Fraction
from pathlib import Path
from types import TracebackType

import av
import cv2
import numpy as np
from av.video.frame import VideoFrame
from av.video.reformatter import Colorspace, VideoReformatter

from mirror.errors import SettingsError
from mirror.signals import Bytes, check

log = logging.getLogger(__name__)

#: Ticks a second of a film's clock: pictures need not come evenly.
TICKS = 90_000

#: Pictures that may wait for the encoder.
WAITING = 8


class Film:
    """An mp4 in the making. Owns a file and a thread; a context manager, or close it.

    All pictures have the size of the first; sides are made even by repeating the last row or
    column, as the format wants it. Nothing is written before the first picture.
    """

    def __init__(self, path: Path, rate_hz: float = 30.0) -> None:
        """path: ends in .mp4. Raises SettingsError when it does not, or cannot be written."""
        self.path = Path(path)
        self._rest = beside(self.path, ".mp4")
        self._rate = Fraction(rate_hz).limit_denominator(1001)
        self._queue: queue.Queue[tuple[Bytes, int] | None] = queue.Queue(WAITING)
        self._thread: threading.Thread | None = None
        self._fault: Exception | None = None
        self._size, self._last_ticks, self._start_s = (0, 0), -1, 0.0

    def add(self, picture: Bytes, time_s: float) -> None:
        """Take the next picture: (H, W, 3) uint8 RGB, shown at this time, seconds.

        Raises SettingsError when the film cannot be written.
        """
        check("picture", picture, (None, None, 3), np.uint8)
        if self._thread is None:
            self._begin(picture, time_s)
        if self._fault is not None:
            raise self._error(self._fault)
        if (picture.shape[1], picture.shape[0]) != self._size:
            picture = np.asarray(cv2.resize(picture, self._size, interpolation=cv2.INTER_AREA))
        ticks = max(self._last_ticks + 1, round((time_s - self._start_s) * TICKS))
        self._last_ticks = ticks
        self._queue.put((picture, ticks))

    def close(self, keep: bool = True) -> None:
        """Finish the film and give it its name; or drop it. May be called twice."""
        thread, self._thread = self._thread, None
        if thread is None:
            return
        self._queue.put(None)
        thread.join()
        if keep and self._fault is None:
            self._rest.replace(self.path)
            return
        self._rest.unlink(missing_ok=True)
        if keep and self._fault is not None:
            raise self._error(self._fault)

    def __enter__(self) -> Film:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        # Ctrl-C ends a run in good order: what was filmed until then is kept.
        self.close(keep=kind is None or issubclass(kind, KeyboardInterrupt))

    def _begin(self, picture: Bytes, time_s: float) -> None:
        self._size, self._start_s = (picture.shape[1], picture.shape[0]), time_s
        make_folder(self.path)
        try:
            container = av.open(str(self._rest), "w", options={"movflags": "+faststart"})
        except (OSError, ValueError) as error:
            raise self._error(error) from error
        self._thread = threading.Thread(
            target=self._encode_all, args=(container,), name="film", daemon=True
        )
        self._thread.start()

    def _encode_all(self, container: av.container.OutputContainer) -> None:
        """The thread: encode until the end comes; after a fault, only empty the queue."""
        ended = False
        try:
            with container:
                stream = self._open_stream(container)
                while (item := self._queue.get()) is not None:
                    container.mux(stream.encode(self._convert(*item)))
                ended = True
                container.mux(stream.encode(None))
        except (OSError, ValueError) as error:  # FFmpegError is one or the other
            log.error("film %s: %s", self.path, error)
            self._fault = error
            while not ended:  # the end itself may be what the disk has no room for
                ended = self._queue.get() is None

    def _open_stream(self, container: av.container.OutputContainer) -> av.VideoStream:
        stream = container.add_stream(
            "libx264", rate=self._rate, options={"preset": "veryfast", "crf": "18"}
        )
        stream.width, stream.height = (side + side % 2 for side in self._size)
        stream.pix_fmt = "yuv420p"
        stream.time_base = stream.codec_context.time_base = Fraction(1, TICKS)
        # BT.709, as its conversion is: else players of small films guess BT.601 and shift reds.
        stream.codec_context.colorspace = stream.codec_context.color_primaries = 1
        stream.codec_context.color_trc = 1
        stream.codec_context.thread_count = 1
        self._reformatter = VideoReformatter()
        return stream

    def _convert(self, picture: Bytes, ticks: int) -> VideoFrame:
        height, width = picture.shape[:2]
        if height % 2 or width % 2:
            picture = np.pad(picture, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
        frame = VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")
        frame = self._reformatter.reformat(
            frame, format="yuv420p", dst_colorspace=Colorspace.ITU709
        )
        frame.pts, frame.time_base = ticks, Fraction(1, TICKS)
        return frame

    def _error(self, error: Exception) -> SettingsError:
        return SettingsError(str(self.path), f"the film cannot be written ({error})")


def write_still(path: Path, picture: Bytes) -> None:
    """Write a picture, (H, W, 3) uint8 RGB, as a PNG. Raises SettingsError when it cannot be."""
    check("picture", picture, (None, None, 3), np.uint8)
    path = Path(path)
    rest = beside(path, ".png")
    made, data = cv2.imencode(".png", picture[:, :, ::-1])
    if not made:
        raise SettingsError(str(path), f"a picture of shape {picture.shape} makes no PNG")
    make_folder(path)
    try:
        rest.write_bytes(data.tobytes())
        rest.replace(path)
    except OSError as error:
        rest.unlink(missing_ok=True)
        raise SettingsError(str(path), f"cannot be written ({error})") from error


def beside(path: Path, suffix: str) -> Path:
    """The name a file has until it is whole. Raises SettingsError for another suffix."""
    if path.suffix.lower() != suffix:
        raise SettingsError(str(path), f"a name that ends in {path.suffix!r}", f"*{suffix}")
    if path.is_dir():
        raise SettingsError(str(path), "a folder", f"a file, *{suffix}")
    return path.with_name(f".{path.stem}.{os.getpid()}.part{suffix}")


def make_folder(path: Path) -> None:
    """Make the folder that a file goes into. Raises SettingsError when it cannot be made."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SettingsError(str(path), f"its folder cannot be made ({error})") from error
