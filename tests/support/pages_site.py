"""A site for tests: a clock that stands, accounts in memory, and browsers that are signed in."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from starlette.testclient import TestClient

from counter_listener.web import Account, Settings, create_app

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


@dataclass
class FewAccounts:
    """Accounts in memory: name -> password and account."""

    kept: dict[str, tuple[str, Account]] = field(default_factory=dict)

    def add(self, account: Account, password: str = "secret") -> None:  # noqa: S107 - a test
        self.kept[account.name] = (password, account)

    def sign_in(self, name: str, password: str, now: datetime) -> Account | None:  # noqa: ARG002 - as the protocol
        known = self.kept.get(name)
        return known[1] if known and known[0] == password else None

    def find(self, name: str) -> Account | None:
        known = self.kept.get(name)
        return known[1] if known else None


def settings(store: Path | str = "no-such-record.db", **changes: Any) -> Settings:
    values: dict[str, Any] = {
        "clock": Clock(),
        "lang": "en",
        "local_user": "me",
        "once": ONCE,
        "names": frozenset({NAME}),
    }
    return Settings(str(store), **{**values, **changes})


def browser(given: Settings) -> TestClient:
    """A browser that nobody has signed in with yet."""
    return TestClient(create_app(given), headers=ACCEPT, follow_redirects=False, raise_server_exceptions=False)


def signed_in(given: Settings) -> TestClient:
    """A browser on the machine itself, after the one-time link."""
    client = browser(given)
    assert client.get(f"/sign-in/once?key={ONCE}").status_code == 303
    return client


def csrf(client: TestClient, path: str = "/sign-in") -> str:
    """The token in the forms of a page."""
    found = re.search(r'name="csrf" value="([^"]+)"', client.get(path, follow_redirects=True).text)
    assert found
    return found[1]


def sign_in(client: TestClient, name: str, password: str = "secret", to: str = "/") -> Any:  # noqa: S107 - a test
    form = {"name": name, "password": password, "csrf": csrf(client), "to": to}
    return client.post("/sign-in", data=form)
