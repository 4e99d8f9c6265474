"""What a file is that cannot be read as a recording, by its first bytes: the error names the right cause."""

import os
import re
from typing import Final

from counter_listener.audio.files import Readable
from counter_listener.domain import N_, Sentence, sentence

_READ: Final = 65_536
_SILK: Final = N_(
    "is a voice message of WeChat or QQ in SILK, which cannot be read here; turn it into WAV:"
    " pip install graiax-silkcoder, then python -m graiax.silkcoder decode -i MESSAGE MESSAGE.wav"
)
_ARCHIVE: Final = N_("is an archive; unpack it and give the recordings in it")
_WEB_PAGE: Final = N_("is a web page and no recording; download the recording again")
_ZEROS: Final = N_("begins with nothing but zeros, so it was never written or badly copied; copy it again")
_NO_INDEX: Final = N_(
    "has no index of its sound: the recorder was stopped before it closed the file, or the copy is not complete;"
    " copy it again, or have it repaired"
)
_UNKNOWN: Final = N_("is in no known sound format, or damaged beyond reading; see whether a player opens it")
_SIGNATURES: Final = (
    (re.compile(rb"\x02?#!SILK"), _SILK),
    (re.compile(rb"PK\x03\x04|Rar!\x1a\x07|7z\xbc\xaf\x27\x1c|\x1f\x8b\x08"), _ARCHIVE),
    (re.compile(rb"(?:\xef\xbb\xbf)?\s*(?:<\?xml[^>]*>\s*)?<(?:!doctype html|html)\b", re.IGNORECASE), _WEB_PAGE),
    (re.compile(rb"\0+\Z"), _ZEROS),
)


def why_unreadable(file: Readable) -> Sentence:
    """Why a file cannot be opened as a recording: a clause to put after its name."""
    file.seek(0)
    head = file.read(_READ)
    for pattern, why in _SIGNATURES:
        if pattern.match(head):
            return sentence(why)
    return sentence(_NO_INDEX if head[4:8] == b"ftyp" and not _has_box(file, b"moov") else _UNKNOWN)


def is_known_sound(head: bytes) -> bool:
    """Whether bytes begin a file of sound that cannot be read here."""
    return bool(_SIGNATURES[0][0].match(head))


def _has_box(file: Readable, name: bytes) -> bool:
    """Whether an MP4 file has a box of this name at the top."""
    at, size = 0, file.seek(0, os.SEEK_END)
    while at < size:
        file.seek(at)
        head = file.read(16)
        if head[4:8] == name:
            return True
        length = int.from_bytes(head[8:16] if head[:4] == b"\0\0\0\x01" else head[:4], "big")
        if length < len(b"sizename"):
            return False
        at += length
    return False
