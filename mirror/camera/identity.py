"""Which camera it is, told so that it is known again: a source comes in, words go out.

A number or a name is not enough: numbers change with every start, two cameras may share a name,
and an address may be given to another camera over night. The words name what stays: for a device
its name, its serial path and its socket; for an address what answers there, and the hardware
address of its network card. Any thread may call it; ``identify`` asks an address once, all else
reads files.
"""

from __future__ import annotations

import contextlib
import http.client
import socket
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

from mirror.camera.sources import DeviceFacts, Source
from mirror.errors import OtherCameraError, SourceError

#: Between the parts of an identity. No name of a driver was ever seen to hold it.
BETWEEN = " | "
SAID, CARD = "says ", "card "
ARP = "/proc/net/arp"


def identify(source: Source, devices: Sequence[DeviceFacts], timeout_s: float = 3.0) -> str:
    """What a source is, for the site file; "" for a device that is not there.

    devices: as ``list_devices`` gives them. timeout_s: for the one question to an address.
    """
    if source.kind == "device":
        found = device_at(source, devices)
        return identity_of(found) if found else ""
    if source.kind == "url":
        said, card = _server(str(source.address), timeout_s), card_of(str(source.address))
        parts = [str(source), said and SAID + said, card and CARD + card]
        return BETWEEN.join(part for part in parts if part)
    path = Path(str(source.address))
    return f"{path.name}{BETWEEN}{path.stat().st_size} bytes"


def identity_of(device: DeviceFacts) -> str:
    """A device by its name, its serial path and its socket."""
    links = (Path(link).name for link in (device.by_id, device.by_path))
    return BETWEEN.join([device.name, *links])


def device_at(source: Source, devices: Sequence[DeviceFacts]) -> DeviceFacts | None:
    """The device that a number or a path leads to now."""
    path = f"/dev/video{source.address}" if isinstance(source.address, int) else source.address
    names = {path, str(Path(path).resolve())}
    for each in devices:
        if names & {each.path, each.by_id, each.by_path}:
            return each
    return None


def known_again(identity: str, source: Source, devices: Sequence[DeviceFacts]) -> str:
    """The path of the device that has this identity: the one that the source names, if it is it.

    Raises OtherCameraError where another camera is in its place or nobody can tell, and
    SourceError where there is none.
    """
    named = device_at(source, devices)
    alike = [each for each in devices if same_device(identity, each, devices)]
    if named in alike:
        return named.path
    if len(alike) == 1:
        return alike[0].path
    pictures = [each for each in devices if each.node == 0]
    seen = ", ".join(identity_of(each) for each in pictures) or "no camera"
    wanted = identity.replace(BETWEEN, " at ", 1)
    if named is None and not pictures:
        raise SourceError(
            str(source), "no such camera", wanted, "plug it in; `calibrate camera --list`"
        )
    raise OtherCameraError(
        str(source), f"another camera: {seen}", wanted,
        "plug the right one in where it was, or choose anew: `calibrate camera`",
    )  # fmt: skip


def same_device(identity: str, device: DeviceFacts, devices: Sequence[DeviceFacts]) -> bool:
    """Whether a device is the one of an identity.

    In its old socket it is. In another one it is, if it has a serial path of its own and no
    camera of the same name is there that could have taken that path.
    """
    name, by_id, by_path, *_ = [*identity.split(BETWEEN), "", "", ""]
    here = Path(device.by_id).name, Path(device.by_path).name
    if device.name != name:
        return False
    if here[1] and here[1] == by_path:
        return not here[0] or not by_id or here[0] == by_id or device.twin
    if not here[1] and not by_path:  # no sockets are known here
        return here[0] == by_id and not device.twin
    return bool(by_id) and here[0] == by_id and not device.twin


def hold_address(identity: str, source: Source, asked: str | None = None) -> None:
    """Raise OtherCameraError if another camera is at an address.

    asked: what ``identify`` says of it now; None: only its network card is looked at, which asks
    nothing of the camera.
    """
    before = _part(identity, CARD)
    now = _part(asked, CARD) if asked is not None else card_of(str(source.address))
    if before and before == now:  # its firmware may have got a new name
        return
    found = f"network card {now} instead of {before}" if before and now and before != now else ""
    if asked is not None and identity != asked and not found:
        said, was = _part(asked, SAID), _part(identity, SAID)
        if said != was:
            found = f"{said or 'no name'} instead of {was or 'no name'}"
        elif identity.split(BETWEEN, maxsplit=1)[0] != asked.split(BETWEEN)[0]:
            found = f"{asked.split(BETWEEN)[0]} instead of {identity.split(BETWEEN, maxsplit=1)[0]}"
    if found:
        raise OtherCameraError(
            str(source), f"another camera: {found}", identity,
            "give the right camera its address again, or choose anew: `calibrate camera`",
        )  # fmt: skip


def card_of(address: str, table: str = ARP) -> str:
    """The hardware address of the network card at an address, or "": from the system's memory of
    whom it spoke with in this network."""
    with contextlib.suppress(OSError, ValueError):
        host = socket.gethostbyname(urlsplit(address).hostname or "")
        for line in Path(table).read_text(encoding="ascii", errors="replace").splitlines()[1:]:
            words = line.split()
            if len(words) > 3 and words[0] == host and words[3].strip("0:"):
                return words[3].lower()
    return ""


def _part(identity: str, mark: str) -> str:
    """The part of an identity that begins with a mark, without it."""
    parts = identity.split(BETWEEN)
    return next((part[len(mark) :] for part in parts if part.startswith(mark)), "")


def _server(address: str, timeout_s: float) -> str:
    """What a web server calls itself, or ""."""
    parts = urlsplit(address)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        return ""
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.hostname, parts.port, timeout=timeout_s)
    try:
        connection.request("GET", (parts.path or "/") + (f"?{parts.query}" if parts.query else ""))
        return " ".join((connection.getresponse().getheader("Server") or "").split())[:80]
    except (OSError, http.client.HTTPException, ValueError):
        return ""
    finally:
        connection.close()
