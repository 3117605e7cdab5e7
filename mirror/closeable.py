"""What is closed at the end of a with block: thread, file, port or window."""

from __future__ import annotations

from abc import ABC, abstractmethod
from types import TracebackType
from typing import TypeVar

Self = TypeVar("Self", bound="Closeable")


class Closeable(ABC):
    """A context manager that closes itself; whoever begins it without a with block closes it."""

    @abstractmethod
    def close(self) -> None:
        """Give everything back."""

    def __enter__(self: Self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
