"""Downloads the archive of a model over HTTP. Beside the sending of anchors, nothing else uses the network.

A download continues where the connection broke, now or in a later run, and its checksum is verified. requests opens the
connection and handles proxies, redirects and certificates; urllib3's Retry counts the retries and waits between them.
"""

import json
import re
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import requests
from requests import exceptions
from urllib3.exceptions import HTTPError, MaxRetryError
from urllib3.util import Retry

from counter_listener.asr.model_archive import TransferProgress
from counter_listener.asr.model_check import file_sha256
from counter_listener.domain import N_, ModelError, Sentence, UsageError, sentence, url_without_secrets

CHUNK_BYTES: Final = 1 << 18
PARTIAL_CONTENT, RANGE_NOT_SATISFIABLE = 206, 416
RETRY_STATUS: Final = frozenset({408, 425, 429, 500, 502, 503, 504})
"""Answers of a server that may soon answer differently (RFC 9110, section 15; RFC 6585, section 4)."""
CONTENT_RANGE: Final = re.compile(r"bytes (\d+)-\d+/(\d+|\*)")
"""RFC 9110, section 14.4."""
REASONS: Final[dict[type[Exception], str]] = {
    exceptions.ProxyError: N_("The proxy cannot be reached, or does not serve {where}."),
    exceptions.SSLError: N_(
        "The certificate of {where} is not trusted here. If your network has a certificate of its own, set"
        " REQUESTS_CA_BUNDLE to the file of that certificate."
    ),
    exceptions.TooManyRedirects: N_("{where} redirects too many times."),
}
MAX_REDIRECTS: Final = 5
MAX_SIZE_RATIO: Final = 2
"""Limit for a file of unknown size, relative to its approximate size: no server may fill the disk."""
TIMEOUTS: Final = (15.0, 60.0)
"""Seconds for a connection, and without a byte."""
FIRST_RETRIES: Final = 1
"""Retries before the server has ever answered. Without a network more of them would only keep the user waiting."""
RETRIES: Final = 5
"""Consecutive retries that bring less than PROGRESS_BYTES."""
BACKOFF: Final = 1.0
"""Seconds before the second consecutive retry; doubled for each further one."""
PROGRESS_BYTES: Final = 1 << 20
"""Bytes after which the retries are counted from zero again."""


