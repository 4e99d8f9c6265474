"""A real HTTP server on this machine with the faults that a test asks for."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from ssl import SSLContext
from typing import Any


@dataclass
class Site:
    """The content of a server and its answers: one kind of answer per request, the last one for all further ones."""

    content: bytes
    answers: list[str] = field(default_factory=lambda: ["good"])
    """Names of the methods `answer_*`, with a number where they need one: `cut:100`."""
    tag: str = '"one"'
    redirect_to: str = ""
    """URL to which `redirect` leads."""
    requests: list[dict[str, str]] = field(default_factory=list)
    """The headers of each request so far, and its path under `path`."""
    posted: list[bytes] = field(default_factory=list)
    """The body of each POST so far."""
    url: str = ""

    def ranges(self) -> list[str | None]:
        return [request.get("Range") for request in self.requests]


class Handler(BaseHTTPRequestHandler):
    """Answers as `Site.answers` says."""

    site: Site

    def do_GET(self) -> None:
        site = self.site
        site.requests.append({**dict(self.headers), "path": self.path})
        answer, _, number = site.answers[min(len(site.requests), len(site.answers)) - 1].partition(":")
        getattr(self, f"answer_{answer.replace('-', '_')}")(int(number or 0))

    def do_POST(self) -> None:
        self.site.posted.append(self.rfile.read(int(self.headers["Content-Length"])))
        self.do_GET()

    def body(self, *, ranged: bool = True) -> tuple[int, bytes, dict[str, str]]:
        """Status, body and headers of a good answer."""
        content, headers = self.site.content, {"ETag": self.site.tag, "Accept-Ranges": "bytes"}
        requested = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        if not requested or not ranged or self.headers.get("If-Range", self.site.tag) != self.site.tag:
            return 200, content, headers
        begin = int(requested[1])
        if begin >= len(content):
            return 416, b"", {"Content-Range": f"bytes */{len(content)}"}
        return 206, content[begin:], {**headers, "Content-Range": f"bytes {begin}-{len(content) - 1}/{len(content)}"}

    def send(self, status: int, body: bytes, headers: dict[str, str], length: int | None = None) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body) if length is None else length), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def answer_good(self, _number: int) -> None:
        self.send(*self.body())

    def answer_cut(self, sent: int) -> None:
        """Announces the whole file, sends a part and closes the connection."""
        status, body, headers = self.body()
        self.send(status, body[:sent], headers, len(body))

    def answer_stall(self, sent: int) -> None:
        self.answer_cut(sent)
        self.wfile.flush()
        time.sleep(1.5)

    def answer_short(self, length: int) -> None:
        """Announces a file that is shorter than the real one."""
        status, body, headers = self.body()
        self.send(status, body[:length], headers)

    def answer_long(self, more: int) -> None:
        """Announces a file that is longer than the real one."""
        status, body, headers = self.body()
        self.send(status, body, headers, len(body) + more)

    def answer_ignore_range(self, _number: int) -> None:
        self.send(*self.body(ranged=False))

    def answer_cut_ignore_range(self, sent: int) -> None:
        status, body, headers = self.body(ranged=False)
        self.send(status, body[:sent], headers, len(body))

    def answer_wrong_range(self, _number: int) -> None:
        self.send(206, self.site.content, {"Content-Range": f"bytes 0-{len(self.site.content) - 1}/*"})

    def answer_no_such_range(self, _number: int) -> None:
        self.send(416, b"", {})

    def answer_web_page(self, _number: int) -> None:
        self.send(200, b"<html>Please log in</html>", {"Content-Type": "text/html; charset=utf-8"})

    def answer_redirect(self, _number: int) -> None:
        self.send(302, b"", {"Location": self.site.redirect_to or self.path})

    def answer_status(self, status: int) -> None:
        self.send(status, b"no", {})

    def answer_hang_up(self, _number: int) -> None:
        self.close_connection = True

    def answer_endless(self, _number: int) -> None:
        self.send_response(200)
        self.end_headers()
        while True:
            self.wfile.write(bytes(1 << 16))

    def answer_slow(self, pieces: int) -> None:
        """Sends the file so slowly that a test can interrupt it."""
        status, body, headers = self.body()
        self.send(status, b"", headers, len(body))
        step = -(-len(body) // pieces)
        for begin in range(0, len(body), step):
            self.wfile.write(body[begin : begin + step])
            self.wfile.flush()
            time.sleep(0.1)

    def log_message(self, *_args: Any) -> None: ...


class Server(ThreadingHTTPServer):
    """Prints nothing when a client closes the connection."""

    daemon_threads = True

    def handle_error(self, *_args: Any) -> None: ...


@contextmanager
def serving(site: Site, tls: SSLContext | None = None) -> Iterator[Site]:
    """Serves the site, with its URL set, inside a `with` block."""
    with Server(("127.0.0.1", 0), type("Handler", (Handler,), {"site": site})) as server:
        if tls:
            server.socket = tls.wrap_socket(server.socket, server_side=True)
        site.url = f"{'https' if tls else 'http'}://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield site
        finally:
            server.shutdown()
            thread.join()


def partial_download(folder: Path) -> bytes:
    """The content of a download that was interrupted."""
    (part,) = folder.glob("*.part")
    return part.read_bytes()
