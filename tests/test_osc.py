"""Show control over UDP: what is heeded, what is answered, and what costs nothing."""

from __future__ import annotations

import random
import re
import socket
import struct
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pythonosc.osc_message_builder import OscMessageBuilder

from mirror.control.commands import WORDS, Command
from mirror.control.conductor import Conductor, Standing
from mirror.control.osc import MOST_BYTES, SIGNS, Malformed, OscPort, messages
from mirror.settings import OscSettings

#: As many packets as a fuzzer sends here.
PACKETS = 100_000


def said(address: str, *values: Any) -> bytes:
    builder = OscMessageBuilder(address)
    for value in values:
        builder.add_arg(value)
    return bytes(builder.build().dgram)


def bundled(*elements: bytes) -> bytes:
    parts = b"".join(struct.pack(">i", len(each)) + each for each in elements)
    return b"#bundle\0" + struct.pack(">Q", 1) + parts


@pytest.fixture
def conductor() -> Conductor:
    return Conductor(Standing("river", 1, 139.0))


@pytest.fixture
def port(conductor: Conductor) -> Iterator[OscPort]:
    signs = {"camera": "running", "sitters": 2, "visits": 31, "fps": 29.5}
    with OscPort(OscSettings(on=True, port=0), conductor, lambda: signs) as port:
        until(lambda: port.port is not None)
        yield port


def until(done: Any, seconds: float = 30.0) -> None:
    end_s = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < end_s, "it did not happen"
        time.sleep(0.01)


@pytest.fixture
def console() -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as console:
        console.bind(("127.0.0.1", 0))
        console.settimeout(10)
        yield console


def test_messages_and_bundles_are_read() -> None:
    assert messages(said("/mirror/black")) == [("/mirror/black", [])]
    one, two = said("/mirror/piece", "uncanny"), said("/mirror/half-life", 20.5)
    packet = bundled(one, bundled(two, said("/a", 1, True, None)))
    assert messages(packet) == [
        ("/mirror/piece", ["uncanny"]),
        ("/mirror/half-life", [20.5]),
        ("/a", [1, True, None]),
    ]


def test_what_another_implementation_writes_is_read_as_it_was_meant() -> None:
    """python-osc encodes, whatever lengths texts have."""
    generator = random.Random(3)
    for length in range(1, 40):
        text = "".join(generator.choice("abcäö€ /") for _ in range(length))
        values = [text, generator.randint(-(2**31), 2**31 - 1), text[::-1], True, None, False]
        number = struct.unpack(">f", struct.pack(">f", generator.uniform(-9, 9)))[0]
        address = "/" + "x" * length
        assert messages(said(address, *values, number, 2**40)) == [
            (address, [*values, number, 2**40])
        ]
    assert messages(b"/mirror/state\0\0\0") == [("/mirror/state", [])]  # without type tags


BAD = {
    "nothing": b"",
    "no address": b"abcd",
    "not a multiple of four": b"/mirror",
    "an address without an end": b"/mirror/black/no",
    "too long": b"/" + b"a" * (MOST_BYTES + 3),
    "a type that is not read": b"/a\0\0,m\0\0\0\0\0\0",
    "a value that is cut": b"/a\0\0,d\0\0\0\0\0\0",
    "text that is not UTF-8": b"/a\0\0,s\0\0\xff\xfe\0\0",
    "a bundle without a time": b"#bundle\0",
    "an element of negative size": b"#bundle\0" + struct.pack(">Qi", 1, -4),
    "an element larger than the packet": b"#bundle\0" + struct.pack(">Qi", 1, 400),
    "an element of size 0": b"#bundle\0" + struct.pack(">Qi", 1, 0),
    "bundles in bundles in bundles": bundled(bundled(bundled(bundled(bundled(said("/a")))))),
    "very many messages": bundled(*[said("/a")] * 60),
}


@pytest.mark.parametrize("what", BAD)
def test_a_malformed_packet_is_refused(what: str) -> None:
    with pytest.raises(Malformed):
        messages(BAD[what])


def test_commands_arrive_over_the_network(
    port: OscPort, conductor: Conductor, console: socket.socket
) -> None:
    for packet in (
        said("/mirror/brightness", 0.5),
        said("/mirror/brightness", 7.0),
        said("/mirror/quit", 1),
        b"garbage!",
        bundled(said("/mirror/black", 1), said("/mirror/seed", 12.0)),
    ):
        console.sendto(packet, ("127.0.0.1", port.port))
    until(lambda: port.counts["heeded"] == 3)
    assert conductor.inbox.take() == [
        Command("brightness", 0.5), Command("black", True), Command("seed", 12),
    ]  # fmt: skip
    assert (port.counts["refused"], port.counts["unknown"], port.counts["malformed"]) == (1, 1, 1)


