"""Requests that no browser sends, drawn by seed, for tests of the status page."""

from __future__ import annotations

import contextlib
import random
import socket

VALID = [
    b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"GET /health HTTP/1.1\r\nHost: 127.0.0.1:7780\r\nAccept: */*\r\n\r\n",
    b"POST /metrics HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\n\r\nabcd",
    b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nabcd\r\n0\r\n\r\n",
]
BAD = [
    b"\r\n\r\n", b"GET", b"GET / HTTP/9.9\r\n\r\n", b"GET / HTTP/1.1\r\nHost:\r\nHost: a\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999999999999\r\n\r\nx",
    b"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffff\r\n",
    b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 3000 + b"\r\n",
    b"GET /%00%ff%2e%2e/ HTTP/1.1\r\nHost: \xff\xfe\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n",
    b"CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(200),
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
]  # fmt: skip


def malformed(generator: random.Random) -> bytes:
    """A request that no browser sends, or a good one of which a little was changed."""
    chance = generator.random()
    if chance < 0.2:
        return generator.randbytes(generator.choice((0, 1, 10, 100, 3000)))
    if chance < 0.4:
        return generator.choice(BAD)
    request = bytearray(generator.choice(VALID))
    for _ in range(generator.randint(1, 5)):
        place = generator.randrange(len(request) + 1)
        if generator.random() < 0.5:
            request[place : place + 1] = generator.randbytes(1)
        else:
            request[place : place + generator.randrange(20)] = generator.choice(
                (b"", b"\0", b"\r\n", b"\n", b" " * 50, generator.randbytes(8))
            )
    return bytes(request)


def hurl(port: int, count: int, seed: int = 11) -> None:
    """So many of them, each on a connection of its own; few even wait for an answer."""
    generator = random.Random(seed)
    for n in range(count):
        with (
            contextlib.suppress(OSError),
            socket.create_connection(("127.0.0.1", port), timeout=5) as connection,
        ):
            connection.sendall(malformed(generator))
            if n % 50 == 0:
                connection.settimeout(0.05)
                connection.recv(4096)
