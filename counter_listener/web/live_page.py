"""The page beside the clerk: what the terminal's screen shows, in a small window of the browser on this machine.

One page, which receives its state as server-sent events. Only who knows the address, with its token, sees or does
anything.
"""

from __future__ import annotations

import asyncio
import secrets
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from counter_listener.domain import Lang
from counter_listener.web.rendering import STATIC, make_templates, texts
from counter_listener.web.security import Guard
from counter_listener.web.serving import Address, bind

HOST: Final = "127.0.0.1"
FILES: Final = {
    "live.css": "text/css; charset=utf-8",
    "live.js": "text/javascript; charset=utf-8",
    "favicon.svg": "image/svg+xml",
}
ORDERS: Final = frozenset({"space", "wrong", "undo"})
"""What the page may order: the keys of the terminal, but not to stop listening."""
POLICY: Final = (
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "connect-src 'self'",
    "img-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
)
ALIVE_SECONDS: Final = 15.0
"""How often a page that has nothing new is told that the connection stands."""
RETRY_MS: Final = 1000
"""Milliseconds after which a browser that lost the connection tries again."""
END_SECONDS: Final = 2
"""Time limit for the pages to receive the last state."""


@dataclass
class LivePage:
    """The page, and what it shows. It is served by a thread; `publish` is called by any other."""

    lang: Lang
    on_order: Callable[[str], None]
    """Called with one of ORDERS, by the thread that serves."""
    token: str = field(default_factory=lambda: secrets.token_urlsafe(24))
    _latest: str = "null"
    _windows: set[asyncio.Event] = field(default_factory=set)
    """One for each window that is open; set when there is something new. Of the thread that serves alone."""
    _loop: asyncio.AbstractEventLoop | None = None
    _closing: bool = False

    def publish(self, state: str) -> None:
        """Shows a state, a line of JSON, in every window. A window that is slow skips states."""
        if state != self._latest:
            self._latest = state
            self._wake()

    def close(self) -> None:
        """Ends the connection of every window once it has the latest state."""
        self._closing = True
        self._wake()

    def app(self) -> Starlette:
        """The application: everything but this page is refused."""
        routes = [
            Route("/{token}/", self._page),
            Route("/{token}/events", self._events),
            Route("/{token}/order", self._order, methods=["POST"]),
            Route("/{token}/{name}", self._file),
            Route("/{anything:path}", _refused),
        ]
        guard = Middleware(Guard, names=frozenset({HOST, "localhost"}), policy=POLICY)
        return Starlette(routes=routes, middleware=[guard])

    def _wake(self) -> None:
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._wake_windows)

    def _wake_windows(self) -> None:
        for window in self._windows:
            window.set()

    def _knows(self, request: Request) -> bool:
        return secrets.compare_digest(request.path_params["token"].encode(), self.token.encode())

    async def _page(self, request: Request) -> Response:
        if not self._knows(request):
            return _refused(request)
        told = texts(self.lang)
        html_lang = "zh-CN" if self.lang == "zh" else "en"
        return HTMLResponse(make_templates().get_template("live.html").render(_=told._, html_lang=html_lang))

    async def _file(self, request: Request) -> Response:
        name = request.path_params["name"]
        if not self._knows(request) or name not in FILES:
            return _refused(request)
        return FileResponse(STATIC / name, media_type=FILES[name])

    async def _events(self, request: Request) -> Response:
        if not self._knows(request):
            return _refused(request)
        return StreamingResponse(self._states(), media_type="text/event-stream")

    async def _states(self) -> AsyncIterator[str]:
        """Every new state, until the page is closed."""
        self._loop = asyncio.get_running_loop()
        window, sent = asyncio.Event(), None
        self._windows.add(window)
        try:
            yield f"retry: {RETRY_MS}\n\n"
            while True:
                window.clear()
                closing, latest = self._closing, self._latest
                if latest != sent:
                    sent = latest
                    yield f"data: {latest}\n\n"
                if closing:
                    return
                try:
                    await asyncio.wait_for(window.wait(), ALIVE_SECONDS)
                except TimeoutError:
                    yield ":\n\n"
        finally:
            self._windows.discard(window)

    async def _order(self, request: Request) -> Response:
        """Does what a button or key of the page says. No other site can: it knows no token, and says where it is."""
        here = f"{request.url.scheme}://{request.url.netloc}"
        foreign = request.headers.get("sec-fetch-site", "same-origin") != "same-origin"
        if not self._knows(request) or foreign or request.headers.get("origin", here) != here:
            return _refused(request)
        order = (await request.body()).decode("utf-8", "replace")
        if order not in ORDERS:
            return PlainTextResponse("There is no such order.", 400)
        self.on_order(order)
        return Response(status_code=204)


def _refused(_request: Request) -> Response:
    return PlainTextResponse("Open the address that `counter-listener listen --page` has told.", 403)


@contextmanager
def serve_page(page: LivePage, port: int) -> Iterator[str]:
    """Serves the page on this machine, 0 for any free port, and yields its address. Raises ConfigError."""
    with bind(Address(HOST, port), "--page-port") as listening:
        config = uvicorn.Config(
            page.app(),
            log_config=None,
            access_log=False,
            server_header=False,
            lifespan="off",
            timeout_graceful_shutdown=END_SECONDS,
        )
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        try:
            yield f"http://{HOST}:{listening.getsockname()[1]}/{page.token}/"
        finally:
            page.close()
            server.should_exit = True
            thread.join(END_SECONDS + 1)
