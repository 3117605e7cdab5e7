"""One picture across several monitors: what the setting means, and the area that it covers.

In: the setting ``screen.monitor`` and where monitors lie on the desktop. Out: their names, and the
rectangle around them, in the desktop's units. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

#: What stands for every monitor that is connected, and what stands between the names of some.
ALL, AND = "all", " + "

#: x, y, width and height on the desktop.
Area = tuple[int, int, int, int]


def is_several(setting: str) -> bool:
    """Whether the setting means more than one monitor."""
    return setting == ALL or AND in setting


def names(setting: str, connected: Sequence[str]) -> list[str]:
    """The monitors that are meant, in the order named."""
    if setting == ALL:
        return list(connected)
    return [name.strip() for name in setting.split(AND)]


def around(areas: Iterable[Area]) -> Area:
    """The smallest rectangle that holds all of them; gaps between them are part of the picture."""
    left, top, width, height = zip(*areas)
    right = max(x + wide for x, wide in zip(left, width))
    foot = max(y + high for y, high in zip(top, height))
    return min(left), min(top), right - min(left), foot - min(top)
