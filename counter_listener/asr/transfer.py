"""One download over HTTP that goes on where the line broke, now or at another time."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import requests
from requests import exceptions
from urllib3.exceptions import HTTPError, MaxRetryError
from urllib3.util import Retry

from counter_listener.domain import ModelError, Sentence, sentence

CHUNK: Final = 1 << 18
WHOLE, PARTIAL, NO_SUCH_RANGE = 200, 206, 416
BUSY: Final = frozenset({408, 425, 429, 500, 502, 503, 504})
"""Answers of a server that may soon answer otherwise (RFC 9110, section 15; RFC 6585, section 4)."""
RANGE: Final = re.compile(r"bytes (\d+)-\d+/(\d+|\*)")
"""Content-Range (RFC 9110, section 14.4)."""
REDIRECTS: Final = 5
AT_MOST: Final = 2
"""Times its rough size that a file of unknown size may have: no server may fill the disk."""

TransferProgress = Callable[[int, int | None], None]
"""Told how many bytes are done, and of how many if that is known."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be fetched."""

    url: str
    file: str
    """Name under which it is kept."""
    size: int
    """Bytes; roughly, where not `exact`."""
    exact: bool
    sha256: str | None


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a slow or broken line is borne."""

    connect: float = 15.0
    """Seconds for a connection."""
    read: float = 60.0
    """Seconds without a byte."""
    knocks: int = 1
    """Retries while the server has never answered: with no network, more would only keep the user waiting."""
    retries: int = 5
    """Retries in a row that brought next to nothing."""
    backoff: float = 1.0
    """Seconds before the second retry in a row; each further one waits twice as long."""
    enough: int = 1 << 20
    """Bytes that make an attempt worth its while: the retries are counted from the beginning again."""


PATIENCE: Final = Patience()


def by_hand(wanted: Wanted) -> Sentence:
    """The three ways to bring the file by hand, as one sentence."""
    return sentence(
        "By hand: fetch {file} on another machine and `counter-listener models install {file}` here; or unpack it"
        " there, carry the folder here and install that; or lay the file on a server within reach of this machine and"
        " add --mirror URL.",
        file=wanted.file,
    )


def plain(url: str) -> str:
    """A URL without the name and password that may be in it."""
    with suppress(ValueError):
        parts = urlsplit(url)
        return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="").geturl()
    return "the URL"


class _BrokenLineError(exceptions.RequestException):
    "What came is not what was asked for or promised; another attempt may bring it."


class Line:
    """One download, which pooch calls with a URL and a file to fill."""

    def __init__(
        self, wanted: Wanted, folder: Path, moved: TransferProgress, proxy: str | None, patience: Patience
    ) -> None:
        self.wanted, self.folder, self.moved, self.patience = wanted, folder, moved, patience
        self.part = folder / f"{wanted.file}.part"
        self.note = folder / f"{wanted.file}.part.json"
        self.proxies = {"http": proxy, "https": proxy} if proxy else {}
        self.reached = False
        """Whether the server has answered at all."""
        self.resumed = False
        """Whether what is there came in more than one piece."""

    def __call__(self, url: str, output_file: str, _pooch: object) -> None:
        """Fills `output_file`, as often as patience lasts."""
        retry, most = self._retries(), self.kept()
        self.resumed = most > 0
        while not (self.wanted.exact and self.kept() == self.wanted.size):
            reached = self.reached
            try:
                self._attempt(url)
                break
            except exceptions.RequestException as error:
                if not _passing(error):
                    raise
                if self.reached != reached or self.kept() >= most + self.patience.enough:
                    retry = self._retries()
                most = max(most, self.kept())
                try:
                    retry = retry.increment(error=error)
                except MaxRetryError:
                    raise error from None
                retry.sleep()
        self.note.unlink(missing_ok=True)
        self.part.replace(output_file)

    def kept(self) -> int:
        """How many bytes are there."""
        return self.part.stat().st_size if self.part.exists() else 0

    def _retries(self) -> Retry:
        patience = self.patience
        return Retry(patience.retries if self.reached else patience.knocks, backoff_factor=patience.backoff / 2)

    def _attempt(self, url: str) -> None:
        timeout = (self.patience.connect, self.patience.read)
        with requests.Session() as session:
            session.max_redirects = REDIRECTS
            try:
                answer = session.get(url, headers=self._headers(), stream=True, timeout=timeout, proxies=self.proxies)
            except exceptions.RequestException:
                raise
            except ValueError as error:  # of urllib3, for a host that no name server takes
                raise exceptions.InvalidURL from error
            with answer:
                self.reached = True
                self._take(answer)

    def _headers(self) -> dict[str, str]:
        """Asks for what is missing, where what is there can be held to be of the same file."""
        headers = {"Accept-Encoding": "identity", "User-Agent": "counter-listener"}
        note = self._noted()
        validator = note.get("validator") if note.get("url") == plain(self.wanted.url) else None
        if self.kept() and (validator or self.wanted.sha256):
            headers["Range"] = f"bytes={self.kept()}-"
            if validator:
                headers["If-Range"] = validator
        return headers

    def _noted(self) -> dict[str, str]:
        with suppress(OSError, ValueError):
            note = json.loads(self.note.read_text(encoding="utf-8"))
            return note if isinstance(note, dict) else {}
        return {}

    def _take(self, answer: requests.Response) -> None:
        if answer.status_code == NO_SUCH_RANGE:
            self._forget()
            raise _BrokenLineError
        answer.raise_for_status()
        self._refuse(answer)
        begin, total = self._place(answer)
        self.resumed = begin > 0
        if not begin:
            self._note_down(answer)
        with self.part.open("ab" if begin else "wb") as part:
            self.moved(begin, total)
            for chunk in _chunks(answer):
                part.write(chunk)
                begin += len(chunk)
                self._bound(begin)
                self.moved(begin, total)
        if begin < (self.wanted.size if self.wanted.exact else total or 0):
            raise _BrokenLineError

    def _refuse(self, answer: requests.Response) -> None:
        """Turns down what cannot be the file."""
        where, wanted = plain(self.wanted.url), self.wanted
        if "text/html" in answer.headers.get("Content-Type", ""):
            raise ModelError(
                "{where} gives a web page, not a file; the network may want you to log in first. {by_hand}",
                where=where,
                by_hand=by_hand(wanted),
            )
        if not wanted.sha256 and wanted.url.startswith("https:") and not answer.url.startswith("https:"):
            raise ModelError(
                "{where} leads to an address without encryption, and no checksum is known. {by_hand}",
                where=where,
                by_hand=by_hand(wanted),
            )

    def _place(self, answer: requests.Response) -> tuple[int, int | None]:
        """Where the body belongs, and how long the whole file is, both in bytes."""
        if answer.status_code == PARTIAL:
            found = RANGE.fullmatch(answer.headers.get("Content-Range", ""))
            if not found or int(found[1]) != self.kept():
                self._forget()
                raise _BrokenLineError
            total = None if found[2] == "*" else int(found[2])
            begin = self.kept()
        else:
            length = answer.headers.get("Content-Length", "")
            begin, total = 0, int(length) if length.isdecimal() else None
        if not self.wanted.exact:  # else only what really comes counts: some servers lie about the length
            self._bound(total or 0)
        return begin, total or (self.wanted.size if self.wanted.exact else None)

    def _bound(self, size: int) -> None:
        """Raises ModelError where a file is larger than it can rightly be."""
        wanted = self.wanted
        if size > (wanted.size if wanted.exact else wanted.size * AT_MOST):
            self._forget()
            raise ModelError(
                "{url} serves another file than {file}: it is larger than {size:,} bytes. {by_hand}",
                url=plain(wanted.url),
                file=wanted.file,
                size=wanted.size,
                by_hand=by_hand(wanted),
            )

    def _note_down(self, answer: requests.Response) -> None:
        """By what a server may tell later that the file is still the same (RFC 9110, section 13.1.5)."""
        tag = answer.headers.get("ETag", "")
        validator = tag if tag.startswith('"') else answer.headers.get("Last-Modified", "")
        self.note.write_text(json.dumps({"url": plain(self.wanted.url), "validator": validator}), encoding="utf-8")

    def _forget(self) -> None:
        self.part.unlink(missing_ok=True)
        self.note.unlink(missing_ok=True)


def _chunks(answer: requests.Response) -> Iterator[bytes]:
    """The body as it comes; requests' own iter_content loses what it had of a chunk when the line breaks."""
    try:
        while chunk := answer.raw.read1(CHUNK):
            yield chunk
    except HTTPError as error:  # urllib3's base class
        raise _BrokenLineError from error


def _passing(error: exceptions.RequestException) -> bool:
    """Whether another attempt may go better."""
    if isinstance(error, exceptions.SSLError | exceptions.ProxyError):
        return False
    if isinstance(error, exceptions.HTTPError) and error.response is not None:
        return error.response.status_code in BUSY
    broken = (exceptions.ConnectionError, exceptions.Timeout, exceptions.ChunkedEncodingError, _BrokenLineError)
    return isinstance(error, broken)
