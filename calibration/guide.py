"""``calibrate guide``: somebody is led from the boxes to a tuned site, step by step.

Each step is a command of its own, called as from the command line; this only says what comes, what
it needs, and whether it went well. Nothing here measures anything.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rich.panel import Panel
from rich.text import Text

from calibration.asking import Asker
from calibration.verdicts import BAD, GOOD, STYLES, UNKNOWN
from mirror.errors import MirrorError, SettingsError

WORDS = {GOOD: "pass", BAD: "fail", UNKNOWN: "not measured"}
DO, SKIP, END = "do", "skip", "end"


@dataclass(frozen=True)
class Step:
    """One command. needs: what must be at hand. gains: what it is good for."""

    command: str
    needs: str
    gains: str


STEPS = (
    Step(
        "camera",
        "The camera, plugged in or on the network, where it will stay.",
        "It is chosen, known again for ever, set, locked and measured.",
    ),
    Step(
        "screen",
        "The monitor or projector, switched on, where it will stay.",
        "The picture lies straight on the wall, and only where it belongs.",
    ),
    Step(
        "mirror",
        "One person, and the floor in front of the screen free.",
        "Whoever stands there appears at that place of the screen.",
    ),
    Step(
        "light",
        "One person at the near mark, then at the far one; the light as for visitors.",
        "Faces are found, and their markers do not tremble.",
    ),
    Step(
        "latency",
        "A camera that sees the whole screen.",
        "How soon the mirror answers, and where the time goes.",
    ),
    Step("check", "Nothing.", "Everything in one table: is the site good?"),
)


def lead(
    run: Callable[[Sequence[str]], int],
    known: Sequence[str],
    site: str,
    operator: str,
    asker: Asker,
) -> int:
    """Lead through all steps that there are; the exit status of the last one that ran.

    run: runs one command line of ``calibrate`` and returns its exit status; may raise MirrorError.
    known: the commands that there are. Raises SettingsError where nobody can answer.
    """
    if not asker.answers:
        raise SettingsError(
            "calibrate guide", "nobody to ask", "a terminal",
            "the steps themselves, each with flags: calibrate camera --help",
        )  # fmt: skip
    steps = [step for step in STEPS if step.command in known]
    site = asker.line("The site's name", site)
    operator = asker.line("Who calibrates", operator)
    status = GOOD
    for number, step in enumerate(steps, 1):
        introduce(asker, step, number, len(steps))
        answer = asker.pick("Now", (DO, SKIP, END), DO)
        if answer == END:
            return status
        while answer == DO:
            status = attempt(run, [step.command, *flags(step, site, operator)], asker)
            again = status != GOOD and asker.agree("Once more?", True)
            answer = DO if again else SKIP
    return status


def introduce(asker: Asker, step: Step, number: int, count: int) -> None:
    """What comes, what it needs and what it is good for."""
    text = Text.assemble(step.gains, "\n", ("It needs: ", "dim"), (step.needs, "dim"))
    title = f"[bold]{number} of {count}: {step.command}[/bold]"
    asker.console.print()
    asker.console.print(Panel(text, title=title, title_align="left", expand=False))


def flags(step: Step, site: str, operator: str) -> list[str]:
    """The flags that every step is given."""
    who = ["--operator", operator] if operator and step.command != "check" else []
    return ["--site", site, *who]


def attempt(run: Callable[[Sequence[str]], int], words: Sequence[str], asker: Asker) -> int:
    """One try of one step; an error is told, and leads on."""
    try:
        status = run(words)
    except MirrorError as error:
        asker.say(str(error))
        status = BAD
    word = WORDS.get(status, "fail")
    asker.console.print(Text(f"{words[0]}: {word}", style=STYLES[word]))
    return status
