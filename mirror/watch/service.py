"""What is told to the service manager: ready, alive, stopping, and a line of status.

systemd's protocol: a datagram to the socket that ``NOTIFY_SOCKET`` names (sd_notify(3)). Without
a service manager nothing is told. Nothing here waits or raises.
"""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Mapping

log = logging.getLogger(__name__)


class Service:
    """The service manager, if there is one."""

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        self._address = environment.get("NOTIFY_SOCKET", "")
        watchdog_us = environment.get("WATCHDOG_USEC", "")
        mine = environment.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
        self.watchdog_s = int(watchdog_us) / 1e6 if watchdog_us.isdigit() and mine else 0.0
        self._status = ""

    @property
    def there(self) -> bool:
        """Whether anybody listens."""
        return self._address.startswith(("/", "@"))

    def ready(self) -> None:
        """The first picture has been presented."""
        self._tell("READY=1")

    def alive(self) -> None:
        """A picture was presented not long ago: the watchdog is fed."""
        self._tell("WATCHDOG=1")

    def stopping(self) -> None:
        """The end was asked for."""
        self._tell("STOPPING=1")

    def status(self, text: str) -> None:
        """One line for whoever asks ``systemctl status``; told when it changes."""
        if text != self._status:
            self._status = text
            self._tell(f"STATUS={text}")

    def _tell(self, message: str) -> None:
        if not self.there:
            return
        address = "\0" + self._address[1:] if self._address.startswith("@") else self._address
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as line:
                line.setblocking(False)
                line.sendto(message.encode(), address)
        except OSError as error:
            log.debug("the service manager does not hear %s: %s", message, error)
