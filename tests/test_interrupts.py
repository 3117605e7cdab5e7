"""Ctrl-C and SIGTERM: the first ends a run cleanly, the second is nobody's business any more."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator

import pytest

from mirror.watch.interrupts import stop_on_signal

BOTH = (signal.SIGINT, signal.SIGTERM)


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    """Whatever happens in a test, the handlers of before come back."""
    before = {number: signal.getsignal(number) for number in BOTH}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("number", BOTH)
def test_the_first_signal_asks_for_the_end(number: signal.Signals) -> None:
    asked: list[bool] = []
    with stop_on_signal(lambda: asked.append(True)):
        os.kill(os.getpid(), number)
    assert asked == [True]


def test_the_second_ctrl_c_interrupts() -> None:
    asked: list[bool] = []
    # A shell that starts the tests in the background has Ctrl-C ignored.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    with pytest.raises(KeyboardInterrupt), stop_on_signal(lambda: asked.append(True)):
        os.kill(os.getpid(), signal.SIGINT)
        assert asked == [True]
        os.kill(os.getpid(), signal.SIGINT)
    signal.signal(signal.SIGINT, before)
    assert asked == [True]


def test_afterwards_signals_mean_what_they_meant_before() -> None:
    heard: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _: heard.append(number))
    with stop_on_signal(lambda: heard.append(-1)):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    assert heard == [signal.SIGTERM]
    with pytest.raises(ZeroDivisionError), stop_on_signal(lambda: None):
        raise ZeroDivisionError
    os.kill(os.getpid(), signal.SIGTERM)
    assert heard == [signal.SIGTERM] * 2


def test_beside_the_main_thread_nothing_is_caught() -> None:
    """Only the main thread may set handlers; elsewhere a run is ended by whoever began it."""
    before = [signal.getsignal(number) for number in BOTH]
    seen: list[object] = []

    def run() -> None:
        with stop_on_signal(lambda: None):
            seen.extend(signal.getsignal(number) for number in BOTH)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert seen == before
