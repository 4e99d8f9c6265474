"""Posts JSON to a server: anchors, and rows of the record. With the download of models, all that uses the network."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Final, Self
from urllib.parse import urlsplit

import requests
from requests import exceptions
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

from counter_listener.domain import N_, SendError, UsageError, url_without_secrets

THIS_COMPUTER: Final = frozenset({"localhost", "127.0.0.1", "::1"})
"""Hosts to which something may be sent without encryption."""
TIMEOUTS: Final = (15.0, 60.0)
"""Seconds for a connection, and without a byte."""
RETRY_STATUS: Final = frozenset({408, 425, 429, 500, 502, 503, 504})
"""Answers of a server that may soon answer differently (RFC 9110, section 15; RFC 6585, section 4)."""
RETRIES: Final = 2
BACKOFF: Final = 0.5
"""Seconds before the second retry; doubled for each further one."""
LONGEST_WAIT: Final = 10
"""Seconds that a server may ask to wait before a retry; after a longer time somebody tries again anyway."""
REASONS: Final[dict[type[Exception], str]] = {
    exceptions.ProxyError: N_("The proxy cannot be reached, or does not serve {where}."),
    exceptions.SSLError: N_(
        "The certificate of {where} is not trusted here. If your network has a certificate of its own, set"
        " REQUESTS_CA_BUNDLE to the file of that certificate."
    ),
}


@dataclass(frozen=True, slots=True)
class Trust:
    """By what a server is known; without either, by the certificates that this computer trusts."""

    ca: str | None = None
    """File of the certificate, or of the authority that signed it; PEM."""
    fingerprint: str | None = None
    """SHA-256 of the certificate in hex digits."""


@dataclass(frozen=True, slots=True)
class Posted:
    """What a server answered."""

    status: int
    reason: str
    values: dict[str, Any] = field(default_factory=dict)
    """The object in its body; empty if it is none."""

    @property
    def ok(self) -> bool:
        """Whether it took what was sent."""
        return 200 <= self.status < 300  # noqa: PLR2004 - RFC 9110


class Poster:
    """A connection to servers, kept open between posts."""

    def __init__(self, trust: Trust | None = None, lang: str = "en") -> None:
        self._session = requests.Session()
        trust = trust or Trust()
        retry = Retry(
            RETRIES,
            backoff_factor=BACKOFF,
            status_forcelist=RETRY_STATUS,
            allowed_methods=None,
            raise_on_status=False,
            retry_after_max=LONGEST_WAIT,
        )
        self._session.mount("https://", _Pinned(trust.fingerprint, retry))
        self._session.mount("http://", HTTPAdapter(max_retries=retry))
        self._verify: str | bool | None = trust.ca or (False if trust.fingerprint else None)
        self._lang = lang

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._session.close()

    def post(self, url: str, body: bytes, token: str | None = None) -> Posted:
        """The answer to a POST of JSON; plain HTTP only to this computer, and no redirect is followed.

        Raises UsageError for another URL, SendError if the server cannot be reached.
        """
        where = url_without_secrets(url)
        check_url(url, where)
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "counter-listener",
            "Accept-Language": self._lang,
            **({"Authorization": f"Bearer {token}"} if token else {}),
        }
        try:
            answer = self._session.post(
                url, data=body, headers=headers, timeout=TIMEOUTS, allow_redirects=False, verify=self._verify
            )
        except ValueError as error:  # every error of requests about a URL is one
            raise UsageError("{where} is not a usable URL; write https://HOST/PATH.", where=where) from error
        except (exceptions.RequestException, OSError) as error:  # OSError: the file of the certificate is missing
            text = next((text for kind, text in REASONS.items() if isinstance(error, kind)), None)
            text = text or N_("{where} cannot be reached; there is no network here, or it blocks the connection.")
            raise SendError(text, where=where) from error
        if answer.is_redirect:
            to = url_without_secrets(answer.headers["Location"])
            raise SendError("{where} redirects to {to}, and nothing was sent there; give that URL.", where=where, to=to)
        values: object = None
        with suppress(ValueError):
            values = answer.json()
        return Posted(answer.status_code, answer.reason or "", values if isinstance(values, dict) else {})


class _Pinned(HTTPAdapter):
    """Connections to a server whose certificate has a known fingerprint, or to any that is trusted."""

    def __init__(self, fingerprint: str | None, retry: Retry) -> None:
        self._fingerprint = fingerprint
        super().__init__(max_retries=retry)

    def init_poolmanager(self, *args: Any, **more: Any) -> None:  # noqa: ANN401 - as in requests
        super().init_poolmanager(*args, **more, assert_fingerprint=self._fingerprint)


def check_url(url: str, where: str) -> None:
    """Raises UsageError for a URL that is none, or that has no encryption and leads to another computer."""
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError:
        host = None
    if not host or parts.scheme not in ("http", "https"):
        raise UsageError("{where} is not a usable URL; write https://HOST/PATH.", where=where)
    if parts.scheme == "http" and host not in THIS_COMPUTER:
        raise UsageError("{where} has no encryption; write https://, or http:// for this computer alone.", where=where)
