"""Questions to whoever calibrates, on a terminal; where nobody answers, defaults.

Questions come in, answers go out, each held to what is allowed. A script never waits: without a
terminal, or with ``--yes``, every question answers itself.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.prompt import Confirm, IntPrompt, Prompt

from mirror.errors import SettingsError
from mirror.settings import CameraSettings
from mirror.site.site import checked


class Asker:
    """Asks on a console. answers: whether somebody is there to answer."""

    def __init__(self, console: Console, answers: bool) -> None:
        self.console, self.answers = console, answers

    def say(self, text: str) -> None:
        """Tell something, in whole words."""
        self.console.print(text, soft_wrap=not self.console.is_terminal, markup=False)

    def choose(self, question: str, count: int) -> int:
        """A number from 1 to ``count``; the first where nobody answers."""
        if not self.answers or count == 1:
            return 1
        numbers = [str(number) for number in range(1, count + 1)]
        return IntPrompt.ask(question, console=self.console, choices=numbers, default=1)

    def pick(self, question: str, words: Sequence[str], usual: str) -> str:
        """One of some words."""
        if not self.answers:
            return usual
        return Prompt.ask(question, console=self.console, choices=list(words), default=usual)

    def line(self, question: str, usual: str) -> str:
        """A line of text."""
        if not self.answers:
            return usual
        return Prompt.ask(question, console=self.console, default=usual).strip()

    def setting(self, question: str, table: type, name: str, usual: Any) -> Any:
        """A number for a setting, asked again until it is one that is allowed."""
        while self.answers:
            text = Prompt.ask(question, console=self.console, default=f"{usual:g}")
            try:
                return number_for("that", text, table, name)
            except SettingsError as error:
                self.say(str(error))
        return usual

    def agree(self, question: str, usual: bool = True) -> bool:
        """Yes or no."""
        if not self.answers:
            return usual
        return Confirm.ask(question, console=self.console, default=usual)

    def ready(self, text: str) -> None:
        """Wait for Enter."""
        if self.answers:
            self.console.input(f"{text} [dim](Enter)[/dim] ")


def somebody_answers() -> bool:
    """Whether a person sits at this terminal."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def number_for(place: str, text: str | None, table: type = CameraSettings, name: str = "") -> Any:
    """A setting's number from a flag's text, held to its range; None for no text.

    Raises SettingsError naming the place.
    """
    if text is None:
        return None
    try:
        value: Any = float(text)
    except ValueError:
        value = text
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return checked(place, table, name, value)
