"""The doctor: sees what is missing, says what mends it, and survives what it looks at."""

from __future__ import annotations

import configparser
import dataclasses
import json
import shutil
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from mirror.diagnostics.doctor import (
    PACKAGES,
    Diagnosis,
    Finding,
    doctor,
    look_at_camera,
    look_at_display,
    look_at_opengl,
    look_at_packages,
    look_at_site,
    look_at_weights,
)
from mirror.diagnostics.probes import probe
from mirror.places import weights_folder
from mirror.settings import Settings

PYTHONS = ("3.9", "3.10", "3.11", "3.12")


def settings(**tables: dict[str, object]) -> Settings:
    """Settings with some values changed."""
    usual = Settings()
    changes = {name: dataclasses.replace(getattr(usual, name), **tables[name]) for name in tables}
    return dataclasses.replace(usual, **changes)


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    """A copy of the models that come with the program."""
    return Path(shutil.copytree(weights_folder(), tmp_path / "weights"))


def look(weights: Path) -> list[Finding]:
    """What the doctor finds in a folder of weights."""
    return look_at_weights(settings(faces={"weights": str(weights)}))


def test_six_models_that_are_as_their_cards_say_are_well(weights: Path) -> None:
    assert [each.state for each in look(weights)] == ["ok"]


def test_one_flipped_bit_in_a_model_is_seen(weights: Path) -> None:
    path = weights / "powder.safetensors"
    content = bytearray(path.read_bytes())
    content[37] ^= 1
    path.write_bytes(content)
    (found,) = look(weights)
    assert found.state == "fail"
    assert f"{path}: sha256" in found.found
    assert "git checkout weights" in found.mend


@pytest.mark.parametrize("name", ["stone.safetensors", "stone.json", "frame.safetensors"])
def test_a_missing_file_of_weights_is_seen(weights: Path, name: str) -> None:
    (weights / name).unlink()
    (found,) = look(weights)
    assert found.state == "fail"
    assert str(weights / name) in found.found


@pytest.mark.parametrize("card", ["", "[]", "{}", "{"])
def test_a_card_that_says_nothing_is_seen(weights: Path, card: str) -> None:
    (weights / "salon.json").write_text(card, encoding="utf-8")
    (found,) = look(weights)
    assert found.state == "fail"
    assert str(weights / "salon.json") in found.found


def test_every_damaged_model_is_named(weights: Path) -> None:
    (weights / "panel.safetensors").write_bytes(b"")
    (weights / "stone.safetensors").unlink()
    found = [each.found for each in look(weights)]
    assert len(found) == 2
    assert "panel.safetensors" in found[0]
    assert "stone.safetensors" in found[1]


def test_a_probe_that_crashes_does_not_take_the_doctor_with_it() -> None:
    assert probe("import os; os.abort()") == (False, "crashed with signal 6")


def test_a_probe_tells_its_last_words() -> None:
    assert probe("print('one'); print('two')") == (True, "two")
    assert probe("raise ValueError('no')") == (False, "ValueError: no")
    assert probe("import sys; sys.exit(3)") == (False, "exit status 3")


def test_no_opengl_is_told_with_what_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("__EGL_VENDOR_LIBRARY_FILENAMES", "/nowhere")
    found = look_at_opengl()
    assert (found.state, found.mend) == ("fail", ".ci/system-packages run")
    assert found.found


def test_no_display_is_told_and_fails_only_a_site_that_wants_a_window(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    assert look_at_display(Settings()).state == "warn"
    assert look_at_display(settings(screen={"kind": "window"})).state == "fail"
    monkeypatch.setenv("DISPLAY", ":54321")  # nobody is there
    assert look_at_display(settings(screen={"kind": "window"})).state == "fail"


def test_a_film_that_the_site_names_and_is_not_there_fails(tmp_path: Path) -> None:
    film = tmp_path / "a.mp4"
    asked = settings(camera={"source": str(film)})
    assert look_at_camera(asked).state == "fail"
    film.touch()
    assert look_at_camera(asked).state == "ok"


def test_a_camera_that_is_unplugged_is_a_warning_since_it_is_looked_for_again() -> None:
    found = look_at_camera(settings(camera={"source": "/dev/v4l/by-id/usb-nobody-index0"}))
    assert found.state == "warn"
    assert "usb-nobody-index0" in found.found


def test_a_cameras_password_is_not_told() -> None:
    found = look_at_camera(settings(camera={"source": "rtsp://me:secret@door/1"}))
    assert found.state == "ok"
    assert "secret" not in found.found


def test_a_site_file_with_an_unknown_key_fails_with_its_place(tmp_path: Path) -> None:
    (tmp_path / "foyer.toml").write_text("lop = 1\n", encoding="utf-8")
    _, found = look_at_site(str(tmp_path / "foyer.toml"))
    assert found.state == "fail"
    assert "foyer.toml:1 lop: unknown key" in found.found


def test_versions_that_nobody_tried_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "constraints.txt").write_text(
        'numpy==0.9\ntyper==0.1 ; python_version < "3"\n', encoding="utf-8"
    )
    monkeypatch.setenv("MIRROR_HOME", str(tmp_path))
    assert [each.state for each in look_at_packages()] == ["warn"]
    assert "instead of ==0.9" in look_at_packages()[0].found
    assert "typer" not in look_at_packages()[0].found


def test_the_doctor_looks_at_every_package_that_setup_cfg_asks_for(root: Path) -> None:
    config = configparser.ConfigParser()
    config.read(root / "setup.cfg", encoding="utf-8")
    asked = config["options"]["install_requires"].strip().splitlines()
    assert {Requirement(line).name for line in asked} == set(PACKAGES)


@pytest.mark.parametrize("python", PYTHONS)
def test_constraints_pin_every_package_once_for_every_python(root: Path, python: str) -> None:
    lines = (root / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = [Requirement(line) for line in lines if line and not line.startswith("#")]
    holding = [
        each.name
        for each in pins
        if each.marker is None or each.marker.evaluate({"python_version": python})
    ]
    assert len(holding) == len(set(holding))
    assert set(PACKAGES) - set(holding) <= ({"tomli"} if python in ("3.11", "3.12") else set())
    assert all(str(each.specifier).startswith("==") for each in pins)


def test_the_doctor_works_where_it_works_and_writes_what_it_says(tmp_path: Path) -> None:
    diagnosis = doctor(tmp_path / "doctor.json")
    told = json.loads((tmp_path / "doctor.json").read_text(encoding="utf-8"))
    assert told == diagnosis.told()
    looked_at = {each["what"] for each in told["findings"]}
    assert looked_at >= {
        *("python", "packages", "site", "weights", "shaders", "camera", "disk", "memory"),
        *("opengl", "display", "markers", "torch"),
    }
    for each in diagnosis.findings:
        assert each.found in diagnosis.text()
    assert [each for each in diagnosis.findings if each.state == "fail"] == []
    assert diagnosis.text().endswith("`mirror run` works.")


def test_one_failure_is_enough_to_say_that_it_would_not_work() -> None:
    findings = (Finding("a", "ok", "there"), Finding("b", "warn", "old"))
    assert Diagnosis(findings).works
    ill = Diagnosis((*findings, Finding("c", "fail", "gone", "make setup")))
    assert not ill.works
    assert "fail  c          gone  ->  make setup" in ill.text()
