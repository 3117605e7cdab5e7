"""How long to wait before each next try: doubling, up to a limit."""

from __future__ import annotations


class Pauses:
    """Pauses that grow while trying does not help."""

    def __init__(self, first_s: float, most_s: float) -> None:
        self._first_s, self._most_s = first_s, max(first_s, most_s)
        self._next_s = first_s

    def take(self) -> float:
        """The pause before the next try, in seconds."""
        pause_s, self._next_s = self._next_s, min(2 * self._next_s, self._most_s)
        return pause_s

    def reset(self) -> None:
        """All is well again: start from the shortest pause."""
        self._next_s = self._first_s
