"""A file in order: its path comes in, every picture of it goes out, with the film's own time.

``every_frame`` is for measuring: the same frames with the same times at every run. ``film`` is
what ``Camera`` plays in the film's own time. Whoever asks for the next picture decodes it, in
that thread.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path

import cv2
import numpy as np

from mirror.camera.faults import Faults
from mirror.camera.readers import Shot, StreamReader
from mirror.camera.sources import Source
from mirror.clock import MonotonicClock
from mirror.errors import SessionError, SourceError
from mirror.session.picture import from_jpeg
from mirror.session.read import open_session
from mirror.settings import CameraSettings
from mirror.signals import Bytes, Frame

#: When a film does not say how fast it is.
USUAL_RATE_HZ = 25.0
#: So many recorded pictures tell the rate of a session.
RATED_BY = 60
#: Two pictures further apart than this mean a broken count, not a slow film.
WIDEST_GAP_S = 10.0
#: So many damaged pictures at the start make it no video.
PATIENCE_SHOTS = 250

#: FFmpeg reads these as films of one picture, and text files as films of letters.
NOT_FILMS = ("image2", "tty", "_pipe")


@dataclass(frozen=True)
class FileFacts:
    """What a video file is.

    width_px, height_px: of the picture, set upright. rate_hz: pictures a second, on average.
    frames: from its header or its packets. seconds: how long it plays.
    """

    width_px: int
    height_px: int
    rate_hz: float
    frames: int
    seconds: float


def probe(source: Source) -> FileFacts:
    """Open a file, decode its first picture, and say what it is.

    Raises SourceError if it is missing, damaged from the start, or not a video.
    """
    if source.live:
        raise SourceError(str(source), "it is live", "a video file", "give the path of a file")
    if source.kind == "session":
        return _probe_session(source)
    reader = StreamReader(source, 0.0, MonotonicClock())
    try:
        height_px, width_px = _first_picture(reader, source).shape[:2]
        rate_hz = reader.achieved.rate_hz or USUAL_RATE_HZ
        stream = reader.stream
        seconds = float(stream.duration * stream.time_base) if stream.duration else 0.0
        frames = int(stream.frames or round(seconds * rate_hz) or reader.packets() + 1)
        return FileFacts(width_px, height_px, rate_hz, frames, seconds or frames / rate_hz)
    finally:
        reader.close()


def _first_picture(reader: StreamReader, source: Source) -> Bytes:
    if not reader.format.endswith(NOT_FILMS):
        for _ in range(PATIENCE_SHOTS):
            shot = reader.read()
            if not shot.fault:
                return shot.develop()
            if shot.fault != "corrupt":
                break
    raise SourceError(
        str(source), f"no moving picture in it (it looks like {reader.format})",
        "a video file (MP4, AVI, MKV ...)", "play it with another player, or convert it to MP4",
    )  # fmt: skip


@dataclass(frozen=True)
class FilmShot:
    """One picture of a film: its number, its time in the film (seconds from its start), how long
    it stands, and how to get it, (H, W, 3) uint8 RGB."""

    number: int
    time_s: float
    step_s: float
    develop: Callable[[], Bytes]


def every_frame(
    source: Source, settings: CameraSettings, loop: bool = False, faults: Faults | None = None
) -> Iterator[Frame]:
    """Every picture of a file, once, in order, as fast as it is asked for.

    ``Frame.time_s`` is the film's own time, from 0; with ``loop`` it starts again for ever, and
    numbers and times go on. Damaged pictures are counted in ``faults`` and left out. Raises
    SourceError at once if the file cannot be played.
    """
    probe(source)
    counts = faults or Faults(str(source))
    return (
        Frame(mirrored(shot.develop(), settings.mirror), shot.number, shot.time_s)
        for shot in film(source, loop, counts)
    )


def mirrored(picture: Bytes, mirror: bool) -> Bytes:
    """Swap left and right if the site asks for it: the one place where that happens."""
    return np.asarray(cv2.flip(picture, 1), np.uint8) if mirror else picture


def film(source: Source, loop: bool, faults: Faults) -> Generator[FilmShot, None, None]:
    """A file's pictures with their times, not developed yet. Raises SourceError like probe."""
    if source.kind == "session":
        yield from _recorded(source, loop, faults)
        return
    number, film_time = 0, None
    while True:
        reader = StreamReader(source, 0.0, MonotonicClock())
        try:
            film_time = film_time or FilmTime(1.0 / (reader.achieved.rate_hz or USUAL_RATE_HZ))
            film_time.start_again()
            first = number
            for shot in _good_shots(reader, faults):
                time_s = film_time.of(shot.stamp_s)
                yield FilmShot(number, time_s, film_time.step_s, shot.develop)
                number += 1
        finally:
            reader.close()
        if not loop or number == first:
            return


