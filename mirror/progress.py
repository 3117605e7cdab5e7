"""Progress bars, on standard error; silent where nobody watches a terminal."""

from __future__ import annotations

from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn


class Bar:
    """One progress bar. A context manager; calling it moves it on."""

    def __init__(self, text: str, total: float | None) -> None:
        """total: in any unit; None when nobody knows the end."""
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TaskProgressColumn(),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            transient=True,
        )
        self._watched = self._progress.console.is_terminal
        self._task = self._progress.add_task(text, total=total)

    def __enter__(self) -> Bar:
        if self._watched:
            self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._watched:  # else it would say an empty line
            self._progress.stop()

    def __call__(self, step: float = 1.0) -> None:
        """Move on by a step."""
        self._progress.advance(self._task, step)

    def reach(self, completed: float) -> None:
        """Move on to a place."""
        if self._watched:
            self._progress.update(self._task, completed=completed)
