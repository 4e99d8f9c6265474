"""A site for tests: a clock that stands, accounts in memory, and browsers that are signed in."""

from __future__ import annotations

import atexit
import re
import tempfile
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from anyio.from_thread import BlockingPortal, start_blocking_portal
from fastapi import FastAPI
from starlette.testclient import TestClient

from counter_listener.record import AccountRole, Accounts, open_record
from counter_listener.web import Settings, create_app
from counter_listener.web.worker import Worker

NOW = datetime(2026, 1, 16, 9, 30, tzinfo=UTC)
NAME = "testserver"
ONCE = "the-secret-of-the-link"
ACCEPT = {"accept": "text/html", "accept-language": "en"}


@dataclass
class Clock:
    """A clock that a test sets."""

    now: datetime = NOW

    def __call__(self) -> datetime:
        return self.now

    def pass_time(self, **time: float) -> None:
        self.now += timedelta(**time)


FOLDER = tempfile.TemporaryDirectory(prefix="counter-listener-pages-")
PASSWORD = "correct horse"  # noqa: S105 - for tests


def accounts(folder: Path, *names: str, role: AccountRole = "supervisor") -> Accounts:
    """A file of accounts, all with the same password."""
    made = Accounts(folder / "accounts.db")
    for name in names:
        made.add(name, role, PASSWORD, NOW - timedelta(days=1), counter="3")
    return made


@cache
def empty_record() -> Path:
    """A record that holds nothing, for tests that need none of its visits."""
    path = Path(FOLDER.name, "empty.db")
    with open_record(path):
        return path


def settings(store: Path | None = None, **changes: Any) -> Settings:
    values: dict[str, Any] = {
        "clock": Clock(),
        "lang": "en",
        "local_user": "me",
        "once": ONCE,
        "names": frozenset({NAME}),
    }
    return Settings(str(store or empty_record()), **{**values, **changes})


@cache
def shared_worker() -> Worker:
    """One process beside all sites of these tests: in each of its own the phrase set would be loaded anew."""
    worker = Worker()
    atexit.register(worker.close)
    return worker


@cache
def shared_loop() -> BlockingPortal:
    """One event loop of all sites: a thread and a loop for each request took half of the time of a small page."""
    made = start_blocking_portal()
    atexit.register(made.__exit__, None, None, None)
    return made.__enter__()


def site(given: Settings) -> FastAPI:
    """The application, with the worker of all."""
    app = create_app(given)
    app.state.site = replace(app.state.site, worker=shared_worker())
    atexit.register(app.state.site.records.close)
    return app


@cache
def empty_site() -> FastAPI:
    """One for all tests that look at it from outside: each application takes some time to make its routes ready."""
    return site(settings())


def browser(given: Settings | FastAPI) -> TestClient:
    """A browser that nobody has signed in with yet."""
    app = given if isinstance(given, FastAPI) else site(given)
    client = TestClient(app, headers=ACCEPT, follow_redirects=False, raise_server_exceptions=False)
    client.portal = shared_loop()
    return client


def signed_in(given: Settings) -> TestClient:
    """A browser on the machine itself, after the one-time link."""
    client = browser(given)
    assert client.get(f"/sign-in/once?key={ONCE}").status_code == 303
    return client


def program(given: Settings, name: str, app: FastAPI | None = None) -> TestClient:
    """A program with a token of an account, of an application that may be there already."""
    assert given.tokens
    client = browser(app or given)
    client.headers["authorization"] = f"Bearer {given.tokens.add_token(name, 'for tests', NOW)[1]}"
    return client


def csrf(client: TestClient, path: str = "/sign-in") -> str:
    """The token in the forms of a page."""
    found = re.search(r'name="csrf" value="([^"]+)"', client.get(path, follow_redirects=True).text)
    assert found
    return found[1]


def sign_in(client: TestClient, name: str, password: str = PASSWORD, to: str = "/") -> Any:
    form = {"name": name, "password": password, "csrf": csrf(client), "to": to}
    return client.post("/sign-in", data=form)
