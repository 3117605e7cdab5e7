"""The site file: a TOML text comes in, checked ``Settings`` go out, and back again.

Called once, at start, by whoever begins a program. Every value passes ``checked``, whether it
comes from the site file or from a flag, so that both are refused in the same words.
"""

from __future__ import annotations

import dataclasses
import difflib
import functools
import json
import math
import re
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, get_args, get_type_hints

from mirror.errors import SettingsError
from mirror.places import sites_folder
from mirror.settings import SCHEMA, STRAIGHT, Points, Settings
from mirror.site.hours import spans
from mirror.site.keystone import convex

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

TEXT, BOOL = "text in quotes", "true or false"


def site_path(name: str = "site") -> Path:
    """The file that a site's name stands for; a path to a .toml file stands for itself."""
    if name.endswith(".toml") or "/" in name:
        return Path(name)
    return sites_folder() / f"{name}.toml"


def read_site(name: str = "site") -> Settings:
    """Settings of a site: the defaults, with the site file's values over them.

    name: ``site`` for ``calibration/site.toml``, or a path. Raises SettingsError for a missing
    file, text that is not TOML, an unknown table or key, and a value that is not allowed.
    """
    path = site_path(name)
    text = _text(path)
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(str(path), f"not TOML: {error}", "", "calibrate show") from None
    return settings_from(tables, _Places(str(path), text))


def settings_from(tables: Mapping[str, Any], places: _Places | None = None) -> Settings:
    """Settings from tables as a TOML reader gives them; raises SettingsError.

    places: finds the line of a key, for the message; None when the tables come from elsewhere,
    for example from the head of a recording.
    """
    places = places or _Places("settings", "")
    _hold_schema(tables, places)
    changes: dict[str, Any] = {}
    known = _fields(Settings)
    for name, value in tables.items():
        if name not in known:
            raise _unknown(places.of("", name), name, value, known)
        inner = getattr(Settings, name)
        if dataclasses.is_dataclass(inner):
            changes[name] = _table(name, type(inner), value, places)
        else:
            changes[name] = _from_file(places.of("", name), Settings, name, value)
    settings = Settings(**changes)
    _hold_together(settings, places)
    return settings


def checked(place: str, table: type, name: str, value: Any) -> Any:
    """The value of one setting, in its own type, or SettingsError naming ``place``."""
    kind, may_lack = _kind(table, name)
    facts = _fields(table)[name].metadata
    if value is None and may_lack:
        return None
    if "numbers" in facts and (found := _as_places(value, facts)) is not None:
        return found
    if kind is float and type(value) is int:
        value = float(value)
    right_kind = type(value) is kind and not (kind is float and not math.isfinite(value))
    if right_kind and _within(value, facts):
        return value
    near = difflib.get_close_matches(str(value), map(str, facts.get("allowed", ())), 1, 0.4)
    raise SettingsError(place, _told(value), allowed(table, name), near[0] if near else "")


def allowed(table: type, name: str) -> str:
    """What a setting may hold, in words."""
    kind, _ = _kind(table, name)
    facts = _fields(table)[name].metadata
    if "allowed" in facts:
        return ", ".join(map(str, facts["allowed"]))
    if "numbers" in facts:
        numbers = facts["numbers"]
        many = f"none or {numbers[1]} to {numbers[-1]}" if len(numbers) > 1 else f"{numbers[0]}"
        return f"{many} places [x, y] from {_plain(facts['low'])} to {_plain(facts['high'])}"
    if "low" in facts:
        number = "a whole number" if kind is int else "a number"
        return f"{number} from {_plain(facts['low'])} to {_plain(facts['high'])}"
    return BOOL if kind is bool else TEXT


def resolved(settings: Settings) -> dict[str, Any]:
    """All settings as JSON has them, for logs, reports and recordings; no password of a camera."""
    tables: dict[str, Any] = json.loads(json.dumps(dataclasses.asdict(settings)))
    tables["camera"]["source"] = without_password(settings.camera.source)
    return tables


