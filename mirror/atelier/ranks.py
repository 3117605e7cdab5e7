"""Several processes that train one network: ``torchrun --nproc_per_node=N -m mirror train ...``.

Each draws its own lots, works on its own device and shares its gradients; the first one writes.
Without torchrun there is one process, and every function here does next to nothing.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import torch
from torch import distributed
from torch.nn import Parameter


def count() -> int:
    """How many processes train together."""
    return distributed.get_world_size() if _together() else 1


def number() -> int:
    """Which of them this is; 0 is the first, the only one that writes."""
    return int(os.environ.get("RANK", "0"))


def own_device(device: str) -> str:
    """This process's own GPU where there are several."""
    return f"cuda:{os.environ['LOCAL_RANK']}" if device == "cuda" and _together() else device


@contextmanager
def joined(device: str) -> Iterator[None]:
    """For the time of a with block, train together with the others that torchrun started.

    device: cpu or cuda.
    """
    if "WORLD_SIZE" not in os.environ:
        yield
        return
    distributed.init_process_group("nccl" if device.startswith("cuda") else "gloo")
    try:
        yield
    finally:
        distributed.destroy_process_group()


def share_gradients(parameters: Iterable[Parameter]) -> None:
    """Bring the gradients of all processes to their mean."""
    if not _together():
        return
    slopes = [p.grad for p in parameters if p.grad is not None]
    flat = torch.cat([slope.flatten() for slope in slopes])
    distributed.all_reduce(flat)
    flat /= count()
    for slope, part in zip(slopes, flat.split([slope.numel() for slope in slopes])):
        slope.copy_(part.view_as(slope))


def agree(yes: bool, device: torch.device) -> bool:
    """Whether all say yes: they must stop at the same step."""
    if not _together():
        return yes
    told = torch.tensor(float(yes), device=device)
    distributed.all_reduce(told, distributed.ReduceOp.MIN)
    return bool(told > 0)


def _together() -> bool:
    return distributed.is_available() and distributed.is_initialized()
