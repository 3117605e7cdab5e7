"""What is told about privacy, and whether it is so: every write and every connection of a run."""

from __future__ import annotations

import dataclasses
import itertools
import json
import re
import socket
import string
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from http_camera import HttpCamera, encode
from rooms import empty_room, somebody

from mirror import cli
from mirror.privacy.facts import Facts, facts
from mirror.privacy.notice import address, notice, page, sentences
from mirror.privacy.statement import statement, text
from mirror.privacy.trace import trace
from mirror.privacy.words import LANGUAGES, WORDS
from mirror.settings import Settings

ALL: dict[str, dict[str, Any]] = {
    "camera": {"source": "http://user:secret@10.0.0.9/mjpg"},
    "record": {"folder": "/kept", "keep_days": 7.0},
    "status": {"on": True, "address": "0.0.0.0", "visits": "/kept/visits.json"},
    "osc": {"on": True},
    "log": {"folder": "/logs"},
    "privacy": {"operator": "A & B <b>", "contact": "a@b.example", "more_url": "https://b.example"},
}


def settings(**tables: dict[str, Any]) -> Settings:
    plain = Settings()
    changes = {
        name: dataclasses.replace(getattr(plain, name), **values) for name, values in tables.items()
    }
    return dataclasses.replace(plain, **changes)


# What is told


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_has_every_sentence(language: str) -> None:
    def names(sentence: str) -> set[str]:
        return {name for _, name, _, _ in string.Formatter().parse(sentence) if name}

    assert WORDS[language].keys() == WORDS["en"].keys()
    for key, sentence in WORDS["en"].items():
        assert names(WORDS[language][key]) == names(sentence), key
        if language != "en":
            assert WORDS[language][key] != sentence, key


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_notice_follows_the_settings(language: str) -> None:
    words = WORDS[language]
    plain = notice(facts(Settings()), language)
    assert words["title"] in plain
    assert words["nothing"] in plain
    assert "478" in plain
    assert "10" in plain  # minutes: half-life 139 s
    full = notice(facts(settings(**ALL)), language)
    for key in ("network", "counts", "watched"):
        assert words[key] not in plain
        assert words[key] in full
    assert words["nothing"] not in full
    assert "7" in full
    assert "secret" not in full
    assert "{" not in full + plain
    half = dataclasses.replace(Settings().river, fade_half_life_s=600.0)
    assert "43" in notice(facts(dataclasses.replace(Settings(), river=half)), language)


def test_nothing_is_said_to_be_kept_only_where_nothing_is() -> None:
    for kept in itertools.product((False, True), repeat=3):
        saves, records, counts = kept
        tables = {"record": {"folder": "/kept"}} if records else {}
        if counts:
            tables["status"] = {"on": True, "visits": "/kept/visits.json"}
        found = facts(settings(**tables), saves)
        said = WORDS["en"]["nothing"] in notice(found, "en")
        assert said == (not saves and not records)
        rows = [row.what for row in statement(settings(**tables), saves) if row.section == "kept"]
        assert ("nothing" in rows) == (not any(kept))


def test_a_piece_without_a_camera_says_so() -> None:
    found = facts(dataclasses.replace(Settings(), piece="passersby"))
    assert not found.looks
    assert notice(found, "fr").startswith(WORDS["fr"]["title_without"])
    assert sentences(found, "fr") == [WORDS["fr"]["without"], WORDS["fr"]["made"]]
    # A console may call another piece.
    assert facts(settings(osc={"on": True})).looks


def test_the_statement_has_a_row_for_all_that_is_on() -> None:
    off = {(row.section, row.what) for row in statement(Settings())}
    on = {(row.section, row.what) for row in statement(settings(**ALL), saves=True)}
    assert on - off == {
        ("kept", "the river"), ("kept", "recordings"), ("kept", "visits a day"),
        ("kept", "the log"), ("sent", "the camera"), ("sent", "the status page"),
        ("sent", "show control"), ("sent", "nothing else"),
    }  # fmt: skip
    assert off - on == {("kept", "nothing"), ("sent", "nothing")}
    told = text(statement(settings(**ALL)), "here")
    assert "secret" not in told
    assert max(map(len, told.splitlines())) <= 100