def changes(settings: Settings) -> list[str]:
    """Which settings differ from the defaults, one in a line; not what was measured."""
    found, usual = resolved(settings), resolved(Settings())
    lines = []
    for name, value in found.items():
        if name in ("site", "measured"):
            continue
        for key, inner in value.items() if isinstance(value, dict) else [("", value)]:
            default = usual[name][key] if key else usual[name]
            if inner != default:
                place = f"[{name}] {key}" if key else name
                lines.append(f"{place} = {inner!r}, by default {default!r}")
    return lines


def without_password(source: str) -> str:
    """A camera's URL with its name and password left out."""
    return re.sub(r"(?<=://)[^/@\s]+@", "***@", source)


def as_toml(settings: Settings) -> str:
    """A site file that holds these settings, every line with what it means and may hold."""
    lines = [
        "# A site: where the piece hangs, and how. A key left out keeps its default; a key that",
        "# nobody knows is an error. `calibrate` writes it, flags of one run beat it.",
        "",
    ]
    tables = []
    for name in _fields(Settings):
        value = getattr(settings, name)
        if dataclasses.is_dataclass(value):
            tables += ["", f"[{name}]"] + [_line(value, key) for key in _fields(type(value))]
        else:
            lines.append(_line(settings, name))
    return "\n".join(lines + tables) + "\n"


class _Places:
    """Finds the line of a key in a site file, to name it in a message."""

    def __init__(self, path: str, text: str) -> None:
        self.path = path
        self._lines: dict[tuple[str, str], int] = {}
        table = ""
        for number, line in enumerate(text.splitlines(), 1):
            if head := re.match(r"\s*\[+\s*([\w.-]+)", line):
                table = head[1]
                self._lines.setdefault(("", table), number)
            elif key := re.match(r"\s*[\"']?([\w-]+)[\"']?\s*=", line):
                self._lines.setdefault((table, key[1]), number)

    def of(self, table: str, key: str) -> str:
        """For example ``calibration/site.toml:12 [river] loop_s``."""
        number = self._lines.get((table, key))
        where = f"{self.path}:{number}" if number else self.path
        return f"{where} [{table}] {key}" if table else f"{where} {key}"


