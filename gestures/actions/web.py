"""Web pages on this machine: events, landmarks and scores as JSON, over WebSocket and server-sent events."""

import asyncio
import concurrent.futures
import contextlib
import hmac
import json
import threading
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gestures.errors import ActionError
from gestures.types import Event, Hand, Scores

from .fields import Table
from .needs import library
from .secrets import Secret

if TYPE_CHECKING:
    from aiohttp import web

HOST = "127.0.0.1"
"""Nobody else's machine is served."""
ROOM = 256
"""Events that may wait for one page; a page that has fallen farther behind is cut off, and may come again."""
SENT = ("events", "landmarks", "scores")


@dataclass(frozen=True, slots=True)
class Site:
    """The `[web]` table. `origins` are other sites whose pages may listen; `page` a file given out at `/`."""

    port: int
    token: Secret
    origins: tuple[str, ...]
    page: Path | None
    sends: tuple[str, ...]


def read_settings(table: Table, folder: Path) -> Site:
    """The site; raise `ActionError` where there is no token, or it stands in the file."""
    page = table.text("page")
    sends = table.words("send") or SENT
    for word in sends:
        if word not in SENT:
            raise ActionError(f"web: send may hold {', '.join(SENT)}, not {word!r}")
    return Site(
        port=table.whole("port", 1, 65535, 8765),
        token=Secret.of("the web token", table.any("token")),
        origins=table.words("origins"),
        page=None if page is None else folder / page,
        sends=sends,
    )


def missing(site: Site) -> list[str]:
    """What the site needs and is not here, a line each."""
    lacks = [library("web", "aiohttp", "aiohttp")]
    if site.page is not None and not site.page.is_file():
        lacks.append(f"{site.page} is not there: name a page, or none")
    return [line for line in lacks if line is not None]


class _Listener:
    """What one page has still to be told: events in order, of the pictures only the newest."""

    def __init__(self) -> None:
        self._events: deque[str] = deque()
        self._frame: str | None = None
        self._ready = asyncio.Event()
        self.behind = asyncio.Event()

    def put(self, events: list[str], frame: str | None) -> None:
        self._events.extend(events)
        self._frame = frame or self._frame
        if len(self._events) > ROOM:
            self.behind.set()
        self._ready.set()

    async def lines(self) -> AsyncIterator[str]:
        while True:
            await self._ready.wait()
            self._ready.clear()
            while self._events:
                yield self._events.popleft()
            if self._frame is not None:
                frame, self._frame = self._frame, None
                yield frame


