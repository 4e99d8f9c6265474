"""Serves the application: the address, TLS, the one-time link, and the end by Ctrl-C."""

from __future__ import annotations

import ipaddress
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import uvicorn

from counter_listener.domain import ConfigError, system_reason
from counter_listener.web.app import create_app
from counter_listener.web.settings import Settings

TICKS: Final = 10
"""In a second."""
BACKLOG: Final = 128
GRACE: Final = 3
"""Seconds in which requests may end once the server is to stop."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where the server listens, and how browsers reach it."""

    host: str
    port: int
    """0 for any free one."""
    cert: Path | None = None
    """The certificate, PEM, with those above it."""
    cert_key: Path | None = None
    """The key of the certificate, PEM; None if it stands in the same file."""
    names: tuple[str, ...] = ()
    """More names by which browsers reach the server."""
    behind_proxy: bool = False
    """Whether another server takes the requests by HTTPS and hands them on."""

    @property
    def is_local(self) -> bool:
        """Whether nobody but users of this machine can reach it."""
        return is_loopback(self.host) and not self.behind_proxy and not self.names

    @property
    def secure(self) -> bool:
        """Whether browsers reach it by HTTPS."""
        return self.cert is not None or self.behind_proxy

    def known_names(self) -> frozenset[str]:
        """The names under which browsers may ask for it; empty if any will do, as on every address of a machine."""
        own = f"[{self.host}]" if ":" in self.host else self.host
        if is_loopback(self.host):
            return frozenset({"localhost", "127.0.0.1", "[::1]", own.lower(), *map(str.lower, self.names)})
        if self.host in ("0.0.0.0", "::") and not self.names:  # noqa: S104 - to compare with
            return frozenset()
        return frozenset({own.lower(), *map(str.lower, self.names)})

    def url(self, port: int) -> str:
        """The address for a browser on this machine."""
        anywhere = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - to compare with
        host = anywhere.get(self.host, self.host)
        name = self.names[0] if self.names else f"[{host}]" if ":" in host else host
        return f"{'https' if self.cert else 'http'}://{name}:{port}/"


def is_loopback(host: str) -> bool:
    """Whether a host is this machine alone."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def bind(address: Address, option: str = "--port") -> socket.socket:
    """A socket that listens; from now on browsers can connect, and wait. `option` is the one that gives its port.

    Raises ConfigError.
    """
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((address.host, address.port))
        listening.listen(BACKLOG)
    except (OSError, OverflowError, UnicodeError) as error:
        listening.close()
        raise ConfigError(
            "{host}, port {port}, cannot be used ({why}); give another {option}, or {option} 0 for any free one",
            host=address.host,
            port=address.port,
            option=option,
            why=system_reason(error),
        ) from error
    return listening


def check_certificate(address: Address) -> None:
    """Raises ConfigError if the certificate or its key cannot be used."""
    if address.cert is None:
        return
    try:
        ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(
            address.cert, address.cert_key, password=lambda: ""
        )
    except (OSError, ValueError) as error:  # SSLError is an OSError
        raise ConfigError(
            "{cert} cannot be used as certificate ({why}); give PEM files, the key without a password",
            cert=address.cert,
            why=system_reason(error),
        ) from error


class _Server(uvicorn.Server):
    """A server that shows that its loop goes on."""

    def __init__(self, config: uvicorn.Config, going_on: Callable[[], object]) -> None:
        super().__init__(config)
        self._going_on = going_on

    async def on_tick(self, counter: int) -> bool:
        """Called ten times a second."""
        if counter % TICKS == 0:
            self._going_on()
        return await super().on_tick(counter)


def serve(
    settings: Settings,
    address: Address,
    listening: socket.socket,
    ready: Callable[[], None],
    going_on: Callable[[], object] = lambda: None,
) -> None:
    """Serves until SIGINT or SIGTERM. Raises ConfigError.

    `ready` is called once before, `going_on` every second.
    """
    check_certificate(address)
    config = uvicorn.Config(
        create_app(settings),
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=address.behind_proxy,
        forwarded_allow_ips="*" if address.behind_proxy else None,
        ssl_certfile=address.cert,
        ssl_keyfile=address.cert_key,
        timeout_graceful_shutdown=GRACE,
    )
    ready()
    _Server(config, going_on).run(sockets=[listening])
