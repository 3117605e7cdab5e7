"""What a run leaves behind of its pictures: a film, stills. A disk that refuses ends neither the
show nor the report.

In: pictures as they were drawn. Out: files. A film that cannot be written is given up, with one
line in the log and a word in the report; the run then ends with that error, after everything else
is written. The show's thread.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

from mirror.clock import utc_now
from mirror.errors import MirrorError
from mirror.film import Film, write_still
from mirror.show.plan import OUT
from mirror.signals import Bytes

log = logging.getLogger(__name__)


class Outputs:
    """The film and the stills of one run. A context manager: leaving it finishes the film.

    fault: what is wrong with the film, "" while nothing is.
    """

    def __init__(self, film: Path | None, rate_hz: float) -> None:
        self._film = Film(film, rate_hz) if film else None
        self._given_up: MirrorError | None = None
        self._still_wanted = False

    @property
    def fault(self) -> str:
        """What is wrong with the film; "" while nothing is."""
        return str(self._given_up or "")

    def want_still(self) -> None:
        """The next picture is to be kept."""
        self._still_wanted = True

    def take(self, picture: Callable[[], Bytes], time_s: float) -> None:
        """One more picture was drawn; it is asked for only when it is needed."""
        if self._film is not None and self._given_up is None:
            try:
                self._film.add(picture(), time_s)
            except MirrorError as error:
                self._given_up = error
                log.error("the show goes on without its film: %s", error)
        if self._still_wanted:
            self._still_wanted = False
            self._keep(picture())

    def _keep(self, picture: Bytes) -> None:
        path = OUT / f"mirror-{utc_now():%Y%m%d-%H%M%S}.png"
        try:
            OUT.mkdir(exist_ok=True)
            write_still(path, picture)
        except (MirrorError, OSError) as error:
            log.error("the still is not kept: %s", error)

    def __enter__(self) -> Outputs:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._film is not None:
            self._film.__exit__(kind, error, trace)
