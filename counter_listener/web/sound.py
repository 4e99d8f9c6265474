"""The sound of a visit: the recording that the record names, if it is still there and still the same."""

from __future__ import annotations

import hashlib
import tempfile
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Final

from counter_listener.asr import is_transcript
from counter_listener.domain import Sentence, readable, sentence
from counter_listener.record import LIVE

MOST_KEPT: Final = 24
"""Recordings whose Opus and waveform are kept until others need the room."""
PEAKS_PER_SECOND: Final = 20

Stamp = tuple[int, int]
"""Size and time of the last change: what tells that a file has to be read again."""


@dataclass(frozen=True, slots=True)
class Playable:
    """A file that a browser can play."""

    path: Path
    media_type: str


class Sounds:
    """What was read of recordings: in memory, or in a folder for its owner alone. It goes with the server."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._making = Lock()
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._digests: dict[tuple[Path, Stamp], str] = {}
        self._made: OrderedDict[str, Playable] = OrderedDict()
        self._peaks: OrderedDict[str, list[int]] = OrderedDict()

    def close(self) -> None:
        """Removes what was made."""
        if self._folder is not None:
            self._folder.cleanup()

    def why_silent(self, source: str, path: str | None) -> Sentence | None:
        """Why there is no sound of a visit; None if there is."""
        if source == LIVE:
            return sentence("It was heard live, and no sound is kept.")
        if path is None:
            return sentence("The record does not name its recording.")
        file = Path(path)
        if is_transcript(file):
            return sentence("It was read from a transcript, which has no sound.")
        try:
            if self._digest(file) != source:
                return sentence("The file {path} has changed since it was checked, so it is not played.", path=path)
        except OSError:
            return sentence(
                "The recording is no longer where it was checked ({path}), or may not be read.", path=readable(path)
            )
        return None

    def playable(self, source: str, path: Path) -> Playable:
        """The recording as browsers play it. Raises AudioError. To be asked only if why_silent() is None."""
        from counter_listener.audio import OPUS_TYPE, browser_type, write_opus

        if (known := self._made.get(source)) is not None:
            return known
        with self._making:  # one at a time, for it takes a core
            if (known := self._made.get(source)) is not None:
                return known
            media_type = browser_type(path)
            made = Playable(path, media_type) if media_type else Playable(self._room() / f"{source}.ogg", OPUS_TYPE)
            if media_type is None:
                write_opus(path, made.path)
            self._keep(source, made)
            return made

    def peaks(self, source: str, path: Path) -> list[int]:
        """The waveform: PEAKS_PER_SECOND values a second, 0-100. Raises AudioError."""
        from counter_listener.audio import waveform

        if (known := self._peaks.get(source)) is None:
            with self._making:
                if (known := self._peaks.get(source)) is None:
                    known = waveform(path, PEAKS_PER_SECOND).values
            with self._lock:
                self._peaks[source] = known
                while len(self._peaks) > MOST_KEPT:
                    self._peaks.popitem(last=False)
        return known

    def _keep(self, source: str, made: Playable) -> None:
        with self._lock:
            self._made[source] = made
            while len(self._made) > MOST_KEPT:
                _, old = self._made.popitem(last=False)
                if old.path.parent == self._room():
                    old.path.unlink(missing_ok=True)

    def _room(self) -> Path:
        if self._folder is None:
            self._folder = tempfile.TemporaryDirectory(prefix="counter-listener-sound-")
        return Path(self._folder.name)

    def _digest(self, path: Path) -> str:
        """SHA-256 of a file, read again only if it has changed. Raises OSError."""
        try:
            facts = path.stat()
        except ValueError as error:  # a NUL in the name
            raise OSError from error
        key = (path, (facts.st_size, facts.st_mtime_ns))
        if (known := self._digests.get(key)) is None:
            with path.open("rb") as file:
                known = hashlib.file_digest(file, "sha256").hexdigest()
            with self._lock:
                self._digests[key] = known
        return known
