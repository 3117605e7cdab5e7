"""The show's doors to the outside, each shut unless the site's settings open it.

In: the settings and the show. Out: threads of their own that are closed with the show. What a
door needs is imported only when it is opened: a show without them starts no slower.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mirror.session.retention import Forgetting
from mirror.settings import Settings

if TYPE_CHECKING:
    from mirror.show.show import Show


def open_ports(settings: Settings, show: Show, stack: ExitStack) -> None:
    """Open what the settings switch on; nothing here ever stops the show."""
    if settings.record.folder and settings.record.keep_days > 0:
        folder = Path(settings.record.folder)
        stack.enter_context(Forgetting(folder, settings.record.keep_days))
    osc: Callable[[], Mapping[str, int]] = dict
    if settings.osc.on:
        from mirror.control.osc import SIGNS, OscPort  # noqa: PLC0415

        def signs() -> dict[str, Any]:
            vitals = show.pulse.newest
            return {name: getattr(vitals, name) for name in SIGNS}

        port = stack.enter_context(OscPort(settings.osc, show.conductor, signs))
        osc = lambda: dict(port.counts)  # noqa: E731
    if settings.status.on:
        _open_status(settings, show, stack, osc)


def _open_status(
    settings: Settings, show: Show, stack: ExitStack, osc: Callable[[], Mapping[str, int]]
) -> None:
    from mirror.status.server import StatusServer  # noqa: PLC0415
    from mirror.status.signs import Gatherer, Peephole  # noqa: PLC0415
    from mirror.status.tally import Tally  # noqa: PLC0415

    tally = Tally(lambda: show.pulse.newest, settings.status.visits)
    stack.callback(tally.close)
    parts: dict[str, Callable[[], Mapping[str, Any]]] = {
        "timings": show.report.timings,
        "standing": show.conductor.told,
        "log": lambda: dict(show.journal.counts),
        "osc": osc,
    }
    gatherer = Gatherer(lambda: show.pulse.newest, tally, parts)
    width = settings.status.picture_width_px
    peephole = Peephole(show.pulse, lambda: show.screen.glimpse(width))
    stack.enter_context(StatusServer(settings.status, gatherer, peephole))
