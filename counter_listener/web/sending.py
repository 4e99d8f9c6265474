"""Sends messages to people by apprise: webhooks, WeCom, DingTalk, MQTT and what else it knows. The only user of it."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from counter_listener.domain import ConfigError, read_text
from counter_listener.web.server_file import METRICS_TOKEN, PASSWORD, SECRET_BYTES, NotifyTable, ServerFile, secret

MOST: Final = 20
"""Addresses."""


def addresses(notify: NotifyTable) -> list[str]:
    """The addresses of a settings file, which may hold secrets. Raises ConfigError."""
    lines = read_text(Path(notify.urls_file).expanduser(), ConfigError, SECRET_BYTES) if notify.urls_file else ""
    kept = [line.strip() for line in lines.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    found = list(dict.fromkeys([*notify.urls, *kept]))
    if len(found) > MOST:
        raise ConfigError("messages can go to at most {most} addresses", most=MOST)
    return found


def check_addresses(urls: list[str]) -> None:
    """Raises ConfigError for an address that apprise does not know, and if it is not there."""
    for number, url in enumerate(urls, start=1):
        if not _apprise().Apprise.instantiate(url, suppress_exceptions=True):
            raise ConfigError(
                "address {number} of the messages ({kind}://…) is none that apprise knows; see its documentation",
                number=number,
                kind=kind_of(url),
            )


def check_server_file(given: ServerFile) -> None:
    """Raises ConfigError if what the settings ask for cannot be done: a secret or an address that is no good."""
    if given.mail:
        secret(given.mail.password_file, given.mail.password_variable, PASSWORD)
    secret(given.metrics.token_file, given.metrics.token_variable, METRICS_TOKEN)
    if urls := addresses(given.notify):
        check_addresses(urls)


def send(messages: Mapping[str, str], title: str) -> list[str]:
    """Sends each address its text, and returns the addresses that did not take it. Raises ConfigError."""
    failed = []
    for url, text in messages.items():
        sender = _apprise().Apprise()
        if not sender.add(url) or not sender.notify(title=title, body=text, body_format="text"):
            failed.append(url)
    return failed


def kind_of(url: str) -> str:
    """What kind of address it is, which is all of it that may be shown: the rest holds secrets."""
    return url.partition("://")[0][:20] if "://" in url else "?"


def name_of(url: str) -> str:
    """A name of an address by which it is known again, and from which it cannot be told."""
    return hashlib.sha256(url.encode()).hexdigest()[:12]


def _apprise() -> Any:  # noqa: ANN401 - it has no types
    try:
        import apprise
    except ImportError:
        raise ConfigError("messages need the extra: pip install 'counter-listener[notify]'.") from None
    logging.getLogger("apprise").setLevel(logging.CRITICAL)  # its own lines may show an address
    return apprise
