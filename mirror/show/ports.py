"""The show's doors to the outside, each shut unless the site's settings open it.

In: the rig, and the conductor who takes commands. Out: threads of their own that are closed with
the show. What a door needs is imported only when it is opened: a show without them starts no
slower.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from mirror.control.conductor import Conductor
from mirror.session.retention import Forgetting
from mirror.show.rig import Rig


def open_ports(rig: Rig, conductor: Conductor) -> None:
    """Open what the settings switch on; nothing here ever stops the show."""
    settings, stack = rig.plan.settings, rig.stack
    if settings.record.folder and settings.record.keep_days > 0:
        folder = Path(settings.record.folder)
        stack.enter_context(Forgetting(folder, settings.record.keep_days))
    osc: Callable[[], Mapping[str, int]] = dict
    if settings.osc.on:
        from mirror.control.osc import SIGNS, OscPort  # noqa: PLC0415

        def signs() -> dict[str, Any]:
            vitals = rig.pulse.newest
            return {name: getattr(vitals, name) for name in SIGNS}

        port = stack.enter_context(OscPort(settings.osc, conductor, signs))
        osc = lambda: dict(port.counts)  # noqa: E731
    if settings.status.on:
        _open_status(rig, conductor, osc)


def _open_status(rig: Rig, conductor: Conductor, osc: Callable[[], Mapping[str, int]]) -> None:
    from mirror.status.server import StatusServer  # noqa: PLC0415
    from mirror.status.signs import Gatherer, Peephole  # noqa: PLC0415
    from mirror.status.tally import Tally  # noqa: PLC0415

    settings = rig.plan.settings.status
    tally = Tally(lambda: rig.pulse.newest, settings.visits)
    rig.stack.callback(tally.close)
    parts: dict[str, Callable[[], Mapping[str, Any]]] = {
        "timings": rig.report.timings,
        "standing": conductor.told,
        "log": lambda: dict(rig.journal.counts),
        "osc": osc,
    }
    gatherer = Gatherer(lambda: rig.pulse.newest, tally, parts)
    width = settings.picture_width_px
    peephole = Peephole(rig.pulse, lambda: rig.screen.glimpse(width))
    rig.stack.enter_context(StatusServer(settings, gatherer, peephole))
