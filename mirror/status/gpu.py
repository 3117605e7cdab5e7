"""Memory of the graphics card, where the system tells of it.

Two ways: the kernel's own account of a process (``/proc/self/fdinfo``, Linux 5.19 and later: Intel,
AMD and other open drivers), and NVIDIA's library, which counts the whole card. In: nothing. Out:
MB (10^6 bytes), or None where nobody tells. Any thread; a call costs less than a millisecond.
"""

from __future__ import annotations

import ctypes
import functools
import re
from pathlib import Path
from typing import Any

_CLIENT = re.compile(r"^drm-client-id:\s*(\d+)", re.MULTILINE)
_MEMORY = re.compile(
    r"^drm-(?:memory|resident)-(?:vram|local)\w*:\s*(\d+) ?(KiB|MiB|)", re.MULTILINE
)
_UNIT = {"": 1, "KiB": 1024, "MiB": 1024**2}


class _Memory(ctypes.Structure):
    """nvmlMemory_t, bytes."""

    _fields_ = (
        ("total", ctypes.c_ulonglong),
        ("free", ctypes.c_ulonglong),
        ("used", ctypes.c_ulonglong),
    )


def gpu_mb(folder: Path = Path("/proc/self/fdinfo")) -> float | None:
    """Memory held on the graphics card; None where nobody tells. folder: the kernel's account."""
    told = _of_process(folder)
    return told if told is not None else _of_card()


def _of_process(folder: Path) -> float | None:
    """What the kernel counts for this process, each client once."""
    clients: dict[str, int] = {}
    try:
        for path in folder.iterdir():
            text = path.read_text(encoding="ascii", errors="replace")
            client, memory = _CLIENT.search(text), _MEMORY.search(text)
            if client and memory:
                clients[client[1]] = int(memory[1]) * _UNIT[memory[2]]
    except OSError:  # a descriptor was closed meanwhile: the next look will do
        pass
    return round(sum(clients.values()) / 1e6, 1) if clients else None


@functools.lru_cache(maxsize=1)
def _nvml() -> Any:
    """NVIDIA's library and its first card; None where there is neither."""
    try:
        library = ctypes.CDLL("libnvidia-ml.so.1")
    except OSError:
        return None
    card = ctypes.c_void_p()
    if library.nvmlInit_v2() or library.nvmlDeviceGetHandleByIndex_v2(0, ctypes.byref(card)):
        return None
    return library, card


def _of_card() -> float | None:
    found = _nvml()
    if found is None:
        return None
    library, card = found
    memory = _Memory()
    if library.nvmlDeviceGetMemoryInfo(card, ctypes.byref(memory)):
        return None
    return round(memory.used / 1e6, 1)
