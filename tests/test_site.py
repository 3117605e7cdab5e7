"""The site file: what is read, what is refused, and in which words."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from mirror.errors import SettingsError
from mirror.settings import Settings
from mirror.site.site import as_toml, checked, read_site, resolved, settings_from, site_path

REFUSED = {
    "an unknown key": (
        "[river]\nloop_s = 100.0\nfade_halflife_s = 3.0\n",
        ("foyer.toml:3 [river] fade_halflife_s", "unknown key", "parcels", "fade_half_life_s"),
    ),
    "an unknown table": (
        'piece = "river"\n\n[rivr]\nloop_s = 100.0\n',
        ("foyer.toml:3 rivr", "unknown table", "camera", "try: river"),
    ),
    "a number beyond its range": (
        "[markers]\nsitters = 5\n",
        ("foyer.toml:2 [markers] sitters", "5", "a whole number from 1 to 4"),
    ),
    "a fraction where a whole number belongs": (
        "[markers]\nsitters = 1.5\n",
        ("[markers] sitters", "1.5", "a whole number"),
    ),
    "true where a number belongs": ("seed = true\n", ("foyer.toml:1 seed", "true", "whole number")),
    "a number that is none": (
        "[river]\nloop_s = nan\n",
        ("[river] loop_s", "NaN", "a number from 5"),
    ),
    "text where a number belongs": (
        '[screen]\nbrightness = "1"\n',
        ("[screen] brightness", '"1"', "a number from 0 to 4"),
    ),
    "a number where text belongs": ("[camera]\nsource = 0\n", ("source: 0", "text in quotes")),
    "a number where yes or no belongs": ("[camera]\nmirror = 1\n", ("mirror: 1", "true or false")),
    "an unknown piece": (
        'piece = "rivers"\n',
        ('piece: "rivers"', "river, uncanny, passersby", "try: river"),
    ),
    "a value where a table belongs": ("river = 3\n", ("river: 3", "a table", "[river]")),
    "a list of tables": ("[[river]]\nloop_s = 9.0\n", ("foyer.toml:1 river", "a table")),
    "text that is not TOML": ("[river\n", ("foyer.toml", "not TOML", "line 1")),
    "pauses that shrink": (
        "[camera]\nreopen_first_s = 9.0\n",
        ("foyer.toml:2 [camera] reopen_first_s", "9.0", "at most reopen_most_s, which is 4"),
    ),
}


@pytest.fixture
def foyer(tmp_path: Path) -> Path:
    return tmp_path / "foyer.toml"


@pytest.mark.parametrize("case", REFUSED)
def test_site_file_is_refused_with_place_found_and_allowed(case: str, foyer: Path) -> None:
    text, words = REFUSED[case]
    foyer.write_text(text, encoding="utf-8")
    with pytest.raises(SettingsError) as caught:
        read_site(str(foyer))
    assert "\n" not in str(caught.value)
    for word in words:
        assert word in str(caught.value)


def test_a_missing_site_names_those_that_are_there() -> None:
    with pytest.raises(SettingsError, match=r"nowhere\.toml: no such file; allowed: .*site"):
        read_site("nowhere")


def test_a_site_file_in_another_encoding_is_refused(foyer: Path) -> None:
    foyer.write_bytes('monitor = "Säule"'.encode("latin-1"))
    with pytest.raises(SettingsError, match="not UTF-8 text"):
        read_site(str(foyer))


def test_a_byte_order_mark_does_no_harm(foyer: Path) -> None:
    foyer.write_bytes(b"\xef\xbb\xbfseed = 4\n")
    assert read_site(str(foyer)).seed == 4


def test_values_of_the_site_file_beat_the_defaults_and_leave_the_rest(foyer: Path) -> None:
    foyer.write_text("seed = 7\n[river]\nloop_s = 60\n", encoding="utf-8")
    usual = Settings()
    assert read_site(str(foyer)) == dataclasses.replace(
        usual, seed=7, river=dataclasses.replace(usual.river, loop_s=60.0)
    )


def test_a_whole_number_where_a_fraction_may_stand_becomes_one(foyer: Path) -> None:
    foyer.write_text("[river]\nloop_s = 60\n", encoding="utf-8")
    assert type(read_site(str(foyer)).river.loop_s) is float


def test_the_default_site_file_names_every_setting_with_its_default() -> None:
    text = site_path().read_text(encoding="utf-8")
    if read_site().site.written:
        pytest.skip("this checkout was calibrated under the name site: its file is a technician's")
    assert text == as_toml(Settings()), (
        "calibrate show --defaults > calibration/site.toml writes it anew"
    )


def test_settings_survive_being_written_and_read(foyer: Path) -> None:
    changed = settings_from(
        {
            "piece": "uncanny",
            "camera": {"source": '/dev/v4l/by-id/usb-"quoted"\\ä', "mirror": False},
            "river": {"fade_half_life_s": 1e-1, "parcels": 7},
        }
    )
    foyer.write_text(as_toml(changed), encoding="utf-8")
    assert read_site(str(foyer)) == changed


def test_every_setting_says_what_it_is_about() -> None:
    for table in dataclasses.fields(Settings):
        inner = getattr(Settings, table.name)
        for each in dataclasses.fields(inner) if dataclasses.is_dataclass(inner) else (table,):
            assert each.metadata.get("about"), f"{table.name} {each.name}"


def test_every_default_is_within_its_own_range() -> None:
    for table in dataclasses.fields(Settings):
        inner = getattr(Settings, table.name)
        if dataclasses.is_dataclass(inner):
            for each in dataclasses.fields(inner):
                value = getattr(inner, each.name)
                assert checked("default", type(inner), each.name, value) == value


def test_resolved_settings_are_plain_values_without_a_cameras_password() -> None:
    source = "rtsp://guard:secret@10.0.0.7/stream"
    told = resolved(settings_from({"camera": {"source": source}}))
    assert told["camera"]["source"] == "rtsp://***@10.0.0.7/stream"
    assert told["river"]["fade_half_life_s"] == 139.0
    assert "secret" not in str(told)


def test_resolved_settings_are_settings_again() -> None:
    assert settings_from(resolved(Settings())) == Settings()
