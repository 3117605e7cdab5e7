"""The three pieces, arranged from the same parts.

A piece takes the state of the river and who is there, and says which portraits are drawn where.
``river.py``: six streams. ``uncanny.py``: one large portrait for each sitter. ``passersby.py``:
two halves, nobody needed. Pure functions; the show's thread.
"""

from __future__ import annotations

from collections.abc import Callable

from mirror.pieces import passersby, river, uncanny
from mirror.pieces.arrangement import Arrangement, Moment

#: Name -> how it arranges a moment.
PIECES: dict[str, Callable[[Moment], Arrangement]] = {
    "river": river.arrange,
    "uncanny": uncanny.arrange,
    "passersby": passersby.arrange,
}

#: Name -> how far the six streams show in its water: behind single portraits they would disturb.
PIGMENT: dict[str, float] = {"river": 1.0, "uncanny": 0.0, "passersby": 0.0}

__all__ = ["PIECES", "PIGMENT", "Arrangement", "Moment"]
