"""Ogg: pages are numbered and state where their audio ends, which tells where pages are missing.

The demuxer gives the first packets behind missing pages the time of what is missing, and does not notice pages that are
missing at the start. So frames get their time stamps from the pages here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING, Final, NamedTuple

from counter_listener.audio.files import Section
from counter_listener.audio.losses import LEAST_LOSS, MISSING_PAGES
from counter_listener.domain import Gap

if TYPE_CHECKING:
    from av.audio.frame import AudioFrame

_HEAD: Final = 27
_LARGEST_PAGES: Final = 2 * 65_307
"""Bytes in which at least one page begins."""
_MOST_HEADER_PAGES: Final = 1_000
_NOWHERE: Final = -1
"""The end that a page states if no packet ends on it."""


class Page(NamedTuple):
    """The header of a page."""

    stream: int
    number: int
    end: int
    """Where its audio ends, in samples since the start of the stream."""
    unfinished: bool
    """Whether its last packet goes on on the next page."""
    size: int
    """Bytes."""


def read_page(file: Section, at: int) -> Page | None:
    """The header of the page at this place, or None if there is none."""
    file.seek(at)
    head = file.read(_HEAD)
    if len(head) < _HEAD or not head.startswith(b"OggS"):
        return None
    lengths = file.read(head[26])
    end = int.from_bytes(head[6:14], "little", signed=True)
    stream, number = int.from_bytes(head[14:18], "little"), int.from_bytes(head[18:22], "little")
    return Page(stream, number, end, lengths.endswith(b"\xff"), _HEAD + len(lengths) + sum(lengths))


@dataclass(slots=True)
class PageClock:
    """Gives the frames of a track their time stamps."""

    file: Section
    time_base: Fraction
    """Seconds, in which pages count."""
    unfinished: list[AudioFrame | Gap] = field(default_factory=list)
    """What the last packet of the last page gave, if the packet went on on the next page."""
    last: tuple[int, Page] | None = None
    """The last page with audio, and where it is."""

    def stamp(self, packets: Iterable[tuple[int | None, list[AudioFrame | Gap]]]) -> Iterator[AudioFrame | Gap]:
        """The frames of packets with their time stamps; what cannot be decoded is a gap.

        In: for each packet the place of the page on which it begins, and its frames.
        """
        at: int | None = None
        waiting: list[list[AudioFrame | Gap]] = []
        for place, frames in packets:
            if place is not None and place != at:
                if at is not None:
                    yield from self._page(at, waiting)
                    waiting = []
                at = place
            waiting.append(frames)
        if at is not None:
            yield from self._page(at, waiting)
        yield from self.unfinished
        yield from self._missing_at_end()

    def _page(self, at: int, packets: list[list[AudioFrame | Gap]]) -> Iterator[AudioFrame | Gap]:
        """The frames of the packets that begin on a page, and of the one that began on the page before."""
        page = read_page(self.file, at)
        if page is not None and page.end == 0:
            return  # the headers of a stream that is joined to another, which some decoders take for sound
        if page is None or page.end == _NOWHERE:
            self.unfinished += [item for frames in packets for item in frames]
            return
        rest = packets.pop() if page.unfinished and packets else []
        items = [*self.unfinished, *(item for frames in packets for item in frames)]
        self.unfinished = rest
        start = self._count_back(items, page.end)
        missing = float(self._missing(at, page, start) * self.time_base)
        if missing > LEAST_LOSS:
            yield Gap(0.0, missing, MISSING_PAGES)
        self.last = at, page
        yield from items

    def _missing(self, at: int, page: Page, start: int) -> int:
        """Samples missing before a page, on which the sound starts at the sample `start`, by the numbers of the pages.

        Sound that merely begins late was recorded from a broadcast; if pages are missing too, it was lost.
        """
        if self.last is None or self.last[1].stream != page.stream:
            header = self._last_header(at, page.stream)
            return start if header and page.number != header.number + 1 else 0
        last = self.last[1]
        return start - last.end if page.number != last.number + 1 else 0

    def _count_back(self, items: list[AudioFrame | Gap], end: int) -> int:
        """Stamps the frames of a page that ends at the sample `end`. Returns where they start."""
        for item in reversed(items):
            seconds = item.seconds if isinstance(item, Gap) else Fraction(item.samples, item.sample_rate or 1)
            end -= round(seconds / self.time_base)
            if not isinstance(item, Gap):
                item.pts, item.time_base = end, self.time_base
        return end

    def _missing_at_end(self) -> Iterator[Gap]:
        """A gap if the last page of the file belongs to the track and was not read: it is damaged, or one before it."""
        self.file.seek(max(0, self.file.size - _LARGEST_PAGES))
        tail = self.file.read()
        at = tail.rfind(b"OggS")
        page = read_page(self.file, self.file.size - len(tail) + at) if at >= 0 else None
        if page is None or self.last is None or page.stream != self.last[1].stream:
            return
        missing = float((page.end - self.last[1].end) * self.time_base)
        if missing > LEAST_LOSS:
            yield Gap(0.0, missing, MISSING_PAGES)

    def _last_header(self, first: int, stream: int) -> Page | None:
        """The last header page of a stream whose first page of audio is at `first`."""
        at, header = (self.last[0] if self.last else 0), None
        for _ in range(_MOST_HEADER_PAGES):
            page = read_page(self.file, at)
            if page is None or at >= first:
                break
            if page.stream == stream and page.end <= 0:
                header = page
            at += page.size
        return header