class Parsed(HTMLParser):
    """A page, held to closing what it opens; what it would load from elsewhere."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.loads: list[str] = []
        self.tags: set[str] = set()
        self.feed(source)
        self.close()

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        if tag not in ("meta", "br", "link", "img", "input"):
            self.open.append(tag)
        self.loads += [v or "" for name, v in attributes if name in ("src", "href", "srcset")]

    def handle_startendtag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.mark.parametrize("count", range(1, 7))
def test_the_page_is_whole_and_needs_nothing_from_elsewhere(count: int) -> None:
    found = facts(settings(**ALL))
    written = page(found, list(LANGUAGES)[:count])
    parsed = Parsed(written)
    assert parsed.open == []
    assert parsed.loads == []
    assert "script" not in parsed.tags
    assert not re.search(r"url\(|@import", written)
    assert "A &amp; B &lt;b&gt;" in written
    assert written.count("<circle") == 478
    assert 'class="code"' in written
    for language in list(LANGUAGES)[:count]:
        assert f'lang="{language}"' in written


def test_a_site_that_names_nobody_has_no_empty_lines() -> None:
    found: Facts = facts(Settings())
    assert address(found, "de") == []
    assert "Verantwortlich" not in page(found, ["de"])


def test_the_command_tells_writes_and_refuses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert cli.main(["privacy", "--json", "a.json"]) == 0
    assert "Never computed" in capsys.readouterr().out
    told = json.loads((tmp_path / "a.json").read_text(encoding="utf-8"))
    assert {row["section"] for row in told["statement"]} == {"computed", "kept", "sent", "never"}
    assert cli.main(["privacy", "--page", "a.html", "--languages", "nl,it"]) == 0
    assert 'lang="it"' in (tmp_path / "a.html").read_text(encoding="utf-8")
    assert cli.main(["privacy", "--languages", "es"]) == 0
    assert WORDS["es"]["nobody"] in capsys.readouterr().out
    for line, words in (
        ("privacy --languages en,tlh", "'tlh'; allowed: en, de, fr, es, it, nl"),
        ("privacy --page a.pdf", ".html"),
        ("privacy --prove soon", "--prove"),
    ):
        assert cli.main(line.split()) == 2
        assert words in capsys.readouterr().err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.html", "a.json"]


# Whether it is so

RUN = "run --screen offscreen --size 160x90 --seed 1"


@pytest.fixture
def elsewhere(tmp_path: Path) -> dict[str, str]:
    """The environment of a process whose every usual place to write is an empty folder."""
    for name in ("home", "tmp", "here"):
        (tmp_path / name).mkdir()
    return {
        "PATH": str(tmp_path / "home"),  # ctypes, in search of a library, would call a compiler
        "HOME": str(tmp_path / "home"),
        "TMPDIR": str(tmp_path / "tmp"),
        "PYTHONDONTWRITEBYTECODE": "1",
        "MESA_SHADER_CACHE_DISABLE": "true",
        "OMP_NUM_THREADS": "1",
    }


@pytest.mark.timeout(300)
def test_a_run_with_a_camera_writes_its_report_and_speaks_to_the_camera_alone(
    tmp_path: Path, elsewhere: dict[str, str]
) -> None:
    """Somebody sits there; every file and every address is accounted for, in every library."""
    shots = [encode(somebody(empty_room(), 0.4 + 0.01 * n)) for n in range(12)]
    for seconds in (10, 100):  # a busy machine takes its time to see anybody
        with HttpCamera(shots, rate_hz=15) as camera:
            line = f"{RUN} --seconds {seconds} --source {camera.url} --report a.json"
            seen = trace(line.split(), tmp_path / "here", elsewhere, timeout_s=seconds + 100)
            port = camera.url.split(":")[2].split("/")[0]
        assert seen.status == 0, seen.text()
        told = json.loads((tmp_path / "here" / "a.json").read_text(encoding="utf-8"))
        if told["visits"]:
            break
    assert told["visits"], "nobody was seen: there would have been nothing to keep"
    assert seen.connects == {f"127.0.0.1:{port}"}
    assert seen.listens == frozenset()
    assert seen.lookups <= {"127.0.0.1"}
    assert {Path(path).name for path in seen.unexplained} <= {"a.json"} | {
        Path(path).name for path in seen.unexplained if Path(path).name.startswith(".a.json.")
    }
    assert "a.json" in {Path(path).name for path in seen.writes}
    left = [path for name in ("home", "tmp") for path in (tmp_path / name).rglob("*")]
    assert [path for path in left if path.is_file() and "fontlist-" not in path.name] == []


def test_a_run_listens_only_where_it_was_told_to(tmp_path: Path, elsewhere: dict[str, str]) -> None:
    ports = []
    for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
        with socket.socket(socket.AF_INET, kind) as free:
            free.bind(("127.0.0.1", 0))
            ports.append(free.getsockname()[1])
    line = f"{RUN} --seconds 3 --osc {ports[0]} --status {ports[1]} --report a.json --film a.mp4"
    seen = trace(line.split(), tmp_path / "here", elsewhere, timeout_s=100)
    assert seen.status == 0, seen.text()
    assert seen.listens == {f"127.0.0.1:{port}" for port in ports}
    assert seen.connects == frozenset()
    assert {Path(path).suffix for path in seen.unexplained} >= {".json"}
    if "strace is not" not in seen.by:  # films are written by a library, behind Python's back
        assert any(path.endswith(".mp4") for path in seen.writes)


def test_the_audit_hook_alone_sees_what_python_does(
    tmp_path: Path, elsewhere: dict[str, str]
) -> None:
    """Where strace is not installed: a file, and a port."""
    seen = trace(["privacy", "--json", "b.json"], tmp_path / "here", elsewhere, strace="")
    assert seen.status == 0, seen.text()
    assert any(path.endswith("b.json") for path in seen.writes)
    assert "not installed" in seen.text()
