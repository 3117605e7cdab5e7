"""Which camera it is: never another one, even where two have one name or one has moved."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from http_camera import QUICK, HttpCamera, jpegs, until

from calibration.choosing import choices, chosen
from mirror.camera import (
    Camera,
    DeviceFacts,
    card_of,
    device_at,
    hold_address,
    identify,
    identity_of,
    known_again,
    list_devices,
    parse_source,
)  # fmt: skip
from mirror.clock import MonotonicClock
from mirror.errors import OtherCameraError, SettingsError, SourceError


class Desk:
    """A computer with cameras: the files by which Linux tells of them."""

    def __init__(self, root: Path) -> None:
        self.root = root
        (root / "dev").mkdir()

    def plug(self, node: int, name: str, by_id: str = "", by_path: str = "") -> None:
        facts = self.root / f"sys/class/video4linux/video{node}"
        facts.mkdir(parents=True)
        (facts / "name").write_text(name + "\n")
        (facts / "index").write_text("0\n")
        (self.root / f"dev/video{node}").touch()
        for order, link in (("by-id", by_id), ("by-path", by_path)):
            folder = self.root / "dev/v4l" / order
            folder.mkdir(parents=True, exist_ok=True)
            if link:
                (folder / link).unlink(missing_ok=True)
                (folder / link).symlink_to(f"../../video{node}")

    @property
    def devices(self) -> list[DeviceFacts]:
        return list_devices(str(self.root))

    def path(self, name: str) -> str:
        return str(self.root / "dev" / name)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def test_two_cameras_of_one_name_are_told_apart_by_their_sockets(desk: Desk) -> None:
    desk.plug(0, "C920", "usb-C920-index0", "pci-usb-1")
    assert desk.devices[0].stable.endswith("by-id/usb-C920-index0")
    desk.plug(2, "C920", "", "pci-usb-2")  # no serial number: both want the same link
    one, two = desk.devices
    assert one.twin
    assert two.twin
    assert one.stable.endswith("by-path/pci-usb-1")
    assert two.stable.endswith("by-path/pci-usb-2")
    assert identity_of(one) != identity_of(two)
    with pytest.raises(SettingsError, match=r"2 cameras are called 'C920'.*pci-usb-1.*pci-usb-2"):
        chosen("c920", desk.devices)
    assert chosen(two.path, desk.devices) == two.stable
    assert all("same name" in each.note for each in choices(desk.devices))


def test_two_cameras_of_one_name_with_serial_numbers_keep_their_paths(desk: Desk) -> None:
    desk.plug(0, "C920", "usb-C920_A-index0", "pci-usb-1")
    desk.plug(2, "C920", "usb-C920_B-index0", "pci-usb-2")
    assert [each.twin for each in desk.devices] == [False, False]
    assert [Path(each.stable).name for each in desk.devices] == [
        "usb-C920_A-index0", "usb-C920_B-index0",
    ]  # fmt: skip


def test_a_camera_is_known_again_whatever_its_number(desk: Desk) -> None:
    desk.plug(0, "Spare", "", "pci-usb-1")
    desk.plug(2, "Eye", "usb-Eye_77-index0", "pci-usb-2")
    eye = desk.devices[1]
    assert known_again(identity_of(eye), parse_source(eye.stable), desk.devices) == eye.path
    # Its old number now leads to another one: the right one is taken, wherever it is.
    named = parse_source(desk.devices[0].path)
    assert known_again(identity_of(eye), named, desk.devices) == eye.path


def test_a_camera_with_a_serial_number_may_move_to_another_socket(desk: Desk) -> None:
    desk.plug(0, "Eye", "usb-Eye_77-index0", "pci-usb-5")
    assert known_again(
        "Eye | usb-Eye_77-index0 | pci-usb-2", parse_source(desk.path("video0")), desk.devices
    ) == desk.path("video0")


@pytest.mark.parametrize(
    ("by_id", "by_path"),
    [("usb-Eye_78-index0", "pci-usb-5"), ("", "pci-usb-5"), ("usb-Eye_78-index0", "pci-usb-2")],
)
def test_another_camera_of_that_name_is_refused(desk: Desk, by_id: str, by_path: str) -> None:
    desk.plug(0, "Eye", by_id, by_path)
    with pytest.raises(OtherCameraError, match=r"another camera: Eye.*choose anew"):
        known_again(
            "Eye | usb-Eye_77-index0 | pci-usb-2", parse_source(desk.path("video0")), desk.devices
        )


def test_a_twin_that_took_the_serial_path_is_not_taken_for_the_other(desk: Desk) -> None:
    desk.plug(0, "C920", "usb-C920-index0", "pci-usb-1")
    first = desk.devices[0]
    desk.plug(2, "C920", "usb-C920-index0", "pci-usb-2")  # and with it the link
    named = parse_source(desk.path("v4l/by-id/usb-C920-index0"))
    assert device_at(named, desk.devices).path == desk.path("video2")
    assert known_again(identity_of(first), named, desk.devices) == first.path


def test_a_camera_that_is_not_there_is_no_other_camera(desk: Desk) -> None:
    with pytest.raises(SourceError, match="no such camera") as caught:
        known_again("Eye | a | b", parse_source("/dev/video0"), desk.devices)
    assert not isinstance(caught.value, OtherCameraError)
    with pytest.raises(SourceError, match=r"no such camera.*those that are there: none"):
        chosen("3", desk.devices)


def test_the_piece_waits_for_its_own_camera() -> None:
    """No device of that identity is here: nothing else is opened in its place."""
    wanted = dataclasses.replace(QUICK, identity="Eye | usb-Eye_77-index0 | pci-usb-2")
    with Camera(parse_source("0"), wanted, MonotonicClock()) as camera:
        assert until(lambda: camera.faults["gone"] > 1)
        assert camera.newest() is None
        assert "no such camera" in camera.trouble or "another camera" in camera.trouble


def test_network_cameras_are_told_apart_by_address_and_by_what_they_say() -> None:
    with HttpCamera(jpegs(), name="Hall/2") as hall, HttpCamera(jpegs(), name="Hall/2") as other:
        saved = identify(parse_source(hall.url), [])
        assert saved == f"{hall.url} | says Hall/2"
        hold_address(saved, parse_source(hall.url), identify(parse_source(hall.url), []))
        with pytest.raises(OtherCameraError, match=other.url):
            hold_address(saved, parse_source(other.url), identify(parse_source(other.url), []))
        hall.name = "Toilet/1"
        with pytest.raises(OtherCameraError, match="Toilet/1 instead of Hall/2"):
            hold_address(saved, parse_source(hall.url), identify(parse_source(hall.url), []))


def test_a_network_card_tells_more_than_a_name(tmp_path: Path) -> None:
    table = tmp_path / "arp"
    table.write_text(
        "IP address       HW type     Flags       HW address            Mask     Device\n"
        "10.0.0.7         0x1         0x2         AA:bb:cc:00:11:22     *        eth0\n"
        "10.0.0.8         0x1         0x0         00:00:00:00:00:00     *        eth0\n"
    )
    assert card_of("http://10.0.0.7:81/video", str(table)) == "aa:bb:cc:00:11:22"
    assert card_of("http://10.0.0.8/", str(table)) == card_of("http://10.0.0.9/", str(table)) == ""
    saved = "rtsp://10.0.0.7/ | says Eye/1 | card aa:bb:cc:00:11:22"
    source = parse_source("rtsp://10.0.0.7/")
    hold_address(saved, source, saved.replace("Eye/1", "Eye/2"))  # its firmware was renewed
    with pytest.raises(OtherCameraError, match="network card aa:bb:cc:00:11:99 instead of"):
        hold_address(saved, source, saved.replace("22", "99"))


def test_an_identity_holds_no_password() -> None:
    assert "secret" not in identify(parse_source("rtsp://guard:secret@127.0.0.1/x?key=secret"), [])


def test_a_film_is_known_by_name_and_size(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_bytes(bytes(99))
    assert identify(parse_source(str(tmp_path / "a.mp4")), []) == "a.mp4 | 99 bytes"
