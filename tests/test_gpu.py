"""Memory of the graphics card: as the kernel tells it, or as NVIDIA's library does."""

from __future__ import annotations

import ctypes
from pathlib import Path

import pytest

from mirror.status.gpu import _of_card, gpu_mb

#: As the kernel writes it (Documentation/gpu/drm-usage-stats.rst).
AMD = """pos:\t0
drm-driver:\tamdgpu
drm-client-id:\t{client}
drm-memory-vram:\t{kib} KiB
drm-memory-gtt: \t2048 KiB
"""


def test_each_client_counts_once_however_many_descriptors_it_has(tmp_path: Path) -> None:
    (tmp_path / "0").write_text("pos:\t0\nflags:\t02\n", encoding="ascii")
    for name, client, kib in (("7", 3, 1_000_000), ("8", 3, 1_000_000), ("9", 4, 500_000)):
        (tmp_path / name).write_text(AMD.format(client=client, kib=kib), encoding="ascii")
    assert gpu_mb(tmp_path) == pytest.approx(1536.0)


def test_where_nobody_tells_there_is_no_figure() -> None:
    if _of_card() is not None:
        pytest.skip("here NVIDIA's library tells")
    assert gpu_mb() is None


def test_what_is_taken_on_a_card_is_seen() -> None:
    try:
        cuda = ctypes.CDLL("libcuda.so.1")
    except OSError:
        pytest.skip("no NVIDIA card here")
    context, device, memory = ctypes.c_void_p(), ctypes.c_int(), ctypes.c_void_p()
    assert cuda.cuInit(0) == 0
    assert cuda.cuDeviceGet(ctypes.byref(device), 0) == 0
    assert cuda.cuCtxCreate_v2(ctypes.byref(context), 0, device) == 0
    before = gpu_mb()
    assert before is not None
    assert cuda.cuMemAlloc_v2(ctypes.byref(memory), ctypes.c_size_t(1 << 30)) == 0
    after = gpu_mb()
    assert after is not None
    assert after - before == pytest.approx(1074, abs=100)
    assert cuda.cuCtxDestroy_v2(context) == 0
