"""The processor's cores that this process may use, and how many of them are cores of their own:
two threads of one core do hardly more together than one alone.

In: what the operating system tells. Out: numbers. Any thread.
"""

from __future__ import annotations

import os
from pathlib import Path

#: Where Linux tells which cores are threads of one.
TOLD = Path("/sys/devices/system/cpu")


def usable() -> set[int]:
    """The numbers of the cores that this process may use, threads of one core counted apart."""
    if hasattr(os, "sched_getaffinity"):
        return os.sched_getaffinity(0)
    return set(range(os.cpu_count() or 1))


def own(told: Path = TOLD) -> int:
    """How many of the usable cores are cores of their own; all, where nobody tells."""
    cores = set()
    for number in usable():
        try:
            siblings = (told / f"cpu{number}" / "topology" / "thread_siblings_list").read_text()
        except OSError:
            siblings = str(number)
        cores.add(siblings.strip())
    return len(cores)
