"""Pages of Ogg that are missing, anywhere, are told with place and length."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from pathlib import Path

import pytest
from support.recordings import encode, heard, noise, ogg_page_of, ogg_pages, put, remux, seconds, speex

from counter_listener.audio.losses import MISSING_PAGES, UNCLOSED

HEADERS = 2
KINDS = ["opus", "ogg", "oga", "spx"]
LENGTH = 12.0
"""Seconds of every recording, in pages of about a second."""


@pytest.fixture(scope="module")
def recordings(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[bytes]]:
    """The pages of a recording in each codec."""
    folder = tmp_path_factory.mktemp("ogg")
    opus = encode(folder / "a.opus", "libopus", noise(LENGTH, 48_000), rate=48_000)
    vorbis = encode(folder / "a.ogg", "vorbis", noise(2 * LENGTH, 48_000), rate=48_000, layout="stereo")
    flac = encode(folder / "a.oga", "flac", noise(LENGTH))
    made = {path.suffix[1:]: ogg_pages(path.read_bytes()) for path in (opus, vorbis, flac)}
    return {**made, "spx": ogg_pages(speex(round(LENGTH * 50)))}


def without(pages: Sequence[bytes], missing: Iterable[int]) -> bytes:
    """The file without some pages, which are counted from the first one with audio."""
    gone = {HEADERS + number for number in missing}
    return b"".join(page for number, page in enumerate(pages) if number not in gone)


def ends(pages: Sequence[bytes], kind: str) -> list[float]:
    """Where the audio of each page ends, in seconds."""
    rate = {"opus": 48_000, "ogg": 48_000, "oga": 16_000, "spx": 8_000}[kind]
    return [0.0, *(int.from_bytes(page[6:14], "little") / rate for page in pages[HEADERS:])]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("missing", [range(1), range(3), range(3, 4), range(5, 8)], ids=str)
def test_missing_pages_are_a_gap_where_they_are(
    tmp_path: Path, recordings: dict[str, list[bytes]], kind: str, missing: range
) -> None:
    pages = recordings[kind]
    sound, (gap,) = heard(put(tmp_path, without(pages, missing), f"a.{kind}"))
    edges = ends(pages, kind)
    assert gap.reason == MISSING_PAGES
    assert gap.start == pytest.approx(edges[missing.start], abs=0.1)
    assert gap.seconds == pytest.approx(edges[missing.stop] - edges[missing.start], abs=0.1)
    assert seconds(sound) + gap.seconds == pytest.approx(LENGTH, abs=0.1)


@pytest.mark.parametrize("kind", KINDS)
def test_several_rows_of_pages_and_the_end(tmp_path: Path, recordings: dict[str, list[bytes]], kind: str) -> None:
    last = len(recordings[kind]) - HEADERS - 1
    _, gaps = heard(put(tmp_path, without(recordings[kind], [0, 1, 4, 5, last]), f"a.{kind}"))
    assert [gap.reason for gap in gaps] == [MISSING_PAGES, MISSING_PAGES, UNCLOSED]
    assert gaps[0].start == 0.0
    assert gaps[1].start == pytest.approx(ends(recordings[kind], kind)[4], abs=0.1)


@pytest.mark.parametrize("kind", KINDS)
def test_whole_recordings_lose_nothing(tmp_path: Path, recordings: dict[str, list[bytes]], kind: str) -> None:
    content = b"".join(recordings[kind])
    sound, gaps = heard(put(tmp_path, content, f"a.{kind}"))
    assert seconds(sound) == pytest.approx(LENGTH, abs=0.05)
    assert not gaps
    joined, gaps = heard(put(tmp_path, content + content, f"b.{kind}"))
    assert seconds(joined) == pytest.approx(2 * LENGTH, abs=0.1)
    assert not gaps


def test_a_page_that_was_damaged_is_missing(tmp_path: Path, recordings: dict[str, list[bytes]]) -> None:
    pages = list(recordings["opus"])
    for number in (HEADERS, HEADERS + 4):
        pages[number] = pages[number][:-1] + bytes([pages[number][-1] ^ 1])
    _, gaps = heard(put(tmp_path, b"".join(pages), "a.opus"))
    assert [gap.start for gap in gaps] == pytest.approx([0.0, 4.0], abs=0.1)
    assert [gap.seconds for gap in gaps] == pytest.approx([1.0, 1.0], abs=0.1)


def test_a_broadcast_that_was_joined_late_lost_nothing(tmp_path: Path, recordings: dict[str, list[bytes]]) -> None:
    """Its pages are numbered from its own start, but state the time of the broadcast."""
    source = put(tmp_path, b"".join(recordings["opus"]), "a.opus")
    assert heard(remux(source, tmp_path / "b.opus", lambda _: 3_600.0))[1] == []


def repaged(pages: Sequence[bytes], most: int) -> list[bytes]:
    """The same packets of Opus, 20 ms each, in pages of at most so many segments; some go on on the next page."""
    lengths = b"".join(page[27 : 27 + page[26]] for page in pages[HEADERS:])
    body = b"".join(page[27 + page[26] :] for page in pages[HEADERS:])
    made, at, packets, goes_on = list(pages[:HEADERS]), 0, 0, False
    (stream,) = struct.unpack("<I", pages[0][14:18])
    for start in range(0, len(lengths), most):
        some = lengths[start : start + most]
        size, ended = sum(some), sum(length < 255 for length in some)
        packets += ended
        flags = goes_on + 4 * (start + most >= len(lengths))
        page = ogg_page_of(len(made), packets * 960 if ended else -1, some, body[at : at + size], flags, stream)
        made.append(page)
        at, goes_on = at + size, some[-1] == 255
    return made


@pytest.mark.parametrize("most", [1, 20, 100])
def test_packets_that_go_on_on_the_next_page(tmp_path: Path, recordings: dict[str, list[bytes]], most: int) -> None:
    pages = repaged(recordings["opus"], most)
    sound, gaps = heard(put(tmp_path, b"".join(pages), "a.opus"))
    assert seconds(sound) == pytest.approx(LENGTH, abs=0.05)
    assert not gaps
    lost = range(len(pages) // 2, len(pages) // 2 + len(pages) // 6)
    sound, (gap,) = heard(put(tmp_path, without(pages, lost), "b.opus"))
    assert gap.reason == MISSING_PAGES
    assert gap.seconds == pytest.approx(LENGTH - seconds(sound), abs=0.1)
    before = [end for end in ends(pages, "opus")[: lost.start + 1] if end < LENGTH + 1]  # not the pages without an end
    assert gap.start == pytest.approx(max(before), abs=0.1)
