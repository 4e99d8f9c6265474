"""The bytes of a recording: a file that is read in sections, each like a file of its own."""

from __future__ import annotations

import stat
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from io import SEEK_CUR, SEEK_END, FileIO
from itertools import accumulate
from pathlib import Path
from typing import Protocol

from counter_listener.domain import AudioError, system_reason


class Readable(Protocol):
    """What a header is read from."""

    def read(self, size: int = ..., /) -> bytes: ...
    def seek(self, target: int, whence: int = ..., /) -> int: ...


class RecordingFile:
    """An open file. A read error is stored, and the file then looks as if it ended: PyAV prints errors raised below."""

    def __init__(self, path: Path) -> None:
        self.raw = FileIO(path)
        self.size = self.raw.seek(0, SEEK_END)
        self.fault: OSError | None = None

    def close(self) -> None:
        """Closes the file."""
        self.raw.close()

    def read_at(self, start: int, size: int) -> bytes:
        """Up to `size` bytes from `start` on; fewer at the end of the file and where it cannot be read."""
        content = b""
        try:
            self.raw.seek(start)
            while len(content) < size and (more := self.raw.read(size - len(content))):
                content += more
        except OSError as error:
            self.fault = error
        return content


class Section:
    """Stretches of a file, and `head` before them, as a file of its own."""

    def __init__(self, file: RecordingFile, stretches: Sequence[tuple[int, int]], head: bytes = b"") -> None:
        self.file, self.head = file, head
        self.starts = [start for start, _ in stretches]
        ends = accumulate((max(0, end - start) for start, end in stretches), initial=len(head))
        self.edges = list(ends)
        """Where each stretch begins in the section, and where the last one ends."""
        self.size = self.edges[-1]
        self.position = 0

    def read(self, size: int = -1, /) -> bytes:
        """The next bytes: at most `size`, or all to the end if it is negative."""
        end = self.size if size < 0 else min(self.size, self.position + size)
        content = self.head[self.position : end]
        self.position += len(content)
        while self.position < end:
            number = bisect_right(self.edges, self.position) - 1
            count = min(end, self.edges[number + 1]) - self.position
            more = self.file.read_at(self.starts[number] + self.position - self.edges[number], count)
            content += more
            self.position += len(more)
            if len(more) < count:
                break
        return content

    def seek(self, target: int, whence: int = 0, /) -> int:
        """Moves to a place, which may be behind the end. Returns it, or -1 if it is before the start."""
        target += {SEEK_CUR: self.position, SEEK_END: self.size}.get(whence, 0)
        if target < 0:
            return -1
        self.position = target
        return target

    def tell(self) -> int:
        """The place that is read next."""
        return self.position


@contextmanager
def open_file(path: Path) -> Iterator[RecordingFile]:
    """Opens a file that is not empty. Raises AudioError."""
    try:
        facts = path.stat()
        file = RecordingFile(path) if stat.S_ISREG(facts.st_mode) and facts.st_size else None
    except FileNotFoundError:
        raise AudioError("{path} does not exist; check the name", path=path) from None
    except (OSError, ValueError) as error:
        raise unreadable(path, error) from error
    if file is None:
        raise _no_file(path, facts.st_mode)
    with closing(file):
        yield file


def _no_file(path: Path, mode: int) -> AudioError:
    if stat.S_ISDIR(mode):
        return AudioError("{path} is a folder; give a recording", path=path)
    if not stat.S_ISREG(mode):
        return AudioError("{path} is not a file; give a recording", path=path)
    return AudioError("{path} is empty: was the recorder stopped before it wrote anything?", path=path)


def unreadable(path: Path, error: OSError | ValueError) -> AudioError:
    """The error for a file that the system does not let us read."""
    return AudioError(
        "{path} cannot be read ({why}); check its rights and the disk it is on", path=path, why=system_reason(error)
    )
