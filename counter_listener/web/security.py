"""What guards every answer and every request, whatever the page: headers, the name of the host, size, forged forms."""

from __future__ import annotations

import secrets
from collections.abc import MutableMapping, Sequence
from typing import Any, Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from counter_listener.record import MOST_BYTES

POLICY: Final = (
    "default-src 'self'",
    "style-src 'self' 'nonce-{nonce}'",
    "img-src 'self' data:",
    "media-src 'self' blob:",
    "object-src 'none'",
    "base-uri 'none'",
    "form-action 'self'",
    "frame-ancestors 'none'",
)
"""The Content-Security-Policy: no script and no style stands in a page. The nonce is for the style sheet with which
wavesurfer.js begins the waveform that it draws."""
HEADERS: Final = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
NO_DEVICES: Final = "microphone=(), camera=(), geolocation=()"
"""The Permissions-Policy of every page, but for those that record (spoken.py)."""
PRIVATE: Final = "no-store"
"""Cache-Control of all that may hold something of the record."""
SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
"""Methods that change nothing."""
TOKEN_FIELD: Final = "csrf"  # noqa: S105 - the name of a field
TOKEN_HEADER: Final = "x-csrf-token"  # noqa: S105 - the name of a header


class Guard:
    """Refuses foreign host names and bodies that are too long, and adds the headers above to every answer."""

    def __init__(self, app: ASGIApp, names: frozenset[str], policy: Sequence[str] = POLICY) -> None:
        self._app, self._names, self._policy = app, names, policy

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handles one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        nonce = secrets.token_urlsafe(16)
        scope.setdefault("state", {})["nonce"] = nonce

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                add_headers(message, nonce, self._policy)
            await send(message)

        refused = self._refusal(scope)
        if refused is not None:
            await refused(scope, receive, send_guarded)
        else:
            await self._app(scope, _limited(receive), send_guarded)

    def _refusal(self, scope: Scope) -> PlainTextResponse | None:
        headers = Headers(scope=scope)
        if self._names and host_name(headers.get("host", "")) not in self._names:
            return PlainTextResponse("This server is not known by that name; add it with serve --name.", 421)
        length = headers.get("content-length", "0")
        if not length.isdigit() or int(length) > MOST_BYTES:
            return PlainTextResponse("The request is too long.", 413)
        return None


def add_headers(message: MutableMapping[str, Any], nonce: str, policy: Sequence[str] = POLICY) -> None:
    """Adds the headers of every answer to the start of one."""
    headers = MutableHeaders(scope=message)
    headers["Content-Security-Policy"] = "; ".join(policy).format(nonce=nonce)
    headers.setdefault("Cache-Control", PRIVATE)
    headers.setdefault("Permissions-Policy", NO_DEVICES)
    for name, value in HEADERS.items():
        headers[name] = value


def _limited(receive: Receive) -> Receive:
    """`receive`, which takes a body that grows too long for the end of the connection."""
    taken = 0

    async def receive_limited() -> Message:
        nonlocal taken
        message = await receive()
        taken += len(message.get("body", b""))
        return message if taken <= MOST_BYTES else {"type": "http.disconnect"}

    return receive_limited


def host_name(host: str) -> str:
    """The name in a Host header, in lower case and without the port."""
    if host.startswith("["):
        return host.partition("]")[0].lower() + "]"
    return host.partition(":")[0].lower().rstrip(".")


def csrf_token(request: Request) -> str:
    """The token that a form of this browser carries, so that no other site can send one."""
    token: str | None = request.session.get(TOKEN_FIELD)
    if token is None:
        request.session[TOKEN_FIELD] = token = secrets.token_urlsafe(24)
    return token


async def is_forged(request: Request) -> bool:
    """Whether a request that changes something did not come from a page of ours."""
    if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        return True
    header = request.headers.get(TOKEN_HEADER)
    given = (await request.form()).get(TOKEN_FIELD, "") if header is None else header
    expected = request.session.get(TOKEN_FIELD, "")
    return not (isinstance(given, str) and expected and secrets.compare_digest(given.encode(), expected.encode()))
