"""What monitors say of themselves, and which is which."""

from __future__ import annotations

from pathlib import Path

import pytest

from mirror.screen.edid import Edid, identities, list_edids, read_edid


def edid_of(
    maker: str = "DEL", name: str = "U2415", serial: str = "7MT0183", number: int = 0,
    size_cm: tuple[int, int] = (52, 32), size_mm: tuple[int, int] | None = (518, 324),
) -> bytes:  # fmt: skip
    """128 bytes as a monitor sends them."""
    data = bytearray(128)
    data[:8] = bytes((0, 255, 255, 255, 255, 255, 255, 0))
    letters = [ord(letter) - 64 for letter in maker]
    data[8:10] = (letters[0] << 10 | letters[1] << 5 | letters[2]).to_bytes(2, "big")
    data[10:12] = (0xA0B1).to_bytes(2, "little")
    data[12:16] = number.to_bytes(4, "little")
    data[21:23] = bytes(size_cm)
    if size_mm:
        wide, high = size_mm
        data[54:56] = b"\x01\x1d"
        data[66:69] = bytes((wide & 255, high & 255, wide >> 8 << 4 | high >> 8))
    for start, kind, text in ((72, 0xFC, name), (90, 0xFF, serial)):
        if text:
            data[start : start + 5] = bytes((0, 0, 0, kind, 0))
            data[start + 5 : start + 18] = f"{text}\n".encode().ljust(13)[:13]
    data[127] = -sum(data) % 256
    return bytes(data)


def test_a_monitor_is_known_by_maker_model_and_serial_number() -> None:
    assert read_edid(edid_of()) == Edid("DEL U2415 7MT0183", ((520, 320), (518, 324)))
    bare = read_edid(edid_of("EPS", "", "", 77, (0, 0), None))
    assert bare == Edid("EPS A0B1 77", ())


@pytest.mark.parametrize(
    "data", [b"", b"\0" * 128, edid_of()[:127], edid_of()[:60] + b"\x07" + edid_of()[61:]]
)
def test_bytes_that_are_damaged_tell_nothing(data: bytes) -> None:
    assert read_edid(data) is None


def test_only_monitors_that_are_plugged_in_are_listed(tmp_path: Path) -> None:
    plugs = {
        "card0-HDMI-A-1": ("connected", edid_of()),
        "card0-DP-1": ("disconnected", b""),
        "card0-DP-2": ("connected", edid_of("EPS", "EB-L200", "X4ZK", 0, (0, 0), None)),
        "card0-VGA-1": ("connected", b"half of it"),
    }
    for name, (status, data) in plugs.items():
        folder = tmp_path / "sys" / "class" / "drm" / name
        folder.mkdir(parents=True)
        (folder / "status").write_text(f"{status}\n")
        (folder / "edid").write_bytes(data)
    assert [each.identity for each in list_edids(str(tmp_path))] == [
        "EPS EB-L200 X4ZK", "DEL U2415 7MT0183",
    ]  # fmt: skip
    assert list_edids(str(tmp_path / "elsewhere")) == []


DELL = Edid("DEL U2415 7MT0183", ((520, 320), (518, 324)))
TWIN = Edid("DEL U2415 9ZZ0001", ((520, 320), (518, 324)))
PROJECTOR = Edid("EPS EB-L200 X4ZK", ())


@pytest.mark.parametrize(
    ("monitors", "edids", "told"),
    [
        ({"HDMI-1": (518, 324)}, [DELL], {"HDMI-1": DELL.identity}),
        ({"HDMI-1": (508, 286)}, [PROJECTOR], {"HDMI-1": PROJECTOR.identity}),
        (
            {"DP-1": (518, 324), "HDMI-1": (508, 286)},
            [PROJECTOR, DELL],
            {"DP-1": DELL.identity, "HDMI-1": PROJECTOR.identity},
        ),
        ({"DP-1": (518, 324), "DP-2": (518, 324)}, [DELL, TWIN], {}),
        ({"screen": (169, 95)}, [], {}),
        ({"screen": (169, 95)}, [DELL, PROJECTOR], {}),
    ],
)
def test_a_monitor_gets_an_identity_only_where_it_is_sure(
    monitors: dict[str, tuple[int, int]], edids: list[Edid], told: dict[str, str]
) -> None:
    assert identities(monitors, edids) == told
