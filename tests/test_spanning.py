"""One picture across several monitors."""

from __future__ import annotations

import pytest

from mirror.screen.spanning import around, is_several, names

CONNECTED = ["left", "HDMI-2", "EPS EB-L200 X4ZK"]


@pytest.mark.parametrize(
    ("setting", "meant"),
    [
        ("all", CONNECTED),
        ("left + HDMI-2", ["left", "HDMI-2"]),
        ("EPS EB-L200 X4ZK + left", ["EPS EB-L200 X4ZK", "left"]),
    ],
)
def test_a_setting_means_several_monitors(setting: str, meant: list[str]) -> None:
    assert is_several(setting)
    assert names(setting, CONNECTED) == meant


@pytest.mark.parametrize("setting", ["", "left", "EPS EB-L200 X4ZK", "A+B"])
def test_a_name_is_one_monitor(setting: str) -> None:
    assert not is_several(setting)


@pytest.mark.parametrize(
    ("areas", "whole"),
    [
        ([(0, 0, 1920, 1080)], (0, 0, 1920, 1080)),
        ([(0, 0, 1920, 1080), (1920, 0, 1920, 1080)], (0, 0, 3840, 1080)),
        ([(1920, 200, 1080, 1920), (0, 0, 1920, 1080)], (0, 0, 3000, 2120)),
        ([(-800, 0, 800, 600), (0, 0, 800, 600), (0, 600, 800, 600)], (-800, 0, 1600, 1200)),
    ],
)
def test_the_picture_is_the_rectangle_around_all(areas: list, whole: tuple) -> None:
    assert around(areas) == whole
