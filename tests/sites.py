"""Sites for tests of the calibration: a file in a folder of its own, and what a command says.

In: the words of a command line. Out: its exit status and its verdicts, as a program would get
them. The cameras are real ones on 127.0.0.1.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from http_camera import QUICK, encode

from calibration.__main__ import main
from calibration.site_file import change_site
from mirror.settings import Settings
from mirror.site.site import read_site

SIZE = (320, 240)


@dataclass(frozen=True)
class Told:
    """status: the exit status. verdicts: key -> state, found, limit, advice, value."""

    status: int
    verdicts: dict[str, dict[str, Any]]

    def states(self, *keys: str) -> list[str]:
        return [self.verdicts[key]["state"] for key in keys]

    @property
    def wrong(self) -> dict[str, str]:
        """What did not pass, with its state."""
        return {k: v["state"] for k, v in self.verdicts.items() if v["state"] != "pass"}


class Site:
    """A site file in a folder of its own, with short times and small pictures."""

    def __init__(self, folder: Path, **camera: Any) -> None:
        self.file = folder / "foyer.toml"
        quick = {
            "read_timeout_s": QUICK.read_timeout_s, "frozen_after_s": QUICK.frozen_after_s,
            "reopen_first_s": 0.1, "reopen_most_s": 0.4,
            "width_px": SIZE[0], "height_px": SIZE[1],
        }  # fmt: skip
        change_site(str(self.file), {"camera": {**quick, **camera}})

    @property
    def settings(self) -> Settings:
        return read_site(str(self.file))

    def set(self, table: str, **values: Any) -> None:
        change_site(str(self.file), {table: values})

    def calibrate(self, *words: str) -> Told:
        """Run a command of ``calibrate`` on this site."""
        told = self.file.with_name("told.json")
        told.unlink(missing_ok=True)
        status = main([*words, "--site", str(self.file), "--json", str(told)])
        assert told.is_file(), status
        verdicts = json.loads(told.read_text())["verdicts"]
        return Told(status, {each["key"]: each for each in verdicts})


def noisy(picture: np.ndarray, count: int = 12, noise: float = 2.0, seed: int = 0) -> list[bytes]:
    """A picture as a sensor sees it again and again: JPEGs that all differ a little."""
    rng = np.random.default_rng(seed)
    shots: Iterable[np.ndarray] = (
        picture + rng.normal(0, noise, picture.shape) for _ in range(count)
    )
    return [encode(np.clip(shot, 0, 255).astype(np.uint8)) for shot in shots]