@dataclass
class Download:
    """A file to be downloaded. What has arrived is kept in a `.part` file, so that a later download continues it."""

    url: str
    folder: Path
    file: str
    """Name of the file in the folder."""
    size: int
    """Bytes; approximate if not `exact`."""
    exact: bool
    sha256: str | None
    progress: TransferProgress
    proxy: str | None = None
    """URL; without it the usual environment variables apply."""
    answered: bool = False
    """Whether the server has ever answered."""
    resumed: bool = False
    """Whether the `.part` file comes from more than one answer."""

    def __post_init__(self) -> None:
        self.where = url_without_secrets(self.url)
        self.part = self.folder / f"{self.file}.part"
        self.note = self.folder / f"{self.file}.part.json"

    def fetch(self) -> Path:
        """The downloaded file, with a verified checksum if one is known. Raises ModelError, UsageError, OSError."""
        target = self.folder / self.file
        if self.sha256 and target.exists() and file_sha256(target) == self.sha256:
            return target
        self.folder.mkdir(parents=True, exist_ok=True)
        for _ in range(2):
            self._complete()
            if self.sha256 in {None, file_sha256(self.part)}:
                return self.part.replace(target)
            self._discard()
            if not self.resumed:
                break  # a resumed file may consist of two versions, so it is downloaded once more from the beginning
        text = N_(
            "{where} serves another file than {file} (its SHA-256 differs from the known one); nothing was unpacked."
        )
        raise self._failure(text)

    def _received(self) -> int:
        return self.part.stat().st_size if self.part.exists() else 0

    def _discard(self) -> None:
        self.part.unlink(missing_ok=True)
        self.note.unlink(missing_ok=True)

    def _complete(self) -> None:
        """Completes the `.part` file."""
        try:
            self._retry_until_complete()
        except ValueError as error:  # every error of requests and urllib3 about a URL is one
            socks = "SOCKS" in str(error) and sentence(" A SOCKS proxy needs the package PySocks.")
            which = sentence("{where} or the proxy", where=self.where) if self.proxy else self.where
            raise UsageError(
                "{which} is not a usable URL; write http://HOST:PORT.{socks}", which=which, socks=socks or ""
            ) from None
        except exceptions.RequestException as error:
            raise self._explained(error) from None
        self.note.unlink(missing_ok=True)

    def _retry_until_complete(self) -> None:
        retry, most = self._new_retry(), self._received()
        self.resumed = most > 0
        while not (self.exact and self._received() == self.size):
            answered = self.answered
            try:
                return self._attempt()
            except exceptions.RequestException as error:
                if not _is_temporary(error):
                    raise
                if self.answered != answered or self._received() >= most + PROGRESS_BYTES:
                    retry = self._new_retry()
                most = max(most, self._received())
                try:
                    retry = retry.increment(error=error)
                except MaxRetryError:
                    raise error from None
                retry.sleep()
        return None

    def _new_retry(self) -> Retry:
        return Retry(RETRIES if self.answered else FIRST_RETRIES, backoff_factor=BACKOFF / 2)

    def _attempt(self) -> None:
        with requests.Session() as session:
            session.max_redirects = MAX_REDIRECTS
            with session.get(
                self.url,
                headers=self._headers(),
                stream=True,
                timeout=TIMEOUTS,
                proxies={"http": self.proxy, "https": self.proxy} if self.proxy else {},
            ) as response:
                self.answered = True
                self._receive(response)

    def _headers(self) -> dict[str, str]:
        """Requests the missing bytes, if the received ones can be assumed to be of the same file."""
        headers = {"Accept-Encoding": "identity", "User-Agent": "counter-listener"}
        validator = None
        with suppress(OSError, ValueError, TypeError, KeyError):
            note = json.loads(self.note.read_text(encoding="utf-8"))
            validator = note["validator"] if note["url"] == self.where else None
        if self._received() and (validator or self.sha256):
            headers["Range"] = f"bytes={self._received()}-"
            if validator:
                headers["If-Range"] = validator
        return headers

    def _receive(self, response: requests.Response) -> None:
        if response.status_code == RANGE_NOT_SATISFIABLE:
            self._discard()
            raise exceptions.ChunkedEncodingError
        response.raise_for_status()
        self._check_source(response)
        done, total = self._extent(response)
        self.resumed = done > 0
        if not done:  # a validator proves later that the file is still the same (RFC 9110, section 13.1.5)
            tag = response.headers.get("ETag", "")
            validator = tag if tag.startswith('"') else response.headers.get("Last-Modified", "")
            self.note.write_text(json.dumps({"url": self.where, "validator": validator}), encoding="utf-8")
        with self.part.open("ab" if done else "wb") as part:
            self.progress(done, total)
            try:  # iter_content() of requests loses a part of a chunk if the connection breaks
                while chunk := response.raw.read1(CHUNK_BYTES):
                    part.write(chunk)
                    done += len(chunk)
                    self._limit(done)
                    self.progress(done, total)
            except HTTPError as error:  # the base class of urllib3
                raise exceptions.ChunkedEncodingError from error
        if done < (self.size if self.exact else total or 0):
            raise exceptions.ChunkedEncodingError

    def _check_source(self, response: requests.Response) -> None:
        """Raises ModelError if the answer cannot be the file."""
        why = None
        if "text/html" in response.headers.get("Content-Type", ""):
            why = N_("{where} returns a web page instead of a file; the network may require you to log in first.")
        elif not self.sha256 and self.url.startswith("https:") and not response.url.startswith("https:"):
            why = N_("{where} redirects to an address without encryption, and no checksum is known.")
        if why:
            raise self._failure(why)

    def _extent(self, response: requests.Response) -> tuple[int, int | None]:
        """Where in the file the body begins, and the length of the whole file, in bytes."""
        begin, length = 0, response.headers.get("Content-Length", "")
        if response.status_code == PARTIAL_CONTENT:
            begin = self._received()
            match = CONTENT_RANGE.fullmatch(response.headers.get("Content-Range", ""))
            if not match or int(match[1]) != begin:
                self._discard()
                raise exceptions.ChunkedEncodingError
            length = match[2]
        total = int(length) if length.isdecimal() else None
        if self.exact:  # only received bytes count: some servers send a wrong length
            return begin, total or self.size
        self._limit(total or 0)
        return begin, total

    def _limit(self, size: int) -> None:
        """Raises ModelError if a file is larger than it can be."""
        if size > (self.size if self.exact else self.size * MAX_SIZE_RATIO):
            self._discard()
            text = N_("{where} serves another file than {file}: it is larger than {size:,} bytes.")
            raise self._failure(text)

    def _explained(self, error: exceptions.RequestException) -> ModelError:
        """The error for a download that requests gave up."""
        reason = next((text for kind, text in REASONS.items() if isinstance(error, kind)), None)
        if isinstance(error, exceptions.HTTPError) and error.response is not None:
            text = N_("{where} cannot be downloaded: the server answers {status} {reason}.")
            return self._failure(text, status=error.response.status_code, reason=error.response.reason)
        if reason:
            text = reason
        elif self._received():
            text = N_(
                "The connection to {where} broke repeatedly; the {kept:,} bytes received are kept, and running this"
                " again continues from there."
            )
        elif self.answered:
            text = N_("{where} answers, but sends nothing usable.")
        elif self.proxy:  # a SOCKS proxy raises the same errors as any connection
            text = REASONS[exceptions.ProxyError]
        else:
            text = N_("{where} cannot be reached; there is no network here, or it blocks the connection.")
        return self._failure(text)

    def _failure(self, text: str, **values: object) -> ModelError:
        """The error for a failed download: why, and three ways to install the file without it."""
        values |= {"where": self.where, "file": self.file, "size": self.size, "kept": self._received()}
        by_hand = N_(
            "Without this download: fetch {file} on another machine and run `counter-listener models install {file}`"
            " here; or unpack it there, copy the folder here and install that; or put the file on a server that this"
            " machine can reach and add --mirror URL."
        )
        return ModelError("{why} {by_hand}", why=Sentence(text, values), by_hand=sentence(by_hand, file=self.file))


def _is_temporary(error: exceptions.RequestException) -> bool:
    """Whether another attempt may succeed."""
    if isinstance(error, exceptions.SSLError | exceptions.ProxyError):
        return False
    if isinstance(error, exceptions.HTTPError) and error.response is not None:
        return error.response.status_code in RETRY_STATUS
    return isinstance(error, exceptions.ConnectionError | exceptions.Timeout | exceptions.ChunkedEncodingError)
