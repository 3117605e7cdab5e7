"""A run, watched: every file that it opened to write, every address that it spoke or listened to.

The program is run in a process of its own with a hook in Python's own audit events, which sees
what Python does, and under strace where that is installed, which sees what every library does, in
every thread. Nothing in the program knows of it. Called by the command line and by tests.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from mirror.errors import SettingsError

#: Runs a command line of the program, and writes down what the audit hook saw. Its own file is
#: opened first, so that it is not in the account.
HOOK = """
import json, os, socket, sys
account = open(sys.argv[1], "w", encoding="utf-8")
WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
FILES = {"os.mkdir", "os.rename", "os.link", "os.symlink", "os.truncate", "shutil.copyfile"}
SPOKEN = {"socket.connect": "connect", "socket.sendto": "connect", "socket.sendmsg": "connect",
          "socket.bind": "listen"}
def tell(kind, what):
    account.write(json.dumps([kind, what]) + "\\n")
    account.flush()
def watch(event, args):
    if event == "open" and isinstance(args[0], (str, bytes)) and (args[2] or 0) & WRITES:
        tell("write", os.path.abspath(os.fsdecode(args[0])))
    elif event in FILES:
        target = args[1] if event in ("os.rename", "os.link", "shutil.copyfile") else args[0]
        if isinstance(target, (str, bytes, os.PathLike)):
            tell("write", os.path.abspath(os.fsdecode(target)))
    elif event in SPOKEN and args[0].family in (socket.AF_INET, socket.AF_INET6):
        if args[-1]:
            tell(SPOKEN[event], "%s:%s" % args[-1][:2])
    elif event == "socket.getaddrinfo" and args[0]:
        tell("look up", str(args[0]))
    elif event == "subprocess.Popen":
        tell("start", str(args[0]))
sys.addaudithook(watch)
from mirror import cli
sys.exit(cli.main(sys.argv[2:]))
"""

#: What strace is asked for. ``connect`` on a UDP socket sends nothing, but is told all the same.
CALLS = "open,openat,openat2,creat,mkdir,mkdirat,rename,renameat,renameat2,link,linkat,symlink,"
CALLS += "symlinkat,truncate,connect,sendto,sendmsg,sendmmsg,bind"
_NAME = re.compile(r'"((?:[^"\\]|\\.)*)"')
_INET = re.compile(r"sin6?_port=htons\((\d+)\).*?(?:inet_addr\(\"|inet_pton\(AF_INET6, \")([^\"]+)")
_CALL = re.compile(r"^\d+\s+(\w+)\(")

#: What is written by libraries and drivers, holds nothing of anybody, and what it is.
KNOWN = {
    "fontlist-": "matplotlib's list of fonts",
    "mesa_shader_cache": "the driver's compiled shaders",
    "ComputeCache": "the driver's compiled programs",
    "GLCache": "the driver's compiled shaders",
    "__pycache__": "Python's compiled modules",
}


@dataclass(frozen=True)
class Trace:
    """status: the run's exit status. writes: paths. connects, listens: address:port. lookups:
    names. starts: programs. by: who watched. said: the run's own last words."""

    status: int
    writes: frozenset[str]
    connects: frozenset[str]
    listens: frozenset[str]
    lookups: frozenset[str]
    starts: frozenset[str]
    by: str
    said: str

    @property
    def unexplained(self) -> list[str]:
        """Files that were written and are not those of a library or driver that is known."""
        return sorted(path for path in self.writes if not remark(path))

    def text(self) -> str:
        """For people."""
        files = [f"  {path}" + (f"   ({why})" if (why := remark(path)) else "") for path in
                 sorted(self.writes)]  # fmt: skip
        parts = [
            ("files written", files),
            ("connections opened", [f"  {each}" for each in sorted(self.connects)]),
            ("listened to", [f"  {each}" for each in sorted(self.listens)]),
            ("names looked up", [f"  {each}" for each in sorted(self.lookups)]),
            ("programs started", [f"  {each}" for each in sorted(self.starts)]),
        ]
        lines = [f"watched by {self.by}; the run ended with status {self.status}: {self.said}"]
        for name, found in parts:
            lines += [f"{name}: {len(found) or 'none'}", *found]
        return "\n".join(lines)


def trace(
    arguments: Sequence[str], folder: Path, environment: Mapping[str, str] | None = None,
    timeout_s: float = 600.0, strace: str | None = None,
) -> Trace:  # fmt: skip
    """Run ``mirror`` with these arguments in a folder, and watch it.

    environment: of the run; None: this program's own. strace: its path; None: where it is found,
    empty: do without. Raises SettingsError for a run that does not end in time.
    """
    strace = shutil.which("strace") or "" if strace is None else strace
    environment = {**(os.environ if environment is None else environment)}
    environment["PYTHONPATH"] = str(Path(__file__).resolve().parents[2])  # this very program
    with tempfile.TemporaryDirectory(prefix="mirror-trace-") as accounts:
        seen, called = Path(accounts) / "audit.jsonl", Path(accounts) / "strace.txt"
        command = [sys.executable, "-c", HOOK, str(seen), *arguments]
        if strace:
            watched = ["-f", "--seccomp-bpf", "-e", f"trace={CALLS}", "-o", str(called)]
            command = [strace, *watched, *command]
        try:
            ran = subprocess.run(
                command, cwd=folder, env=environment, capture_output=True, text=True,
                check=False, timeout=timeout_s,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            raise SettingsError(
                "the run to be watched", "it does not end", "", "less time"
            ) from None
        found = [*_audited(seen), *(_called(called, folder) if called.exists() else ())]
    last = (ran.stdout + ran.stderr).strip().splitlines()
    by = "Python's audit hook" + (" and strace" if strace else "; strace is not installed")

    def of(kind: str) -> frozenset[str]:
        return frozenset(what for each, what in found if each == kind)

    writes = frozenset(
        path for path in of("write") if _is_file(path) and not path.startswith(accounts)
    )
    return Trace(
        ran.returncode, writes, of("connect"), of("listen"), of("look up"), of("start"), by,
        last[-1] if last else "",
    )  # fmt: skip


def remark(path: str) -> str:
    """What a file is that a library or driver wrote; empty when it is not known."""
    return next((why for part, why in KNOWN.items() if part in path), "")


def _audited(path: Path) -> Iterator[tuple[str, str]]:
    if not path.exists():
        return
    for line in path.read_text(encoding="utf-8").splitlines():
        kind, what = json.loads(line)
        yield kind, what


def _called(path: Path, folder: Path) -> Iterator[tuple[str, str]]:
    """What strace saw that succeeded, or is still under way, as a connection often is."""
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        call = _CALL.match(line)
        if not call or ("= -1 " in line and "EINPROGRESS" not in line):
            continue
        if (network := _INET.search(line)) is not None:
            kind = "listen" if call[1] == "bind" else "connect"
            yield kind, f"{network[2]}:{network[1]}"
        elif call[1].startswith(("connect", "send", "bind")):
            continue  # a socket inside this computer, or an answer on an open connection
        elif not call[1].startswith("open") or re.search(r"O_(WRONLY|RDWR|CREAT|TRUNC)", line):
            names = _NAME.findall(line)
            if names:
                yield "write", str(folder / names[-1])


def _is_file(path: str) -> bool:
    """Whether it lies on a disk: no device, pipe, shared memory or nameless file in a folder."""
    return not path.startswith(("/dev/", "/proc/", "/sys/")) and not Path(path).is_dir()
