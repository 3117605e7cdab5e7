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

__all__ = ["PIECES", "Arrangement", "Moment"]
