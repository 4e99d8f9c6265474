"""Sends an anchor to a server. With the download of models, this is all that uses the network."""

from typing import Final
from urllib.parse import urlsplit

import requests
from requests import exceptions
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

from counter_listener.domain import N_, SendError, UsageError, sentence, url_without_secrets
from counter_listener.record.heads import Head

THIS_COMPUTER: Final = frozenset({"localhost", "127.0.0.1", "::1"})
"""Hosts to which an anchor may be sent without encryption."""
TIMEOUTS: Final = (15.0, 60.0)
"""Seconds for a connection, and without a byte."""
RETRY_STATUS: Final = frozenset({408, 425, 429, 500, 502, 503, 504})
"""Answers of a server that may soon answer differently (RFC 9110, section 15; RFC 6585, section 4)."""
RETRIES: Final = 2
BACKOFF: Final = 0.5
"""Seconds before the second retry; doubled for each further one."""
REASONS: Final[dict[type[Exception], str]] = {
    exceptions.ProxyError: N_("The proxy cannot be reached, or does not serve {where}."),
    exceptions.SSLError: N_(
        "The certificate of {where} is not trusted here. If your network has a certificate of its own, set"
        " REQUESTS_CA_BUNDLE to the file of that certificate."
    ),
}


def send_anchor(url: str, head: Head) -> None:
    """Sends an anchor with POST, as JSON. An answer from 200 to 299 means that the server has stored it.

    Plain HTTP is accepted only to this computer, and no redirect is followed. Raises UsageError for another URL and
    SendError if the server cannot be reached or does not take it.
    """
    where = url_without_secrets(url)
    _check_url(url, where)
    body = head.as_json().encode()
    headers = {"Content-Type": "application/json", "User-Agent": "counter-listener"}
    retry = Retry(
        RETRIES, backoff_factor=BACKOFF, status_forcelist=RETRY_STATUS, allowed_methods=None, raise_on_status=False
    )
    try:
        with requests.Session() as session:
            for scheme in ("https://", "http://"):
                session.mount(scheme, HTTPAdapter(max_retries=retry))
            answer = session.post(url, data=body, headers=headers, timeout=TIMEOUTS, allow_redirects=False)
    except ValueError as error:  # every error of requests about a URL is one
        raise UsageError("{where} is not a usable URL; write https://HOST/PATH.", where=where) from error
    except exceptions.RequestException as error:
        text = next((text for kind, text in REASONS.items() if isinstance(error, kind)), None)
        text = text or N_("{where} cannot be reached; there is no network here, or it blocks the connection.")
        raise SendError(text, where=where) from error
    if answer.is_redirect:
        to = url_without_secrets(answer.headers["Location"])
        raise SendError("{where} redirects to {to}, and nothing was sent there; give that URL.", where=where, to=to)
    if not answer.ok:
        why = sentence("the server answers {status} {reason}", status=answer.status_code, reason=answer.reason)
        raise SendError("{where} did not take the anchor: {why}.", where=where, why=why)


def _check_url(url: str, where: str) -> None:
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError:
        host = None
    if not host or parts.scheme not in ("http", "https"):
        raise UsageError("{where} is not a usable URL; write https://HOST/PATH.", where=where)
    if parts.scheme == "http" and host not in THIS_COMPUTER:
        raise UsageError("{where} has no encryption; write https://, or http:// for this computer alone.", where=where)
