"""What a device is told, and what it made of it.

There is no camera on the machines that run these tests, so a driver's manners stand here in its
place: it clamps, it rounds, it ignores, and always says that all is well.
"""

from __future__ import annotations

import dataclasses

import cv2
import pytest

from mirror.camera import refused
from mirror.camera.controls import set_controls
from mirror.settings import CameraSettings


class Driver:
    """A V4L2 driver behind OpenCV: prop -> (value, low, high, step)."""

    def __init__(self, name: str = "V4L2") -> None:
        self.name, self.told = name, []
        self.knobs = {
            cv2.CAP_PROP_AUTO_EXPOSURE: (3.0, 1.0, 3.0, 1.0),
            cv2.CAP_PROP_EXPOSURE: (333.0, 3.0, 2047.0, 1.0),
            cv2.CAP_PROP_GAIN: (64.0, 0.0, 255.0, 1.0),
            cv2.CAP_PROP_AUTO_WB: (1.0, 0.0, 1.0, 1.0),
            cv2.CAP_PROP_WB_TEMPERATURE: (4210.0, 2000.0, 6500.0, 10.0),
        }

    def getBackendName(self) -> str:
        return self.name

    def set(self, prop: int, value: float) -> bool:
        self.told.append(prop)
        if prop in self.knobs:
            _, low, high, step = self.knobs[prop]
            self.knobs[prop] = (min(max(round(value / step) * step, low), high), low, high, step)
        return True

    def get(self, prop: int) -> float:
        return self.knobs[prop][0] if prop in self.knobs else -1.0


def test_what_is_asked_for_is_set_by_hand_and_read_back() -> None:
    driver = Driver()
    wishes = CameraSettings(exposure_ms=10.0, gain=0.0, white_balance_k=4604.0)
    controls = set_controls(driver, wishes)
    assert driver.get(cv2.CAP_PROP_EXPOSURE) == 100.0
    assert driver.get(cv2.CAP_PROP_AUTO_EXPOSURE) == 1.0
    assert driver.get(cv2.CAP_PROP_AUTO_WB) == 0.0
    assert [each.found for each in controls] == [10.0, 0.0, 4600.0, None]
    assert all(each.taken for each in controls)
    assert refused(controls) == []


def test_nothing_is_touched_that_nobody_asked_for() -> None:
    driver = Driver()
    controls = set_controls(driver, CameraSettings())
    assert driver.told == []
    assert [each.found for each in controls] == [33.3, 64.0, 4210.0, None]
    assert [each.held for each in controls] == [False, True, False, True]


@pytest.mark.parametrize(
    ("wish", "value", "told"),
    [
        ("exposure_ms", 900.0, "exposure_ms = 900 (it is 204.7)"),
        ("gain", 300.0, "gain = 300 (it is 255)"),
        ("focus", 30.0, "focus = 30 (not there)"),
    ],
)
def test_what_a_device_does_not_take_is_told(wish: str, value: float, told: str) -> None:
    wishes = dataclasses.replace(CameraSettings(), **{wish: value})
    assert refused(set_controls(Driver(), wishes)) == [told]


def test_a_device_that_goes_on_deciding_for_itself_has_not_taken_it() -> None:
    driver = Driver()
    driver.knobs[cv2.CAP_PROP_AUTO_EXPOSURE] = (3.0, 3.0, 3.0, 1.0)
    assert refused(set_controls(driver, CameraSettings(exposure_ms=10.0))) == [
        "exposure_ms = 10 (auto)"
    ]


def test_other_systems_count_in_other_units_and_are_left_alone() -> None:
    driver = Driver("MSMF")
    controls = set_controls(driver, CameraSettings(exposure_ms=10.0))
    assert driver.told == []
    assert refused(controls) == ["exposure_ms = 10 (not there)"]
