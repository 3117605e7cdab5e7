"""The show's doors to the outside, each shut unless the site's settings open it.

In: the settings and the show. Out: threads of their own that are closed with the show. What a
door needs is imported only when it is opened: a show without them starts no slower.
"""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

from mirror.settings import Settings

if TYPE_CHECKING:
    from mirror.show import Show


def open_ports(settings: Settings, show: Show, stack: ExitStack) -> None:
    """Open what the settings switch on; nothing here ever stops the show."""
    if settings.osc.on:
        from mirror.osc import OscPort  # noqa: PLC0415

        stack.enter_context(OscPort(settings.osc, show.conductor))