def _text(path: Path) -> str:
    """The text of a site file; raises SettingsError."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        found = "no such file"
    except UnicodeDecodeError:
        found = "not UTF-8 text"
    except OSError as error:
        found = error.strerror or str(error)
    sites = sorted(each.stem for each in sites_folder().glob("*.toml"))
    raise SettingsError(str(path), found, f"a site file, here: {', '.join(sites)}", "--site site")


def _table(name: str, table: type, values: Any, places: _Places) -> Any:
    """One table of the site file as its dataclass."""
    if not isinstance(values, dict):
        raise SettingsError(places.of("", name), _told(values), "a table", f"[{name}]")
    known = _fields(table)
    changes = {}
    for key, value in values.items():
        place = places.of(name, key)
        if key not in known:
            raise _unknown(place, key, value, known)
        changes[key] = _from_file(place, table, key, value)
    return table(**changes)


def _hold_schema(tables: Mapping[str, Any], places: _Places) -> None:
    """A file of a later version is refused whole, before any of its keys is."""
    head = tables.get("site")
    schema = head.get("schema") if isinstance(head, dict) else None
    if type(schema) is int and schema > SCHEMA:
        raise SettingsError(
            places.of("site", "schema"), f"{schema}, of a later version of the program",
            f"at most {SCHEMA}", "update the program, or calibrate anew under another name",
        )  # fmt: skip


def _hold_together(settings: Settings, places: _Places) -> None:
    """Settings that are each allowed but not together."""
    camera = settings.camera
    if camera.reopen_first_s > camera.reopen_most_s:
        raise SettingsError(
            places.of("camera", "reopen_first_s"),
            _told(camera.reopen_first_s),
            f"at most reopen_most_s, which is {_plain(camera.reopen_most_s)}",
        )
    mirror = settings.mirror
    if mirror.far_height >= mirror.near_height:
        raise SettingsError(
            places.of("mirror", "far_height"),
            _told(mirror.far_height),
            f"less than near_height, which is {_plain(mirror.near_height)}",
        )
    if not convex(settings.screen.keystone):
        raise SettingsError(
            places.of("screen", "keystone"), _told(settings.screen.keystone),
            "four corners that go clockwise round a picture, from its top left",
            f"keystone = {_toml(STRAIGHT)}",
        )  # fmt: skip
    spans(settings.hours.open, places.of("hours", "open"))


def _unknown(place: str, name: str, value: Any, known: Iterable[str]) -> SettingsError:
    """The error for a key or table that nobody reads."""
    kind = "table" if isinstance(value, dict) else "key"
    near = difflib.get_close_matches(name, list(known), 1, 0.5)
    attempt = near[0] if near else f"take the {kind} out"
    return SettingsError(place, f"unknown {kind}", ", ".join(known), attempt)


@functools.cache
def _kind(table: type, name: str) -> tuple[Any, bool]:
    """The type of a setting, and whether it may be lacking."""
    hint = get_type_hints(table)[name]
    if type(None) not in get_args(hint):
        return hint, False
    return next(each for each in get_args(hint) if each is not type(None)), True


def _from_file(place: str, table: type, name: str, value: Any) -> Any:
    """``checked`` for a line of a site file: the error says which line would do."""
    try:
        return checked(place, table, name, value)
    except SettingsError as error:
        default = _fields(table)[name].default
        usual = f"take {name} out" if default in (None, "") else f"{name} = {_toml(default)}"
        attempt = error.attempt or usual
        raise SettingsError(place, error.found, error.allowed, attempt) from None


def _fields(table: type) -> dict[str, dataclasses.Field[Any]]:
    """The fields of a table by name."""
    return {each.name: each for each in dataclasses.fields(table)}


def _within(value: Any, facts: Mapping[str, Any]) -> bool:
    """Whether a value of the right type is one of those allowed."""
    if "allowed" in facts:
        return value in facts["allowed"]
    return "low" not in facts or facts["low"] <= value <= facts["high"]


def _as_places(value: Any, facts: Mapping[str, Any]) -> Points | None:
    """A list of places in its own type; None when it is none, or when any is out of range."""
    if not isinstance(value, (list, tuple)) or len(value) not in facts["numbers"]:
        return None
    if not all(isinstance(place, (list, tuple)) and len(place) == 2 for place in value):
        return None
    numbers = [number for place in value for number in place]
    if not all(type(n) in (int, float) and facts["low"] <= n <= facts["high"] for n in numbers):
        return None
    return tuple((float(x), float(y)) for x, y in value)


def _line(values: Any, name: str) -> str:
    """One line of a site file."""
    table = type(values)
    about = _fields(table)[name].metadata.get("about", "")
    value = getattr(values, name)
    text = f"# {name} =" if value is None else f"{name} = {_toml(value)}"
    note = allowed(table, name).replace("a whole number from ", "").replace("a number from ", "")
    comment = "; ".join(part for part in (about, note) if part and part not in (TEXT, BOOL))
    return f"{text:<33} # {comment}" if comment else text


def _toml(value: Any) -> str:
    """A value as TOML writes it."""
    return repr(value) if type(value) in (int, float) else json.dumps(value, ensure_ascii=False)


def _told(value: Any) -> str:
    """A value as found, short enough for one line."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 60 else text[:57] + "..."


def _plain(number: float) -> str:
    """A limit without needless digits: 100000, 0.05."""
    return str(int(number)) if number == int(number) else str(number)
