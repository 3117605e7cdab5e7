"""Show control by OSC: packets come in over UDP, allowed commands go into the show's inbox.

One thread of its own. It never touches the show: a command waits in the inbox until the show
takes it, between two pictures; a question is answered from what the conductor says stands.
Packets are read here, answers are built by python-osc: its own reader of bundles never comes back
from an element with a negative size, and writes a line of log for every type it does not know.

``docs/osc.md`` names the addresses.
"""

from __future__ import annotations

import logging
import socket
import struct
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from pythonosc.osc_message_builder import OscMessageBuilder

from mirror.closeable import Closeable
from mirror.control.commands import WORDS, command
from mirror.control.conductor import Conductor
from mirror.errors import MirrorError, SettingsError
from mirror.painting.painter import give_way
from mirror.settings import OscSettings

log = logging.getLogger(__name__)

ROOT, STATE = "/mirror/", "/mirror/state"
#: What can be asked about and not be told, in the words of the vital signs.
SIGNS = ("camera", "sitters", "visits", "fps")
#: No message of ours is longer; a longer datagram is no command.
MOST_BYTES = 1024
#: Bundles in bundles go no deeper, and hold no more messages together.
MOST_DEEP, MOST_MESSAGES = 4, 32
#: So many packets are read at a time, and then a pause: the rest waits in the system's own small
#: buffer and is dropped there, where it costs nothing.
AT_ONCE, PAUSE_S = 16, 0.01
#: A port that is taken is tried again after so long.
RETRY_S = 10.0
#: The thread looks up so often to see whether it is to end.
LOOK_UP_S = 0.25
_BUNDLE = b"#bundle\0"
_NUMBERS = {tag: struct.Struct(f">{code}") for tag, code in zip("ihfd", "iqfd")}
_PLAIN = {"T": True, "F": False, "N": None}
_TYPES = frozenset("s").union(_NUMBERS, _PLAIN)


class Malformed(ValueError):
    """A datagram that is not OSC, or not of the kind that is read here."""


def messages(packet: bytes) -> list[tuple[str, list[Any]]]:
    """The messages of a packet, in order: address and arguments. Raises Malformed.

    Time tags of bundles are not kept: everything is meant for the next picture.
    """
    found: list[tuple[str, list[Any]]] = []
    for part in _parts(packet, 0):
        if len(found) >= MOST_MESSAGES:
            raise Malformed("too many messages")
        found.append(_message(part))
    return found


def _parts(packet: bytes, depth: int) -> Iterator[bytes]:
    """The bytes of every message in a packet, bundles opened."""
    if not packet or len(packet) > MOST_BYTES or len(packet) % 4:
        raise Malformed("its length")
    if not packet.startswith(_BUNDLE):
        yield packet
        return
    if depth >= MOST_DEEP or len(packet) < 16:
        raise Malformed("its bundles")
    at = 16  # past the head and the time tag
    while at < len(packet):
        (size,) = struct.unpack_from(">i", packet, at)
        at += 4
        if size <= 0 or size % 4 or at + size > len(packet):
            raise Malformed("the size of an element")
        yield from _parts(packet[at : at + size], depth + 1)
        at += size


def _message(part: bytes) -> tuple[str, list[Any]]:
    """Address and arguments of one message."""
    if not part.startswith(b"/"):
        raise Malformed("no address")
    address, at = _text(part, 0)
    if at >= len(part):  # as old programs send it: no type tags
        return address, []
    tags, at = _text(part, at)
    if not tags.startswith(",") or not _TYPES.issuperset(tags[1:]):
        raise Malformed("its type tags")
    values: list[Any] = []
    value: Any
    for tag in tags[1:]:
        if tag == "s":
            value, at = _text(part, at)
        elif tag in _PLAIN:
            value = _PLAIN[tag]
        else:
            kind = _NUMBERS[tag]
            if at + kind.size > len(part):
                raise Malformed("a value that is cut")
            (value,), at = kind.unpack_from(part, at), at + kind.size
        values.append(value)
    return address, values


