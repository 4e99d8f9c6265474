"""WAV files: where their audio is, and how it compares with what their headers declare."""

import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Final, Literal, NamedTuple

from counter_listener.audio.files import Readable
from counter_listener.audio.headers import unused_bytes
from counter_listener.domain import sentence

_Order = Literal["little", "big"]
_PIPED: Final = 0xFFFFFFFF
"""Bytes of audio declared by a recorder that wrote to a pipe and could not know."""
_PLACEHOLDERS: Final = (range(0x7FFFF000, 0x80000100), range(0xFFFFF000, _PIPED))
"""Bytes of audio that recorders declare when they start, and correct when they stop."""
_MAX_CHUNKS: Final = 100_000
_CHUNK_HEAD: Final = 8
"""Bytes of a chunk before its body."""
_FORMAT: Final = 65_535
"""Bytes that the description of a format may have."""
_EXTENSIBLE: Final = 0xFFFE
_PLAIN: Final = (1, 3, 6, 7)
"""Format tags of PCM, float, A-law and mu-law."""
_IN_BLOCKS: Final = (0x02, 0x11, 0x31)
"""Format tags of Microsoft's and IMA's ADPCM and of GSM 6.10, which state how many samples a block holds."""


class _Chunk(NamedTuple):
    name: bytes
    start: int
    size: int


@dataclass(frozen=True, slots=True)
class WavAudio:
    """How much audio the data chunks of a WAV file declare and hold, those in a row that have one format."""

    bytes_per_second: float
    """0 where the header does not say."""
    held: int
    """Bytes of audio in the file that the header counts, or all to the end where it counts none."""
    missing: int = 0
    """Bytes of audio that the header declares and the file does not hold."""
    unread: int = 0
    """Bytes after the audio that belong to no chunk: audio that the header does not count."""
    closed: bool = True
    """False if the recorder never wrote how much audio there is."""
    stretches: tuple[tuple[int, int], ...] = ()
    """Where the audio begins and ends, in each data chunk."""
    form: bytes = b""
    """The format, as in the header."""
    order: _Order = "little"

    @property
    def header(self) -> bytes:
        """The header of a WAV file that holds this audio and nothing else."""
        form = self.form + bytes(len(self.form) % 2)
        head = b"WAVEfmt " + self._size(len(form)) + form + b"data" + self._size(self.held)
        return (b"RIFX" if self.order == "big" else b"RIFF") + self._size(len(head) + self.held) + head

    def _size(self, size: int) -> bytes:
        return min(size, _PIPED).to_bytes(4, self.order)

    def seconds(self, size: int) -> float:
        """Length of `size` bytes of this audio; 0 where the header does not say."""
        return size / self.bytes_per_second if self.bytes_per_second else 0.0


def wav_audio(file: Readable) -> list[WavAudio] | None:
    """The audio of all data chunks, in order, a new one for every change of format; None if the file is not WAV.

    Raises ValueError, with a clause to put after the file's name, if the header is cut short or damaged.
    """
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    head = file.read(12)
    if head[:4] not in (b"RIFF", b"RIFX", b"RF64", b"BW64") or not b"WAVE".startswith(head[8:12]):
        return None
    order: _Order = "big" if head[:4] == b"RIFX" else "little"
    form = b""
    long_size: int | None = None
    found: list[WavAudio] = []
    for chunk in _chunks(file, 12, size, order):
        if chunk.name == b"fmt ":
            form = _body(file, chunk, _FORMAT)
        elif chunk.name == b"ds64":
            sizes = _body(file, chunk, 16)
            long_size = int.from_bytes(sizes[8:], "little") if sizes[8:] else None
        elif chunk.name == b"data":
            declared = long_size if long_size is not None and chunk.size == _PIPED else chunk.size
            audio = _compare_sizes(file, chunk._replace(size=declared), size, order, _bytes_per_second(form, order))
            found.append(replace(audio, form=form, order=order))
            if audio.held >= size - chunk.start:
                break
    if not found:
        raise ValueError(sentence("has a header that is cut short or damaged, so nobody can tell where its audio is"))
    held = [audio for audio in found if audio.held] or found[-1:]
    end = held[-1].stretches[-1][1]
    unread = min(_bytes_in_no_chunk(file, start, size, order) for start in (end, end + held[-1].held % 2))
    held[-1] = replace(held[-1], unread=unread)
    return [_joined(list(alike)) for _, alike in groupby(held, key=lambda audio: audio.form)]