def _recorded(source: Source, loop: bool, faults: Faults) -> Iterator[FilmShot]:
    """The pictures of a recorded session, at the times at which they were taken."""
    session = open_session(Path(str(source.address)))
    length_s = (session.duration_s if source.to_s is None else source.to_s) - source.from_s
    number, later_s = 0, 0.0
    while True:
        first = number
        for jpeg, _, time_s in session.jpegs(source.from_s, source.to_s):
            try:
                picture = from_jpeg(jpeg)
            except SessionError as error:
                faults.count("corrupt", error.found)
                continue
            at_s = later_s + time_s - source.from_s
            yield FilmShot(number, at_s, 1.0 / USUAL_RATE_HZ, partial(np.asarray, picture))
            number += 1
        later_s += length_s
        if not loop or number == first:
            return


def _probe_session(source: Source) -> FileFacts:
    """As ``probe`` has it; its rate is that of the first pictures."""
    session = open_session(Path(str(source.address)))
    some = list(islice(session.pictures(source.from_s, source.to_s), RATED_BY))
    if not some:
        raise SourceError(
            str(source), "no pictures in it", "a session recorded with --record-pictures",
            f"mirror replay {source.address}",
        )  # fmt: skip
    height_px, width_px = some[0].picture.shape[:2]
    spent_s = some[-1].time_s - some[0].time_s
    rate_hz = (len(some) - 1) / spent_s if spent_s > 0 else USUAL_RATE_HZ
    seconds = session.duration_s
    return FileFacts(width_px, height_px, rate_hz, round(seconds * rate_hz), seconds)


def _good_shots(reader: StreamReader, faults: Faults) -> Iterator[Shot]:
    while True:
        shot = reader.read()
        if shot.fault == "ended":
            return
        if shot.fault:
            faults.count(shot.fault, shot.detail)
        if shot.fault not in ("", "corrupt"):
            return
        if not shot.fault:
            yield shot


class FilmTime:
    """The time of each picture of a film: from its own stamps, as long as they make sense.

    Stamps may be missing, stand still, run backwards or leap (films glued together); then the
    next picture comes one usual step after the last, and stamps count from there.
    """

    def __init__(self, step_s: float) -> None:
        self.step_s = step_s
        self._last_s: float | None = None
        self._offset_s: float | None = None

    def start_again(self) -> None:
        """The film begins anew; its time goes on from where it was."""
        self._offset_s = None

    def of(self, stamp_s: float | None) -> float:
        """The time of the next picture in seconds, later than that of the last one."""
        expected_s = 0.0 if self._last_s is None else self._last_s + self.step_s
        time_s = self._trusted(stamp_s, expected_s)
        self._last_s = time_s
        return time_s

    def _trusted(self, stamp_s: float | None, expected_s: float) -> float:
        if stamp_s is None:
            return expected_s
        if self._offset_s is not None:
            time_s = stamp_s - self._offset_s
            if self._last_s is None or 0.0 < time_s - self._last_s <= WIDEST_GAP_S:
                return time_s
        self._offset_s = stamp_s - expected_s
        return expected_s
