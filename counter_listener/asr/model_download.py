"""Fetches an archive: with models_line the only module that reaches the network, and only `models install` comes here.

pooch checks the SHA-256 and moves a file into place whole, but begins again each time; no library that we found
resumes, retries and verifies. So its downloader is ours, over requests: it asks for the range that is missing.
"""

from __future__ import annotations

import logging
from pathlib import Path

import pooch
from requests import exceptions

from counter_listener.asr.transfer import PATIENCE, Line, Patience, TransferProgress, Wanted, by_hand, plain
from counter_listener.domain import N_, ModelError, Sentence, UsageError, sentence


def fetch(
    wanted: Wanted, folder: Path, moved: TransferProgress, proxy: str | None = None, patience: Patience = PATIENCE
) -> Path:
    """The archive, in `folder`, its checksum right. What a broken line leaves there is gone on from next time.

    `proxy` is a URL; without it the usual environment variables hold. Raises ModelError, UsageError, OSError.
    """
    pooch.get_logger().setLevel(logging.WARNING)
    if not wanted.sha256:  # pooch takes a file that is there already for the right one
        (folder / wanted.file).unlink(missing_ok=True)
    for _ in range(2):
        line = Line(wanted, folder, moved, proxy, patience)
        try:
            return _retrieved(line)
        except ValueError:  # of pooch: the checksum differs
            if not line.resumed:
                break  # what was resumed may be of two files, and is worth another try from the beginning
    raise ModelError(
        "{url} serves another file than {file} (its SHA-256 differs from the known one); nothing "
        "of it was unpacked. {by_hand}",
        url=plain(wanted.url),
        file=wanted.file,
        by_hand=by_hand(wanted),
    )


def _retrieved(line: Line) -> Path:
    wanted, where = line.wanted, plain(line.wanted.url)
    known = f"sha256:{wanted.sha256}" if wanted.sha256 else None
    try:
        return Path(pooch.retrieve(wanted.url, known, fname=wanted.file, path=line.folder, downloader=line))
    except (exceptions.InvalidURL, exceptions.InvalidSchema, exceptions.MissingSchema) as error:
        socks = "SOCKS" in str(error) and sentence(" A SOCKS proxy needs the package PySocks beside this program.")
        which = sentence("{where} or the proxy", where=where) if line.proxies else where
        raise UsageError(
            "{which} is no URL that can be used; write http://HOST:PORT.{socks}", which=which, socks=socks or ""
        ) from None
    except exceptions.RequestException as error:
        raise ModelError("{why} {by_hand}", why=_why(error, line), by_hand=by_hand(wanted)) from None


def _why(error: exceptions.RequestException, line: Line) -> Sentence:
    """What went wrong, as a sentence."""
    where = plain(line.wanted.url)
    by_proxy = N_("The proxy cannot be reached, or does not serve {where}.")
    told = {
        exceptions.ProxyError: by_proxy,
        exceptions.SSLError: N_(
            "The certificate of {where} is not trusted here; where your network signs with its own,"
            " name that certificate's file in REQUESTS_CA_BUNDLE."
        ),
        exceptions.TooManyRedirects: N_("{where} leads from one address to the next without end."),
    }
    for kind, text in told.items():
        if isinstance(error, kind):
            return sentence(text, where=where)
    if isinstance(error, exceptions.HTTPError) and error.response is not None:
        return sentence(
            "{where} cannot be had: the server says {status} {reason}.",
            where=where,
            status=error.response.status_code,
            reason=error.response.reason,
        )
    if line.kept():
        return sentence(
            "The line to {where} broke again and again; the {kept:,} bytes that came are kept, and running this"
            " again goes on from there.",
            where=where,
            kept=line.kept(),
        )
    if line.reached:
        return sentence("{where} answers, but sends nothing that can be used.", where=where)
    if line.proxies:  # what fails at a SOCKS proxy is told as any line that fails
        return sentence(by_proxy, where=where)
    return sentence(
        "{where} cannot be reached; there is no network here, or it does not let this through.", where=where
    )