class Web:
    """Serves pages on a thread of its own until it is closed; `show` never waits."""

    def __init__(self, site: Site, labels: Sequence[str], tell: Callable[[str], None]) -> None:
        self._site, self._labels, self._tell = site, list(labels), tell
        self._token = site.token.reveal()
        self._listeners: set[_Listener] = set()
        self._lock = threading.Lock()
        self._events: list[Event] = []
        self._frame: tuple[Mapping[int, Hand], Mapping[int, Scores], float] | None = None
        self._loop = asyncio.new_event_loop()
        self._ending = asyncio.Event()
        started: concurrent.futures.Future[None] = concurrent.futures.Future()
        self._thread = threading.Thread(target=self._run, args=(started,), name="action web", daemon=True)
        self._thread.start()
        started.result()
        tell(f"web: http://{HOST}:{site.port}/?token=… (the token is {site.token})")

    def show(
        self, events: Sequence[Event], hands: Mapping[int, Hand], scores: Mapping[int, Scores], time: float
    ) -> None:
        """Let the pages know."""
        with self._lock:
            due = self._frame is None
            self._events += events
            self._frame = hands, scores, time
        if due:
            with contextlib.suppress(RuntimeError):  # the loop has ended
                self._loop.call_soon_threadsafe(self._spread)

    def close(self) -> None:
        """End every connection, and the thread."""
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._ending.set)
        self._thread.join(5)

    def _run(self, started: "concurrent.futures.Future[None]") -> None:
        try:
            self._loop.run_until_complete(self._serve(started))
        except Exception as error:  # noqa: BLE001 - told to whoever waits for the start, or else in a line
            if started.done():
                self._tell(f"web: ended by {type(error).__name__}: {error}")
            else:
                started.set_exception(error)
        finally:
            self._loop.close()

    async def _serve(self, started: "concurrent.futures.Future[None]") -> None:
        from aiohttp import web

        @web.middleware
        async def admit(request: web.Request, handler: Any) -> Any:  # noqa: ANN401 - aiohttp's own types
            return await self._admit(request, handler)

        app = web.Application(middlewares=[admit])
        app.router.add_get("/ws", self._socket)
        app.router.add_get("/events", self._stream)
        if self._site.page is not None:
            app.router.add_get("/", self._page)
        runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=1)
        await runner.setup()
        try:
            await web.TCPSite(runner, HOST, self._site.port).start()
        except OSError as error:
            await runner.cleanup()
            raise ActionError(f"port {self._site.port} is taken: set another in [web] port") from error
        started.set_result(None)
        await self._ending.wait()
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()
        await runner.cleanup()

    def _spread(self) -> None:
        with self._lock:
            events, self._events = self._events, []
            frame, self._frame = self._frame, None
        if not self._listeners or frame is None:
            return
        sends = self._site.sends
        lines = [json.dumps({"type": "event"} | event.json()) for event in events] if "events" in sends else []
        picture = json.dumps(_frame(*frame, sends)) if sends != ("events",) else None
        for listener in self._listeners:
            listener.put(lines, picture)

    async def _admit(self, request: "web.Request", handler: Any) -> Any:  # noqa: ANN401 - aiohttp's own types
        """Refuse other machines' names for us, other sites' pages, and whoever has not the token."""
        from aiohttp import web

        hosts = {f"{name}:{self._site.port}" for name in (HOST, "localhost")}
        origin = request.headers.get("Origin")
        if request.host not in hosts:
            raise web.HTTPForbidden(text="wrong host")
        if origin is not None and origin not in {*self._site.origins, *(f"http://{host}" for host in hosts)}:
            raise web.HTTPForbidden(text="foreign origin")
        given = request.query.get("token") or request.headers.get("Authorization", "").removeprefix("Bearer ")
        if not hmac.compare_digest(given.encode(), self._token.encode()):
            raise web.HTTPUnauthorized(text="wrong token")
        response = await handler(request)
        if origin is not None and not response.prepared:
            response.headers["Access-Control-Allow-Origin"] = origin
        return response

    async def _page(self, _request: "web.Request") -> "web.Response":
        from aiohttp import web

        assert self._site.page is not None
        headers = {"Referrer-Policy": "no-referrer", "Cache-Control": "no-store"}
        return web.Response(text=self._site.page.read_text("utf-8"), content_type="text/html", headers=headers)

    async def _socket(self, request: "web.Request") -> "web.WebSocketResponse":
        from aiohttp import web

        socket = web.WebSocketResponse(heartbeat=20)
        await socket.prepare(request)
        # Pages only listen; reading is what notices that they have gone.
        reading = asyncio.ensure_future(self._drain(socket))
        try:
            await self._write(request, socket.send_str, reading)
        finally:
            reading.cancel()
        return socket

    async def _stream(self, request: "web.Request") -> "web.StreamResponse":
        from aiohttp import web

        headers = {"Content-Type": "text/event-stream", "Cache-Control": "no-store"}
        if "Origin" in request.headers:
            headers["Access-Control-Allow-Origin"] = request.headers["Origin"]
        stream = web.StreamResponse(headers=headers)
        await stream.prepare(request)
        await self._write(request, lambda line: stream.write(f"data: {line}\n\n".encode()))
        return stream

    @staticmethod
    async def _drain(socket: "web.WebSocketResponse") -> None:
        async for _ in socket:
            pass

    async def _write(self, request: "web.Request", send: Callable[[str], Any], *gone: "asyncio.Future[None]") -> None:
        """Tell a page what there is until it has gone, or is too far behind."""
        listener = _Listener()
        self._listeners.add(listener)
        tasks: list[asyncio.Future[Any]] = [
            asyncio.ensure_future(self._pass_on(listener, send)),
            asyncio.ensure_future(listener.behind.wait()),
        ]
        try:
            await asyncio.wait([*tasks, *gone], return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            self._listeners.discard(listener)
        if listener.behind.is_set():
            self._tell(f"web: a page fell more than {ROOM} events behind and was cut off")
            if request.transport is not None:
                request.transport.abort()

    async def _pass_on(self, listener: _Listener, send: Callable[[str], Any]) -> None:
        with contextlib.suppress(ConnectionError):
            await send(json.dumps({"type": "hello", "labels": self._labels}))
            async for line in listener.lines():
                await send(line)


def _frame(
    hands: Mapping[int, Hand], scores: Mapping[int, Scores], time: float, sends: Sequence[str]
) -> dict[str, Any]:
    """One picture's hands, as JSON: landmarks in 0..1 of the picture, scores in the order of the labels."""
    seen = []
    for number, hand in hands.items():
        about: dict[str, Any] = {"hand": number, "side": hand.side}
        if "landmarks" in sends:
            about["image"] = [[round(v, 4) for v in joint] for joint in hand.image.tolist()]
        if "scores" in sends and number in scores:
            about["scores"] = [round(p, 4) for p in scores[number].probabilities.tolist()]
        seen.append(about)
    return {"type": "frame", "time": round(time, 3), "hands": seen}