def test_what_stands_is_told_to_whoever_asks(
    port: OscPort, conductor: Conductor, console: socket.socket
) -> None:
    conductor.stands(Command("half-life", 30.0))
    console.sendto(said("/mirror/state"), ("127.0.0.1", port.port))
    told = dict(messages(console.recv(2048))[0] for _ in (*WORDS, *SIGNS))
    assert told.keys() == {f"/mirror/{word}" for word in (*WORDS, *SIGNS)}
    assert (told["/mirror/sitters"], told["/mirror/camera"]) == ([2], ["running"])
    assert told["/mirror/half-life"] == [30.0]
    assert told["/mirror/black"] == [0]
    console.sendto(said("/mirror/piece"), ("127.0.0.1", port.port))
    assert messages(console.recv(2048)) == [("/mirror/piece", ["river"])]


def test_only_those_named_are_heeded(conductor: Conductor, console: socket.socket) -> None:
    settings = OscSettings(on=True, port=0, heed="10.1.2.3, 10.1.2.4")
    with OscPort(settings, conductor) as port:
        until(lambda: port.port is not None)
        console.sendto(said("/mirror/black", 1), ("127.0.0.1", port.port))
        until(lambda: port.counts["unheeded"] == 1)
    assert conductor.inbox.take() == []


def test_a_port_that_is_taken_is_told_once_and_closing_is_quick(
    conductor: Conductor, caplog: pytest.LogCaptureFixture
) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.1", 0))
        taken = other.getsockname()[1]
        with OscPort(OscSettings(on=True, port=taken), conductor) as port:
            until(lambda: port.counts["no port"] == 1)
    assert [record.getMessage() for record in caplog.records] == [
        f"OSC: 127.0.0.1:{taken} cannot be listened to (Address already in use); tried again"
    ]


def mutated(generator: random.Random, valid: list[bytes]) -> bytes:
    """Anything at all, or something valid of which a little was changed."""
    if generator.random() < 0.25:
        return generator.randbytes(generator.choice((0, 3, 4, 16, 64, 400, 1400)))
    packet = bytearray(generator.choice(valid))
    for _ in range(generator.randint(1, 4)):
        place, how = generator.randrange(len(packet)), generator.random()
        if how < 0.5:
            packet[place] = generator.randrange(256)
        elif how < 0.7:
            del packet[place:]
        elif how < 0.85:
            packet[place:place] = generator.randbytes(4)
        else:
            packet += generator.choice(valid)
        if not packet:
            break
    return bytes(packet)


def fuzz(count: int = PACKETS) -> Iterator[bytes]:
    generator = random.Random(7)
    valid = [
        said("/mirror/state"), said("/mirror/piece", "uncanny"), said("/mirror/brightness", 0.5),
        said("/mirror/black", True), said("/mirror/seed", 9), said("/mirror/half-life", 20.0),
        said("/mirror/opening", "closed"), said("/mirror/freeze", 1, "and more", b"blob", 2.5),
    ]  # fmt: skip
    valid += [bundled(*valid[:3]), bundled(valid[0], bundled(*valid[3:6]))]
    for _ in range(count):
        yield mutated(generator, valid)


def harmless() -> Iterator[bytes]:
    """As many, without those that happen to be commands."""
    conductor, left = Conductor(Standing("river", 1, 139.0)), PACKETS
    with OscPort(OscSettings(on=True, port=0), conductor) as port:
        for packet in fuzz(2 * PACKETS):
            heeded = port.counts["heeded"]
            port.hear(packet)
            if port.counts["heeded"] == heeded and left:
                left -= 1
                yield packet


def test_a_hundred_thousand_random_packets_cost_nothing(
    conductor: Conductor, caplog: pytest.LogCaptureFixture
) -> None:
    """Every one is read; what of it is allowed is heeded, and nothing else happens."""
    with OscPort(OscSettings(on=True, port=0), conductor) as port:
        for packet in fuzz():
            port.hear(packet)
        counts = dict(port.counts)
    assert counts["malformed"] > PACKETS / 4
    assert min(counts["heeded"], counts["asked"], counts["unknown"], counts["refused"]) > 100
    assert len(conductor.inbox.take()) <= len(WORDS)
    assert len(caplog.records) == 3  # malformed, unknown, refused: the first of each
    assert all(record.name == "mirror.control.osc" for record in caplog.records)


def test_every_address_is_documented(root: Path) -> None:
    page = (root / "docs" / "osc.md").read_text(encoding="utf-8")
    heads = " ".join(line.split("|")[1] for line in page.splitlines() if line.startswith("| `"))
    named = set(re.findall(r"`/mirror/([\w-]+)`", heads))
    assert named == {*WORDS, *SIGNS, "state"}
