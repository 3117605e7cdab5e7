"""The status server: HTTP requests come in, pages go out; read only, in a thread of its own.

Whoever asks can change nothing and, at most, cost a little: what is told is gathered twice a
second at most, a connection lives for half a minute, and there are never more than a few. A name
in the request that is not this computer's is refused, so that no page elsewhere can read this one
through a visitor's browser. A port that is taken is told once and tried again; the show goes on.
"""

from __future__ import annotations

import asyncio
import dataclasses
import ipaddress
import logging
import socket
import threading
from collections.abc import Awaitable, Callable
from typing import Any

import cv2
import h11
import uvicorn
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from uvicorn.protocols.http.h11_impl import H11Protocol

from mirror.clock import MonotonicClock
from mirror.closeable import Closeable
from mirror.painting.painter import give_way
from mirror.settings import StatusSettings
from mirror.status import metrics, page
from mirror.status.signs import Gatherer, Peephole, Signs

log = logging.getLogger(__name__)

#: Connections at once, how long one lives, the longest head of a request in bytes; how many wait in
#: the system for their turn, which costs nothing.
MOST_CONNECTIONS, CONNECTION_S, LONGEST_HEAD, WAITING = 48, 30.0, 8192, 512
#: A port that is taken is tried again after so long; an end waits so long for the thread.
RETRY_S, CLOSE_S = 10.0, 5.0
#: So many connections, and so many requests, are answered at full speed within a second; each one
#: more waits, so that the cost to the show is bounded, however fast somebody asks.
MOST_A_SECOND, BREATH_S = 300, 0.003
JPEG_QUALITY = 80

#: What a browser may do with the pages: show what comes from here, and nothing else.
HEADERS = {
    "content-security-policy": "default-src 'none'; img-src 'self'; style-src 'self'; "
    "script-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
}

Answer = Callable[[Request], Awaitable[Response]]


class Rate:
    """Counts what comes within a second, and says when it is too much."""

    def __init__(self, most: int) -> None:
        self._most, self._count, self._since_s = most, 0, 0.0

    def over(self, now_s: float) -> bool:
        """One more; whether there were more than that within a second."""
        if now_s - self._since_s >= 1.0:
            self._since_s, self._count = now_s, 0
        self._count += 1
        return self._count > self._most


class Guarded(H11Protocol):
    """A connection that ends by itself, however slowly somebody speaks."""

    rate, _breath = Rate(MOST_A_SECOND), threading.Event()

    def connection_made(self, transport: Any) -> None:
        """Take it, if there are not too many; too fast, and the whole server takes a breath."""
        super().connection_made(transport)
        if self.rate.over(self.loop.time()):
            self._breath.wait(BREATH_S)
        if len(self.connections) > MOST_CONNECTIONS:
            transport.abort()
        self._end = self.loop.call_later(CONNECTION_S, transport.abort)

    def connection_lost(self, exc: Exception | None) -> None:
        """It has ended."""
        self._end.cancel()
        super().connection_lost(exc)


def application(settings: StatusSettings, gatherer: Gatherer, peephole: Peephole) -> Any:
    """The pages, as an ASGI application."""

    async def front(request: Request) -> Response:
        return Response(page.page(gatherer.signs(), settings.picture), media_type="text/html")

    async def style(request: Request) -> Response:
        return Response(page.STYLE, media_type="text/css")

    async def script(request: Request) -> Response:
        return Response(page.SCRIPT, media_type="text/javascript")

    async def health(request: Request) -> Response:
        signs = gatherer.signs()
        return JSONResponse(health_of(signs), signs.health.http)

    async def told(request: Request) -> Response:
        return JSONResponse(dataclasses.asdict(gatherer.signs()))

    async def measured(request: Request) -> Response:
        kind = "text/plain; version=0.0.4; charset=utf-8"
        return Response(metrics.text(gatherer.signs()), headers={"content-type": kind})

    async def picture(request: Request) -> Response:
        jpeg = await run_in_threadpool(as_jpeg, peephole) if settings.picture else None
        if jpeg is None:
            return PlainTextResponse("no picture\n", 503 if settings.picture else 404)
        return Response(jpeg, media_type="image/jpeg")

    pages: dict[str, Answer] = {
        "/": front, "/style.css": style, "/page.js": script, "/health": health,
        "/status.json": told, "/metrics": measured, "/picture.jpg": picture,
    }  # fmt: skip
    inner = Starlette(routes=[Route(path, answer) for path, answer in pages.items()])
    return guarded(inner, names_of(settings.address))


