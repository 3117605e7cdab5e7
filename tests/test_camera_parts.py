"""What a source is, which cameras there are, and the parts that the camera is made of."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from http_camera import encode, flip, jpegs, junk, pictures, truncate

from mirror.camera import KINDS, STATES, list_devices, parse_source
from mirror.camera.capture import AFTER
from mirror.camera.faults import Stillness
from mirror.camera.readers import StrictJpeg, to_rgb
from mirror.errors import SourceError
from mirror.pauses import Pauses


@pytest.mark.parametrize(
    ("text", "kind", "address"),
    [
        ("0", "device", 0),
        (" 12 ", "device", 12),
        ("/dev/video3", "device", "/dev/video3"),
        ("/dev/v4l/by-id/usb-A_B-video-index0", "device", "/dev/v4l/by-id/usb-A_B-video-index0"),
        ("http://10.0.0.7:8080/video", "url", "http://10.0.0.7:8080/video"),
        ("RTSP://camera/stream?channel=1", "url", "rtsp://camera/stream?channel=1"),
    ],
)
def test_a_text_names_a_device_or_an_address(text: str, kind: str, address: object) -> None:
    source = parse_source(text)
    assert (source.kind, source.address, source.live) == (kind, address, True)


def test_anything_else_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "film.mp4").touch()
    source = parse_source(str(tmp_path / "film.mp4"))
    assert (source.kind, source.live) == ("file", False)
    assert Path(str(source.address)) == tmp_path / "film.mp4"


@pytest.mark.parametrize("text", ["no-such-film.mp4", ".", "ftp://host/film.mp4", "rtsp://", ""])
def test_a_source_that_cannot_be_is_told_in_four_parts(text: str) -> None:
    with pytest.raises(SourceError) as told:
        parse_source(text)
    error = told.value
    assert all((error.where, error.found, error.allowed, error.attempt))


def test_cameras_are_listed_by_names_that_stay(tmp_path: Path) -> None:
    assert list_devices(str(tmp_path)) == []
    for node, name, index in (("video0", "Spare", 0), ("video2", "Eye", 0), ("video3", "Eye", 1)):
        facts = tmp_path / "sys/class/video4linux" / node
        facts.mkdir(parents=True)
        (facts / "name").write_text(name + "\n")
        (facts / "index").write_text(f"{index}\n")
        (tmp_path / "dev").mkdir(exist_ok=True)
        (tmp_path / "dev" / node).touch()
    for order, link in (("by-id", "usb-Eye_77-video-index0"), ("by-path", "pci-0-usb-1:2")):
        folder = tmp_path / "dev/v4l" / order
        folder.mkdir(parents=True)
        (folder / link).symlink_to("../../video2")
    spare, eye, metadata = list_devices(str(tmp_path))
    assert (spare.name, spare.stable, spare.by_id) == ("Spare", spare.path, "")
    assert eye.stable == str(tmp_path / "dev/v4l/by-id/usb-Eye_77-video-index0")
    assert eye.by_path.endswith("pci-0-usb-1:2")
    assert (metadata.node, metadata.path) == (1, str(tmp_path / "dev/video3"))


@pytest.mark.parametrize("spoil", [truncate, flip, junk])
def test_the_strict_decoder_refuses_what_opencv_takes(
    spoil: Callable[[bytes], bytes],
) -> None:
    jpeg, decoder = jpegs(count=1)[0], StrictJpeg()
    assert decoder.decode(jpeg).shape == (240, 320, 3)
    assert decoder.decode(spoil(jpeg)) is None
    if spoil is not junk:
        grey_below = cv2.imdecode(np.frombuffer(spoil(jpeg), np.uint8), cv2.IMREAD_COLOR)
        assert grey_below.shape == (240, 320, 3)
    assert decoder.decode(jpeg + bytes(512)).shape == (240, 320, 3)  # a driver's padding


def test_whatever_a_driver_gives_becomes_rgb() -> None:
    red = np.full((4, 6, 3), (200, 20, 20), np.uint8)
    decoder = StrictJpeg()
    jpeg = np.frombuffer(encode(np.tile(red, (8, 8, 1))), np.uint8)
    planes = cv2.cvtColor(red, cv2.COLOR_RGB2YUV_I420).ravel()
    yuyv = np.full((4, 6, 2), planes[0], np.uint8)
    yuyv[:, 0::2, 1], yuyv[:, 1::2, 1] = planes[24], planes[30]
    for raw in (red[..., ::-1], jpeg[None, :], jpeg[:, None], jpeg, yuyv):
        found = to_rgb(raw, decoder)
        assert np.abs(found.mean((0, 1)) - red[0, 0]).max() < 12, raw.shape
    assert to_rgb(red[..., 0], decoder).tolist() == np.full((4, 6, 3), 200).tolist()
    assert to_rgb(jpeg[None, : jpeg.size // 2], decoder) is None


def test_pauses_grow_to_their_limit_and_start_again() -> None:
    pauses = Pauses(0.5, 4.0)
    assert [pauses.take() for _ in range(6)] == [0.5, 1.0, 2.0, 4.0, 4.0, 4.0]
    pauses.reset()
    assert pauses.take() == 0.5


def test_only_pictures_that_agree_bit_for_bit_are_still() -> None:
    stillness, (picture, *_) = Stillness(), pictures(320, 240, 1)
    assert [stillness.see(picture, t) for t in (1.0, 2.0, 3.5)] == [0.0, 1.0, 2.5]
    noisy = picture.copy()
    noisy[::8, ::40] ^= 1
    assert stillness.see(noisy, 4.0) == 0.0
    assert stillness.see(noisy.copy(), 4.5) == 0.5
    stillness.forget()
    assert stillness.see(noisy, 9.0) == 0.0


def test_the_states_are_those_that_are_told() -> None:
    assert set(AFTER) < set(KINDS)
    assert set(AFTER.values()) < set(STATES)
