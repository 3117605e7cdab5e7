"""The screen: all that is drawn, in a window or offscreen.

In: a ``Scene`` for each picture, and paintings when they are ready. Out: light.
"""

from __future__ import annotations

from mirror.screen.lasting import LastingScreen
from mirror.screen.portray import portray
from mirror.screen.screen import Screen
from mirror.screen.unseen import Unseen

__all__ = ["LastingScreen", "Screen", "Unseen", "portray"]