def guarded(inner: Any, names: frozenset[str]) -> Any:
    """The application behind its headers; requests for other names are refused."""

    rate, clock = Rate(MOST_A_SECOND), MonotonicClock()

    async def outer(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        if rate.over(clock.now_s()):
            await asyncio.sleep(0.1)

        async def send_with_headers(message: Any) -> None:
            if message["type"] == "http.response.start":
                more = [(name.encode(), value.encode()) for name, value in HEADERS.items()]
                message = {**message, "headers": [*message.get("headers", ()), *more]}
            await send(message)

        asked = dict(scope["headers"]).get(b"host", b"").decode("latin-1")
        if not is_here(asked, names):
            refused = PlainTextResponse("not the name of this computer\n", 421)
            await refused(scope, receive, send_with_headers)
            return
        await inner(scope, receive, send_with_headers)

    return outer


def names_of(address: str) -> frozenset[str]:
    """The names by which this computer may be asked; its addresses may always."""
    name = socket.gethostname().lower()
    return frozenset({"localhost", address.lower(), name, f"{name}.local", name.split(".")[0]})


def is_here(host: str, names: frozenset[str]) -> bool:
    """Whether a request's Host header names this computer: one of its names, or any address."""
    name = host.strip().lower()
    name = name[1:].split("]")[0] if name.startswith("[") else name.rsplit(":", 1)[0]
    if name in names:
        return True
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def health_of(signs: Signs) -> dict[str, Any]:
    """What ``/health`` answers."""
    vitals, health = signs.vitals, signs.health
    return {
        "state": health.state,
        "reasons": list(health.reasons),
        "picture_age_s": round(signs.picture_age_s, 3),
        "pictures_a_second": vitals.fps,
        "piece": vitals.piece,
        "camera": vitals.camera,
        "opening": vitals.opening,
        "uptime_s": round(vitals.uptime_s, 1),
        "restarts": vitals.restarts,
        "version": vitals.version,
    }


def as_jpeg(peephole: Peephole) -> bytes | None:
    """The picture on the screen as a JPEG file; None where there is none."""
    picture = peephole.look()
    if picture is None:
        return None
    quality = [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY]
    done, stored = cv2.imencode(".jpg", picture[:, :, ::-1], quality)
    return stored.tobytes() if done else None


def is_our_fault(record: logging.LogRecord) -> bool:
    """Whether the server's own code failed: not when somebody's broken request had ended the
    connection before the answer was begun, which uvicorn tells as an error, trace and all."""
    error = record.exc_info[1] if record.exc_info else None
    return not isinstance(error, h11.LocalProtocolError)


class StatusServer(Closeable):
    """Serves until it is closed; a context manager. port: while it is served, else None."""

    def __init__(self, settings: StatusSettings, gatherer: Gatherer, peephole: Peephole) -> None:
        self._settings = settings
        self._application = application(settings, gatherer, peephole)
        self._closing = threading.Event()
        self._server: uvicorn.Server | None = None
        self.port: int | None = None
        for name in ("uvicorn", "uvicorn.error", "uvicorn.asgi"):
            logging.getLogger(name).setLevel(logging.ERROR)  # or a line for each bad request
        logging.getLogger("uvicorn.error").addFilter(is_our_fault)
        self._thread = threading.Thread(target=self._run, name="status", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Let go of the port; may be called twice."""
        self._closing.set()
        if self._server is not None:
            self._server.should_exit = True
        self._thread.join(timeout=CLOSE_S)

    def _run(self) -> None:
        give_way()
        refused = False
        while not self._closing.is_set():
            try:
                listening = self._open()
            except OSError as error:
                if not refused:
                    where = f"{self._settings.address}:{self._settings.port}"
                    log.warning(
                        "status: %s cannot be served (%s); tried again", where, error.strerror
                    )
                refused = True
                self._closing.wait(RETRY_S)
                continue
            try:
                self._serve(listening)
            except Exception:  # whatever it is, the show goes on, and the page comes back
                log.exception("status: the page is served again")
                self._closing.wait(RETRY_S)
            finally:
                self.port = None
                listening.close()

    def _open(self) -> socket.socket:
        where = (self._settings.address, self._settings.port)
        family, kind, _, _, place = socket.getaddrinfo(*where, type=socket.SOCK_STREAM)[0]
        listening = socket.socket(family, kind)
        try:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listening.bind(place)
            listening.listen(WAITING)
        except OSError:
            listening.close()
            raise
        return listening

    def _serve(self, listening: socket.socket) -> None:
        config = uvicorn.Config(
            self._application, http=Guarded, loop="asyncio", ws="none", lifespan="off",
            log_config=None, access_log=False, server_header=False, proxy_headers=False,
            limit_concurrency=MOST_CONNECTIONS, backlog=WAITING, timeout_keep_alive=5,
            timeout_graceful_shutdown=1, h11_max_incomplete_event_size=LONGEST_HEAD,
        )  # fmt: skip
        self._server = server = uvicorn.Server(config)
        server.should_exit = self._closing.is_set()
        self.port = listening.getsockname()[1]
        log.info("status: http://%s:%d/", self._settings.address, self.port)
        server.run(sockets=[listening])
