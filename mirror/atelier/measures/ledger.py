"""What was measured, on how much, and how it is told.

In: values as they are found. Out: what JSON can hold, and a table for the terminal.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from rich.table import Table

from mirror.atelier.measures.bars import MEASURES
from mirror.atelier.measures.classifiers import Teaching
from mirror.atelier.measures.steadiness import WALKS

#: Portraits of a school for each measure.
PORTRAITS = 200
STEPS = 220


@dataclass(frozen=True)
class Scale:
    """How much is measured, all of it from one number. portraits: random ones of each school."""

    portraits: int = PORTRAITS
    seed: int = 20

    @property
    def moments(self) -> int:
        """Of each performance."""
        return max(6, self.portraits // 5)

    @property
    def people(self) -> int:
        """Whose performances are followed, at most."""
        return max(2, self.portraits // 5)

    @property
    def rounds(self) -> int:
        """Of telling twelve sitters apart."""
        return max(1, self.portraits // 20)

    @property
    def walks(self) -> int:
        """From one random appearance to another."""
        return max(1, self.portraits * WALKS // PORTRAITS)

    @property
    def teaching(self) -> Teaching:
        """Of the classifiers."""
        return Teaching(max(5, self.portraits * STEPS // PORTRAITS), self.seed)

    @property
    def timed(self) -> int:
        """Textures of each model, and as many of the yardstick."""
        return max(3, self.portraits // 10)


@dataclass
class Ledger:
    """School -> measure -> values; and the measures that were left out, with the reason."""

    schools: dict[str, dict[str, dict[str, Any]]] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)

    def enter(self, school: str, name: str, value: float, linear: float, **more: Any) -> None:
        """A measure of a school, the linear model's beside it, and what else there is to say."""
        met = bool(MEASURES[name].met(value, linear))
        entry = {"value": round(value, 4), "linear": round(linear, 4), "met": met, **more}
        self.schools.setdefault(school, {})[name] = entry

    def leave_out(self, names: Sequence[str], why: str) -> None:
        """Measures that could not be taken."""
        self.left_out.update(dict.fromkeys(names, why))

    def told(self) -> dict[str, Any]:
        """As JSON can hold it."""
        bars = {name: {"bar": m.bar, "how": m.how} for name, m in MEASURES.items()}
        schools = {
            school: {name: entries[name] for name in MEASURES if name in entries}
            for school, entries in self.schools.items()
        }
        return {"schools": schools, "bars": bars, "not_measured": dict(self.left_out)}


def table(told: dict[str, Any]) -> Table:
    """A row for each measure, a column for each school: the value, and in brackets the linear
    model's where it is another."""
    rows = Table("measure", "bar", title="the six schools", title_justify="left")
    for school in told["schools"]:
        rows.add_column(school, justify="right")
    for name, bar in told["bars"].items():
        if name in told["not_measured"]:
            continue
        entries = [measures[name] for measures in told["schools"].values()]
        rows.add_row(name, bar["bar"], *(_cell(entry) for entry in entries))
    return rows


def _cell(entry: dict[str, Any]) -> str:
    colour = "green" if entry["met"] else "red"
    cell = f"[{colour}]{entry['value']:.3g}[/]"
    return cell if entry["value"] == entry["linear"] else f"{cell} ({entry['linear']:.3g})"
