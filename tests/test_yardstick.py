"""The yardstick is pix2pix's U-Net in size and in cost."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from mirror.atelier.yardstick import UNet, Yardstick


@pytest.fixture(scope="module")
def net() -> UNet:
    return UNet().eval()


def test_it_has_as_many_parameters_as_pix2pix(net: UNet) -> None:
    assert sum(parameter.numel() for parameter in net.parameters()) == 54_413_955


def test_a_picture_costs_six_billion_multiplications(net: UNet) -> None:
    counted = []

    def count(layer: Any, given: Any, made: torch.Tensor) -> None:
        pixels = made if isinstance(layer, nn.Conv2d) else given[0]
        others = layer.in_channels if isinstance(layer, nn.Conv2d) else layer.out_channels
        counted.append(pixels.numel() * others * 16)  # 4 x 4 kernels

    hooks = [
        layer.register_forward_hook(count)
        for layer in net.modules()
        if isinstance(layer, (nn.Conv2d, nn.ConvTranspose2d))
    ]
    with torch.inference_mode():
        net(torch.zeros(1, 3, 256, 256))
    for hook in hooks:
        hook.remove()
    assert len(counted) == 16
    assert sum(counted) / 1e9 == pytest.approx(6.05, abs=0.01)


def test_the_finest_step_up_sees_the_finest_step_down(net: UNet) -> None:
    one, other = torch.zeros(1, 3, 256, 256), torch.zeros(1, 3, 256, 256)
    other[0, :, 100, 100] = 1.0
    with torch.inference_mode():
        change = (net(other) - net(one)).abs().amax(dim=1)[0]
    row, column = divmod(int(change.argmax()), 256)
    assert abs(row - 100) < 8 and abs(column - 100) < 8


def test_it_paints_the_same_picture_each_time_without_touching_the_seed() -> None:
    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    yardstick = Yardstick()
    picture = yardstick.paint()
    assert torch.equal(torch.rand(1), expected)
    assert picture.shape == (256, 256, 3) and picture.dtype == np.uint8
    assert picture.std() > 1
    assert np.array_equal(picture, yardstick.paint())
