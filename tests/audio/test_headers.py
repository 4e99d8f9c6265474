"""What headers declare: wrong sizes, odd ends and noise."""

from __future__ import annotations

import io
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from counter_listener.audio.headers import asf_seconds, flac_start, is_closed_ogg, mp3_seconds
from counter_listener.audio.wav import WavAudio, wav_audio


def wav(data: bytes, declared: int, after: bytes = b"", *, big: bool = False) -> io.BytesIO:
    """A WAV file at 16 000 Hz, 16 bits, little- or big-endian."""
    order = ">" if big else "<"
    fmt = struct.pack(order + "4sIHHIIHH", b"fmt ", 16, 1, 1, 16_000, 1, 2, 16)
    head = struct.pack(order + "4sI4s", b"RIFX" if big else b"RIFF", 36 + len(data), b"WAVE")
    return io.BytesIO(head + fmt + struct.pack(order + "4sI", b"data", declared) + data + after)


@given(
    st.binary(max_size=200).map(lambda data: b"\xf0" + data),
    st.integers(0, 300) | st.integers(0, 2**32 - 1),
    st.booleans(),
)
def test_held_and_missing_add_up(data: bytes, declared: int, big: bool) -> None:  # noqa: FBT001
    (header,) = wav_audio(wav(data, declared, big=big)) or []
    assert header.bytes_per_second == 32_000
    assert 0 <= header.held <= len(data)
    assert 0 <= header.unread <= len(data) - header.held
    if header.missing:
        assert header.held + header.missing == declared
    if declared == 0:
        assert not header.closed
        assert header.missing == header.unread == 0


@pytest.mark.parametrize(
    ("after", "unread"),
    [
        (b"", 0),
        (b"\0" * 5_000, 0),
        (b"LIST\4\0\0\0INFO", 0),
        (b"LIST\4\0\0\0INFOid3 \2\0\0\0xx", 0),
        (b"LIST\4\0\0\0INFO\xf0\1\2\3\4\5\6\7\x08\x09", 10),
        (b"LIST\xff\0\0\0INFO", 12),
        (b"\xf0" * 100_000 + bytes(70_000), 100_000),
    ],
)
def test_what_follows_the_audio(after: bytes, unread: int) -> None:
    (header,) = wav_audio(wav(b"\1\2" * 50, 100, after)) or []
    assert header == WavAudio(32_000, 100, unread=unread, stretches=((44, 144),), form=header.form)


@given(st.binary(max_size=200), st.sampled_from([b"", b"RIFF\0\0\0\0WAVE", b"RF64\0\0\0\0WAVEds64\x1c\0\0\0"]))
def test_random_bytes_give_a_header_or_a_reason(content: bytes, head: bytes) -> None:
    try:
        headers = wav_audio(io.BytesIO(head + content)) or []
    except ValueError as error:
        headers = []
        assert "cut short" in str(error)  # noqa: PT017
    for header in headers:
        assert min(header.held, header.missing, header.unread, header.bytes_per_second) >= 0


def test_other_formats_have_no_wav_header() -> None:
    assert wav_audio(io.BytesIO(b"OggS and so on")) is None
    assert wav_audio(io.BytesIO(b"RIFF\0\0\0\0AVI LIST")) is None


@pytest.mark.parametrize("tag", [b"Xing", b"Info"])
@pytest.mark.parametrize("lead", [b"", b"ID3\4\0\0\0\0\1\2" + bytes(130)])
def test_mp3_frames_are_counted(lead: bytes, tag: bytes) -> None:
    frame = b"\xff\xfb\x90\0" + bytes(32) + tag + struct.pack(">II", 1, 1_000) + bytes(100)
    assert mp3_seconds(io.BytesIO(lead + frame), 48_000) == 24.0
    assert mp3_seconds(io.BytesIO(lead + frame), 16_000) == 36.0
    assert mp3_seconds(io.BytesIO(lead + frame.replace(b"\0\0\0\1", bytes(4))), 48_000) is None
    assert mp3_seconds(io.BytesIO(lead + frame.replace(tag, b"none")), 48_000) is None


def test_wma_length() -> None:
    guid = bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365")
    fields = struct.pack("<Q16xQQQQQQI12x", 104, 0, 0, 0, 95_000_000, 0, 1_500, 2)
    assert asf_seconds(io.BytesIO(b"head" + guid + fields)) == 8.0
    assert asf_seconds(io.BytesIO(b"head" + guid + fields.replace(b"\2\0\0\0", b"\1\0\0\0"))) is None
    assert asf_seconds(io.BytesIO(b"head" + guid + fields[:60])) is None


def test_last_page_of_an_ogg() -> None:
    page = b"OggS\0%c" + bytes(40)
    assert is_closed_ogg(io.BytesIO(page % 0 + page % 4))
    assert not is_closed_ogg(io.BytesIO(page % 4 + page % 0))
    assert not is_closed_ogg(io.BytesIO(b"OggS"))


def flac_number(number: int) -> bytes:
    """As FLAC writes frame numbers."""
    if number < 0x80:
        return bytes([number])
    for more in range(1, 7):
        if number < 1 << (5 * more + 6) or more == 6:
            lead = 0xFF << (7 - more) & 0xFF | number >> 6 * more
            rest = [0x80 | number >> 6 * place & 0x3F for place in range(more - 1, -1, -1)]
            return bytes([lead, *rest])
    raise AssertionError


@given(st.integers(0, 2**31 - 1), st.sampled_from([576, 4_096]))
def test_flac_frames_state_their_position(number: int, samples: int) -> None:
    assert flac_start(b"\xff\xf8\x35\x08" + flac_number(number), samples) == number * samples
    assert flac_start(b"\xff\xf9\x35\x08" + flac_number(number), samples) == number


@given(st.binary(max_size=12))
def test_random_bytes_are_no_flac_frame(frame: bytes) -> None:
    assert (flac_start(b"\xff\xf8" + frame, 576) or 0) >= 0
    assert flac_start(b"\0" + frame, 576) is None
