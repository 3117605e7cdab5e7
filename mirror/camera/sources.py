"""What a source is: the text of a flag or of the site file comes in, a ``Source`` goes out.

Also lists the cameras of this computer by names that stay the same when it starts again: two
cameras of one name, or a changed order, must not make the piece look through the wrong one.
Nothing is opened here. Any thread may call it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import urlsplit

from mirror.errors import SourceError

URL_SCHEMES = ("http", "https", "rtsp", "rtsps")
ALLOWED = (
    "a camera's number (0), its path (/dev/v4l/by-id/...), "
    "an address (http://, https://, rtsp://) or a video file"
)


@dataclass(frozen=True)
class Source:
    """Where pictures come from.

    kind: 'device', 'url', 'file' or 'session' (recorded pictures). address: a device's number or
    path, a URL, or a file's path. from_s, to_s: the part of a session that is played.
    As text, a URL shows neither its name and password nor its query: logs and errors use that.
    """

    kind: str
    address: int | str = field(repr=False)
    from_s: float = 0.0
    to_s: float | None = None

    @property
    def live(self) -> bool:
        """Whether it goes on for ever, at its own pace."""
        return self.kind not in ("file", "session")

    def __str__(self) -> str:
        """The address, fit for a log."""
        if self.kind != "url":
            return f"{self.kind} {self.address}"
        parts = urlsplit(str(self.address))
        return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def parse_source(text: str) -> Source:
    """What a text names; a file must be there, a camera may come later.

    Raises SourceError for a missing file, a folder, and an address of an unknown kind.
    """
    text = text.strip()
    if text.isdecimal():
        return Source("device", int(text))
    if text.startswith("/dev/"):
        return Source("device", text)
    scheme, separator, rest = text.partition("://")
    if separator:
        return _url(scheme.lower(), rest)
    path = Path(text).expanduser()
    if not path.is_file():
        found = "a folder" if path.is_dir() else "no such file"
        raise SourceError(f"source {text!r}", found, ALLOWED, "`mirror doctor` lists the cameras")
    return Source("file", str(path))


def _url(scheme: str, rest: str) -> Source:
    source = Source("url", f"{scheme}://{rest}")
    if scheme not in URL_SCHEMES:
        raise SourceError(
            f"source {str(source)!r}", f"the unknown kind of address {scheme}://", ALLOWED,
            "download the film and name the file, or take the camera's MJPEG or RTSP address",
        )  # fmt: skip
    if not rest.strip("/"):
        raise SourceError(
            f"source {str(source)!r}", "an address without a host", f"{scheme}://host:port/path",
            "look up the address in the camera's manual",
        )  # fmt: skip
    return source


@dataclass(frozen=True)
class DeviceFacts:
    """One video node of this computer.

    name: what the driver calls it. path: /dev/videoN, which may change at the next start.
    by_id: the stable path by maker and serial number, or "". by_path: the stable path by the
    socket that it is plugged into, or "". node: 0 is the picture; higher ones of the same camera
    mostly carry its metadata. twin: another camera has the same name, and not each of them has a
    stable path by serial number: at the next start that path may lead to the other one.
    """

    name: str
    path: str
    by_id: str
    by_path: str
    node: int
    twin: bool = False

    @property
    def stable(self) -> str:
        """The path to write into the site file."""
        paths = (self.by_path, self.by_id) if self.twin else (self.by_id, self.by_path)
        return paths[0] or paths[1] or self.path


def list_devices(root: str = "/") -> list[DeviceFacts]:
    """The cameras that Linux knows of, pictures first; an empty list elsewhere.

    root: where dev/ and sys/ are.
    """
    top = Path(root)
    links = {
        order: _links(top / "dev" / "v4l" / order, top / "dev") for order in ("by-id", "by-path")
    }
    found = []
    for entry in sorted((top / "sys/class/video4linux").glob("video*")):
        found.append(
            DeviceFacts(
                name=_line(entry / "name", entry.name),
                path=str(top / "dev" / entry.name),
                by_id=links["by-id"].get(entry.name, ""),
                by_path=links["by-path"].get(entry.name, ""),
                node=int(_line(entry / "index", "0")),
            )
        )
    found = [replace(each, twin=_has_twin(each, found)) for each in found]
    return sorted(found, key=lambda device: (device.node, len(device.path), device.path))


def _has_twin(device: DeviceFacts, devices: Sequence[DeviceFacts]) -> bool:
    """Whether a device and others share a name and cannot be told apart by serial number."""
    alike = [o for o in devices if (o.name, o.node) == (device.name, device.node)]
    return len(alike) > 1 and not all(each.by_id for each in alike)


def _links(folder: Path, devices: Path) -> dict[str, str]:
    """Node name -> the link that points to it; of two links the first in order of the alphabet."""
    found: dict[str, str] = {}
    for link in sorted(folder.glob("*")):
        target = link.resolve()
        if target.parent == devices.resolve():
            found.setdefault(target.name, str(link))
    return found


def _line(path: Path, otherwise: str) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip() or otherwise
    except OSError:  # unplugged between the listing and the reading
        return otherwise
