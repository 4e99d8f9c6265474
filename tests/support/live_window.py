"""The page beside the clerk with a state that a test makes, served as `listen --page` does."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from counter_listener.cli.terminal.page_state import page_state
from counter_listener.domain import Lang, use_language
from counter_listener.live import ScreenState
from counter_listener.web import LivePage, serve_page


@dataclass
class Window:
    """A page that is served, the state that it shows, and what it ordered."""

    link: str
    page: LivePage
    board: ScreenState
    orders: list[str] = field(default_factory=list)

    def show(self, *messages: dict[str, Any]) -> None:
        """Shows the state after some messages of the listener."""
        for message in messages:
            self.board.apply(message)
        with use_language(self.page.lang):
            self.page.publish(page_state(self.board))

    def request(self, path: str = "", method: str = "GET", body: str = "", **headers: str) -> tuple[int, str]:
        """The status and the text of an answer. `path` is below that of the page, or from the root with a slash."""
        parts = urlsplit(self.link)
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=30)
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, path if path.startswith("/") else parts.path + path, body, names)
        answer = connection.getresponse()
        text = answer.read().decode("utf-8")
        connection.close()
        return answer.status, text


@contextmanager
def window(board: ScreenState, lang: Lang = "zh") -> Iterator[Window]:
    """Serves the page of a state."""
    orders: list[str] = []
    page = LivePage(lang, orders.append)
    with serve_page(page, 0) as link:
        made = Window(link, page, board, orders)
        made.show()
        yield made


def states(link: str, timeout: float) -> Iterator[dict[str, Any]]:
    """The states that a page sends, until it ends the connection."""
    parts = urlsplit(link)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=timeout)
    connection.request("GET", parts.path + "events")
    answer = connection.getresponse()
    assert answer.status == 200
    assert answer.headers["content-type"].startswith("text/event-stream")
    for line in iter(answer.readline, b""):
        if line.startswith(b"data: {"):
            yield json.loads(line.removeprefix(b"data: "))
    connection.close()
