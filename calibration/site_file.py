"""The site file as the calibration writes it: a few changed values come in, a whole file goes out.

``calibration/<site>.toml`` is at any moment the old file or the new one, whatever happens to the
power: the new one is written beside it, brought to the disk, and then takes its name in one step.
The file that was there before is kept as ``<site>.toml.previous``. Of two programs that save at
once, one waits. Called by the commands of ``calibrate``.
"""

from __future__ import annotations

import dataclasses
import fcntl
import os
import re
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from mirror.clock import utc_now
from mirror.errors import SettingsError
from mirror.settings import SCHEMA, Settings
from mirror.site.site import as_toml, checked, read_site, settings_from, site_path

#: What a half-written file is called; one that a power cut left behind goes with the next save.
PART = ".part"
PREVIOUS = ".previous"
#: A site file with a camera's password in it is nobody else's business.
PRIVATE, PUBLIC = 0o600, 0o644

Changes = Mapping[str, Mapping[str, Any]]


def begin_site(name: str) -> Settings:
    """The settings of a site, or the defaults where it has no file yet; raises SettingsError."""
    path = writable_path(name)
    return read_site(name) if path.exists() else Settings()


def change_site(name: str, changes: Changes, operator: str = "") -> Settings:
    """Lay some values over a site's file, save it, and return what it holds now.

    changes: table -> key -> value, for example ``{"measured": {"latency_p50_ms": 84.0}}``; a value
    of None means not measured; table "" is for keys of no table. operator: who calibrates; empty
    leaves who did so before. A site without a file begins with the defaults. Raises SettingsError
    for an unknown key, a value out of range, a file that cannot be read, and one that cannot be
    written; then nothing is changed.
    """
    path = writable_path(name)
    with _alone(path.parent):
        settings = laid_over(begin_site(name), changes)
        head = dataclasses.replace(
            settings.site,
            schema=SCHEMA,
            written=utc_now().isoformat(timespec="seconds"),
            operator=operator or settings.site.operator,
        )
        settings = dataclasses.replace(settings, site=head)
        _replace(path, settings)
    return settings


def laid_over(settings: Settings, changes: Changes) -> Settings:
    """Settings with some values changed, each held to its range; raises SettingsError."""
    for table, values in changes.items():
        before: Any = getattr(settings, table) if table else settings
        held = {
            key: checked(f"[{table}] {key}" if table else key, type(before), key, value)
            for key, value in values.items()
        }
        after = dataclasses.replace(before, **held)
        settings = _with(settings, table, after) if table else after
    return settings_from(dataclasses.asdict(settings))  # also holds them together


def _with(settings: Settings, table: str, values: Any) -> Settings:
    changed: dict[str, Any] = {table: values}
    return dataclasses.replace(settings, **changed)


def writable_path(name: str) -> Path:
    """The file of a site that may be written; raises SettingsError for a name that is none."""
    path = site_path(name)
    if not re.fullmatch(r"[\w][\w.-]*\.toml", path.name):
        found = repr(name)
        raise SettingsError("--site", found, "letters, figures, - and _", "--site foyer")
    if not path.parent.is_dir():
        raise SettingsError(
            "--site", f"no folder {path.parent}", "an existing folder", f"mkdir -p {path.parent}"
        )
    return path


def previous_path(name: str) -> Path:
    """Where the file is kept that was the site's before the last save."""
    path = site_path(name)
    return path.with_name(path.name + PREVIOUS)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """No other program saves a site there meanwhile; a program that dies lets go by itself."""
    try:
        handle = os.open(folder, os.O_RDONLY)
    except OSError as error:
        raise _unwritable(folder, error) from None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _replace(path: Path, settings: Settings) -> None:
    """Keep the old file, and put the new one in its place; both on the disk when it returns."""
    private = "@" in settings.camera.source
    try:
        for part in path.parent.glob(f".{path.name}.*{PART}"):
            part.unlink()
        if path.exists():
            mode = path.stat().st_mode & 0o777
            _put(path.with_name(path.name + PREVIOUS), path.read_bytes(), mode)
        _put(path, as_toml(settings).encode(), PRIVATE if private else PUBLIC)
    except OSError as error:
        raise _unwritable(path, error) from None


def _put(path: Path, content: bytes, mode: int) -> None:
    """Write a whole file under a name in one step. Raises OSError, and leaves no part behind."""
    name = path.name[: -len(PREVIOUS)] if path.name.endswith(PREVIOUS) else path.name
    handle, part = tempfile.mkstemp(PART, f".{name}.", path.parent)
    try:
        with open(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fchmod(file.fileno(), mode)
            os.fsync(file.fileno())
        Path(part).replace(path)
    except BaseException:
        with suppress(OSError):
            Path(part).unlink()
        raise
    _to_disk(path.parent)


def _to_disk(folder: Path) -> None:
    """Bring a folder's names to the disk: without it, a power cut may undo a replacement."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _unwritable(path: Path, error: OSError) -> SettingsError:
    return SettingsError(
        str(path), f"cannot be written ({error.strerror})", "a folder with room that you may "
        "write to", "--site ./foyer.toml in another folder",
    )  # fmt: skip
