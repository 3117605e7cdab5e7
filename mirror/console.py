"""From the words of a command line to an exit status: the one place where errors are told.

0: done. 1: the doctor found something that must be mended, or the program has a fault of its
own (with its traceback). 2: bad input, told in one line. 130: interrupted.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Sequence
from typing import cast

import typer

from mirror.errors import MirrorError

#: What typer raises for a command line that it cannot read. Only BadParameter has a public name.
UsageError = cast(type[Exception], typer.BadParameter.__mro__[1])


def answer(app: typer.Typer, name: str, arguments: Sequence[str] | None = None) -> int:
    """Run one command line of ``app`` and return the exit status; ``name`` is the program's.

    The log is left as loud as it was, for a program that calls this more than once.
    """
    log = logging.getLogger("mirror")
    level = log.level
    try:
        status = app(
            sys.argv[1:] if arguments is None else list(arguments),
            prog_name=name,
            standalone_mode=False,
        )
    except MirrorError as error:
        return _refuse(str(error))
    except UsageError as error:
        if type(error).__name__ == "NoArgsIsHelpError":
            typer.echo(str(error))
            return 2
        return _refuse(_usage(error, name))
    except (typer.Abort, KeyboardInterrupt):
        return 130
    finally:
        log.setLevel(level)
    return status if isinstance(status, int) else 0


def listen(verbose: bool) -> None:
    """Send the log to stderr: warnings, and with ``verbose`` all that the stages tell."""
    level = logging.INFO if verbose else logging.WARNING
    logging.basicConfig(level=level, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    logging.getLogger("mirror").setLevel(level)


def example(line: str) -> str:
    """The last line of a command's help."""
    return f"Example: {line}"


def _refuse(line: str) -> int:
    """One line on stderr, and the exit status of bad input."""
    typer.echo(" ".join(line.split()), err=True)
    return 2


def _usage(error: Exception, name: str) -> str:
    """A command line that cannot be read, told like every other error."""
    context = getattr(error, "ctx", None)
    command = context.command_path if context else name
    told = error.format_message() if hasattr(error, "format_message") else str(error)
    told = told.strip().rstrip(".")
    known: list[str] = sorted(getattr(getattr(context, "command", None), "commands", ()))
    allowed = f"; allowed: {', '.join(known)}" if known else ""
    return f"{command}: {told[:1].lower()}{told[1:]}{allowed}; try: {command} --help"