def _text(part: bytes, at: int) -> tuple[str, int]:
    """A text that ends with a zero byte, and where the next value begins, a multiple of four."""
    end = part.find(b"\0", at)
    if end < 0:
        raise Malformed("a text without an end")
    try:
        return part[at:end].decode("utf-8"), (end // 4 + 1) * 4
    except UnicodeDecodeError:
        raise Malformed("a text that is not UTF-8") from None


class OscPort(Closeable):
    """Listens to a port until it is closed; a context manager. What it opens may be taken: then
    it says so once, and tries again.

    counts: what became of them: packets malformed or unheeded, messages heeded, asked, unknown or
    refused, answers unanswered, and how often there was no port.
    """

    def __init__(
        self,
        settings: OscSettings,
        conductor: Conductor,
        signs: Callable[[], Mapping[str, Any]] = dict,
    ) -> None:
        """conductor: commands go into its inbox, and what stands there answers questions.
        signs: what else may be asked about, by the words in ``SIGNS``."""
        self._settings, self._conductor, self._signs = settings, conductor, signs
        self._heeded = {each.strip() for each in settings.heed.split(",") if each.strip()}
        self._closing = threading.Event()
        self.counts: Counter[str] = Counter()
        self.port: int | None = None  # while it listens
        self._thread = threading.Thread(target=self._run, name="osc", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Let go of the port; may be called twice."""
        self._closing.set()
        self._thread.join(timeout=5)

    def hear(self, packet: bytes) -> list[tuple[str, Any]]:
        """One packet: commands go to the show; returns what is to be answered. Never raises."""
        asked: set[str] = set()
        try:
            for address, values in messages(packet):
                asked |= self._understand(address, values)
        except Malformed as error:
            self._count("malformed", f"a packet of {len(packet)} bytes: {error}")
        told = {**self._conductor.told(), **self._signs()} if asked else {}
        return [(ROOT + word, value) for word, value in told.items() if word in asked]

    def _understand(self, address: str, values: list[Any]) -> set[str]:
        """Heed one message; returns the words that it asks about."""
        name = address[len(ROOT) :] if address.startswith(ROOT) else ""
        if address == STATE or (name in (*WORDS, *SIGNS) and not values):
            self.counts["asked"] += 1
            return {*WORDS, *SIGNS} if address == STATE else {name}
        if name not in WORDS:
            self._count("unknown", ascii(address)[:80])
            return set()
        try:
            if len(values) != 1:
                raise SettingsError(address, f"{len(values)} values", "one")
            self._conductor.inbox.put(command(name, values[0], address))
            self.counts["heeded"] += 1
        except MirrorError as error:
            self._count("refused", str(error))
        return set()

    def _count(self, kind: str, detail: str) -> None:
        """The first of each kind is logged, all are counted."""
        self.counts[kind] += 1
        if self.counts[kind] == 1:
            log.warning("OSC: %s: %s; further ones are only counted", kind, detail)

    def _run(self) -> None:
        give_way()
        while not self._closing.is_set():
            try:
                with self._open() as listening:
                    self.port = listening.getsockname()[1]
                    log.info("OSC: listening to %s:%d", self._settings.address, self.port)
                    self._listen(listening)
            except OSError as error:
                self._no_port(error)
            except Exception:  # whatever it is, the show goes on, and the port comes back
                log.exception("OSC: the port is opened again")
                self._closing.wait(RETRY_S)
            self.port = None

    def _open(self) -> socket.socket:
        where = (self._settings.address, self._settings.port)
        family, kind, _, _, place = socket.getaddrinfo(*where, type=socket.SOCK_DGRAM)[0]
        listening = socket.socket(family, kind)
        try:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 64 * 1024)
            listening.bind(place)
            listening.settimeout(LOOK_UP_S)
        except OSError:
            listening.close()
            raise
        return listening

    def _no_port(self, error: OSError) -> None:
        self.counts["no port"] += 1
        if self.counts["no port"] == 1:
            where = f"{self._settings.address}:{self._settings.port}"
            log.warning("OSC: %s cannot be listened to (%s); tried again", where, error.strerror)
        self._closing.wait(RETRY_S)

    def _listen(self, listening: socket.socket) -> None:
        while not self._closing.is_set():
            for _ in range(AT_ONCE):
                try:
                    packet, sender = listening.recvfrom(MOST_BYTES + 1)
                except socket.timeout:
                    break
                except ConnectionError:  # an answer came where nobody listens: not our worry
                    continue
                if self._heeded and sender[0] not in self._heeded:
                    self._count("unheeded", str(sender[0]))
                    continue
                for address, value in self.hear(packet):
                    self._answer(listening, address, value, sender)
            self._closing.wait(PAUSE_S)

    def _answer(self, listening: socket.socket, address: str, value: Any, sender: Any) -> None:
        """Tell whoever asked, at the port they asked from or at the one the site names."""
        message = OscMessageBuilder(address)
        message.add_arg(int(value) if isinstance(value, bool) else value)
        place = (sender[0], self._settings.reply_port or sender[1], *sender[2:])
        try:
            listening.sendto(message.build().dgram, place)
        except OSError as error:
            self._count("unanswered", error.strerror or str(error))