def _joined(audios: list[WavAudio]) -> WavAudio:
    """The audio of several data chunks; only the last one has anything behind it that is in no chunk."""
    stretches = tuple(stretch for audio in audios for stretch in audio.stretches)
    return replace(audios[-1], held=sum(audio.held for audio in audios), stretches=stretches)


def _chunks(file: Readable, start: int, size: int, order: _Order) -> Iterator[_Chunk]:
    """The chunks from `start` on, those in a list of audio (`wavl`) included."""
    for _ in range(_MAX_CHUNKS):
        file.seek(start)
        head = file.read(_CHUNK_HEAD + 4)
        if len(head) < _CHUNK_HEAD:
            return
        chunk = _Chunk(head[:4], start + _CHUNK_HEAD, int.from_bytes(head[4:8], order))
        yield chunk
        start = chunk.start + 4 if head[:4] == b"LIST" and head[8:] == b"wavl" else _end(file, chunk, size, order)
        if start > size:
            return


def _end(file: Readable, chunk: _Chunk, size: int, order: _Order) -> int:
    """Where the next chunk begins: at an even place, but some writers do not keep to that."""
    end = chunk.start + chunk.size
    if chunk.size % 2 == 0 or end >= size:
        return end
    file.seek(end)
    unpadded = file.read(_CHUNK_HEAD)
    follows = unpadded[:4] in (b"data", b"LIST", b"fmt ") and end + int.from_bytes(unpadded[4:], order) < size
    return end if follows else end + 1


def _body(file: Readable, chunk: _Chunk, limit: int) -> bytes:
    file.seek(chunk.start)
    return file.read(min(chunk.size, limit))


def _bytes_per_second(form: bytes, order: _Order) -> float:
    fields = ((0, 2), (4, 8), (8, 12), (12, 14), (18, 20))
    tag, rate, average, align, block = (int.from_bytes(form[start:end], order) for start, end in fields)
    if tag in _IN_BLOCKS and block:
        return rate * align / block
    if tag == _EXTENSIBLE:
        tag = int.from_bytes(form[24:26], order)
    return rate * align if tag in _PLAIN else average  # many writers declare a wrong average for plain formats


def _compare_sizes(file: Readable, data: _Chunk, size: int, order: _Order, rate: float) -> WavAudio:
    """The audio of a data chunk, given the size of the file and the bytes a second."""
    rest = size - data.start

    def audio(held: int, *, missing: int = 0, closed: bool = True) -> WavAudio:
        return WavAudio(rate, held, missing, 0, closed, ((data.start, data.start + held),))

    if data.size == 0:
        is_empty = rest == 0 or _begins_chunk(file, data.start, size, order)
        return audio(0 if is_empty else rest, closed=is_empty)
    if data.size <= rest:
        return audio(data.size)
    if data.size == _PIPED:
        return audio(rest)
    if any(data.size in sizes for sizes in _PLACEHOLDERS):
        return audio(rest, closed=False)
    return audio(rest, missing=data.size - rest)


def _begins_chunk(file: Readable, start: int, size: int, order: _Order) -> bool:
    """Whether a chunk that the file holds begins here."""
    chunk = next(_chunks(file, start, size, order), None)
    return chunk is not None and _is_whole(chunk, size)


def _is_whole(chunk: _Chunk, size: int) -> bool:
    return chunk.name.isascii() and chunk.name.decode("ascii").isprintable() and chunk.start + chunk.size <= size


def _bytes_in_no_chunk(file: Readable, start: int, size: int, order: _Order) -> int:
    """Bytes from the first that belongs to no chunk to the last that is not zero."""
    for chunk in _chunks(file, start, size, order):
        if not _is_whole(chunk, size):
            break
        start = chunk.start + chunk.size + chunk.size % 2
    return unused_bytes(file, start)
