"""The unit that systemd runs the piece by: a site comes in, the text of a unit file goes out.

A unit of the user who is logged in to the display: a window needs a desktop, nothing needs root.
"""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence

from mirror.places import home

UNIT = """\
[Unit]
Description=Mirror: a river of portraits
After=graphical-session.target
StartLimitIntervalSec=0

[Service]
Type=notify
NotifyAccess=main
WorkingDirectory={folder}
ExecStart={command}
ExecReload=/bin/kill -HUP $MAINPID
Restart=always
RestartSec=1
# Only presented pictures feed it: whatever the supervisor could not mend, this does.
WatchdogSec=60
TimeoutStartSec=180
TimeoutStopSec=15
# The supervisor ends its show itself; should it be killed, the show goes on until it is back.
KillMode=process
StateDirectory=mirror
# A core would hold the camera's last picture.
LimitCORE=0
Environment=PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
NoNewPrivileges=yes

[Install]
WantedBy=graphical-session.target default.target
"""


def unit(site: str, flags: Sequence[str] = ()) -> str:
    """The text of mirror.service for a site. flags: more of ``mirror run``'s."""
    words = [sys.executable, "-m", "mirror", "watch", "--site", site, *flags]
    quoted = " ".join(_quoted(word) for word in words)
    return UNIT.format(folder=str(home()).replace("%", "%%"), command=quoted)


def _quoted(word: str) -> str:
    """A word as systemd reads it."""
    plain = word.replace("%", "%%").replace("$", "$$")
    return plain if shlex.quote(word) == word else '"' + plain.replace('"', '\\"') + '"'
